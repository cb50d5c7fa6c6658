"""Pages redrawn soon: changes that come faster than a page can be drawn are drawn once."""

from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.document import Document

from sspexplorer.app.kit.work import served_document


class Soon:
    """Redraws part of a page at the next turn of the event loop; outside a server at once.

    All that is changed reaches the browser in one message, so at the same moment.

    Parameters
    ----------
    redraw : callable
    *panes : pn.viewable.Viewable
        Whose figures ``redraw`` changes itself: a notebook has to be told of them.
    """

    def __init__(self, redraw: Callable[[], None], *panes: pn.viewable.Viewable) -> None:
        self._redraw, self._panes, self._waits = redraw, panes, False

    def __call__(self, *events: Any) -> None:
        """Have it redrawn, unless it will be anyway; takes what caused it, for watchers."""
        document = served_document()
        if document is None:
            self._now(None)
        elif not self._waits:
            self._waits = True
            document.add_next_tick_callback(lambda: self._now(document))

    def _now(self, document: Document | None) -> None:
        self._waits = False
        with pn.io.hold(document, freeze=True):
            self._redraw()
        pn.io.push_notebook(*self._panes)
