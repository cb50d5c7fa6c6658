"""The address in the browser: the page in sight alone writes it, and only the browser goes back.

Each time a visitor goes to another page, by a link or through the history, the browser counts a
visit and tells the server. What the server answers bears the number of the visit that it is for.
The browser drops an answer for a page that was left meanwhile (``static/frame.js``).
"""

import json
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

import panel as pn

from sspexplorer.app.cache import gone
from sspexplorer.app.choices import accept, read_query, write_query
from sspexplorer.app.kit.page import Page
from sspexplorer.app.state import QUERY, SharedState


class Address:
    """The two sides' messages about the address of one session.

    Parameters
    ----------
    state : SharedState
    keys : collection of str
        The pages that there are.

    Attributes
    ----------
    heard : TextInput
        Written by the browser: the number of a visit, and the page.
    said : TextInput
        Written here: the number of the visit that it answers, the page, and its query.
    """

    def __init__(self, state: SharedState, keys: Collection[str]) -> None:
        self._state, self._keys = state, keys
        self._visit = 0
        self.heard, self.said = pn.widgets.TextInput(), pn.widgets.TextInput()
        self.heard.param.watch(self._visited, "value")

    def read(self, page: Page | None = None) -> str:
        """Take what the address of a new session says, of the session or of a page.

        Returns
        -------
        str
            What to tell the visitor: that the model of the link is gone; "" if all is well.
        """
        target, names = (self._state, QUERY) if page is None else (page, page.QUERY)
        asked = read_query(target, names, _query())
        accept(target, asked)
        model = asked.get("model", "") if page is None else ""
        return gone(model) if model and model != self._state.model else ""

    def write(self, page: Page | None) -> None:
        """Tell the browser the address of the page in sight; None if it could not be built."""
        query = write_query(self._state, QUERY)
        if page is not None:
            query |= write_query(page, page.QUERY)
        said = {"visit": self._visit, "page": self._state.page, "query": f"?{urlencode(query)}"}
        self.said.value = json.dumps(said)

    def _visited(self, event: Any) -> None:
        try:
            told = json.loads(event.new)
            visit, page = int(told["visit"]), str(told["page"])
        except (ValueError, TypeError, KeyError):
            return
        if page not in self._keys:
            return
        self._visit = visit
        if page == self._state.page:
            self._state.param.trigger("page")
        else:
            self._state.page = page


def _query() -> str:
    location = pn.state.location
    return location.search if location else ""
