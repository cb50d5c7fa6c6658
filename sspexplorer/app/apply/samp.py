"""Tables to TOPCAT, Aladin and others on the visitor's computer, by SAMP from the browser."""

import asyncio
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

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

    Parameters
    ----------
    write : callable
        Writes a VOTable into an open binary file; runs in a thread.
    title : callable
        Says what the table is called, and how many rows it has.

    Attributes
    ----------
    button : Button
    """

    def __init__(
        self, write: Callable[[BinaryIO], Any], title: Callable[[], tuple[str, int]]
    ) -> None:
        super().__init__()
        self._write, self._title = write, title
        self._messenger = Messenger(self._heard)
        self._addresses: list[str] = []
        self._n_rows = 0
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
        """Let nobody have a table any more that was sent."""
        for address in self._addresses:
            take_back(address)
        self._addresses = []
        self._say("")

    def _say(self, text: str, *, trouble: bool = False) -> None:
        shown = [parts.problem(text) if trouble else parts.note(text)] if text else []
        self._words[:] = shown
        self._words.visible = bool(shown)

    def _clicked(self, event: Any) -> None:
        self.button.disabled = True
        self._say(_ASKING)
        self._messenger.tell(connect=True)

    def _heard(self, said: dict) -> None:
        if said.get("connected"):
            self._say(_WRITING)
            pn.state.execute(self._send)
            return
        self.button.disabled = False
        if "sent" in said:
            names = sorted({str(name) for name in said["sent"]})
            rows = "1 row" if self._n_rows == 1 else f"{self._n_rows:,} rows"
            self._say(
                f"{rows} sent to {listed(names)}. The address that they were given is good for "
                f"{LIFETIME / 60:.0f} minutes."
            )
        else:
            self._say(_TROUBLES.get(said.get("trouble"), _TROUBLES["lost"]), trouble=True)

    async def _send(self) -> None:
        name, self._n_rows = self._title()
        try:
            address = await asyncio.to_thread(hand_over, self._write, name)
        except Exception as error:
            self._messenger.tell(leave=True)
            self.button.disabled = False
            self._say(str(error), trouble=True)
            return
        self._addresses.append(address)
        self._messenger.tell(address=address, name=name)
