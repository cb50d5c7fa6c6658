"""One galaxy of a catalogue as a posterior model saw it: what its table cannot hold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.bands import BAND_NAMES
from sspexplorer.mocks import PARAMETERS
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.exact import N_DRAWS, ExactPosterior, draws
from sspexplorer.posterior.taken import Choices, prepared, redshifts_as
from sspexplorer.sedfit import ModelGrid, model_weights


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

    def draws(self, estimator: Estimator, n_draws: int = N_DRAWS, seed: int = 0) -> pd.DataFrame:
        """Draws from a model's posterior: ``log_age``, ``metallicity``, ``ebv``, ``weight`` 1."""
        z, z_err = np.array([max(self.redshift, 0.0)]), np.array([self.redshift_err])
        if np.isnan(self.redshift):
            z[:] = np.nan
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
