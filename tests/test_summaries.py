"""Posteriors as columns, against closed forms."""

import numpy as np
import pytest

from sspexplorer.posterior.density import Bounds, Mixture
from sspexplorer.posterior.physical import Light
from sspexplorer.posterior.prior import PriorDraws
from sspexplorer.posterior.summaries import summed_up


class FarModel:
    """What is asked of a model that knows of star formation."""

    groups = (
        Bounds(("log_ssfr",), (-14.0,), (-7.0,)),
        Bounds(("log_t50", "log_t90"), (6.0, 6.0), (10.2, 10.2)),
        Bounds(("redshift",), (0.0,), (1.0,)),
    )
    joint = None


def gaussians(bounds: Bounds, values: np.ndarray, width: float) -> Mixture:
    """One narrow Gaussian for each row of values (n, d)."""
    n, d = values.shape
    factors = np.broadcast_to(width * np.eye(d), (n, 1, d, d)).copy()
    return Mixture(bounds, np.ones((n, 1)), bounds.to_normal(values)[:, None], factors)


@pytest.fixture
def summary():
    ssfr, times, z = FarModel.groups
    prior = PriorDraws({n: np.array([8.0, 10.0]) for n in ("log_ssfr", "log_t50", "log_t90")})
    mixtures = (
        gaussians(ssfr, np.array([[-10.0], [-13.5]]), 0.01),
        gaussians(times, np.full((2, 2), 9.0), 0.3),
        gaussians(z, np.full((2, 1), 0.5), 0.01),
    )
    unknown = np.full(2, np.nan)
    return summed_up(FarModel, mixtures, prior, Light(unknown, unknown, unknown)), mixtures[1]


def test_rates_that_may_be_none_are_upper_limits(summary):
    found = summary[0].columns
    assert summary[0].quiescent.tolist() == [False, True]
    assert found["pred_log_ssfr"][0] == pytest.approx(found["pred_log_ssfr_p50"][0], abs=1e-3)
    assert -13.5 < found["pred_log_ssfr"][1] < -13.4
    assert np.isnan([found[f"pred_log_ssfr{s}"][1] for s in ("_err", "_p16", "_p50", "_p84")]).all()


def test_times_are_in_gyr(summary):
    found, times = summary[0].columns, summary[1]
    drawn = 10 ** (times.sample(200_000)[0, :, 0] - 9)
    assert found["pred_t50"][0] == pytest.approx(drawn.mean(), rel=0.01)
    assert found["pred_t50_err"][0] == pytest.approx(drawn.std(), rel=0.02)
    assert found["pred_t50_p84"][0] == pytest.approx(np.quantile(drawn, 0.84), rel=0.01)
