"""A posterior model from training to a table of predictions."""

import copy
import dataclasses
import json
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.flags import codes
from sspexplorer.libraries.residuals import LibraryResiduals
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.noisy_bands import surroundings
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.density import Bounds
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.inputs import NEAR, relative_noise
from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.likeness import learn_likeness
from sspexplorer.posterior.model import PosteriorModel, encode_catalogue
from sspexplorer.posterior.network import Architecture, PosteriorNetwork
from sspexplorer.posterior.observing import NO_DOUBTS, Doubts, Observer
from sspexplorer.posterior.optimising import PosteriorRecipe
from sspexplorer.posterior.prediction import FROM_PRIOR, columns, predict_posterior
from sspexplorer.posterior.prior import PriorDraws
from sspexplorer.posterior.taken import Choices, prepared, redshifts_as
from sspexplorer.posterior.training import train_few_bands, train_posterior
from sspexplorer.posterior.validation.left_out import (
    Measured,
    left_out_of,
    library_error,
    measure_library,
    tabulated,
)
from sspexplorer.posterior.validation.trust import (
    GAPS,
    held_out,
    measure_gaps,
    measure_magnitudes,
    measure_photoz,
    measure_redshifts,
)
from sspexplorer.progress import Progress
from sspexplorer.shipped import is_posterior

PRIOR = SSPPrior(libraries=("popstar",))
NOISE = NoiseModel.default()


@pytest.fixture(scope="module")
def model():
    recipe = PosteriorRecipe(n_populations=4000, n_steps=150, batch_size=128)
    return train_posterior(PRIOR, recipe, Architecture(64, 2, 4), name="small", seed=1)


@pytest.fixture(scope="module")
def estimator(model):
    training, test = PRIOR.draw(2000, seed=0), PRIOR.draw(600, seed=1, held_out=True)
    likeness = learn_likeness(training, test, NOISE, n_templates=2000)
    return Estimator(model, likeness, PriorDraws.of(training))


@pytest.fixture(scope="module")
def mocks(model):
    return held_out(model, PRIOR, 300, magnitudes=(17.0, 20.0))


def test_a_model_learns_keeps_what_it_learnt_and_says_how(model, mocks, tmp_path):
    first, last = (np.array(model.card["training"]["history"])[k] for k in (0, -1))
    assert len(model.card["training"]["history"]) == 1 or (last < first).all()
    model.save(tmp_path / "m")
    assert is_posterior(tmp_path / "m")
    again = PosteriorModel.load(tmp_path / "m")
    # Weights are kept with 16 bits.
    for one, other in zip(
        model.posterior(mocks.flux, mocks.error),
        again.posterior(mocks.flux, mocks.error),
        strict=True,
    ):
        np.testing.assert_allclose(one.means, other.means, atol=0.02)
        assert one.bounds == other.bounds
    assert again.card["prior"]["kind"] == "ssp"
    assert [list(group) for group in again.card["groups"]][-1] == ["redshift"]


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="neither a folder nor one of"):
        load_model("nothing")
    with pytest.raises(InputError, match="is not a posterior model"):
        PosteriorModel.load(tmp_path)


def test_a_missing_band_and_the_scale_of_the_fluxes_have_no_say(model, mocks):
    flux, error = mocks.flux[:20].copy(), mocks.error[:20].copy()
    flux[:, 7] = np.nan
    one = model.posterior(flux, error)[0]
    error[:, 7] = 1e9
    other = model.posterior(flux * 1e-30, error * 1e-30)[0]
    np.testing.assert_allclose(one.means, other.means, atol=1e-3)


def test_noise_is_told_relative_to_the_flux():
    flux = torch.full((1, 57), 2.0)
    noise = relative_noise(flux, torch.full((1, 57), 0.1), torch.ones(1, 57, dtype=torch.bool))
    torch.testing.assert_close(noise, torch.full((1, 57), 0.05))


