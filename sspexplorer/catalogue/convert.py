"""Tables between Arrow and astropy, and from text to numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from astropy.table import Column, MaskedColumn, Table
from astropy.table.serialize import represent_mixins_as_columns

from sspexplorer.catalogue.values import (
    AnyTable,
    as_text,
    is_blank,
    is_list,
    plain_array,
    split_arrays,
    strings,
)

# Leading zeros mark an identifier; Arrow would also read hexadecimals.
_IDENTIFIER = r"^[+-]?0[0-9xX]"
# A column of these and of whole numbers only, as 12E3, are names in hexadecimals.
_POWER = r"^[0-9]+[eE][0-9]+$"
_WHOLE = r"^[+-]?[0-9]+$"


def free_name(wanted: str, taken: set[str], first: int = 2) -> str:
    """Name that is not taken in any letter case: the wanted one, or that with a number.

    Parameters
    ----------
    wanted : str
    taken : set of str
        In small letters.
    first : int
        Number to try first.
    """
    name, number = wanted, first
    while name.lower() in taken:
        name, number = f"{wanted}_{number}", number + 1
    return name


def loses_digits(column: pa.Array | pa.ChunkedArray) -> bool:
    """Whether pandas and astropy would read a column of integers with nulls as rounded floats."""
    if not pa.types.is_integer(column.type) or not column.null_count:
        return False
    ends = pc.min_max(column).as_py().values()
    return any(end is not None and abs(end) > 2**53 for end in ends)


def typed(table: pa.Table, arrays: frozenset[str], exact: bool = False) -> pa.Table:
    """Turn columns of text that are all numbers into numbers; blank cells become null.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of text.
    arrays : frozenset of str
        Columns that hold arrays like ``[1 2 3]``.
    exact : bool
        Leave integers as text that would else lose digits, see :func:`loses_digits`.
    """
    columns = {}
    for field in table.schema:
        name, column = field.name, plain_array(table[field.name])
        if b"decimal" in (field.metadata or {}):
            column = pc.replace_substring(column, ",", ".")
        lists = split_arrays(column) if name in arrays else None
        if lists is None:
            columns[name] = as_type(column, TextSeen.of(column).kind(exact))
        else:
            flat = _numbers_of(lists.flatten())
            columns[name] = pa.ListArray.from_arrays(lists.offsets, flat, mask=lists.is_null())
    fields = [
        pa.field(field.name, columns[field.name].type, metadata=field.metadata)
        for field in table.schema
    ]
    return pa.Table.from_arrays([columns[f.name] for f in fields], schema=pa.schema(fields))


def _numbers_of(words: pa.Array) -> pa.Array:
    """Words as numbers, those that say nothing as null; as they are if one is no number."""
    try:
        return pc.if_else(is_blank(words), pa.scalar(None, pa.string()), words).cast(pa.float64())
    except pa.ArrowInvalid:
        return words


@dataclass(frozen=True)
class TextSeen:
    """What the cells of some rows of a column of text are, to be added to what others are.

    Attributes
    ----------
    given, blank : bool
        Whether there are cells that say something, and cells that say nothing.
    identifier : bool
        Whether one has a leading zero.
    powers : bool
        Whether one reads like 12E3.
    whole : bool
        Whether all are whole numbers, or like 12E3.
    integers, floats : bool
        Whether all can be read as integers of 64 bits, and as numbers.
    large : bool
        Whether one is an integer whose digits a float would lose.
    """

    given: bool = False
    blank: bool = False
    identifier: bool = False
    powers: bool = False
    whole: bool = True
    integers: bool = True
    floats: bool = True
    large: bool = False

    @classmethod
    def of(cls, column: pa.Array) -> "TextSeen":
        """Look at cells."""
        cells = pc.utf8_trim_whitespace(column)
        blank = is_blank(cells)
        given = cells.filter(pc.invert(pc.fill_null(blank, True)))
        some = len(given) > 0
        if some and pc.any(pc.match_substring_regex(given, _IDENTIFIER)).as_py():
            return cls(some, len(given) < len(cells), identifier=True)
        powers = pc.match_substring_regex(given, _POWER)
        whole = not some or pc.all(pc.or_(powers, pc.match_substring_regex(given, _WHOLE))).as_py()
        integers = _cast(given, pa.int64()) if whole else None
        ends = (0, 0) if integers is None or not some else pc.min_max(integers).as_py().values()
        return cls(
            some,
            len(given) < len(cells),
            powers=some and pc.any(powers).as_py(),
            whole=whole,
            integers=integers is not None,
            floats=whole or _cast(given, pa.float64()) is not None,
            large=any(abs(end) > 2**53 for end in ends),
        )

    def __add__(self, other: "TextSeen") -> "TextSeen":
        """What the cells of both are."""
        return TextSeen(
            self.given or other.given,
            self.blank or other.blank,
            self.identifier or other.identifier,
            self.powers or other.powers,
            self.whole and other.whole,
            self.integers and other.integers,
            self.floats and other.floats,
            self.large or other.large,
        )

    def kind(self, exact: bool) -> pa.DataType:
        """Type of the whole column: numbers if all cells are, else text.

        Parameters
        ----------
        exact : bool
            Leave integers as text that would else lose digits, see :func:`loses_digits`.
        """
        if not self.given or self.identifier or (self.whole and self.powers):
            return pa.string()
        if exact and self.blank and self.large:
            return pa.string()
        if self.whole:
            # A float would lose the last digits of what is too long for an integer.
            return pa.int64() if self.integers else pa.string()
        return pa.float64() if self.floats else pa.string()


def _cast(cells: pa.Array, kind: pa.DataType) -> pa.Array | None:
    try:
        return cells.cast(kind)
    except pa.ArrowInvalid:
        return None


def as_type(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """Column of text as numbers, blank cells as null; as it is if ``kind`` is text."""
    if pa.types.is_string(kind):
        return column
    cells = pc.utf8_trim_whitespace(column)
    return pc.if_else(is_blank(cells), pa.scalar(None, pa.string()), cells).cast(kind)


def plain_columns(table: Table) -> Table:
    """Table whose times, coordinates and the like are taken apart into plain columns."""
    if all(isinstance(column, Column) for column in table.itercols()):
        return table
    return represent_mixins_as_columns(table)


def to_arrow(table: Table) -> pa.Table:
    """Arrow table of an astropy table; units go to each field's metadata."""
    table = plain_columns(table)
    fields, columns = [], []
    for name in table.colnames:
        column = table[name]
        array = _to_array(column)
        said = {
            "unit": column.unit.to_string() if column.unit is not None else "",
            "description": column.description or "",
            "masked": "yes" if np.any(getattr(column, "mask", False)) else "",
        }
        metadata = {key: text for key, text in said.items() if text}
        fields.append(pa.field(name, array.type, metadata=metadata or None))
        columns.append(array)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _to_array(column: Column) -> pa.Array:
    data = np.asarray(column)
    if data.dtype.kind == "O":
        return _object_array(column)
    flat = column.reshape(-1) if data.ndim > 1 else column
    if data.dtype.kind in "biuf":
        kind = data.dtype.newbyteorder("=") if data.dtype.itemsize <= 8 else np.dtype(float)
        mask = np.asarray(getattr(flat, "mask", False))
        values = np.asarray(flat).astype(kind, copy=False)
        array = pa.array(values, mask=mask if mask.any() else None)
    else:
        text = flat if data.dtype.kind in "SU" else flat.astype(str)
        array = pa.array(strings(text), pa.string())
    for width in reversed(data.shape[1:]):
        array = pa.FixedSizeListArray.from_arrays(array, width)
    return array


