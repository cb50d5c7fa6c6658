"""How like the training a galaxy is: p-values that are even, and bands that are named."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.closest import ClosestSEDs, non_negative
from sspexplorer.posterior.likeness import (
    LIKELY,
    UNLIKE,
    Likeness,
    learn_likeness,
    named,
)
from sspexplorer.posterior.scores import roughness, typical_snr
from sspexplorer.posterior.validation.outliers import load_stars, measure_outliers, quasars
from sspexplorer.posterior.validation.trust import observe_all

NOISE = NoiseModel.default()


@pytest.fixture(scope="module")
def likeness():
    prior = SSPPrior(libraries=("popstar",))
    training, held_out = prior.draw(3000, seed=0), prior.draw(1500, seed=1, held_out=True)
    return learn_likeness(training, held_out, NOISE, n_templates=3000)


@pytest.fixture(scope="module")
def mocks():
    drawn = SSPPrior(libraries=("popstar",)).draw(300, seed=2, held_out=True)
    return observe_all(drawn, np.full(300, 18.0), NOISE, seed=3)


@pytest.mark.parametrize(("n_sweeps", "relaxation"), [(120, 1.0), (300, 1.4)])
def test_non_negative_least_squares_is_scipys(n_sweeps, relaxation):
    rng = np.random.default_rng(0)
    basis, flux = rng.uniform(size=(8, 16, 57)), rng.uniform(size=(8, 57))
    target = np.einsum("njb,nb->nj", basis, flux)
    found = non_negative(basis @ basis.transpose(0, 2, 1), target, n_sweeps, relaxation)
    for matrix, values, amplitude in zip(basis, flux, found, strict=True):
        np.testing.assert_allclose(amplitude, nnls(matrix.T, values)[0], atol=2e-3)


def test_p_values_of_held_out_mocks_are_even(likeness, mocks):
    p = likeness.assess(mocks.flux, mocks.error)[1]
    np.testing.assert_allclose(np.quantile(p, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.12)


def test_a_wrecked_band_is_named_and_others_are_not(likeness, mocks):
    assert likeness.contradicted(mocks.flux, mocks.error)[0].any(axis=1).mean() < 0.03
    flux = mocks.flux.copy()
    flux[:, 30] *= 3
    bands, _, p = likeness.contradicted(flux, mocks.error)
    assert bands[:, 30].mean() > 0.9
    assert np.median(p) > 0.1
    assert named(bands[bands[:, 30]][:1])[0].split()[0] == BAND_NAMES[30]


def test_other_things_are_told_from_mocks(likeness, mocks):
    table, p = measure_outliers(likeness, mocks, NOISE)
    assert len(load_stars()) > 100
    assert (table.set_index("kind")["auc"] > 0.85).all()
    assert set(p) == {"held-out mocks", *table["kind"]}


def test_quasars_are_power_laws_with_lines():
    flux, error = quasars(NOISE, np.random.default_rng(0), n=50)
    assert flux.shape == error.shape == (50, 57)
    assert (flux / error > 3).mean() > 0.99


def test_missing_bands_have_no_say(likeness, mocks):
    flux = mocks.flux.copy()
    flux[:, :5] = 1e9
    wrong = likeness.score(flux, mocks.error)[0]
    flux[:, :5] = np.nan
    gone = likeness.score(flux, mocks.error)[0]
    assert np.median(gone) < 2 < np.median(wrong)


def test_a_likeness_is_kept_whole(likeness, mocks, tmp_path):
    likeness.save(tmp_path)
    again = Likeness.load(tmp_path)
    np.testing.assert_array_equal(again.templates, likeness.templates)
    np.testing.assert_array_equal(again.quantiles, likeness.quantiles)
    with pytest.raises(InputError, match="is not a model with error bars"):
        Likeness.load(tmp_path / "nowhere")


def test_the_ratio_of_signal_to_noise_is_the_median():
    flux = np.array([[10.0, 20.0, np.nan, 40.0]])
    assert typical_snr(flux, np.array([[1.0, 1.0, 1.0, 1.0]]))[0] == 20


def test_lines_make_an_sed_rough():
    flat = np.ones((3, 57))
    flat[1, BAND_NAMES.index("J0660")] = 2.0
    flat[2, BAND_NAMES.index("iSDSS")] = 2.0
    smooth, line, broad = roughness(flat)
    # One band of 52 stands out by ln 2, and its neighbours fall short by half of that.
    assert line == pytest.approx(np.log(2) * np.sqrt(1.5 / 52))
    assert smooth == broad < 1e-5


def test_a_score_is_held_against_galaxies_with_lines_as_strong():
    quantiles = np.array([[[1.0, 2.0]], [[1.0, 2.0]], [[1.0, 20.0]]])[..., [0] * 139 + [1]]
    one = Likeness(np.ones((1, 57), np.float32), np.repeat(quantiles, 14, axis=1))
    seds = np.ones((2, 57))
    seds[1, BAND_NAMES.index("J0660")] = 9.0
    smooth, rough = one.p_value(np.full(2, 3.0), np.full(2, 30.0), seds)
    assert smooth < 1e-4 < rough


def test_a_model_of_before_takes_all_kinds_together(likeness, mocks, tmp_path):
    replace(likeness, quantiles=likeness.quantiles[0]).save(tmp_path)
    again = Likeness.load(tmp_path)
    assert again.quantiles.shape == (1, *likeness.quantiles.shape[1:])
    assert np.isfinite(again.assess(mocks.flux[:9], mocks.error[:9])[1]).all()


def test_a_quick_search_says_what_a_thorough_one_does_where_it_counts(likeness, mocks):
    wrecked = mocks.flux.copy()
    wrecked[::2, 30] *= 1.4
    snr = typical_snr(wrecked, mocks.error)
    score, closest = likeness.score(wrecked, mocks.error)
    thorough = likeness.p_value(score, snr, closest)
    p = likeness.assess(wrecked, mocks.error)[1]
    assert 0.3 < (thorough < UNLIKE).mean() < 0.7
    np.testing.assert_array_equal(p < UNLIKE, thorough < UNLIKE)
    np.testing.assert_array_equal(p < LIKELY, thorough < LIKELY)
    whole = slice(1, None, 2)
    assert np.abs(p[whole] - thorough[whole]).mean() < 0.06
    assert abs(np.median(p[whole]) - np.median(thorough[whole])) < 0.05


def test_the_closest_seds_are_those_that_take_most_off_chi_squared():
    rng = np.random.default_rng(0)
    seds = np.exp(rng.normal(size=(5000, 3)) @ rng.normal(size=(3, 12))).astype(np.float32)
    flux = seds[:40] * rng.normal(1, 0.05, (40, 12)).astype(np.float32)
    weight = rng.uniform(1, 9, flux.shape).astype(np.float32)
    gain = (weight * flux @ seds.T) ** 2 / (weight @ (seds**2).T)
    expected = np.argsort(-gain, axis=1)[:, :8]
    closest = ClosestSEDs(torch.from_numpy(seds))
    given = torch.from_numpy(flux), torch.from_numpy(weight)
    np.testing.assert_array_equal(closest.nearest(*given, 8), expected)
    some = closest.nearest(*given, 8, probes=4).numpy()
    # Of 64 blocks, it is nearly always in one of the four that are looked into.
    assert (some[:, 0] == expected[:, 0]).mean() > 0.9
    among = torch.from_numpy(expected[:, ::-1].copy())
    np.testing.assert_array_equal(closest.nearest_of(among, *given, 3), expected[:, :3])
