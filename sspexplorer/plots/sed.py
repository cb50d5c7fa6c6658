"""Pictures of SEDs."""

from collections.abc import Sequence
from functools import partial
from itertools import combinations
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, CustomJS, HoverTool, LinearAxis, Range1d

from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.labels import population_text
from sspexplorer.mocks import Observation
from sspexplorer.nebular import load_nebular
from sspexplorer.plots.style import (
    FONT,
    NEUTRAL,
    band_colours,
    by_number,
    figure_options,
)
from sspexplorer.plots.view import set_view

# One for each SED of a comparison; apart from the colours of libraries and parameters.
SED_COLOURS = ("#C026A3", "#0AA5C2", "#B8860B", "#7BAA1E", "#64748B")
WAVELENGTH_RANGE = (3100.0, 10_900.0)

_DETAILS = ["sed", "band_index", "band", "population", "flux_err", "snr", "noise_free"]
_BY_SED = by_number("sed", SED_COLOURS, first=1)

# Lines with a name in the picture, and what each is made of.
MARKED_LINES = {
    "[O II] 3727": ("[O II] 3726", "[O II] 3729"),
    "Hδ": ("Hδ",),
    "Hγ": ("Hγ",),
    "Hβ": ("Hβ",),
    "[O III] 5007": ("[O III] 5007",),
    "He I 5876": ("He I 5876",),
    "Hα": ("Hα",),
    "[S II] 6724": ("[S II] 6716", "[S II] 6731"),
    "[S III] 9069": ("[S III] 9069",),
    "[S III] 9531": ("[S III] 9531",),
}
# On the other side of their line than the rest, where a neighbour has its name.
_NAMED_ON_THE_RIGHT = ("[O III] 5007", "[S II] 6724", "[S III] 9531")
# Narrow bands are 145 Å wide: such a line adds 3 % to the flux in one.
MIN_LINE_WIDTH = 5.0  # Å

# What an observation has one of, and one of for each band.
_OF_ALL_BANDS = ("library", "magnitude", "redshift")
_OF_EACH_BAND = ("flux", "flux_err", "noise_free")

_FOOT = 0.12  # part of the height below zero flux, where the transmission curves stand


def photometry_table(observations: Sequence[Observation]) -> pd.DataFrame:
    """One row for each band of each SED: what the points of the picture are.

    Columns ``sed`` (number from 1), ``population``, ``library``, ``magnitude``, ``redshift``,
    ``band``, ``wavelength`` (Å), ``flux``, ``flux_err`` and ``noise_free`` (F_ν over its median),
    and ``snr``.
    """
    return pd.DataFrame(_photometry(observations)).drop(columns="band_index")


