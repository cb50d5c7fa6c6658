"""Draws from posteriors, as nested columns of a table."""

import zlib

import numpy as np

from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.physical import LEAST_REDSHIFT, Light, log_luminosity, redshift_draws

_LIGHT = "log_mass_to_light"


def sampled_names(model: PosteriorModel) -> list[str]:
    """Parameters that draws tell together."""
    if model.joint is None:
        return list(model.groups[0].names)
    return [*model.joint.names, "log_mass", "log_sfr"]


def sampled(
    model: PosteriorModel,
    mixture: Mixture,
    flux: np.ndarray,
    light: Light,
    n_draws: int,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Draws from the joint posteriors of galaxies.

    Parameters
    ----------
    model : PosteriorModel
    mixture : Mixture
        The joint posterior of each galaxy, or that of the first group of a model without one.
    flux : ndarray, shape (n, 57)
        Photometry: a galaxy's draws are its own wherever it stands in a catalogue.
    light : Light
        Of the galaxies; masses of those without are NaN, as are those of the nearest.
    n_draws, seed : int

    Returns
    -------
    dict of str to ndarray, shape (n, n_draws), float32
        By :func:`sampled_names`.
    """
    normal = np.empty((len(flux), n_draws, len(mixture.bounds.names) + 1))
    uniform = np.empty((len(flux), n_draws))
    for row, own in enumerate(np.ascontiguousarray(flux, dtype=np.float32)):
        rng = np.random.default_rng((seed, zlib.crc32(own.tobytes())))
        uniform[row], normal[row] = rng.uniform(size=n_draws), rng.normal(size=normal.shape[1:])
    values = mixture.placed(uniform, normal[..., :-1])
    found = {name: values[..., k] for k, name in enumerate(mixture.bounds.names)}
    if model.joint is not None:
        z = redshift_draws(found["redshift"], normal[..., -1], light)
        near = z < LEAST_REDSHIFT
        mass = np.where(near, np.nan, found[_LIGHT] + log_luminosity(z, light))
        found |= {"redshift": z, "log_mass": mass, "log_sfr": mass + found["log_ssfr"]}
    return {name: draws.astype(np.float32) for name, draws in found.items()}
