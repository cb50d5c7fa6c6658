"""Errors of one parameter against errors of another: whether networks mistake them for each other.

Fig. 8 of Domínguez Sánchez et al. (2026), with the coefficients that it does not give.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import colorcet
import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import CustomJS, FixedTicker, HoverTool, Slope, Span
from bokeh.plotting.contour import contour_data

from sspexplorer.analysis.regions import corners_of, inside
from sspexplorer.labels import PARAMETER_LABELS, PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.metrics import containment_levels, smooth_histogram
from sspexplorer.plots.shading import CLEAR, line_options, mean_cells, rimmed_lines
from sspexplorer.plots.style import COLOUR_BAR, NEUTRAL, figure_options


class Pair(NamedTuple):
    """A panel: errors of ``y`` against errors of ``x``, coloured by the true ``colour``."""

    x: str
    y: str
    colour: str


PAIRS = (
    Pair("log_age", "metallicity", "ebv"),
    Pair("log_age", "ebv", "metallicity"),
    Pair("metallicity", "ebv", "log_age"),
)

# What a Gaussian holds within 1, 2 and 3 σ.
CONTOUR_FRACTIONS = (0.683, 0.954, 0.997)

ERROR_LIMITS = {"log_age": (-1.5, 1.5), "metallicity": (-2.6, 2.6), "ebv": (-0.36, 0.36)}
_COLOUR_LIMITS = {"log_age": (6.0, 10.2), "metallicity": (-2.3, 0.7), "ebv": (0.0, 0.8)}
_COLOUR_TICKS = {
    "log_age": [6, 7, 8, 9, 10],
    "metallicity": [-2, -1, 0],
    "ebv": [0, 0.2, 0.4, 0.6, 0.8],
}
# Both ends of the map are cut off, so that neither sinks into a white or a black page.
MEAN_COLOURS: tuple[str, ...] = tuple(colorcet.bmy[35:235])

# Contours are found on a plane this many times as wide as the axes, so that next to nothing is
# beyond it; outer ones, which hold few mocks, of a smoother density.
_BEYOND = 1.5
_N_BINS = 240
_SMOOTHING = (1.6, 3.2, 7.0)

# Cells must be larger where there are fewer mocks, or the eye sees dust.
_MANY, _CELL_SIZES = 15_000, (3, 5)


def error_table(table: pd.DataFrame) -> pd.DataFrame:
    """Errors and truth of each mock.

    Parameters
    ----------
    table : DataFrame
        See :func:`~sspexplorer.analysis.held_out.density_table`.

    Returns
    -------
    DataFrame
        ``library``, ``ssp``, ``magnitude``, the three true parameters, and for each
        ``error_…``, which is predicted − true, in dex or mag.
    """
    columns = ["library", "ssp", "magnitude", *ERROR_LIMITS]
    errors = {f"error_{name}": table[f"pred_{name}"] - table[name] for name in ERROR_LIMITS}
    return table[columns].assign(**errors)


@dataclass(frozen=True)
class Region:
    """A region that was drawn around mocks in one panel.

    Attributes
    ----------
    pair : Pair
    x, y : tuple of float
        Corners.
    """

    pair: Pair
    x: tuple[float, ...]
    y: tuple[float, ...]

    @classmethod
    def box(cls, pair: Pair, bounds: Sequence[float]) -> "Region":
        """Make a rectangle of (left, bottom, right, top)."""
        x, y = corners_of(bounds).T.tolist()
        return cls(pair, tuple(x), tuple(y))

    def contains(self, errors: pd.DataFrame) -> np.ndarray:
        """Which rows of an :func:`error_table` are inside; bool, shape (n,)."""
        places = errors[[f"error_{self.pair.x}", f"error_{self.pair.y}"]].to_numpy()
        return inside(places, np.column_stack([self.x, self.y]))


Line = tuple[np.ndarray, np.ndarray]


def contour_lines(
    errors: pd.DataFrame, pair: Pair, fractions: Sequence[float] = CONTOUR_FRACTIONS
) -> list[Line]:
    """Lines around the fullest regions that hold given fractions of the mocks.

    Returns
    -------
    list of (x, y)
        Pieces of lines, each two arrays of the same length.
    """
    (left, right), (low, high) = (_BEYOND * np.array(ERROR_LIMITS[n]) for n in (pair.x, pair.y))
    values_x, values_y = (errors[f"error_{name}"].to_numpy() for name in (pair.x, pair.y))
    pieces: list[Line] = []
    for fraction, smoothing in zip(fractions, _SMOOTHING, strict=False):
        x, y, density = smooth_histogram(
            values_x, values_y, (left, right), (low, high), _N_BINS, smoothing
        )
        level = containment_levels(density, [fraction])
        if np.isfinite(level).all():
            found = contour_data(x, y, density, level, want_fill=False).line_data
            pieces += _pieces(found.xs[0], found.ys[0])
    return pieces


def _pieces(x: np.ndarray, y: np.ndarray) -> list[Line]:
    """Cut a line where it is interrupted by NaN."""
    if x is None or not len(x):
        return []
    cuts = np.flatnonzero(np.isnan(x))
    lines = zip(np.split(x, cuts), np.split(y, cuts), strict=True)
    return [(a[np.isfinite(a)], b[np.isfinite(a)]) for a, b in lines]


@dataclass(frozen=True, eq=False)
class Errors:
    """What a row of three panels is made of.

    Attributes
    ----------
    table : DataFrame
        See :func:`error_table`.
    contours : dict
        {Pair: lines}, see :func:`contour_lines`; none are drawn where there are none.
    region : Region or None
        Mocks inside keep their colour, the others turn grey.
    """

    table: pd.DataFrame
    contours: dict[Pair, list[Line]] = field(default_factory=dict)
    region: Region | None = None

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Errors":
        """Take an :func:`error_table` with its contours."""
        return cls(table, {pair: contour_lines(table, pair) for pair in PAIRS})

    @property
    def chosen(self) -> pd.DataFrame:
        """Rows inside the region; all without one."""
        return self.table if self.region is None else self.table[self.region.contains(self.table)]


def degeneracy_picture(
    errors: Errors | hv.streams.Pipe,
    pair: Pair,
    selections: Sequence[hv.streams.Stream] = (),
) -> hv.Overlay:
    """Draw errors of one parameter against errors of another, shaded anew at every zoom.

    Cells are coloured by the mean of the third parameter. The contours hold
    :data:`CONTOUR_FRACTIONS` of the mocks.

    Parameters
    ----------
    errors : Errors, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture, which follows what is sent through it.
    pair : Pair
        One of :data:`PAIRS`.
    selections : sequence of BoundsXY or Lasso
        Streams that get what is selected on the picture.
    """
    pipe = errors if isinstance(errors, hv.streams.Pipe) else hv.streams.Pipe(data=errors)
    limits = ERROR_LIMITS[pair.x], ERROR_LIMITS[pair.y]
    dimensions = [hv.Dimension(f"error_{name}", label=f"Δ {name}") for name in (pair.x, pair.y)]

    def draw(
        group: str,
        data: Errors,
        x_range: tuple[float, float] | None,
        y_range: tuple[float, float] | None,
        width: int | None,
        height: int | None,
        scale: float,
    ) -> hv.Image:
        size = _CELL_SIZES[len(data.table) < _MANY]
        shape = (max(1, (height or 300) // size), max(1, (width or 300) // size))
        ranges = x_range or limits[0], y_range or limits[1]
        shown = data.chosen
        if group == "others":
            shown = data.table if data.region else data.table.iloc[:0]
        return _cells(shown, pair, ranges, shape, dimensions, group)

    # The cells have these limits from the start, and the axes take them from the cells.
    view = hv.streams.RangeXY(x_range=limits[0], y_range=limits[1])
    figure = figure_options(
        _zero_lines,
        xlabel=_error_label(pair.x),
        ylabel=_error_label(pair.y),
        show_legend=False,
        xticks=5,
        yticks=5,
        active_tools=["box_select"],
    )
    streams = [pipe, view, hv.streams.PlotSize()]
    others = hv.DynamicMap(partial(draw, "others"), streams=streams).opts(
        cmap=[NEUTRAL, NEUTRAL], alpha=0.22, clipping_colors=CLEAR
    )
    mean = hv.DynamicMap(partial(draw, "mean"), streams=streams).opts(
        cmap=list(MEAN_COLOURS),
        clim=_COLOUR_LIMITS[pair.colour],
        clipping_colors=CLEAR,
        colorbar=True,
        colorbar_position="top",
        colorbar_opts=_colour_bar(pair.colour),
        clabel=f"mean true {PARAMETER_LABELS[pair.colour]}",
        tools=["box_select", "lasso_select", _hover(pair)],
    )
    # What is selected reaches a layer, never an overlay of layers.
    for stream in selections:
        stream.source = mean
    lines = hv.DynamicMap(lambda data: _lines(data, pair, dimensions), streams=[pipe])
    layers = others * mean * lines.opts(*line_options())
    return layers.opts(hv.opts.Overlay(**figure))


def _error_label(name: str) -> str:
    return f"Δ {PARAMETER_NAMES[name]} [{PARAMETER_UNITS[name]}]"


def _cells(
    table: pd.DataFrame,
    pair: Pair,
    ranges: Sequence[tuple[float, float]],
    shape: tuple[int, int],
    dimensions: list[hv.Dimension],
    group: str,
) -> hv.Image:
    """Mean of the third parameter in cells. ``shape`` is rows by columns."""
    columns = [f"error_{pair.x}", f"error_{pair.y}", pair.colour]
    mean = mean_cells(table, columns, ranges[0], ranges[1], shape)
    bounds = (ranges[0][0], ranges[1][0], ranges[0][1], ranges[1][1])
    value = hv.Dimension(f"{group}_{pair.colour}", range=_COLOUR_LIMITS[pair.colour])
    return hv.Image(mean[::-1], dimensions, value, bounds=bounds, group=group.title())


def _lines(data: Errors, pair: Pair, dimensions: list[hv.Dimension]) -> hv.Overlay:
    """Contours and region."""
    pieces = list(data.contours.get(pair, ()))
    if data.region and data.region.pair == pair:
        corners = np.array([data.region.x, data.region.y])
        pieces.append(tuple(np.concatenate([corners, corners[:, :1]], axis=1)))
    return rimmed_lines(pieces, dimensions)


def _zero_lines(plot: Any, element: hv.Overlay) -> None:
    """HoloViews hook: where there is no error. Annotations cost nothing at a change."""
    if "zero" in plot.handles:
        return
    figure = plot.handles["zero"] = plot.state
    line = {"line_color": NEUTRAL, "line_dash": [4, 4], "level": "underlay"}
    figure.add_layout(Slope(gradient=0, y_intercept=0, **line))
    figure.add_layout(Span(location=0, dimension="height", **line))


def _colour_bar(name: str) -> dict[str, Any]:
    size = {"height": 5, "width": 110, "padding": 2, "label_standoff": 3}
    return COLOUR_BAR | size | {"ticker": FixedTicker(ticks=_COLOUR_TICKS[name])}


def _hover(pair: Pair) -> HoverTool:
    return HoverTool(
        tooltips=[
            (_error_label(pair.x), "$x{+0.00}"),
            (_error_label(pair.y), "$y{+0.00}"),
            (f"Mean {PARAMETER_LABELS[pair.colour]}", "@image{0.00}"),
        ],
        filters={"@image": CustomJS(code="export default (args, tool, {value}) => value == value")},
        visible=False,
    )
