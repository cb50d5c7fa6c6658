"""What a catalogue on disk is to whoever reads it in pieces."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from sspexplorer.catalogue.source import FileTable
from sspexplorer.errors import InputError


class NotInPiecesError(InputError):
    """A file can be read, but only as a whole; the message says why."""


@dataclass(frozen=True)
class Piece:
    """Rows that are found on disk without reading those before them.

    Attributes
    ----------
    file : int
        Which of the files.
    start : int
        Its first row, of all.
    rows : int
    place : tuple of int
        Where it begins and ends, in row groups, rows or bytes of its file.
    """

    file: int
    start: int
    rows: int
    place: tuple[int, int]

    def chunks(self, size: int) -> Iterator[tuple[int, int]]:
        """First row and number of rows of each table that the piece is read as."""
        for start in range(0, self.rows, size):
            yield self.start + start, min(size, self.rows - start)


class Stored(Protocol):
    """A catalogue on disk."""

    @property
    def name(self) -> str:
        """Of the file, or of the first and how many more there are."""

    @property
    def files(self) -> tuple[Path, ...]:
        """Its files, in order."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on how it is read."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    def pieces(self, size: int) -> list[Piece]:
        """All pieces, in order, none much smaller than ``size`` rows where that can be."""

    def tables(self, piece: Piece, size: int) -> Iterator[FileTable]:
        """Tables of a piece, as :meth:`Piece.chunks` says, with the same columns everywhere.

        Raises
        ------
        InputError
            If it is damaged; the sentence names the file and the place.
        """

    def typed(self, table: pa.Table, exact: bool) -> pa.Table:
        """A table for a format that has types: text as numbers where all cells of a column are.

        Parameters
        ----------
        table : pyarrow.Table
        exact : bool
            See :meth:`.TextSeen.kind`.
        """


def rows_at_once(batches: Iterable[pa.Table], size: int) -> Iterator[pa.Table]:
    """Tables of ``size`` rows, the last one shorter, of tables of any number of rows."""
    held: list[pa.Table] = []
    n = 0
    for batch in batches:
        held.append(batch)
        n += len(batch)
        while n >= size:
            whole = pa.concat_tables(held)
            yield whole.slice(0, size)
            held = [whole.slice(size)] if n > size else []
            n -= size
    if n:
        yield pa.concat_tables(held)


def with_keys(path: Path) -> str:
    """Name of a file, after those of its folders that say what is in it: ``tile=17/a.parquet``."""
    keys = takewhile(lambda name: "=" in name, reversed(path.parent.parts))
    return "/".join([*reversed([*keys]), path.name])


def called(files: Sequence[Path]) -> str:
    """Name of a catalogue of several files."""
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0].name}{more}"
