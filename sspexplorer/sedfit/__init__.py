"""Bayesian SED fitting on a grid of models: the rival of the networks.

The algorithm of CIGALE (Boquien et al. 2019, A&A 622, A103, Sect. 4.3), which Domínguez Sánchez et
al. (2026), Sect. 5.1, compare their networks with: the χ² of every model with free amplitude, and
means and standard deviations of the parameters weighted by the likelihood. For galaxies drawn from
the grid, with noise that is the same whatever the galaxy, no estimator would have a smaller mean
squared error. The noise of mocks goes with the flux of the model: what can be done then is in
:mod:`sspexplorer.posterior.exact`.
"""

from sspexplorer.sedfit.fitting import (
    ASSUMED_ERROR,
    CIGALE_FLOOR,
    DEFAULT_FLOOR,
    FIT_COLUMNS,
    MEAN_COLUMNS,
    POOR_FIT,
    chi_squared,
    fit,
    model_weights,
)
from sspexplorer.sedfit.grid import ModelGrid, make_grid
from sspexplorer.sedfit.mocks import fit_mocks, some_of_each_magnitude
from sspexplorer.sedfit.redshifts import FARTHEST, REDSHIFT_STEP, fit_at_redshifts

__all__ = [
    "ASSUMED_ERROR",
    "CIGALE_FLOOR",
    "DEFAULT_FLOOR",
    "FARTHEST",
    "FIT_COLUMNS",
    "MEAN_COLUMNS",
    "POOR_FIT",
    "REDSHIFT_STEP",
    "ModelGrid",
    "chi_squared",
    "fit",
    "fit_at_redshifts",
    "fit_mocks",
    "make_grid",
    "model_weights",
    "some_of_each_magnitude",
]
