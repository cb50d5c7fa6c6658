"""The Bayesian SED fit, against sums written out and against theory."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspexplorer.errors import Cancelled, InputError
from sspexplorer.flags import codes
from sspexplorer.metrics import evaluate
from sspexplorer.mocks import make_mocks
from sspexplorer.progress import Progress
from sspexplorer.sedfit import (
    FIT_COLUMNS,
    MEAN_COLUMNS,
    ModelGrid,
    chi_squared,
    fit,
    fit_at_redshifts,
    fit_mocks,
    make_grid,
    some_of_each_magnitude,
)

MEANS = list(MEAN_COLUMNS)


@pytest.fixture(scope="module")
def grid() -> ModelGrid:
    return make_grid(["emiles"], ebv=[0.0, 0.13, 0.4])


@pytest.fixture(scope="module")
def mocks():
    return make_mocks(["emiles"], ebv_grid=[0.0, 0.13, 0.4], magnitudes=[18.0, 21.0])


def by_hand(grid: ModelGrid, flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean, standard deviation and least χ² of one galaxy, model by model."""
    chi2 = []
    ok = np.isfinite(flux)
    for model in grid.flux[:, ok]:
        f, s = flux[ok], error[ok]
        amplitude = np.sum(f * model / s**2) / np.sum(model**2 / s**2)
        chi2.append(np.sum(((f - amplitude * model) / s) ** 2))
    weight = np.exp(-(np.array(chi2) - min(chi2)) / 2)
    weight /= weight.sum()
    mean = weight @ grid.parameters
    return mean, np.sqrt(weight @ (grid.parameters - mean) ** 2), min(chi2) / (ok.sum() - 1)


@pytest.mark.parametrize("missing", [(), (0, 1, 30, 56)])
def test_means_errors_and_chi2_are_the_sums_written_out(grid, mocks, missing):
    rows = np.arange(0, len(mocks), 97)
    flux = mocks.flux[rows].astype(float)
    flux[:, list(missing)] = np.nan
    table = fit(grid, flux, mocks.flux_err[rows])
    assert list(table) == list(FIT_COLUMNS)
    for row, found in table.iterrows():
        mean, error, chi2 = by_hand(grid, flux[row], mocks.flux_err[rows[row]].astype(float))
        assert found[MEANS].to_numpy(float) == pytest.approx(mean, abs=1e-7)
        assert found[[f"{m}_err" for m in MEANS]].to_numpy(float) == pytest.approx(error, abs=1e-7)
        assert found["fit_chi2"] == pytest.approx(chi2, rel=1e-8)


def test_a_model_of_the_grid_is_found_exactly_at_small_errors(grid):
    flux = 7e-18 * grid.flux[::10]
    table = fit(grid, flux, 1e-4 * flux)
    assert table[MEANS].to_numpy() == pytest.approx(grid.parameters[::10], abs=1e-6)
    assert table["fit_chi2"].to_numpy() == pytest.approx(0, abs=1e-6)
    assert (table["fit_flag"] == "").all()


@given(scale=st.floats(1e-30, 1e10))
def test_the_scale_of_the_fluxes_does_not_matter(grid, mocks, scale):
    flux, error = mocks.flux[:2].astype(float), mocks.flux_err[:2].astype(float)
    first, second = fit(grid, flux, error), fit(grid, flux * scale, error * scale)
    assert second[MEANS].to_numpy() == pytest.approx(first[MEANS].to_numpy(), abs=1e-6)


def test_a_missing_band_is_one_with_an_endless_error(grid, mocks):
    flux, error = mocks.flux[:5].astype(float), mocks.flux_err[:5].astype(float)
    gone, endless = flux.copy(), error.copy()
    gone[:, 12] = np.nan
    endless[:, 12] = 1e9
    one, other = fit(grid, gone, error), fit(grid, flux, endless)
    assert one[MEANS].to_numpy() == pytest.approx(other[MEANS].to_numpy(), abs=1e-6)
    assert one["fit_n_bands"].eq(56).all()
    endless[:, 12] = np.inf
    pd.testing.assert_frame_equal(fit(grid, flux, endless), one)


def test_a_model_never_fits_with_a_negative_amplitude(grid):
    flux, weight = -grid.flux[:1], np.ones((1, 57))
    assert chi_squared(grid, flux, weight) == pytest.approx(
        np.full((1, len(grid)), (flux**2).sum())
    )


def test_truth_lies_within_the_errors_as_often_as_they_say(grid, mocks):
    """The prior is the grid, so quantiles of the posterior are calibrated on the whole sample."""
    table = fit(grid, mocks.flux, mocks.flux_err)
    faint = (mocks.labels["magnitude"] == 21.0).to_numpy()
    pull = (table["fit_log_age"] - mocks.parameters[:, 0]) / table["fit_log_age_err"]
    assert np.sqrt(np.mean(pull[faint] ** 2)) == pytest.approx(1, abs=0.15)
    found = evaluate(table[MEANS].to_numpy(), mocks.labels)["by_magnitude"]
    assert found["18.0"]["log_age"]["rmse"] < found["21.0"]["log_age"]["rmse"]


