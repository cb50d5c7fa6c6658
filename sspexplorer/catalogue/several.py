"""Which of a file's tables is the catalogue, and fluxes and errors kept in two of them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from astropy.table import Table

from sspexplorer.catalogue.names import names_a_band, read_name
from sspexplorer.catalogue.source import FileTable, LooksRight
from sspexplorer.catalogue.values import AnyTable, as_text, column_names
from sspexplorer.errors import InputError

# Names of tables that hold what their columns' names do not say.
_ERRORS = re.compile(
    r"(.*[^a-z])?((flux|mag|f|m|phot)?_?(err(or)?s?|unc(ertaint(y|ies))?|sigmas?|std|rms))([^a-z].*)?"
)
_IVAR = re.compile(r"(.*[^a-z])?(flux)?_?(ivar|invvar|inverse_?variances?)([^a-z].*)?")


@dataclass(frozen=True)
class Part:
    """One of a file's tables: its name, its columns, its rows, and how to read it."""

    name: str
    columns: Sequence[str]
    n_rows: int
    read: Callable[[], FileTable]

    @property
    def error_suffix(self) -> str:
        """What to append to this table's columns because of its name; "" if it has no errors."""
        name = self.name.lower()
        if _IVAR.fullmatch(name):
            return "_ivar"
        return "_err" if _ERRORS.fullmatch(name) else ""


def read_one(parts: Sequence[Part], looks_right: LooksRight, file: str) -> FileTable:
    """Read the first part that looks like a catalogue, the first if none does.

    Where another part is called ERR or the like and has the same columns of bands, these are its
    errors and are appended under names that say so.

    Raises
    ------
    InputError
        If fluxes and errors are not of the same rows.
    """
    right = [part for part in parts if looks_right(list(part.columns))]
    fluxes = [part for part in right if not part.error_suffix]
    chosen = next(iter(fluxes or right or parts))
    found = chosen.read()
    bands = [name for name in chosen.columns if _of_photometry(name)]
    errors = [p for p in right if p.error_suffix and set(bands) <= set(p.columns)]
    notes = _which(parts, chosen)
    if chosen in fluxes and errors:
        found, notes = _with_errors(found, chosen, errors[0], bands, file), ()
    return replace(found, notes=(*notes, *found.notes))


def _which(parts: Sequence[Part], chosen: Part) -> tuple[str, ...]:
    if len(parts) < 2:
        return ()
    called = f" ({chosen.name})" if chosen.name else ""
    number = list(parts).index(chosen) + 1
    return (f"The file has {len(parts)} tables; this is number {number}{called}.",)


def _with_errors(
    found: FileTable, fluxes: Part, errors: Part, bands: list[str], file: str
) -> FileTable:
    if fluxes.n_rows != errors.n_rows:
        raise InputError(
            f"{file} has {fluxes.n_rows} rows of fluxes in {fluxes.name or 'one table'} and "
            f"{errors.n_rows} of errors in {errors.name}; they must be of the same galaxies."
        )
    table, other = found.table, errors.read().table
    for name in set(column_names(table)) & set(column_names(other)) - set(bands):
        if not _same(table, name, other, name):
            raise InputError(
                f"{file} has other values of {name} in {fluxes.name or 'its fluxes'} than in "
                f"{errors.name}; fluxes and errors must be in the same order."
            )
    if isinstance(table, Table):
        table = table.copy(copy_data=False)
    for name in bands:
        new = f"{name}{errors.error_suffix}"
        if isinstance(table, Table):
            table[new] = other[name]
        else:
            table = table.append_column(other.schema.field(name).with_name(new), other[name])
    note = (
        f"Fluxes are from the table {fluxes.name or 'without a name'}, their errors from "
        f"{errors.name}, in columns called {bands[0]}{errors.error_suffix} and so on."
    )
    return replace(found, table=table, notes=(note, *found.notes))


def _of_photometry(name: str) -> bool:
    """Whether a column holds a band's flux or error, or those of all bands."""
    column = read_name(name)
    return names_a_band(name) or (column is not None and column.trusted)


def _same(one: AnyTable, name: str, other: AnyTable, other_name: str) -> bool:
    """Whether two columns hold the same."""
    columns = one[name], other[other_name]
    if not isinstance(one, Table):
        return columns[0].equals(columns[1])
    if all(getattr(column, "dtype", np.dtype("O")).kind in "iuf" for column in columns):
        first, second = map(np.ma.getdata, columns)
        return np.array_equal(first, second, equal_nan=True)
    return [as_text(cell) for cell in columns[0]] == [as_text(cell) for cell in columns[1]]


def refuse_different_twins(found: FileTable, file: str) -> tuple[str, ...]:
    """Sentences on columns that share a name.

    Raises
    ------
    InputError
        Where they are a band's and differ.
    """
    notes = []
    for new, name in (found.renamed or {}).items():
        if _of_photometry(name) and not _same(found.table, name, found.table, new):
            raise InputError(
                f"{file} has two columns called {name!r} with different values; take one out, or "
                "give it another name."
            )
        called = f"called {name!r}" if name else "without a name"
        notes.append(f"Another column is {called}; it is {new} from here on.")
    return tuple(notes)
