"""The first look at a catalogue: all its rows pass by, and how to read them is decided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add, or_

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
from sspexplorer.streams.pieces import Piece, Stored
from sspexplorer.streams.spread import OneByOne, Spread


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


def surveyed(
    stored: Stored,
    asked: Asked,
    size: int,
    spread: Spread | None = None,
    progress: Progress = NO_PROGRESS,
) -> Surveyed:
    """Let all rows of a catalogue pass by, and decide how it is read.

    Decided is by the same rows as if it were read as a whole.

    Parameters
    ----------
    stored : Stored
    asked : Asked
    size : int
        Rows at a time.
    spread : Spread, optional
        Has the rows looked at, by this process if not given.
    progress : Progress, optional

    Raises
    ------
    InputError
        If it is damaged or cannot be used.
    """
    found: dict[int, _Look] = {}
    done = 0

    def tell(look: _Look) -> None:
        nonlocal done
        progress.check()
        found[look.start] = look
        done += look.rows
        progress.report(done / stored.rows, "looked through")

    (spread or OneByOne()).each(partial(_look, stored, asked, size), stored.pieces(size), tell)
    return _decided(stored, asked, [found[start] for start in sorted(found)])


@dataclass(frozen=True)
class _Look:
    """What was seen of a piece.

    Attributes
    ----------
    start, rows : int
        Of the piece.
    some : tuple of FileTable
        Rows, evenly spread over the whole.
    columns : tuple of RedshiftColumn
        Columns that may hold redshifts.
    seen : tuple of Seen
        What is in each of them.
    twins : tuple of str
        Sentences on columns that are there twice.
    masked : frozenset of str
        Columns of which a cell is masked.
    """

    start: int
    rows: int
    some: tuple[FileTable, ...]
    columns: tuple[RedshiftColumn, ...]
    seen: tuple[Seen, ...]
    twins: tuple[str, ...]
    masked: frozenset[str]


def _look(stored: Stored, asked: Asked, size: int, piece: Piece) -> _Look:
    """Look at all rows of a piece."""
    every = _every(stored)
    some: list[FileTable] = []
    columns: tuple[RedshiftColumn, ...] = ()
    seen: list[Seen] = []
    twins: tuple[str, ...] = ()
    masked: frozenset[str] = frozenset()
    for file, (start, _) in zip(stored.tables(piece, size), piece.chunks(size), strict=True):
        if start == piece.start:
            columns = _redshifts(file, asked, stored.name)
            seen = [Seen()] * len(columns)
        rows = np.arange(-start % every, len(file.table), every)
        if len(rows):
            some.append(replace(file, table=_taken(file.table, rows)))
        seen = [
            before + Seen.of(file.table, column)
            for before, column in zip(seen, columns, strict=True)
        ]
        twins = refuse_different_twins(file, stored.name)
        if not isinstance(file.table, pa.Table):
            masked |= {c.name for c in file.table.itercols() if np.any(getattr(c, "mask", False))}
    return _Look(piece.start, piece.rows, tuple(some), columns, tuple(seen), twins, masked)


def _every(stored: Stored) -> int:
    """Of so many rows one is kept."""
    return max(1, stored.rows // SAMPLE_ROWS)


def _decided(stored: Stored, asked: Asked, looks: Sequence[_Look]) -> Surveyed:
    """Decide of all that was seen."""
    some = [file for look in looks for file in look.some]
    seen = [reduce(add, of_column) for of_column in zip(*(x.seen for x in looks), strict=True)]
    notes = (*stored.notes, *looks[-1].twins)
    file = replace(some[0], table=_below([part.table for part in some]), notes=notes)
    redshifts = RedshiftRules.decided(
        looks[0].columns, seen, file.table, _every(stored), own_names(file)
    )
    found, rules = understood(file, stored.name, asked, redshifts=redshifts)
    masked = reduce(or_, (look.masked for look in looks))
    return Surveyed(Reader(stored, asked, rules, masked), found)


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
