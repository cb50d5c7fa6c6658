"""Pictures of how many galaxies there are in a volume, by their mass."""

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.plots.style import NEUTRAL, figure_options

_COLOUR = "#3B93EA"
_MASS = hv.Dimension("value", label="log mass in stars [M☉]")
_DENSITY = hv.Dimension("log_density", label="log Φ [Mpc⁻³ dex⁻¹]")
_PUBLISHED = np.linspace(8.0, 11.6, 80)
# Bins of fewer galaxies are hollow: their errors are not those of large numbers.
_FEW = 5


def mass_function(log_mass: np.ndarray) -> np.ndarray:
    """Galaxies per Mpc³ and dex of a stellar mass (log M☉ of a Chabrier IMF) at z < 0.06.

    Two Schechter functions of one knee: Baldry et al. (2012), Sect. 6 and Fig. 13, for
    H₀ = 70 km/s/Mpc.
    """
    mass = 10 ** (log_mass - 10.66)
    shape = 3.96e-3 * mass**0.65 + 0.79e-3 * mass**-0.47
    return np.log(10) * np.exp(-mass) * shape


def counts_picture(table: pd.DataFrame) -> hv.Overlay:
    """Draw the number of galaxies per volume against mass, with Poisson errors.

    Parameters
    ----------
    table : DataFrame
        See :func:`sspexplorer.analysis.volumes.counts`.
    """
    known = table.assign(
        log_density=np.log10(table["density"]),
        # One galaxy alone has an error as large as the density itself.
        down=-np.log10(np.clip(1 - table["error"] / table["density"], 0.05, None)),
        above=np.log10(1 + table["error"] / table["density"]),
        fill=np.where(table["n"] < _FEW, 0.0, 1.0),
    )
    hover = HoverTool(
        tooltips=[
            ("log mass", "@value{0.00}"),
            ("Φ", "@density{0.0e} ± @error{0.0e} Mpc⁻³ dex⁻¹"),
            ("galaxies", "@n{0,0}"),
        ]
    )
    near = hv.Curve(
        (_PUBLISHED, np.log10(mass_function(_PUBLISHED))),
        _MASS,
        _DENSITY,
        label="GAMA, z < 0.06 (Baldry+ 2012)",
    )
    bars = hv.ErrorBars(known, _MASS, [_DENSITY, "down", "above"])
    dots = hv.Scatter(
        known, _MASS, [_DENSITY, "density", "error", "n", "fill"], label="this catalogue, 1/V_max"
    )
    return (
        near.opts(color=NEUTRAL, line_dash="dotted", line_width=2.0)
        * bars.opts(color=_COLOUR, line_width=1.5, lower_head=None, upper_head=None)
        * dots.opts(
            color=_COLOUR,
            fill_alpha="fill",
            line_color=_COLOUR,
            size=8,
            tools=[hover],
        )
    ).opts(
        **figure_options(
            xlim=_around(known["value"], 8.0, 12.0),
            ylim=_around(known["log_density"], -6.0, -1.0),
            legend_position="bottom_left",
            xlabel=_MASS.label,
            ylabel=_DENSITY.label,
        )
    )


def _around(values: pd.Series, low: float, high: float) -> tuple[float, float]:
    """Limits of an axis, at least these, with room beyond the values."""
    return min(low, values.min() - 0.3), max(high, values.max() + 0.3)
