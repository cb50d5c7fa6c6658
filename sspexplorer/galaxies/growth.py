"""When the stars of a galaxy formed, as far as two times tell.

Model ``galaxy`` tells when half and nine tenths of the stars had formed. What lies between is as in
those histories of its prior that have the same two times: if the posterior of the times holds what
it promises, so does that of the history, by the law of total probability.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.spatial import KDTree

from sspexplorer.galaxies.derived import times, younger_share
from sspexplorer.galaxies.families import draw_histories
from sspexplorer.galaxies.formation import AGE_OF_UNIVERSE
from sspexplorer.galaxies.mixing import Mixer
from sspexplorer.galaxies.prior import GalaxyPrior, _Drawn
from sspexplorer.masses import DEFAULT_COSMOLOGY
from sspexplorer.populations import Populations

# Lookback times in units of the age of the universe where a galaxy is seen: 6 % apart.
TIMES = np.geomspace(1e-3, 1.0, 121)
_N_HISTORIES = 40_000


@dataclass(frozen=True, eq=False)
class Growth:
    """Share of the stars of one galaxy that had formed, with its 68 % interval.

    Attributes
    ----------
    lookback : ndarray, shape (n_times,)
        yr, before the light was sent.
    low, median, high : ndarray, shape (n_times,)
        16th, 50th and 84th percentile of the share at each time.
    """

    lookback: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, formed: np.ndarray, age: float) -> "Growth":
        """Percentiles of draws (n, n_times) at :data:`TIMES` of a universe of an age (yr)."""
        return cls(age * TIMES, *np.percentile(formed, [16, 50, 84], axis=0))


@dataclass(frozen=True, eq=False)
class GrowthCurves:
    """Histories of a prior.

    Attributes
    ----------
    log_times : ndarray, shape (n, 2)
        ``log_t50`` and ``log_t90`` (log10 yr) for a galaxy that is seen now.
    formed : ndarray, shape (n, n_times), float32
        Share of the stars formed before :data:`TIMES`.
    """

    log_times: np.ndarray
    formed: np.ndarray

    @classmethod
    def draw(
        cls, families: Mapping[str, float], n: int = _N_HISTORIES, seed: int = 0
    ) -> "GrowthCurves":
        """Draw histories of kinds with these shares; takes a second or two."""
        formations = draw_histories(n, families, np.random.default_rng((seed, 3)))
        older = 1 - younger_share(formations, AGE_OF_UNIVERSE * TIMES)
        return cls(times(formations), older.astype(np.float32))

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.log_times)

    def nearest(self, log_times: np.ndarray, age: float) -> np.ndarray:
        """Shares of the histories with the nearest times, shape (n, n_times).

        Parameters
        ----------
        log_times : ndarray, shape (n, 2)
            ``log_t50`` and ``log_t90`` (log10 yr).
        age : float
            Of the universe where the galaxy is seen, in yr.
        """
        now = log_times - np.log10(age / age_at(0.0))
        return self.formed[self._tree.query(now)[1]]


def age_at(redshift: float) -> float:
    """Age (yr) of the universe at a redshift, in the cosmology of the training."""
    return float(DEFAULT_COSMOLOGY.age(redshift))


class GrownGalaxies(GalaxyPrior):
    """A prior whose galaxies tell what share of their stars had formed before :data:`TIMES`."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is true of the galaxies."""
        return (*super().names, *grown_names())

    def _mixed(self, mixer: Mixer, drawn: _Drawn, rng: np.random.Generator) -> Populations:
        found = super()._mixed(mixer, drawn, rng)
        stretch = DEFAULT_COSMOLOGY.age(drawn.redshift) / age_at(0.0)
        ages = AGE_OF_UNIVERSE * TIMES
        own = [
            1 - younger_share(tuple(p.rows(np.array([k])) for p in drawn.formations), ages * s)[0]
            for k, s in enumerate(stretch)
        ]
        return replace(found, targets=np.concatenate([found.targets, np.array(own)], axis=1))


def grown_names() -> tuple[str, ...]:
    """Names of the shares in :class:`GrownGalaxies`."""
    return tuple(f"formed_{k}" for k in range(len(TIMES)))
