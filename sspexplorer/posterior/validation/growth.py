"""How often histories of star formation lie in the bands that a model gives them."""

from dataclasses import replace

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
ALL = "all"
_EQUAL = 1e-4  # shares as near as that are the same


def measure_growth(model: PosteriorModel, n: int, n_draws: int = 500) -> pd.DataFrame:
    """Coverage of the share of stars that had formed, redshift given: of all, and of each kind.

    Bands hold for all kinds of histories together, as likely as in the prior. Galaxies of one kind
    alone are another world than the model expects: how far off it is then is measured as well.

    Parameters
    ----------
    model : PosteriorModel
    n : int
        Mocks of all kinds; of each there are as many as its part in 20.
    n_draws : int

    Returns
    -------
    DataFrame
        ``kind`` (:data:`ALL` or a kind of histories) and the columns of :func:`coverage_of`.
    """
    prior = prior_of(model.card)
    assert isinstance(prior, GalaxyPrior)
    curves = GrowthCurves.draw(prior.families)
    tables = [coverage_of(model, prior, curves, n, n_draws).assign(kind=ALL)]
    for kind in prior.families:
        alone = replace(prior, families={kind: 1.0})
        tables.append(coverage_of(model, alone, curves, max(n // 20, 1), n_draws).assign(kind=kind))
    return pd.concat(tables, ignore_index=True)


def coverage_of(
    model: PosteriorModel, prior: GalaxyPrior, curves: GrowthCurves, n: int, n_draws: int
) -> pd.DataFrame:
    """Coverage for held-out galaxies of a prior, which may be another than that of the curves.

    At many a time all stars of a galaxy had formed, or none, and as many draws say so: a truth
    that ties with draws takes a random place among them.

    Returns
    -------
    DataFrame
        ``time`` (lookback, in units of the age of the universe), ``coverage_68``,
        ``coverage_95``, ``width`` (median of the 68 % interval) and ``n``.
    """
    mocks = held_out(model, GrownGalaxies.from_dict(prior.to_dict()), n, seed=SEED + 9)
    rng = np.random.default_rng(SEED)
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
