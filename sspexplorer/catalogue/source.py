"""What a reader is given and gives back."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sspexplorer.catalogue.values import AnyTable
from sspexplorer.errors import InputError

LooksRight = Callable[[list[str]], bool]


@dataclass(frozen=True)
class Source:
    """A file, or the bytes of one, under a name.

    Raises
    ------
    InputError
        From each method, if what it finds cannot be used.
    """

    name: str
    data: Path | bytes

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
    def size(self) -> int:
        """Bytes in all."""
        return len(self.data) if isinstance(self.data, bytes) else self.data.stat().st_size

    def load(self) -> bytes:
        """All bytes."""
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()

    def refuse_html(self) -> None:
        """Raise InputError for a web page, which is what a failed download leaves."""
        if self.head.lstrip().lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
            raise InputError(
                f"{self.name} is a web page, not a catalogue; download the file itself."
            )

    def refuse_duplicates(self, names: list[str]) -> None:
        """Raise InputError if two columns have the same name."""
        repeated = next((column for column, n in Counter(names).items() if n > 1), None)
        if repeated is not None:
            shown = f"called {repeated!r}" if repeated else "without a name"
            raise InputError(f"{self.name} has two columns {shown}.")


@dataclass(frozen=True)
class FileTable:
    """A table as a file holds it.

    Attributes
    ----------
    table : pyarrow.Table or astropy Table
        Arrow for CSV (every cell text) and Parquet, astropy for the rest.
    delimiter : str
        What separates the cells of a text table; "" if it was none.
    notes : tuple of str
        Sentences on how it was read.
    """

    table: AnyTable
    delimiter: str = ""
    notes: tuple[str, ...] = ()
