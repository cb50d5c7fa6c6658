"""Downloads of any size: written in a thread, sent in pieces, so that nobody else has to wait.

Panel's ``FileDownload`` writes the file on the event loop and sends it as one base64 text, which
stops all visitors meanwhile and fails beyond half a gigabyte.
"""

import asyncio
import tempfile
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

import panel as pn
import param
from panel.custom import JSComponent

_PIECE = 4 << 20  # bytes


class Courier(JSComponent):
    """Sends a file to the browser, the next piece when the last one has arrived."""

    _esm: ClassVar[str] = """
    export function render({ model }) {
      let pieces = [];
      model.on("msg:custom", ({ index, total, name, bytes }) => {
        if (index === 0) pieces = [];
        pieces.push(bytes);
        model.send_msg(index + 1);
        if (index + 1 < total) return;
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob(pieces));
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(link.href), 60000);
        pieces = [];
      });
    }
    """

    def __init__(self, on_progress: Callable[[float], None], **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, **params)
        self._on_progress = on_progress
        self._file: BinaryIO | None = None
        self._filename, self._size = "", 0

    def send(self, file: BinaryIO, filename: str) -> None:
        """Send a file from its beginning; it is closed when it has arrived."""
        self.stop()
        self._size, self._filename, self._file = file.seek(0, 2), filename, file
        self._send_piece(0)

    def stop(self) -> None:
        """Forget the file that is being sent."""
        if self._file:
            self._file.close()
        self._file = None

    @property
    def _total(self) -> int:
        return max(1, -(-self._size // _PIECE))

    def _handle_msg(self, data: Any) -> None:
        if not self._file or not isinstance(data, int) or not 0 < data <= self._total:
            return
        self._on_progress(data / self._total)
        if data == self._total:
            self.stop()
        else:
            self._send_piece(data)

    def _send_piece(self, index: int) -> None:
        self._file.seek(index * _PIECE)
        piece = self._file.read(_PIECE)
        message = {"index": index, "total": self._total, "name": self._filename, "bytes": piece}
        self._send_msg(message)


class Download(pn.viewable.Viewer):
    """A button that makes a file and sends it.

    Parameters
    ----------
    write : callable
        Writes the file into an open binary file; runs in a thread.
    filename : str
        Name that the browser saves it under.
    label, color : str
        What the button says, and its colour.
    """

    filename = param.String(doc="Name that the browser saves the file under.")
    trouble = param.Parameter(doc="Exception that kept the last file from being made, or None.")

    disabled = param.Boolean(default=False, doc="Whether there is nothing to download now.")

    def __init__(
        self,
        write: Callable[[BinaryIO], None],
        filename: str,
        *,
        label: str = "Download",
        color: str = "primary",
        **params: Any,
    ) -> None:
        super().__init__(filename=filename, **params)
        self.write = write
        self._label = label
        self._button = pn.widgets.Button(
            label=self._label, color=color, sizing_mode="stretch_width"
        )
        self._button.on_click(self._make)
        self._courier = Courier(self._arrived)
        self.param.watch(lambda event: self._button.param.update(disabled=event.new), "disabled")

    def __panel__(self) -> pn.Row:
        """Lay the button out; the courier has no size."""
        return pn.Row(self._button, self._courier, sizing_mode="stretch_width", margin=0)

    async def _make(self, event: Any) -> None:
        self.trouble = None
        self._button.param.update(label="Writing …", disabled=True)
        # Stays open until it has been sent.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            await asyncio.to_thread(self.write, file)
        except Exception as error:
            file.close()
            self._button.param.update(label=self._label, disabled=self.disabled)
            self.trouble = error
            return
        self._courier.send(file, self.filename)

    def _arrived(self, fraction: float) -> None:
        done = fraction >= 1
        label = self._label if done else f"Sending, {fraction:.0%}"
        self._button.param.update(label=label, disabled=self.disabled or not done)
