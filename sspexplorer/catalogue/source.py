"""What a reader is given and gives back."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sspexplorer.bounds import GENEROUS, Bounds
from sspexplorer.catalogue.convert import free_name
from sspexplorer.catalogue.values import AnyTable
from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress

LooksRight = Callable[[list[str]], bool]


@dataclass(frozen=True)
class Source:
    """A file, or the bytes of one, under a name; whoever reads it tells ``progress``.

    Raises
    ------
    InputError
        From each method, if what it finds cannot be used.
    """

    name: str
    data: Path | bytes
    progress: Progress = NO_PROGRESS
    bounds: Bounds = GENEROUS

    @cached_property
    def head(self) -> bytes:
        """First few hundred bytes, without a byte order mark."""
        if isinstance(self.data, bytes):
            head = self.data[:512]
        else:
            with self.data.open("rb") as file:
                head = file.read(512)
        return head.removeprefix(b"\xef\xbb\xbf")

    @property
    def _tail(self) -> bytes:
        if isinstance(self.data, bytes):
            return self.data[-4:]
        with self.data.open("rb") as file:
            file.seek(max(0, self.size - 4))
            return file.read()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    def load(self) -> bytes:
        """All bytes."""
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()

    def end_notes(self) -> tuple[str, ...]:
        """Sentence on text that may be cut within its very last cell, which nothing else shows."""
        if self._tail.rstrip(b" \t\x00\x1a").endswith((b"\n", b"\r")):
            return ()
        return ("The last line has no line end: if the file was cut, its last cell is too short.",)

    def refuse_html(self) -> None:
        """Raise InputError for a web page, which is what a failed download leaves."""
        if self.head.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
            raise InputError(
                f"{self.name} is a web page, not a catalogue; download the file itself."
            )


class Watched(io.BytesIO):
    """Bytes that tell how far they are read, and raise Cancelled if that is to stop."""

    def __init__(self, data: bytes, progress: Progress) -> None:
        super().__init__(data)
        self._progress, self._size = progress, max(1, len(data))

    def read(self, size: int | None = -1) -> bytes:
        """Read on."""
        self._progress.check()
        self._progress.report(self.tell() / self._size)
        return super().read(size)


@dataclass(frozen=True)
class FileTable:
    """A table as a file holds it.

    Attributes
    ----------
    table : pyarrow.Table or astropy Table
        Arrow for text (every cell as text), Parquet and Feather, astropy for the rest. Units and
        descriptions of Arrow columns are in the metadata of their fields.
    delimiter : str
        What separates the cells of a text table; "" if it was none.
    notes : tuple of str
        Sentences on how it was read.
    renamed : dict of str to str
        Columns whose name another had before them: the name that is theirs now, and the one that
        they share.
    """

    table: AnyTable
    delimiter: str = ""
    notes: tuple[str, ...] = ()
    renamed: dict[str, str] | None = None


def distinct(names: list[str]) -> tuple[list[str], dict[str, str]]:
    """Names made distinct, as after a join of two tables, and which were changed.

    >>> distinct(["ID", "z", "ID"])
    (['ID', 'z', 'ID_2'], {'ID_2': 'ID'})
    """
    taken, found, renamed = {name.lower() for name in names}, [], {}
    # How often each was seen: the next number is looked for from there on, not from 2 each time.
    seen: dict[str, int] = {}
    for name in names:
        new, seen[name] = name, seen.get(name, 0) + 1
        if seen[name] > 1:
            new = free_name(name or "unnamed", taken, seen[name])
            taken.add(new.lower())
            renamed[new] = name
        found.append(new)
    return found, renamed
