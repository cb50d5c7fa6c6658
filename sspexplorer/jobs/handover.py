"""Catalogues handed from one process to another by a file, without a copy of their numbers.

Arrays and tables lie in the file as they are in memory, each at the beginning of a cache line, then
the pickle that refers to them, then where all of that is. Who takes it maps the file: the numbers
stay on disk until they are asked for, and the system may let go of them again.
"""

import io
import json
import mmap
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

_LINE = 64  # bytes
_LENGTH = struct.Struct("<Q")


def hand_over(found: Any, path: Path) -> None:
    """Write an object, array by array.

    Parameters
    ----------
    found : object
        Of numpy and Arrow, or anything that can be pickled.
    path : Path
        The file; it is made.
    """
    places: list[tuple[int, int]] = []
    with path.open("wb") as file:

        def keep(buffer: pickle.PickleBuffer) -> None:
            file.seek(-file.tell() % _LINE, io.SEEK_CUR)
            with buffer.raw() as raw:
                places.append((file.tell(), raw.nbytes))
                file.write(raw)

        data = pickle.dumps(found, protocol=5, buffer_callback=keep)
        places.append((file.tell(), len(data)))
        file.write(data)
        where = json.dumps(places).encode()
        file.write(where + _LENGTH.pack(len(where)))


def take(path: Path, unpickler: Callable[..., pickle.Unpickler]) -> Any:
    """Take what was handed over; the file may be removed at once.

    What is changed of its arrays is changed in memory alone.

    Parameters
    ----------
    path : Path
    unpickler : callable
        Makes an Unpickler of a binary file and ``buffers``.
    """
    with path.open("rb") as file:
        # Its numbers may be changed, which the file is not told of.
        whole = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    (length,) = _LENGTH.unpack(whole[-_LENGTH.size :])
    places = json.loads(bytes(whole[-_LENGTH.size - length : -_LENGTH.size]))
    *buffers, data = (whole[start : start + size] for start, size in places)
    return unpickler(io.BytesIO(data), buffers=buffers).load()
