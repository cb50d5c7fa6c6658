"""Predictions for a catalogue against what somebody else says of the same galaxies."""

from dataclasses import dataclass
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool, Slope

from sspexplorer.labels import PARAMETER_LABELS
from sspexplorer.plots.catalogue import MAX_POINTS
from sspexplorer.plots.shading import CLEAR, shaded_means
from sspexplorer.plots.style import (
    COLOUR_BAR,
    DENSITY_COLOURS,
    NEUTRAL,
    REAL_GALAXY_STYLE,
    figure_options,
)


@dataclass(frozen=True)
class Colouring:
    """What points are coloured by.

    Attributes
    ----------
    label : str
        With its unit, if it has one.
    values : ndarray, shape (n,)
        NaN where unknown.
    """

    label: str
    values: np.ndarray


def comparison_table(
    theirs: np.ndarray, ours: np.ndarray, colouring: Colouring, names: pd.Series
) -> pd.DataFrame:
    """Galaxies that both know: columns ``theirs``, ``ours``, ``colour``, ``row`` and ``name``."""
    known = np.isfinite(theirs) & np.isfinite(ours)
    return pd.DataFrame(
        {
            "theirs": theirs[known],
            "ours": ours[known],
            "colour": colouring.values[known].astype(float),
            "row": 1 + np.flatnonzero(known),
            "name": names.to_numpy()[known],
        },
        copy=False,
    )


def comparison_picture(
    table: pd.DataFrame,
    parameter: str,
    column: str,
    colour_label: str,
    tap: hv.streams.Stream,
    chosen: hv.streams.Stream,
) -> hv.Overlay:
    """Draw predictions against a column, each galaxy a point, or all as means in cells.

    Parameters
    ----------
    table : DataFrame
        See :func:`comparison_table`; at least one row.
    parameter : str
        One of :data:`~sspexplorer.mocks.PARAMETERS`.
    column : str
        Name of the column in the catalogue.
    colour_label : str
        What ``colour`` is.
    tap : SingleTap
        Gets the place of a click.
    chosen : Pipe
        One-row table with ``theirs`` and ``ours`` of the galaxy to mark; it may be NaN.
    """
    galaxies = _shaded(table) if len(table) > MAX_POINTS else _points(table, colour_label)
    galaxies = galaxies.opts(**_colours(table, colour_label))
    tap.source = galaxies
    mark = hv.DynamicMap(lambda data: hv.Points(data, ["theirs", "ours"]), streams=[chosen]).opts(
        size=12, **REAL_GALAXY_STYLE
    )
    limits = _limits(table)
    return (galaxies * mark).opts(
        **figure_options(
            _one_to_one,
            xlabel=f"{column}, as {PARAMETER_LABELS[parameter]}",
            ylabel=f"Predicted {PARAMETER_LABELS[parameter]}",
            xlim=limits,
            ylim=limits,
            xticks=5,
            yticks=5,
            show_legend=False,
        )
    )


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Range of both axes: all but the wildest values, and some air."""
    both = table[["theirs", "ours"]].to_numpy()
    low, high = np.percentile(both, [0.5, 99.5])
    reach = high - low
    low, high = max(both.min(), low - reach), min(both.max(), high + reach)
    air = max(0.08 * (high - low), 0.05)
    return float(low - air), float(high + air)


def _colour_range(table: pd.DataFrame) -> tuple[float, float]:
    known = table["colour"].dropna()
    if known.empty:
        return 0.0, 1.0
    low, high = np.percentile(known, [1, 99])
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def _colours(table: pd.DataFrame, label: str) -> dict[str, Any]:
    return {
        "cmap": list(DENSITY_COLOURS),
        "clim": _colour_range(table),
        "colorbar": True,
        "colorbar_opts": COLOUR_BAR | {"height": 5, "width": 150, "padding": 2},
        "colorbar_position": "top",
        "clabel": f"mean {label}" if len(table) > MAX_POINTS else label,
    }


def _shaded(table: pd.DataFrame) -> hv.DynamicMap:
    """Mean of the colour in cells, made anew at every zoom."""
    image = shaded_means(
        table[["theirs", "ours", "colour"]], ["theirs", "ours", "colour"], (_limits(table),) * 2
    )
    return image.opts(clipping_colors=CLEAR, tools=["hover"])


def _points(table: pd.DataFrame, colour_label: str) -> hv.DynamicMap:
    points = hv.Points(table, ["theirs", "ours"], ["colour", "name", "row"])
    tooltips = [
        ("Galaxy", "@name, row @row"),
        ("Column", "@theirs{0.00}"),
        ("Predicted", "@ours{0.00}"),
        (colour_label, "@colour{0.00}"),
    ]
    few = len(table) <= 1000
    return hv.DynamicMap(lambda: points).opts(
        color="colour",
        clipping_colors={"NaN": NEUTRAL},
        size=8 if few else 5,
        alpha=0.85 if few else 0.6,
        line_color=None,
        tools=[HoverTool(tooltips=tooltips)],
    )


def _one_to_one(plot: Any, element: Any) -> None:
    """HoloViews hook: the line where both say the same."""
    if "one_to_one" in plot.handles:
        return
    plot.handles["one_to_one"] = True
    line = Slope(gradient=1, y_intercept=0, line_color=NEUTRAL, line_width=1.2, level="underlay")
    plot.state.add_layout(line)
