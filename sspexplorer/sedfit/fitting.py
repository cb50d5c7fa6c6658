"""The fit of galaxies with every model of a grid."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.errors import InputError
from sspexplorer.gaps import LEAST_BANDS, MIN_BANDS, row_median
from sspexplorer.mocks import PARAMETERS
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.sedfit.grid import ModelGrid

# Relative error added in quadrature to those of a catalogue. CIGALE adds 0.1 unless told otherwise
# (Boquien et al. 2019, Sect. 4.3); zero points of narrow bands are good to about 0.02.
DEFAULT_FLOOR = 0.02
CIGALE_FLOOR = 0.1
# Relative error taken for a band whose error is not known.
ASSUMED_ERROR = 0.05
POOR_FIT = 5.0  # reduced χ² from which on no model is said to fit

# At a time, so that what is in work stays in the cache: 16 MB for a matrix of 16 000 models.
_CHUNK = 256  # galaxies
_MODELS = 512
_QUANTILES = (0.16, 0.5, 0.84)

MEAN_COLUMNS = tuple(f"fit_{name}" for name in PARAMETERS)
FIT_COLUMNS = (
    *MEAN_COLUMNS,
    *(f"fit_{name}_{what}" for name in PARAMETERS for what in ("err", "p16", "p50", "p84")),
    "fit_chi2",
    "fit_n_bands",
    "fit_flag",
)


def fit(
    grid: ModelGrid,
    flux: np.ndarray,
    flux_err: np.ndarray,
    *,
    floor: float = 0.0,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Fit every galaxy with every model of a grid.

    For galaxy fluxes f_b with variances s_b² = err_b² + (floor f_b)² and a model m the best
    amplitude is a = Σ f m / s² ÷ Σ m² / s², not below zero, and χ² = Σ f² / s² − a Σ f m / s²; two
    matrix products give it for all models and galaxies. Each model weighs exp(−χ²/2).

    Parameters
    ----------
    grid : ModelGrid
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its 1σ error on one scale for each row. NaN in ``flux`` is a missing band, which
        has no weight, nor has one with an endless error or that not all models cover. An error
        that is NaN or not positive is unknown; 5 % of the median flux is taken instead.
    floor : float
        Relative error added in quadrature.
    progress : Progress, optional
        Told, and asked whether to go on, between chunks of 256 rows.

    Returns
    -------
    DataFrame, n rows
        For each parameter ``fit_…`` (weighted mean), ``fit_…_err`` (weighted standard deviation)
        and the quantiles ``fit_…_p16``, ``_p50`` and ``_p84``; ``fit_chi2``, the least χ² divided
        by the number of bands less one; ``fit_n_bands``; and ``fit_flag``, empty where all is
        well. Rows with fewer than 5 bands, or whose median flux is not positive, get NaN.

    Raises
    ------
    InputError
        If ``floor`` is negative or not a number.
    Cancelled
        If ``progress`` said so.
    """
    if not 0 <= floor < np.inf:
        raise InputError(f"The error to add is a number from 0 upwards, not {floor:g}.")
    flux, error = (np.asarray(array, dtype=float) for array in (flux, flux_err))
    present = np.isfinite(flux) & ~np.isposinf(error) & grid.covered
    n_bands = present.sum(axis=1)
    level = row_median(np.where(present, flux, np.nan))
    usable = (n_bands >= LEAST_BANDS) & (level > 0)
    unknown = present & ~(error > 0)
    values = np.full((len(flux), len(FIT_COLUMNS) - 2), np.nan)
    rows = np.flatnonzero(usable)
    for start in range(0, len(rows), _CHUNK):
        progress.check()
        chunk = rows[start : start + _CHUNK]
        relative = np.where(present[chunk], flux[chunk] / level[chunk, None], 0.0)
        sigma = np.where(unknown[chunk], ASSUMED_ERROR, error[chunk] / level[chunk, None])
        # A band without flux would count for ever if its assumed error were relative to it.
        variance = sigma**2 + (floor * relative) ** 2
        weight = np.divide(1.0, variance, where=present[chunk], out=np.zeros_like(variance))
        values[chunk] = _posterior(grid, relative, weight)
        progress.report((start + len(chunk)) / len(rows))
    table = pd.DataFrame(values, columns=list(FIT_COLUMNS[:-2]))
    table["fit_chi2"] /= np.maximum(n_bands - 1, 1)
    table["fit_n_bands"] = n_bands
    table["fit_flag"] = _flags(n_bands, level, unknown.sum(axis=1), table["fit_chi2"].to_numpy())
    return table


