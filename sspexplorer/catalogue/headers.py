"""What files say about a table and its columns: units, descriptions, masks, keywords."""

import io
import re
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml
from astropy.io import votable
from astropy.table import Column, MaskedColumn, Table
from astropy.table.meta import get_header_from_yaml, get_yaml_from_table
from astropy.table.serialize import represent_mixins_as_columns

from sspexplorer.catalogue.values import AnyTable
from sspexplorer.errors import InputError

# Keys of the file's metadata in Parquet and Feather: astropy's, and those of VOParquet 1.0
# (IVOA Note, 2025), which TOPCAT reads and writes.
ASTROPY_KEY = b"table_meta_yaml"
VOTABLE_KEY, VOTABLE_VERSION_KEY = (
    b"IVOA.VOTable-Parquet.content",
    b"IVOA.VOTable-Parquet.version",
)
# YAML tags that astropy turns into an array over raw bytes without checking its type: with
# dtype "O" the bytes of a file would be taken for addresses in memory.
_UNSAFE_TAGS = ("!numpy.ndarray", "!numpy.void")
_DEEPEST = 50
# Keywords that say how a file is laid out, not what is in it.
_OF_THE_FILE = re.compile(r"__\w+__|TCOMM\d+|TDISP\d+|VERSION")


def refuse_unsafe_yaml(header: bytes | str, name: str) -> None:
    """Raise InputError for YAML from which astropy would make objects out of raw memory.

    Also for lists within lists within lists, which take YAML's reader the square of their depth.
    """
    depth = 0
    for event in yaml.parse(header, Loader=yaml.SafeLoader):
        if getattr(event, "tag", None) in _UNSAFE_TAGS:
            raise InputError(f"{name} has a binary array in its header, which is not read.")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise InputError(f"The header of {name} is nested more than {_DEEPEST} deep.")


def read_header(text: str, name: str) -> dict[str, Any]:
    """Read the YAML with which astropy describes a table: "datatype" of columns, and "meta".

    Raises
    ------
    InputError
        If it would make objects out of raw memory.
    """
    refuse_unsafe_yaml(text, name)
    return get_header_from_yaml(text.split("\n"))


def keywords(table: AnyTable) -> dict[str, Any]:
    """What a file says about a table as a whole, by name."""
    if isinstance(table, Table):
        found = dict(table.meta)
    else:
        text = (table.schema.metadata or {}).get(ASTROPY_KEY)
        found = read_header(text.decode(), "The table").get("meta", {}) if text else {}
    return {key: value for key, value in found.items() if not _OF_THE_FILE.fullmatch(str(key))}


def described_field(field: pa.Field, **said: str | None) -> pa.Field:
    """Field with further metadata; what is None or "" is left out."""
    new = {key.encode(): value.encode() for key, value in said.items() if value}
    return field.with_metadata((field.metadata or {}) | new) if new else field


def field_says(field: pa.Field, key: str) -> str:
    """What the metadata of a field says, "" if nothing."""
    return (field.metadata or {}).get(key.encode(), b"").decode("utf-8", "replace")


def understood(table: pa.Table, name: str) -> tuple[pa.Table, tuple[str, ...]]:
    """Arrow table whose fields have the units and descriptions that the file's metadata give.

    Cells that a boolean column ``J0378.mask`` marks become null in ``J0378``, as astropy writes
    masks; arrays that astropy wrote flat have their shape again.

    Raises
    ------
    InputError
        If the metadata cannot be used.
    """
    metadata = table.schema.metadata or {}
    said = _by_column(metadata.get(ASTROPY_KEY), metadata.get(VOTABLE_KEY), name)
    fields, columns, masked = [], [], []
    for field in table.schema:
        base = field.name.removesuffix(".mask")
        if base != field.name and base in table.column_names and _is_mask(field.type):
            masked.append(base)
            continue
        column, mask = table[field.name], f"{field.name}.mask"
        has_mask = mask in table.column_names and _is_mask(table.schema.field(mask).type)
        if has_mask:
            marked = pc.fill_null(table[mask].cast(pa.bool_()), False)
            column = pc.if_else(marked, pa.scalar(None, column.type), column)
        own = said.get(field.name, {})
        column = _reshaped(column, own.get("subtype", ""))
        field = pa.field(field.name, column.type, metadata=field.metadata)
        fields.append(
            described_field(
                field,
                unit=own.get("unit"),
                description=own.get("description"),
                masked="yes" if has_mask else None,
            )
        )
        columns.append(column)
    notes = (f"Masked by columns that end in .mask: {_some(masked)}.",) if masked else ()
    schema = pa.schema(fields, metadata=table.schema.metadata)
    return pa.Table.from_arrays(columns, schema=schema), notes


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _is_mask(kind: pa.DataType) -> bool:
    return pa.types.is_boolean(kind) or pa.types.is_null(kind)


def _reshaped(column: pa.ChunkedArray, subtype: str) -> pa.ChunkedArray:
    """Array column in the shape that astropy says, such as ``float64[3,2]``."""
    shape = [int(n) for n in re.findall(r"\d+", subtype.partition("[")[2])]
    if len(shape) < 2 or not pa.types.is_fixed_size_list(column.type):
        return column
    if column.type.list_size != np.prod(shape):
        return column
    array = column.combine_chunks()
    inner = array.values
    for width in reversed(shape[1:]):
        inner = pa.FixedSizeListArray.from_arrays(inner, width)
    whole = pa.FixedSizeListArray.from_arrays(inner, shape[0], mask=array.is_null())
    return pa.chunked_array([whole])


