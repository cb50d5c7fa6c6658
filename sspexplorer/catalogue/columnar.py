"""Tables from and to Parquet and Feather, with the units and masks that astropy keeps there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq

from sspexplorer.catalogue.convert import loses_digits
from sspexplorer.catalogue.headers import field_says, file_metadata, understood
from sspexplorer.catalogue.source import FileTable, LooksRight, Source, distinct
from sspexplorer.errors import InputError

# Of our own, on how a column was read.
_OURS = (b"decimal", b"masked")
# Bytes of Parquet's types once they are read; of text at least so many.
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT96": 12}
_FEATHER_HEADS = (b"ARROW1", b"FEA1")


def read_parquet(source: Source, looks_right: LooksRight) -> FileTable:
    """Read all columns."""
    check_parquet(source)
    with _opened(source) as file:
        parquet = pq.ParquetFile(file)
        meta = parquet.metadata
        source.bounds.check(source.name, meta.num_rows, meta.num_columns, _expanded(meta))
        return _found(parquet.read(), source.name)


def check_parquet(source: Source) -> None:
    """Raise InputError for what is no Parquet file, or only the beginning of one."""
    source.refuse_html()
    if not source.head.startswith(b"PAR1"):
        raise InputError(f"{source.name} is not a Parquet file.")
    with _opened(source) as file:
        file.seek(max(0, source.size - 4))
        if file.read(4) != b"PAR1" or source.size < 12:
            raise InputError(f"{source.name} is cut short: the Parquet file has no end.")


def read_feather(source: Source, looks_right: LooksRight) -> FileTable:
    """Read all columns of a Feather file, which is Arrow's own format, or of Arrow's stream."""
    source.refuse_html()
    with _opened(source) as file:
        if source.head.startswith(_FEATHER_HEADS):
            return _found(feather.read_table(file), source.name)
        if source.head.startswith(b"\xff\xff\xff\xff"):
            return _found(pa.ipc.open_stream(file).read_all(), source.name)
    raise InputError(f"{source.name} is not a Feather file.")


def _expanded(meta: pq.FileMetaData) -> int:
    """Bytes of all values, however often one that is kept once is repeated."""
    parts = (meta.row_group(i) for i in range(meta.num_row_groups))
    columns = (part.column(j) for part in parts for j in range(part.num_columns))
    return sum(_WIDTHS.get(column.physical_type, 8) * column.num_values for column in columns)


def _opened(source: Source) -> pa.NativeFile:
    data = source.data
    return pa.OSFile(str(data)) if isinstance(data, Path) else pa.BufferReader(data)


def _found(table: pa.Table, name: str) -> FileTable:
    names, renamed = distinct(table.column_names)
    # Arrow forgets the metadata of the whole when it renames.
    table = table.rename_columns(names).replace_schema_metadata(table.schema.metadata)
    table, notes = understood(table, name)
    return FileTable(table, notes=notes, renamed=renamed)


def write_columnar(table: pa.Table, meta: Mapping[str, Any], kind: str, file: BinaryIO) -> None:
    """Write Parquet or Feather so that pandas, astropy and TOPCAT know what is in it."""
    whole = for_columnar(table)
    whole = whole.replace_schema_metadata(whole_metadata(table.schema, whole, meta))
    if kind == "parquet":
        pq.write_table(whole, file, compression="zstd")
    else:
        feather.write_feather(whole, file, compression="zstd")


def for_columnar(table: pa.Table) -> pa.Table:
    """Columns as they are written, with masks in columns of their own."""
    fields, columns = [], []
    for field in table.schema:
        column = _plain(table[field.name])
        mask = column.is_null() if field_says(field, "masked") else None
        if mask is not None and loses_digits(column):
            column = column.fill_null(0)
        kept = {k: v for k, v in (field.metadata or {}).items() if k not in _OURS}
        fields.append(pa.field(field.name, column.type, metadata=kept or None))
        columns.append(column)
        if mask is not None:
            fields.append(pa.field(f"{field.name}.mask", pa.bool_()))
            columns.append(mask)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def whole_metadata(
    schema: pa.Schema,
    example: pa.Table,
    meta: Mapping[str, Any],
    longest: Mapping[str, int] | None = None,
) -> dict[bytes, bytes]:
    """Metadata of a whole file, see :func:`~sspexplorer.catalogue.headers.file_metadata`.

    Parameters
    ----------
    schema : pyarrow.Schema
        Before :func:`for_columnar`.
    example : pyarrow.Table
        After it: all rows, or some.
    meta : dict
        Keywords of the table.
    longest : dict, optional
        Letters of the longest text of each column, where ``example`` is not all rows.
    """
    shapes = {field.name: _shape(field.type) for field in schema}
    pandas = {k: v for k, v in (schema.metadata or {}).items() if k == b"pandas"}
    return pandas | file_metadata(example, meta, shapes, longest)


def _shape(kind: pa.DataType) -> tuple[int, ...]:
    """Shape of one row of an array column."""
    if not pa.types.is_fixed_size_list(kind):
        return ()
    return (kind.list_size, *_shape(kind.value_type))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Column in types that astropy's reader takes."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        column = column.cast(pa.float64())
    if not pa.types.is_fixed_size_list(column.type):
        return column
    array = column.combine_chunks()
    if array.null_count:
        array = _filled(array)
    width, inner = array.type.list_size, array.flatten()
    while pa.types.is_fixed_size_list(inner.type):
        width, inner = width * inner.type.list_size, inner.flatten()
    return pa.chunked_array([pa.FixedSizeListArray.from_arrays(inner, width)])


def _filled(array: pa.FixedSizeListArray) -> pa.FixedSizeListArray:
    """Rows that are null filled with nulls, since astropy wants arrays of one shape."""
    index = np.cumsum(array.is_valid().to_numpy(zero_copy_only=False)) - 1
    given = array.drop_null()
    kind, width = array.type.value_type, array.type.list_size
    if not len(given):
        return pa.FixedSizeListArray.from_arrays(pa.nulls(len(array) * width, kind), width)
    rows = np.repeat(index * width, width) + np.tile(np.arange(width), len(array))
    missing = np.repeat(array.is_null().to_numpy(zero_copy_only=False), width)
    flat = given.flatten().take(pa.array(rows, mask=missing))
    return pa.FixedSizeListArray.from_arrays(flat, width)
