"""Which galaxies and bands a model is asked about, and how like its training they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, starmap

import numpy as np

from sspexplorer.gaps import MIN_BANDS, row_median
from sspexplorer.noisy_bands import surroundings, too_noisy
from sspexplorer.photometry import NEAREST_REDSHIFT
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.likeness import Likeness
from sspexplorer.posterior.taken import Choices, prepared, redshifts_as
from sspexplorer.progress import NO_PROGRESS, Progress

_CHUNK = 4096
_FEW = 1024
_REDSHIFT_LEEWAY = 1e-3


@dataclass(frozen=True, eq=False)
class Judged:
    """What a model is to be asked about, and how like its training that is.

    Attributes
    ----------
    flux, error : ndarray, shape (n, 57)
        NaN in ``flux`` where a band is missing or not used.
    given, heard, n_unknown : ndarray of int, shape (n,)
        Bands that were measured; those without the noisy ones; those without an error.
    noisy, aside : ndarray of bool, shape (n, 57)
    beyond, predicted : ndarray of bool, shape (n,)
        Outside of what the model knows in redshift; with an answer.
    chi2, p_value : ndarray, shape (n,)
    """

    flux: np.ndarray
    error: np.ndarray
    given: np.ndarray
    heard: np.ndarray
    n_unknown: np.ndarray
    noisy: np.ndarray
    aside: np.ndarray
    beyond: np.ndarray
    predicted: np.ndarray
    chi2: np.ndarray
    p_value: np.ndarray


def judged(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    z: np.ndarray,
    z_err: np.ndarray,
    choices: Choices,
) -> Judged:
    """Look at photometry as a model would, before it is asked.

    Parameters
    ----------
    estimator : Estimator
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and σ on one scale for each row; NaN in ``flux`` is a missing band.
    z, z_err : ndarray, shape (n,)
        NaN where unknown.
    choices : Choices
    """
    # Few rows at a time, so that what is in work stays in the cache.
    parts = [
        _errors_of(flux[part], flux_err[part], choices.floor) for part in _slices(len(flux), _FEW)
    ]
    error, n_unknown, noisy = (np.concatenate(one) for one in zip(*parts, strict=True))
    used = np.where(noisy, np.nan, flux)
    heard = np.isfinite(used).sum(axis=1)
    leeway = 3 * np.nan_to_num(z_err)
    highest = estimator.model.reach.highest + _REDSHIFT_LEEWAY
    beyond = (z > highest + leeway) | (z < NEAREST_REDSHIFT - leeway)
    predicted = (heard >= estimator.model.least_bands) & (row_median(used) > 0) & ~beyond
    aside = np.zeros(flux.shape, dtype=bool)
    chi2, p_value = np.full((2, len(flux)), np.nan)
    # What p-values mean was learnt from galaxies with all bands: few are always matched.
    rows = np.flatnonzero(predicted & (heard >= MIN_BANDS))
    if len(rows):
        for likeness, some in estimator.compared(z[rows], z_err[rows]):
            part = rows[some]
            aside[part], chi2[part], p_value[part] = _judge(
                likeness, used[part], error[part], choices.use_all
            )
        used[aside] = np.nan
    given = np.isfinite(flux).sum(axis=1)
    return Judged(
        used, error, given, heard, n_unknown, noisy, aside, beyond, predicted, chi2, p_value
    )


def likeness_p_values(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    choices: Choices | None = None,
    progress: Progress = NO_PROGRESS,
) -> np.ndarray:
    """Only the ``pred_p_value`` of :func:`predict_posterior`, shape (n,), with its parameters.

    Below :data:`sspexplorer.posterior.likeness.UNLIKE` a galaxy is unlike the training.

    Raises
    ------
    Cancelled
        If ``progress`` said so.
    """
    choices, n = choices or Choices(), len(flux)
    flux = np.asarray(flux, dtype=float)
    z, z_err = redshifts_as(redshift, redshift_err, n, choices.redshift_as)
    found = np.full(n, np.nan)
    for rows in chunks(n, progress):
        parts = (flux[rows], flux_err[rows], z[rows], z_err[rows])
        found[rows] = judged(estimator, *parts, choices).p_value
    return found


def chunks(n: int, progress: Progress) -> Iterator[slice]:
    """Rows to take at a time, of n; told and asked about between them."""
    for rows in _slices(n, _CHUNK):
        progress.check()
        yield rows
        progress.report(rows.stop / n)


def _slices(n: int, size: int) -> list[slice]:
    """Slices of n rows, each of as many, and of no more than ``size``."""
    edges = np.linspace(0, n, -(-n // size) + 1).astype(int).tolist()
    return list(starmap(slice, pairwise(edges)))


def _errors_of(
    flux: np.ndarray, flux_err: np.ndarray, floor: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors, the number of bands that had none, and which bands are too noisy."""
    near = surroundings(flux)
    error, n_unknown = prepared(flux, flux_err, floor, near)
    return error, n_unknown, too_noisy(flux, error, near)


def _judge(
    likeness: Likeness, flux: np.ndarray, error: np.ndarray, use_all: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if use_all:
        score, p, _ = likeness.assess(flux, error)
        return np.zeros(flux.shape, dtype=bool), score, p
    return likeness.contradicted(flux, error)