def _object_array(column: Column) -> pa.Array:
    cells = [None if cell is np.ma.masked else cell for cell in column]
    cells = [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in cells]
    try:
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([as_text(cell) for cell in cells], pa.string())


def to_astropy(table: pa.Table) -> Table:
    """Astropy table of an Arrow table; null becomes masked, arrays of varying length text."""
    columns = []
    for field in table.schema:
        column = _from_array(plain_array(table[field.name]))
        said = field.metadata or {}
        if unit := said.get(b"unit"):
            column.unit = unit.decode("utf-8", "replace")
        if description := said.get(b"description"):
            column.description = description.decode("utf-8", "replace")
        columns.append(column)
    # Astropy takes no column without a name.
    taken = {name.lower() for name in table.column_names}
    return Table(columns, names=[n or free_name("unnamed", taken) for n in table.column_names])


def _from_array(array: pa.Array) -> Column:
    if is_list(array.type):
        cells = _stacked(array)
        if cells is not None:
            return cells
    kind = array.type
    if pa.types.is_null(kind) or pa.types.is_decimal(kind):
        array = array.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
        array = pa.array(text_cells(array), pa.string())
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_string(array.type):
        values = np.array(array.fill_null("").to_pylist(), dtype=str)
    else:
        values = array.fill_null(False if pa.types.is_boolean(array.type) else 0)
        values = values.to_numpy(zero_copy_only=False)
    return MaskedColumn(values, mask=missing) if missing.any() else Column(values)


def _stacked(array: pa.Array) -> Column | None:
    """Column of two or more dimensions; None if the lists differ in length or are not numbers."""
    shape = [len(array)]
    given = array.is_valid().to_numpy(zero_copy_only=False)
    array = array.drop_null()
    while is_list(array.type):
        lengths = pc.unique(pc.list_value_length(array)).to_pylist()
        if len(lengths) != 1 or not lengths[0]:
            return None
        shape.append(lengths[0])
        array = array.flatten()
    inner = _from_array(array)
    if inner.dtype.kind not in "biuf":
        return None
    rows = inner.reshape(-1, *shape[1:])
    if given.all() and not isinstance(inner, MaskedColumn):
        return Column(np.asarray(rows))
    values = np.zeros(shape, inner.dtype)
    mask = np.ones(shape, bool)
    values[given], mask[given] = np.asarray(rows), getattr(rows, "mask", False)
    return MaskedColumn(values, mask=mask)


def text_cells(array: pa.Array) -> list[str | None]:
    """Cells as CSV shows them: NaN and null are None, arrays read ``[1 2 3]``."""
    kind = array.type
    if pa.types.is_string(kind):
        return array.to_pylist()
    if is_list(kind):
        inner = [cell or "nan" for cell in text_cells(array.flatten())]
        lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
        ends = np.cumsum(lengths)
        rows = zip(ends - lengths, ends, array.is_valid().to_pylist(), strict=True)
        return [f"[{' '.join(inner[a:b])}]" if given else None for a, b, given in rows]
    if pa.types.is_floating(kind):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, kind), array)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return array.cast(pa.string()).to_pylist()
    return [as_text(cell) for cell in array.to_pylist()]


def to_frame(table: AnyTable, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Columns of a table as pandas, by default all that have one value a row."""
    if not isinstance(table, pa.Table):
        table = to_arrow(table[list(columns)] if columns is not None else table)
    elif columns is not None:
        table = table.select(list(columns))
    if columns is None:
        plain = [field.name for field in table.schema if not pa.types.is_nested(field.type)]
        table = table.select(plain)
    return table.to_pandas(ignore_metadata=True)
