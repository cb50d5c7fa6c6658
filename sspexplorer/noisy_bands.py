"""Bands that are so much noisier than the others of a galaxy that they are better left out.

Networks have met bands that scatter by 0.06 dex about the depth of a survey. Of a band that is far
noisier they make too much, however honestly its error is given. Measured on mocks of i = 18, 20
and 21.5 with one, four and twelve such bands (``benchmarks/noisy_bands.py``), using them and
leaving them out come to the same where they are three times as noisy as they should be; beyond,
leaving them out gives the smaller errors, and intervals that hold what they say.
"""

import warnings
from functools import cache

import numpy as np

from sspexplorer.bands import load_bands
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


def too_noisy(flux: np.ndarray, error: np.ndarray) -> np.ndarray:
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
    """
    near = surroundings(flux)
    known = np.isfinite(flux) & (error > 0) & (near > 0)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)  # rows without a band give NaN
        level = np.nanmedian(np.where(known, near, np.nan), axis=1, keepdims=True)
        error = np.where(known, np.hypot(error, CALIBRATION_FLOOR * near), np.nan)
        about = np.where(flux > _BRIGHT * error, flux, near)
        # An error that is a part of the flux is large where a line is.
        scales = (about, level, np.fmax(flux, near))
        excess = [_excess(np.log10(error / scale)) for scale in scales]
        scatter = [np.nanmedian(np.abs(e), axis=1, keepdims=True) for e in excess[:2]]
        chosen = np.where(scatter[0] <= scatter[1], *excess[:2])
        noisier = error > _NOISIER * np.nanmedian(error, axis=1, keepdims=True)
        many = known.sum(axis=1, keepdims=True) >= _FEWEST
        certain = np.min(excess, axis=0) > np.log10(_NOISIER)
        return many & noisier & certain & (chosen > np.log10(TOO_NOISY))


def surroundings(flux: np.ndarray) -> np.ndarray:
    """Median flux of the nine bands about each, shape (n, 57); NaN where none is there."""
    order = np.argsort(load_bands().pivot)
    half = _WINDOW // 2
    padded = np.pad(flux[:, order], ((0, 0), (half, half)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # windows without a band give NaN
        return np.nanmedian(windows, axis=2)[:, np.argsort(order)]


@cache
def _shapes() -> tuple[np.ndarray, np.ndarray]:
    """log10 of the default noise at magnitudes (n_mag, 57), and its medians (n_mag,), rising."""
    shapes = np.log10(NoiseModel.default().relative_error(np.arange(14.0, 24.1, 0.25)))
    return shapes, np.median(shapes, axis=1)


def _excess(log_error: np.ndarray) -> np.ndarray:
    """How far errors are above what is to be expected, dex, shape (n, 57)."""
    shapes, medians = _shapes()
    typical = np.nan_to_num(np.nanmedian(log_error, axis=1))
    row = np.abs(typical[:, None] - medians).argmin(axis=1)
    excess = log_error - shapes[row]
    pivot = load_bands().pivot
    place = 2 * (pivot - pivot.mean()) / np.ptp(pivot)
    red = place > 0
    middle = [np.nanmedian(excess[:, side], axis=1) for side in (~red, red)]
    apart = np.median(place[red]) - np.median(place[~red])
    tilt = np.clip(np.nan_to_num((middle[1] - middle[0]) / apart), -_MOST_TILT, _MOST_TILT)
    excess -= tilt[:, None] * place
    return excess - np.nanmedian(excess, axis=1, keepdims=True)