def test_what_is_doubtful_is_said_and_no_number_is_made_up(grid, mocks):
    flux, error = mocks.flux[:7].astype(float), mocks.flux_err[:7].astype(float)
    flux[0] = np.nan
    flux[1, 4:] = np.nan
    flux[2] = -1
    error[3] = np.nan
    error[4, 3] = 0
    flux[5] = np.where(np.arange(57) % 2, 1, 3)
    flux[6, 5:] = np.nan
    table = fit(grid, flux, error)
    assert table["fit_flag"].tolist() == [
        "no-bands",
        "too-few-bands",
        "flux-not-positive",
        "errors-unknown",
        "some-errors-unknown",
        "no-model-fits",
        "few-bands",
    ]
    assert table["fit_log_age"].notna().tolist() == [False] * 3 + [True] * 4
    whole = fit(grid, mocks.flux[6:7], mocks.flux_err[6:7])
    assert table.loc[6, "fit_metallicity_err"] > whole.loc[0, "fit_metallicity_err"]


def test_a_galaxy_is_fitted_at_its_redshift():
    seen = make_mocks(["emiles"], ebv_grid=[0.13], magnitudes=[17.0], redshift=0.05)
    flux, error = seen.flux[:40], seen.flux_err[:40]
    redshift = np.where(np.arange(40) < 30, 0.05, np.where(np.arange(40) < 35, np.nan, 1.5))
    z_err = np.resize([0.02, 0.001], len(flux))
    table = fit_at_redshifts(["emiles"], flux, error, redshift, z_err, floor=0.0)
    uncertain = np.isfinite(redshift) & table["fit_log_age"].notna().to_numpy() & (z_err > 0.005)
    assert ["redshift-uncertain" in codes(f) for f in table["fit_flag"]] == uncertain.tolist()
    delta = np.abs(table["fit_log_age"] - seen.parameters[:40, 0])
    assert delta[:30].median() < 0.02
    assert table["fit_chi2"][:30].median() < 1.5 < table["fit_chi2"][30:35].median()
    assert table["fit_log_age"][35:].isna().all()
    assert table["fit_flag"][35:].eq("redshift-outside").all()
    assert table["fit_flag"][30:35].str.split().str[-1].eq("redshift-unknown").all()
    assert [set(codes(f)) <= {"redshift-uncertain"} for f in table["fit_flag"][:30]] == [True] * 30
    assert table.index.equals(pd.RangeIndex(40))


def test_a_galaxy_far_away_is_fitted_with_models_younger_than_its_universe():
    seen = make_mocks(["bc03"], ebv_grid=[0.13], magnitudes=[17.0], redshift=0.8)
    possible = np.flatnonzero(seen.parameters[:, 0] < 9.6)[:30]
    flux, error = seen.flux[possible], seen.flux_err[possible]
    table = fit_at_redshifts(["bc03"], flux, error, np.full(len(flux), 0.8), floor=0.0)
    assert np.abs(table["fit_log_age"] - seen.parameters[possible, 0]).median() < 0.02
    old = seen.flux[seen.parameters[:, 0] > 10.1][:5]
    found = fit_at_redshifts(["bc03"], old, 0.02 * old, np.full(len(old), 0.8))
    # 6.9 Gyr at z = 0.8 (astropy's Planck18).
    assert (found["fit_log_age_p84"] <= np.log10(1.02 * 6.9e9)).all()


def test_an_empty_grid_is_refused_and_a_fit_can_be_cancelled(grid, mocks):
    with pytest.raises(InputError, match="No model is left"):
        grid.select(np.zeros(len(grid), bool))
    with pytest.raises(InputError, match="at least one library"):
        make_grid([])
    with pytest.raises(InputError, match="from 0 upwards, not nan"):
        fit(grid, mocks.flux, mocks.flux_err, floor=np.nan)
    with pytest.raises(Cancelled):
        fit(grid, mocks.flux, mocks.flux_err, progress=Progress(is_cancelled=lambda: True))
    seen = []
    fit(
        grid,
        mocks.flux,
        mocks.flux_err,
        progress=Progress(lambda fraction, words: seen.append(fraction)),
    )
    assert seen[-1] == 1
    assert len(fit(grid, np.empty((0, 57)), np.empty((0, 57)))) == 0


def test_mocks_are_fitted_with_all_their_own_or_only_other_libraries():
    both = make_grid(["emiles", "popstar"], ebv=[0.0])
    mocks = make_mocks(["emiles", "popstar"], ebv_grid=[0.0], magnitudes=[16.0])
    mocks = mocks.rows(np.arange(len(mocks)) % 7 == 0)
    found = {models: fit_mocks(both, mocks, models=models) for models in ("all", "own", "others")}
    for name in ("emiles", "popstar"):
        rows = (mocks.labels["library"] == name).to_numpy()
        chi2 = {models: table["fit_chi2"][rows].median() for models, table in found.items()}
        assert chi2["own"] < 1.5 < chi2["others"]
        alone = fit(both.select(both.library == name), mocks.flux[rows], mocks.flux_err[rows])
        assert found["own"][MEANS][rows].to_numpy() == pytest.approx(alone[MEANS].to_numpy())
    one = fit_mocks(both, mocks, models="popstar")
    rows = (mocks.labels["library"] == "emiles").to_numpy()
    assert one["fit_chi2"][rows].to_numpy() == pytest.approx(found["others"]["fit_chi2"][rows])
    without = fit_mocks(both, mocks, itself=False)
    assert without["fit_chi2"].median() > found["all"]["fit_chi2"].median()
    with pytest.raises(InputError, match="not 'some'"):
        fit_mocks(both, mocks, models="some")


def test_as_many_mocks_of_each_magnitude_are_taken(mocks):
    some = some_of_each_magnitude(mocks, 30)
    assert some.labels["magnitude"].value_counts().to_dict() == {18.0: 30, 21.0: 30}
    assert len(some_of_each_magnitude(mocks, 10**6)) == len(mocks)
