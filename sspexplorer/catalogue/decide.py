"""What the numbers of a catalogue are: F_ν, F_λ or magnitudes, and in which unit."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue.by_data import (
    Decision,
    by_data,
    doubt_magnitudes,
    doubt_st,
    otherwise,
)
from sspexplorer.catalogue.limits import is_near, is_sentinel
from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.photometries import ChoiceNeededError
from sspexplorer.catalogue.units import (
    AB,
    BY_NAME,
    UNITS,
    BandUnit,
    ErrorUnit,
    UnitError,
    error_unit,
    is_absent,
    read_error_unit,
    read_unit,
    unit_of_name,
)
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError

# Brightest and faintest galaxies anyone has in J-PAS, with a wide margin.
_MAGNITUDE_RANGE = (8.0, 35.0)
_MAGNITUDE_ERRORS = (1e-4, 2.0)
_MAGNITUDE_SENTINELS = (9.99, 99.0, 99.9, 99.99, 99.999, 999.0, 9999.0)
_MOST = 0.8  # of the cells must be the size of magnitudes, and of the errors
_ROW_SCATTER = 6.0  # mag, between the sixths of a row's bands that are faintest and brightest
SAMPLE_ROWS = 20_000
# F_ν of a galaxy in erg/s/cm²/Hz or W/m²/Hz is below the first, F_λ in erg/s/cm²/Å between both;
# all other units give larger numbers.
_LARGEST_FNU, _LARGEST_FLAMBDA = 1e-22, 1e-12


def sample(values: np.ndarray) -> np.ndarray:
    """Rows, evenly spread, that are enough to decide by."""
    return values[:: max(1, len(values) // SAMPLE_ROWS)]


def decide(
    flux: np.ndarray,
    error: np.ndarray,
    columns: Sequence[BandColumn | None],
    units: Mapping[str, str],
    *,
    unit: str | None = None,
    quantity: str = "",
    label: str = "",
) -> Decision:
    """Decide what the numbers are.

    The first of these that says something decides: the user's word, the columns' own units, the
    units in their names, their names, the size of the numbers, and at last the data: a sample of
    rows is scored each way against training SEDs.

    Parameters
    ----------
    flux, error : ndarray, shape (n, 57)
        Numbers as in the file, of some rows or all; NaN where there is none.
    columns : sequence of BandColumn or None, 57 values
    units : mapping of str to str
        Own unit of each column, "" if it has none.
    unit : str, optional
        A key of :data:`~sspexplorer.catalogue.units.UNITS`.
    quantity : str
        What the names say: FLUX, MAG, FNU, FLAMBDA or "".
    label : str
        The photometry's label, for the reason.

    Raises
    ------
    InputError
        If ``unit`` is unknown, a column's unit is not understood or is no flux density, or if
        nothing decides.
    """
    if unit is not None and unit not in UNITS:
        raise InputError(f"The unit must be one of {', '.join(UNITS)}, not {unit!r}.")
    own = [_own_unit(column.flux if column else "", units) for column in columns]
    if unit is not None:
        decision: Decision | None = _as_you_chose(unit, own)
    else:
        _refuse_by_name(columns)
        decision = _by_unit(own, columns) or _by_name(quantity, label)
    bands = decision.bands if decision else (BandUnit("fnu"),) * N_BANDS
    errors = _errors(bands, columns, units, strict=unit is None)
    if decision is None:
        decision = _by_numbers(flux, error, errors, quantity)
        errors = _errors(decision.bands, columns, units, strict=True)
    elif decision.source != "you" and decision.unit == "stmag":
        doubt = doubt_st(flux, error, errors)
        decision = replace(decision, reason=decision.reason + doubt)
    return replace(decision, errors=errors)


def _own_unit(column: str, units: Mapping[str, str]) -> str:
    text = units.get(column, "")
    return unit_of_name(column) if column and is_absent(text) else text


def _as_you_chose(unit: str, own: Sequence[str]) -> Decision:
    bands = []
    for text in own:
        try:
            read = read_unit(text)
        except UnitError:
            read = None
        # A column's own scale (Jy, mJy) still holds if it is of the kind the user says.
        bands.append(read if read and read.name == unit else BY_NAME[unit])
    return Decision(unit, "as you chose", "you", tuple(bands))


def _by_unit(own: Sequence[str], columns: Sequence[BandColumn | None]) -> Decision | None:
    read = []
    for text, column in zip(own, columns, strict=True):
        try:
            read.append(read_unit(text))
        except UnitError as why:
            name = column.flux if column else ""
            raise _refusal(name, text, why) from None
    texts = Counter(text for text, r in zip(own, read, strict=True) if r)
    if not texts:
        return None
    usual = Counter(r for r in read if r).most_common(1)[0][0]
    reason = f"the columns' own unit is {next(iter(texts))}"
    if len(texts) > 1:
        shown = ", ".join(f"{text} ({n} bands)" for text, n in texts.most_common())
        reason = f"the columns' own units are {shown}, converted band by band"
    elif usual == AB and "ab" not in next(iter(texts)).lower():
        reason += ", which does not name a system and is taken as AB"
    without = sum(c is not None and r is None for c, r in zip(columns, read, strict=True))
    if without:
        reason += f"; {without} columns have none and are taken to be in the same"
    return Decision(usual.name, reason, "unit", tuple(r or usual for r in read))


def _refusal(column: str, text: str, why: UnitError) -> ChoiceNeededError:
    verb = str(why)
    return ChoiceNeededError(
        f"Column {column!r} has the unit {text!r}, which {verb}; give F_ν, F_λ, or AB or ST "
        f"magnitudes, or say {way('unit', *UNITS)} if the numbers are that.",
        "unit",
        tuple(UNITS),
    )


def _refuse_by_name(columns: Sequence[BandColumn | None]) -> None:
    for column in filter(None, columns):
        found = re.search(r"(?i)vega|asinh|luptitude|(?<![a-z])lupt", column.flux)
        if found:
            what = "Vega" if found[0].lower() == "vega" else "asinh"
            raise ChoiceNeededError(
                f"Column {column.flux!r} holds {what} magnitudes by its name: they cannot be "
                "converted without each band's "
                + ("zero point" if what == "Vega" else "softening")
                + f", so give AB magnitudes or fluxes, or say {way('unit', 'mag')} if they are AB.",
                "unit",
                ("mag",),
            )


def _by_name(quantity: str, label: str) -> Decision | None:
    named = {"MAG": "mag", "FNU": "fnu", "FLAMBDA": "flambda"}.get(quantity)
    if not named:
        return None
    reason = f"the columns are named {label}"
    return Decision(named, reason, "name", (BY_NAME[named],) * N_BANDS)


def _errors(
    bands: Sequence[BandUnit],
    columns: Sequence[BandColumn | None],
    units: Mapping[str, str],
    strict: bool,
) -> tuple[ErrorUnit, ...]:
    """Units of the errors: their own, else what their name says, else that of the flux."""
    found = []
    for band, column in zip(bands, columns, strict=True):
        read = None
        if column is not None and column.error:
            text = _own_unit(column.error, units)
            try:
                read = read_error_unit(text)
            except UnitError as why:
                if strict:
                    raise _refusal(column.error, text, why) from None
        found.append(error_unit(band, column.error_kind if column else "absolute", read))
    return tuple(found)


def _by_numbers(
    flux: np.ndarray, error: np.ndarray, errors: tuple[ErrorUnit, ...], quantity: str
) -> Decision:
    absolute = np.array([e.kind != "relative" and e.power == 1 for e in errors])
    with np.errstate(all="ignore"):
        valid = np.where(np.isfinite(flux) & (flux != 0) & ~is_sentinel(flux), flux, np.nan)
        magnitude = _magnitude_reason(valid, np.where(absolute, error, np.nan))
        typical = float(np.median(np.abs(valid[np.isfinite(valid)]))) if (valid > 0).any() else 0.0
    if magnitude is not None and (doubt := doubt_magnitudes(flux, error, errors)):
        # Where names say flux, too, there is nothing to ask.
        if quantity == "FLUX":
            return by_data(flux, error, errors)
        raise doubt
    if magnitude is not None:
        reason = f"{magnitude}; {otherwise('fnu', 'flambda')}"
        return Decision("mag", reason, "size", (AB,) * N_BANDS)
    for kind, largest, words in (
        ("fnu", _LARGEST_FNU, "F_ν in erg/s/cm²/Hz"),
        ("flambda", _LARGEST_FLAMBDA, "F_λ in erg/s/cm²/Å"),
    ):
        if 0 < typical < largest:
            reason = f"values near {typical:.1g} are the size of {words}"
            return Decision(kind, reason, "size", (BY_NAME[kind],) * N_BANDS)
    return by_data(flux, error, errors)


def _magnitude_reason(valid: np.ndarray, error: np.ndarray) -> str | None:
    """Say why the numbers look like magnitudes; None if they do not."""
    magnitudes = np.where(is_near(valid, _MAGNITUDE_SENTINELS), np.nan, valid)
    rows = magnitudes[np.isfinite(magnitudes).any(axis=1)]
    values = rows[np.isfinite(rows)]
    low, high = _MAGNITUDE_RANGE
    inside = np.mean((values >= low) & (values <= high)) if values.size else 0.0
    if inside < _MOST or np.median(np.nanmedian(rows, axis=1)) <= 10:
        return None
    # A sixth of the bands may be anything.
    lower, upper = np.nanpercentile(rows[:: max(1, len(rows) // 2000)], [100 / 6, 500 / 6], axis=1)
    if np.median(upper - lower) >= _ROW_SCATTER:
        return None
    errors = error[np.isfinite(error) & (error > 0) & ~is_near(error, _MAGNITUDE_SENTINELS)]
    least, most = _MAGNITUDE_ERRORS
    if errors.size and np.mean((errors >= least) & (errors < most)) < _MOST:
        return None
    shown = np.percentile(values[(values >= low) & (values <= high)], [1, 99])
    text = "" if inside == 1 else f"{inside:.1%} of the "
    text = f"{text or 'all '}values lie between {low:g} and {high:g}, most between "
    text += f"{shown[0]:.1f} and {shown[1]:.1f}"
    return text + (f", and the errors are below {most:g}" if errors.size else "")
