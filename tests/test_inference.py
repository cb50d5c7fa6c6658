import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.interpolate import interp1d

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.errors import Cancelled
from sspexplorer.gaps import extend_ends, fill_missing
from sspexplorer.libraries import load_library
from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import PARAMETERS, MockSample, make_mocks
from sspexplorer.models import load_model
from sspexplorer.networks.prediction import PREDICTION_COLUMNS, noise_scatter, predict
from sspexplorer.photometry import synthesize
from sspexplorer.progress import Progress


@pytest.fixture(scope="module")
def model():
    return load_model("default")


@pytest.fixture(scope="module")
def mocks():
    return make_mocks(["popstar"], magnitudes=[17.0], ebv_grid=[0.0, 0.26])


@given(present=arrays(bool, 57).filter(lambda row: row.any()))
def test_missing_bands_are_interpolated_in_wavelength(present):
    pivot = load_bands().pivot
    flux = 2.0 + pivot / 1e4 + np.sin(pivot / 500)
    gappy = np.where(present, flux, np.nan)
    (filled,) = fill_missing(gappy[None])
    assert filled[present] == pytest.approx(flux[present])
    order = np.argsort(pivot[present])
    known, values = pivot[present][order], flux[present][order]
    if len(known) > 1:
        ends = (values[0], values[-1])
        expected = interp1d(known, values, bounds_error=False, fill_value=ends)(pivot)
        assert filled == pytest.approx(expected)


def test_bands_beyond_the_ends_are_taken_from_spectra_that_match(model):
    library = load_library("emiles")
    old = library.nearest(10.0, 0.0)
    truth = synthesize(library.spectra[[old]], library.wavelength)
    present = np.full((1, 57), True)
    present[:, [0, 1, 2, 53, 54, 55, 56]] = False
    flat = fill_missing(np.where(present, truth, np.nan))
    assert flat[0, 0] > 1.3 * truth[0, 0]
    continued = extend_ends(flat, present, model.templates)
    assert continued == pytest.approx(truth, rel=0.1)
    assert np.array_equal(continued[present], flat[present])


def test_matching_spectra_continue_an_sdss_like_sed_better_than_a_constant(model):
    test = held_out_mocks(model, "ssp", make_mocks(magnitudes=[17.0], seed=4))
    gappy = test.flux.astype(float)
    gappy[:, [0, 1, 54, 55, 56]] = np.nan
    answers = {
        "flat": model.predict(fill_missing(gappy)),
        "matched": predict(model, gappy)[list(PREDICTION_COLUMNS[:3])].to_numpy(),
    }
    scatter = {key: scatters(value, test) for key, value in answers.items()}
    assert (scatter["matched"] < 0.6 * scatter["flat"]).all()
    # Not as a multiple of the scatter of whole SEDs: a better network would fail for being better.
    assert (scatter["matched"] <= [0.20, 0.08, 0.035]).all()


def scatters(predicted: np.ndarray, test: MockSample) -> np.ndarray:
    """σ_NMAD of each parameter, shape (3,)."""
    found = evaluate(predicted, test.labels)["overall"]
    return np.array([found[name]["sigma_nmad"] for name in PARAMETERS])


def test_flags_say_what_is_doubtful_and_no_number_is_made_up(model, mocks):
    flux = np.repeat(mocks.flux[:1], 7, axis=0).astype(float)
    flux[1, :11] = np.nan  # 19 %
    flux[2, :12] = np.nan  # 21 %
    flux[3, :38] = np.nan  # 19 bands left
    flux[4] = np.nan
    flux[5] *= -1
    table = predict(model, flux, np.array([0.0, 0.01, np.nan, 0, 0, 0, 0.02]))
    assert table["pred_flag"].tolist() == [
        "",
        "",
        "many-bands-missing",
        "too-few-bands",
        "no-bands",
        "flux-not-positive",
        "redshift-not-modelled",
    ]
    assert table["pred_n_bands"].tolist() == [57, 46, 45, 19, 0, 57, 57]
    assert table["pred_log_age"].notna().tolist() == [True] * 3 + [False] * 3 + [True]


def test_a_band_far_noisier_than_the_others_is_taken_as_missing(model, mocks):
    flux = mocks.flux[:20].astype(float)
    error = mocks.flux_err[:20].astype(float)
    error[:, 30] = flux[:, 30]
    without = flux.copy()
    without[:, 30] = np.nan
    found, expected = predict(model, flux, flux_err=error), predict(model, without)
    assert (found["pred_flag"] == "bands-too-noisy").all()
    pd.testing.assert_frame_equal(found.iloc[:, :4], expected.iloc[:, :4])
    assert (predict(model, flux, flux_err=mocks.flux_err[:20])["pred_flag"] == "").all()


def test_a_row_is_predicted_alike_alone_and_in_company(model, mocks):
    flux = mocks.flux.astype(float)
    flux[::3, 7] = np.nan
    together = predict(model, flux)
    alone = predict(model, flux[9:10])
    assert together.loc[9, "pred_log_age"] == pytest.approx(alone.loc[0, "pred_log_age"], abs=1e-4)


@given(band=st.integers(0, 56), scale=st.floats(1e-30, 1e5))
def test_prediction_does_not_depend_on_the_flux_scale(model, mocks, band, scale):
    flux = mocks.flux[:1].astype(float)
    flux[0, band] = np.nan
    first, second = (predict(model, f)["pred_log_age"][0] for f in (flux, flux * scale))
    assert first == pytest.approx(second, abs=1e-3)


def test_progress_reaches_the_end_and_cancelling_stops(model, mocks):
    seen = []
    predict(model, mocks.flux, progress=Progress(lambda fraction, words: seen.append(fraction)))
    assert seen[-1] == 1
    with pytest.raises(Cancelled):
        predict(model, mocks.flux, progress=Progress(is_cancelled=lambda: True))


def test_an_empty_catalogue_gives_an_empty_table(model):
    assert len(predict(model, np.empty((0, len(BAND_NAMES))))) == 0


def test_the_shipped_model_is_at_least_as_good_as_the_paper(model):
    """Scatter and bias as the paper prints them (Sect. 4), on SSPs that the model never saw."""
    test = held_out_mocks(model, "ssp")
    assert set(test.labels["library"]) == {"emiles", "bc03", "popstar"}
    predicted = model.predict(test.flux)
    assert (scatters(predicted, test).round(2) <= [0.23, 0.29, 0.04]).all()
    bias = np.median(predicted - test.parameters, axis=0)
    assert (np.abs(bias) <= 0.02).all()


def test_common_noise_scatters_each_sed_alike():
    model = load_model("default")
    sed = model.templates[:1]
    alike = noise_scatter(model, np.concatenate([sed, sed]), 20.0, n_draws=20, common=True)
    assert alike.shape == (2, 20, 3)
    assert np.array_equal(alike[0], alike[1])
    assert np.ptp(alike[0], axis=0).min() > 0
    apart = noise_scatter(model, np.concatenate([sed, sed]), 20.0, n_draws=20)
    assert not np.allclose(apart[0], apart[1])
