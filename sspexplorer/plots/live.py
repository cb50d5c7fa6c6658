"""Pictures of data that are changed while one looks."""

import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Any, Generic, TypeVar

import holoviews as hv
import numpy as np

T = TypeVar("T")


class LivePicture(Generic[T]):
    """A picture that follows data.

    HoloViews draws it once. To compare all of a picture with the one before, as it does for what
    follows a stream, takes several times as long as all else between a slider and what it moves:
    after the first picture the columns of its glyphs are sent, and what its hooks change.

    Parameters
    ----------
    data : T
    draw : callable
        Draws data as an overlay with hooks, whose layers are the same whatever the data.
    """

    def __init__(self, data: T, draw: Callable[[T], hv.Overlay]) -> None:
        self._draw, self._data = draw, data
        # A notebook may show the same picture more than once.
        self._plots: weakref.WeakSet[Any] = weakref.WeakSet()

    @property
    def data(self) -> T:
        """What is in sight."""
        return self._data

    @cached_property
    def picture(self) -> hv.DynamicMap:
        """For a pane; drawn anew, as for another theme, it shows what is in sight then."""
        return hv.DynamicMap(self._drawn)

    def _drawn(self) -> hv.Overlay:
        overlay = self._draw(self._data)
        return overlay.opts(hooks=[*_hooks(overlay), self._note])

    def _note(self, plot: Any, overlay: hv.Overlay) -> None:
        self._plots.add(plot)

    def show(self, data: T) -> None:
        """Show other data, where the lock of the document is held.

        Parameters
        ----------
        data : T
        """
        self._data = data
        self.picture.reset()
        overlay = self._draw(data)
        layers = dict(zip(overlay.keys(), map(_columns, overlay), strict=True))
        for plot in self._plots:
            for layer, part in plot.subplots.items():
                source = part.handles["source"]
                source.data = {name: layers[layer][name] for name in source.data}
            for hook in _hooks(overlay):
                hook(plot, overlay)


def _hooks(overlay: hv.Overlay) -> list[Callable[[Any, hv.Overlay], None]]:
    return overlay.opts.get("plot").kwargs["hooks"]


def _columns(element: hv.Element) -> dict[str, np.ndarray]:
    """What glyphs are made of: the element's values, and those that styles are made from."""
    found = {one.name: element.dimension_values(one) for one in element.dimensions()}
    styles = element.opts.get("style").kwargs.items()
    return found | {name: by.apply(element) for name, by in styles if isinstance(by, hv.dim)}
