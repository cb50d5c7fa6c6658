"""The exact posterior of one population, against integrals done by brute force."""

import numpy as np
import pytest
from scipy.integrate import quad

from sspexplorer.mocks import EBV_GRID, PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import draw_ebv
from sspexplorer.posterior.exact import ExactPosterior, draws, prior_models
from sspexplorer.posterior.validation.comparisons import model_grid
from sspexplorer.sedfit import model_weights


@pytest.fixture(scope="module")
def models():
    return prior_models(0.04, libraries=("emiles",))


@pytest.fixture(scope="module")
def bc03():
    return prior_models(0.0, libraries=("bc03",))


def evidence(flux: np.ndarray, model: np.ndarray, relative: np.ndarray) -> float:
    """Log likelihood of a model, its amplitude even in the logarithm, by quadrature."""
    there = np.isfinite(flux)
    flux, model, sigma = flux[there], model[there], relative[there]
    grid = np.linspace(-3, 3, 4001) + np.log(np.median(flux) / np.median(model))

    def log_density(log_amplitude: float) -> float:
        seen = np.exp(log_amplitude) * model
        return float(np.sum(-0.5 * ((flux - seen) / (sigma * seen)) ** 2 - np.log(sigma * seen)))

    values = [log_density(a) for a in grid]
    top, middle = max(values), grid[int(np.argmax(values))]
    integral, _ = quad(
        lambda a: np.exp(log_density(a) - top), middle - 1, middle + 1, points=[middle], limit=200
    )
    return top + np.log(integral)


@pytest.mark.parametrize("magnitude", [18.0, 21.0, 22.0])
def test_it_is_bayes_rule_done_by_brute_force(magnitude):
    grid = model_grid(12)
    relative = NoiseModel.default().relative_error(magnitude)
    rng = np.random.default_rng(0)
    seen = grid.flux.astype(float) * (1 + relative * rng.standard_normal((12, 57)))
    seen[:, [5, 20]] = np.nan
    rows = np.flatnonzero(np.nanmedian(seen, axis=1) > 0)[:2]
    found = ExactPosterior(grid.flux).probabilities(3e-28 * seen[rows], relative)
    for row, probability in zip(rows, found, strict=True):
        logs = np.array([evidence(seen[row], model, relative) for model in grid.flux.astype(float)])
        expected = np.exp(logs - logs.max())
        assert probability == pytest.approx(expected / expected.sum(), abs=0.005)


def test_it_says_more_of_the_truth_than_the_sed_fit_does(bc03):
    """Although the fit is told the true σ of every band: only here does σ go with the model."""
    some = bc03.select(np.arange(len(bc03)) % 4 == 0)
    noise, rng = NoiseModel.default(), np.random.default_rng(3)
    rows, n = rng.choice(len(some), 200), np.arange(200)
    flux, error = noise.add(some.flux[rows], 22.0, rng)
    exact = ExactPosterior(some.flux)
    found = exact.probabilities(flux, noise.relative_error(22.0))
    fitted = model_weights(some, flux, error)
    assert np.log(found[n, rows]).mean() > np.log(fitted[n, rows]).mean() + 0.1
    best, other = (
        np.sqrt(np.mean((w @ some.parameters - some.parameters[rows]) ** 2, axis=0))
        for w in (found, fitted)
    )
    assert (best < 1.01 * other).all()
    means = exact.means(flux, noise.relative_error(22.0), some.parameters)
    np.testing.assert_allclose(means, found @ some.parameters)


def test_a_clear_galaxy_is_found():
    grid = model_grid(2000)
    found = ExactPosterior(grid.flux).means(grid.flux[100:101], np.full(57, 0.001), grid.targets)[0]
    np.testing.assert_allclose(found, grid.targets[100], atol=0.02)


def test_models_are_laid_out_as_the_prior(models):
    drawn = draw_ebv(EBV_GRID, 100_000, np.random.default_rng(0))
    probabilities = [0.1, 0.3, 0.5, 0.7, 0.9]
    found = np.quantile(models.parameters[:, 2], probabilities)
    assert found == pytest.approx(np.quantile(drawn, probabilities), abs=0.02)
    assert models.redshift == 0.04


def test_draws_have_the_moments_of_the_weights_and_no_gaps(models):
    rng = np.random.default_rng(1)
    flux, _ = NoiseModel.default().add(models.flux[::2500], 19.0, rng)
    relative = NoiseModel.default().relative_error(19.0)
    weights = ExactPosterior(models.flux).probabilities(flux, relative)[0]
    mean = weights @ models.parameters
    spread = np.sqrt(np.maximum(weights @ models.parameters**2 - mean**2, 0))
    drawn = draws(models, weights, seed=2)
    cells = [np.diff(np.unique(column)).max() for column in models.parameters.T]
    for k, name in enumerate(PARAMETERS):
        assert drawn[name].mean() == pytest.approx(mean[k], abs=cells[k])
        assert drawn[name].std() == pytest.approx(spread[k], abs=cells[k])
    assert drawn["ebv"].between(0, 0.8).all()
    even = draws(models, np.full(len(models), 1 / len(models)))
    assert np.diff(np.sort(even["metallicity"])).max() < 0.02
