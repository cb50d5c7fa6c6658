"""The exact posterior, which nobody can beat."""

import numpy as np

from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.validation.comparisons import ExactPosterior, model_grid


def test_the_exact_posterior_is_bayes_rule_written_out():
    grid = model_grid(60)
    models, parameters = grid.flux.astype(float), grid.targets
    relative = NoiseModel.default().relative_error(21.0)
    rng = np.random.default_rng(0)
    flux = models[3] * (1 + relative * rng.standard_normal(57))
    flux[[5, 20]] = np.nan
    there = np.isfinite(flux)
    log_likelihood = []
    for model in models[:, there]:
        sigma = relative[there]
        amplitude = np.sum((flux[there] / (model * sigma)) ** 2) / np.sum(
            flux[there] / (model * sigma**2)
        )
        scaled = amplitude * model
        terms = -0.5 * ((flux[there] - scaled) / (sigma * scaled)) ** 2 - np.log(sigma * scaled)
        log_likelihood.append(terms.sum())
    weight = np.exp(log_likelihood - np.max(log_likelihood))
    expected = weight @ parameters / weight.sum()
    found = ExactPosterior(models).means(flux[None], relative, parameters)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_clear_galaxy_is_found():
    grid = model_grid(2000)
    found = ExactPosterior(grid.flux).means(grid.flux[100:101], np.full(57, 0.001), grid.targets)[0]
    np.testing.assert_allclose(found, grid.targets[100], atol=0.02)
