"""Draws from joint posteriors, against what sums them up."""

import numpy as np
import pytest

from sspexplorer.masses import DEFAULT_COSMOLOGY
from sspexplorer.posterior.density import Bounds, Mixture
from sspexplorer.posterior.physical import Light
from sspexplorer.posterior.sampling import sampled, sampled_names

JOINT = Bounds(
    ("log_age", "log_mass_to_light", "log_ssfr", "redshift"),
    (6.0, -2.0, -14.0, 0.0),
    (10.2, 5.0, -7.0, 1.0),
)


class FarModel:
    """What is asked of a model that knows masses."""

    joint = JOINT
    groups = (JOINT,)


@pytest.fixture
def galaxies():
    n, rng = 3, np.random.default_rng(0)
    values = np.array([[9.0, 2.0, -10.0, 0.3]] * n)
    factors = np.broadcast_to(0.05 * np.tri(4), (n, 1, 4, 4)).copy()
    mixture = Mixture(JOINT, np.ones((n, 1)), JOINT.to_normal(values)[:, None], factors)
    light = Light(np.full(n, 18.0), np.array([0.3, np.nan, 0.001]), np.full(n, np.nan))
    return mixture, rng.uniform(size=(n, 57)), light


def test_draws_are_of_the_posterior_and_masses_go_with_them(galaxies):
    mixture, flux, light = galaxies
    found = sampled(FarModel, mixture, flux, light, 4000)
    assert list(found) == sampled_names(FarModel)
    mean, covariance = mixture.moments()
    assert found["log_age"].mean(axis=1) == pytest.approx(mean[:, 0], abs=0.01)
    both = np.cov(found["log_age"][1], found["log_ssfr"][1])
    assert both == pytest.approx(covariance[1][np.ix_([0, 2], [0, 2])], rel=0.1)
    z = found["redshift"].astype(float)
    assert z[0] == pytest.approx(0.3)
    assert z[1].std() > 0.005
    modulus = DEFAULT_COSMOLOGY.distance_modulus(z[:2])
    absolute = 18.0 - modulus - 2.5 * np.log10(1 + z[:2])
    expected = found["log_mass_to_light"][:2] - 0.4 * absolute
    assert found["log_mass"][:2] == pytest.approx(expected, abs=2e-3)
    assert np.isnan(found["log_mass"][2]).all()


def test_the_draws_of_a_galaxy_do_not_depend_on_its_neighbours(galaxies):
    mixture, flux, light = galaxies
    whole = sampled(FarModel, mixture, flux, light, 5)
    rows = np.array([2, 0])
    some = sampled(FarModel, mixture.rows(rows), flux[rows], light.rows(rows), 5)
    for name, draws in whole.items():
        np.testing.assert_array_equal(some[name], draws[rows])
