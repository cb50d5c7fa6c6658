"""What is done with each piece of a catalogue, in this process or in another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa

from sspexplorer.catalogue.held import Catalogue
from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.streams.counted import Counted
from sspexplorer.streams.parts import Parts
from sspexplorer.streams.pieces import Piece
from sspexplorer.streams.survey import Reader


class Answering(Protocol):
    """Makes answers to the rows of a catalogue."""

    @property
    def prefix(self) -> str:
        """What the names of its columns begin with."""

    def answers(
        self, catalogue: Catalogue, progress: Progress = NO_PROGRESS
    ) -> tuple[pd.DataFrame, int]:
        """Answers to all rows, and how many were corrected for zero points."""

    def no_rows(self) -> pd.DataFrame:
        """A table of answers without rows, which says names and types."""

    def remarks(self, counted: Counted, absolute: bool) -> tuple[str, ...]:
        """Sentences on the whole."""

    def key(self) -> dict[str, Any]:
        """What the answers depend on, as JSON can hold it."""


def chosen_columns(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Columns to write, of those that there are: the wanted ones in their order, all without.

    Raises
    ------
    InputError
        If one is not there.
    """
    for name in wanted:
        if name not in names:
            raise InputError(f"There is no column {name!r} to write; there are {', '.join(names)}.")
    return [name for name in names if name in wanted] if wanted else list(names)


@dataclass(frozen=True)
class Work:
    """How the tables of a catalogue are answered and kept.

    Attributes
    ----------
    reader : Reader
    answering : Answering
    columns : tuple of str
        Those that are kept.
    parts : Parts
    size : int
        Rows of a table.
    """

    reader: Reader
    answering: Answering
    columns: tuple[str, ...]
    parts: Parts
    size: int

    @cached_property
    def schema(self) -> pa.Schema:
        """Of every table of answers."""
        empty = self.answering.no_rows()[list(self.columns)]
        return pa.Table.from_pandas(empty, preserve_index=False).schema.remove_metadata()

    def missing(self, piece: Piece) -> int:
        """How many rows of a piece have no answers yet."""
        return sum(n for start, n in piece.chunks(self.size) if not self.parts.has(start, n))

    def do(
        self,
        piece: Piece,
        tell: Callable[[int], None] = lambda rows: None,
        span: tuple[int, int] | None = None,
    ) -> int:
        """Answer the tables of a piece that have no answers yet.

        Parameters
        ----------
        piece : Piece
        tell : callable
            Told how many rows were answered, after each table; what it raises ends the work.
        span : tuple of int, optional
            First and last, not included, of its tables; all if not given.

        Returns
        -------
        int
            Rows that were answered.
        """
        first, last = span or (0, piece.rows)
        places = list(piece.chunks(self.size))[:last]
        lacking = [i >= first and not self.parts.has(*place) for i, place in enumerate(places)]
        if not any(lacking):
            return 0
        done = 0
        tables = self.reader.stored.tables(piece, self.size)
        for (start, n), lacks, table in zip(places, lacking, tables, strict=False):
            if not lacks:
                continue
            catalogue = self.reader.read(table)
            answers, corrected = self.answering.answers(catalogue)
            counted = Counted.of(catalogue, answers, self.answering.prefix, start, corrected)
            kept = pa.Table.from_pandas(answers[list(self.columns)], preserve_index=False)
            self.parts.save(start, kept.cast(self.schema), counted)
            done += n
            tell(n)
        return done
