"""Numbers that stand for none: sentinels, codes that repeat, and upper limits.

A sentinel is a number that programs write where there is no measurement, such as 9999 or 1e20. It
is told from a flux of that size by its error, which is missing or as strange as itself, or by its
repeating where the other bands of the row are far from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sspexplorer.constants import MAG_TO_RELATIVE

# Nobody measures a flux that is so many times the median of all.
_BEYOND = 1e8
_REPEATED = 3  # cells
_ONCE = 0.9  # part of the other values that occur once, if values are not rounded
_SURELY = 999.0  # 99 may be a flux
_FAR, _FAR_MAGNITUDES = 5.0, 5.0  # times, or mag from, the median of the row
_NINES = sorted({10.0**k - 10.0**-j for k in range(2, 8) for j in range(5)} | {9.99, 9.999})
_ROUND = [10.0**k for k in (10, 15, 20, 25, 30, 33, 35, 36, 37, 38)]
_CODES = np.sort([*_NINES, *_ROUND, -1.0, -9.0, 32767.0, -32768.0, 65535.0])
_MAGNITUDE_CODES = np.array([30.0, 35.0, 40.0, 50.0, 88.0, 90.0, 100.0])
_MOST_CODES = 12
_FILLER_BANDS, _FILLER_ERROR = 20, 0.3  # bands that say the same, with this relative error
_KNOWN_ERRORS = 0.01  # least share of cells with an error for errors to be there at all


@dataclass(frozen=True)
class Codes:
    """Numbers of one table that stand for none.

    Attributes
    ----------
    values : tuple of float
        Values that are none wherever they stand.
    largest : float
        Fluxes beyond are none.
    errors : bool
        Whether the table has errors, so that a value without one is suspect, and one with a
        negative error is a limit.
    """

    values: tuple[float, ...] = ()
    largest: float = np.inf
    errors: bool = False


def is_sentinel(values: np.ndarray) -> np.ndarray:
    """True where a value is one of −99 (±0.5 %), −999 or −9999, which stand for no value."""
    return (np.abs(values + 99.0) <= 0.005 * 99.0) | is_near(values, (-999.0, -9999.0))


def is_near(values: np.ndarray, sentinels: Sequence[float]) -> np.ndarray:
    """True where a value is one of these, to float32 precision."""
    found = np.zeros(np.shape(values), bool)
    for sentinel in sentinels:
        found |= np.abs(values - sentinel) <= 1e-6 * abs(sentinel)
    return found


def find_codes(flux: np.ndarray, error: np.ndarray, logarithmic: np.ndarray) -> Codes:
    """Find the numbers that stand for none in a sample of a table.

    Parameters
    ----------
    flux, error : ndarray, shape (n, 57)
        As in the file, NaN where there is none.
    logarithmic : ndarray of bool, shape (57,)
        Bands in magnitudes.
    """
    with np.errstate(all="ignore"):
        valid = np.isfinite(flux) & (flux != 0) & ~is_sentinel(flux)
        linear = np.abs(flux[valid & ~logarithmic])
        largest = _BEYOND * float(np.median(linear)) if linear.size else np.inf
        valid &= logarithmic | (np.abs(flux) <= largest)
        errors = bool((error[valid] > 0).mean() > _KNOWN_ERRORS) if valid.any() else False
        far = valid & _far(flux, error, valid, logarithmic)
        values, counts = np.unique(flux[far], return_counts=True)
        known = _is_code(values, np.isin(values, flux[:, logarithmic]))
        maybe = (counts >= _REPEATED) | known & (np.abs(values) >= _SURELY)
        values, counts = values[maybe], counts[maybe]
        order = np.argsort(-counts, kind="stable")[:_MOST_CODES]
        # A flux that is far in some rows is at home in others; a code is far in most.
        found = [
            v
            for v, n in zip(values[order], counts[order], strict=True)
            if n >= 0.5 * np.sum(flux == v)
        ]
        found += [v for v in _repeating(flux[valid]) if v not in found]
    return Codes(tuple(float(v) for v in found), largest, errors)


def stands_for_none(
    flux: np.ndarray, error: np.ndarray, codes: Codes, logarithmic: np.ndarray
) -> np.ndarray:
    """True where a number stands for none by the codes of its table, shape (n, 57)."""
    none = ~logarithmic & (np.abs(flux) > codes.largest) & np.isfinite(flux)
    for value in codes.values:
        none |= flux == value
    doubtful = np.nonzero(_is_bad(flux, error, codes) & np.isfinite(flux))
    if len(doubtful[0]):
        none[doubtful] |= _is_code(flux[doubtful], logarithmic[doubtful[1]])
    none[_is_filler(flux, error, logarithmic)] = True
    return none


def _is_filler(flux: np.ndarray, error: np.ndarray, logarithmic: np.ndarray) -> np.ndarray:
    """True where a row says one number with one large error in every band, shape (n,).

    Nothing in the sky is that even; it is what a program writes where it has nothing.
    """
    with np.errstate(all="ignore"):
        relative = np.where(logarithmic, MAG_TO_RELATIVE * error, error / np.abs(flux))
        there = np.isfinite(flux) & np.isfinite(error)
        first = np.argmax(there, axis=1)[:, None]
        same = (flux == np.take_along_axis(flux, first, 1)) & (
            error == np.take_along_axis(error, first, 1)
        )
        enough = there.sum(axis=1) >= _FILLER_BANDS
        return enough & ((same & (relative >= _FILLER_ERROR)) | ~there).all(axis=1)


def is_limit(error: np.ndarray, codes: Codes) -> np.ndarray:
    """True where a negative error says that its value is an upper limit.

    CIGALE and LePhare read them so. Where no error of a table is positive, negative ones only
    say that there is none.
    """
    if not codes.errors:
        return np.zeros(error.shape, bool)
    return (error < 0) & ~is_sentinel(error) & np.isfinite(error)


def _far(
    flux: np.ndarray, error: np.ndarray, valid: np.ndarray, logarithmic: np.ndarray
) -> np.ndarray:
    """True where a value is far from the others of its row."""
    far = np.zeros(flux.shape, bool)
    for bands, use in ((logarithmic, np.asarray), (~logarithmic, np.abs)):
        if not bands.any():
            continue
        values = np.where(valid[:, bands], use(flux[:, bands]), np.nan)
        level = _row_median(values)[:, None]
        if use is np.abs:
            sigma = error[:, bands]
            below = flux[:, bands] < -5 * np.abs(sigma)
            tiny = (values < 1e-3 * level) & (values >= np.abs(sigma))
            far[:, bands] = (values > _FAR * level) | below | tiny
        else:
            far[:, bands] = np.abs(values - level) > _FAR_MAGNITUDES
    return far


def _row_median(values: np.ndarray) -> np.ndarray:
    """Median of each row, the lower of two; NaN for rows without a number."""
    ordered = np.sort(values, axis=1)
    middle = (np.isfinite(values).sum(axis=1) - 1) // 2
    return ordered[np.arange(len(values)), np.maximum(middle, 0)]


def _is_bad(flux: np.ndarray, error: np.ndarray, codes: Codes) -> np.ndarray:
    """True where the error says nothing of the value."""
    if not codes.errors:
        return np.zeros(flux.shape, bool)
    bad = (np.abs(error) == np.abs(flux)) | ~np.isfinite(error) | (error <= 0)
    # Codes are seldom below 9, and errors seldom above: few cells are left to look at.
    large = np.nonzero(error >= 9)
    if len(large[0]):
        bad[large] |= _is_one_of(error[large], _CODES)
    return bad


def _is_code(values: np.ndarray, logarithmic: np.ndarray) -> np.ndarray:
    return _is_one_of(values, _CODES) | logarithmic & _is_one_of(values, _MAGNITUDE_CODES)


def _is_one_of(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """True where a value is one of many, to float32 precision."""
    after = np.clip(np.searchsorted(ordered, values), 1, len(ordered) - 1)
    near = [np.abs(values - x) <= 1e-6 * np.abs(x) for x in (ordered[after - 1], ordered[after])]
    return near[0] | near[1]


def _repeating(values: np.ndarray) -> np.ndarray:
    """Codes that repeat where nearly all other values occur once: measurements do not repeat."""
    distinct, counts = np.unique(values, return_counts=True)
    often = _is_code(distinct, np.full(len(distinct), False)) & (counts >= _REPEATED)
    others = counts[~often]
    return distinct[often] if (others == 1).sum() >= _ONCE * others.sum() else distinct[:0]