def test_training_observes_galaxies_in_every_way():
    observer = Observer(NOISE, torch.Generator().manual_seed(0))
    flux = torch.rand(2000, 57, generator=torch.Generator().manual_seed(1)) + 0.5
    seen = observer.observe(flux, torch.full((2000,), 0.05))
    assert seen.inputs.shape == (2000, NEAR.n_inputs)
    assert torch.isfinite(seen.inputs).all()
    gone = (seen.inputs[:, 2 * 57 : 3 * 57] < 0).sum(dim=1)
    assert 0.35 < (gone > 0).float().mean() < 0.65
    few = gone > 37
    assert 0.02 < few.float().mean() < 0.06
    assert gone.max() <= 52
    assert 0.5 < seen.redshift_given.float().mean() < 0.7


def test_doubts_are_shared_by_tiles_and_as_large_as_they_are_said_to_be():
    flat, z = torch.ones(64 * 64, 57), torch.zeros(64 * 64)
    exact = NoiseModel(np.array([18.0]), np.full((1, 57), 1e-9), "none")

    def off(doubts: Doubts) -> np.ndarray:
        observer = Observer(exact, torch.Generator().manual_seed(0), doubts=doubts)
        return observer.off(len(flat)).numpy()

    assert not off(NO_DOUBTS).any()
    tiles = off(dataclasses.replace(NO_DOUBTS, zero_points=(0.03, 0.03))).reshape(64, 64, 57)
    assert (tiles == tiles[:, :1]).all()
    wrong = tiles[tiles.any(axis=(1, 2))]
    assert wrong.std() == pytest.approx(0.03, rel=0.1)
    assert len(wrong) / 64 == pytest.approx(0.75, abs=0.15)
    residuals = LibraryResiduals.load("fitted", ("m11",))
    found = off(dataclasses.replace(NO_DOUBTS, residuals="fitted", without=("m11",), amplitude=1))
    assert found.std(axis=0) == pytest.approx(residuals.sigma, rel=0.1)
    seen = Observer(exact, torch.Generator(), doubts=Doubts()).observe(flat, z)
    assert torch.isfinite(seen.inputs).all()


def test_fields_are_of_tiles():
    noises = [NoiseModel(np.array([18.0]), np.full((1, 57), s), "one") for s in (1e-6, 1.0)]
    observer = Observer(noises, torch.Generator().manual_seed(0))
    noise = observer.observe(torch.ones(640, 57), torch.zeros(640)).inputs[:, 57:114]
    loud = noise.amax(dim=1).reshape(10, 64) > 0.5
    assert loud.float().mean(dim=1).round().unique().tolist() == [0.0, 1.0]


def test_a_table_has_every_column_and_ordered_quantiles(estimator, mocks):
    z = mocks.populations.redshift.astype(float)
    table = predict_posterior(estimator, mocks.flux, mocks.error, z)
    assert list(table.columns) == columns(estimator.model)
    for name in ("log_age", "metallicity", "ebv"):
        low, middle, high = (table[f"pred_{name}_{q}"] for q in ("p16", "p50", "p84"))
        assert (low <= middle).all()
        assert (middle <= high).all()
        assert (table[f"pred_{name}_err"] > 0).all()
    assert table["pred_corr_log_age_ebv"].between(-1, 1).all()
    assert (table["pred_n_bands"] == 57 - (table["pred_set_aside"] != "")).mean() > 0.9
    assert table["pred_photoz"].between(0, 0.1).all()
    # So small a network is hardly better than its prior, and says so.
    doubted = [set(codes(flag)) - set(FROM_PRIOR.values()) for flag in table["pred_flag"]]
    assert np.mean([not found for found in doubted]) > 0.8
    for name, code in FROM_PRIOR.items():
        little = (table[f"pred_{name}_shrinkage"] < 0.5).tolist()
        assert [code in codes(flag) for flag in table["pred_flag"]] == little


