"""Pictures of SEDs, and of what the networks make of them."""

from collections.abc import Callable, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool

from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.mocks import PARAMETERS, Observation
from sspexplorer.plots.style import (
    NEUTRAL,
    PARAMETER_LABELS,
    band_colours,
    figure_options,
)

# One for each SED of a comparison; apart from the colours of libraries and parameters.
SED_COLOURS = ("#C026A3", "#0AA5C2", "#B8860B", "#7BAA1E", "#64748B")
WAVELENGTH_RANGE = (3100.0, 10_900.0)

# Numbers of SEDs are coloured in the browser: a column of colour names is slow to check and send.
_BY_SED = {"color": "sed", "cmap": list(SED_COLOURS), "clim": (0.5, len(SED_COLOURS) + 0.5)}

_FOOT = 0.12  # part of the height below zero flux, where the transmission curves stand

# Wider than the labels of the mocks, so that a prediction outside of them is still seen.
PARAMETER_RANGES = {"log_age": (5.9, 10.6), "metallicity": (-2.7, 1.0), "ebv": (-0.15, 1.0)}


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
    layers = {
        _spectra: _BY_SED | {"line_width": 1, "line_alpha": 0.45},
        _error_bars: _BY_SED | {"line_width": 1.2, "line_alpha": 0.55},
        _points: (by_light if light else _BY_SED) | {"size": 7, "tools": [_hover()]},
    }
    picture = hv.Overlay(
        [_layer(make, observations).opts(**options) for make, options in layers.items()]
    )
    return picture.collate().opts(
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


def _error_bars(observations: Sequence[Observation]) -> hv.Segments:
    flux = np.concatenate([o.flux for o in observations])
    error = np.concatenate([o.flux_err for o in observations])
    wavelength = np.tile(load_bands().pivot, len(observations))
    number = np.repeat(np.arange(len(observations)) + 1, N_BANDS)
    return _segments(wavelength, flux - error, wavelength, flux + error, number)


def _segments(*columns: np.ndarray) -> hv.Segments:
    return hv.Segments(columns, ["x0", "y0", "x1", "y1"], "sed")


def _spectra(observations: Sequence[Observation]) -> hv.Segments:
    """Spectra as short segments: one table, which a browser redraws faster than many lines."""
    pieces = []
    for number, observation in enumerate(observations, start=1):
        low, high = np.searchsorted(observation.wavelength, WAVELENGTH_RANGE)
        x, y = observation.wavelength[low:high:2], observation.spectrum[low:high:2]
        pieces.append((x[:-1], y[:-1], x[1:], y[1:], np.full(len(x) - 1, number)))
    return _segments(*(np.concatenate(column) for column in zip(*pieces, strict=True)))


def _hold_flux_axis(plot: Any, overlay: hv.Overlay) -> None:
    """HoloViews hook: scale the flux axis to the noise-free SEDs, so that noise does not move it.

    The transmission curves stand along the foot of the figure; they are sent to the browser only
    when that scale changes.
    """
    noise_free = overlay.get(overlay.keys()[-1]).dimension_values("noise_free")
    top = np.ceil(noise_free.max() * 1.2 * 4) / 4
    handles = plot.handles
    if handles.get("top") == top:
        return
    handles["top"] = top
    bottom = -top * _FOOT / (1 - _FOOT)
    handles["y_range"].update(start=bottom, end=top)
    curves = load_bands().curves
    data = {
        "xs": [np.concatenate([grid[:1], grid, grid[-1:]]) for grid, _ in curves],
        "ys": [bottom * (1 - 0.85 * np.pad(t / t.max(), 1)) for _, t in curves],
        "colour": list(band_colours()),
    }
    if "band_curves" not in handles:
        source = handles["band_curves"] = ColumnDataSource(data)
        plot.state.patches(
            "xs", "ys", source=source, color="colour", alpha=0.4, line_alpha=0, level="underlay"
        )
    handles["band_curves"].data = data


def _hold_lanes(plot: Any, overlay: hv.Overlay) -> None:
    """HoloViews hook: one lane for each SED, from the top."""
    n_lanes = len(overlay.get(overlay.keys()[-1]))
    plot.handles["y_range"].update(start=-n_lanes - 0.6, end=-0.4)


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("Fν", "@flux{0.000} ± @flux_err{0.000}"),
            ("S/N", "@snr{0.0}"),
            ("Truth", "@population"),
        ]
    )


