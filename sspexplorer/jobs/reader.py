"""The process that reads strangers' files, one child of its own for each.

    python -m sspexplorer.jobs.reader SOCKET

It imports all that reading needs, once, then listens on a Unix socket. Each connection is one file:
a line of JSON says what to read and within which limits, and a child, forked in milliseconds, does
it. The child answers with its number, and with ``done`` when what came of it is in the file that it
was told. When whoever asked hangs up, the child ends, whatever it was doing. When standard
input ends the server is gone, and so is this process.
"""

import contextlib
import io
import json
import os
import resource
import select
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table

from sspexplorer.bands import BAND_NAMES, N_BANDS
from sspexplorer.bounds import Bounds
from sspexplorer.catalogue import ChoiceNeededError, read_catalogue, scoring
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.errors import InputError
from sspexplorer.jobs.handover import hand_over
from sspexplorer.jobs.reading import DONE


def main() -> None:
    """Listen until standard input ends."""
    _warm()
    # Children are not waited for, and Ctrl-C is for the server.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sys.argv[1])
        listener.listen(64)
        while True:
            ready, _, _ = select.select([sys.stdin, listener], [], [])
            if sys.stdin in ready:
                return
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    listener.close()
                    _serve(connection)


def _warm() -> None:
    """Read a first table, for all that is loaded and kept then each child would load for itself.

    It is FITS, since Arrow starts threads when it reads text, and what has threads is not forked.
    """
    scoring.warm()
    file = io.BytesIO()
    fluxes = 1e-28 * np.linspace(1, 2, 2 * N_BANDS).reshape(2, N_BANDS)
    Table(fluxes, names=BAND_NAMES).write(file, format="fits")
    file.seek(0)
    read_catalogue(file, "first.fits")


def _serve(connection: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    lines = connection.makefile("rw", encoding="utf-8")
    try:
        print(os.getpid(), file=lines, flush=True)
        task = json.loads(lines.readline())
        threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
        _limit(task["memory"], task["seconds"])
        hand_over(_read(task), Path(task["result"]))
        print(DONE, file=lines, flush=True)
    finally:
        os._exit(0)


def _end_with(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.recv(1)
    os._exit(1)


def _limit(memory: int, seconds: float) -> None:
    """Bound what this process may still take."""
    with contextlib.suppress(OSError, ValueError):
        # What it has in pages that it can write, as RLIMIT_DATA counts it.
        pages = int(Path("/proc/self/statm").read_text().split()[5])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    cpu = int(2 * seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read(task: dict[str, Any]) -> Any:
    """A catalogue, or why there is none: an error, or the arguments of a question."""
    try:
        return read_catalogue(
            Path(task["path"]),
            task["name"],
            columns=task["columns"] or None,
            masks=MaskRule(**task["masks"]),
            galactic=task["galactic"],
            bounds=Bounds(**task["bounds"]),
        )
    except ChoiceNeededError as question:
        return str(question), question.option, question.choices
    except InputError as error:
        return str(error)
    except MemoryError:
        return f"{task['name']} needs more memory than reading a file may take."


if __name__ == "__main__":
    main()
