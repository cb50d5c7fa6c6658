"""A session of the catalogue page as a file: which catalogue, how predicted, what was kept."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import sspexplorer
from sspexplorer.analysis.selections import Kept
from sspexplorer.app.apply.reading import Reading
from sspexplorer.errors import InputError

_KIND = "session of SSP Explorer"
_LARGEST = 64 << 20  # bytes


@dataclass(frozen=True, eq=False)
class Session:
    """What can be opened again.

    Attributes
    ----------
    name : str
        Of the catalogue's file.
    digest : str
        SHA-256 of its content, by which it is known again.
    link : mapping of str to str
        What the address of the page said.
    reading : Reading
        How the file was read.
    selections : mapping of str to tuple of int
        Rows, counted from 0, of each selection that was kept.
    """

    name: str
    digest: str
    link: Mapping[str, str]
    reading: Reading
    selections: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(
        cls, path: Path, name: str, link: Mapping[str, str], reading: Reading, kept: Kept
    ) -> "Session":
        """What a page shows; reads the file, so that it takes a second for a gigabyte."""
        rows = {n: tuple(map(int, np.flatnonzero(mask))) for n, mask in kept.rows.items()}
        return cls(name, digest_of(path), dict(link), reading, rows)

    def to_bytes(self) -> bytes:
        """Write as JSON, for :meth:`read`."""
        said = {
            "kind": _KIND,
            "version": sspexplorer.__version__,
            "catalogue": {"name": self.name, "sha256": self.digest},
            "link": dict(self.link),
            "reading": self.reading.to_dict(),
            "selections": {name: list(rows) for name, rows in self.selections.items()},
        }
        return json.dumps(said, ensure_ascii=False, indent=1).encode()

    @classmethod
    def read(cls, data: bytes, name: str) -> "Session":
        """Read what :meth:`to_bytes` wrote.

        Parameters
        ----------
        data : bytes
        name : str
            Of the file, for sentences.

        Raises
        ------
        InputError
            If it is something else.
        """
        if len(data) > _LARGEST:
            raise InputError(f"{name} is larger than {_LARGEST >> 20} MB, which no session is.")
        try:
            said = json.loads(data.decode("utf-8-sig"))
            if said["kind"] != _KIND:
                raise ValueError
            catalogue, link = said["catalogue"], said["link"]
            return cls(
                _text(catalogue["name"]),
                _text(catalogue["sha256"]),
                {_text(key): _text(value) for key, value in link.items()},
                _reading(said["reading"]),
                {_text(key): _rows(rows) for key, rows in said["selections"].items()},
            )
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise InputError(
                f"{name} is not a session that was saved here, or was changed since."
            ) from None

    def kept(self, n_rows: int) -> Kept:
        """The selections, of a catalogue with so many rows.

        Raises
        ------
        InputError
            If a selection has rows that the catalogue has not, or cannot be kept.
        """
        found = Kept(n_rows)
        for name, rows in self.selections.items():
            if rows and max(rows) >= n_rows:
                raise InputError(f"The selection “{name}” has rows that the catalogue has not.")
            mask = np.zeros(n_rows, dtype=bool)
            mask[list(rows)] = True
            found = found.including(name, mask)
        return found


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _rows(value: Any) -> tuple[int, ...]:
    if not all(type(row) is int and row >= 0 for row in value):
        raise TypeError
    return tuple(value)


def _reading(said: Any) -> Reading:
    """How a file was read; what is in the map of columns is looked at when it is read so again."""
    masks, galactic = said["masks"], said["galactic"]
    if not isinstance(said["columns"], dict) or type(masks["masks"]) is not bool:
        raise TypeError
    if not isinstance(masks["largest_flag"], int | None):
        raise TypeError
    if not isinstance(galactic, str | float | int):
        raise TypeError
    return Reading.from_dict(said)
