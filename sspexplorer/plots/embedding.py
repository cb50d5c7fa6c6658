"""The map of SEDs: mocks shaded by library or by parameter, galaxies and a region on top."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import colorcet
import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import CustomJS, HoverTool

from sspexplorer.labels import PARAMETER_LABELS, library_label
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.plots.catalogue import EBV_COLOURS
from sspexplorer.plots.sed import SED_COLOURS
from sspexplorer.plots.shading import canvas_of
from sspexplorer.plots.style import (
    COLOUR_BAR,
    REAL_GALAXY_STYLE,
    by_number,
    figure_options,
    library_colour,
)
from sspexplorer.plots.view import View

LIBRARY = "library"
COLOUR_LABELS = PARAMETER_LABELS | {"magnitude": "i magnitude (AB)"}
# Both ends are cut off where they would sink into a white or a black page.
COLOURS: dict[str, tuple[str, ...]] = {
    "log_age": tuple(colorcet.CET_L20[60:235]),
    "metallicity": tuple(colorcet.CET_R4[20:236]),
    "ebv": EBV_COLOURS,
    "magnitude": tuple(colorcet.CET_L6[70:235]),
}
COLOUR_LIMITS = {
    "log_age": (6.2, 10.2),
    "metallicity": (-2.3, 0.7),
    "ebv": (0.0, 0.8),
    "magnitude": (16.0, 22.0),
}
# As many galaxies can be told apart by colour.
MAX_PICKED = len(SED_COLOURS)

_CELL_SIZE = 2  # pixels: single mocks are still seen
_FAINTEST = 70  # of 255: a single mock is seen on either page
_RIM = "#111318"
_OUTLINE_STYLE = {"color": "colour", "line_width": "width", "apply_ranges": False}
_SELECT = ("lasso_select", "box_select")
_GALAXY_COLUMNS = {
    "x": float,
    "y": float,
    "name": object,
    "log_age": float,
    "metallicity": float,
    "ebv": float,
    "distance": float,
    "verdict": object,
}
NO_GALAXIES = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _GALAXY_COLUMNS.items()})
NO_OUTLINE = np.empty((0, 2))


@dataclass(frozen=True, eq=False)
class Marks:
    """What lies over the mocks.

    Attributes
    ----------
    galaxies : DataFrame
        ``x``, ``y`` (place on the map), ``name``, ``log_age`` (log10 yr), ``metallicity`` (dex),
        ``ebv`` (mag), ``distance`` (from the training set, in percent) and ``verdict`` (what
        that means, in words).
    picked : tuple of int
        Rows of ``galaxies``, at most :data:`MAX_PICKED`, drawn large and each in its own colour.
    outline : ndarray, shape (m, 2)
        Corners of the selected region; empty if there is none.
    """

    galaxies: pd.DataFrame = field(default_factory=lambda: NO_GALAXIES)
    picked: tuple[int, ...] = ()
    outline: np.ndarray = field(default_factory=lambda: NO_OUTLINE)


def map_limits(table: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """Range of each axis of a map: nearly all mocks, and some air."""
    low, high = np.quantile(table[["x", "y"]].to_numpy(), [0.0005, 0.9995], axis=0)
    air = 0.06 * (high - low)
    (left, bottom), (right, top) = (low - air).tolist(), (high + air).tolist()
    return (left, right), (bottom, top)


def sed_map(
    mocks: pd.DataFrame | hv.streams.Stream,
    marks: Marks | hv.streams.Stream | None = None,
    *,
    colour: str = LIBRARY,
    view: View | None = None,
    libraries: Sequence[str] = LIBRARY_NAMES,
    selections: Sequence[hv.streams.Stream] = (),
) -> hv.DynamicMap:
    """Draw the map, shaded anew at every zoom.

    Parameters
    ----------
    mocks : DataFrame, or Pipe of one
        Rows of a :func:`map_table`. A ``holoviews.streams.Pipe`` gives a live picture.
    marks : Marks, or Pipe of one
    colour : str
        "library": cells mix the colours of the libraries in them, each as if it had as many
        mocks in all, the stronger the more lie there (by rank). Or a parameter, or
        "magnitude": its mean in each cell.
    view : View, optional
        Of the map; within :func:`map_limits` unless given.
    libraries : sequence of str
        All that may come to be among the mocks of a live picture.
    selections : sequence of Lasso, BoundsXY or SingleTap
        Streams that get what is selected on the picture.
    """
    shown, over = _pipe(mocks), _pipe(marks if marks is not None else Marks())
    view = view or View(*map_limits(shown.data))
    shade = _by_library(libraries) if colour == LIBRARY else _by_mean(colour)

    def draw(
        data: pd.DataFrame,
        x_range: tuple[float, float] | None,
        y_range: tuple[float, float] | None,
        width: int | None,
        height: int | None,
        scale: float,
    ) -> hv.Element:
        shape = (_n_cells(height), _n_cells(width))
        return shade(data, x_range or view.ranges[0], y_range or view.ranges[1], shape)

    # The cells have these limits from the start, and the axes take them from the cells.
    ranges = view.stream()
    cells = hv.DynamicMap(draw, streams=[shown, ranges, hv.streams.PlotSize()])
    for stream in selections:
        stream.source = cells
    layers = [cells.opts(*_cell_options(colour, libraries))]
    layers += [hv.DynamicMap(_outline, streams=[over]).opts(**_OUTLINE_STYLE)]
    layers += [hv.DynamicMap(make, streams=[over]).opts(o) for make, o in _galaxy_layers()]
    if colour == LIBRARY:
        layers += _legend(libraries)
    figure = figure_options(
        lambda plot, element: view.attach(plot, ranges),
        xlabel="UMAP 1 [no unit]",
        ylabel="UMAP 2 [no unit]",
        xticks=6,
        yticks=6,
        show_legend=colour == LIBRARY,
        legend_position="top_left",
        active_tools=["lasso_select"],
    )
    return hv.Overlay(layers).collate().opts(hv.opts.Overlay(**figure))


def compile_map() -> None:
    """Shade a few points each way, once per process: the first time takes seconds."""
    table = pd.DataFrame({name: [0.2, 0.8] for name in ("x", "y", *COLOUR_LABELS)})
    table["library"] = pd.Categorical(["bc03", "bc03"], categories=list(LIBRARY_NAMES))
    for shade in (_by_library(LIBRARY_NAMES), _by_mean("ebv")):
        shade(table, (0.0, 1.0), (0.0, 1.0), (4, 4))


def _pipe(data: Any) -> hv.streams.Stream:
    return data if isinstance(data, hv.streams.Stream) else hv.streams.Pipe(data=data)


def _n_cells(pixels: int | None) -> int:
    """Cells along an axis; a browser has not told the size of a picture not yet seen."""
    return max(1, (pixels or 500) // _CELL_SIZE)


def _canvas(x_range: Any, y_range: Any, shape: tuple[int, int]) -> tuple[Any, tuple[float, ...]]:
    """Canvas of ``shape`` (rows by columns), and its bounds."""
    bounds = (x_range[0], y_range[0], x_range[1], y_range[1])
    return canvas_of(x_range, y_range, shape), bounds


def _by_library(libraries: Sequence[str]) -> Any:
    """Make the function that shades by library."""
    colours = np.array([_rgb(library_colour(name)) for name in libraries])

    def shade(
        mocks: pd.DataFrame, x_range: Any, y_range: Any, shape: tuple[int, int]
    ) -> hv.Overlay:
        """Cells in the mixed colours of their libraries, and unseen ones with the counts."""
        import datashader

        canvas, bounds = _canvas(x_range, y_range, shape)
        there = [name for name in mocks["library"].cat.categories if name in libraries]
        places = [list(libraries).index(name) for name in there]
        counts = np.zeros((*shape, len(libraries)), np.uint32)
        totals = np.ones(len(libraries))
        if len(mocks):
            found = canvas.points(mocks, "x", "y", datashader.count_cat("library"))
            counts[..., places] = found.sel(library=there).values
            totals[places] = mocks["library"].value_counts().reindex(there)
        both = np.concatenate([counts.sum(axis=2, keepdims=True, dtype=np.uint32), counts], axis=2)
        hidden = hv.Image(both[::-1], ["x", "y"], ["mocks", *libraries], bounds=bounds)
        rgba = _mixed(counts / np.maximum(totals, 1), colours)[::-1]
        return hv.RGB(rgba, ["x", "y"], ["R", "G", "B", "A"], bounds=bounds) * hidden

    return shade


def _mixed(weights: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """Mix the colours of libraries; opacity goes by rank (histogram equalisation).

    Parameters
    ----------
    weights : ndarray, shape (rows, columns, n_libraries)
        Part of each library's mocks that is in a cell, so that the largest library does not
        drown the others.
    colours : ndarray, shape (n_libraries, 3)
        Red, green and blue (0 to 255).

    Returns
    -------
    ndarray of uint8, shape (rows, columns, 4)
    """
    total = weights.sum(axis=2)
    there = total > 0
    rgba = np.zeros((*total.shape, 4), np.uint8)
    rgba[there, :3] = np.rint(weights[there] / total[there, None] @ colours)
    order = np.sort(total[there])
    rank = np.searchsorted(order, total[there], side="right") / max(1, len(order))
    rgba[there, 3] = np.rint(_FAINTEST + (255 - _FAINTEST) * rank)
    return rgba


def _rgb(colour: str) -> tuple[int, int, int]:
    """Red, green and blue (0 to 255) of a colour like ``#E58000``."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _by_mean(name: str) -> Any:
    """Make the function that shades by the mean of a parameter."""

    def shade(mocks: pd.DataFrame, x_range: Any, y_range: Any, shape: tuple[int, int]) -> hv.Image:
        import datashader

        canvas, bounds = _canvas(x_range, y_range, shape)
        mean = np.full(shape, np.nan, np.float32)
        number = np.zeros(shape, np.float32)
        if len(mocks):
            both = datashader.summary(mean=datashader.mean("value"), number=datashader.count())
            # One name for all: for each other one it would be compiled anew.
            points = {"x": mocks["x"], "y": mocks["y"], "value": mocks[name]}
            found = canvas.points(pd.DataFrame(points, copy=False), "x", "y", both)
            mean = found["mean"].values.astype(np.float32)
            number = found["number"].values.astype(np.float32)
        values = np.stack([mean, number], axis=2)[::-1]
        return hv.Image(values, ["x", "y"], [name, "mocks"], bounds=bounds)

    return shade


