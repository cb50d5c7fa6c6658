"""Where on the sky the rows of a table are: columns found by their names, in degrees."""

import re
from dataclasses import dataclass

import numpy as np

from sspexplorer.catalogue.values import (
    AnyTable,
    column_names,
    column_numbers,
    column_unit,
    text_column,
)
from sspexplorer.errors import InputError

_NAMES = {
    "ra": re.compile(r"(alpha_?(j2000|sky)|right_?ascension|ra_?(j2000|icrs|deg)?)"),
    "dec": re.compile(r"(delta_?(j2000|sky)|declination|dec_?(j2000|icrs|deg)?|de_?(j2000|icrs))"),
}
_RADIANS, _HOURS = {"rad", "radian", "radians"}, {"h", "hour", "hours", "hourangle"}
# Of 1 h of right ascension.
_DEGREES = 15.0
_SEXAGESIMAL = re.compile(
    r"\s*([+\-−]?)(\d{1,3})[:hd°\s]\s*(\d{1,2})(?:[:m'′\s]\s*(\d{1,2}(?:\.\d*)?)?[s\"″]?)?\s*"
)


@dataclass(frozen=True, eq=False)
class Positions:
    """Equatorial coordinates of rows.

    Attributes
    ----------
    ra, dec : ndarray, shape (n,), float64
        Degrees, right ascension from 0 to 360; NaN in both where either is unknown or impossible.
    columns : tuple of str
        Names of the two columns in the file.
    """

    ra: np.ndarray
    dec: np.ndarray
    columns: tuple[str, str]


def position_column(table: AnyTable, key: str) -> str:
    """Name of the first column with "ra" or "dec"; "" if there is none."""
    for name in column_names(table):
        if _NAMES[key].fullmatch(_simple(name)):
            return name
    return ""


def positions(table: AnyTable) -> Positions | None:
    """Find positions on the sky; None where there are no two columns of them.

    Degrees unless the unit of a column says hours or radians, or its cells are sexagesimal, as
    ``10:00:28.6`` and ``+02:12:21``: then right ascension is in hours.
    """
    names = position_column(table, "ra"), position_column(table, "dec")
    if not all(names):
        return None
    ra = _degrees(table, names[0], hours=True)
    dec = _degrees(table, names[1], hours=False)
    if ra is None or dec is None:
        return None
    with np.errstate(invalid="ignore"):
        there = np.isfinite(ra) & (np.abs(dec) <= 90) & (ra >= -180) & (ra <= 360)
    if not there.any():
        return None
    return Positions(np.where(there, ra, np.nan) % 360.0, np.where(there, dec, np.nan), names)


def _degrees(table: AnyTable, name: str, *, hours: bool) -> np.ndarray | None:
    """Angles of a column; None if it holds none."""
    try:
        values = column_numbers(table, name).values.astype(float)
    except InputError:
        values = np.empty(0)
    if values.shape != (len(table),):
        return _sexagesimal(table, name, hours=hours)
    unit = column_unit(table, name).lower()
    if unit in _RADIANS:
        return np.degrees(values)
    return values * _DEGREES if unit in _HOURS else values


def _sexagesimal(table: AnyTable, name: str, *, hours: bool) -> np.ndarray | None:
    cells = text_column(table, name)
    if cells is None:
        return None
    matches = [_SEXAGESIMAL.fullmatch(cell or "") for cell in cells]
    values = np.array([_angle(match) if match else np.nan for match in matches])
    return values * _DEGREES if hours else values


def _angle(match: re.Match) -> float:
    sign, whole, minutes, seconds = match.groups()
    value = float(whole) + float(minutes) / 60 + float(seconds or 0) / 3600
    return -value if sign in ("-", "−") else value


def _simple(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")
