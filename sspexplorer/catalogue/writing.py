"""Tables to files: the rows and columns that were read, then further columns."""

import base64
import csv
import io
import operator
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import Table

from sspexplorer.catalogue.columnar import for_columnar, whole_metadata, write_columnar
from sspexplorer.catalogue.columns import described
from sspexplorer.catalogue.convert import free_name, text_cells, to_arrow, to_astropy, typed
from sspexplorer.catalogue.files import FORMATS, ending
from sspexplorer.catalogue.headers import described_field, keywords, longest_text
from sspexplorer.catalogue.packed import packing, packing_writer
from sspexplorer.catalogue.simplify import as_bytes
from sspexplorer.catalogue.values import AnyTable, column_names, plain_array
from sspexplorer.errors import Cancelled, InputError
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
    new, renamed = new_columns(table, extra)
    meta = keywords(table) | dict(about or {})
    if delimiter and kind != "csv":
        table = typed(table, arrays, exact=kind in ("parquet", "feather"))

    def save_whole(file: BinaryIO) -> tuple[str, ...]:
        if pack:
            with packing_writer(pack, file) as packed:
                return save_plain(packed)
        return save_plain(file)

    def save_plain(file: BinaryIO) -> tuple[str, ...]:
        if kind == "csv":
            text = TextWriter(file, form, delimiter)
            text.append(joined(as_arrow(table), new))
            return text.finish()
        elif kind in ("parquet", "feather"):
            write_columnar(joined(as_arrow(table), new), meta, kind, file)
        else:
            content, notes = as_bytes(_astropy(table, new), meta, kind)
            file.write(content)
            return notes
        return ()

    return renamed + save(save_whole, path, target, str(path or form))


def new_columns(
    table: AnyTable, extra: pd.DataFrame | pa.Table | None
) -> tuple[pa.Table | None, tuple[str, ...]]:
    """Further columns under names that are free, and a sentence for each that had to change."""
    if extra is None or not len(extra.columns):
        return None, ()
    if isinstance(extra, pd.DataFrame):
        extra = pa.Table.from_pandas(extra, preserve_index=False).replace_schema_metadata()
    if len(extra) != len(table):
        raise ValueError(f"{len(extra)} rows of new columns for a catalogue of {len(table)}.")
    taken = {name.lower() for name in column_names(table)}
    fields, renamed = [], []
    for field in extra.schema:
        wanted = field.name
        name = free_name(wanted, taken)
        if name != wanted:
            renamed.append(f"The catalogue has a column {wanted}, so the new one is {name}.")
        taken.add(name.lower())
        said = described(wanted)
        field = described_field(field, **said._asdict()) if said else field
        fields.append(field.with_name(name))
    return pa.Table.from_arrays(extra.columns, schema=pa.schema(fields)), tuple(renamed)


def save(content: Save, path: Path | None, target: Any, shown: str) -> tuple[str, ...]:
    """Write content to a path at once, or to an open target.

    Raises
    ------
    InputError
        If that cannot be done.
    """
    try:
        if path is None:
            return content(target)
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as file:
                return content(file)
        # The path may be the file that was read.
        with whole(path.resolve()) as file:
            return content(file)
    except OSError as error:
        reason = error.strerror or error
    except (InputError, Cancelled):
        raise
    # The writers promise no set of exceptions for what their format cannot hold.
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    raise InputError(f"{shown} cannot be written: {reason}.")


def as_arrow(table: AnyTable) -> pa.Table:
    """Table in Arrow."""
    return table if isinstance(table, pa.Table) else to_arrow(table)


def joined(table: pa.Table, new: pa.Table | None) -> pa.Table:
    """Table with further columns."""
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


class TextWriter:
    """Writes tables with the same columns to text, one below the other."""

    def __init__(self, file: BinaryIO, form: str, delimiter: str) -> None:
        suffix = ending(f".{form}")
        own = delimiter if delimiter != " " or suffix.startswith(".txt") else ","
        sign = _SEPARATORS.get(suffix.removesuffix(packing(suffix)), own or ",")
        self._sheets = str(form).removesuffix(suffix).endswith(_SHEETS)
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._plain = csv.writer(self._text, delimiter=sign, lineterminator="\n")
        self._quoted = csv.writer(
            self._text, delimiter=sign, lineterminator="\n", quoting=csv.QUOTE_ALL
        )
        # Spaces need quotes to tell an empty cell.
        self._always = sign == " "
        self._begun, self._n_changed = False, 0

    def append(self, table: pa.Table) -> None:
        """Write rows, after the names if they are the first."""
        if not self._begun:
            names = list(map(as_text, table.column_names)) if self._sheets else table.column_names
            self._n_changed += sum(map(operator.ne, names, table.column_names))
            self._plain.writerow(names)
            self._begun = True
        for start in range(0, len(table), _ROWS_AT_ONCE):
            block = table.slice(start, _ROWS_AT_ONCE)
            cells = [text_cells(plain_array(c)) for c in block.columns]
            if self._sheets:
                safe = [list(map(as_text, column)) for column in cells]
                self._n_changed += sum(
                    sum(map(operator.ne, *both)) for both in zip(safe, cells, strict=True)
                )
                cells = safe
            # A row that starts with # would be a comment.
            comments = any((cell or "").lstrip().startswith("#") for cell in cells[0])
            writer = self._quoted if self._always or comments else self._plain
            writer.writerows(zip(*cells, strict=True))

    def finish(self, meta: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Let go of the file; sentences on cells that were changed. Text keeps no keywords."""
        self._text.detach()
        if not self._n_changed:
            return ()
        n = self._n_changed
        which = "1 cell that begins" if n == 1 else f"{n:,} cells that begin"
        return (f"{which} like a formula: with an apostrophe before it, so that it stays text.",)


class ParquetAppender:
    """Writes tables with the same columns to Parquet, each as a row group."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._writer: pq.ParquetWriter | None = None
        self._longest: dict[str, int] = {}

    def append(self, table: pa.Table) -> None:
        """Write rows."""
        whole = for_columnar(table)
        if self._writer is None:
            self._schema, self._example = table.schema, whole.slice(0, 1)
            # What readers take the types from is written last, with what the whole says of itself.
            self._writer = pq.ParquetWriter(
                self._file, whole.schema, compression="zstd", store_schema=False
            )
        for field in whole.schema:
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                letters = longest_text(whole[field.name])
                self._longest[field.name] = max(letters, self._longest.get(field.name, 1))
        self._writer.write_table(whole.cast(self._writer.schema), row_group_size=len(whole))

    def finish(self, meta: Mapping[str, Any]) -> tuple[str, ...]:
        """Write what the file says about itself, and end it."""
        if self._writer is not None:
            said = whole_metadata(self._schema, self._example, meta, self._longest)
            arrow = base64.b64encode(self._writer.schema.with_metadata(said).serialize())
            self._writer.add_key_value_metadata(said | {b"ARROW:schema": arrow})
            self._writer.close()
        return ()
