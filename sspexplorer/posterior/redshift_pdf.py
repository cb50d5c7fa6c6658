"""Posteriors of galaxies whose redshift is known as a full p(z).

With p(z) all that is known of the redshift, the posterior of all else is ∫ p(θ | F, z) p(z) dz: the
mean of the posteriors at redshifts that stand for p(z), all as likely, each told to the network as
one that is known. What p(z) holds beyond the reach of a model is left out.
"""

import numpy as np

from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.model import PosteriorModel

# Errors that the network is told, by how far the redshifts lie apart.
_ERRORS = (1e-4, 0.01)


def posterior_over(
    model: PosteriorModel, flux: np.ndarray, flux_err: np.ndarray, nodes: np.ndarray
) -> tuple[Mixture, ...]:
    """Posteriors of each group and the joint one, as :meth:`.PosteriorModel.posterior` gives them.

    Parameters
    ----------
    model : PosteriorModel
    flux, flux_err : ndarray, shape (n, 57)
    nodes : ndarray, shape (n, n_nodes)
        Rising redshifts, all as likely; at least one of a row within the reach of the model.

    Returns
    -------
    tuple of Mixture
        The redshift, the last of the model's groups, is from the colours alone.
    """
    nodes = np.clip(nodes, 0, None)
    apart = np.clip(np.gradient(nodes, axis=1) / 2, *_ERRORS)
    share = (nodes <= model.reach.highest).astype(np.float32)
    share /= share.sum(axis=1, keepdims=True)
    found = [
        model.posterior(flux, flux_err, nodes[:, k], apart[:, k], photoz=not k, joint=True)
        for k in range(nodes.shape[1])
    ]
    colours = len(model.groups) - 1
    return tuple(
        group[0] if place == colours else _mean(group, share)
        for place, group in enumerate(zip(*found, strict=True))
    )


def _mean(parts: tuple[Mixture, ...], share: np.ndarray) -> Mixture:
    weights = [part.weights * share[:, k : k + 1] for k, part in enumerate(parts)]
    arrays = (np.concatenate([getattr(p, f) for p in parts], axis=1) for f in ("means", "factors"))
    return Mixture(parts[0].bounds, np.concatenate(weights, axis=1), *arrays)
