"""Pictures of one galaxy of a catalogue: its bands, what goes through them, and what is left."""

from collections.abc import Callable, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.analysis.galaxy import Galaxy
from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.plots.sed import WAVELENGTH_RANGE, scale_flux_axis
from sspexplorer.plots.style import (
    NEUTRAL,
    band_colours,
    by_number,
    figure_options,
    library_colour,
)
from sspexplorer.plots.view import set_view

# In units of the median flux: a wild band does not press all others flat.
_LOWEST, _HIGHEST = -2.0, 8.0
_LEAST_PULL, _MOST_PULL = 3.5, 12.0
_LEFT = 64  # pixels for the left axis: more than its numbers need

# How to make a layer of a galaxy, and its options.
_Layer = tuple[Callable[[Galaxy], hv.Element], dict[str, Any]]


def galaxy_picture(galaxy: hv.streams.Stream) -> hv.DynamicMap:
    """Draw the SED of one galaxy over what is closest to it, the bands along the foot.

    That is the closest mixture, a line in a shade, or without one the SSPs of its prediction.
    Measured bands are full points with error bars, in the colours of their light, crossed out if
    they were set aside; bands that were filled in are hollow, where there is no mixture to tell.

    Parameters
    ----------
    galaxy : Pipe of Galaxy
    """
    by_light = by_number("band_index", band_colours())
    measured = HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("Fν", "@flux{0.000} ± @flux_err{0.000}"),
            ("S/N", "@snr{0.0}"),
        ]
    )
    filled = HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("Missing", "filled in from its neighbours: @flux{0.000}"),
        ]
    )
    layers: list[_Layer] = [
        (_shade, {"color": NEUTRAL, "fill_alpha": 0.25, "line_alpha": 0}),
        (_mixture, {"color": NEUTRAL, "line_width": 1.6}),
        (_spectra, {"color": "colour", "line_width": 1.2, "line_alpha": 0.6}),
        (_error_bars, by_light | {"line_width": 1.2, "line_alpha": 0.7}),
        (
            lambda g: _points(g, np.isfinite(g.flux)),
            by_light | {"size": 7, "tools": [measured]},
        ),
        (
            lambda g: _points(g, ~np.isfinite(g.flux) & (g.mixture is None)),
            by_light | {"size": 7, "fill_alpha": 0, "line_width": 1.5, "tools": [filled]},
        ),
        (lambda g: _points(g, g.aside), _crossed()),
    ]
    return _following(galaxy, layers).opts(
        **figure_options(
            lambda plot, overlay: _hold_flux_axis(plot, galaxy.contents["data"]),
            _even_border,
            xlabel="Observed wavelength [Å]",
            ylabel="Fν / median Fν",
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
            apply_ranges=False,
        )
    )


def pull_picture(galaxy: hv.streams.Stream) -> hv.DynamicMap:
    """Draw what is left of each measured band without the closest mixture, in units of its σ.

    Parameters
    ----------
    galaxy : Pipe of Galaxy
        Nothing is drawn of one without a mixture.
    """
    hover = HoverTool(tooltips=[("Band", "@band, @wavelength{0} Å"), ("Off by", "@pull{+0.0} σ")])
    layers: list[_Layer] = [
        (_pulls, by_number("band_index", band_colours()) | {"size": 6, "tools": [hover]}),
        (lambda g: _pulls(g, only_aside=True), _crossed()),
    ]
    expected = hv.HSpan(-1, 1).opts(color=NEUTRAL, fill_alpha=0.16, line_alpha=0)
    mixture = hv.HLine(0).opts(color=NEUTRAL, line_width=1.6)
    return (expected * mixture * _following(galaxy, layers)).opts(
        **figure_options(
            lambda plot, overlay: _hold_pull_axis(plot, galaxy.contents["data"]),
            _even_border,
            xlabel="Observed wavelength [Å]",
            ylabel="Left over [σ]",
            yticks=4,
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
            apply_ranges=False,
        )
    )


def _following(galaxy: hv.streams.Stream, layers: Sequence[_Layer]) -> hv.DynamicMap:
    """Layers of what is made of a galaxy, over each other, which follow a stream of them."""
    live = [
        hv.DynamicMap(lambda data, make=make: make(data), streams=[galaxy]).opts(**options)
        for make, options in layers
    ]
    return hv.Overlay(live).collate()


def _crossed() -> dict[str, Any]:
    """Look of bands that were set aside."""
    why = [("@band", "not used: contradicted by the others, or far noisier")]
    hover = HoverTool(tooltips=why)
    return {"marker": "x", "size": 14, "color": NEUTRAL, "line_width": 2.5, "tools": [hover]}