def test_many_rows_are_predicted_as_few_are(estimator, mocks):
    n = 20_000
    flux = np.full((n, 57), np.nan)
    flux[-30:] = mocks.flux[:30]
    told = []
    table = predict_posterior(
        estimator,
        flux,
        mocks.error[np.arange(30 - n, 30) % 30],
        progress=Progress(lambda fraction, words: told.append(fraction)),
    )
    assert told == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert table.index.equals(pd.RangeIndex(n))
    assert (table["pred_flag"][:-30] == "no-bands").all()
    few = predict_posterior(estimator, mocks.flux[:30], mocks.error[:30])
    last = table.tail(30).reset_index(drop=True)
    pd.testing.assert_frame_equal(last, few, rtol=1e-4, atol=1e-4)


def test_what_cannot_be_predicted_says_why(estimator, mocks):
    flux, error = mocks.flux[:7].copy(), mocks.error[:7].copy()
    z = np.full(7, np.nan)
    flux[0] = np.nan
    flux[1, 10:] = np.nan
    flux[2] *= -1
    z[3] = 0.5
    error[4] = np.nan
    error[5, 3] = -1
    table = predict_posterior(estimator, flux, error, z, choices=Choices(use_all=True))
    starts = (
        "no-bands",
        "too-few-bands",
        "flux-not-positive",
        "redshift-outside",
        "errors-unknown",
        "some-errors-unknown",
    )
    for flag, expected in zip(table["pred_flag"], starts, strict=False):
        assert flag.startswith(expected)
    assert table["pred_log_age"].isna().tolist() == [True] * 4 + [False] * 3
    assert len(predict_posterior(estimator, flux[:0], error[:0])) == 0


def test_a_band_that_says_nothing_counts_for_nothing(estimator, mocks):
    flux, error = mocks.flux[:40].copy(), mocks.error[:40].copy()
    without = flux.copy()
    without[:, [12, 30]] = np.nan
    error[:, [12, 30]] = flux[:, [12, 30]]
    choices = Choices(use_all=True)
    found, expected = (
        predict_posterior(estimator, f, error, choices=choices) for f in (flux, without)
    )
    names = {BAND_NAMES[12], BAND_NAMES[30]}
    left_out = found["pred_set_aside"].str.split().map(set) == names
    assert left_out.mean() > 0.8
    assert found.loc[left_out, "pred_flag"].str.contains("bands-too-noisy").all()
    for name in ("pred_log_age", "pred_log_age_err", "pred_n_bands"):
        np.testing.assert_allclose(found.loc[left_out, name], expected.loc[left_out, name])


def test_few_bands_get_the_wide_answer_that_they_deserve(model, estimator, mocks, tmp_path):
    recipe = PosteriorRecipe(n_populations=2000, n_steps=60, batch_size=128)
    train_few_bands(model, PRIOR, recipe).save(tmp_path)
    able = dataclasses.replace(estimator, model=PosteriorModel.load(tmp_path))
    flux, error = mocks.flux[:30].copy(), mocks.error[:30]
    few = flux.copy()
    few[:10, 7:], few[10:20, 4:] = np.nan, np.nan
    table, whole = (predict_posterior(able, f, error) for f in (few, flux))
    assert table["pred_flag"][:10].str.startswith("few-bands").all()
    assert (table["pred_flag"][10:20] == "too-few-bands").all()
    assert table["pred_log_age"].notna().tolist() == [True] * 10 + [False] * 10 + [True] * 10
    # The likeness of so few bands means nothing.
    assert table["pred_p_value"][:20].isna().all()
    mean_error = [found["pred_log_age_err"][:10].mean() for found in (table, whole)]
    assert mean_error[0] > mean_error[1]
    # Sums of 32 bits depend on how many rows there are.
    pd.testing.assert_frame_equal(table[20:], whole[20:], atol=1e-5)
    model.save(tmp_path)
    assert PosteriorModel.load(tmp_path).few_bands is None
    # Without such a network there is no answer, rather than a wrong one.
    assert (predict_posterior(estimator, few, error)["pred_flag"][:20] == "too-few-bands").all()


