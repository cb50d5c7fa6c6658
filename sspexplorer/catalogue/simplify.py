"""Columns and names brought to what FITS, VOTable, HDF5, IPAC and ECSV can hold."""

import contextlib
import io
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from astropy.io import fits, votable
from astropy.table import Column, MaskedColumn, Table

from sspexplorer.catalogue.convert import free_name, plain_columns, text_cells, to_arrow, to_astropy
from sspexplorer.catalogue.hdf5 import write_hdf5
from sspexplorer.catalogue.values import plain_array, strings
from sspexplorer.letters import in_plain_letters

_SCALARS = (str, int, float, bool, np.generic)
# Characters that names may not have.
_UNSPEAKABLE = {
    "fits": re.compile(r"[^ -~]"),
    "votable": re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]"),
    "hdf5": re.compile(r"[\x00]"),
    "ipac": re.compile(r"[^A-Za-z0-9_]"),
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
    "hdf5": {},
    "ipac": {"bool": "str", "uint64": "str"},
}


def as_bytes(
    table: Table, meta: Mapping[str, Any], kind: str
) -> tuple[bytes | memoryview, tuple[str, ...]]:
    """A file's content, and a sentence for all that its format cannot hold.

    Parameters
    ----------
    table : Table
        Changed to what the format takes.
    meta : dict
        Keywords of the table.
    kind : {"ecsv", "fits", "votable", "hdf5", "ipac"}
    """
    plain = {key: value for key, value in meta.items() if isinstance(value, _SCALARS)}
    with warnings.catch_warnings():
        # Units and keywords that a format has no word for are left out with a warning.
        warnings.simplefilter("ignore")
        if kind in ("votable", "hdf5", "ipac"):
            table = plain_columns(table)
        renamed: tuple[str, ...] = () if kind == "ecsv" else simplified(table, kind)[1]
        attempts: tuple[tuple[dict, tuple[str, ...]], ...] = (
            (dict(meta), ()),
            (plain, ("Keywords that this format cannot hold are left out.",)),
        )
        # What one format keeps about a table, another may be unable to say.
        for kept, lost in attempts:
            table.meta = kept
            with contextlib.suppress(Exception):
                return _WRITERS[kind](table), renamed + lost
        said = "Keywords, units and descriptions are left out, as this format cannot hold them."
        return _WRITERS[kind](_bare(table)), (*renamed, said)


def _ecsv(table: Table) -> bytes:
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    return text.getvalue().encode()


def _fits(table: Table) -> memoryview:
    table.meta = {
        key: in_plain_letters(value) if isinstance(value, str) else value
        for key, value in table.meta.items()
    }
    first, last = io.BytesIO(), io.BytesIO()
    table.write(first, format="fits")
    first.seek(0)
    with fits.open(first) as hdus:
        # Astropy writes only the units of the FITS standard, and descriptions only for itself.
        for i, column in enumerate(hdus[1].columns, 1):
            info = table[column.name].info if column.name in table.colnames else None
            if info and info.unit is not None and column.unit is None:
                column.unit = in_plain_letters(str(info.unit))
            if info and info.description:
                hdus[1].header[f"TCOMM{i}"] = in_plain_letters(info.description)
        hdus.writeto(last)
    return last.getbuffer()


def _votable(table: Table) -> memoryview:
    document = votable.from_table(table)
    element = document.get_first_table()
    for field in element.fields:
        # The first number of an arraysize varies fastest, unlike in numpy and as astropy writes.
        column = table[field.name]
        if column.ndim > 2 and column.dtype.kind in "biufc":
            field.arraysize = "x".join(map(str, reversed(column.shape[1:])))
    for key, value in table.meta.items():
        if isinstance(value, _SCALARS):
            element.infos.append(votable.tree.Info(name=str(key), value=str(value)))
    binary = io.BytesIO()
    # Binary rows are exact, and a quarter of the size.
    document.to_xml(binary, tabledata_format="binary2")
    return binary.getbuffer()


def _hdf5(table: Table) -> memoryview:
    binary = io.BytesIO()
    write_hdf5(table, binary)
    return binary.getbuffer()


def _ipac(table: Table) -> bytes:
    said = {
        str(key): {"value": value}
        for key, value in table.meta.items()
        if isinstance(value, _SCALARS)
    }
    table.meta = {"keywords": said}
    text = io.StringIO()
    table.write(text, format="ascii.ipac")
    return text.getvalue().encode()


_WRITERS: dict[str, Callable[[Table], bytes | memoryview]] = {
    "ecsv": _ecsv,
    "fits": _fits,
    "votable": _votable,
    "hdf5": _hdf5,
    "ipac": _ipac,
}


def _bare(table: Table) -> Table:
    """Table without keywords, units and descriptions."""
    bare = table.copy(copy_data=False)
    bare.meta.clear()
    for column in bare.itercols():
        column.info.meta = column.info.description = None
        if isinstance(column, Column):
            column.unit = None
    return bare


def simplified(table: Table, kind: str) -> tuple[Table, tuple[str, ...]]:
    """Bring columns and names that a format cannot hold to the nearest that it can, in place.

    Returns
    -------
    Table
        The same.
    renamed : tuple of str
        A sentence for each column whose name had to change.
    """
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
    return table, tuple(renamed)


def _simple_column(column: Column, kind: str) -> Column:
    data, masked = np.asarray(column), isinstance(column, MaskedColumn) and column.mask.any()
    wider = _WIDER[kind].get(data.dtype.name)
    if masked and data.dtype.kind == "b" and kind != "ipac":
        wider = "int16"
    if data.dtype == "uint64" and kind == "votable":
        wider = "int64" if not data.size or data.max() < 2**63 else "str"
    if data.dtype.kind not in "biufcUS":
        # Arrays in Python objects become an array column if they are of one length, else text.
        simple = to_astropy(to_arrow(Table([column], names=["column"])))["column"]
    elif kind == "ipac" and data.ndim > 1:
        simple = Column(
            [cell or "" for cell in text_cells(plain_array(to_arrow(Table([column])).column(0)))]
        )
    elif data.dtype.kind == "S" and kind in ("votable", "ipac") and data.ndim == 1:
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
