"""Tables that a visitor hands to another program: behind addresses that nobody guesses.

The program that fetches one, such as TOPCAT, has no session and no password: whoever has the
address has the table. It is made of 256 random bits, told to the visitor's browser alone, and good
for :data:`LIFETIME`. Files lie in a folder that only the user of the server can open, and which all
its processes share; their names are digests, so that not even a list of them has an address.
"""

import atexit
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

LIFETIME = 600.0  # s
# Set for all processes of this server.
TABLES = "SSPEXPLORER_TABLES"
_PIECE = 1 << 20  # bytes
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+", re.ASCII)


def share_folder() -> Path:
    """Folder of this server, which goes with it; made before there are other processes."""
    if TABLES not in os.environ:
        folder = tempfile.mkdtemp(prefix="sspexplorer-tables-")
        os.environ[TABLES] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(os.environ[TABLES])


def hand_over(write: Callable[[BinaryIO], Any], name: str) -> str:
    """Keep a VOTable for whoever has its address.

    Parameters
    ----------
    write : callable
        Writes it into an open binary file.
    name : str
        What the address ends in, for people.

    Returns
    -------
    str
        Address beside that of the app: "tables/NAME.vot?key=…".
    """
    _tidy()
    key = secrets.token_urlsafe(32)
    # Not there until it is whole.
    path = _path(key)
    part = path.with_suffix(".part")
    with part.open("xb") as file:
        write(file)
    part.rename(path)
    return f"tables/{_NOT_IN_A_NAME.sub('_', name) or 'table'}.vot?key={key}"


def take_back(address: str) -> None:
    """Let nobody have a table any more, whatever became of it."""
    _path(address.rpartition("=")[2]).unlink(missing_ok=True)


def _path(key: str) -> Path:
    return share_folder() / hashlib.sha256(key.encode()).hexdigest()


def _tidy() -> None:
    """Remove what has had its time."""
    for path in share_folder().iterdir():
        if not _is_fresh(path):
            path.unlink(missing_ok=True)


def _is_fresh(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < LIFETIME
    except FileNotFoundError:
        return False


class HandedOver(RequestHandler):
    """Answers with a table; to everybody else as if there had never been one."""

    async def get(self) -> None:
        """Send it in pieces."""
        with self._open() as file:
            while piece := file.read(_PIECE):
                self.write(piece)
                try:
                    await self.flush()
                except StreamClosedError:
                    return

    async def head(self) -> None:
        """Say whether it is there."""
        self._open().close()

    def _open(self) -> BinaryIO:
        self.set_header("Cache-Control", "no-store")
        path = _path(self.get_query_argument("key", ""))
        if not _is_fresh(path):
            raise HTTPError(404, reason="This table is no longer here: send it again.")
        file = path.open("rb")
        self.set_header("Content-Type", "application/x-votable+xml")
        self.set_header("Content-Disposition", "attachment")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Length", str(os.fstat(file.fileno()).st_size))
        return file


# Also for ``panel serve app.py --plugins sspexplorer.app.serving.tables``.
ROUTES = [(r"/tables/[\w.-]+\.vot", HandedOver)]
