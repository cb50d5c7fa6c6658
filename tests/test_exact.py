"""The exact posterior of one population, against the SED fit and against what was put in."""

import numpy as np
import pytest

from sspexplorer.mocks import EBV_GRID, PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import draw_ebv
from sspexplorer.posterior.exact import (
    exact_draws,
    exact_weights,
    prior_models,
)
from sspexplorer.sedfit import fit


@pytest.fixture(scope="module")
def models():
    return prior_models(0.04, libraries=("emiles",))


@pytest.fixture(scope="module")
def galaxies(models):
    rng = np.random.default_rng(1)
    flux, error = NoiseModel.default().add(models.flux[::700], np.full(7, 19.0), rng)
    flux[0, 20:30] = np.nan
    return flux * 3e-28, error * 3e-28


def moments(models, weights):
    mean = weights @ models.parameters
    return mean, np.sqrt(np.maximum(weights @ models.parameters**2 - mean**2, 0))


def test_means_and_spreads_are_those_of_the_sed_fit(models, galaxies):
    fitted = fit(models, *galaxies)
    mean, spread = moments(models, exact_weights(models, *galaxies))
    columns = [f"fit_{name}" for name in PARAMETERS]
    assert mean == pytest.approx(fitted[columns].to_numpy(), abs=1e-6)
    errors = fitted[[f"{name}_err" for name in columns]].to_numpy()
    assert spread == pytest.approx(errors, abs=1e-5)


def test_models_are_laid_out_as_the_prior(models):
    drawn = draw_ebv(EBV_GRID, 100_000, np.random.default_rng(0))
    probabilities = [0.1, 0.3, 0.5, 0.7, 0.9]
    found = np.quantile(models.parameters[:, 2], probabilities)
    assert found == pytest.approx(np.quantile(drawn, probabilities), abs=0.02)
    assert models.redshift == 0.04


def test_draws_have_the_moments_of_the_weights_and_no_gaps(models, galaxies):
    weights = exact_weights(models, *galaxies)
    mean, spread = moments(models, weights)
    draws = exact_draws(models, weights[3], seed=2)
    cells = [np.diff(np.unique(column)).max() for column in models.parameters.T]
    for k, name in enumerate(PARAMETERS):
        assert draws[name].mean() == pytest.approx(mean[3, k], abs=cells[k])
        assert draws[name].std() == pytest.approx(spread[3, k], abs=cells[k])
    assert draws["ebv"].between(0, 0.8).all()
    gaps = np.diff(
        np.sort(exact_draws(models, np.full(len(models), 1 / len(models)))["metallicity"])
    )
    assert gaps.max() < 0.02
