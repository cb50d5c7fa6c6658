"""Pictures of a catalogue of predictions."""

from collections.abc import Iterable
from typing import Any

import colorcet
import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.labels import AXIS_LABELS, PARAMETER_LABELS, RATES
from sspexplorer.plots.published import relations
from sspexplorer.plots.shading import shaded_means
from sspexplorer.plots.style import (
    COLOUR_BAR,
    NEUTRAL,
    REAL_GALAXY_STYLE,
    by_number,
    figure_options,
)
from sspexplorer.plots.view import Ends, View

# From here on galaxies are drawn as a density: a browser is slow with more points.
MAX_POINTS = 10_000

_MANY = 1000  # points are smaller, and let others show through
_ALPHA, _FAINT = {False: 0.85, True: 0.6}, 0.08
_SELECT = ("box_select", "lasso_select")

# Both ends are cut off, so that no point sinks into a white or a black page.
EBV_COLOURS: tuple[str, ...] = tuple(colorcet.CET_L8[45:225])
# Grey is "no remark"; the others are for reasons to doubt, the commonest first.
# One for each of the kinds that are told apart, see ``sspexplorer.analysis.catalogue``.
FLAG = "flag"
FLAG_COLOURS = (NEUTRAL, "#C026A3", "#0AA5C2", "#B8860B", "#7BAA1E", "#D6324A")
# The rest, the first of two selections, the second, and what is in both, see
# ``sspexplorer.analysis.selections``. Against both backgrounds each has a contrast of at least 2.8,
# and under simulated deuteranopia, protanopia and tritanopia (Machado et al. 2009) they stay at
# least 0.09 apart in OKLab.
PART = "part"
PART_COLOURS = ("#8A8F99", "#0B6FD0", "#E08300", "#994C00")


def population_picture(
    table: pd.DataFrame,
    chosen: hv.streams.Stream,
    bright: hv.streams.Stream,
    selections: Iterable[hv.streams.Stream],
    *,
    axes: tuple[str, str] = ("log_age", "metallicity"),
    colour: str = "ebv",
    view: View | None = None,
) -> hv.DynamicMap:
    """Draw two predicted parameters against each other, each galaxy a point, or all a density.

    What is published of them is dotted. Rates that are upper limits are triangles that point
    down, and have no part in a density.

    Parameters
    ----------
    table : DataFrame
        Columns ``row``, ``name``, ``log_age``, ``metallicity``, ``ebv``, ``axes``, ``colour``,
        ``reason`` (what is doubtful, "" if nothing), ``reason_index`` (0 if nothing),
        ``limit`` (whether rates are upper limits) and, for :data:`PART`, ``part_index`` and
        ``part`` (the name of it).
    chosen : Pipe
        One-row table with the columns of ``axes`` of the galaxy to mark; they may be NaN.
    bright : Pipe
        Index of the rows of ``table`` that are selected, all others being faint and no part of a
        density; None if nothing is.
    selections : iterable of SingleTap, Lasso and BoundsXY
        Get the place of a click, and what is drawn around galaxies.
    axes : tuple of str
        Keys of :data:`~sspexplorer.labels.AXIS_LABELS`.
    colour : str
        What colours tell: a key of :data:`~sspexplorer.labels.AXIS_LABELS`, of which a density
        shows the mean, :data:`FLAG`: what is doubtful, and in a density how large a part, or
        :data:`PART`: which selection, the colours of a density being mixed.
    view : View, optional
        What is in view of it; within :func:`population_limits` unless given.
    """
    view = view or View(*population_limits(table, axes))
    x_range, y_range = view.ranges
    galaxies = galaxies_layer(table, bright, axes, colour, ranges=view.ranges)
    for stream in selections:
        stream.source = galaxies
    mark = chosen_mark(chosen, axes)
    x, y = axes
    return (
        hv.Overlay([galaxies, *relations(x, y), mark])
        .collate()
        .opts(
            **figure_options(
                lambda plot, element: view.attach(plot),
                xlabel=AXIS_LABELS[x],
                ylabel=AXIS_LABELS[y],
                xlim=x_range,
                ylim=y_range,
                show_legend=False,
                active_tools=["box_select"],
            )
        )
    )


def population_limits(table: pd.DataFrame, axes: tuple[str, str]) -> tuple[Ends, Ends]:
    """Ends of the axes of :func:`population_picture`: all galaxies are in view."""
    if len(table) > MAX_POINTS:
        table = table[~_limited(table, axes)]
    x, y = axes
    return _limits(table[x]), _limits(table[y])


def chosen_mark(chosen: hv.streams.Stream, axes: tuple[str, str]) -> hv.DynamicMap:
    """Mark of the galaxy in sight, see :func:`population_picture`."""
    return hv.DynamicMap(lambda data: hv.Points(data, list(axes)), streams=[chosen]).opts(
        size=12, **REAL_GALAXY_STYLE
    )


