"""Files that are at their place when all of them is there, and not before."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows, where what a killed process has left stays.
    fcntl = None  # type: ignore[assignment]

_NAME = ".sspexplorer-{}.part"


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write beside a path, and move there when the block ends without an error.

    The path may be that of a file which is being read. What processes that were killed have left
    in the folder is removed: whoever still writes holds a lock.

    Parameters
    ----------
    path : Path

    Yields
    ------
    file
        To be written, in binary.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    remove_left(path.parent)
    part, file = _new_part(path.parent)
    try:
        with file:
            yield file
            file.flush()
            if fcntl:
                # Before the lock goes, or it would be taken for left.
                os.replace(part, path)
        if not fcntl:
            os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def remove_left(folder: Path) -> None:
    """Remove parts of files that nobody writes any more."""
    for part in folder.glob(_NAME.format("*")) if fcntl else ():
        # What is locked, or of somebody else, stays.
        with contextlib.suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()


def _new_part(folder: Path) -> tuple[Path, BinaryIO]:
    """A new file that is locked for as long as it is open."""
    while True:
        part = folder / _NAME.format(secrets.token_hex(8))
        file = part.open("xb")
        if fcntl:
            # A file system without locks has nothing removed, either.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink or not fcntl:
            return part, file
        # Somebody took it for left, between its making and its lock.
        file.close()
