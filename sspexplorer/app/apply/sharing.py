"""Leaving a catalogue with the server, so that a link opens it: asked for, said, taken back."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import panel as pn

from sspexplorer.app.apply.intake import Upload
from sspexplorer.app.apply.reading import Reading
from sspexplorer.app.kit import parts
from sspexplorer.app.serving import shares
from sspexplorer.errors import InputError


class Sharing(pn.viewable.Viewer):
    """A button that asks before anything is kept, and one that takes it back.

    Parameters
    ----------
    on_change : callable
        Called with the name of the share, which a link is to carry, or "" when it is taken back.
    on_trouble : callable
        Called with an InputError if it cannot be kept.
    """

    def __init__(
        self, on_change: Callable[[str], Any], on_trouble: Callable[[InputError], Any]
    ) -> None:
        super().__init__()
        self._on_change, self._on_trouble = on_change, on_trouble
        self._upload: Upload | None = None
        self._reading = Reading()
        self._token = ""
        self._mine = False
        self._area = parts.stack(gap=8)
        self._area.visible = False

    def __panel__(self) -> parts.Part:
        """Show the button, the question, or what was kept."""
        return self._area

    def offer(self, upload: Upload, reading: Reading, token: str = "") -> None:
        """Offer to keep a file that was read so; it may be one that a link has opened."""
        self._upload, self._reading = upload, reading
        if token != self._token:
            self._token, self._mine = token, False
        self._rest()

    def clear(self) -> None:
        """Offer nothing: there is no file, or any visitor may open it as it is."""
        self._upload, self._token, self._mine = None, "", False
        self._show()

    def _show(self, *content: parts.Part) -> None:
        """Show this; what shows nothing takes no room."""
        self._area[:] = list(content)
        self._area.visible = bool(content)

    @property
    def token(self) -> str:
        """Name of the share in sight; "" if there is none."""
        return self._token

    def _rest(self) -> None:
        if self._token:
            self._show(*self._told())
        elif shares.days():
            self._show(_button("Share by a link", self.ask))
        else:
            self._show()

    def _told(self) -> list[parts.Part]:
        """Say for how long it is kept."""
        try:
            until = _day(shares.find(self._token).until)
        except InputError as error:
            return [parts.note(str(error))]
        words = f"The address of this page opens this catalogue until {until}, for whoever has it."
        back = [_button("Take it back", self.take_back)] if self._mine else []
        return [parts.note(words), *back]

    def ask(self, event: Any = None) -> None:
        """Say what sharing means, and ask."""
        until = _day(time.time() + shares.days() * 86_400)
        words = (
            f"The server then keeps the file until {until}, unless you take it back while this "
            "page is open. Whoever has the link can open it; nobody can guess it."
        )
        yes, no = _button("Keep it, make the link", self.keep), _button("Do not", self._leave)
        yes.color = "primary"
        self._show(parts.note(words), yes, no)

    def _leave(self, event: Any) -> None:
        self._rest()

    async def keep(self, event: Any = None) -> None:
        """Leave the file with the server, and have the link carry it."""
        upload = self._upload
        if upload is None:
            return
        said = self._reading.to_dict()
        try:
            # Large files take a while to be copied.
            token = await asyncio.to_thread(shares.keep, upload.path, upload.name, said)
        except InputError as error:
            self._rest()
            self._on_trouble(error)
            return
        if upload is not self._upload:
            shares.forget(token)
            return
        self._token, self._mine = token, True
        self._rest()
        self._on_change(token)

    def take_back(self, event: Any = None) -> None:
        """Have the server forget it."""
        shares.forget(self._token)
        self._token, self._mine = "", False
        self._rest()
        self._on_change("")


def _button(label: str, on_click: Callable[[Any], None]) -> pn.widgets.Button:
    button = pn.widgets.Button(label=label, sizing_mode="stretch_width", margin=0)
    button.on_click(on_click)
    return button


def _day(moment: float) -> str:
    return time.strftime("%-d %B %Y, %H:%M UTC", time.gmtime(moment))
