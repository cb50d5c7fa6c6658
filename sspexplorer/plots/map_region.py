"""What lies in a region of the map of SEDs: its SEDs, and predictions beside the truth."""

from dataclasses import dataclass, field
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.analysis.sed_map import RegionParameters
from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.labels import PARAMETER_LABELS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.sed import SED_COLOURS, WAVELENGTH_RANGE
from sspexplorer.plots.style import NEUTRAL, PARAMETER_COLOURS, by_number, figure_options
from sspexplorer.plots.view import set_view

HISTOGRAM_LIMITS = {"log_age": (5.9, 10.5), "metallicity": (-2.7, 1.1), "ebv": (-0.1, 0.9)}
N_BINS = 40


@dataclass(frozen=True, eq=False)
class RegionSEDs:
    """SEDs of a region, and galaxies to compare with them.

    Attributes
    ----------
    quantiles : ndarray, shape (3, 57)
        16 %, median and 84 % of F_ν over its median; NaN where there are no mocks.
    galaxies : ndarray, shape (n, 57)
        F_ν over its median; NaN is missing. At most ``len(SED_COLOURS)`` of them.
    names : tuple of str, length n
    """

    quantiles: np.ndarray = field(default_factory=lambda: np.full((3, N_BANDS), np.nan))
    galaxies: np.ndarray = field(default_factory=lambda: np.empty((0, N_BANDS)))
    names: tuple[str, ...] = ()


def region_seds(pipe: hv.streams.Stream | RegionSEDs) -> hv.DynamicMap:
    """Draw the median SED with its 16–84 % band, and galaxies as points over it.

    Parameters
    ----------
    pipe : Pipe of RegionSEDs, or RegionSEDs
    """
    pipe = pipe if isinstance(pipe, hv.streams.Stream) else hv.streams.Pipe(data=pipe)
    numbered = by_number("number", SED_COLOURS, first=1)
    galaxy = HoverTool(
        tooltips=[("Galaxy", "@name"), ("Band", "@band"), ("Fν", "@flux{0.000}")], visible=False
    )
    mocks = HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("Median of the mocks", "@median{0.000}"),
            ("16–84 %", "@low{0.000} to @high{0.000}"),
        ],
        visible=False,
    )
    layers = [
        (_band, hv.opts.Area(color=NEUTRAL, alpha=0.3, line_alpha=0)),
        (_median, hv.opts.Curve(color=NEUTRAL, line_width=2, tools=[mocks])),
        (_galaxy_points, hv.opts.Points(size=5, tools=[galaxy], **numbered)),
    ]
    picture = hv.Overlay([hv.DynamicMap(make, streams=[pipe]).opts(o) for make, o in layers])
    return picture.collate().opts(
        **figure_options(
            lambda plot, overlay: _hold_flux(plot, pipe.data),
            xlabel="Wavelength [Å]",
            ylabel="Fν / median Fν",
            xlim=WAVELENGTH_RANGE,
            xticks=5,
            yticks=5,
            show_legend=False,
            apply_ranges=False,
        )
    )


def _table(data: RegionSEDs) -> pd.DataFrame:
    """Quantiles in order of wavelength, without the broad band that lies among the others."""
    low, median, high = data.quantiles
    table = pd.DataFrame(
        {
            "wavelength": load_bands().pivot,
            "low": low,
            "high": high,
            "median": median,
            "band": BAND_NAMES,
        }
    )
    return table.iloc[: N_BANDS - 1].sort_values("wavelength")


def _band(data: RegionSEDs) -> hv.Area:
    return hv.Area(_table(data), "wavelength", ["low", "high"])


def _median(data: RegionSEDs) -> hv.Curve:
    return hv.Curve(_table(data), "wavelength", ["median", "low", "high", "band"])


def _galaxy_points(data: RegionSEDs) -> hv.Points:
    n = len(data.galaxies)
    table = pd.DataFrame(
        {
            "wavelength": np.tile(load_bands().pivot, n),
            "flux": data.galaxies.reshape(-1),
            "number": np.repeat(np.arange(1, n + 1), N_BANDS),
            "name": np.repeat(np.array(data.names, dtype=object), N_BANDS),
            "band": np.tile(np.array(BAND_NAMES, dtype=object), n),
        }
    )
    return hv.Points(table, ["wavelength", "flux"], ["number", "name", "band"])


def _hold_flux(plot: Any, data: RegionSEDs) -> None:
    """HoloViews hook: all that is drawn is in sight, except bands gone wild."""
    drawn = np.concatenate([data.quantiles.reshape(-1), data.galaxies.reshape(-1)])
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return
    # Fluxes over their median: between these lie all but the noisiest bands.
    low, high = max(drawn.min(), -0.5), min(drawn.max(), 5.0)
    air = 0.06 * (high - low)
    set_view(plot.handles["y_range"], float(min(0.0, low) - air), float(high + air))


def prediction_histogram(
    pipe: hv.streams.Stream | RegionParameters, parameter: str
) -> hv.DynamicMap:
    """Draw how predictions (line) and truth (filled) are distributed.

    Parameters
    ----------
    pipe : Pipe of RegionParameters, or RegionParameters
    parameter : str
        One of :data:`~sspexplorer.mocks.PARAMETERS`.
    """
    pipe = pipe if isinstance(pipe, hv.streams.Stream) else hv.streams.Pipe(data=pipe)
    column = PARAMETERS.index(parameter)
    limits = HISTOGRAM_LIMITS[parameter]

    def truth(data: RegionParameters) -> hv.Area:
        return hv.Area(_steps(data.true[:, column], limits), parameter, "mocks", label="True")

    def predicted(data: RegionParameters) -> hv.Curve:
        steps = _steps(data.predicted[:, column], limits)
        return hv.Curve(steps, parameter, "mocks", label="Predicted")

    hover = HoverTool(
        tooltips=[("Predicted", f"@{parameter}{{0.00}}"), ("Mocks", "@mocks{0,0}")], visible=False
    )
    layers = [
        hv.DynamicMap(truth, streams=[pipe]).opts(color=NEUTRAL, alpha=0.45, line_alpha=0),
        hv.DynamicMap(predicted, streams=[pipe]).opts(
            color=PARAMETER_COLOURS[parameter], line_width=2, tools=[hover]
        ),
    ]
    return (layers[0] * layers[1]).opts(
        **figure_options(
            lambda plot, overlay: _hold_count(plot, pipe.data, column, limits),
            xlabel=PARAMETER_LABELS[parameter],
            ylabel="Mocks per bin",
            xlim=limits,
            xticks=5,
            yticks=4,
            legend_position="top_left",
            legend_opts={"glyph_width": 12, "spacing": 0, "padding": 4},
            show_legend=True,
            apply_ranges=False,
        )
    )


def _counts(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    inner = np.clip(values, limits[0] + 1e-9, limits[1] - 1e-9)
    return np.histogram(inner, N_BINS, limits)[0]


def _steps(values: np.ndarray, limits: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Outline of a histogram; what lies beyond the limits is in the outermost bins."""
    edges = np.linspace(*limits, N_BINS + 1)
    return np.repeat(edges, 2)[1:-1], np.repeat(_counts(values, limits), 2)


def _hold_count(
    plot: Any, data: RegionParameters, column: int, limits: tuple[float, float]
) -> None:
    """HoloViews hook: counts begin at zero, and leave room for the legend."""
    tallest = max(_counts(v[:, column], limits).max() for v in (data.true, data.predicted))
    set_view(plot.handles["y_range"], 0.0, max(1.0, 1.55 * float(tallest)))
