"""Which galaxies are asked for, checked word by word before anything is sent."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.coordinates import Angle, SkyCoord

from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError

# Besides the 57: the archive has these three, too, and people cut by them.
FILTERS = (*BAND_NAMES, "uJPAS", "gSDSS", "rSDSS")
_FILTER_OF = {name.lower(): name for name in FILTERS} | {
    name[0]: name for name in ("gSDSS", "rSDSS", "iSDSS")
}
# What a condition may be about, and the table that has it: m is the catalogue of magnitudes, z
# the one of photometric redshifts.
_QUANTITIES = {
    "z": ("z", "photoz"),
    "redshift": ("z", "photoz"),
    "photoz": ("z", "photoz"),
    "photoz_err": ("z", "photoz_err"),
    "odds": ("z", "odds"),
    "ra": ("m", "alpha_j2000"),
    "dec": ("m", "delta_j2000"),
    "alpha_j2000": ("m", "alpha_j2000"),
    "delta_j2000": ("m", "delta_j2000"),
    "class_star": ("m", "class_star"),
    "tile_id": ("m", "tile_id"),
    "number": ("m", "number"),
}
_SIGNS = ("<=", ">=", "<", ">", "=")
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_WORD = re.compile(rf"\s*({_NUMBER}|[A-Za-z_][A-Za-z_0-9]*|<=|>=|<|>|=)")
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_MOST_IDS = 1_000_000


@dataclass(frozen=True)
class Cone:
    """A circle on the sky: its centre (ICRS) and its radius, in degrees."""

    ra: float
    dec: float
    radius: float


@dataclass(frozen=True)
class Condition:
    """A quantity compared with a number.

    Attributes
    ----------
    table : str
        "m" for the table of magnitudes, "z" for that of redshifts.
    column : str
    band : str
        Filter of an array column, "" for a plain one.
    sign : str
        One of ``< <= > >= =``.
    value : float
    """

    table: str
    column: str
    band: str
    sign: str
    value: float


@dataclass(frozen=True)
class Selection:
    """Galaxies of the archive: all that fulfil everything that is said here.

    Attributes
    ----------
    cone : Cone, optional
    ids : tuple of (int, int)
        Objects by tile and number; none means no such list.
    brighter : float, optional
        AUTO magnitude in ``band`` must be less.
    redshift_max : float, optional
        Photometric redshift must be less.
    clean : bool
        Flags of SExtractor up to 3 and no mask in ``band``: what the archive's users ask for.
    band : str
        Filter of ``brighter`` and ``clean``.
    conditions : tuple of Condition
    """

    cone: Cone | None = None
    ids: tuple[tuple[int, int], ...] = ()
    brighter: float | None = None
    redshift_max: float | None = None
    clean: bool = False
    band: str = "iSDSS"
    conditions: tuple[Condition, ...] = ()

    def all_conditions(self) -> tuple[Condition, ...]:
        """Every comparison with a number that this stands for.

        With an upper limit to the redshift alone comes that it must not be negative.
        """
        found = list(self.conditions)
        if self.brighter is not None:
            found.append(Condition("m", "mag_auto", self.band, "<", self.brighter))
        if self.redshift_max is not None:
            found.append(Condition("z", "photoz", "", "<", self.redshift_max))
        if self.clean:
            found.append(Condition("m", "flags", self.band, "<=", 3))
            found.append(Condition("m", "mask_flags", self.band, "=", 0))
        redshift_signs = {c.sign for c in found if c.column == "photoz"}
        # A negative redshift stands for none, and would pass for a small one.
        if redshift_signs and redshift_signs <= {"<", "<="}:
            found.append(Condition("z", "photoz", "", ">=", 0.0))
        return tuple(found)

    @property
    def is_everything(self) -> bool:
        """Whether nothing is said at all."""
        return not (self.cone or self.ids or self.all_conditions())


def find_filter(text: str) -> str:
    """Filter by its name or letter, in any letter case.

    >>> find_filter("i")
    'iSDSS'

    Raises
    ------
    InputError
        If there is none.
    """
    found = _FILTER_OF.get(text.strip().lower())
    if found is None:
        raise InputError(f"There is no filter {text!r} in J-PAS; name one like J0660 or iSDSS.")
    return found


def read_cone(ra: str | float, dec: str | float, radius: str | float) -> Cone:
    """Cone from what a person writes.

    Parameters
    ----------
    ra : str or float
        Right ascension: degrees, or hours as ``14:17:00`` or ``14h17m``.
    dec : str or float
        Declination: degrees, or ``+52:30:00``, ``52d30m``.
    radius : str or float
        Degrees, or with a unit: ``30arcsec``, ``2'``, ``5 arcmin``, ``0.1deg``.

    Raises
    ------
    InputError
        If one of them cannot be understood or is out of range.
    """
    longitude = _angle(ra, "right ascension", hours=True)
    latitude = _angle(dec, "declination")
    size = _angle(radius, "radius")
    if not -360 <= longitude <= 360:
        raise InputError(f"A right ascension is between 0° and 360°, not {ra}.")
    if not -90 <= latitude <= 90:
        raise InputError(f"A declination is between −90° and 90°, not {dec}.")
    if not 0 < size <= 180:
        raise InputError(f"The radius of a cone is more than 0°, up to 180°, not {radius}.")
    centre = SkyCoord(longitude, latitude, unit="deg")
    return Cone(float(centre.ra.deg), float(centre.dec.deg), size)


def _angle(text: str | float, what: str, *, hours: bool = False) -> float:
    """Angle in degrees; of three numbers the first is hours, if ``hours``."""
    wanted = str(text).strip().replace("−", "-")
    sexagesimal = bool(re.fullmatch(r"[+-]?\d+[:\s]\d+([:\s]\d+(\.\d*)?)?", wanted))
    try:
        angle = Angle(wanted, unit=u.hourangle if hours and sexagesimal else u.deg)
        value = float(angle.deg)
    except (ValueError, TypeError, u.UnitsError):
        value = math.nan
    if not wanted:
        raise InputError(f"A cone has a {what}; write degrees, or as 14:17:00 or 5arcmin.")
    if not math.isfinite(value):
        raise InputError(f"{text!r} is no {what}; write degrees, or as 14:17:00 or 5arcmin.")
    return value


def read_ids(source: str) -> tuple[tuple[int, int], ...]:
    """Objects by tile and number, from a file or from a text with commas.

    Parameters
    ----------
    source : str
        ``2241-1234,2241-1300``; or a text file with one such object a line; or a CSV file with
        columns TILE_ID and NUMBER.

    Raises
    ------
    InputError
        If something in it is no such object, or there is none.
    """
    path = Path(source)
    try:
        is_file = path.is_file()
    except OSError:
        is_file = False
    if is_file:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            raise InputError(f"{path} cannot be read as a text file of ids.") from None
        items = _listed(text, str(path))
    elif re.search(r"[/\\]|\.(txt|csv|dat)$", source):
        raise InputError(f"There is no file {source}.")
    else:
        items = re.split(r"[,;\s]+", source.strip())
    found = tuple(dict.fromkeys(_identifier(item) for item in items if item))
    if not found:
        raise InputError("The list of ids is empty; an id is TILE-NUMBER, such as 2241-1234.")
    if len(found) > _MOST_IDS:
        raise InputError(f"A list has at most {_MOST_IDS:,} ids, not {len(found):,}.")
    return found


def _listed(text: str, name: str) -> Iterable[str]:
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    header = [cell.strip().lower() for cell in lines[0].split(",")] if lines else []
    if {"tile_id", "number"} <= set(header):
        tile, number = header.index("tile_id"), header.index("number")
        rows = [line.split(",") for line in lines[1:]]
        if any(len(row) != len(header) for row in rows):
            raise InputError(f"The rows of {name} have not all {len(header)} cells.")
        return [f"{row[tile].strip()}-{row[number].strip()}" for row in rows]
    if lines and lines[0].lower() == "id":
        lines = lines[1:]
    return [cell for line in lines for cell in re.split(r"[,;\s]+", line)]


def _identifier(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,9})[-_](\d{1,12})", text)
    if match is None:
        shown = text if len(text) <= 40 else text[:39] + "…"
        raise InputError(f"{shown!r} is no id; an id is TILE-NUMBER, such as 2241-1234.")
    return int(match[1]), int(match[2])


def read_conditions(text: str) -> tuple[Condition, ...]:
    """Understand conditions in words such as ``18 < i < 20 and z < 0.1``.

    Quantities are the filters (AUTO magnitudes), z, odds, class_star, ra, dec, tile_id and number.

    Raises
    ------
    InputError
        If it says anything else.
    """
    parts = re.split(r"\s+and\s+|\s*,\s*|\s*&+\s*", text.strip(), flags=re.IGNORECASE)
    found = [condition for part in parts if part for condition in _comparison(part)]
    if not found:
        raise InputError("The condition is empty; write one like 'i < 20 and z < 0.1'.")
    return tuple(found)


def _comparison(text: str) -> list[Condition]:
    """Understand ``i < 20``, ``20 > i`` or ``18 < i < 20``."""
    words = _words(text)
    numbers = [bool(re.fullmatch(_NUMBER, word)) for word in words]
    signs = [word in _SIGNS for word in words]
    if len(words) == 3 and signs[1] and numbers == [False, False, True]:
        return [_condition(words[0], words[1], words[2], text)]
    if len(words) == 3 and signs[1] and numbers == [True, False, False]:
        return [_condition(words[2], _TURNED[words[1]], words[0], text)]
    between = numbers == [True, False, False, False, True]
    if len(words) == 5 and signs[1] and signs[3] and between:
        low = _condition(words[2], _TURNED[words[1]], words[0], text)
        return [low, _condition(words[2], words[3], words[4], text)]
    raise InputError(f"{text.strip()!r} is no condition; write one like 'i < 20' or '18 < i < 20'.")


def _words(text: str) -> Sequence[str]:
    words, at = [], 0
    text = text.rstrip().replace("−", "-").replace("≤", "<=").replace("≥", ">=")
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise InputError(
                f"{text.strip()!r} is no condition: {text[at:].strip()[:1]!r} has no place in it."
            )
        words.append(match[1])
        at = match.end()
    return words


def _condition(name: str, sign: str, value: str, text: str) -> Condition:
    number = float(value)
    if not np.isfinite(number):
        raise InputError(f"{value} in {text.strip()!r} is too large a number.")
    quantity = _QUANTITIES.get(name.lower())
    if quantity:
        return Condition(*quantity, "", sign, number)
    if name.lower() in _FILTER_OF:
        return Condition("m", "mag_auto", _FILTER_OF[name.lower()], sign, number)
    known = ", ".join(sorted(set(_QUANTITIES)))
    raise InputError(
        f"{name!r} in {text.strip()!r} is nothing the catalogue is cut by; use a filter such as i, "
        f"or one of {known}."
    )
