"""Mixtures of Gaussians between bounds: against torch's and scipy's own, and by their promises."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from sspexplorer.posterior.density import Bounds, Mixture, MixtureHead
from sspexplorer.posterior.validation.calibration import coverage, expected_coverage, ranks, tarp

BOUNDS = Bounds(("log_age", "metallicity", "ebv"), (6.0, -2.5, 0.0), (10.2, 0.8, 0.8))


@pytest.fixture(scope="module")
def tensors():
    torch.manual_seed(0)
    head = MixtureHead(8, n_parameters=3, n_components=4)
    with torch.no_grad():
        head.layer.weight.mul_(4)
        return head(torch.randn(6, 8))


@pytest.fixture(scope="module")
def mixture(tensors):
    return tensors.mixture(BOUNDS)


def test_log_density_is_that_of_torch(tensors, mixture):
    u = torch.randn(6, 3, generator=torch.Generator().manual_seed(1))
    factors = torch.as_tensor(mixture.factors, dtype=torch.float32)
    parts = torch.distributions.MultivariateNormal(tensors.means, scale_tril=factors)
    both = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(logits=tensors.log_weights), parts
    )
    torch.testing.assert_close(tensors.log_prob(u), both.log_prob(u), rtol=1e-4, atol=1e-4)


def test_an_even_prior_is_normal_and_bounds_hold():
    even = np.linspace(0.0, 0.8, 2001)[1:-1]
    bounds = Bounds(("ebv",), (0.0,), (0.8,))
    u = bounds.to_normal(even[:, None])[:, 0]
    np.testing.assert_allclose(np.quantile(u, [0.16, 0.84]), norm.ppf([0.16, 0.84]), atol=2e-3)
    back = bounds.from_normal(bounds.to_normal(np.array([[-1.0], [0.3], [2.0]])))
    np.testing.assert_allclose(back[:, 0], [0.8e-4, 0.3, 0.8 * (1 - 1e-4)], rtol=1e-6)


def test_quantiles_invert_the_distribution(mixture):
    levels = (0.025, 0.16, 0.5, 0.84, 0.975)
    quantiles = mixture.quantiles(levels)
    for index, level in enumerate(levels):
        np.testing.assert_allclose(mixture.cdf(quantiles[..., index]), level, atol=2e-4)


def test_moments_and_draws_agree(mixture):
    mean, covariance = mixture.moments()
    draws = mixture.sample(40_000, seed=3)
    spread = np.sqrt(np.einsum("nii->ni", covariance))
    assert (np.abs(draws.mean(axis=1) - mean) < 0.02 * spread + 2e-3).all()
    for k in range(len(mixture)):
        np.testing.assert_allclose(np.cov(draws[k].T), covariance[k], atol=0.04 * spread[k].max())


@settings(max_examples=25, deadline=None)
@given(st.floats(-1.5, 1.5), st.floats(0.05, 1.0), st.floats(0.05, 0.95))
def test_one_gaussian_has_the_quantiles_of_theory(mean, width, level):
    bounds = Bounds(("ebv",), (0.0,), (0.8,))
    one = Mixture(bounds, np.ones((1, 1)), np.full((1, 1, 1), mean), np.full((1, 1, 1, 1), width))
    expected = 0.8 * norm.cdf(norm.ppf(level, mean, width))
    assert one.quantiles((level,))[0, 0, 0] == pytest.approx(expected, abs=1e-5)


def _two_humped() -> Mixture:
    """Mixtures from one hump to two that are far apart, with a narrow one between."""
    bounds = Bounds(("log_age", "ebv"), (6.0, 0.0), (10.2, 0.8))
    apart = np.linspace(0, 2.5, 12)
    means = np.zeros((12, 3, 2))
    means[:, 0], means[:, 1] = -apart[:, None], apart[:, None]
    factors = np.array([[[0.3, 0], [0.2, 0.4]], [[0.5, 0], [-0.1, 0.2]], [[0.004, 0], [0, 0.02]]])
    weights = np.tile([0.45, 0.5, 0.05], (12, 1))
    return Mixture(bounds, weights, means, np.tile(factors, (12, 1, 1, 1)))


def test_quantiles_of_several_humps_are_where_scipy_finds_them():
    mixture, levels = _two_humped(), (0.025, 0.16, 0.45, 0.5, 0.84)
    found = mixture.bounds.to_normal(mixture.quantiles(levels).swapaxes(1, 2))
    spreads = np.sqrt(np.square(mixture.factors).sum(-1))
    for row, k, q in np.ndindex(12, 2, len(levels)):
        parts = mixture.weights[row], mixture.means[row, :, k], spreads[row, :, k]
        expected = brentq(lambda u: parts[0] @ norm.cdf(u, *parts[1:]) - levels[q], -9, 9)  # noqa: B023
        # Where there is hardly any density, 32 bits leave a little room.
        density = parts[0] @ norm.pdf(expected, *parts[1:])
        assert found[row, q, k] == pytest.approx(expected, abs=1e-4 + 1e-6 / density)


def test_moments_are_those_of_theory():
    mixture = _two_humped()
    mean, covariance = mixture.moments()
    low, high = np.array(mixture.bounds.low), np.array(mixture.bounds.high)
    for row in (0, 5, 11):
        first, second = np.zeros(2), np.zeros((2, 2))
        parts = (mixture.weights[row], mixture.means[row], mixture.factors[row])
        for weight, centre, factor in zip(*parts, strict=True):
            # E Φ(u) and E Φ(u) Φ(v) are probabilities of normal numbers with unit variance added.
            wide = factor @ factor.T + np.eye(2)
            first += weight * norm.cdf(centre / np.sqrt(np.diag(wide)))
            for i, j in np.ndindex(2, 2):
                both = [[wide[i, i], wide[i, j] - (i == j)], [wide[i, j] - (i == j), wide[j, j]]]
                second[i, j] += weight * multivariate_normal([0, 0], both).cdf(centre[[i, j]])
        np.testing.assert_allclose(mean[row], low + (high - low) * first, rtol=1e-5)
        expected = (second - np.outer(first, first)) * np.outer(high - low, high - low)
        np.testing.assert_allclose(covariance[row], expected, atol=2e-5, rtol=2e-3)


def test_the_mean_of_a_time_is_that_of_an_integral_over_its_logarithm():
    mixture = _two_humped()
    mean, spread = mixture.power_moments(0, 9.0)
    for row in (0, 5, 11):
        widths = np.linalg.norm(mixture.factors[row, :, 0], axis=-1)
        parts = list(zip(mixture.weights[row], mixture.means[row, :, 0], widths, strict=True))

        def moment(power: int, parts: list = parts) -> float:
            """∫ 10^(power (y − 9)) p(u) du."""
            return sum(
                weight
                * norm.expect(
                    lambda u: 10 ** (power * (6.0 + 4.2 * norm.cdf(u) - 9)), loc=centre, scale=width
                )
                for weight, centre, width in parts
            )

        assert mean[row] == pytest.approx(moment(1), rel=1e-3)
        assert spread[row] == pytest.approx(np.sqrt(moment(2) - moment(1) ** 2), rel=5e-3)


def _gaussians(n: int, claimed: float) -> tuple[Mixture, np.ndarray]:
    """Posteriors of unit width that claim another, and truths."""
    rng = np.random.default_rng(0)
    centre = rng.normal(0, 0.3, (n, 1, 3))
    covariance = 0.04 * (np.eye(3) + 0.5)
    truth = centre[:, 0] + multivariate_normal(np.zeros(3), covariance).rvs(n, random_state=rng)
    factor = np.broadcast_to(claimed * np.linalg.cholesky(covariance), (n, 1, 3, 3))
    mixture = Mixture(BOUNDS, np.ones((n, 1)), centre, factor)
    return mixture, BOUNDS.from_normal(truth)


def test_calibration_tells_right_posteriors_from_narrow_ones():
    right, truth = _gaussians(3000, 1.0)
    np.testing.assert_allclose(coverage(ranks(right, truth), 0.68), 0.68, atol=0.03)
    np.testing.assert_allclose(coverage(ranks(right, truth), 0.95), 0.95, atol=0.015)
    levels = np.array([0.25, 0.5, 0.75])
    np.testing.assert_allclose(expected_coverage(tarp(right, truth), levels), levels, atol=0.04)
    narrow, truth = _gaussians(3000, 0.5)
    # Half the width holds what half of one σ holds: 2 Φ(0.4972) − 1.
    expected = 2 * norm.cdf(0.5 * norm.ppf(0.84)) - 1
    np.testing.assert_allclose(coverage(ranks(narrow, truth), 0.68), expected, atol=0.03)
    assert expected_coverage(tarp(narrow, truth), levels)[0] > 0.28
