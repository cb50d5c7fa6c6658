"""What of a figure is in view: at first, after a double click, and at most.

The wheel belongs to the page: over a figure it scrolls, until the tool that zooms is chosen. No
tool leaves the first view and what is drawn, so that nobody is lost where there is nothing.
"""

from collections.abc import Iterable, Iterator
from numbers import Real
from typing import Any

import holoviews as hv
import numpy as np
from bokeh.events import DoubleTap
from bokeh.models import CustomJS, FactorRange, LogScale, Plot, Range1d, WheelZoomTool

_MARK = "holds-view"
# A browser clamps a new view to the bounds of the picture before: its own bounds come after it.
_NOTICE = """
const { start, end, reset_start, reset_end } = cb_obj;
cb_obj.clamped = start != reset_start || end != reset_end;
"""
_RELEASE = """
if (cb_obj.clamped) cb_obj.setv({ start: cb_obj.reset_start, end: cb_obj.reset_end });
cb_obj.clamped = false;
"""


def set_view(axis: Range1d, low: float, high: float) -> None:
    """Show this range of an axis, now and after a double click.

    Parameters
    ----------
    axis : Range1d
    low, high : float
        In units of the axis.
    """
    axis.update(start=low, end=high, reset_start=low, reset_end=high)


def hold_view(plot: Any, element: Any) -> None:
    """HoloViews hook, after those that set ranges: keep the view within the first one and the data.

    A double click brings the first view back. Data that are shaded anew at every zoom do not count:
    what is drawn of them is what is in view.
    """
    figure = plot.state
    if not isinstance(figure, Plot):
        return
    if _MARK not in figure.tags:
        figure.tags = [*figure.tags, _MARK]
        reset = CustomJS(args={"figure": figure}, code="figure.reset.emit()")
        figure.js_on_event(DoubleTap, reset)
        for axis in (figure.x_range, figure.y_range):
            if isinstance(axis, Range1d):
                for end in ("reset_start", "reset_end"):
                    axis.js_on_change(end, CustomJS(code=_NOTICE))
                axis.js_on_change("bounds", CustomJS(code=_RELEASE))
    # HoloViews chooses the tools anew at each change.
    figure.toolbar.active_scroll = None
    for tool in figure.toolbar.tools:
        if isinstance(tool, WheelZoomTool):
            # Otherwise an axis that is at its end keeps the other from its own.
            tool.maintain_focus = False
    axes = ((figure.x_range, figure.x_scale), (figure.y_range, figure.y_scale))
    for number, (axis, scale) in enumerate(axes):
        if isinstance(axis, FactorRange):
            axis.bounds = "auto"
        elif isinstance(axis, Range1d):
            hold_axis(axis, _drawn(element, number), logarithmic=isinstance(scale, LogScale))


def hold_axis(axis: Range1d, drawn: Iterable[float], *, logarithmic: bool = False) -> None:
    """Keep the view of an axis within the first one and what is drawn.

    Parameters
    ----------
    axis : Range1d
    drawn : iterable of float
        Ends of what is drawn, in units of the axis; NaN does not count.
    logarithmic : bool
    """
    if axis.reset_start is None:
        # Later, what is in view is what a visitor has zoomed to.
        axis.update(reset_start=axis.start, reset_end=axis.end)
    ends = [axis.reset_start, axis.reset_end, *drawn]
    ends = [float(end) for end in ends if np.isfinite(end) and not (logarithmic and end <= 0)]
    axis.bounds = (min(ends), max(ends)) if ends and min(ends) < max(ends) else None


def _drawn(element: Any, number: int) -> Iterator[float]:
    """Ends, for each layer, of what is drawn along x (0) or y (1); some may be NaN."""
    for layer in element.traverse(lambda part: part, [hv.Element]):
        # Words and lines across the figure have places, but no data.
        if isinstance(layer, (hv.Labels, hv.Annotation)) or len(layer.dimensions()) <= number:
            continue
        yield from (float(end) for end in layer.range(number) if isinstance(end, Real))