def _cell_options(colour: str, libraries: Sequence[str]) -> list[hv.Options]:
    there = {"@mocks": CustomJS(code="export default (args, tool, {value}) => value > 0")}
    if colour == LIBRARY:
        rows = [(library_label(name), f"@{{{name}}}{{0,0}}") for name in libraries]
        hover = HoverTool(
            tooltips=[("Mocks here", "@mocks{0,0}"), *rows], filters=there, visible=False
        )
        # Seen only by the pointer.
        return [hv.opts.Image(alpha=0, tools=[hover, *_SELECT], clim=(0, 1)), hv.opts.RGB(tools=[])]
    label = COLOUR_LABELS[colour]
    hover = HoverTool(
        tooltips=[(f"Mean {label}", f"@{colour}{{0.00}}"), ("Mocks here", "@mocks{0,0}")],
        filters=there,
        visible=False,
    )
    options = hv.opts.Image(
        cmap=list(COLOURS[colour]),
        clim=COLOUR_LIMITS[colour],
        clipping_colors={"NaN": (0, 0, 0, 0)},
        colorbar=True,
        colorbar_opts=COLOUR_BAR,
        clabel=f"mean {label}",
        tools=[hover, *_SELECT],
    )
    return [options]


def _outline(data: Marks) -> hv.Segments:
    """Dark on white, so that it is seen on every colour and on both themes."""
    start, end = data.outline, np.roll(data.outline, -1, axis=0)
    lines = np.tile(np.column_stack([start, end]), (2, 1))
    style = [np.repeat(values, len(start)) for values in (["#FFFFFF", _RIM], [4.0, 1.6])]
    columns = ("x", "y", "x_end", "y_end", "colour", "width")
    table = dict(zip(columns, (*lines.T, *style), strict=True))
    return hv.Segments(pd.DataFrame(table), list(columns[:4]), list(columns[4:]))


