r"""The exact posterior of one population under a known noise model: what networks are held against.

The noise of a survey is known relative to the flux that a galaxy has, not to the flux that was
measured: σ belongs to the model. Mocks are made so, F_b = a M_b (1 + σ_b N(0, 1)), and with an
amplitude a that is even in its logarithm a model has the likelihood

    p(F | M) ∝ ∫ d ln u Π_b u/(σ_b M_b) exp(−½ ((u F_b/M_b − 1)/σ_b)²),    u = 1/a.

With n bands, S₁ = Σ F/(M σ²) and S₂ = Σ F²/(M σ)² the integrand peaks where S₂u² − S₁u = n, and
the integral is that of the Gaussian in ln u with the curvature of the peak, n + S₂u² (Laplace's
method: good to a part in some hundred, nearly the same for all models).

Where only a catalogue's own errors are known, no posterior is exact: χ² with those errors is a fit
(:func:`sspexplorer.sedfit.model_weights`), and its errors of faint bands are wrong with the fluxes.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.mocks import EBV_GRID, PARAMETERS
from sspexplorer.sedfit import ModelGrid, make_grid

EBV_STEPS = 5  # values of E(B−V) in each cell of the prior
N_DRAWS = 20_000

_CELLS = 12_000_000  # galaxies × models at a time: 100 MB for each matrix


class ExactPosterior:
    """Posterior from models that are all as likely before the data.

    Exact but for the steps between the models. It takes a thousand times as long as a network.

    Parameters
    ----------
    models : ndarray, shape (n_models, 57)
        Noise-free F_ν on any scale, positive.
    """

    def __init__(self, models: np.ndarray) -> None:
        models = np.asarray(models, dtype=float)
        self._inverse, self._squared, self._logs = (1 / models).T, (models**-2).T, np.log(models).T

    def probabilities(self, flux: np.ndarray, relative: np.ndarray) -> np.ndarray:
        """Probability of each model, shape (n, n_models); rows add up to 1.

        Parameters
        ----------
        flux : ndarray, shape (n, 57)
            F_ν on any scale; NaN where a band is missing.
        relative : ndarray, shape (57,) or (n, 57)
            σ_F/F of the noise-free flux, as :meth:`sspexplorer.noise.NoiseModel.relative_error`;
            any number where a band is missing.
        """
        present = np.isfinite(flux)
        scale = np.nanmedian(np.where(present, np.abs(flux), np.nan), axis=1, keepdims=True)
        f = np.where(present, flux / scale, 0.0)
        weight = np.where(present, 1 / np.square(relative), 0.0)
        n = present.sum(axis=1, keepdims=True)
        first = (f * weight) @ self._inverse
        second = (f**2 * weight) @ self._squared
        u = (first + np.sqrt(first**2 + 4 * n * second)) / (2 * second)
        # At the peak S₂u²/2 − S₁u = (n − S₁u)/2 − S₁u/2 … = (n − S₁u)/2.
        log_likelihood = n * np.log(u) - (n - first * u) / 2
        log_likelihood -= np.log(n + second * u**2) / 2
        log_likelihood -= present @ self._logs
        log_likelihood -= log_likelihood.max(axis=1, keepdims=True)
        probability = np.exp(log_likelihood, out=log_likelihood)
        return probability / probability.sum(axis=1, keepdims=True)

    def means(self, flux: np.ndarray, relative: np.ndarray, parameters: np.ndarray) -> np.ndarray:
        """Posterior means, shape (n, n_parameters): none has a lesser mean squared error.

        Parameters
        ----------
        flux, relative
            As in :meth:`probabilities`.
        parameters : ndarray, shape (n_models, n_parameters)
        """
        relative = np.broadcast_to(relative, flux.shape)
        chunk = max(1, _CELLS // len(parameters))
        found = np.empty((len(flux), parameters.shape[1]))
        for start in range(0, len(flux), chunk):
            rows = slice(start, start + chunk)
            found[rows] = self.probabilities(flux[rows], relative[rows]) @ parameters
        return found


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
    return make_grid(libraries, ebv=ebv.tolist(), redshift=redshift)


def draws(
    models: ModelGrid, weights: np.ndarray, n_draws: int = N_DRAWS, seed: int = 0
) -> pd.DataFrame:
    """Draws from models by their weights, each spread evenly over what its model stands for.

    A model stands for all that is nearer to it than to its neighbours in a library, along each
    parameter: so the draws have no gaps between the metallicities of a library.

    Parameters
    ----------
    models : ModelGrid
    weights : ndarray, shape (n_models,)
        Probabilities, of :class:`ExactPosterior` or of a fit.
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
