"""Bands that are so much noisier than the others of a galaxy that they are better left out.

Networks have met bands that scatter by 0.06 dex about the depth of a survey. Of a band that is far
noisier they make too much, however honestly its error is given. Measured on mocks of i = 18, 20
and 21.5 with one, four and twelve such bands (``benchmarks/noisy_bands.py``), using them and
leaving them out come to the same where they are three times as noisy as they should be; beyond,
leaving them out gives the smaller errors, and intervals that hold what they say.
"""

from functools import cache

import numpy as np

from sspexplorer.bands import load_bands
from sspexplorer.gaps import row_median
from sspexplorer.noise import CALIBRATION_FLOOR, NoiseModel

TOO_NOISY = 3.0  # times the error that the other bands lead to expect
# Short of this many times the median error, and what is to be expected either way, none is: iSDSS
# with the errors of narrow bands is no better than they are, but no worse.
_NOISIER = 1.5

_FEWEST = 10  # bands with errors, to say what is to be expected
_WINDOW = 9
# From this signal-to-noise ratio up, an error is compared with the band's own flux.
_BRIGHT = 5.0
# dex from the middle to an end: three times what training has met in depth against wavelength.
_MOST_TILT = 0.45


def too_noisy(flux: np.ndarray, error: np.ndarray, near: np.ndarray | None = None) -> np.ndarray:
    """Find bands far noisier than the others of their row lead to expect, shape (n, 57).

    What is to be expected is the shape of the default noise at the magnitude of the same typical
    error, tilted in wavelength as the row has it: either of the errors over the flux about each
    band, as where an aperture is set by the galaxy, or of the errors themselves, as where the sky
    sets them; whichever the row follows better.

    Parameters
    ----------
    flux, error : ndarray, shape (n, 57)
        F_ν and its σ on one scale for each row; NaN in ``flux`` is a missing band. An error that
        is NaN or not positive says nothing, and the band is not called noisy.
    near : ndarray, shape (n, 57), optional
        :func:`surroundings` of ``flux``, where they are known already.
    """
    near = surroundings(flux) if near is None else near
    known = np.isfinite(flux) & (error > 0) & (near > 0)
    with np.errstate(all="ignore"):
        level = row_median(np.where(known, near, np.nan))[:, None]
        error = np.where(known, np.hypot(error, CALIBRATION_FLOOR * near), np.nan)
        noisier = error > _NOISIER * row_median(error)[:, None]
        noisier &= known.sum(axis=1, keepdims=True) >= _FEWEST
        even = _excess(np.log10(error / level))
        noisier &= even > np.log10(_NOISIER)
        rows = np.flatnonzero(noisier.any(axis=1))
        if len(rows):
            parts = (a[rows] for a in (flux, near, error, even))
            noisier[rows] &= _stand_out(*parts)
    return noisier


def _stand_out(
    flux: np.ndarray, near: np.ndarray, error: np.ndarray, even: np.ndarray
) -> np.ndarray:
    """Bands far noisier than expected, given their excess ``even`` of the errors themselves."""
    about = np.where(flux > _BRIGHT * error, flux, near)
    # An error that is a part of the flux is large where a line is.
    by_flux, by_line = (_excess(np.log10(error / s)) for s in (about, np.fmax(flux, near)))
    scatter = [row_median(np.abs(e))[:, None] for e in (by_flux, even)]
    chosen = np.where(scatter[0] <= scatter[1], by_flux, even)
    certain = np.minimum(by_flux, by_line) > np.log10(_NOISIER)
    return certain & (chosen > np.log10(TOO_NOISY))


def surroundings(flux: np.ndarray) -> np.ndarray:
    """Median flux of the nine bands about each, shape (n, 57); NaN where none is there."""
    order = np.argsort(load_bands().pivot)
    half = _WINDOW // 2
    ordered = flux[:, order]
    near = np.empty(flux.shape)
    near[:, half:-half] = _medians_of_nine(ordered.T).T
    padded = np.pad(ordered, ((0, 0), (half, half)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)
    # Where the window is not full: at the ends, and about bands that are missing.
    lacking = np.zeros(flux.shape, dtype=bool)
    lacking[:, :half] = lacking[:, -half:] = True
    rows = np.flatnonzero(~np.isfinite(flux).all(axis=1))
    lacking[rows] = ~np.isfinite(windows[rows]).all(axis=2)
    near[lacking] = row_median(windows[lacking])
    return near[:, np.argsort(order)]


def _medians_of_nine(rows: np.ndarray) -> np.ndarray:
    """Medians of nine rows (of m) in a sequence, (m − 8, …): of three sorted threes.

    The median is that of the greatest of their least, the median of their middle and the least of
    their greatest values (Paeth 1990, Graphics Gems, p. 171).
    """
    low, middle, high = _sorted_three(rows[:-2], rows[1:-1], rows[2:])
    threes = [[a[: len(a) - 6], a[3 : len(a) - 3], a[6:]] for a in (low, middle, high)]
    greatest = np.maximum(np.maximum(threes[0][0], threes[0][1]), threes[0][2])
    least = np.minimum(np.minimum(threes[2][0], threes[2][1]), threes[2][2])
    return _sorted_three(greatest, _sorted_three(*threes[1])[1], least)[1]


def _sorted_three(
    a: np.ndarray, b: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b = np.minimum(a, b), np.maximum(a, b)
    b, c = np.minimum(b, c), np.maximum(b, c)
    return np.minimum(a, b), np.maximum(a, b), c


@cache
def _shapes() -> tuple[np.ndarray, np.ndarray]:
    """log10 of the default noise at magnitudes (n_mag, 57), and its medians (n_mag,), rising."""
    shapes = np.log10(NoiseModel.default().relative_error(np.arange(14.0, 24.1, 0.25)))
    return shapes, np.median(shapes, axis=1)


def _excess(log_error: np.ndarray) -> np.ndarray:
    """How far errors are above what is to be expected, dex, shape (n, 57)."""
    shapes, medians = _shapes()
    typical = np.nan_to_num(row_median(log_error))
    excess = log_error - shapes[_nearest(medians, typical)]
    pivot = load_bands().pivot
    place = 2 * (pivot - pivot.mean()) / np.ptp(pivot)
    red = place > 0
    middle = [row_median(excess[:, side]) for side in (~red, red)]
    apart = np.median(place[red]) - np.median(place[~red])
    tilt = np.clip(np.nan_to_num((middle[1] - middle[0]) / apart), -_MOST_TILT, _MOST_TILT)
    excess -= tilt[:, None] * place
    return excess - row_median(excess)[:, None]


def _nearest(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Index of the nearest of rising places to each value, of two as near the first."""
    return np.searchsorted((places[1:] + places[:-1]) / 2, values)
