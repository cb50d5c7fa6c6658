"""The exact posterior of one population from a grid of models: what networks are held against.

Each model weighs exp(−χ²/2) with its amplitude at the likeliest, as in :mod:`sspexplorer.sedfit`,
on a grid laid out as the prior of model ``ssp``. It is exact but for the steps of the grid, and
takes a thousand times as long as a network.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.mocks import EBV_GRID, PARAMETERS
from sspexplorer.sedfit import ModelGrid, chi_squared, make_grid

EBV_STEPS = 5  # values of E(B−V) in each cell of the prior
N_DRAWS = 20_000


def prior_models(
    redshift: float = 0.0,
    *,
    libraries: Sequence[str] = LIBRARY_NAMES,
    ebv_grid: Sequence[float] = EBV_GRID,
) -> ModelGrid:
    """Every SSP behind dust as in the prior of model ``ssp``; all models are as likely.

    Parameters
    ----------
    redshift : float
        At which the galaxies are seen.
    libraries : sequence of str
    ebv_grid : sequence of float
        mag; each value stands for the part of the range nearest to it, all parts alike, as in
        :func:`sspexplorer.populations.draw_ebv`.

    Raises
    ------
    InputError
        If a library is unknown, or its spectra do not cover the bands at this redshift.
    """
    edges = _edges(np.asarray(ebv_grid, dtype=float))
    steps = (np.arange(EBV_STEPS) + 0.5) / EBV_STEPS
    ebv = (edges[:-1, None] + np.diff(edges)[:, None] * steps).ravel()
    return make_grid(libraries, ebv=ebv, redshift=redshift)


def exact_weights(models: ModelGrid, flux: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
    """Probability of every model for every galaxy, shape (n, n_models); rows add up to 1.

    Parameters
    ----------
    models : ModelGrid
        All as likely before the data.
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ on one scale for each row; NaN in ``flux`` is a missing band. A floor is
        part of the σ, see :func:`sspexplorer.posterior.prediction.prepared`.
    """
    present = np.isfinite(flux)
    level = np.nanmedian(np.where(present, np.abs(flux), np.nan), axis=1, keepdims=True)
    relative = np.where(present, flux / level, 0.0)
    variance = np.where(present, (flux_err / level) ** 2, np.inf)
    chi2 = chi_squared(models, relative, 1 / variance)
    chi2 -= chi2.min(axis=1, keepdims=True)
    weight = np.exp(-chi2 / 2)
    return weight / weight.sum(axis=1, keepdims=True)


def exact_draws(
    models: ModelGrid, weights: np.ndarray, n_draws: int = N_DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Draws from the posterior of one galaxy, each spread evenly over what its model stands for.

    A model stands for all that is nearer to it than to its neighbours in a library, along each
    parameter: so the draws have no gaps between the metallicities of a library.

    Parameters
    ----------
    models : ModelGrid
    weights : ndarray, shape (n_models,)
        A row of :func:`exact_weights`.
    n_draws : int
    seed : int

    Returns
    -------
    DataFrame, ``n_draws`` rows
        ``log_age``, ``metallicity``, ``ebv`` and ``weight``, which is 1 for all.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(weights), n_draws, p=weights)
    values = np.empty((n_draws, len(PARAMETERS)))
    for library in np.unique(models.library):
        rows, own = models.library[chosen] == library, models.library == library
        for k, column in enumerate(models.parameters.T):
            centres = np.unique(column[own])
            edges = _edges(centres)
            cell = np.searchsorted(centres, column[chosen[rows]])
            values[rows, k] = rng.uniform(edges[cell], edges[cell + 1])
    return pd.DataFrame(values, columns=list(PARAMETERS)).assign(weight=1.0)


def _edges(centres: np.ndarray) -> np.ndarray:
    """Edges between sorted values, half-way; the first and the last are edges themselves."""
    return np.concatenate([centres[:1], (centres[1:] + centres[:-1]) / 2, centres[-1:]])
