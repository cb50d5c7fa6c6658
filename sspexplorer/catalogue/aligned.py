"""Tables from text whose columns are aligned or separated by spaces, and IPAC's."""

import re

import numpy as np
import pyarrow as pa
from astropy.io import ascii as astropy_ascii

from sspexplorer.catalogue import rows
from sspexplorer.errors import InputError

_SPACES = re.compile(rb"[ \t]+")
_ENDS = re.compile(rb"(?:(?<=[\r\n])|\A)[ \t]+|[ \t]+(?=[\r\n]|\Z)")


def parse_spaces(body: bytes, start: int, names: list[str], name: str) -> pa.Table:
    """Rows of cells with any number of spaces or tabs between; quotes hold a cell together.

    Raises
    ------
    InputError
        For the first row that has not as many cells as there are names.
    """
    rest = body[start:]
    if b'"' not in rest:
        tidy = _SPACES.sub(b"\t", _ENDS.sub(b"", rest))
        return rows.parse(body[:start] + tidy, start, names, "\t", name)
    before = len(body[:start].splitlines())
    cells = []
    for i, line in enumerate(rest.decode().splitlines(), before + 1):
        row = rows.split_line(line, " ") if line.strip() else []
        if row and len(row) != len(names):
            raise InputError(rows.wrong_width(name, i, len(row), len(names)))
        if row:
            cells.append(row)
    columns = zip(*cells, strict=True)
    return pa.table([pa.array(column, pa.string()) for column in columns], names=names)


def parse_positions(body: bytes, header: str, start: int, name: str) -> pa.Table | None:
    """Rows whose cells stand under their names; None unless every name has its own place.

    A cell is what stands between two positions that are blank in every line, so it may be blank,
    or hold spaces.

    Raises
    ------
    InputError
        If the last line ends before its last column begins.
    """
    lines = [line for line in body[start:].decode().expandtabs().splitlines() if line.strip()]
    header = header.expandtabs()
    used = np.zeros(max(map(len, [header, *lines])), bool)
    for line in (header, *lines):
        used[: len(line)] |= np.frombuffer(line.encode("utf-32-le"), "<u4") != ord(" ")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], used, [0]])))
    places = list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
    names = [header[a:b].strip() for a, b in places]
    if len(places) < 2 or names != header.split():
        return None
    if len(lines[-1]) <= places[-1][0]:
        raise InputError(f"{name} is cut short: its last line ends before column {names[-1]!r}.")
    columns = [pa.array([line[a:b].strip() for line in lines], pa.string()) for a, b in places]
    return pa.table(columns, names=names)


def is_ipac(body: bytes) -> bool:
    r"""Whether a text is an IPAC table: lines with ``\``, then two or more in bars."""
    lines = body[:65536].splitlines()
    rest = [line for line in lines if line.strip() and not line.startswith(b"\\")]
    bars = [line.rstrip() for line in rest[:2] if line.startswith(b"|")]
    aligned = len(bars) == 2 and _bars(bars[0]) == _bars(bars[1])
    marked = len(bars) > 0 and len(rest) < len(lines) and lines[0].startswith(b"\\")
    # Bars on the rows too are another kind of table.
    in_rows = len(rest) > 4 and all(line.startswith(b"|") for line in rest[:5])
    return (aligned or marked) and not in_rows and all(line.endswith(b"|") for line in bars)


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
