"""The exact posterior, which nobody can beat."""

import numpy as np

from sspexplorer.noise import NoiseModel
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.comparisons import exact_means, model_grid


def test_the_exact_posterior_is_bayes_rule_written_out():
    models, parameters = model_grid(SSPPrior(libraries=("emiles",), ebv_grid=(0.0, 0.4)))
    models, parameters = models[::40], parameters[::40]
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
    found = exact_means(flux[None], relative, models, parameters)[0]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_clear_galaxy_is_found_and_dust_is_even_in_its_prior():
    models, parameters = model_grid(SSPPrior(libraries=("emiles",)))
    found = exact_means(models[100:101], np.full(57, 0.001), models, parameters)[0]
    np.testing.assert_allclose(found, parameters[100], atol=0.02)
    assert np.isclose(np.mean(parameters[:, 2] < 0.015), 1 / 8)
