"""Catalogues of strangers, read beside the server in bounded processes that can be killed."""

import contextlib
import json
import logging
import os
import pickle
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sspexplorer.catalogue import Catalogue, ChoiceNeededError
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.errors import InputError
from sspexplorer.jobs import python
from sspexplorer.jobs.handover import take
from sspexplorer.jobs.limits import Limits
from sspexplorer.progress import NO_PROGRESS, Progress

DONE = "done"
_MODULE = "sspexplorer.jobs.reader"
_TICK = 0.05  # s between looks at whether the visitor still waits
_PATIENCE = 120.0  # s for the process to import what it needs; busy machines stall
_ATTEMPTS = 3
_NOT_NOW = "The server cannot read files now: the process for it does not start, or was killed."
_OURS = ("sspexplorer.", "numpy", "pyarrow", "astropy.")
_PLAIN = {"builtins": {"set", "frozenset", "slice", "complex", "bytearray", "dict", "list", "str"}}
_PLAIN |= {"collections": {"OrderedDict"}, "_codecs": {"encode"}, "copyreg": {"_reconstructor"}}
_PLAIN["builtins"] |= {"object", "int", "float", "bool", "tuple", "getattr"}

logger = logging.getLogger(__name__)


class Reader:
    """Reads files, each in a process of its own, forked from one that is kept warm."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._owner = 0

    @property
    def can_read(self) -> bool:
        """Whether this system forks processes; Windows does not."""
        return hasattr(os, "fork")

    def warm(self) -> None:
        """Start the process from which the others are forked, unless it runs."""
        if not self.can_read:
            return
        with self._lock:
            # A server that forks its workers leaves them what it started, but not to wait for.
            own = self._owner == os.getpid()
            if own and self._process is not None and self._process.poll() is None:
                return
            if own and self._process is not None:
                logger.warning("The process that reads catalogues was killed and is replaced.")
            self._owner = os.getpid()
            self._folder = tempfile.TemporaryDirectory(
                prefix="sspexplorer-", ignore_cleanup_errors=True
            )
            self._process = python.start(_MODULE, self._address, ARROW_DEFAULT_MEMORY_POOL="system")

    @property
    def pid(self) -> int | None:
        """Number of the process from which the others are forked, while there is one."""
        return self._process.pid if self._process else None

    @property
    def _address(self) -> str:
        assert self._folder is not None
        return str(Path(self._folder.name) / "socket")

    def close(self) -> None:
        """End the process, and with it all reading."""
        with self._lock:
            if self._process is not None and self._owner == os.getpid():
                self._process.kill()
                self._process.wait()
            self._process = None

    def read(
        self,
        path: Path,
        name: str,
        columns: Mapping[str, Any],
        masks: MaskRule,
        galactic: str | float,
        limits: Limits,
        progress: Progress = NO_PROGRESS,
    ) -> Catalogue:
        """Read a catalogue as :func:`~sspexplorer.catalogue.read_catalogue` does, within limits.

        Raises
        ------
        InputError
            If it cannot be used, or takes more than the limits.
        ChoiceNeededError
            If the file leaves a question open.
        Cancelled
            If ``progress`` said so; the process is killed.
        """
        self.warm()
        with tempfile.TemporaryDirectory(prefix="sspexplorer-") as folder:
            result = Path(folder) / "catalogue"
            task = {
                "path": str(path),
                "name": name,
                "columns": dict(columns),
                "masks": asdict(masks),
                "galactic": galactic,
                "memory": limits.memory,
                "seconds": limits.seconds,
                "bounds": asdict(limits.bounds),
                "result": str(result),
            }
            for _ in range(_ATTEMPTS):
                with self._connected(progress) as connection:
                    if self._await(connection, task, limits, progress):
                        return _answer(take(result, _Trusted))
        raise InputError(_NOT_NOW)

    def _connected(self, progress: Progress) -> socket.socket:
        """Connection to a new child; waits for the process to be warm."""
        given_up = time.monotonic() + _PATIENCE
        while time.monotonic() < given_up:
            progress.check()
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(self._address)
                return connection
            except OSError:
                connection.close()
            self.warm()
            time.sleep(_TICK)
        raise InputError(_NOT_NOW)

    def _await(
        self, connection: socket.socket, task: dict, limits: Limits, progress: Progress
    ) -> bool:
        """Have a file read; kill who reads it when it takes too long, or nobody waits for it.

        Returns
        -------
        bool
            False if nobody began, since the process that forks was killed in that moment.
        """
        name, pid, done, ended = task["name"], 0, False, time.monotonic() + limits.seconds
        with contextlib.suppress(ConnectionError):
            connection.sendall(f"{json.dumps(task)}\n".encode())
        connection.settimeout(_TICK)
        said = b""
        try:
            while not said.endswith(f"{DONE}\n".encode()):
                progress.check()
                if time.monotonic() > ended:
                    raise InputError(
                        f"Reading {name} takes more than {limits.seconds:.0f} s, as long as it may."
                    )
                with contextlib.suppress(TimeoutError):
                    piece = _received(connection)
                    if not piece and not pid:
                        return False
                    if not piece:
                        raise InputError(
                            f"The process that read {name} was killed, perhaps for want of memory: "
                            f"reading may take {limits.memory / (1 << 30):.3g} GiB."
                        )
                    said += piece
                if not pid and b"\n" in said:
                    pid = int(said.partition(b"\n")[0])
            done = True
            return True
        finally:
            if pid and not done:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(4096)
    except ConnectionError:
        return b""


def _answer(found: Any) -> Catalogue:
    if isinstance(found, str):
        raise InputError(found)
    if isinstance(found, tuple):
        raise ChoiceNeededError(*found)
    return found


class _Trusted(pickle.Unpickler):
    """Takes what our own process made, and nothing but arrays, tables and our own classes.

    The file of a stranger is never unpickled. But a stranger's file that took over the process
    which reads it should not get further than that process.
    """

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if f"{module}.".startswith(_OURS) or name in _PLAIN.get(module, ()):
            return super().find_class(module, name)
        raise InputError(f"The process that reads catalogues answered with {module}.{name}.")


# Of this server.
READER = Reader()
