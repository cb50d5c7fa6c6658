"""A web server on this machine that misbehaves as told, for the tests of downloads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves ``files`` by name, each in its ``manner``, and notes what it is asked for.

    Manners: ``""`` as one would wish, ``"cut"`` breaks off each answer after a third of the whole,
    ``"stall"`` falls silent after a third, ``"mute"`` never answers, ``"no ranges"`` always sends
    the whole, and breaks off the first answer, ``"redirect"`` sends elsewhere, ``"circle"`` in a
    circle, ``"html"`` sends a page. What is not there is answered 404.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.manner: dict[str, str] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        self.server.asked.append((name, self.headers.get("Range")))
        manner, content = self.server.manner.get(name, ""), self.server.files.get(name)
        if manner in ("redirect", "circle"):
            self.send_response(302)
            place = f"/elsewhere/{name}"
            if manner == "redirect" and self.path.startswith("/elsewhere"):
                return self._send(content, 0, "")
            self.send_header("Location", place)
            self.end_headers()
        elif manner == "mute":
            self.server.over.wait(20)
        elif manner == "html":
            self._send(b"<!DOCTYPE html><title>Log in</title>", 0, "", "application/octet-stream")
        elif content is None:
            self.send_error(404)
        else:
            self._send(content, self._start(content, manner), manner)

    def _start(self, content: bytes, manner: str) -> int:
        asked = self.headers.get("Range")
        same = self.headers.get("If-Range", self._tag(content)) == self._tag(content)
        return int(asked[6:-1]) if asked and same and manner != "no ranges" else 0

    @staticmethod
    def _tag(content: bytes) -> str:
        return f'"{hash(content)}"'

    def _send(self, content: bytes, start: int, manner: str, kind: str = "image/fits") -> None:
        if start >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path.startswith("/elsewhere") or manner != "redirect":
            self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.send_header("Content-Type", kind)
        self.send_header("ETag", self._tag(content))
        self.end_headers()
        third = start + len(content) // 3 + 1
        first = manner != "no ranges" or len(self.server.asked) == 1
        short = manner in ("cut", "stall", "no ranges") and first
        self.wfile.write(content[start : third if short else None])
        self.wfile.flush()
        if manner == "stall":
            self.server.over.wait(20)
        self.close_connection = True


@contextmanager
def serve_files() -> Iterator[FileServer]:
    with FileServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()
