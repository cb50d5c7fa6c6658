"""Galaxies of a catalogue on the sky, coloured by what is predicted of them."""

from collections.abc import Iterable
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.events import DoubleTap
from bokeh.models import BoxZoomTool, CustomJS

from sspexplorer.analysis.sky import Line, Sky
from sspexplorer.plots.catalogue import chosen_mark, galaxies_layer
from sspexplorer.plots.saving import save_button
from sspexplorer.plots.style import NEUTRAL, figure_options, quiet_toolbar
from sspexplorer.plots.view import set_view

# Columns of a table of galaxies on a map.
AXES = ("sky_x", "sky_y")
_DETAILS = (("ra", "RA [°]"), ("dec", "Dec [°]"))

# A degree is as long across as up, whatever room there is.
_KEEP_SHAPE = """
const { inner_width, inner_height, x_range, y_range } = figure;
if (inner_width > 0 && inner_height > 0) {
  const scale = Math.max((view[2] - view[0]) / inner_width, (view[3] - view[1]) / inner_height);
  const ends = [
    [x_range, view[0] + view[2], inner_width],
    [y_range, view[1] + view[3], inner_height],
  ];
  for (const [range, sum, pixels] of ends) {
    const start = (sum - scale * pixels) / 2, end = (sum + scale * pixels) / 2;
    range.setv({ bounds: null });
    range.setv({ start, end, reset_start: start, reset_end: end });
    range.setv({ bounds: [start, end] });
    range.setv({ bounds: [Math.min(start, end), Math.max(start, end)] });
  }
}
"""


def sky_columns(sky: Sky) -> dict[str, np.ndarray]:
    """Columns that :func:`sky_picture` needs, besides those of a catalogue's picture."""
    x, y = AXES
    return {x: sky.x, y: sky.y, "ra": sky.positions.ra, "dec": sky.positions.dec}


def sky_picture(
    table: pd.DataFrame,
    sky: Sky,
    chosen: hv.streams.Stream,
    bright: hv.streams.Stream,
    selections: Iterable[hv.streams.Stream],
    *,
    colour: str = "ebv",
) -> hv.DynamicMap:
    """Draw galaxies on a map of the sky, north up and east to the left, over a grid in degrees.

    Parameters
    ----------
    table : DataFrame
        As of :func:`~sspexplorer.plots.catalogue.population_picture`, with :func:`sky_columns`.
    sky : Sky
        Its grid is drawn, and its view seen first.
    chosen : Pipe
        One-row table with the columns of :data:`AXES` of the galaxy to mark; they may be NaN.
    bright, selections, colour
        As of :func:`~sspexplorer.plots.catalogue.population_picture`.
    """
    galaxies = galaxies_layer(table, bright, AXES, colour, _DETAILS)
    for stream in selections:
        stream.source = galaxies
    lines = sky.grid()
    view = sky.view

    def keep_shape(plot: Any, element: Any) -> None:
        figure = plot.state
        for tool in figure.select(BoxZoomTool):
            tool.match_aspect = True
        figure.toolbar.active_scroll = None
        set_view(figure.x_range, view[0], view[2])
        set_view(figure.y_range, view[1], view[3])
        if "keeps-shape" in figure.tags:
            return
        figure.tags = [*figure.tags, "keeps-shape"]
        figure.x_range.bounds, figure.y_range.bounds = (view[0], view[2]), (view[1], view[3])
        fit = CustomJS(args={"figure": figure, "view": list(view)}, code=_KEEP_SHAPE)
        for side in ("inner_width", "inner_height"):
            figure.js_on_change(side, fit)
        reset = CustomJS(args={"figure": figure}, code="figure.reset.emit()")
        figure.js_on_event(DoubleTap, reset)

    return (
        hv.Overlay([_paths(lines), galaxies, chosen_mark(chosen, AXES), _words(lines)])
        .collate()
        .opts(
            **figure_options(
                xaxis=None,
                yaxis=None,
                show_grid=False,
                xlim=(view[0], view[2]),
                ylim=(view[1], view[3]),
                show_legend=False,
                active_tools=["box_select"],
                hooks=[quiet_toolbar, save_button, keep_shape],
            )
        )
    )


def _paths(lines: Iterable[Line]) -> hv.Path:
    return hv.Path([np.stack([line.x, line.y], axis=1) for line in lines], list(AXES)).opts(
        color=NEUTRAL, line_width=1, line_alpha=0.35, apply_ranges=False
    )


def _words(lines: Iterable[Line]) -> hv.Labels:
    written = [line for line in lines if line.text]
    table = pd.DataFrame(
        {
            AXES[0]: [line.at[0] for line in written],
            AXES[1]: [line.at[1] for line in written],
            "text": [line.text for line in written],
        }
    )
    return hv.Labels(table, list(AXES), "text").opts(
        text_color=NEUTRAL,
        text_font_size="11px",
        text_align="left",
        text_baseline="bottom",
        xoffset=0,
        yoffset=0,
        apply_ranges=False,
    )