def test_nearby_galaxies_have_a_network_of_their_own(model, mocks, tmp_path):
    network = copy.deepcopy(model.network)
    torch.nn.init.constant_(network.entry.bias, 0.3)
    dataclasses.replace(model, nearby=network).save(tmp_path)
    able, z = PosteriorModel.load(tmp_path), np.array([0.01, np.nan, 0.05, 0.3, -0.001])
    error = np.array([np.nan, np.nan, 0.02, 1e-3, 1e-3])
    rows = (mocks.flux[:5], mocks.error[:5], z, error)
    found, main = able.posterior(*rows, photoz=True), model.posterior(*rows, photoz=True)
    other = dataclasses.replace(model, network=network).posterior(*rows)
    near = np.array([True, False, False, False, True])
    for mixture, expected in zip(found[:-1], main[:-1], strict=True):
        np.testing.assert_allclose(mixture.means[~near], expected.means[~near], rtol=1e-2)
    np.testing.assert_allclose(found[0].means[near], other[0].means[near], atol=1e-2)
    # What the colours alone say of the redshift does not depend on the one that is given.
    np.testing.assert_allclose(found[-1].means, main[-1].means, atol=1e-2)


def test_one_network_hands_over_to_the_other_without_a_step(model, mocks):
    network = copy.deepcopy(model.network)
    torch.nn.init.constant_(network.entry.bias, 0.3)
    able = dataclasses.replace(model, nearby=network)
    z = np.array([0.05, 0.08999, 0.09001, 0.095, 0.1, 0.10999, 0.11001, 0.05, 0.05, np.nan])
    error = np.array([np.nan] * 6 + [1e-3, 0.01, 0.0125, 0.05])
    # The colours are those of one galaxy: no more changes than what is known of its redshift.
    flux, sigma = np.repeat(mocks.flux[:1], len(z), 0), np.repeat(mocks.error[:1], len(z), 0)
    share = able.nearby_share(flux, z, error)
    expected = [1, 1, 0.9995, 0.75, 0.5, 0.0005, 0, 0.5, 0, 0]
    np.testing.assert_allclose(share, expected, atol=1e-5)
    of = [one.posterior(flux, sigma, z, error)[0] for one in (able, model)]
    near = dataclasses.replace(model, network=network).posterior(flux, sigma, z, error)[0]
    values = np.repeat([[9.0, -0.5, 0.2]], len(z), 0)
    found, far = (mixture.cdf(values) for mixture in of)
    mixed = share[:, None] * near.cdf(values) + (1 - share)[:, None] * far
    np.testing.assert_allclose(found, mixed, atol=1e-5)
    few = np.where(np.arange(57) < 30, flux[:1], np.nan)
    one = dataclasses.replace(able, few_bands=model.network)
    assert one.nearby_share(few, z[:1], error[:1])[0] == 0


def test_training_for_few_bands_meets_few_bands():
    observer = Observer(NOISE, torch.Generator().manual_seed(0), few_bands=True)
    flux = torch.rand(2000, 57, generator=torch.Generator().manual_seed(1)) + 0.5
    seen = observer.observe(flux, torch.full((2000,), 0.05))
    there = (seen.inputs[:, 2 * 57 : 3 * 57] > 0).sum(dim=1)
    assert (there.min(), there.max()) == (5, 44)
    assert 0.4 < (there < 20).float().mean() < 0.6


def test_the_floor_is_added_in_quadrature(mocks):
    error, _ = prepared(mocks.flux, mocks.error, 0.03)
    expected = np.sqrt(mocks.error**2 + (0.03 * mocks.flux) ** 2)
    even = mocks.flux > 0.5 * surroundings(mocks.flux)
    assert even.mean() > 0.9
    np.testing.assert_allclose(error[even], expected[even])
    # A band that lost its light is no more certain than it would be with it.
    flux, small = mocks.flux[:1].copy(), mocks.error[:1].copy()
    flux[0, 30], small[0, 30] = 1e-6, 1e-8
    assert prepared(flux, small, 0.03)[0][0, 30] > 0.01


