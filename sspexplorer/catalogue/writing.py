"""Tables to files: the rows and columns that were read, then further columns."""

import contextlib
import csv
import gzip
import io
import os
import re
import uuid
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from astropy.table import Column, MaskedColumn, Table

from sspexplorer.catalogue.convert import (
    free_name,
    plain_columns,
    text_cells,
    to_arrow,
    to_astropy,
    typed,
)
from sspexplorer.catalogue.files import FORMATS, ending
from sspexplorer.catalogue.values import AnyTable, column_names, plain_array, strings
from sspexplorer.errors import InputError

Save = Callable[[BinaryIO], tuple[str, ...]]

_ROWS_AT_ONCE = 10_000
# Characters that names may not have.
_UNSPEAKABLE = {
    "fits": re.compile(r"[^ -~]"),
    "votable": re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"),
}
# Types a format has no word for (FITS would take int8 for true and false), and the next wider.
_WIDER = {
    "fits": {"int8": "int16", "float16": "float32", "float128": "float64"},
    "votable": {
        "int8": "int16",
        "uint16": "int32",
        "uint32": "int64",
        "float16": "float32",
        "float128": "float64",
    },
}


def write(
    table: AnyTable,
    target: str | Path | BinaryIO,
    form: str | None,
    extra: pd.DataFrame | None,
    delimiter: str = "",
    arrays: frozenset[str] = frozenset(),
) -> tuple[str, ...]:
    """Write a table and further columns; see :meth:`Catalogue.write`.

    Parameters
    ----------
    table : pyarrow.Table or astropy Table
    target, form, extra
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
        form = path.name
    suffix = ending(f".{form}")
    kind = FORMATS[suffix]
    new, renamed = _new_columns(table, extra)
    if delimiter and kind != "csv":
        table = typed(table, arrays)

    def save(file: BinaryIO) -> tuple[str, ...]:
        if kind == "csv":
            _write_csv(table, new, "\t" if suffix == ".tsv" else delimiter or ",", file)
        elif kind == "parquet":
            pq.write_table(_joined(_arrow(table), new), file, compression="zstd")
        elif suffix.endswith(".gz"):
            with gzip.open(file, "wb", compresslevel=6) as packed:
                return _write_astropy(table, new, kind, packed)
        else:
            return _write_astropy(table, new, kind, file)
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
    names, renamed = [], []
    for wanted in map(str, extra.columns):
        name = free_name(wanted, taken)
        if name != wanted:
            renamed.append(f"The catalogue has a column {wanted}, so the new one is {name}.")
        taken.add(name.lower())
        names.append(name)
    new = pa.Table.from_pandas(extra, preserve_index=False).replace_schema_metadata()
    return new.rename_columns(names), tuple(renamed)


def _save(save: Save, path: Path | None, target: object, shown: str) -> tuple[str, ...]:
    try:
        if path is None:
            return save(target)
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as file:
                return save(file)
        return _replace(save, path.resolve())
    except OSError as error:
        reason = error.strerror or error
    # The writers promise no set of exceptions for what their format cannot hold.
    except Exception as error:
        reason = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
    raise InputError(f"{shown} cannot be written: {reason}.")


def _replace(save: Save, path: Path) -> tuple[str, ...]:
    """Write beside the path and move there when done: the path may be the file that was read."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            notes = save(file)
        os.replace(part, path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return notes


def _arrow(table: AnyTable) -> pa.Table:
    return table if isinstance(table, pa.Table) else to_arrow(table)


def _joined(table: pa.Table, new: pa.Table | None) -> pa.Table:
    for field in () if new is None else new.schema:
        table = table.append_column(field, new[field.name])
    return table


def _write_csv(table: AnyTable, new: pa.Table | None, delimiter: str, file: BinaryIO) -> None:
    whole = _joined(_arrow(table), new)
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(whole.column_names)
    for start in range(0, len(whole), _ROWS_AT_ONCE):
        rows = whole.slice(start, _ROWS_AT_ONCE)
        writer.writerows(zip(*(text_cells(plain_array(c)) for c in rows.columns), strict=True))
    text.detach()


def _write_astropy(
    table: AnyTable, new: pa.Table | None, kind: str, file: BinaryIO
) -> tuple[str, ...]:
    """Write ECSV, FITS or VOTable; return a sentence for each column that was renamed."""
    with warnings.catch_warnings():
        # Units and keywords that a format has no word for are left out with a warning.
        warnings.simplefilter("ignore")
        whole = to_astropy(table) if isinstance(table, pa.Table) else table.copy(copy_data=False)
        for column in () if new is None else to_astropy(new).itercols():
            whole.add_column(column)
        if kind == "votable":
            whole = plain_columns(whole)
        renamed = () if kind == "ecsv" else _simplify(whole, kind)
        try:
            content = _as_bytes(whole, kind)
        # What one format keeps about a table, another may be unable to say.
        except Exception:
            content = _as_bytes(_bare(whole), kind)
    file.write(content)
    return renamed


def _bare(table: Table) -> Table:
    """Table without keywords, units and descriptions."""
    bare = table.copy(copy_data=False)
    bare.meta.clear()
    for column in bare.itercols():
        column.info.meta = column.info.description = None
        if isinstance(column, Column):
            column.unit = None
    return bare


def _as_bytes(table: Table, kind: str) -> bytes | memoryview:
    if kind == "ecsv":
        text = io.StringIO()
        table.write(text, format="ascii.ecsv")
        return text.getvalue().encode()
    binary = io.BytesIO()
    # Binary rows are exact, and a quarter of the size.
    options = {"tabledata_format": "binary2"} if kind == "votable" else {}
    table.write(binary, format=kind, **options)
    return binary.getbuffer()


def _simplify(table: Table, kind: str) -> tuple[str, ...]:
    """Bring columns and names that FITS or VOTable cannot hold to the nearest that they can."""
    renamed = []
    for name in table.colnames:
        column = table[name]
        if isinstance(column, Column):
            simple = _simple_column(column, kind)
            if simple is not column:
                table.replace_column(name, simple)
        plain = _UNSPEAKABLE[kind].sub("_", name).strip() or "column"
        if plain != name:
            plain = free_name(plain, {other.lower() for other in table.colnames})
            table.rename_column(name, plain)
            renamed.append(f"Column {name!r} is called {plain} in this format.")
    return tuple(renamed)


def _simple_column(column: Column, kind: str) -> Column:
    data, masked = np.asarray(column), isinstance(column, MaskedColumn) and column.mask.any()
    wider = _WIDER[kind].get(data.dtype.name)
    if masked and data.dtype.kind == "b":
        wider = "int16"
    if data.dtype == "uint64" and kind == "votable":
        wider = "int64" if not data.size or data.max() < 2**63 else "str"
    if data.dtype.kind not in "biufcUS":
        # Arrays in Python objects become an array column if they are of one length, else text.
        simple = to_astropy(to_arrow(Table([column], names=["column"])))["column"]
    elif data.dtype.kind == "S" and kind == "votable" and data.ndim == 1:
        simple = Column([cell or "" for cell in strings(column)], dtype=str)
    elif data.dtype.kind == "U" and kind == "fits" and not all(map(str.isascii, data.ravel())):
        filled = column.filled("") if masked else column
        simple = Column(np.char.encode(np.asarray(filled), "utf-8"))
    else:
        simple = column.astype(wider) if wider else column
    if simple is not column:
        simple.unit, simple.description = column.unit, column.description
    if masked and simple.dtype.kind in "iu":
        simple = simple.copy()
        simple.fill_value = _unused(np.asarray(simple))
    return simple


def _unused(values: np.ndarray) -> int:
    """Integer that is not among the values, to stand for the masked ones."""
    limits = np.iinfo(values.dtype)
    candidates = (limits.min, limits.max, -999, 0)
    return next((n for n in candidates if n >= limits.min and n not in values), limits.min)
