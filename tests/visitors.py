"""Visitors of the app without a browser: they send what one would send, and keep what it is sent.

They cost a hundredth of what a browser costs, so that a machine can have many of them.
"""

import asyncio
import base64
import gzip
import itertools
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bokeh.server.server import Server
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClientConnection, websocket_connect

from sspexplorer.app.frame import shell
from sspexplorer.app.pages import PAGES
from sspexplorer.app.server import make_server
from sspexplorer.app.serving.settings import Settings

PATIENCE = 120.0  # s
_PIECE = 4_000_000  # bytes of an upload in one message
_TOKEN = re.compile(r'"token":"([^"]+)"')


@asynccontextmanager
async def app_served(folder: Path) -> AsyncIterator[tuple[str, Server]]:
    """The app in this event loop, where nothing is made before it is asked for.

    Visitors who leave are forgotten soon.
    """
    socket, port = bind_unused_port()
    server = make_server(
        lambda: shell.Shell(PAGES).template(),
        Settings(port=port),
        "0123456789abcdef0123456789abcdef",
        folder,
        lambda: True,
        linger=0.05,
    )
    door = HTTPServer(server._tornado)
    door.add_sockets([socket])
    with patch.object(shell, "start_warming"):
        server.start()
        try:
            yield f"http://127.0.0.1:{port}/app", server
        finally:
            door.stop()
            server.stop(wait=False)
            server.unlisten()


