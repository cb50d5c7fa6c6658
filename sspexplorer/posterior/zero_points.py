r"""Zero points of the bands, from what galaxies of a catalogue have in common.

Galaxies lie on a locus in the space of their colours, of which the SEDs of a training are a
model. A zero point that is off moves all of them off it in the same band by the same factor, which
no galaxy does by itself (Hernán-Caballero et al. 2023 calibrate bands of J-PAS so). Each galaxy is
compared with its closest mixture of training SEDs (:meth:`.Likeness.score`); the residuals of a
band, r = F / F_mixture − 1, are averaged over the galaxies, the band is corrected, and all is done
again, as the first mixtures were drawn toward what was wrong.

What mixtures can imitate cannot be found: a factor that all bands share, so that the mean over the
bands is set to zero, and most of what is smooth in wavelength, which looks like dust or age: of a
tilt of 6 % from the bluest to the reddest band, 2 % of it is found. Two rounds leave that part
where it was; more would follow it wherever the training's own SEDs are off.
"""

from dataclasses import dataclass

import numpy as np

from sspexplorer.constants import MAG_TO_RELATIVE
from sspexplorer.errors import InputError
from sspexplorer.gaps import MIN_BANDS, row_median
from sspexplorer.noisy_bands import too_noisy
from sspexplorer.posterior.likeness import Likeness
from sspexplorer.posterior.taken import prepared
from sspexplorer.progress import NO_PROGRESS, Progress

ROUNDS = 2
# Fewer galaxies tell the zero point of a band from their own features no better than 2 %.
LEAST_ROWS = 20
MOST_ROWS = 2000

_FLOOR = 0.01
# How far galaxies lie about the closest mixtures without any noise: the brightest of a catalogue,
# whose mixtures follow their noise, are not to outweigh all others.
_SCATTER = 0.04
# What is off with offsets of mocks however many there are, from the mixtures' own freedom.
_SYSTEMATIC = 0.003
# Residuals beyond this many σ count less, as one over their distance (Huber 1964).
_HUBER = 1.5
_ITERATIONS = 8
# A band farther off than this part of its flux, and by so many σ, is no matter of zero points.
_WRECKED, _FAR = 0.3, 5.0
_TRIALS = 4
# Galaxies whose χ² is so many times the median's are of another kind.
_ODD = 5.0


@dataclass(frozen=True, eq=False)
class BandOffsets:
    """Zero-point offsets that some galaxies have in common.

    Attributes
    ----------
    offset : ndarray, shape (57,)
        In mag, of the catalogue less the training SEDs: positive where the catalogue is too faint.
        Their mean is 0. NaN where a band has fewer than :data:`LEAST_ROWS` galaxies.
    error : ndarray, shape (57,)
        1σ of the offset in mag, from the scatter of the galaxies and 0.003 mag for what offsets of
        mocks are off however many there are; NaN where there is no offset.
    n : ndarray of int, shape (57,)
        Galaxies with the band.
    """

    offset: np.ndarray
    error: np.ndarray
    n: np.ndarray

    @property
    def rms(self) -> float:
        """Root mean square of the offsets over the bands in mag, their errors taken off."""
        with np.errstate(invalid="ignore"):
            square = np.square(self.offset) - np.square(self.error)
        known = square[np.isfinite(square)]
        return float(np.sqrt(max(known.mean(), 0.0))) if len(known) else 0.0