def _photometry(observations: Sequence[Observation]) -> dict[str, np.ndarray]:
    """Columns of :func:`photometry_table`, and the number of the band."""
    each = {
        "sed": range(1, len(observations) + 1),
        "population": [population_text(o) for o in observations],
        **{name: [getattr(o, name) for o in observations] for name in _OF_ALL_BANDS},
    }
    found = {name: np.repeat(np.asarray(values), N_BANDS) for name, values in each.items()}
    found["band"] = np.tile(np.asarray(BAND_NAMES), len(observations))
    found["band_index"] = np.tile(np.arange(N_BANDS), len(observations))
    found["wavelength"] = np.tile(load_bands().pivot, len(observations))
    for name in _OF_EACH_BAND:
        found[name] = np.concatenate([getattr(o, name) for o in observations])
    return found | {"snr": found["flux"] / found["flux_err"]}


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
        Root mean square over the bands of both of their difference without noise, in units of the σ
        of the noise (the mean variance of the two). Much below 1, no band tells them apart.
    """

    def distance(one: Observation, other: Observation) -> float:
        variance = (one.flux_err**2 + other.flux_err**2) / 2
        return float(np.sqrt(np.nanmean((one.noise_free - other.noise_free) ** 2 / variance)))

    pairs = combinations(range(len(observations)), 2)
    found = {(i, j): distance(observations[i], observations[j]) for i, j in pairs}
    (one, other), least = min(found.items(), key=lambda item: item[1])
    return one + 1, other + 1, least


def line_table(observations: Sequence[Observation]) -> pd.DataFrame:
    """Emission lines that are strong enough to be seen in a narrow band.

    One row for each of :data:`MARKED_LINES` at each redshift. Columns ``name``, ``wavelength``
    (observed, Å) and ``width``: its largest rest-frame equivalent width in these SEDs, of at
    least :data:`MIN_LINE_WIDTH`.
    """
    rows = []
    for observation in (o for o in observations if o.line_width.any()):
        grid = load_nebular()
        for name, parts in MARKED_LINES.items():
            members = [grid.line(part) for part in parts]
            where = grid.line_wavelength[members].mean() * (1 + observation.redshift)
            rows.append((name, where, observation.line_width[members].sum()))
    table = pd.DataFrame(rows, columns=["name", "wavelength", "width"])
    table = table[table["width"] >= MIN_LINE_WIDTH]
    return table.groupby(["name", "wavelength"], as_index=False)["width"].max()


def sed_picture(observations: Sequence[Observation], *, light: bool = False) -> hv.Overlay:
    """Draw SEDs as points over their spectra, and the bands below in their colours of light.

    Strong emission lines of the gas around them are marked, with their names.

    Parameters
    ----------
    observations : sequence of Observation
        At most ``len(SED_COLOURS)`` SEDs.
    light : bool
        Fill the points in the colours of light of their bands.
    """
    lines = hv.Segments(_lines(observations), ["x0", "y0", "x1", "y1"], "sed")
    points = hv.Points(_photometry(observations), ["wavelength", "flux"], _DETAILS)
    by_light = by_number("band_index", band_colours())
    return (
        lines.opts(**_BY_SED, line_width=1.1, line_alpha=0.5)
        * points.opts(**(by_light if light else _BY_SED), size=7, tools=[_hover()])
    ).opts(
        **figure_options(
            partial(_fit, observations=observations),
            xlabel="Observed wavelength [Å]",
            ylabel="Fν / median Fν",
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
            apply_ranges=False,
        )
    )


def _lines(observations: Sequence[Observation]) -> dict[str, np.ndarray]:
    """Error bars and spectra, as one table of short segments: quick to send and to redraw."""
    pieces = []
    for number, observation in enumerate(observations, start=1):
        low, high = np.searchsorted(observation.wavelength, WAVELENGTH_RANGE)
        # Emission lines are a point or two wide; without them every other point will do.
        drawn = slice(low, high, 1 if observation.line_width.any() else 2)
        x, y = observation.wavelength[drawn], observation.spectrum[drawn]
        pivot, flux, error = load_bands().pivot, observation.flux, observation.flux_err
        pieces.append((x[:-1], y[:-1], x[1:], y[1:], np.full(len(x) - 1, number)))
        pieces.append((pivot, flux - error, pivot, flux + error, np.full(N_BANDS, number)))
    columns = map(np.concatenate, zip(*pieces, strict=True))
    return dict(zip(("x0", "y0", "x1", "y1", "sed"), columns, strict=True))


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
    set_view(handles["y_range"], bottom, top)
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


def _fit(plot: Any, overlay: hv.Overlay, *, observations: Sequence[Observation]) -> None:
    """HoloViews hook: scales, second axis and marks of lines as these SEDs need them."""
    # By the SEDs without noise, which would move it.
    highest = max(np.nanmax(observation.noise_free) for observation in observations)
    scale_flux_axis(plot, 0.0, float(np.ceil(highest * 1.2 * 4) / 4))
    _mark_lines(plot, observations)
    _show_rest_wavelengths(plot, observations)


def _show_rest_wavelengths(plot: Any, observations: Sequence[Observation]) -> None:
    """Show a second axis with rest wavelengths, where all SEDs have one redshift."""
    redshifts = {observation.redshift for observation in observations}
    stretch = 1 + min(redshifts)
    seen, rest = plot.handles["x_range"], plot.handles.get("rest_range")
    if rest is None:
        rest = plot.handles["rest_range"] = Range1d()
        axis = plot.handles["rest_axis"] = LinearAxis(
            x_range_name="rest", axis_label="Rest wavelength [Å]"
        )
        plot.state.extra_x_ranges["rest"] = rest
        plot.state.add_layout(axis, "above")
        follow = CustomJS(
            args={"seen": seen, "rest": rest},
            code="rest.setv({start: seen.start / rest.tags[0], end: seen.end / rest.tags[0]})",
        )
        for end in ("start", "end"):
            seen.js_on_change(end, follow)
    rest.update(start=seen.start / stretch, end=seen.end / stretch, tags=[stretch])
    plot.handles["rest_axis"].visible = len(redshifts) == 1 and stretch > 1


def _mark_lines(plot: Any, observations: Sequence[Observation]) -> None:
    """Draw a line and a name at each strong emission line."""
    source = plot.handles.get("line_marks")
    if source is None and not any(observation.line_width.any() for observation in observations):
        return
    table = line_table(observations)
    bottom, top = plot.handles["flux_scale"]
    data = {
        "name": table["name"].tolist(),
        "x": table["wavelength"].tolist(),
        "bottom": [bottom] * len(table),
        "top": [top] * len(table),
        "shift": [8 if name in _NAMED_ON_THE_RIGHT else -7 for name in table["name"]],
    }
    if source is None:
        source = plot.handles["line_marks"] = ColumnDataSource(data)
        plot.state.segment(
            "x", "bottom", "x", "top", source=source, line_color=NEUTRAL, line_dash=[2, 4]
        )
        plot.state.text(
            "x",
            "top",
            "name",
            source=source,
            angle=np.pi / 2,
            text_align="right",
            text_baseline="middle",
            text_color=NEUTRAL,
            text_font=FONT,
            text_font_size="11px",
            x_offset="shift",
            y_offset=4,
        )
    elif source.data != data:
        source.data = data


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Band", "@band, @wavelength{0} Å"),
            ("Fν", "@flux{0.000} ± @flux_err{0.000}"),
            ("S/N", "@snr{0.0}"),
            ("Truth", "@population"),
        ]
    )
