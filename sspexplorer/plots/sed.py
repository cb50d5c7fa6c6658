"""Pictures of SEDs."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool

from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.mocks import Observation
from sspexplorer.plots.style import (
    band_colours,
    figure_options,
)

# One for each SED of a comparison; apart from the colours of libraries and parameters.
SED_COLOURS = ("#C026A3", "#0AA5C2", "#B8860B", "#7BAA1E", "#64748B")
WAVELENGTH_RANGE = (3100.0, 10_900.0)

# Numbers of SEDs are coloured in the browser: a column of colour names is slow to check and send.
_BY_SED = {"color": "sed", "cmap": list(SED_COLOURS), "clim": (0.5, len(SED_COLOURS) + 0.5)}

_FOOT = 0.12  # part of the height below zero flux, where the transmission curves stand


def age_text(log_age: float) -> str:
    """Age in Myr or Gyr, with three digits."""
    age = 10**log_age
    return f"{age / 1e6:.3g} Myr" if age < 1e9 else f"{age / 1e9:.3g} Gyr"


def population_text(observation: Observation) -> str:
    """Age, metallicity and dust in words."""
    return (
        f"{age_text(observation.log_age)}, [M/H] {observation.metallicity:+.2f}, "
        f"E(B−V) {observation.ebv:.2f}"
    ).replace("-", "−")


def photometry_table(observations: Sequence[Observation]) -> pd.DataFrame:
    """One row for each band of each SED: what the points of the picture are.

    Columns ``sed`` (number from 1), ``population``, ``library``, ``magnitude``, ``redshift``,
    ``band``, ``wavelength`` (Å), ``flux``, ``flux_err`` and ``noise_free`` (F_ν over its median),
    and ``snr``.
    """
    frames = []
    for number, observation in enumerate(observations, start=1):
        frames.append(
            pd.DataFrame(
                {
                    "sed": number,
                    "population": population_text(observation),
                    "library": observation.library,
                    "magnitude": observation.magnitude,
                    "redshift": observation.redshift,
                    "band": BAND_NAMES,
                    "wavelength": load_bands().pivot,
                    "flux": observation.flux,
                    "flux_err": observation.flux_err,
                    "noise_free": observation.noise_free,
                    "snr": observation.flux / observation.flux_err,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def most_alike(observations: Sequence[Observation]) -> tuple[int, int, float]:
    """Find the two SEDs that are hardest to tell apart.

    Parameters
    ----------
    observations : sequence of Observation
        At least two.

    Returns
    -------
    one, other : int
        Their numbers, from 1.
    distance : float
        Root mean square over the bands of their difference without noise, in units of the σ of
        the noise (the mean variance of the two). Much below 1, no single band tells them apart.
    """

    def distance(one: Observation, other: Observation) -> float:
        variance = (one.flux_err**2 + other.flux_err**2) / 2
        return float(np.sqrt(np.mean((one.noise_free - other.noise_free) ** 2 / variance)))

    pairs = combinations(range(len(observations)), 2)
    found = {(i, j): distance(observations[i], observations[j]) for i, j in pairs}
    (one, other), least = min(found.items(), key=lambda item: item[1])
    return one + 1, other + 1, least


def sed_picture(
    observations: Sequence[Observation] | hv.streams.Stream,
    *,
    light: bool = False,
) -> hv.Overlay | hv.DynamicMap:
    """Draw SEDs as points over their spectra, and the bands below in their colours of light.

    Parameters
    ----------
    observations : sequence of Observation, or Pipe of one
        At most ``len(SED_COLOURS)`` SEDs. A ``holoviews.streams.Pipe`` gives a live picture,
        which follows what is sent through it.
    light : bool
        Fill the points in the colours of light of their bands.
    """
    by_light = {"color": "band_index", "cmap": list(band_colours()), "clim": (0, N_BANDS - 1)}
    lines = _layer(_lines, observations).opts(**_BY_SED, line_width=1.1, line_alpha=0.5)
    points = _layer(_points, observations).opts(
        **(by_light if light else _BY_SED), size=7, tools=[_hover()]
    )
    return (lines * points).opts(
        **figure_options(
            _hold_flux_axis,
            xlabel="Observed wavelength [Å]",
            ylabel="Fν / median Fν",
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
            apply_ranges=False,
        )
    )


def _layer(
    make: Callable[[Any], hv.Element], data: Any | hv.streams.Stream
) -> hv.Element | hv.DynamicMap:
    """Element of ``data``, or one that follows it if it is a stream."""
    if isinstance(data, hv.streams.Stream):
        return hv.DynamicMap(lambda data: make(data), streams=[data])
    return make(data)


def _points(observations: Sequence[Observation]) -> hv.Points:
    table = photometry_table(observations)
    table["band_index"] = np.tile(np.arange(N_BANDS), len(observations))
    details = ["sed", "band_index", "band", "population", "flux_err", "snr", "noise_free"]
    return hv.Points(table, ["wavelength", "flux"], details)


def _lines(observations: Sequence[Observation]) -> hv.Segments:
    """Error bars and spectra, as one table of short segments: quick to send and to redraw."""
    pieces = []
    for number, observation in enumerate(observations, start=1):
        low, high = np.searchsorted(observation.wavelength, WAVELENGTH_RANGE)
        x, y = observation.wavelength[low:high:2], observation.spectrum[low:high:2]
        pivot, flux, error = load_bands().pivot, observation.flux, observation.flux_err
        pieces.append((x[:-1], y[:-1], x[1:], y[1:], np.full(len(x) - 1, number)))
        pieces.append((pivot, flux - error, pivot, flux + error, np.full(N_BANDS, number)))
    columns = tuple(np.concatenate(column) for column in zip(*pieces, strict=True))
    return hv.Segments(columns, ["x0", "y0", "x1", "y1"], "sed")


def scale_flux_axis(plot: Any, low: float, top: float) -> None:
    """For HoloViews hooks: show fluxes from ``low`` to ``top`` over the transmission curves.

    The curves stand along the foot of the figure in their colours of light; they are sent to the
    browser only when the scale changes.
    """
    handles = plot.handles
    if handles.get("flux_scale") == (low, top):
        return
    handles["flux_scale"] = (low, top)
    bottom = low - (top - low) * _FOOT / (1 - _FOOT)
    handles["y_range"].update(start=bottom, end=top)
    curves = load_bands().curves
    data = {
        "xs": [np.concatenate([grid[:1], grid, grid[-1:]]) for grid, _ in curves],
        "ys": [bottom + (low - bottom) * 0.85 * np.pad(t / t.max(), 1) for _, t in curves],
        "colour": list(band_colours()),
    }
    if "band_curves" not in handles:
        source = handles["band_curves"] = ColumnDataSource(data)
        plot.state.patches(
            "xs", "ys", source=source, color="colour", alpha=0.4, line_alpha=0, level="underlay"
        )
    handles["band_curves"].data = data


def _hold_flux_axis(plot: Any, overlay: hv.Overlay) -> None:
    """HoloViews hook: scale the flux axis to the SEDs without noise, which would move it."""
    noise_free = overlay.get(overlay.keys()[-1]).dimension_values("noise_free")
    scale_flux_axis(plot, 0.0, float(np.ceil(noise_free.max() * 1.2 * 4) / 4))


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("Fν", "@flux{0.000} ± @flux_err{0.000}"),
            ("S/N", "@snr{0.0}"),
            ("Truth", "@population"),
        ]
    )