def chi_squared(grid: ModelGrid, flux: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """χ² of every model for every galaxy at the best amplitude, shape (n, n_models).

    Parameters
    ----------
    grid : ModelGrid
    flux : ndarray, shape (n, 57)
        F_ν, any number where the weight is 0.
    weight : ndarray, shape (n, 57)
        Inverse variances, 0 for missing bands, and for those that not all models cover.
    """
    gain = np.empty((len(grid), len(flux)))
    for part, found in _gains(grid, flux, weight):
        gain[part] = found
    return (weight * flux**2).sum(axis=1, keepdims=True) - 2 * gain.T


def _gains(
    grid: ModelGrid, flux: np.ndarray, weight: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """What models take off χ²/2 of galaxies, some models at a time: which, and (n_models, n).

    The second array is only good until the next is asked for.
    """
    models, squares = grid.matrices
    weighted, weight = (np.ascontiguousarray(a.T) for a in (weight * flux, weight))
    both = np.empty((2, _MODELS, len(flux)))
    for start in range(0, len(models), _MODELS):
        part = slice(start, start + _MODELS)
        gain, norm = both[:, : len(models) - start]
        np.matmul(models[part], weighted, out=gain)
        np.matmul(squares[part], weight, out=norm)
        if gain.min() < 0:
            np.maximum(gain, 0.0, out=gain)
        np.multiply(gain, gain, out=gain)
        np.divide(gain, norm, out=gain)
        yield part, gain


def model_weights(grid: ModelGrid, flux: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
    """Weight exp(−χ²/2) of every model for every galaxy, shape (n, n_models); rows add up to 1.

    Parameters
    ----------
    grid : ModelGrid
        All as likely before the data.
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ on one scale for each row; NaN in ``flux`` is a missing band. A floor is
        part of the σ, see :func:`sspexplorer.posterior.taken.prepared`.
    """
    present = np.isfinite(flux) & grid.covered
    level = np.nanmedian(np.where(present, np.abs(flux), np.nan), axis=1, keepdims=True)
    relative = np.where(present, flux / level, 0.0)
    variance = np.where(present, (flux_err / level) ** 2, np.inf)
    chi2 = chi_squared(grid, relative, 1 / variance)
    weight = np.exp((chi2.min(axis=1, keepdims=True) - chi2) / 2)
    return weight / weight.sum(axis=1, keepdims=True)


def _posterior(grid: ModelGrid, flux: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of each parameter, then error and quantiles of each, then the least χ²."""
    # Each part is held against its own best model while it is in the cache. Differences are all
    # that has to be exact to the last digit: the rest is done in 32 bits.
    probability = np.empty((len(grid), len(flux)), np.float32)
    parts, tops = [], []
    for part, gain in _gains(grid, flux, weight):
        top, found = gain.max(axis=0), probability[part]
        np.subtract(gain, top, out=found, casting="same_kind")
        np.exp(found, out=found)
        parts.append(found)
        tops.append(top)
    best = np.max(tops, axis=0)
    for found, top in zip(parts, tops, strict=True):
        found *= np.exp(top - best).astype(np.float32)
    means, spreads = [], []
    marginals = grid.marginals
    for values, marginal in zip(marginals.values, marginals.add_up(probability), strict=True):
        mean = values @ marginal
        variance = (np.square(values[:, None] - mean) * marginal).sum(axis=0)
        cumulative = np.cumsum(marginal, axis=0)
        places = [(cumulative < q).sum(axis=0) for q in _QUANTILES]
        quantiles = [values[np.minimum(place, len(values) - 1)] for place in places]
        means.append(mean)
        spreads += [np.sqrt(variance), *quantiles]
    return np.stack([*means, *spreads, (weight * flux**2).sum(axis=1) - 2 * best], axis=1)


def _flags(
    n_bands: np.ndarray, level: np.ndarray, n_unknown: np.ndarray, chi2: np.ndarray
) -> np.ndarray:
    found = flags.column(len(n_bands))
    enough = n_bands >= LEAST_BANDS
    flags.add(found, n_bands == 0, "no-bands")
    flags.add(found, (n_bands > 0) & ~enough, "too-few-bands")
    flags.add(found, enough & ~(level > 0), "flux-not-positive")
    usable = enough & (level > 0)
    flags.add(found, usable & (n_bands < MIN_BANDS), "few-bands")
    flags.add(found, usable & (n_unknown == n_bands), "errors-unknown")
    flags.add(found, usable & (n_unknown > 0) & (n_unknown < n_bands), "some-errors-unknown")
    with np.errstate(invalid="ignore"):
        flags.add(found, chi2 > POOR_FIT, "no-model-fits")
    return found
