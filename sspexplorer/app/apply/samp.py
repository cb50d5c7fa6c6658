"""Tables to TOPCAT, Aladin and others on the visitor's computer, by SAMP from the browser.

Which rows of a table that was sent are chosen is told them, and heard from them.
"""

import asyncio
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

import numpy as np
import panel as pn
from panel.custom import JSComponent

from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import static_text
from sspexplorer.app.serving.tables import LIFETIME, hand_over, take_back
from sspexplorer.labels import listed

_LABEL = "Send to TOPCAT, Aladin"
_ASKING = "Asking the hub on your computer; it may ask you whether SSP Explorer may connect."
_WRITING = "Writing the table …"
_TROUBLES = {
    "no hub": "No SAMP hub answers on your computer: start TOPCAT or Aladin, then send again.",
    "refused": "The SAMP hub on your computer did not let SSP Explorer connect.",
    "nobody": "No program at the SAMP hub takes tables: connect TOPCAT or Aladin to it.",
    "unserved": "This server hands no tables to other programs: download the file instead.",
    "lost": "The SAMP hub on your computer stopped answering.",
}
_GONE = "The SAMP hub on your computer has ended: send again to choose in both places."
_HIGHLIGHT, _SELECT = "table.highlight.row", "table.select.rowList"
_MOST = 50_000  # rows of a message


class Messenger(JSComponent):
    """Talks to the hub on the visitor's computer; to nobody before it is told to."""

    _esm: ClassVar[str] = static_text("samp.js")

    def __init__(self, on_said: Callable[[dict], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._on_said = on_said

    def tell(self, **message: Any) -> None:
        """Say what to do."""
        self._send_msg(message)

    def _handle_msg(self, data: Any) -> None:
        if isinstance(data, dict):
            self._on_said(data)


class SendTable(pn.viewable.Viewer):
    """A button that sends what is listed to programs on the visitor's computer.

    What is chosen or selected of it here is so there, and the other way round, until
    :meth:`forget`.

    Parameters
    ----------
    write : callable
        Writes a VOTable into an open binary file; runs in a thread.
    listed : callable
        Says what the table is called, and which rows it has, counted from 0: a sorted array.
    on_row : callable
        Is told which row was chosen there.
    on_rows : callable
        Is told which rows were selected there: an array.

    Attributes
    ----------
    button : Button
    """

    def __init__(
        self,
        write: Callable[[BinaryIO], Any],
        listed: Callable[[], tuple[str, np.ndarray]],
        on_row: Callable[[int], Any],
        on_rows: Callable[[np.ndarray], Any],
    ) -> None:
        super().__init__()
        self._write, self._listed = write, listed
        self._acts = {_HIGHLIGHT: lambda rows: on_row(int(rows[0])), _SELECT: on_rows}
        self._messenger = Messenger(self._heard)
        self._tables: dict[str, np.ndarray] = {}
        self._sending = np.arange(0)
        self._hearing = False
        self.button = pn.widgets.Button(label=_LABEL, sizing_mode="stretch_width")
        self.button.on_click(self._clicked)
        self._words = parts.stack()
        self._words.visible = False
        self._say("")

    def __panel__(self) -> pn.Column:
        """Button over what came of it."""
        return parts.stack(
            pn.Row(self.button, self._messenger, sizing_mode="stretch_width", margin=0),
            self._words,
            gap=4,
        )

    def forget(self) -> None:
        """Let nobody have a table any more that was sent, and listen to nobody."""
        if self._tables:
            self._messenger.tell(leave=True)
        for address in self._tables:
            take_back(address)
        self._tables = {}
        self._say("")

    def listen(self, on: bool) -> None:
        """Hear what is chosen in other programs, or no more for a while."""
        if self._tables:
            self._messenger.tell(listen=on)

    def choose(self, row: int) -> None:
        """Choose a row in other programs, counted from 0, if they have it."""
        self._tell(_HIGHLIGHT, np.array([row]))

    def select(self, rows: np.ndarray) -> None:
        """Select rows in other programs, as far as they have them."""
        self._tell(_SELECT, rows)

    def _tell(self, kind: str, rows: np.ndarray) -> None:
        if self._hearing:
            return
        # The table that was sent last, if there are several.
        for address, sent in reversed(self._tables.items()):
            places = np.flatnonzero(np.isin(sent, rows))
            if 0 < len(places) <= _MOST:
                named = [str(place) for place in places.tolist()]
                said = named[0] if kind == _HIGHLIGHT else named
                self._messenger.tell(kind=kind, table=address, rows=said)
            if len(places):
                return

    def _follow(self, said: dict) -> None:
        """Do as another program says with a table that was sent."""
        sent = self._tables.get(str(said.get("table")))
        act = self._acts.get(str(said.get("kind")))
        if sent is None or act is None:
            return
        rows = sent[_places(said.get("rows"), len(sent))]
        if len(rows):
            self._hearing = True
            try:
                act(rows)
            finally:
                self._hearing = False

    def _say(self, text: str, *, trouble: bool = False) -> None:
        shown = [parts.problem(text) if trouble else parts.note(text)] if text else []
        self._words[:] = shown
        self._words.visible = bool(shown)

    def _clicked(self, event: Any) -> None:
        self.button.disabled = True
        self._say(_ASKING)
        self._messenger.tell(connect=True)

    def _heard(self, said: dict) -> None:
        if "kind" in said:
            self._follow(said)
            return
        if said.get("connected"):
            self._say(_WRITING)
            pn.state.execute(self._send)
            return
        self.button.disabled = False
        if "sent" in said:
            names = sorted({str(name) for name in said["sent"]})
            number = len(self._sending)
            rows = "1 row" if number == 1 else f"{number:,} rows"
            self._say(
                f"{rows} sent to {listed(names)}. The address that they were given is good for "
                f"{LIFETIME / 60:.0f} minutes. What you choose or select here is so there, and the "
                "other way round, until you close the file."
            )
        elif said.get("trouble") == "gone":
            self._say(_GONE)
        else:
            self._say(_TROUBLES.get(said.get("trouble"), _TROUBLES["lost"]), trouble=True)

    async def _send(self) -> None:
        name, self._sending = self._listed()
        try:
            address = await asyncio.to_thread(hand_over, self._write, name)
        except Exception as error:
            if not self._tables:
                self._messenger.tell(leave=True)
            self.button.disabled = False
            self._say(str(error), trouble=True)
            return
        self._tables[address] = self._sending
        self._messenger.tell(address=address, name=name)


def _places(said: Any, number: int) -> np.ndarray:
    """Places in a table, of that many rows, that another program names; others are left out."""
    words = said if isinstance(said, list) else [said]
    digits = len(str(number))
    named = (int(w) for w in words if isinstance(w, str) and w.isdecimal() and len(w) <= digits)
    return np.unique([place for place in named if place < number]).astype(int)