def test_the_flux_about_a_band_is_the_median_of_nine():
    rng = np.random.default_rng(0)
    flux = rng.normal(size=(60, 57))
    flux[20:][rng.uniform(size=(40, 57)) < 0.4] = np.nan
    flux[59, 12:40] = np.nan
    order = np.argsort(load_bands().pivot)
    near = surroundings(flux)[:, order]
    for band in range(57):
        window = flux[:, order][:, max(band - 4, 0) : band + 5]
        there = np.isfinite(window).any(axis=1)
        np.testing.assert_array_equal(near[there, band], np.nanmedian(window[there], axis=1))
        assert np.isnan(near[~there, band]).all()


def test_a_redshift_is_found_from_the_colours_alone(model, mocks):
    z = mocks.populations.redshift.astype(float)
    z[::3] = np.nan
    flux = mocks.flux.copy()
    flux[::5, :30] = np.nan
    given = model.posterior(flux, mocks.error, z)
    *others, colours = model.posterior(flux, mocks.error, z, photoz=True)
    alone = model.posterior(flux, mocks.error)[-1]
    for found, expected in [*zip(others, given[:-1], strict=True), (colours, alone)]:
        for name in ("weights", "means", "factors"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=2e-5)


def test_redshifts_are_taken_as_told():
    z, err = np.array([0.05, np.nan]), np.array([0.001, -1.0])
    np.testing.assert_array_equal(redshifts_as(z, err, 2, "rest")[0], [0, 0])
    assert np.isnan(redshifts_as(z, err, 2, "unknown")[0]).all()
    given, sigma = redshifts_as(z, err, 2, "given")
    np.testing.assert_array_equal(given, z)
    np.testing.assert_array_equal(sigma, [0.001, np.nan])
    with pytest.raises(InputError, match="taken as one of given, unknown, rest"):
        Choices(redshift_as="guess")
    with pytest.raises(InputError, match="fraction from 0 to 1"):
        Choices(floor=2.0)


