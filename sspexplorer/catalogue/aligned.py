"""Tables from text whose columns are aligned or separated by spaces, and IPAC's."""

import re
from itertools import pairwise, takewhile

import numpy as np
import pyarrow as pa
from astropy.io import ascii as astropy_ascii

from sspexplorer.catalogue import rows
from sspexplorer.errors import InputError

_SPACES = re.compile(rb"[ \t]+")
# Of what is left when runs of spaces are one tab each: looking for the runs' ends would cost the
# square of their lengths.
_ENDS = re.compile(rb"(?:(?<=[\r\n])|\A)\t|\t(?=[\r\n]|\Z)")


def parse_spaces(
    body: bytes, start: int, names: list[str], name: str, lines_before: int = 0
) -> pa.Table:
    """Rows of cells with any number of spaces or tabs between; quotes hold a cell together.

    ``lines_before`` lines of the file are not in ``body``.

    Raises
    ------
    InputError
        For the first row that has not as many cells as there are names.
    """
    rest = body[start:]
    if b'"' not in rest:
        tidy = _ENDS.sub(b"", _SPACES.sub(b"\t", rest))
        return rows.parse(body[:start] + tidy, start, names, "\t", name, before=lines_before)
    before = lines_before + len(body[:start].splitlines())
    cells = []
    for i, line in enumerate(rest.decode().splitlines(), before + 1):
        if line.count('"') % 2:
            raise InputError(f"{name}: line {i} has a quote that is never closed.")
        row = rows.split_line(line, " ") if line.strip() else []
        if row and len(row) != len(names):
            raise InputError(rows.wrong_width(name, i, len(row), len(names)))
        if row:
            cells.append(row)
    columns = zip(*cells, strict=True)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


def parse_positions(body: bytes, header: str, start: int, name: str) -> pa.Table | None:
    """Rows whose cells stand under their names; None unless every name has its own place.

    A cell reaches from its name to the next if all are aligned on the left, from the name before
    if on the right, so it may be blank, or hold spaces.

    Raises
    ------
    InputError
        If the last line ends before its last column begins.
    """
    lines = [line for line in body[start:].decode().expandtabs().splitlines() if line.strip()]
    header = header.expandtabs()
    words = list(re.finditer(r"\S+", header))
    used = np.zeros(max(map(len, [header, *lines])) + 1, bool)
    for line in lines:
        used[: len(line)] |= np.frombuffer(line.encode("utf-32-le"), "<u4") != ord(" ")
    left = [0, *(word.start() for word in words[1:]), len(used)]
    right = [0, *(word.end() for word in words[:-1]), len(used)]
    fits_left = not any(used[place - 1] for place in left[1:-1])
    fits_right = not any(used[place] for place in right[1:-1])
    if len(words) < 2 or not (fits_left or fits_right):
        return None
    if len(lines[-1]) <= (left if fits_left else right)[-2]:
        raise InputError(f"{name} is cut short: its last line ends before column {words[-1][0]!r}.")
    tables = [
        pa.table(
            [[line[a:b].strip() for line in lines] for a, b in pairwise(places)],
            names=[word[0] for word in words],
        )
        for places, fits in ((left, fits_left), (right, fits_right))
        if fits
    ]
    # Where both fit, they must not disagree on a single cell.
    return tables[0] if all(table.equals(tables[0]) for table in tables) else None


def is_ipac(body: bytes) -> bool:
    r"""Whether a text is an IPAC table: lines with ``\``, then two or more in bars."""
    lines = [line.rstrip() for line in body[:65536].splitlines() if line.strip()]
    rest = [line for line in lines if not line.startswith(b"\\")]
    bars = list(takewhile(lambda line: line.startswith(b"|"), rest[:5]))
    # With bars on the rows, too, it is another kind of table.
    if not 1 <= len(bars) <= 4 or len(rest) == len(bars):
        return False
    marked = len(rest) < len(lines) or len(bars) > 1
    return marked and all(line.endswith(b"|") and _bars(line) == _bars(bars[0]) for line in bars)


def _as_text(lines: list[str]) -> list[str]:
    """Lines whose second in bars, the types, say text everywhere: cells stay as they are."""
    bars = [i for i, line in enumerate(lines) if line.startswith("|")]
    if len(bars) < 2:
        return lines
    types = "|".join("c".ljust(len(cell)) if cell else "" for cell in lines[bars[1]].split("|"))
    return [*lines[: bars[1]], types, *lines[bars[1] + 1 :]]


def _bars(line: bytes) -> list[int]:
    return [i for i, sign in enumerate(line) if sign == ord("|")]


def read_ipac(body: bytes, name: str) -> tuple[pa.Table, list[str], list[str]]:
    """Columns of an IPAC table as text, with units and descriptions.

    Raises
    ------
    InputError
        If a row ends before its last column begins.
    """
    lines = body.decode().splitlines()
    header = next(line for line in lines if line.startswith("|"))
    last = header.rstrip()[:-1].rindex("|")
    for i, line in enumerate(lines, 1):
        if line.strip() and line[0] not in "\\|" and len(line) <= last:
            raise InputError(f"{name}: line {i} ends before its last column begins.")
    table = astropy_ascii.read(_as_text(lines), format="ipac", guess=False)
    columns, units = [], []
    for column in table.itercols():
        cells = np.ma.filled(column, "") if hasattr(column, "mask") else column
        columns.append(pa.array(np.asarray(cells).astype(str).tolist(), pa.string()))
        units.append("" if column.unit is None else column.unit.to_string())
    return pa.table(columns, names=table.colnames), table.colnames, units
