"""Choice of a catalogue that the server offers, beside the place for one's own."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import panel as pn

from sspexplorer.app.serving import folder
from sspexplorer.errors import InputError


def offered_files(
    on_open: Callable[[Path, str], Awaitable[None]], on_trouble: Callable[[InputError], Any]
) -> list[pn.Row]:
    """Controls to choose one of the server's catalogues; none where it offers none.

    Parameters
    ----------
    on_open : callable
        Awaited with the path and the name of the one that was chosen.
    on_trouble : callable
        Called with an InputError if it is gone.
    """
    names = list(folder.offered())
    if not names:
        return []
    choice = pn.widgets.Select(label="A catalogue of this server", options=names, width=320)
    button = pn.widgets.Button(label="Open it", width=120, align="end")

    async def clicked(event: Any) -> None:
        try:
            path = folder.find(choice.value)
        except InputError as error:
            on_trouble(error)
        else:
            await on_open(path, choice.value)

    button.on_click(clicked)
    return [pn.Row(choice, button, margin=(14, 0, 0, 0), styles={"gap": "10px"})]
