"""The first look at a catalogue: all its rows pass by, and how to read them is decided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from astropy.table import vstack

from sspexplorer.catalogue.columns_map import ColumnsMap, check_map
from sspexplorer.catalogue.decide import SAMPLE_ROWS
from sspexplorer.catalogue.held import Catalogue
from sspexplorer.catalogue.reading import Asked, Rules, offered, own_names, understood
from sspexplorer.catalogue.redshift_values import RedshiftRules, Seen
from sspexplorer.catalogue.redshifts import RedshiftColumn
from sspexplorer.catalogue.several import refuse_different_twins
from sspexplorer.catalogue.source import FileTable
from sspexplorer.catalogue.values import AnyTable, column_names, column_width
from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.streams.pieces import Stored


@dataclass(frozen=True)
class Reader:
    """A catalogue on disk, and how each of its tables is read.

    Attributes
    ----------
    stored : Stored
    asked : Asked
    rules : Rules
    masked : frozenset of str
        Columns of which a cell is masked, where tables are astropy's.
    """

    stored: Stored
    asked: Asked
    rules: Rules
    masked: frozenset[str] = frozenset()

    def read(self, table: FileTable) -> Catalogue:
        """Understand one of the catalogue's tables."""
        return understood(table, self.stored.name, self.asked, self.rules)[0]


@dataclass(frozen=True, eq=False)
class Surveyed:
    """A catalogue whose rows have all passed by once.

    Attributes
    ----------
    reader : Reader
    some : Catalogue
        Rows, evenly spread, by which it was decided how it is read.
    """

    reader: Reader
    some: Catalogue


def surveyed(stored: Stored, asked: Asked, size: int, progress: Progress = NO_PROGRESS) -> Surveyed:
    """Let all rows of a catalogue pass by, and decide how it is read.

    Decided is by the same rows as if it were read as a whole.

    Parameters
    ----------
    stored : Stored
    asked : Asked
    size : int
        Rows at a time.
    progress : Progress, optional

    Raises
    ------
    InputError
        If it is damaged or cannot be used.
    """
    look = _Look(stored, asked)
    for piece in stored.pieces(size):
        places = piece.chunks(size)
        for table, (start, n) in zip(stored.tables(piece, size), places, strict=True):
            progress.check()
            look.at(table, start)
            progress.report((start + n) / stored.rows, "looked through")
    return look.decided()


class _Look:
    """What was seen so far."""

    def __init__(self, stored: Stored, asked: Asked) -> None:
        self._stored, self._asked = stored, asked
        self._every = max(1, stored.rows // SAMPLE_ROWS)
        self._some: list[FileTable] = []
        self._columns: tuple[RedshiftColumn, ...] = ()
        self._seen: list[Seen] = []
        self._twins: tuple[str, ...] = ()
        self._masked: frozenset[str] = frozenset()

    def at(self, file: FileTable, start: int) -> None:
        """See the rows of a table whose first is the ``start``-th of all."""
        if not start:
            self._columns = _redshifts(file, self._asked, self._stored.name)
            self._seen = [Seen()] * len(self._columns)
        rows = np.arange(-start % self._every, len(file.table), self._every)
        if len(rows):
            self._some.append(replace(file, table=_taken(file.table, rows)))
        self._seen = [
            seen + Seen.of(file.table, column)
            for seen, column in zip(self._seen, self._columns, strict=True)
        ]
        self._twins = refuse_different_twins(file, self._stored.name)
        if not isinstance(file.table, pa.Table):
            columns = file.table.itercols()
            self._masked |= {c.name for c in columns if np.any(getattr(c, "mask", False))}

    def decided(self) -> Surveyed:
        """Decide of all that was seen."""
        stored, tables = self._stored, [file.table for file in self._some]
        notes = (*stored.notes, *self._twins)
        file = replace(self._some[0], table=_below(tables), notes=notes)
        redshifts = RedshiftRules.decided(
            self._columns, self._seen, file.table, self._every, own_names(file)
        )
        some, rules = understood(file, stored.name, self._asked, redshifts=redshifts)
        return Surveyed(Reader(stored, self._asked, rules, self._masked), some)


def _redshifts(file: FileTable, asked: Asked, name: str) -> tuple[RedshiftColumn, ...]:
    """Columns that may hold redshifts."""
    mapped = ColumnsMap()
    try:
        if asked.columns is not None:
            names = column_names(file.table)
            mapped = check_map(asked.columns, names, lambda c: column_width(file.table, c))
    except InputError as error:
        raise InputError(f"{name}: {error}") from None
    return offered(file, mapped)


def _taken(table: AnyTable, rows: np.ndarray) -> AnyTable:
    return table.take(rows) if isinstance(table, pa.Table) else table[rows]


def _below(tables: Sequence[AnyTable]) -> AnyTable:
    """One table of several with the same columns."""
    if isinstance(tables[0], pa.Table):
        return pa.concat_tables(tables)
    return vstack(list(tables), metadata_conflicts="silent") if len(tables) > 1 else tables[0]
