"""Which unit the numbers are in, what counts as missing, and the way to F_ν."""

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from astropy import units as u
from astropy.constants import c

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.errors import InputError

UNITS = {"fnu": "F_ν", "flambda": "F_λ", "mag": "AB magnitudes"}

_FNU = u.erg / (u.s * u.cm**2 * u.Hz)
_FLAMBDA = u.erg / (u.s * u.cm**2 * u.AA)
_LIGHT = c.to_value(u.AA / u.s)
_AB_ZERO_POINT = 48.6  # Oke & Gunn (1983): m = −2.5 log10(F_ν / erg s⁻¹ cm⁻² Hz⁻¹) − 48.6
_MAGGY = 3631e-23  # erg/s/cm2/Hz
_MAG_ERROR_TO_RELATIVE = np.log(10) / 2.5

_MAGNITUDE_NAMES = ("mag", "mags", "magnitude", "magnitudes", "abmag", "magab", "mabmag")
_MAGGY_NAMES = {"maggy": 1.0, "maggies": 1.0, "mgy": 1.0}
_NANOMAGGY_NAMES = {f"{n}{name}": 1e-9 for n in ("n", "nano") for name in _MAGGY_NAMES}
_MAGGIES = _MAGGY_NAMES | _NANOMAGGY_NAMES
_SPELLINGS = (
    (r"(?<![A-Za-z])([Aa]ng|[Aa]ngstroms?|A|Å)(?![A-Za-z])", "Angstrom"),
    (r"(?<![A-Za-z])ergs(?![A-Za-z])", "erg"),
    (r"(?<![A-Za-z])sec(?![A-Za-z])", "s"),
    (r"(?i)(?<![a-z])(micro|milli|nano|)jansky(s)?(?![a-z])", r"\1Jy"),
    (r"(?i)(?<![a-z])(u|μ|micro)jy(?![a-z])", "uJy"),
    (r"(?i)(?<![a-z])(n|nano)jy(?![a-z])", "nJy"),
    (r"(?<![A-Za-z])(mjy|milliJy)(?![A-Za-z])", "mJy"),
)

# Brightest and faintest galaxies anyone has in J-PAS, with a wide margin.
_MAGNITUDE_RANGE = (8.0, 32.0)
_MAGNITUDE_SENTINELS = (99.0, 99.9, 999.0)
_ROW_SCATTER = 6.0  # mag, from the bluest to the reddest band
_SAMPLE_ROWS = 20_000


@dataclass(frozen=True)
class BandUnit:
    """Kind of one band's numbers ("fnu", "flambda", "mag") and the size of their unit in cgs.

    ``error_scale`` is the size of the error's unit, in units of the flux's.
    """

    kind: str
    scale: float = 1.0
    error_scale: float = 1.0


@dataclass(frozen=True)
class Decision:
    """What the numbers are taken to be, for each band, and why.

    Attributes
    ----------
    unit : str
        "fnu", "flambda" or "mag"; the commonest where the bands differ.
    reason : str
        Why, in words that complete "taken as F_ν: …".
    bands : tuple of BandUnit, 57 values
    """

    unit: str
    reason: str
    bands: tuple[BandUnit, ...]


@dataclass(frozen=True, eq=False)
class Missing:
    """How much is missing.

    Attributes
    ----------
    counts : ndarray, shape (4, 57), int
        Missing fluxes of each of :attr:`KINDS`, in each band.
    unknown_errors : ndarray, shape (57,), int
        Fluxes that have no usable error.
    """

    KINDS: ClassVar = (
        "blank or not finite",
        "exactly 0",
        "−99, −999 or −9999",
        "magnitudes beyond ±90, such as 99",
    )
    counts: np.ndarray
    unknown_errors: np.ndarray


def read_unit(text: str) -> BandUnit | None:
    """Understand a unit as a file writes it; None if it is no flux density or magnitude.

    >>> read_unit("Jy")
    BandUnit(kind='fnu', scale=1e-23, error_scale=1.0)
    """
    letters = re.sub(r"[^a-z]", "", text.lower())
    if letters in _MAGNITUDE_NAMES:
        return BandUnit("mag")
    if letters in _MAGGIES:
        return BandUnit("fnu", _MAGGIES[letters] * _MAGGY)
    for pattern, spelling in _SPELLINGS:
        text = re.sub(pattern, spelling, text)
    with warnings.catch_warnings():
        # Astropy warns of a second slash, which half of all catalogues write.
        warnings.simplefilter("ignore")
        try:
            unit = u.Unit(text.strip(" []"), parse_strict="silent")
            for kind, cgs in (("fnu", _FNU), ("flambda", _FLAMBDA)):
                if unit.is_equivalent(cgs) and 0 < (scale := float(unit.to(cgs))) < np.inf:
                    return BandUnit(kind, scale)
        except (ValueError, TypeError, ArithmeticError):
            return None
    return None


