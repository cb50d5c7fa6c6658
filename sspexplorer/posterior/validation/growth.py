"""How often histories of star formation lie in the bands that a model gives them."""

import numpy as np
import pandas as pd

from sspexplorer.galaxies.growth import (
    TIMES,
    GrownGalaxies,
    GrowthCurves,
    age_at,
    grown_names,
)
from sspexplorer.galaxies.prior import GalaxyPrior
from sspexplorer.posterior.growth import growth_draws
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.validation.trust import SEED, held_out

_SHOWN = slice(None, None, 8)  # of the times
_EQUAL = 1e-4  # shares as near as that are the same


def measure_growth(model: PosteriorModel, n: int, n_draws: int = 500) -> pd.DataFrame:
    """Coverage of the share of stars that had formed, redshift given.

    At many a time all stars of a galaxy had formed, or none, and as many draws say so: a truth
    that ties with draws takes a random place among them.

    Returns
    -------
    DataFrame
        ``time`` (lookback, in units of the age of the universe), ``coverage_68``,
        ``coverage_95``, ``width`` (median of the 68 % interval) and ``n``.
    """
    prior = prior_of(model.card)
    assert isinstance(prior, GalaxyPrior)
    mocks = held_out(model, GrownGalaxies.from_dict(prior.to_dict()), n, seed=SEED + 9)
    curves, rng = GrowthCurves.draw(prior.families), np.random.default_rng(SEED)
    redshift = mocks.populations.redshift.astype(float)
    draws = growth_draws(model, mocks.flux, mocks.error, redshift, n_draws=n_draws)
    true = mocks.populations.values(grown_names()).astype(float)[:, _SHOWN]
    place, width = np.empty((2, *true.shape))
    for k, (own, z) in enumerate(zip(draws, redshift, strict=True)):
        formed = curves.nearest(own, age_at(z))[:, _SHOWN]
        below = (formed < true[k] - _EQUAL).mean(axis=0)
        equal = (np.abs(formed - true[k]) <= _EQUAL).mean(axis=0)
        place[k] = below + rng.uniform(size=len(equal)) * equal
        width[k] = np.subtract(*np.percentile(formed, [84, 16], axis=0))
    off = np.abs(place - 0.5)
    return pd.DataFrame(
        {
            "time": TIMES[_SHOWN],
            "coverage_68": (off < 0.34).mean(axis=0),
            "coverage_95": (off < 0.475).mean(axis=0),
            "width": np.median(width, axis=0),
            "n": len(mocks),
        }
    )
