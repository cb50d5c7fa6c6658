"""Numbers that stand for none: sentinels, codes that repeat, and upper limits.

A sentinel is a number that programs write where there is no measurement, such as 9999 or 1e20. It
is told from a flux of that size by its error, which is missing or as strange as itself, or by its
repeating where the other bands of the row are far from it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Nobody measures a flux that is so many times the median of all.
_BEYOND = 1e8
_REPEATED = 3  # cells
_SURELY = 999.0  # 99 may be a flux
_FAR, _FAR_MAGNITUDES = 5.0, 5.0  # times, or mag from, the median of the row
_NINES = sorted({10.0**k - 10.0**-j for k in range(2, 8) for j in range(5)} | {9.99, 9.999})
_ROUND = [10.0**k for k in (10, 15, 20, 25, 30, 33, 35, 36, 37, 38)]
_CODES = np.sort([*_NINES, *_ROUND, -1.0, -9.0, 32767.0, -32768.0, 65535.0])
_MAGNITUDE_CODES = np.array([30.0, 35.0, 40.0, 50.0, 88.0, 90.0, 100.0])
_MOST_CODES = 12
_KNOWN_ERRORS = 0.01  # least share of cells with an error for errors to be there at all


@dataclass(frozen=True)
class Codes:
    """Numbers of one table that stand for none.

    Attributes
    ----------
    pairs : tuple of (value, error)
        Values that are none where their error is this; NaN is an unknown error.
    values : tuple of float
        Values that are none wherever they stand.
    largest : float
        Fluxes beyond are none.
    errors : bool
        Whether the table has errors, so that a value without one is suspect, and one with a
        negative error is a limit.
    """

    pairs: tuple[tuple[float, float], ...] = ()
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
        codes = Codes(largest=largest, errors=errors)
        far = valid & _far(flux, error, valid, logarithmic)
        doubtful = valid & (far | _is_bad(flux, error, codes))
        places = np.nonzero(doubtful)
        if not len(places[0]):
            return Codes((), _negative(flux[valid & ~logarithmic]), largest, errors)
        value, sigma = flux[places], error[places]
        pairs, which, counts = np.unique(
            np.stack([value, np.nan_to_num(sigma, nan=-np.inf)], axis=1),
            axis=0,
            return_inverse=True,
            return_counts=True,
        )
        which = which.reshape(-1)
        share_far = np.bincount(which, far[places], len(pairs)) / counts
        known = _is_code(pairs[:, 0], np.bincount(which, logarithmic[places[1]]) > 0)
        known |= counts >= _REPEATED
        known &= (counts >= _REPEATED) | (np.abs(pairs[:, 0]) >= _SURELY)
        taken = known & (share_far >= 0.5)
    order = np.flatnonzero(taken)[np.argsort(-counts[taken], kind="stable")][:_MOST_CODES]
    found = tuple(
        (float(v), float(s) if np.isfinite(s) else np.nan) for v, s in pairs[order].tolist()
    )
    return Codes(found, _negative(flux[valid & ~logarithmic]), largest, errors)


def stands_for_none(
    flux: np.ndarray, error: np.ndarray, codes: Codes, logarithmic: np.ndarray
) -> np.ndarray:
    """True where a number stands for none by the codes of its table, shape (n, 57)."""
    none = ~logarithmic & (np.abs(flux) > codes.largest) & np.isfinite(flux)
    for value in codes.values:
        none |= ~logarithmic & (flux == value)
    for value, sigma in codes.pairs:
        same = np.isnan(error) if np.isnan(sigma) else error == sigma
        none |= (flux == value) & same
    doubtful = np.nonzero(_is_bad(flux, error, codes) & np.isfinite(flux))
    if len(doubtful[0]):
        none[doubtful] |= _is_code(flux[doubtful], logarithmic[doubtful[1]])
    return none


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


def _negative(values: np.ndarray) -> tuple[float, ...]:
    """−1 or −9, if no other negative flux is in the table: noise would give other values."""
    negative = values[values < 0]
    if negative.size >= _REPEATED and np.isin(negative, (-1.0, -9.0)).all():
        return tuple(np.unique(negative).tolist())
    return ()
