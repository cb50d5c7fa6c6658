"""One galaxy of a catalogue as a posterior model saw it: what its table cannot hold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.bands import BAND_NAMES
from sspexplorer.mocks import PARAMETERS
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.exact import N_DRAWS, ExactPosterior, draws
from sspexplorer.posterior.likeness import MODEL_ERROR
from sspexplorer.posterior.taken import Choices, prepared, redshifts_as
from sspexplorer.sedfit import ModelGrid, model_weights


@dataclass(frozen=True, eq=False)
class ClosestMixture:
    """The mixture of a model's training SEDs that comes closest to a galaxy.

    Attributes
    ----------
    flux : ndarray, shape (57,)
        F_ν on the scale of the galaxy, also of bands that are missing.
    low, high : ndarray, shape (57,)
        16th and 84th percentile of the mixtures that come closest to as many copies of it, each
        with noise of its own: refits of perturbed data, as draws from a posterior (Bardsley et
        al. 2014, SIAM J. Sci. Comput. 36, A1895).
    sigma : ndarray, shape (57,)
        What differences are measured by: the error, and that of the SEDs, in quadrature.
    score : float
        χ² per band.
    """

    flux: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sigma: np.ndarray
    score: float

    def over(self, scale: float) -> "ClosestMixture":
        """The same, of a galaxy whose fluxes were divided by ``scale``."""
        flux, low, high = self.flux / scale, self.low / scale, self.high / scale
        return ClosestMixture(flux, low, high, self.sigma / scale, self.score)


@dataclass(frozen=True, eq=False)
class OneGalaxy:
    """Photometry that was used, with the errors that were used.

    Attributes
    ----------
    flux, error : ndarray, shape (57,)
        F_ν and σ with the floor; NaN in ``flux`` where a band is missing or was set aside.
    aside : ndarray of bool, shape (57,)
        Bands that were measured, and set aside.
    redshift, redshift_err : float
        NaN where unknown.
    """

    flux: np.ndarray
    error: np.ndarray
    aside: np.ndarray
    redshift: float
    redshift_err: float

    @classmethod
    def of_row(
        cls,
        flux: np.ndarray,
        flux_err: np.ndarray,
        redshift: float,
        redshift_err: float,
        set_aside: str,
        choices: Choices,
    ) -> "OneGalaxy":
        """Take a row of a catalogue as :func:`~sspexplorer.posterior.prediction.predict_posterior`.

        Parameters
        ----------
        flux, flux_err : ndarray, shape (57,)
        redshift, redshift_err : float
            Of the catalogue; NaN where it has none.
        set_aside : str
            Names of bands with spaces between, as in ``pred_set_aside``.
        choices : Choices
        """
        aside = np.isin(BAND_NAMES, flags.codes(set_aside))
        error, _ = prepared(flux[None], flux_err[None], choices.floor)
        z, z_err = redshifts_as(
            np.array([redshift]), np.array([redshift_err]), 1, choices.redshift_as
        )
        used = np.where(aside, np.nan, flux)
        return cls(used, error[0], aside, float(z[0]), float(z_err[0]))

    def closest(self, estimator: Estimator, n_copies: int = 200, seed: int = 0) -> ClosestMixture:
        """Mixture of what a model was trained on that comes closest to this galaxy."""
        redshift = np.array([self.redshift]), np.array([self.redshift_err])
        ((likeness, _),) = estimator.compared(*redshift)
        score, _, found = likeness.assess(self.flux[None], self.error[None])
        flux = found[0]
        sigma = np.hypot(self.error, MODEL_ERROR * np.abs(flux))
        noise = np.random.default_rng(seed).normal(size=(n_copies, len(flux)))
        copies = np.where(np.isfinite(self.flux), flux + sigma * noise, np.nan)
        mixtures = likeness.assess(copies, np.repeat(self.error[None], n_copies, axis=0))[-1]
        low, high = np.percentile(mixtures, [16, 84], axis=0)
        return ClosestMixture(flux, low, high, sigma, float(score[0]))

    @property
    def asked_redshift(self) -> tuple[np.ndarray, np.ndarray]:
        """Redshift and its σ as a model is asked, (1,); NaN where unknown."""
        return np.maximum([self.redshift], 0.0), np.array([self.redshift_err])

    def draws(self, estimator: Estimator, n_draws: int = N_DRAWS, seed: int = 0) -> pd.DataFrame:
        """Draws from a model's posterior: ``log_age``, ``metallicity``, ``ebv``, ``weight`` 1."""
        z, z_err = self.asked_redshift
        mixture = estimator.model.posterior(self.flux[None], self.error[None], z, z_err)[0]
        values = mixture.sample(n_draws, seed)[0]
        return pd.DataFrame(values, columns=list(PARAMETERS)).assign(weight=1.0)

    def exact(
        self, models: ModelGrid, relative: np.ndarray, n_draws: int = N_DRAWS, seed: int = 0
    ) -> pd.DataFrame:
        """Draws from the exact posterior of one population, see :mod:`.exact`.

        Parameters
        ----------
        models : ModelGrid
        relative : ndarray, shape (57,)
            σ_F/F of the noise-free flux: the noise model, which a catalogue does not tell.
        n_draws, seed : int
        """
        weights = ExactPosterior(models.flux).probabilities(self.flux[None], relative)[0]
        return draws(models, weights, n_draws, seed)

    def fitted(self, models: ModelGrid, n_draws: int = N_DRAWS, seed: int = 0) -> pd.DataFrame:
        """Draws from the SED fit of one population: χ² with the errors that were used."""
        weights = model_weights(models, self.flux[None], self.error[None])[0]
        return draws(models, weights, n_draws, seed)
