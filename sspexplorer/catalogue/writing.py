"""Tables to files: the rows and columns that were read, then further columns."""

import csv
import io
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
from astropy.table import Table

from sspexplorer.catalogue.columnar import write_columnar
from sspexplorer.catalogue.columns import described
from sspexplorer.catalogue.convert import free_name, text_cells, to_arrow, to_astropy, typed
from sspexplorer.catalogue.files import FORMATS, ending
from sspexplorer.catalogue.headers import described_field, keywords
from sspexplorer.catalogue.packed import packing, packing_writer
from sspexplorer.catalogue.simplify import as_bytes
from sspexplorer.catalogue.values import AnyTable, column_names, plain_array
from sspexplorer.errors import InputError
from sspexplorer.whole import whole

Save = Callable[[BinaryIO], tuple[str, ...]]

_ROWS_AT_ONCE = 10_000
# Format of text for spreadsheets, such as ".sheets.csv".
_SHEETS = ".sheets"
# What spreadsheets take for a formula, unless it is a number.
_FORMULA = re.compile(r"[\t\r\n ]*[=+\-@\u2212]")
_NUMBER = re.compile(
    r"\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eEdD][+-]?\d+)?\s*|\s*[+-]?(nan|inf)\s*", re.I
)
# What separates columns in files with these endings, whatever did in the input.
_SEPARATORS = {".tsv": "\t", ".dat": " ", ".cat": " ", ".asc": " ", ".ascii": " "}


def write(
    table: AnyTable,
    target: str | Path | BinaryIO,
    form: str | None,
    extra: pd.DataFrame | None,
    delimiter: str = "",
    arrays: frozenset[str] = frozenset(),
    about: Mapping[str, Any] | None = None,
) -> tuple[str, ...]:
    """Write a table and further columns; see :meth:`Catalogue.write`.

    Parameters
    ----------
    table : pyarrow.Table or astropy Table
    target, form, extra, about
        As there.
    delimiter : str
        Says that ``table`` is text, and how its file separated the cells.
    arrays : frozenset of str
        Text columns that hold arrays of numbers.
    """
    path = Path(target) if isinstance(target, str | Path) else None
    if form is None:
        if path is None:
            raise InputError("Writing to a stream needs a format, such as 'csv'.")
        form = ending(path.name)
    suffix = ending(f".{form}")
    pack = packing(suffix)
    kind = FORMATS[suffix.removesuffix(pack)]
    new, renamed = _new_columns(table, extra)
    meta = keywords(table) | dict(about or {})
    if delimiter and kind != "csv":
        table = typed(table, arrays, exact=kind in ("parquet", "feather"))

    def save(file: BinaryIO) -> tuple[str, ...]:
        if pack:
            with packing_writer(pack, file) as packed:
                return save_plain(packed)
        return save_plain(file)

    def save_plain(file: BinaryIO) -> tuple[str, ...]:
        if kind == "csv":
            own = delimiter if delimiter != " " or suffix.startswith(".txt") else ","
            separator = _SEPARATORS.get(suffix.removesuffix(pack), own or ",")
            sheets = str(form).removesuffix(suffix).endswith(_SHEETS)
            return _write_text(table, new, separator, file, sheets)
        elif kind in ("parquet", "feather"):
            write_columnar(_joined(_arrow(table), new), meta, kind, file)
        else:
            content, notes = as_bytes(_astropy(table, new), meta, kind)
            file.write(content)
            return notes
        return ()

    return renamed + _save(save, path, target, str(path or form))


def _new_columns(
    table: AnyTable, extra: pd.DataFrame | None
) -> tuple[pa.Table | None, tuple[str, ...]]:
    """Further columns under names that are free, and a sentence for each that had to change."""
    if extra is None or not len(extra.columns):
        return None, ()
    if len(extra) != len(table):
        raise ValueError(f"{len(extra)} rows of new columns for a catalogue of {len(table)}.")
    taken = {name.lower() for name in column_names(table)}
    fields, renamed = [], []
    new = pa.Table.from_pandas(extra, preserve_index=False).replace_schema_metadata()
    for field, wanted in zip(new.schema, map(str, extra.columns), strict=True):
        name = free_name(wanted, taken)
        if name != wanted:
            renamed.append(f"The catalogue has a column {wanted}, so the new one is {name}.")
        taken.add(name.lower())
        said = described(wanted)
        field = described_field(field, **said._asdict()) if said else field
        fields.append(field.with_name(name))
    return pa.Table.from_arrays(new.columns, schema=pa.schema(fields)), tuple(renamed)


def _save(save: Save, path: Path | None, target: Any, shown: str) -> tuple[str, ...]:
    try:
        if path is None:
            return save(target)
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as file:
                return save(file)
        # The path may be the file that was read.
        with whole(path.resolve()) as file:
            return save(file)
    except OSError as error:
        reason = error.strerror or error
    # The writers promise no set of exceptions for what their format cannot hold.
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    raise InputError(f"{shown} cannot be written: {reason}.")


def _arrow(table: AnyTable) -> pa.Table:
    return table if isinstance(table, pa.Table) else to_arrow(table)


def _joined(table: pa.Table, new: pa.Table | None) -> pa.Table:
    if new is None:
        return table
    for field in new.schema:
        table = table.append_column(field, new[field.name])
    return table


def _astropy(table: AnyTable, new: pa.Table | None) -> Table:
    both = to_astropy(table) if isinstance(table, pa.Table) else table.copy(copy_data=False)
    for column in () if new is None else to_astropy(new).itercols():
        both.add_column(column)
    return both


def for_spreadsheets(suffix: str) -> str:
    """Format in which cells that a spreadsheet would compute are text.

    Parameters
    ----------
    suffix : str
        Ending of a file, such as ".csv" or ".csv.gz".

    Raises
    ------
    InputError
        If files with this ending hold no text.
    """
    if FORMATS.get(suffix.removesuffix(packing(suffix))) != "csv":
        raise InputError(f"Files for spreadsheets are text, such as .csv, and not {suffix}.")
    return f"{_SHEETS}{suffix}"


def as_text(cell: str | None) -> str | None:
    """Cell that a spreadsheet shows as it is, with an apostrophe before what it would compute.

    >>> as_text("=1+1"), as_text("-1.5")
    ("'=1+1", '-1.5')
    """
    if cell and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _write_text(
    table: AnyTable, new: pa.Table | None, delimiter: str, file: BinaryIO, sheets: bool
) -> tuple[str, ...]:
    joined = _joined(_arrow(table), new)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    plain = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    quoted = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    names = list(map(as_text, joined.column_names)) if sheets else joined.column_names
    n_changed = sum(map(operator.ne, names, joined.column_names))
    plain.writerow(names)
    for start in range(0, len(joined), _ROWS_AT_ONCE):
        block = joined.slice(start, _ROWS_AT_ONCE)
        cells = [text_cells(plain_array(c)) for c in block.columns]
        if sheets:
            safe = [list(map(as_text, column)) for column in cells]
            n_changed += sum(sum(map(operator.ne, *both)) for both in zip(safe, cells, strict=True))
            cells = safe
        # Spaces need quotes to tell an empty cell; a row that starts with # would be a comment.
        comments = any((cell or "").lstrip().startswith("#") for cell in cells[0])
        writer = quoted if delimiter == " " or comments else plain
        writer.writerows(zip(*cells, strict=True))
    text.detach()
    if not n_changed:
        return ()
    which = "1 cell that begins" if n_changed == 1 else f"{n_changed:,} cells that begin"
    return (f"{which} like a formula: with an apostrophe before it, so that it stays text.",)
