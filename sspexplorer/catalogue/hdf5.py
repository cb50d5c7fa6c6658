"""Tables from HDF5: astropy's, pandas', and one array for each column, as h5py and vaex write.

Nothing outside the file is opened, and nothing in it is unpickled: pandas keeps names of columns
as pickles of lists of text, which are read without running them.
"""

import io
import pickletools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np
import pyarrow as pa
from astropy.table import Table

from sspexplorer.catalogue.convert import to_arrow
from sspexplorer.catalogue.headers import ASTROPY_KEY, described_field, understood
from sspexplorer.catalogue.several import Part, read_one
from sspexplorer.catalogue.source import FileTable, LooksRight, Source
from sspexplorer.errors import InputError

MAGIC = b"\x89HDF\r\n\x1a\n"
_META = ".__table_column_meta__"  # of astropy, beside the table
# Of a pickle that makes lists, tuples, numbers and text, and calls nothing.
_HARMLESS = re.compile(
    r"PROTO|FRAME|MARK|(EMPTY_)?LIST|TUPLE[123]?|APPENDS?|(LONG_)?(BIN)?(PUT|GET)|MEMOIZE|NONE|STOP|"
    r"(BIN)?INT[12]?|(SHORT_)?(BIN)?(UNICODE|STRING)"
)
_PICKLED = (
    "pandas keeps {} in {} as pickles, which are never read; write it with format='table', or "
    "as Parquet."
)


def read_hdf5(source: Source, looks_right: LooksRight) -> FileTable:
    """Read the first table that looks like a catalogue."""
    source.refuse_html()
    if not source.head.startswith(MAGIC):
        raise InputError(f"{source.name} is not an HDF5 file.")
    data = source.data if isinstance(source.data, Path) else io.BytesIO(source.data)
    with h5py.File(data, "r") as file:
        parts = list(_parts(file, source.name, set()))
        for part in parts:
            source.bounds.check(source.name, part.n_rows, len(part.columns))
        if not parts:
            raise InputError(f"{source.name} has no table.")
        return read_one(parts, looks_right, source.name)


def _parts(group: h5py.Group, file: str, seen: set[int]) -> Iterator[Part]:
    """Tables in a group and those below it."""
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return
    seen.add(address)
    datasets, groups = {}, {}
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise InputError(f"{file} has a link to another file; links are not followed.")
        if isinstance(link, h5py.SoftLink):
            continue
        item = group[name]
        if isinstance(item, h5py.Dataset):
            if item.external or item.is_virtual:
                raise InputError(f"{file} keeps its rows in another file; links are not followed.")
            datasets[name] = item
        elif isinstance(item, h5py.Group):
            groups[name] = item
    kind = _text(group.attrs.get("pandas_type", ""))
    if kind == "frame":
        yield _pandas_fixed(group, datasets, file)
    elif kind.startswith("frame_table") and "table" in datasets:
        yield _pandas_table(group, datasets["table"], file)
    else:
        yield from _compound(datasets)
        yield from _side_by_side(group, datasets, groups)
    for below in groups.values():
        yield from _parts(below, file, seen)


def _compound(datasets: dict[str, h5py.Dataset]) -> Iterator[Part]:
    for name, dataset in datasets.items():
        if dataset.dtype.names and dataset.ndim == 1 and not name.endswith(_META):

            def read(dataset: h5py.Dataset = dataset, name: str = name) -> FileTable:
                rows = dataset[:]
                meta = datasets.get(f"{name}{_META}")
                lines = [] if meta is None else [_text(line) for line in meta[:]]
                columns = {column: rows[column] for column in rows.dtype.names}
                return _found(columns, "\n".join(lines))

            yield Part(_short(dataset), dataset.dtype.names, len(dataset), read)


def _side_by_side(
    group: h5py.Group, datasets: dict[str, h5py.Dataset], groups: dict[str, h5py.Group]
) -> Iterator[Part]:
    """One array for each column; vaex puts each into a group of its own, where it is "data"."""
    columns = {
        name: d for name, d in datasets.items() if not d.dtype.names and not name.endswith(_META)
    }
    for name, below in groups.items():
        inner = below.get("data", getlink=True)
        if isinstance(inner, h5py.HardLink) and isinstance(below["data"], h5py.Dataset):
            columns[name] = below["data"]
    columns = {name: d for name, d in columns.items() if 1 <= d.ndim <= 3 and len(d)}
    lengths = {len(d) for d in columns.values()}
    if len(lengths) != 1:
        return

    def read() -> FileTable:
        said = {
            name: {
                "unit": _text(d.attrs.get("unit", d.attrs.get("units", ""))),
                "description": _text(d.attrs.get("description", "")),
            }
            for name, d in columns.items()
        }
        return _found({name: d[:] for name, d in columns.items()}, "", said)

    yield Part(_short(group), list(columns), lengths.pop(), read)