def measure_offsets(
    likeness: Likeness,
    flux: np.ndarray,
    flux_err: np.ndarray,
    *,
    most_rows: int = MOST_ROWS,
    progress: Progress = NO_PROGRESS,
) -> BandOffsets:
    """Measure the zero-point offset of each band from all galaxies together.

    Parameters
    ----------
    likeness : Likeness
        Of a model whose training is like the galaxies; its SEDs have redshifts from 0 to 0.1.
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ; NaN where missing or unknown.
    most_rows : int
        Of more galaxies, so many of those with less noise are used.
    progress : Progress, optional

    Raises
    ------
    InputError
        If fewer than :data:`LEAST_ROWS` galaxies have 20 bands.
    Cancelled
        If ``progress`` said so.
    """
    flux, error = _usable(np.asarray(flux, dtype=float), flux_err, most_rows)
    offset, spread = np.zeros((2, flux.shape[1]))  # of ln F
    for turn in range(ROUNDS):
        progress.check()
        factor = np.exp(-offset)
        corrected, sigma = flux * factor, error * factor
        score, closest, sound = _closest(likeness, corrected, sigma)
        alike = (score <= _ODD * np.median(score))[:, None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            residual = np.where(alike & sound, corrected / closest - 1, np.nan)
            residual[np.isinf(residual)] = np.nan
            relative = np.hypot(sigma / np.abs(closest), _SCATTER)
        n = np.isfinite(residual).sum(axis=0)
        step, spread = robust_mean(residual, relative)
        step[n < LEAST_ROWS] = np.nan
        offset = offset + np.log1p(np.nan_to_num(step))
        offset = offset - np.mean(offset[n >= LEAST_ROWS] if (n >= LEAST_ROWS).any() else 0.0)
        progress.report((turn + 1) / ROUNDS)
    known = np.where(n < LEAST_ROWS, np.nan, 1.0)
    error = np.hypot(spread / MAG_TO_RELATIVE, _SYSTEMATIC)
    return BandOffsets(-known * offset / MAG_TO_RELATIVE, known * error, n)


def _closest(
    likeness: Likeness, flux: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Score and closest mixture of each galaxy, and which of its bands it was drawn from.

    A band that is far off in one galaxy, at the end of a spectrum say, would draw the mixture away
    from all others: it is left out, and the rest compared again.
    """
    sound = np.isfinite(flux)
    score, closest = likeness.score(flux, error)
    for _ in range(_TRIALS):
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.abs(flux - closest)
            wrecked = sound & (off > _WRECKED * closest) & (off > _FAR * error)
            # The worst goes first: without it the others may be well.
            worst = off / error >= 0.5 * np.nanmax(off / error, axis=1, keepdims=True)
        wrecked &= worst
        rows = np.flatnonzero(wrecked.any(axis=1))
        if not len(rows):
            break
        sound &= ~wrecked
        score[rows], closest[rows] = likeness.score(
            np.where(sound[rows], flux[rows], np.nan), error[rows]
        )
    return score, closest, sound


def robust_mean(values: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each column that outliers hardly move, and its error.

    Values are weighted by 1/σ², those farther than 1.5 σ from the mean less, by as much as they are
    farther (Huber 1964). The error, √(Σ w² Δ²) / Σ′ 1/σ² with the second sum over values within 1.5
    σ, is that of such a mean from the scatter that is there (Huber 1981, Sect. 3.2).

    Parameters
    ----------
    values, sigma : ndarray, shape (n, n_columns)
        NaN in ``values`` is missing.

    Returns
    -------
    mean, error : ndarray, shape (n_columns,)
        NaN where a column has no value.
    """
    known = np.isfinite(values) & np.isfinite(sigma)
    values = np.where(known, values, np.nan)
    with np.errstate(all="ignore"):
        plain = np.where(known, 1 / np.square(sigma), 0.0)
        mean = np.full(values.shape[1], np.nan)
        some = known.any(axis=0)
        mean[some] = np.nanmedian(values[:, some], axis=0)
        # A scatter beyond the errors makes the errors larger, so that the faint have a say, too.
        pull = np.nanmedian(np.abs(values - mean)[:, some] / sigma[:, some], axis=0) / 0.6745
        scale = np.ones(values.shape[1])
        scale[some] = np.maximum(1.0, pull)
        for _ in range(_ITERATIONS):
            far = np.abs(values - mean) / (sigma * scale)
            weight = np.where(known, plain * np.minimum(1.0, _HUBER / far), 0.0)
            mean = np.nansum(weight * values, axis=0) / weight.sum(axis=0)
        spread = np.sqrt(np.nansum(np.square(weight * (values - mean)), axis=0))
        near = np.where(known & (far <= _HUBER), plain, 0.0)
        return mean, spread / near.sum(axis=0)


def _usable(
    flux: np.ndarray, flux_err: np.ndarray, most_rows: int
) -> tuple[np.ndarray, np.ndarray]:
    """Photometry of the galaxies with 20 bands, of at most so many with the least noise."""
    level = row_median(flux)
    error, _ = prepared(flux, np.asarray(flux_err, dtype=float), _FLOOR)
    flux = np.where(too_noisy(flux, error), np.nan, flux)
    with np.errstate(invalid="ignore"):
        rows = np.flatnonzero((np.isfinite(flux).sum(axis=1) >= MIN_BANDS) & (level > 0))
    if len(rows) < LEAST_ROWS:
        raise InputError(
            f"Zero points need at least {LEAST_ROWS} galaxies with {MIN_BANDS} bands or more; "
            f"there are {len(rows)}."
        )
    if len(rows) > most_rows:
        noise = np.nanmedian(error[rows], axis=1) / level[rows]
        rows = np.sort(rows[np.argsort(noise, kind="stable")[:most_rows]])
    return flux[rows], error[rows]