def test_what_a_model_promises_is_measured(model, mocks):
    by_magnitude = measure_magnitudes(model, mocks)
    assert by_magnitude["magnitude"].dropna().unique().tolist() == [17.0, 20.0]
    assert by_magnitude["coverage_68"].between(0.3, 1).all()
    gaps = measure_gaps(model, mocks)
    assert gaps["gap"].unique().tolist() == list(GAPS)
    assert (gaps.loc[gaps["gap"] == "none", "growth"] == 0).all()
    redshifts = measure_redshifts(model, mocks)
    assert set(redshifts["known"]) == {"given", "unknown"}
    assert measure_photoz(model, mocks)["sigma_nmad"].between(0, 0.1).all()
    whole = dataclasses.replace(mocks)
    assert np.isnan(whole.without("10 at random").flux).sum(axis=1).tolist() == [10] * len(whole)


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    recipe = PosteriorRecipe(n_populations=300, n_steps=200, batch_size=16)
    prior = dataclasses.replace(PRIOR, max_redshift=0.0)
    train = partial(train_posterior, prior, recipe, Architecture(16, 1, 2), name="small")
    whole = train()
    with pytest.raises(Cancelled):
        train(checkpoint=tmp_path / "kept", progress=Progress(is_cancelled=lambda: True))
    told: list[float | None] = []
    again = train(
        checkpoint=tmp_path / "kept", progress=Progress(lambda done, _: told.append(done))
    )
    assert told == [1.0]  # it began with the second half
    for one, other in zip(whole.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(one, other)
    assert again.card["training"]["history"] == whole.card["training"]["history"]
    assert again.groups == whole.groups
    with pytest.raises(InputError, match="another training"):
        train(checkpoint=tmp_path / "kept", seed=5)


def test_a_library_that_was_left_out_is_what_a_model_is_held_against(model):
    (measured,) = measure_library(model, "m11", n_each=60, magnitudes=(17.0,), samples=("SSPs",))
    found = tabulated([measured])
    assert found["with_library_68"].isna().all()
    assert found["parameter"].tolist() == ["log_age", "metallicity", "ebv"]
    assert not found["seen"].any()
    assert ((found["coverage_68"] <= found["coverage_95"]) & (found["coverage_95"] <= 1)).all()
    with pytest.raises(InputError, match="not trained without one library"):
        left_out_of(model.card)


def test_a_library_is_judged_with_the_error_of_the_others():
    row = {"parameter": "log_age", "magnitude": 17.0, "snr": 40.0, "seen": False, "sample": "SSPs"}
    delta = np.linspace(-1, 1, 2001)[:, None]
    measured = [
        Measured((row | {"library": name, "library_err": err},), delta, np.full((2001, 1), 0.3))
        for name, err in (("one", 0.4), ("other", 0.0))
    ]
    found = tabulated(measured).set_index("library")
    assert found["with_library_68"].to_dict() == pytest.approx({"one": 0.3, "other": 0.5}, abs=2e-3)
    assert found["with_library_95"].to_dict() == pytest.approx(
        {"one": 0.588, "other": 0.98}, abs=2e-3
    )


def test_the_error_of_libraries_stands_beside_that_of_the_data(estimator, mocks, tmp_path):
    rows = [
        {"parameter": name, "magnitude": magnitude, "snr": snr, "seen": False}
        | {"sample": "composites", "library_err": err}
        for name, size in (("log_age", 1.0), ("metallicity", 2.0), ("ebv", 0.1))
        for magnitude, snr, errors in ((17.0, 40.0, (0.3, 0.4)), (21.0, 5.0, (0.0, 0.0)))
        for err in np.multiply(errors, size)
    ]
    (tmp_path / "libraries.json").write_text(json.dumps({"table": rows}))
    errors = LibraryErrors.load(tmp_path)
    assert errors.at("metallicity", np.array([1.0, 1e3, np.sqrt(200)])) == pytest.approx(
        np.array([0.0, 1.0, 0.5]) * 2 * np.sqrt(0.125)
    )
    known = dataclasses.replace(estimator, libraries=errors)
    table, plain = (
        predict_posterior(e, mocks.flux[:9], mocks.error[:9]) for e in (known, estimator)
    )
    added = [f"pred_{name}_library_err" for name in ("log_age", "metallicity", "ebv")]
    assert [name for name in table if name not in plain] == added
    pd.testing.assert_frame_equal(table[plain.columns], plain)
    assert (table["pred_log_age_library_err"] * 0.1).to_numpy() == pytest.approx(
        table["pred_ebv_library_err"]
    )
    assert LibraryErrors.load(tmp_path / "none") is None


def test_the_error_that_libraries_add_is_what_other_errors_lack():
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.05, 0.2, (40_000, 1))
    delta = rng.normal(0, np.hypot(spread, 0.3))
    assert library_error(delta, spread) == pytest.approx(0.3, rel=0.05)
    assert library_error(0.5 * rng.normal(0, spread), spread) == pytest.approx(0, abs=1e-9)


def test_a_network_that_reaches_far_begins_with_what_another_knows_of_nearby_galaxies():
    first, last = Bounds(("a", "b"), (0, 0), (1, 1)), ("redshift",)
    shape = Architecture(16, 1, 3)
    near = PosteriorNetwork(shape, [first, Bounds(last, (0,), (0.1,))]).eval()
    groups = [first, Bounds(("c",), (0,), (1,)), Bounds(last, (0,), (1.0,))]
    far = PosteriorNetwork(shape, groups).eval()
    far.begin_with(near)
    rng = np.random.default_rng(0)
    flux, z = rng.uniform(0.5, 1.5, (6, 57)), np.array([0.0, 0.03, 0.06, 0.1, np.nan, np.nan])
    told = (flux, 0.05 * flux, z, np.full(6, np.nan))
    with torch.inference_mode():
        expected = near(encode_catalogue(*told, near.reach))[0]
        found = far(encode_catalogue(*told, far.reach))[0]
    # The error of a redshift is told over 1 + z where the reach is far.
    for name in ("log_weights", "means", "widths"):
        torch.testing.assert_close(getattr(found, name), getattr(expected, name), atol=0.02, rtol=0)