def _short(item: h5py.Dataset | h5py.Group) -> str:
    return item.name.strip("/")


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _pandas_fixed(group: h5py.Group, datasets: dict[str, h5py.Dataset], file: str) -> Part:
    blocks = []
    for i in range(int(group.attrs.get("nblocks", 0))):
        items = [_text(name) for name in datasets[f"block{i}_items"][:]]
        values = datasets[f"block{i}_values"]
        if "PSEUDOATOM" in values.attrs or h5py.check_vlen_dtype(values.dtype) is not None:
            raise InputError(_PICKLED.format(", ".join(items[:6]), file))
        blocks.append((items, values))
    order = [_text(name) for name in datasets["axis0"][:]]
    index = datasets["axis1"]

    def read() -> FileTable:
        columns = _index(index[:])
        for items, values in blocks:
            rows = values[:] if values.attrs.get("transposed", True) else values[:].T
            columns |= {name: rows[:, i] for i, name in enumerate(items)}
        return _found(_ordered(columns, order))

    return Part(_short(group), order, len(index), read)


def _pandas_table(group: h5py.Group, table: h5py.Dataset, file: str) -> Part:
    blocks = {
        field: _pickled_text(table.attrs.get(f"{field}_kind", b""), file)
        for field in table.dtype.names
        if field.startswith("values_block_")
    }
    names = [name for field in table.dtype.names for name in blocks.get(field, [field])]
    order = _pickled_text(group.attrs.get("non_index_axes", b""), file)
    order = order if order and set(order) <= set(names) else [n for n in names if n != "index"]

    def read() -> FileTable:
        rows = table[:]
        columns: dict[str, np.ndarray] = {}
        for field in rows.dtype.names:
            if field == "index":
                columns |= _index(rows[field])
            elif field in blocks:
                columns |= {name: rows[field][:, i] for i, name in enumerate(blocks[field])}
            else:
                columns[field] = rows[field]
        return _found(_ordered(columns, order))

    return Part(_short(group), order, len(table), read)


def _index(values: np.ndarray) -> dict[str, np.ndarray]:
    """Column of pandas' index, unless it only counts the rows."""
    if values.dtype.kind in "iu" and np.array_equal(values, np.arange(len(values))):
        return {}
    return {"index": values}


def _ordered(columns: dict[str, np.ndarray], order: list[str]) -> dict[str, np.ndarray]:
    return {name: columns[name] for name in dict.fromkeys([*columns.keys() - set(order), *order])}


def _pickled_text(pickled: Any, file: str) -> list[str]:
    """Texts in a pickle of lists, in order, read off without running it."""
    data = pickled.tobytes() if isinstance(pickled, np.void) else pickled
    data = data if isinstance(data, bytes) else str(data).encode()
    if not data:
        return []
    texts = []
    for operation, argument, _ in pickletools.genops(data):
        if not _HARMLESS.fullmatch(operation.name):
            raise InputError(_PICKLED.format("names of columns", file))
        if operation.name.endswith(("UNICODE", "STRING")):
            texts.append(_text(argument))
    return texts


def _found(
    columns: dict[str, np.ndarray], yaml: str = "", said: Mapping[str, dict[str, str]] | None = None
) -> FileTable:
    arrow = to_arrow(Table({name: _decoded(values) for name, values in columns.items()}))
    said = said or {}
    fields = [described_field(field, **said.get(field.name, {})) for field in arrow.schema]
    metadata = {ASTROPY_KEY: yaml.encode()} if yaml else None
    arrow = pa.Table.from_arrays(arrow.columns, schema=pa.schema(fields, metadata=metadata))
    arrow, notes = understood(arrow, "The table")
    return FileTable(arrow, notes=notes)


def _decoded(values: np.ndarray) -> np.ndarray:
    """Text of varying length comes as objects that are bytes."""
    if values.dtype.kind != "O" or not all(isinstance(cell, bytes | str) for cell in values):
        return values
    return np.array([_text(cell) for cell in values], dtype=str)


def write_hdf5(table: Table, file: BinaryIO) -> None:
    """Write astropy's layout: the table, and its units, descriptions, masks and keywords."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as opened:
        table.write(opened, path="table", serialize_meta=True)
    file.write(buffer.getbuffer())