def _points(galaxy: Galaxy, bands: np.ndarray) -> hv.Points:
    table = pd.DataFrame(
        {
            "wavelength": load_bands().pivot,
            "flux": galaxy.filled,
            "band_index": np.arange(N_BANDS),
            "band": BAND_NAMES,
            "flux_err": galaxy.flux_err,
            "snr": galaxy.flux / galaxy.flux_err,
        }
    )
    details = ["band_index", "band", "flux_err", "snr"]
    return hv.Points(table[bands], ["wavelength", "flux"], details)


def _error_bars(galaxy: Galaxy) -> hv.Segments:
    known = np.isfinite(galaxy.flux_err)
    wavelength = load_bands().pivot[known]
    flux, error = galaxy.flux[known], galaxy.flux_err[known]
    columns = (wavelength, flux - error, wavelength, flux + error, np.flatnonzero(known))
    return hv.Segments(columns, ["x0", "y0", "x1", "y1"], "band_index")


def _spectra(galaxy: Galaxy) -> hv.Segments:
    """Spectra as short segments: one table, whatever the number of SSPs."""
    pieces = [pd.DataFrame(columns=["x0", "y0", "x1", "y1", "colour"])]
    for ssp in galaxy.ssps if galaxy.mixture is None else ():
        low, high = np.searchsorted(ssp.wavelength, WAVELENGTH_RANGE)
        x = ssp.wavelength[low:high:2]
        y = ssp.spectrum[low:high:2] * galaxy.scale_of(ssp)
        ends = {"x0": x[:-1], "y0": y[:-1], "x1": x[1:], "y1": y[1:]}
        pieces.append(pd.DataFrame(ends | {"colour": library_colour(ssp.library)}))
    return hv.Segments(pd.concat(pieces, ignore_index=True), ["x0", "y0", "x1", "y1"], "colour")


def _order() -> np.ndarray:
    """Indices of the bands that a line goes through, from blue to red: broad ones are means."""
    pivot = load_bands().pivot
    outer = (pivot == pivot.min()) | (pivot == pivot.max())
    chosen = np.flatnonzero(load_bands().narrow | outer)
    return chosen[np.argsort(pivot[chosen])]


def _shade(galaxy: Galaxy) -> hv.Area:
    names = ("wavelength", ["low", "high"])
    if galaxy.mixture is None:
        return hv.Area([], *names)
    bands = _order()
    columns = (load_bands().pivot, galaxy.mixture.low, galaxy.mixture.high)
    return hv.Area(tuple(values[bands] for values in columns), *names)


def _mixture(galaxy: Galaxy) -> hv.Curve:
    if galaxy.mixture is None:
        return hv.Curve([], "wavelength", "flux")
    bands = _order()
    return hv.Curve((load_bands().pivot[bands], galaxy.mixture.flux[bands]), "wavelength", "flux")


def _pulls(galaxy: Galaxy, *, only_aside: bool = False) -> hv.Points:
    table = pd.DataFrame(
        {
            "wavelength": load_bands().pivot,
            "pull": galaxy.pulls,
            "band_index": np.arange(N_BANDS),
            "band": BAND_NAMES,
        }
    )
    shown = np.isfinite(galaxy.pulls) & (galaxy.aside | (not only_aside))
    return hv.Points(table[shown], ["wavelength", "pull"], ["band_index", "band"])


def _even_border(plot: Any, overlay: hv.Overlay) -> None:
    """HoloViews hook: wavelengths of both pictures are under each other."""
    plot.state.min_border_left = _LEFT


def _hold_pull_axis(plot: Any, galaxy: Galaxy) -> None:
    """HoloViews hook: the same way up and down, whatever a wild band does."""
    known = galaxy.pulls[np.isfinite(galaxy.pulls)]
    far = float(np.clip(1.15 * np.abs(known).max(initial=0.0), _LEAST_PULL, _MOST_PULL))
    set_view(plot.handles["y_range"], -far, far)


def _hold_flux_axis(plot: Any, galaxy: Galaxy) -> None:
    """HoloViews hook: fit the flux axis to the galaxy, the transmission curves along its foot."""
    filled = galaxy.filled[np.isfinite(galaxy.filled)]
    highest = [1.0, *np.clip(filled, None, _HIGHEST)]
    if galaxy.mixture is None:
        highest += [ssp.noise_free.max() * galaxy.scale_of(ssp) for ssp in galaxy.ssps]
    else:
        highest.append(float(galaxy.mixture.high[_order()].max()))
    low = min(0.0, *np.clip(filled, _LOWEST, 0.0), 0.0)
    scale_flux_axis(plot, low, 1.1 * max(highest))
