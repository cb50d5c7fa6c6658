"""Somebody else's ages, metallicities and dust in a catalogue, on the scale of our predictions."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sspexplorer.catalogue.held import Catalogue
from sspexplorer.catalogue.names import names_a_band
from sspexplorer.catalogue.values import column_numbers, column_unit, column_width
from sspexplorer.errors import InputError
from sspexplorer.mocks import PARAMETERS

# Of BC03 and of PopStar, whose [M/H] our networks learn: what has Z☉ there gets 0 here.
Z_SUN = 0.02
# Of the PARSEC isochrones (Bressan et al. 2012, MNRAS 427, 127), as in newer codes.
Z_SUN_PARSEC = 0.0152
R_V = 3.1  # Cardelli, Clayton & Mathis (1989), as everywhere here

Conversion = Callable[[np.ndarray], np.ndarray]


def _same(values: np.ndarray) -> np.ndarray:
    return values


# Names say what is assumed, since they are what one chooses from.
Z_FRACTION, Z_FRACTION_PARSEC = (f"Z (Z☉ = {z_sun})" for z_sun in (Z_SUN, Z_SUN_PARSEC))
Z_RATIO = "Z/Z☉"
A_V = f"A(V) [mag] (R(V) = {R_V})"

# What a column may hold, by the words that say so; each gives log10 yr, dex or mag.
CONVERSIONS: dict[str, dict[str, Conversion]] = {
    "log_age": {
        "log10 age [yr]": _same,
        "log10 age [Gyr]": lambda values: values + 9,
        "age [yr]": np.log10,
        "age [Myr]": lambda values: np.log10(values) + 6,
        "age [Gyr]": lambda values: np.log10(values) + 9,
    },
    "metallicity": {
        "[M/H] [dex]": _same,
        Z_FRACTION: lambda values: np.log10(values / Z_SUN),
        Z_FRACTION_PARSEC: lambda values: np.log10(values / Z_SUN_PARSEC),
        Z_RATIO: np.log10,
    },
    "ebv": {
        "E(B−V) [mag]": _same,
        A_V: lambda values: values / R_V,
    },
}

_AGE = re.compile(r"(?<![a-z])(log|lg|lw|mw|m|l)?_?age|(^|_)(lgt|logt|t)(_|$)")
_METALS = re.compile(r"metal|m_h|mh(_|$)|fe_?h|(^|_)z(_?sun|met|star|mw|lw)?(_|$)|log_?z")
_DUST = re.compile(r"e_?b_?v|(^|_)a_?v(_|$)|dust|extinction|attenuation")
_NOT_A_VALUE = re.compile(r"^e_(?!b)|(^|_)(err|error|sigma|sig|std|p16|p50|p84|flag|unc)(_|$)")


@dataclass(frozen=True)
class Reading:
    """What a column of a catalogue is taken for.

    Attributes
    ----------
    column : str
    parameter : str
        One of :data:`~sspexplorer.mocks.PARAMETERS`.
    conversion : str
        A key of :data:`CONVERSIONS` of the parameter.
    reason : str
        Why, in words.
    """

    column: str
    parameter: str
    conversion: str
    reason: str


def other_columns(catalogue: Catalogue) -> dict[str, np.ndarray]:
    """Numeric columns that are neither photometry nor its errors, as float64, shape (n,) each.

    Columns with fewer than two different numbers are left out. Blank cells are NaN, and so are
    −99, −999 and −9999.
    """
    used = {name for c in catalogue.columns for name in (c.flux, c.error) if name}
    found = {}
    for name in catalogue.column_names:
        if name in used or names_a_band(name):
            continue
        if column_width(catalogue.table, name) != 1:
            continue
        try:
            numbers = column_numbers(catalogue.table, name)
        except InputError:
            continue
        values = np.array(numbers.values, dtype=float)
        values[~np.isfinite(values) | np.isin(values, (-99.0, -999.0, -9999.0))] = np.nan
        if values.ndim == 1 and len(np.unique(values[np.isfinite(values)])) > 1:
            found[name] = values
    return found


def convert(values: np.ndarray, parameter: str, conversion: str) -> np.ndarray:
    """Values of a column as log10 yr, dex or mag, shape (n,); NaN where that cannot be.

    Raises
    ------
    InputError
        If there is no such conversion.
    """
    known = CONVERSIONS.get(parameter, {})
    if conversion not in known:
        raise InputError(f"{parameter} is read from {', '.join(known)}, not from {conversion!r}.")
    with np.errstate(all="ignore"):
        converted = known[conversion](np.asarray(values, dtype=float))
    return np.where(np.isfinite(converted), converted, np.nan)


def guess(name: str, values: np.ndarray, unit: str = "") -> Reading | None:
    """Guess from its name, unit and values what a column holds; None if it is none of ours.

    Parameters
    ----------
    name : str
    values : ndarray, shape (n,)
        With NaN for blank.
    unit : str
        That the file gives, "" if none.
    """
    simple = re.sub(r"[^0-9a-z]+", "_", name.lower())
    finite = values[np.isfinite(values)]
    if not finite.size or _NOT_A_VALUE.search(simple):
        return None
    if _DUST.search(simple):
        conversion, reason = _dust(simple)
        return Reading(name, "ebv", conversion, reason)
    if _METALS.search(simple) and simple not in ("z", "z_spec", "z_phot"):
        conversion, reason = _metals(finite, unit)
        return Reading(name, "metallicity", conversion, reason)
    if _AGE.search(simple):
        conversion, reason = _age(simple, finite, unit)
        return Reading(name, "log_age", conversion, reason)
    return None


def guesses(catalogue: Catalogue, columns: dict[str, np.ndarray]) -> dict[str, list[Reading]]:
    """For each parameter the columns that seem to hold it, the likeliest first.

    Parameters
    ----------
    catalogue : Catalogue
    columns : dict
        As of :func:`other_columns`.
    """
    found: dict[str, list[Reading]] = {name: [] for name in PARAMETERS}
    for name, values in columns.items():
        reading = None
        if name != catalogue.redshift_column:
            reading = guess(name, values, column_unit(catalogue.table, name))
        if reading:
            found[reading.parameter].append(reading)
    for readings in found.values():
        readings.sort(key=lambda reading: not _says_light(reading.column))
    return found


def _says_light(name: str) -> bool:
    """Whether a name says light-weighted, which is nearest to what a network of SSPs sees."""
    return bool(re.search(r"light|(^|_)lw(_|$)", name.lower()))


def _age(simple: str, finite: np.ndarray, unit: str) -> tuple[str, str]:
    plain = unit.strip().lower()
    middle = float(np.median(finite))
    logarithmic = "log" in simple or "lg" in simple or "dex" in plain or "log" in plain
    if logarithmic:
        if middle > 4:
            return "log10 age [yr]", "its name and values are those of a logarithm of years"
        return "log10 age [Gyr]", "its name says a logarithm, its values Gyr"
    for words, conversion in (("gyr", "age [Gyr]"), ("myr", "age [Myr]"), ("yr", "age [yr]")):
        if words in (*re.split(r"[^a-z]+", plain), *simple.split("_")):
            return conversion, f"its name or unit says {conversion[5:-1]}"
    if middle > 1e5:
        return "age [yr]", "its values are as large as years"
    if middle > 20:
        return "age [Myr]", "its values are as large as Myr"
    if finite.min() > 5.5 and finite.max() < 10.5:
        return "log10 age [yr]", "all values lie between 5.5 and 10.5, as logarithms of years do"
    return "age [Gyr]", "its values are as small as Gyr"


def _metals(finite: np.ndarray, unit: str) -> tuple[str, str]:
    if finite.min() < 0 or "dex" in unit.lower():
        return "[M/H] [dex]", "it has negative values, as logarithms do"
    if finite.max() <= 0.1:
        return Z_FRACTION, "all values are positive and small"
    return Z_RATIO, "all values are positive"


def _dust(simple: str) -> tuple[str, str]:
    if re.search(r"(^|_)a_?v(_|$)", simple):
        return A_V, "its name says A(V)"
    return "E(B−V) [mag]", "its name says so"
