"""The history of star formation that a model has for a galaxy, with its band."""

import numpy as np

from sspexplorer.galaxies.growth import Growth, GrowthCurves, age_at
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.one import OneGalaxy

_TIMES = ("log_t50", "log_t90")


def tells_growth(model: PosteriorModel) -> bool:
    """Whether a model knows when stars formed."""
    return any(group.names == _TIMES for group in model.groups)


def growth_draws(
    model: PosteriorModel,
    flux: np.ndarray,
    error: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    n_draws: int,
    seed: int = 0,
) -> np.ndarray:
    """Draws of ``log_t50`` and ``log_t90`` (log10 yr), shape (n, n_draws, 2).

    Parameters
    ----------
    model : PosteriorModel
        One that :func:`tells_growth`.
    flux, error : ndarray, shape (n, 57)
    redshift, redshift_err : ndarray, shape (n,), optional
    n_draws, seed : int
    """
    names = [group.names for group in model.groups]
    mixture = model.posterior(flux, error, redshift, redshift_err)[names.index(_TIMES)]
    return mixture.sample(n_draws, seed)


def growth_of(
    galaxy: OneGalaxy,
    model: PosteriorModel,
    curves: GrowthCurves,
    redshift: float,
    n_draws: int = 2000,
) -> Growth:
    """History of one galaxy.

    Parameters
    ----------
    galaxy : OneGalaxy
    model : PosteriorModel
        One that :func:`tells_growth`.
    curves : GrowthCurves
        Of its prior.
    redshift : float
        Where the galaxy has none of its own, that of its colours: it says how old the universe was.
    n_draws : int
    """
    z, z_err = galaxy.asked_redshift
    draws = growth_draws(model, galaxy.flux[None], galaxy.error[None], z, z_err, n_draws=n_draws)
    age = age_at(max(redshift, 0.0))
    return Growth.of(curves.nearest(draws[0], age), age)
