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
from sspexplorer.plots.view import Ends, View

# Columns of a table of galaxies on a map.
AXES = ("sky_x", "sky_y")
_DETAILS = (("ra", "RA [°]"), ("dec", "Dec [°]"))

# A degree is as long across as up, whatever room there is.
_KEEP_SHAPE = """
const { inner_width, inner_height, x_range, y_range } = figure;
const ranges = [x_range, y_range];
const fitted = ([x0, y0, x1, y1]) => {
  const scale = Math.max((x1 - x0) / inner_width, (y1 - y0) / inner_height);
  const sides = [[x0 + x1, scale * inner_width], [y0 + y1, scale * inner_height]];
  return sides.map(([sum, length]) => [(sum - length) / 2, (sum + length) / 2]);
};
if (inner_width > 0 && inner_height > 0) {
  const whole = ranges.every((r) => r.start == r.reset_start && r.end == r.reset_end);
  const homes = fitted(home);
  const seen = fitted(whole ? home : [x_range.start, y_range.start, x_range.end, y_range.end]);
  for (const [k, range] of ranges.entries()) {
    const [start, end] = seen[k], [reset_start, reset_end] = homes[k];
    range.setv({ bounds: null });
    range.setv({ start, end, reset_start, reset_end });
    range.setv({ bounds: [reset_start, reset_end] });
  }
}
"""


def sky_columns(sky: Sky) -> dict[str, np.ndarray]:
    """Columns that :func:`sky_picture` needs, besides those of a catalogue's picture."""
    x, y = AXES
    return {x: sky.x, y: sky.y, "ra": sky.positions.ra, "dec": sky.positions.dec}


def sky_limits(sky: Sky) -> tuple[Ends, Ends]:
    """Ends of the axes of :func:`sky_picture`, as far as there are galaxies."""
    x0, y0, x1, y1 = sky.view
    return (x0, x1), (y0, y1)


def sky_picture(
    table: pd.DataFrame,
    sky: Sky,
    chosen: hv.streams.Stream,
    bright: hv.streams.Stream,
    selections: Iterable[hv.streams.Stream],
    *,
    colour: str = "ebv",
    view: View | None = None,
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
    view : View, optional
        What is in view of it; within :func:`sky_limits` unless given.
    """
    home = sky_limits(sky)
    view = view or View(*home)
    x_range, y_range = view.ranges
    galaxies = galaxies_layer(table, bright, AXES, colour, _DETAILS, ranges=view.ranges)
    for stream in selections:
        stream.source = galaxies
    lines = sky.grid()

    def keep_shape(plot: Any, element: Any) -> None:
        figure = plot.state
        for tool in figure.select(BoxZoomTool):
            tool.match_aspect = True
        figure.toolbar.active_scroll = None
        if "keeps-shape" in figure.tags:
            return
        figure.tags = [*figure.tags, "keeps-shape"]
        view.attach(plot)
        figure.x_range.bounds, figure.y_range.bounds = home
        fit = CustomJS(args={"figure": figure, "home": list(sky.view)}, code=_KEEP_SHAPE)
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
                xlim=x_range,
                ylim=y_range,
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