@lru_cache(maxsize=4)
def _by_column(text: bytes | None, content: bytes | None, name: str) -> dict[str, dict[str, str]]:
    """What a Parquet or Feather file's metadata say about each column."""
    if text:
        header = read_header(text.decode(), name)
        return {
            column["name"]: {
                key: str(column[key])
                for key in ("unit", "description", "subtype")
                if column.get(key) is not None
            }
            for column in header.get("datatype", ())
        }
    if content:
        # Astropy's reader of VOTables would look for the rows elsewhere; only FIELDs are of use.
        return dict(_fields_of(content, name))
    return {}


def _fields_of(content: bytes, name: str) -> Iterable[tuple[str, dict[str, str]]]:
    if b"<!DOCTYPE" in content.upper() or b"<!ENTITY" in content.upper():
        raise InputError(f"{name} declares XML entities, which are not read.")
    for element in ElementTree.fromstring(content).iter():
        if element.tag.rpartition("}")[2] != "FIELD":
            continue
        said = {"unit": element.get("unit", "")}
        for child in element:
            if child.tag.rpartition("}")[2] == "DESCRIPTION":
                said["description"] = " ".join((child.text or "").split())
        yield element.get("name", ""), {key: text for key, text in said.items() if text}


def file_metadata(
    table: pa.Table,
    meta: Mapping[str, Any],
    shapes: Mapping[str, tuple[int, ...]],
    longest: Mapping[str, int] | None = None,
) -> dict[bytes, bytes]:
    """Metadata from which astropy and TOPCAT know units, descriptions, masks and keywords.

    Parameters
    ----------
    table : pyarrow.Table
        As it will be written, ``.mask`` columns included.
    meta : dict
        Keywords of the table.
    shapes : dict
        Of array columns, by name.
    longest : dict, optional
        Letters of the longest text of each column, where ``table`` holds only some rows.
    """
    columns = {f.name: _example(f, shapes.get(f.name, ())) for f in table.schema}
    example = Table(columns, meta=meta)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        masks = {name for name in table.column_names if name.endswith(".mask")}
        masked = [name for name in example.colnames if f"{name}.mask" in masks]
        plain = example[[name for name in example.colnames if name not in masks]]
        for name in masked:
            plain[name] = MaskedColumn(plain[name], mask=[True] * len(plain))
        found = {ASTROPY_KEY: "\n".join(_yaml(plain)).encode()}
        found[VOTABLE_KEY] = _votable_header(example)
        found[VOTABLE_VERSION_KEY] = b"1.0"
    for field in table.schema:
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            letters = longest_text(table[field.name]) if longest is None else longest[field.name]
            found[f"table::len::{field.name}".encode()] = str(max(letters, 4)).encode()
    return found


def longest_text(column: pa.ChunkedArray) -> int:
    """Letters of the longest text of a column, 1 at least."""
    return pc.max(pc.utf8_length(column)).as_py() or 1


def _yaml(table: Table) -> list[str]:
    from astropy.utils.data_info import serialize_context_as

    with serialize_context_as("parquet"):
        encoded = represent_mixins_as_columns(table)
    try:
        return get_yaml_from_table(encoded)
    except Exception:
        # A keyword that YAML has no word for.
        encoded.meta = {
            key: value if isinstance(value, str | int | float | bool) else str(value)
            for key, value in encoded.meta.items()
            if key != "__serialized_columns__"
        } | {k: v for k, v in encoded.meta.items() if k == "__serialized_columns__"}
        return get_yaml_from_table(encoded)


def _example(field: pa.Field, shape: tuple[int, ...]) -> Column:
    """One row of a column, from which its type can be told."""
    kind, shape = field.type, (1, *shape)
    if pa.types.is_fixed_size_list(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        values = np.zeros(shape, kind.to_pandas_dtype())
    elif pa.types.is_decimal(kind):
        values = np.zeros(shape)
    else:
        values = np.array(["x"])
    column = Column(values, description=field_says(field, "description") or None)
    if unit := field_says(field, "unit"):
        column.unit = unit
    return column


def _votable_header(table: Table) -> bytes:
    """VOTable without rows, as VOParquet keeps it in a file's metadata."""
    bare = Table(table, copy=False)
    for column in bare.itercols():
        column.format = None
        if column.dtype.name in ("float16", "int8", "uint16", "uint32", "uint64"):
            bare.replace_column(
                column.name, _like(column, float if column.dtype.kind == "f" else int)
            )
    document = votable.from_table(bare)
    text = io.BytesIO()
    document.to_xml(text)
    for prefix, address in (
        ("", "http://www.ivoa.net/xml/VOTable/v1.3"),
        ("xsi", "http://www.w3.org/2001/XMLSchema-instance"),
    ):
        ElementTree.register_namespace(prefix, address)
    root = ElementTree.fromstring(text.getvalue())
    for element in list(root.iter()):
        for child in list(element):
            if child.tag.endswith("}DATA"):
                element.remove(child)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _like(column: Column, dtype: type) -> Column:
    return Column(
        np.asarray(column).astype(dtype), unit=column.unit, description=column.description
    )
