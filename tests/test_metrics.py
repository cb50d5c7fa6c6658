"""Metrics, against scipy, scikit-learn and what can be said on paper."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import r2_score, root_mean_squared_error

from sspexplorer.errors import InputError
from sspexplorer.metrics import (
    containment_levels,
    correlation,
    evaluate,
    held_out_mocks,
    noise_seen,
    of_split,
    running_quantiles,
    smooth_histogram,
    summary,
    with_metrics,
)
from sspexplorer.mocks import make_mocks, split_of
from sspexplorer.models import load_model


@pytest.fixture(scope="module")
def model():
    return load_model("default")


@pytest.fixture(scope="module")
def mocks():
    return make_mocks(["popstar"], magnitudes=[17.0], ebv_grid=[0.0, 0.26])


# Of one parameter


def test_a_summary_is_scikit_learns_scipys_and_its_definitions(rng):
    true = rng.normal(size=500)
    predicted = true + rng.normal(0.1, 0.3, 500)
    found = summary(predicted, true)
    delta = predicted - true
    assert found["bias"] == pytest.approx(np.median(delta))
    assert found["sigma_nmad"] == pytest.approx(1.4826 * np.median(abs(delta - np.median(delta))))
    assert found["outlier_fraction"] == (abs(delta) > 0.25).mean()
    assert found["pearson"] == pytest.approx(pearsonr(predicted, true).statistic)
    assert found["r2"] == pytest.approx(r2_score(true, predicted))
    assert found["rmse"] == pytest.approx(root_mean_squared_error(true, predicted))
    assert found["n"] == 500


def test_what_is_off_by_just_a_quarter_is_no_outlier():
    assert summary(np.array([0.25, -0.25, 0.26]), np.zeros(3))["outlier_fraction"] == 1 / 3


def test_a_summary_leaves_out_what_has_no_prediction_and_no_truth():
    found = summary(np.array([1.0, np.nan, 3.0, 4.0]), np.array([1.0, 2.0, 3.0, np.nan]))
    assert (found["n"], found["bias"], found["pearson"]) == (2, 0.0, pytest.approx(1.0))
    empty = summary(np.array([np.nan]), np.array([1.0]))
    assert empty.pop("n") == 0
    assert np.isnan(list(empty.values())).all()


def test_without_spread_there_is_no_correlation():
    for predicted, true in ([[1.0, 1.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 1.0]], [[1.0], [2.0]]):
        assert np.isnan(summary(np.array(predicted), np.array(true))["pearson"])
    assert np.isnan(summary(np.array([0.0, 1.0]), np.ones(2))["r2"])
    assert summary(np.ones(2), np.array([0.0, 1.0]))["r2"] == pytest.approx(-1)


# Groups and splits


def test_metrics_are_of_all_of_each_magnitude_and_of_each_library(rng):
    sample = make_mocks(["emiles", "popstar"], magnitudes=[17.0, 20.0], ebv_grid=[0.0, 0.3])
    predicted = sample.parameters + rng.normal(0, 0.1, (len(sample), 3))
    found = evaluate(predicted, sample.labels)
    assert list(found["by_magnitude"]) == ["17.0", "20.0"]
    assert list(found["by_library"]) == ["emiles", "popstar"]
    for column, name in enumerate(("log_age", "metallicity", "ebv")):
        true = sample.labels[name].to_numpy()
        assert found["overall"][name] == pytest.approx(summary(predicted[:, column], true))
        rows = (sample.labels["magnitude"] == 20.0).to_numpy()
        expected = summary(predicted[rows, column], true[rows])
        assert found["by_magnitude"]["20.0"][name] == pytest.approx(expected)
        rows = (sample.labels["library"] == "emiles").to_numpy()
        expected = summary(predicted[rows, column], true[rows])
        assert found["by_library"]["emiles"][name] == pytest.approx(expected)


def test_held_out_mocks_are_of_ssps_never_seen(model, mocks):
    assert set(split_of(held_out_mocks(model, "ssp", mocks).labels["ssp"])) == {"test"}
    assert set(split_of(held_out_mocks(model, "random", mocks).labels["ssp"])) == {"train"}
    with pytest.raises(InputError, match="'ssp' or 'random', not 'all'"):
        held_out_mocks(model, "all", mocks)
    with pytest.raises(InputError, match="no mocks to test the split 'ssp' on"):
        of_split(mocks.rows(split_of(mocks.labels["ssp"]) == "train"), "ssp")


def test_a_network_that_saw_every_ssp_is_tested_on_other_noise(model, mocks):
    sample = dict(mocks.meta) | {"split": "random"}
    saw_all = replace(model, card=model.card | {"sample": sample})
    with pytest.raises(InputError, match="it has seen every SSP"):
        held_out_mocks(saw_all, "ssp", mocks)
    # Under other noise all may serve; under that of the training those that were left out.
    assert not noise_seen(saw_all, mocks)
    assert len(held_out_mocks(saw_all, "random", mocks)) == len(mocks)
    same = replace(mocks, meta=sample)
    assert noise_seen(saw_all, same)
    left_out = (mocks.labels["split"] == "test").sum()
    assert 0 < len(held_out_mocks(saw_all, "random", same)) == left_out < len(mocks)
    for key, other in {"seed": 77, "magnitudes": [16.0], "libraries": ["bc03"]}.items():
        assert not noise_seen(saw_all, replace(mocks, meta=sample | {key: other}))


def test_a_card_has_the_metrics_of_its_split_and_how_to_train_again(model, mocks):
    card = with_metrics(model, mocks=mocks).card
    assert list(card["metrics"]) == ["ssp"]
    test = held_out_mocks(model, "ssp", mocks)
    assert card["metrics"]["ssp"] == evaluate(model.predict(test.flux), test.labels)
    sample, recipe = model.card["sample"], model.card["recipe"]
    assert card["train_again"] == [
        "sspexplorer mocks MOCKS.parquet --libraries emiles,bc03,popstar "
        f"--seed {sample['seed']} --split ssp --continuous-ebv",
        "sspexplorer train MOCKS.parquet --out MODEL_DIR --recipe default --network base "
        f"--epochs {recipe['epochs']} --seed {model.card['seed']}",
    ]
    assert list(with_metrics(model, ["random"], mocks).card["metrics"]) == ["random"]


# Quantiles, correlations, densities


def test_running_quantiles_of_a_line_are_the_line():
    true = np.linspace(0, 1, 10_001)
    table = running_quantiles(true, 2 * true, n_bins=10)
    np.testing.assert_allclose(table["centre"], np.arange(0.05, 1, 0.1))
    for name, shift in {"p25": -0.025, "p50": 0.0, "p75": 0.025}.items():
        expected = 2 * (table["centre"] + shift)
        np.testing.assert_allclose(table[name], expected, atol=1e-3)
    assert table["n"].sum() == len(true)


def test_few_values_have_a_bin_each_and_what_is_missing_none():
    true = np.array([0.0, 0.0, 0.0, 5.0, 7.0])
    predicted = np.array([1.0, 2.0, 4.0, np.nan, 3.0])
    table = running_quantiles(true, predicted, n_bins=3)
    assert table.to_numpy().tolist() == [[0, 1.5, 2, 3, 3], [7, 3, 3, 3, 1]]


def test_correlations_are_scipys_and_their_errors_fishers(rng):
    x = rng.normal(size=800)
    y = 0.6 * x + 0.8 * rng.normal(size=800)
    x[3], y[5] = np.nan, np.nan
    ok = np.isfinite(x) & np.isfinite(y)
    found = correlation(x, y, np.arange(800), n_draws=2000)
    assert found.pearson == pytest.approx(pearsonr(x[ok], y[ok]).statistic)
    assert found.spearman == pytest.approx(spearmanr(x[ok], y[ok]).statistic)
    # The asymptotic error of Pearson's coefficient of a Gaussian, and that of Spearman's near it.
    fisher = (1 - found.pearson**2) / np.sqrt(798)
    assert found.pearson_err == pytest.approx(fisher, rel=0.12)
    assert found.spearman_err == pytest.approx(fisher, rel=0.25)
    assert (found.n, found.n_groups) == (798, 798)
    assert found == correlation(x, y, np.arange(800), n_draws=2000)


def test_points_that_share_their_fate_count_once(rng):
    x, y = rng.normal(size=(2, 100))
    once = correlation(x, y, np.arange(100))
    ten = correlation(np.repeat(x, 10), np.repeat(y, 10), np.repeat(np.arange(100), 10))
    assert (ten.n, ten.n_groups) == (1000, 100)
    assert ten.pearson == pytest.approx(once.pearson)
    assert ten.pearson_err == pytest.approx(once.pearson_err)
    nothing = correlation(np.array([np.nan]), np.ones(1), np.zeros(1))
    assert (nothing.n, nothing.n_groups) == (0, 0)
    assert np.isnan([nothing.pearson, nothing.spearman]).all()


@given(
    arrays(float, (5, 7), elements=st.integers(0, 50).map(float)),
    st.lists(st.floats(0.01, 1.0), min_size=1, max_size=3),
)
def test_no_higher_level_holds_as_much(density, fractions):
    for level, fraction in zip(containment_levels(density, fractions), fractions, strict=True):
        if not density.sum():
            assert np.isnan(level)
            continue
        enough = fraction * density.sum() * (1 - 1e-9)
        assert density[density >= level].sum() >= enough
        higher = density[density > level]
        assert higher.sum() < enough or not len(higher)


def test_the_levels_of_a_gaussian_are_those_of_its_sigmas():
    axis = np.linspace(-5, 5, 401)
    density = np.exp(-(axis[:, None] ** 2 + axis**2) / 2)
    # In two dimensions r² is exponential: a share p lies within r² = −2 ln(1 − p).
    shares = np.array([0.683, 0.954])
    assert containment_levels(density, shares) == pytest.approx(1 - shares, rel=0.01)
    assert np.isnan(containment_levels(np.zeros(3), [0.5])).all()


def test_a_smooth_histogram_keeps_the_number_the_place_and_the_width_of_points():
    x, y = np.array([0.3, 0.3, 9.0]), np.array([0.7, 0.7, 0.5])
    centres_x, centres_y, density = smooth_histogram(x, y, (0, 1), (0, 2), n_bins=50, smoothing=2.0)
    assert density.shape == (50, 50)
    assert density.sum() == pytest.approx(2, rel=1e-4)
    mean_x, mean_y = density.sum(axis=0) @ centres_x / 2, density.sum(axis=1) @ centres_y / 2
    assert (mean_x, mean_y) == (pytest.approx(0.3, abs=0.02), pytest.approx(0.7, abs=0.04))
    # σ of 2 bins is 0.04 in x.
    spread = np.sqrt(density.sum(axis=0) @ (centres_x - mean_x) ** 2 / 2)
    assert spread == pytest.approx(0.04, rel=0.05)