def galaxies_layer(
    table: pd.DataFrame,
    bright: hv.streams.Stream,
    axes: tuple[str, str],
    colour: str,
    places: tuple[tuple[str, str], ...] = (),
    *,
    ranges: tuple[Ends, Ends],
) -> hv.DynamicMap:
    """Galaxies as points, or as a density where there are more than :data:`MAX_POINTS`.

    Parameters
    ----------
    table, bright, colour
        As of :func:`population_picture`.
    axes : tuple of str
        Columns for x and y.
    places : tuple of (str, str)
        What a tooltip says of them, as Bokeh takes it, unless they are parameters.
    ranges : tuple
        What is in view of both axes at first.
    """
    dense = len(table) > MAX_POINTS
    limits = _limited(table, axes)
    if dense:
        table = table[~limits]
    else:
        table = table.assign(
            reason=table["reason"].replace("", "none"),
            shape=np.where(limits[table.index], "inverted_triangle", "circle"),
        )
    shown = ["log_age", "metallicity", "ebv", "reason_index", "name", "row", "reason", "shape"]
    shown += [PART, "part_index"] if colour == PART else []
    shown += [name for name, _ in places if name not in shown]
    shown += [colour] if colour not in (FLAG, *shown) else []

    def points(data: np.ndarray | None) -> hv.Points:
        alpha = _ALPHA[len(table) > _MANY] * np.ones(len(table))
        if data is not None:
            alpha[~table.index.isin(data)] = _FAINT
        details = [name for name in shown if name not in axes]
        return hv.Points(table.assign(alpha=alpha), list(axes), [*details, "alpha"])

    if dense and colour == PART:
        return _mixture(table, bright, axes)
    if dense:
        return _density(table, bright, axes, colour, ranges)
    options = _point_options(table, axes, colour, places)
    return hv.DynamicMap(points, streams=[bright]).opts(**options)


def _limited(table: pd.DataFrame, axes: tuple[str, str]) -> pd.Series:
    """Rows that are upper limits along one of the axes."""
    return table["limit"] & any(name in RATES for name in axes)


def _limits(values: pd.Series) -> tuple[float, float]:
    """Range of an axis: all values, and some air."""
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if len(finite) else (0.0, 1.0)
    air = max(0.08 * (high - low), 0.15)
    return low - air, high + air


def _colour_range(values: pd.Series, name: str) -> tuple[float, float]:
    """Range of the colours: outliers do not set it, and without dust there is none."""
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, [1, 99]) if len(known) else (0.0, 0.0)
    if name == "ebv":
        low = min(0.0, low)
    return float(low), float(max(high, low + 0.1))


def _bar(label: str) -> dict[str, Any]:
    return {"colorbar": True, "colorbar_opts": COLOUR_BAR, "clabel": label}


def _point_options(
    table: pd.DataFrame,
    axes: tuple[str, str],
    colour: str,
    places: tuple[tuple[str, str], ...],
) -> dict[str, Any]:
    named = dict.fromkeys((*axes, colour))
    others = [name for name in named if name in AXIS_LABELS and name not in PARAMETER_LABELS]
    tooltips = [
        ("Galaxy", "@name, row @row"),
        *([("Selection", "@part")] if colour == PART else []),
        *((label, f"@{name}{{0.00000}}") for name, label in places),
        *((AXIS_LABELS[name], f"@{name}{{0.00}}") for name in others),
        ("log age", "@log_age{0.00}"),
        ("[M/H]", "@metallicity{0.00}"),
        ("E(B−V)", "@ebv{0.00}"),
        ("Flag", "@reason"),
    ]
    options = {
        "size": 5 if len(table) > _MANY else 8,
        "fill_alpha": "alpha",
        "nonselection_fill_alpha": "alpha",
        "selection_fill_alpha": "alpha",
        "line_color": None,
        "marker": hv.dim("shape"),
        "tools": [HoverTool(tooltips=tooltips), *_SELECT],
    }
    if colour == FLAG:
        return options | by_number("reason_index", FLAG_COLOURS)
    if colour == PART:
        return options | by_number("part_index", PART_COLOURS)
    return options | {
        "color": hv.dim(colour) * 1.0,
        "cmap": list(EBV_COLOURS),
        "clim": _colour_range(table[colour], colour),
        **_bar(AXIS_LABELS[colour]),
    }


def _density(
    table: pd.DataFrame,
    bright: hv.streams.Stream,
    axes: tuple[str, str],
    colour: str,
    ranges: tuple[Ends, Ends],
) -> hv.DynamicMap:
    if colour == FLAG:
        values = table["reason_index"].gt(0) * 1.0
        column, colours, label = "flagged", (0.0, 1.0), "flagged fraction"
    else:
        values, column = table[colour], colour
        colours, label = _colour_range(values, colour), f"mean {AXIS_LABELS[colour]}"
    points = table[list(axes)].assign(value=values)
    shown = column if column not in axes else f"mean_{column}"
    image = shaded_means(points, [*axes, shown], ranges, bright)
    return image.opts(
        cmap=list(EBV_COLOURS), clim=colours, tools=["hover", *_SELECT], **_bar(label)
    )


def _mixture(
    table: pd.DataFrame, bright: hv.streams.Stream, axes: tuple[str, str]
) -> hv.DynamicMap:
    """Density in the colours of the selections, mixed where several lie in one cell."""
    import datashader as ds
    from holoviews.operation.datashader import dynspread, rasterize, shade

    own = pd.DataFrame({name: table[name].to_numpy(float).copy() for name in axes})
    numbers = table["part_index"].to_numpy(int)
    own[PART] = pd.Categorical(numbers.astype(str), [str(n) for n in np.unique(numbers)])
    colours = {name: PART_COLOURS[int(name)] for name in own[PART].cat.categories}

    def points(data: np.ndarray | None) -> hv.Points:
        drawn = own if data is None else own[table.index.isin(data)]
        return hv.Points(drawn, list(axes), [PART])

    counts = rasterize(hv.DynamicMap(points, streams=[bright]), aggregator=ds.count_cat(PART))
    image = dynspread(shade(counts, color_key=colours), threshold=0.6, max_px=2)
    return image.opts(tools=list(_SELECT))
