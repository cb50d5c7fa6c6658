"""Whether posteriors hold what they promise: coverage, ranks and the TARP test."""

from collections.abc import Sequence

import numpy as np

from sspexplorer.posterior.density import Mixture

CURVE_LEVELS = tuple(np.round(np.linspace(0, 1, 41), 3).tolist())


def ranks(mixture: Mixture, true: np.ndarray) -> np.ndarray:
    """Posterior probability of each parameter to lie below the truth, shape (n, d).

    Even between 0 and 1 if the posterior is calibrated (Cook, Gelman & Rubin 2006).

    Parameters
    ----------
    mixture : Mixture
    true : ndarray, shape (n, d)
    """
    return mixture.cdf(true)


def coverage(rank: np.ndarray, level: float) -> np.ndarray:
    """Share of truths inside the central interval of a level, shape (d,).

    Parameters
    ----------
    rank : ndarray, shape (n, d)
        See :func:`ranks`.
    level : float
        Probability of the interval, 0 to 1.
    """
    return (np.abs(rank - 0.5) <= level / 2).mean(axis=0)


def tarp(mixture: Mixture, true: np.ndarray, *, n_draws: int = 200, seed: int = 0) -> np.ndarray:
    """Expected coverage of the joint posterior, by distances to points at random.

    Lemos et al. (2023), "Sampling-based accuracy testing of posterior estimators", Algorithm 2:
    for a reference point drawn at random for each galaxy, the share f of posterior draws nearer
    to it than the truth is even between 0 and 1 if, and only if, the posterior is right.
    Distances are in u, where the prior is of order one in every parameter.

    Returns
    -------
    ndarray, shape (n,)
        f of each galaxy. The coverage at level c is the share of galaxies with f < c.
    """
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal(true.shape)
    draws = mixture.bounds.to_normal(mixture.sample(n_draws, seed=seed + 1))
    truth = mixture.bounds.to_normal(true)
    near = np.linalg.norm(draws - reference[:, None], axis=-1)
    far = np.linalg.norm(truth - reference, axis=-1)[:, None]
    return (near < far).mean(axis=1)


def expected_coverage(fractions: np.ndarray, levels: Sequence[float] = CURVE_LEVELS) -> list[float]:
    """Share of ``fractions`` below each level."""
    ordered = np.sort(fractions)
    return (np.searchsorted(ordered, levels, side="right") / len(ordered)).tolist()