def decide(
    flux: np.ndarray,
    error: np.ndarray,
    *,
    unit: str | None = None,
    own: Sequence[str] = ("",) * N_BANDS,
    own_error: Sequence[str] = ("",) * N_BANDS,
    quantity: str = "",
    label: str = "",
) -> Decision:
    """Decide what the numbers are.

    The first of these that says something decides: the user's word, the columns' own units,
    their name, the size of the numbers; if none does, F_ν on an arbitrary scale.

    Parameters
    ----------
    flux, error : ndarray, shape (n, 57)
        Numbers as in the file, of some rows or all; NaN where there is none, or where the error
        is relative.
    unit : str, optional
        "fnu", "flambda" or "mag".
    own, own_error : sequence of str, 57 values
        Own unit of each band's column and of its error's, "" if it has none.
    quantity : str
        What the names say: FLUX, MAG, FNU, FLAMBDA or "".
    label : str
        The photometry's label, for the reason.

    Raises
    ------
    InputError
        If ``unit`` is none of the three.
    """
    if unit is not None and unit not in UNITS:
        raise InputError(f"The unit must be one of {', '.join(UNITS)}, not {unit!r}.")
    read = [_with_error(read_unit(text), other) for text, other in zip(own, own_error, strict=True)]
    if unit is not None:
        # A column's own scale (Jy, mJy) still holds if it is of the kind the user says.
        bands = [r if r and r.kind == unit else BandUnit(unit) for r in read]
        return Decision(unit, "as you chose", tuple(bands))
    texts = Counter(text for text, r in zip(own, read, strict=True) if r)
    if texts:
        usual = Counter(r for r in read if r).most_common(1)[0][0]
        reason = f"the columns' own unit is {next(iter(texts))}"
        if len(texts) > 1:
            shown = ", ".join(f"{text} ({n} bands)" for text, n in texts.most_common())
            reason = f"the columns' own units are {shown}, converted band by band"
        return Decision(usual.kind, reason, tuple(r or usual for r in read))
    named = {"MAG": "mag", "FNU": "fnu", "FLAMBDA": "flambda"}.get(quantity)
    if named:
        return Decision(named, f"the columns are named {label}", (BandUnit(named),) * len(own))
    with np.errstate(all="ignore"):
        kind, reason = _by_size(flux, error)
    return Decision(kind, reason, (BandUnit(kind),) * len(own))


def _with_error(flux: BandUnit | None, error: str) -> BandUnit | None:
    found = read_unit(error)
    if flux is None or found is None or found.kind != flux.kind:
        return flux
    return BandUnit(flux.kind, flux.scale, found.scale / flux.scale)