def _galaxy_layers() -> list[tuple[Any, hv.Options]]:
    tooltips = [
        ("Galaxy", "@name"),
        ("Predicted log age", "@log_age{0.00}"),
        ("[M/H]", "@metallicity{0.00}"),
        ("E(B−V)", "@ebv{0.00}"),
        ("From the training set", "@distance{0.0} %: @verdict"),
    ]
    still = {"nonselection_alpha": 1, "selection_alpha": 1, "apply_ranges": False}
    hover = {"tools": [HoverTool(tooltips=tooltips, visible=False)]}
    picked = by_number("number", SED_COLOURS, first=1)
    return [
        (_galaxies, hv.opts.Points(size=5.5, **REAL_GALAXY_STYLE, **still, **hover)),
        (
            _picked,
            hv.opts.Points(size=13, line_color="#FFFFFF", line_width=2, **picked, **still),
        ),
    ]


def _galaxies(data: Marks) -> hv.Points:
    return hv.Points(data.galaxies, ["x", "y"], list(_GALAXY_COLUMNS)[2:])


def _picked(data: Marks) -> hv.Points:
    table = data.galaxies.iloc[list(data.picked)]
    # Not whole numbers: a single one would be taken for a colour itself.
    table = table[["x", "y", "name"]].assign(number=np.arange(1.0, len(table) + 1))
    return hv.Points(table, ["x", "y"], ["number", "name"], group="Picked")


def _legend(libraries: Sequence[str]) -> list[hv.Points]:
    """Points that are nowhere, for the sake of their names."""
    nowhere = [(np.nan, np.nan)]
    return [
        hv.Points(nowhere, ["x", "y"], label=library_label(name)).opts(
            color=library_colour(name), size=9, apply_ranges=False
        )
        for name in libraries
    ]
