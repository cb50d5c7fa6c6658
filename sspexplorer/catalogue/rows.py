"""From the rows of a text to columns of text: separators, units under the header, commas."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from astropy import units as u

from sspexplorer.catalogue.names import names_a_band
from sspexplorer.catalogue.source import Watched
from sspexplorer.catalogue.units import read_unit
from sspexplorer.catalogue.values import BLANKS
from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress

_NUMBER = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([edED][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.I)
_RULE = re.compile(r"[-=:+ ]*")  # what draws a line under a header
_COMMA = r"^\s*[+-]?\d+,\d+([eE][+-]?\d+)?\s*$"
# 1,234 may be thousands; these may not.
_ONLY_DECIMAL = r"^\s*[+-]?(0\d*,\d+|\d{4,},\d+|\d+,(\d{1,2}|\d{4,})([eE]|\s*$))"
_NUMERIC = r"(?i)^\s*([+-]?\d+(,\d+)?([ed][+-]?\d+)?|nan|[+-]?inf)?\s*$"


def split_line(line: str, delimiter: str) -> list[str]:
    """Cells of one line; a space stands for any number of spaces and tabs."""
    if delimiter == " ":
        line = line.replace("\t", " ").strip()
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=delimiter == " "), [])


def parse(
    body: bytes,
    start: int,
    names: list[str],
    delimiter: str,
    name: str,
    progress: Progress = NO_PROGRESS,
    before: int = 0,
) -> pa.Table:
    """Rows of text from an offset on, every cell as it is.

    ``before`` lines of the file are not in ``body``.

    Raises
    ------
    InputError
        For the first row that has not as many cells as there are names.
    """
    quoted = b'"' in body
    try:
        if quoted and body.count(b'"', start) % 2:
            # Arrow takes all that follows an open quote for one cell: rows would be lost.
            locate_fault(body, start, len(names), delimiter, name, before)
        watched = Watched(body, progress)
        watched.seek(start)
        return pa.csv.read_csv(
            pa.PythonFile(watched, "r"),
            read_options=pa.csv.ReadOptions(column_names=names, block_size=16 << 20),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        locate_fault(body, start, len(names), delimiter, name, before)
        raise


def locate_fault(
    body: bytes, start: int, width: int, delimiter: str, name: str, before: int = 0
) -> None:
    """Raise InputError for the first row that has not ``width`` cells, if there is one."""
    before += len(body[:start].splitlines())
    rows = csv.reader(
        io.StringIO(body[start:].decode(), newline=""), delimiter=delimiter, strict=True
    )
    try:
        for row in rows:
            if row and len(row) != width:
                raise InputError(wrong_width(name, before + rows.line_num, len(row), width))
    except csv.Error as error:
        line = before + rows.line_num
        raise InputError(f"{name}: line {line} cannot be read ({error}).") from None


def wrong_width(name: str, line: int, cells: int, width: int) -> str:
    """Sentence on a row that has not as many cells as the header."""
    shown = "1 cell" if cells == 1 else f"{cells} cells"
    return f"{name}: line {line} has {shown} where the header has {width}."


def first_row(body: bytes, start: int, delimiter: str) -> list[str]:
    """Cells of the first row that is not empty."""
    text = io.StringIO(body[start : start + (1 << 20)].decode(errors="replace"), newline="")
    return next(filter(None, csv.reader(text, delimiter=delimiter)), [])


def fit_ends(names: list[str], cells: Sequence[str]) -> list[str]:
    """Names made to fit rows that end in a separator when the header does not, or otherwise."""
    if len(cells) == len(names) + 1 and not cells[-1].strip():
        return [*names, ""]
    if len(cells) == len(names) - 1 and not names[-1].strip():
        return names[:-1]
    return names


def without_blank_ends(table: pa.Table, given: list[str]) -> tuple[pa.Table, list[str]]:
    """Table without the nameless empty columns at its ends, and the names that are left."""
    first, last = 0, len(given)
    while last > first and not given[last - 1].strip() and _says_nothing(table.column(last - 1)):
        last -= 1
    while first < last and not given[first].strip() and _says_nothing(table.column(first)):
        first += 1
    kept = list(range(first, last)) or list(range(len(given)))
    return table.select(kept), [given[i] for i in kept]


def _says_nothing(column: pa.ChunkedArray) -> bool:
    return not pc.any(pc.match_substring_regex(column, r"\S")).as_py()


def rows_under_header(table: pa.Table) -> tuple[pa.Table, list[str], tuple[str, ...]]:
    """Take units and rules under a header off the rows.

    Returns
    -------
    table : pyarrow.Table
        What is left.
    units : list of str
        Unit of each column, "" if none.
    notes : tuple of str
    """
    names = table.column_names
    top = [
        [(cell or "").strip() for cell in row]
        for row in zip(*(table[name][:2].to_pylist() for name in names), strict=True)
    ]
    n_rules = [_is_rule(row) for row in top]
    units, n = [""] * len(names), 0
    if n_rules[:1] == [True]:
        n = 1
    elif n_rules == [False, True] or _is_units(names, top):
        n = 2 if n_rules[-1] else 1
        units = [cell if not _RULE.fullmatch(cell) else "" for cell in top[0]]
    if not n or n >= len(table) + (not any(units)):
        return table, [""] * len(names), ()
    notes = ("The row under the header gives the units.",) if any(units) else ()
    return table.slice(n), units, notes


def _is_rule(row: list[str]) -> bool:
    drawn = [cell for cell in row if cell]
    long = any(len(cell) > 2 for cell in drawn)
    return long and all(_RULE.fullmatch(cell) for cell in drawn)


def _is_units(names: list[str], top: list[list[str]]) -> bool:
    """Whether the first row has units where the second has numbers, in columns of bands."""
    if len(top) < 2:
        return False
    bands = [i for i, name in enumerate(names) if names_a_band(name)]
    texts = {top[0][i] for i in bands if top[0][i].lower() not in BLANKS}
    return (
        any(_NUMBER.fullmatch(top[1][i]) for i in bands)
        and not any(map(_NUMBER.fullmatch, texts))
        and any(map(_names_unit, texts))
    )


def _names_unit(text: str) -> bool:
    text = text.strip("[]() ")
    if read_unit(text) is not None:
        return True
    try:
        return not isinstance(u.Unit(text, parse_strict="silent"), u.UnrecognizedUnit)
    except (ValueError, TypeError):
        return False


def with_metadata(table: pa.Table, key: bytes, values: Sequence[str]) -> pa.Table:
    """Table whose fields have a metadata value each, none where it is ""."""
    fields = [
        field.with_metadata((field.metadata or {}) | {key: value.encode()}) if value else field
        for field, value in zip(table.schema, values, strict=True)
    ]
    return table.cast(pa.schema(fields, metadata=table.schema.metadata))


@dataclass(frozen=True)
class CommasSeen:
    """What the cells of some rows of a column say of decimal commas, to be added to others.

    Attributes
    ----------
    any : bool
        Whether a number has a comma.
    numeric : bool
        Whether all cells are numbers, with commas for points, or say nothing.
    certain : bool
        Whether a comma cannot be one of thousands.
    """

    any: bool = False
    numeric: bool = True
    certain: bool = False

    @classmethod
    def of(cls, column: pa.Array | pa.ChunkedArray) -> "CommasSeen":
        """Look at cells."""
        if not pc.any(pc.match_substring(column, ",")).as_py():
            numeric = pc.all(_numeric(column)).as_py()
            return cls(numeric=numeric is not False)
        has = bool(pc.any(pc.match_substring_regex(column, _COMMA)).as_py())
        numeric = bool(pc.all(_numeric(column)).as_py())
        certain = numeric and pc.any(pc.match_substring_regex(column, _ONLY_DECIMAL)).as_py()
        return cls(has, numeric, bool(certain))

    def __add__(self, other: "CommasSeen") -> "CommasSeen":
        """What the cells of both say."""
        return CommasSeen(
            self.any or other.any, self.numeric and other.numeric, self.certain or other.certain
        )


def _numeric(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    blank = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(column)), pa.array(BLANKS))
    return pc.or_(pc.match_substring_regex(column, _NUMERIC), blank)


def decimal_commas(
    table: pa.Table, progress: Progress = NO_PROGRESS
) -> tuple[list[str], tuple[str, ...]]:
    """Columns of numbers with decimal commas: "," for each of these, "" for the others."""
    seen = []
    # Arrow makes the list anew each time it is asked for.
    columns = table.columns
    for i, column in enumerate(columns):
        progress.check()
        progress.report(i / len(columns))
        if not pc.any(pc.match_substring(column, ",")).as_py():
            seen.append(CommasSeen())
        else:
            seen.append(CommasSeen.of(column))
    return decided_commas(seen)


def decided_commas(seen: Sequence[CommasSeen]) -> tuple[list[str], tuple[str, ...]]:
    """As :func:`decimal_commas`, by what was seen of all rows."""
    numeric = [column.any and column.numeric for column in seen]
    if not any(c.certain and own for c, own in zip(seen, numeric, strict=True)):
        return [""] * len(seen), ()
    n = sum(numeric)
    note = f"Numbers have decimal commas in {n} column{'s' * (n > 1)}."
    return ["," if own else "" for own in numeric], (note,)