def sample(values: np.ndarray) -> np.ndarray:
    """Rows, evenly spread, that are enough to decide by."""
    return values[:: max(1, len(values) // _SAMPLE_ROWS)]


def _by_size(flux: np.ndarray, error: np.ndarray) -> tuple[str, str]:
    valid = np.where(np.isfinite(flux) & (flux != 0) & ~is_sentinel(flux), flux, np.nan)
    if (reason := _magnitude_reason(valid, error)) is not None:
        return "mag", reason
    positive = valid[valid > 0]
    if positive.size:
        median = float(np.median(positive))
        if median < 1e-22:
            return "fnu", f"values near {median:.1g} are the size of F_ν in erg/s/cm²/Hz"
        if median < 1e-10:
            return "flambda", f"values near {median:.1g} are the size of F_λ in erg/s/cm²/Å"
    return "fnu", "nothing in the table says otherwise; the scale does not matter"


def _magnitude_reason(valid: np.ndarray, error: np.ndarray) -> str | None:
    """Say why the numbers look like magnitudes; None if they do not."""
    magnitudes = np.where(_is_near(valid, _MAGNITUDE_SENTINELS), np.nan, valid)
    rows = magnitudes[np.isfinite(magnitudes).any(axis=1)]
    low, high = _MAGNITUDE_RANGE
    values = rows[np.isfinite(rows)]
    if not values.size or values.min() < low or values.max() > high:
        return None
    if np.median(np.nanmedian(rows, axis=1)) <= 10:
        return None
    if np.median(np.nanmax(rows, axis=1) - np.nanmin(rows, axis=1)) >= _ROW_SCATTER:
        return None
    errors = error[np.isfinite(error) & (error > 0) & ~_is_near(error, _MAGNITUDE_SENTINELS)]
    if errors.size and np.mean(errors < 2) < 0.5:
        return None
    text = f"all values lie between {values.min():.1f} and {values.max():.1f}"
    return text + (" and the errors are below 2" if errors.size else "")


def is_sentinel(values: np.ndarray) -> np.ndarray:
    """True where a value is one of −99 (±0.5 %), −999 or −9999, which stand for no value."""
    return (np.abs(values + 99.0) <= 0.005 * 99.0) | _is_near(values, (-999.0, -9999.0))


def _is_near(values: np.ndarray, sentinels: Sequence[float]) -> np.ndarray:
    """True where a value is one of these, to float32 precision."""
    return np.any([np.abs(values - s) <= 1e-6 * abs(s) for s in sentinels], axis=0)


def to_fnu(
    flux: np.ndarray, error: np.ndarray, decision: Decision, relative: np.ndarray
) -> Missing:
    """Convert numbers as in the file to F_ν, in place.

    Missing values become NaN: not finite, exactly 0, sentinels, magnitudes beyond ±90. An error
    that is a sentinel, or not above 0, is unknown (NaN) and leaves its flux alone.

    Parameters
    ----------
    flux, error : ndarray, shape (n, 57), float64
    decision : Decision
    relative : ndarray, shape (57,), bool
        Bands whose error is a fraction of the flux.

    Returns
    -------
    Missing
    """
    magnitude = np.array([band.kind == "mag" for band in decision.bands])
    factor = _factors(decision)
    error_factor = factor * [band.error_scale for band in decision.bands]
    counts = np.zeros((len(Missing.KINDS) + 1, flux.shape[1]), int)
    # Blocks of rows that stay in the processor's cache.
    for start in range(0, len(flux), 4096):
        rows = slice(start, start + 4096)
        with np.errstate(all="ignore"):
            counts += _convert(flux[rows], error[rows], magnitude, relative, factor, error_factor)
    return Missing(counts[:-1], counts[-1])


def _factors(decision: Decision) -> np.ndarray:
    """Multiplier to F_ν for each band; 1 where the numbers are magnitudes."""
    pivot = load_bands().pivot
    return np.array(
        [
            band.scale * (wavelength**2 / _LIGHT if band.kind == "flambda" else 1.0)
            for band, wavelength in zip(decision.bands, pivot, strict=True)
        ]
    )


def _convert(
    flux: np.ndarray,
    error: np.ndarray,
    magnitude: np.ndarray,
    relative: np.ndarray,
    factor: np.ndarray,
    error_factor: np.ndarray,
) -> np.ndarray:
    """Convert some rows in place; count by band the missing of each kind, and unknown errors."""
    blank, zero, sentinel = ~np.isfinite(flux), flux == 0, is_sentinel(flux)
    beyond = magnitude & (np.abs(flux) >= 90) & ~sentinel & ~blank
    flux[blank | zero | sentinel | beyond] = np.nan
    error[~np.isfinite(error) | (error <= 0) | (magnitude & (error >= 90))] = np.nan
    flux[:, magnitude] = 10 ** (-0.4 * (flux[:, magnitude] + _AB_ZERO_POINT))
    error[:, magnitude] *= np.where(relative[magnitude], 1.0, _MAG_ERROR_TO_RELATIVE)
    flux *= factor
    error *= np.where(magnitude | relative, np.abs(flux), error_factor)
    # What overflows is no measurement.
    flux[~np.isfinite(flux) | (flux == 0)] = np.nan
    unknown = ~np.isfinite(error)
    error[unknown | np.isnan(flux)] = np.nan
    unknown &= ~np.isnan(flux)
    return np.array([kind.sum(axis=0) for kind in (blank, zero, sentinel, beyond, unknown)])
