"""What of a figure is in view: at first, after a double click, and at most.

The wheel belongs to the page: over a figure it scrolls, until the tool that zooms is chosen. No
tool leaves the first view and what is drawn, so that nobody is lost where there is nothing.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import Any

import holoviews as hv
import numpy as np
from bokeh.events import DoubleTap, RangesUpdate
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

Ends = tuple[float, float]
Zoom = tuple[Ends | None, ...] | None
"""What is in view of each axis, None for all of it; None if that is so of every axis."""

_PIXELS = 1000  # along an axis, rounded up
_NARROWEST = 1e-6  # of an axis


@dataclass
class _Picture:
    stream: hv.streams.RangeXY | None
    figure: Plot | None = None


class View:
    """What is in view of pictures with the same axes: zooming one takes the others along.

    Parameters
    ----------
    x_home, y_home : tuple of float
        What is in view of the axes without a zoom, and after a double click.
    zoom : tuple, optional
        What to begin with, of x and of y; as far as it is within the above.
    on_zoom : callable, optional
        Is told what is in view once a visitor has zoomed.

    Examples
    --------
    >>> View((0, 10), (-1, 1), zoom=((-5, 4), (2, 3))).zoom
    ((0.0, 4.0), None)
    """

    def __init__(
        self,
        x_home: Ends,
        y_home: Ends,
        zoom: Zoom = None,
        on_zoom: Callable[[Zoom], Any] | None = None,
    ) -> None:
        self._homes = (x_home, y_home)
        self._on_zoom = on_zoom
        self._pictures: list[_Picture] = []
        self._zoom = self._within(zoom)

    @property
    def zoom(self) -> Zoom:
        """What is in view, to the accuracy of a pixel."""
        return self._zoom

    @property
    def ranges(self) -> tuple[Ends, Ends]:
        """Ends of what is in view of x and of y."""
        x, y = self._zoom or (None, None)
        return x or self._homes[0], y or self._homes[1]

    def stream(self) -> hv.streams.RangeXY:
        """Make a stream for a picture that is drawn anew at every zoom."""
        x_range, y_range = self.ranges
        stream = hv.streams.RangeXY(x_range=x_range, y_range=y_range)
        self._pictures.append(_Picture(stream))
        return stream

    def attach(self, plot: Any, stream: hv.streams.RangeXY | None = None) -> None:
        """For HoloViews hooks before :func:`hold_view`: have a figure begin with this view.

        Parameters
        ----------
        plot
            The HoloViews plot.
        stream : RangeXY, optional
            That of the picture, of :meth:`stream`.
        """
        figure = plot.state
        picture = next((p for p in self._pictures if p.stream is stream), None)
        if picture is None:
            picture = _Picture(stream)
            self._pictures.append(picture)
        if picture.figure is figure:
            return
        picture.figure = figure
        ends = zip((figure.x_range, figure.y_range), self.ranges, self._homes, strict=True)
        for axis, (start, end), (low, high) in ends:
            axis.update(start=start, end=end, reset_start=low, reset_end=high)
        figure.on_event(RangesUpdate, partial(self._heard, picture))

    def look(self, zoom: Zoom) -> None:
        """Bring another part into view of all pictures."""
        zoom = self._within(zoom)
        if zoom != self._zoom:
            self._zoom = zoom
            self._bring(self.ranges, self._pictures)

    def _heard(self, picture: _Picture, event: RangesUpdate) -> None:
        seen = ((event.x0, event.x1), (event.y0, event.y1))
        self._bring(seen, [other for other in self._pictures if other is not picture])
        zoom = _told(map(_rounded, seen, self._homes))
        if zoom != self._zoom:
            self._zoom = zoom
            if self._on_zoom is not None:
                self._on_zoom(zoom)

    def _within(self, zoom: Zoom) -> Zoom:
        (zoom,) = parted(zoom, 1)
        return _told(map(_clipped, zoom or (None, None), self._homes))

    @staticmethod
    def _bring(ranges: tuple[Ends, Ends], pictures: Iterable[_Picture]) -> None:
        x_range, y_range = ranges
        for picture in pictures:
            if picture.figure is not None:
                for axis, ends in zip(("x_range", "y_range"), ranges, strict=True):
                    getattr(picture.figure, axis).update(start=ends[0], end=ends[1])
            if picture.stream is not None:
                picture.stream.event(x_range=x_range, y_range=y_range)


def joined(zooms: Iterable[Zoom]) -> Zoom:
    """What is in view of several pictures, as one."""
    return _told(span for zoom in zooms for span in (zoom or (None, None)))


def parted(zoom: Zoom, number: int) -> list[Zoom]:
    """What is in view of each of a number of pictures; of all everything if they are others."""
    if zoom is None or len(zoom) != 2 * number:
        return [None] * number
    return [_told(zoom[2 * k : 2 * k + 2]) for k in range(number)]


def _told(spans: Iterable[Ends | None]) -> Zoom:
    zoom = tuple(spans)
    return zoom if any(zoom) else None


def _clipped(span: Ends | None, home: Ends) -> Ends | None:
    """As much of a range as there is; None if that is all, or next to nothing."""
    if span is None:
        return None
    low, high = (float(np.clip(end, *home)) for end in span)
    width = home[1] - home[0]
    return (low, high) if _NARROWEST * width < high - low < width else None


def _rounded(seen: Ends, home: Ends) -> Ends | None:
    """Range to the accuracy of a pixel; None if all is in view."""
    low, high = (float(np.clip(end, *home)) for end in sorted(seen))
    pixel = (high - low) / _PIXELS
    if not pixel or (low - home[0] < pixel and home[1] - high < pixel):
        return None
    digits = max(0, math.ceil(-math.log10(pixel)))
    return _clipped((round(low, digits), round(high, digits)), home)


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