class Visitor:
    """Someone who has the app open.

    Attributes
    ----------
    models : dict
        What the page consists of: ``{"name": type, "attributes": {...}}`` by identity.
    """

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self._socket = socket
        self.next_number = 0  # of the next message
        self.models: dict[str, dict[str, Any]] = {}
        self._on_the_way = False
        self._visits = itertools.count(1)
        self._first: asyncio.Future | None = None

    @classmethod
    async def come(cls, url: str, page: str = "") -> "Visitor":
        """Open the app, as a browser does, at a page."""
        query = f"?page={page}" if page else ""
        answer = await AsyncHTTPClient().fetch(f"{url}{query}", request_timeout=PATIENCE)
        token = _TOKEN.search(answer.body.decode())
        assert token, "the page has no session in it"
        socket = await websocket_connect(
            f"{url.replace('http', 'ws', 1)}/ws{query}",
            subprotocols=["bokeh", token[1]],
            max_message_size=1 << 30,
        )
        visitor = cls(socket)
        await visitor._message()
        await visitor._send("PULL-DOC-REQ", {})
        await visitor.until(lambda: bool(visitor.models))
        await visitor._tell({"type": "event", "name": "document_ready", "values": {"type": "map"}})
        return visitor

    def leave(self) -> None:
        """Close the page; what was waited for does not come any more."""
        if self._first:
            self._first.cancel()
        self._socket.close()

    # What is in sight.

    def of_type(self, *names: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Models of some types."""
        return (
            (key, model)
            for key, model in self.models.items()
            if model["name"].rpartition(".")[2] in names
        )

    @property
    def has_picture(self) -> bool:
        """Whether there is a figure, on the page that the visitor went to."""
        return not self._on_the_way and any(self.of_type("Figure", "GridPlot"))

    @property
    def words(self) -> str:
        """All texts."""
        return "\n".join(
            str(model["attributes"].get("text", "")) for _, model in self.of_type("HTML")
        )

    def called(self, label: str) -> str:
        """Identity of the control that bears a label; the last that came, if there are several."""
        for key, model in reversed(self.models.items()):
            if label in (model["attributes"].get("label"), model["attributes"].get("title")):
                return key
        raise LookupError(f"There is no {label!r}.")

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> float:
        """Take what comes until something is so; how long it took (s)."""
        begun = time.monotonic()
        async with asyncio.timeout(seconds):
            while not condition():
                await self._message()
        return time.monotonic() - begun

    async def quiet(self, seconds: float = 1.5) -> None:
        """Take what comes until nothing has come for some time."""
        while True:
            # Kept for the next message, if none has come by then.
            self._first = self._first or asyncio.ensure_future(self._part())
            done, _ = await asyncio.wait({self._first}, timeout=seconds)
            if not done:
                return
            await self._message()

    # What a visitor does.

    async def go(self, page: str) -> None:
        """Go to a page that was not open before."""
        heard = next(
            key for key, model in self.models.items() if model["attributes"].get("name") == "heard"
        )
        self._on_the_way = True
        told = json.dumps({"visit": next(self._visits), "page": page})
        await self.change(heard, "value", told)

    async def change(self, key: str, attribute: str, value: Any) -> None:
        """Change an attribute of a control."""
        change = {"kind": "ModelChanged", "model": {"id": key}, "attr": attribute, "new": value}
        await self._send("PATCH-DOC", {"events": [change]})

    async def press(self, label: str) -> None:
        """Press a button."""
        values = [["model", {"id": self.called(label)}]]
        await self._tell(
            {"type": "event", "name": "button_click", "values": {"type": "map", "entries": values}}
        )

    async def upload(self, name: str, data: bytes) -> None:
        """Drop a file, which is sent in pieces."""
        (*_, (key, _)) = self.of_type("FileDropper")
        pieces = [data[start : start + _PIECE] for start in range(0, len(data), _PIECE)]
        for number, part in enumerate(pieces, start=1):
            packed = base64.b64encode(gzip.compress(part, 1)).decode()
            piece = {
                "name": name,
                "type": "",
                "chunk": number,
                "total_chunks": len(pieces),
                "data": {"type": "bytes", "data": packed},
            }
            entries = [
                ["model", {"id": key}],
                ["data", {"type": "map", "entries": [list(item) for item in piece.items()]}],
            ]
            values = {"type": "map", "entries": entries}
            await self._tell({"type": "event", "name": "upload_event", "values": values})

    # What goes over the line.

    async def _tell(self, event: dict[str, Any]) -> None:
        said = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": event}
        await self._send("PATCH-DOC", {"events": [said]})

    async def _send(self, kind: str, content: dict[str, Any]) -> None:
        header = {"msgid": str(self.next_number), "msgtype": kind}
        self.next_number += 1
        for part in (header, {}, content):
            await self._socket.write_message(json.dumps(part))

    async def _message(self) -> None:
        await self.heard()

    async def heard(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Take the next message: its header and its content."""
        first, self._first = self._first or asyncio.ensure_future(self._part()), None
        header = json.loads(await first)
        await self._part()
        content = json.loads(await self._part())
        for _ in range(2 * header.get("num_buffers", 0)):
            await self._part()
        if header["msgtype"] == "ERROR":
            raise AssertionError(content.get("text"))
        self._keep(content)
        return header, content

    async def _part(self) -> str | bytes:
        part = await self._socket.read_message()
        if part is None:
            raise ConnectionError("The server hung up.")
        return part

    def _arrive(self) -> None:
        """Be where the page has come into sight: pictures of the one before are forgotten."""
        self._on_the_way = False
        for key, _ in list(self.of_type("Figure", "GridPlot")):
            del self.models[key]

    def _keep(self, content: Any) -> None:
        """Take over all models in what came, and changes of those that are here."""
        waiting = [content]
        while waiting:
            part = waiting.pop()
            if isinstance(part, list):
                waiting += part
            elif isinstance(part, dict):
                waiting += part.values()
                if part.get("type") == "object" and "id" in part:
                    self.models[part["id"]] = {
                        "name": part["name"],
                        "attributes": dict(part.get("attributes", {})),
                    }
                elif part.get("kind") == "ModelChanged" and part["model"]["id"] in self.models:
                    attributes = self.models[part["model"]["id"]]["attributes"]
                    attributes[part["attr"]] = part["new"]
                    if self._on_the_way and (part["attr"], part["new"]) == ("visible", True):
                        self._arrive()