def prediction_table(
    parameter: str,
    observations: Sequence[Observation],
    predictions: np.ndarray,
    scatter: Sequence[np.ndarray],
) -> pd.DataFrame:
    """Truth and prediction of one parameter, one row for each SED.

    Parameters
    ----------
    parameter : str
        ``log_age``, ``metallicity`` or ``ebv``.
    observations : sequence of Observation
    predictions : ndarray, shape (n, 3)
        For the noise that is drawn in the picture of the SEDs.
    scatter : sequence of ndarray, shape (n_draws, 3)
        For other draws of the noise.

    Returns
    -------
    DataFrame
        ``sed`` (number from 1), ``lane``, ``true``, ``predicted``, and the percentiles of
        ``scatter``: ``p02`` (2.5 %), ``p16``, ``p84`` and ``p98`` (97.5 %).
    """
    column = PARAMETERS.index(parameter)
    number = np.arange(len(observations)) + 1
    truth = np.array([getattr(observation, parameter) for observation in observations])
    levels = np.array([np.percentile(s[:, column], [2.5, 16, 84, 97.5]) for s in scatter])
    return pd.DataFrame(
        {
            "sed": number,
            "lane": -number.astype(float),
            "true": truth,
            "predicted": predictions[:, column],
            **{name: levels[:, k] for k, name in enumerate(("p02", "p16", "p84", "p98"))},
        }
    )


def prediction_picture(
    parameter: str, table: pd.DataFrame | hv.streams.Stream
) -> hv.Overlay | hv.DynamicMap:
    """Draw truth and prediction of one parameter, one line for each SED.

    Parameters
    ----------
    parameter : str
        ``log_age``, ``metallicity`` or ``ebv``.
    table : DataFrame, or Pipe of one
        See :func:`prediction_table`. A ``holoviews.streams.Pipe`` gives a live picture.
    """

    def span(low: str, high: str) -> Callable[[pd.DataFrame], hv.Segments]:
        return lambda t: _segments(t[low], t["lane"], t[high], t["lane"], t["sed"])

    def truth(t: pd.DataFrame) -> hv.Segments:
        return _segments(t["true"], t["lane"] - 0.38, t["true"], t["lane"] + 0.38, t["sed"])

    def found(t: pd.DataFrame) -> hv.Points:
        return hv.Points(t, ["predicted", "lane"], ["sed", "true", "p16", "p84"])

    hover = HoverTool(
        tooltips=[
            ("Predicted", "@predicted{0.00}"),
            ("True", "@true{0.00}"),
            ("68 % of noise draws", "@p16{0.00} to @p84{0.00}"),
        ]
    )
    rim = {"line_color": "white", "line_width": 1.5}
    layers = [
        (span("p02", "p98"), _BY_SED | {"line_width": 2, "line_alpha": 0.5}),
        (span("p16", "p84"), _BY_SED | {"line_width": 7, "line_alpha": 0.4}),
        (truth, {"color": NEUTRAL, "line_width": 2.5}),
        (found, _BY_SED | rim | {"size": 12, "tools": [hover]}),
    ]
    picture = hv.Overlay([_layer(make, table).opts(**options) for make, options in layers])
    return picture.collate().opts(
        **figure_options(
            _hold_lanes,
            xlabel=PARAMETER_LABELS[parameter],
            ylabel="",
            yaxis=None,
            xlim=PARAMETER_RANGES[parameter],
            apply_ranges=False,
            show_legend=False,
            toolbar=None,
            default_tools=[],
        )
    )
