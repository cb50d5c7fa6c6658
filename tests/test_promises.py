"""What pages, cards and descriptions promise in numbers, held to those numbers.

Limits and names are written out here once more: whoever changes one has changed a promise.
"""

import json

import astropy.units as u
import numpy as np
import pandas as pd
import pytest
from astropy.table import Table
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import median_abs_deviation, pearsonr
from sklearn.metrics import r2_score

from sspexplorer.app.choices import accept, read_query, write_query
from sspexplorer.app.pages import PAGES
from sspexplorer.app.state import QUERY, SharedState
from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.flags import codes, sentence
from sspexplorer.metrics import evaluate, summary
from sspexplorer.mocks import make_mocks
from sspexplorer.models import load_model, predict_rows
from sspexplorer.noise import NoiseModel, ab_magnitude, measure_noise
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.prediction import predict_posterior
from sspexplorer.posterior.taken import Choices
from sspexplorer.sedfit import fit, make_grid

QUANTILES = {"p16": 0.16, "p50": 0.50, "p84": 0.84}
NAMES = ("log_age", "metallicity", "ebv")


@pytest.fixture(scope="module")
def ssp():
    return load_model("ssp")


@pytest.fixture(scope="module")
def mocks():
    """Two dozen SSPs behind dust at i = 19, of which some are young and some are old."""
    sample = make_mocks(["bc03"], ebv_grid=[0.13], magnitudes=[19.0])
    return sample.rows(np.arange(len(sample)) % (len(sample) // 24) == 0)


@pytest.fixture(scope="module")
def as_they_are(ssp, mocks):
    """Predictions with no error added and no band set aside."""
    choices = Choices(floor=0, use_all=True)
    return predict_posterior(ssp, mocks.flux, mocks.flux_err, np.zeros(len(mocks)), choices=choices)


@pytest.fixture(scope="module")
def posterior(ssp, mocks) -> Mixture:
    """The posterior that those predictions sum up."""
    unknown = np.full(len(mocks), np.nan)
    error = mocks.flux_err.astype(float)
    return ssp.model.posterior(mocks.flux.astype(float), error, np.zeros(len(mocks)), unknown)[0]


def below(mixture: Mixture, row: int, k: int, value: float) -> float:
    """Probability that a parameter is less than ``value``: the definition, on Gaussians in u."""
    at = mixture.bounds.to_normal(np.full((1, len(mixture.bounds.names)), value))[0, k]
    sigmas = np.sqrt([np.diag(f @ f.T)[k] for f in mixture.factors[row]])
    return float(mixture.weights[row] @ ndtr((at - mixture.means[row, :, k]) / sigmas))


def flagged(table: pd.DataFrame, code: str, kind: str = "pred") -> list[bool]:
    """Which rows bear a flag."""
    return [code in codes(cell) for cell in table[f"{kind}_flag"]]


# Error bars


@pytest.mark.parametrize("label", QUANTILES)
@pytest.mark.parametrize("name", NAMES)
def test_quantile_columns_are_quantiles_of_the_posterior(as_they_are, posterior, name, label):
    k = posterior.bounds.names.index(name)
    for row in range(0, len(as_they_are), 4):
        value = as_they_are.loc[row, f"pred_{name}_{label}"]
        assert below(posterior, row, k, value) == pytest.approx(QUANTILES[label], abs=0.002)


def test_means_errors_and_correlations_are_those_of_draws_from_the_posterior(
    as_they_are, posterior
):
    draws = posterior.sample(40_000)
    for k, name in enumerate(NAMES):
        spread = draws[:, :, k].std(axis=1)
        off = as_they_are[f"pred_{name}"] - draws[:, :, k].mean(axis=1)
        assert np.abs(off / spread).max() < 0.05
        assert (as_they_are[f"pred_{name}_err"] / spread).to_numpy() == pytest.approx(1, abs=0.1)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        drawn = [np.corrcoef(galaxy[:, a], galaxy[:, b])[0, 1] for galaxy in draws]
        told = as_they_are[f"pred_corr_{NAMES[a]}_{NAMES[b]}"].to_numpy()
        assert told == pytest.approx(np.array(drawn), abs=0.05)


def test_a_floor_of_two_percent_is_added_in_quadrature(ssp, mocks):
    flux = mocks.flux.astype(float)
    # Where a band is not much fainter than its neighbours, the floor is a part of its flux.
    rows = np.flatnonzero((flux > 0.7 * np.median(flux, axis=1, keepdims=True)).sum(axis=1) > 30)
    rows = rows[:6]
    told = predict_posterior(ssp, flux[rows], mocks.flux_err[rows])
    error = np.hypot(mocks.flux_err[rows], 0.02 * flux[rows])
    same = predict_posterior(ssp, flux[rows], error, choices=Choices(floor=0))
    more = predict_posterior(ssp, flux[rows], error, choices=Choices(floor=0.02))
    columns = [f"pred_{name}_err" for name in NAMES]
    exact = np.abs(np.log(told[columns] / same[columns])).to_numpy().max()
    assert exact < 0.05 * np.abs(np.log(more[columns] / same[columns])).to_numpy().max() + 0.02


def test_an_unknown_error_is_taken_as_five_percent_of_the_median_flux(ssp, mocks):
    flux = mocks.flux[:3].astype(float)
    none = predict_posterior(ssp, flux, np.full_like(flux, np.nan))
    five = np.full_like(flux, 0.05) * np.median(flux, axis=1, keepdims=True)
    told = predict_posterior(ssp, flux, five)
    numbers = told.select_dtypes("number").columns
    pd.testing.assert_frame_equal(none[numbers], told[numbers], rtol=1e-5)
    assert all(flagged(none, "errors-unknown"))
    assert "5 % of the median flux" in sentence("errors-unknown")


# Flags


def test_unlike_the_training_is_said_below_one_percent(ssp, mocks):
    # The same galaxies with errors that are said to be smaller and smaller.
    flux = np.repeat(mocks.flux[:12], 12, axis=0)
    error = (
        np.repeat(mocks.flux_err[:12], 12, axis=0)
        * np.tile(np.linspace(1.1, 0.75, 12), 12)[:, None]
    )
    table = predict_posterior(ssp, flux, error, choices=Choices(floor=0, use_all=True))
    p = table["pred_p_value"]
    said = flagged(table, "unlike-training")
    assert (p < 0.01).sum() > 5
    assert p.between(0.01, 0.05).sum() > 5
    assert said == (p < 0.01).tolist()
    assert "p < 0.01" in sentence("unlike-training")


def test_a_band_is_set_aside_if_it_is_five_sigma_off_and_no_other_is(ssp, mocks):
    band = BAND_NAMES.index("J0600")
    for sigmas, expected in ((3.0, ""), (15.0, "J0600")):
        flux = mocks.flux.astype(float)
        flux[:, band] += sigmas * mocks.flux_err[:, band]
        table = predict_posterior(ssp, flux, mocks.flux_err, choices=Choices(floor=0))
        assert (table["pred_set_aside"] == expected).mean() > 0.85, sigmas
        named = table["pred_set_aside"] != ""
        assert (table["pred_n_bands"] == 57 - named).all()
        assert flagged(table, "bands-set-aside") == named.tolist()


def test_a_redshift_is_contradicted_where_colours_give_it_three_in_a_thousand(ssp, mocks):
    row = mocks.rows(np.arange(len(mocks)) == 12)
    flux, error = row.flux.astype(float), row.flux_err.astype(float)
    colours = ssp.model.posterior(flux, error)[-1]

    def tail(z: float) -> float:
        """Two-sided, with the 0.003 that zero points leave open."""
        return 2 * (1 - below(colours, 0, 0, z - 0.003))

    limit = brentq(lambda z: tail(z) - 3e-3, 0.004, 0.0999)
    z = limit * np.array([0.97, 1.03])
    assert tail(z[0]) < 0.03  # ten times the limit is not far
    pair = [np.repeat(values, 2, axis=0) for values in (flux, error)]
    table = predict_posterior(ssp, *pair, z, choices=Choices(floor=0, use_all=True))
    assert flagged(table, "redshift-contradicted") == [False, True]


def test_a_redshift_that_is_off_by_its_error_is_not_contradicted(ssp):
    sample = make_mocks(["bc03"], ebv_grid=[0.13], magnitudes=[17.0], redshift=0.05)
    mocks = sample.rows(np.arange(len(sample)) % 15 == 0)
    n, err = len(mocks), np.full(len(mocks), 0.01)

    def contradicted(z: float, z_err: np.ndarray | None) -> float:
        table = predict_posterior(ssp, mocks.flux, mocks.flux_err, np.full(n, z), z_err)
        return float(np.mean(flagged(table, "redshift-contradicted")))

    assert contradicted(0.06, None) > 0.25
    assert contradicted(0.06, err) <= 0.1
    assert contradicted(0.005, err) > 0.8
    # A σ that the network has not met in training is a redshift that it is not told.
    wide, unknown = (
        ssp.model.posterior(mocks.flux[:5], mocks.flux_err[:5], z, err[:5] * 4)[0].means
        for z in (np.full(5, 0.09), np.full(5, np.nan))
    )
    np.testing.assert_array_equal(wide, unknown)


def test_where_the_prior_decides_is_said(ssp, mocks):
    """Below half of the prior's variance done away with; 0 without any data, 1 with all."""
    assert ssp.prior.shrinkage("ebv", np.array([0.0, ssp.prior.spread["ebv"]])).tolist() == [1, 0]
    faint = mocks.flux_err * np.where(np.arange(len(mocks)) % 2, 0.5, 12)[:, None]
    table = predict_posterior(ssp, mocks.flux, faint)
    for name in NAMES:
        expected = 1 - (table[f"pred_{name}_err"] / ssp.prior.spread[name]) ** 2
        assert table[f"pred_{name}_shrinkage"].to_numpy() == pytest.approx(expected.to_numpy())
        code = f"{name.replace('_', '-')}-from-prior"
        assert flagged(table, code) == (expected < 0.5).tolist()
        assert "50 %" in sentence(code)
    assert (table["pred_metallicity_shrinkage"] < 0.5).mean() == pytest.approx(0.5, abs=0.25)


@pytest.mark.parametrize("model", ["galaxy", "ssp", "default"])
def test_so_many_bands_are_needed_and_fewer_than_twenty_are_few(model, mocks):
    least = 20 if model == "default" else load_model(model).model.least_bands
    flux = mocks.flux[:4].astype(float)
    counts = [20, 19, least, least - 1]
    for row, count in enumerate(counts):
        # As many over the whole range.
        flux[row, np.setdiff1d(np.arange(57), np.linspace(1, 50, count).astype(int))] = np.nan
    table = predict_rows(model, flux, mocks.flux_err[:4], None, None).table
    assert table["pred_n_bands"].tolist() == counts
    assert table["pred_log_age"].notna().tolist() == [count >= least for count in counts]
    assert flagged(table, "too-few-bands") == [count < least for count in counts]
    assert flagged(table, "few-bands") == [least <= count < 20 for count in counts]
    assert f"{least}" in sentence("too-few-bands")
    assert "20 bands" in sentence("few-bands")


def test_redshifts_go_to_a_tenth(ssp, mocks):
    z = np.array([0.0, 0.1, 0.11, -0.02])
    table = predict_posterior(ssp, mocks.flux[:4], mocks.flux_err[:4], z)
    assert table["pred_log_age"].notna().tolist() == [True, True, False, False]
    assert flagged(table, "redshift-outside") == [False, False, True, True]
    assert "0 to 0.1" in sentence("redshift-outside")


def test_no_model_of_a_fit_fits_from_a_reduced_chi_squared_of_five(mocks):
    grid = make_grid(["bc03"], ebv=[0.13])
    found = [
        fit(grid, mocks.flux, mocks.flux_err / scale).assign(scale=scale)
        for scale in (1.0, 2.0, 2.3, 3.0)
    ]
    table = pd.concat(found)
    assert flagged(table, "no-model-fits", "fit") == (table["fit_chi2"] > 5).tolist()
    assert "above 5" in sentence("no-model-fits")
    assert table["fit_chi2"].between(4, 5).any()
    assert table["fit_chi2"].between(5, 6).any()
    # The mocks are in the grid, so that χ² per degree of freedom is one.
    assert table.loc[table["scale"] == 1, "fit_chi2"].mean() == pytest.approx(1, abs=0.1)


# Units


@pytest.mark.parametrize("unit", [u.Jy, u.uJy, u.nmgy, u.mgy, u.ABmag])
def test_a_catalogue_in_any_unit_holds_the_flux_that_astropy_finds(unit, tmp_path):
    cgs = u.erg / u.s / u.cm**2 / u.Hz
    flux = np.linspace(1, 3, 57) * 1e-27 * cgs
    with u.set_enabled_equivalencies(u.zero_point_flux(3631.0 * u.Jy)):
        numbers = [value.to(unit) for value in flux]
    table = Table({name: [value.value] for name, value in zip(BAND_NAMES, numbers, strict=True)})
    for name in BAND_NAMES:
        table[name].unit = "mag(AB)" if unit == u.ABmag else unit.to_string()
    table.write(tmp_path / "g.ecsv")
    read = read_catalogue(tmp_path / "g.ecsv").flux[0]
    # As ratios: next to 1e-27 the smallest difference that pytest looks at is endless.
    assert read / read[0] == pytest.approx(flux.value / flux.value[0], rel=1e-6)
    assert read / flux.value == pytest.approx(1, rel=1e-3)


def test_the_zero_point_of_ab_magnitudes_is_3631_jansky():
    assert ab_magnitude((3631 * u.Jy).cgs.value) == pytest.approx(0, abs=1e-3)
    assert ab_magnitude((1 * u.ABmag).to_value(u.erg / u.s / u.cm**2 / u.Hz)) == pytest.approx(1)


def test_a_magnitude_error_is_a_relative_flux_error_by_its_definition():
    noise = NoiseModel.default()
    flux = np.ones((20_000, 57))
    noisy, error = noise.add(flux, np.full(len(flux), 17.0), np.random.default_rng(1))
    expected = noise.magnitude_error(np.array([17.0]))[0] * np.log(10) / 2.5
    assert error[0] == pytest.approx(expected)
    assert noisy.std(axis=0) == pytest.approx(expected, rel=0.03)
    magnitude = np.random.default_rng(2).uniform(16.8, 17.2, len(flux))
    measured = measure_noise(flux, np.broadcast_to(expected, flux.shape), magnitude)
    assert measured.magnitude_error(np.array([17.0]))[0] == pytest.approx(
        noise.magnitude_error(np.array([17.0]))[0]
    )


# Metrics


def test_metrics_are_those_of_the_paper(rng):
    true = rng.uniform(8, 10, 5000)
    predicted = true + rng.normal(0.03, 0.2, 5000) + rng.standard_t(2, 5000) * 0.05
    found = summary(predicted, true)
    delta = predicted - true
    assert found["bias"] == pytest.approx(np.median(delta))
    assert found["sigma_nmad"] == pytest.approx(median_abs_deviation(delta, scale="normal"), 1e-4)
    assert found["outlier_fraction"] == pytest.approx(np.mean(np.abs(delta) > 0.25))
    assert found["pearson"] == pytest.approx(pearsonr(predicted, true).statistic)
    assert found["r2"] == pytest.approx(r2_score(true, predicted))
    assert found["rmse"] == pytest.approx(np.sqrt(np.mean(delta**2)))


def test_metrics_are_sorted_by_magnitude_and_library(mocks):
    labels = mocks.labels.assign(
        magnitude=[16.0, 22.0] * (len(mocks) // 2) + [16.0] * (len(mocks) % 2)
    )
    found = evaluate(mocks.parameters + np.array([0.1, -0.2, 0.3]), labels)
    assert list(found["by_magnitude"]) == ["16.0", "22.0"]
    assert [found["overall"][name]["bias"] for name in NAMES] == pytest.approx([0.1, -0.2, 0.3])
    assert [found["overall"][name]["outlier_fraction"] for name in NAMES] == [0, 0, 1]
    for name in NAMES:
        assert found["by_library"]["bc03"][name] == pytest.approx(
            found["overall"][name], nan_ok=True
        )


# Links

LINKS = {
    "sed": {"seds", "noisy", "nebular", "log-u", "gas-dust", "joint"},
    "libraries": {"ages", "picked"},
    "noise": {"sed"},
    "map": {"colour", "magnitudes", "galaxies"},
    "histories": {"family", "library", "time", "member", "noisy", "by", "gyr", "form"}
    | {"timescale", "metals", "ebv", "share", "start", "later-metals"},
    "trust": {"posterior", "section"},
    "density": {"layout", "parameter", "magnitudes", "split", "axis"},
    "magnitude": {"split", "parameters", "with", "correlation"},
    "degeneracies": {"upper", "lower", "split"},
    "residuals": {"limit", "split"},
    "one-library": {"metric", "magnitudes", "ssps", "trained", "tested"},
    "sedfit": {"grid", "floor", "of", "shown"},
    "training": {"network", "batch", "dropout", "mocks", "epochs", "rate", "beyond", "parameter"},
    "samples": {"split-seed"},
}


def test_a_link_of_before_still_opens_what_it_did():
    state = SharedState()
    link = "?page=density&model=paper&libraries=bc03,popstar&i=18.5"
    accept(state, read_query(state, QUERY, link))
    assert (state.page, state.model, state.magnitude) == ("density", "paper", 18.5)
    assert state.libraries == ["bc03", "popstar"]
    assert write_query(state, QUERY)["i"] == "18.5"


def test_choices_of_a_page_keep_their_names_in_links():
    missing = {
        page.key: LINKS[page.key] - set(page.view.QUERY.values())
        for page in PAGES
        if page.key in LINKS
    }
    assert LINKS.keys() <= {page.key for page in PAGES}
    assert not {key: names for key, names in missing.items() if names}


# Cards


@pytest.mark.parametrize("name", ["default", "paper"])
def test_a_card_says_what_its_page_says(name, repository):
    card = json.loads((repository / "data/models" / name / "card.json").read_text())
    overall = card["metrics"]["ssp"]["overall"]
    row = next(
        line
        for line in (repository / "docs/models.md").read_text().splitlines()
        if f"| {'default' if name == 'default' else 'paper' + chr(39) + 's recipe'} |" in line
    )
    for cell, parameter in zip(row.strip("|").split("|")[2:], NAMES, strict=True):
        bias, scatter, outliers = cell.replace("−", "-").split(",")
        assert float(bias) == pytest.approx(overall[parameter]["bias"], abs=6e-4)
        assert float(scatter) == pytest.approx(overall[parameter]["sigma_nmad"], abs=6e-4)
        assert float(outliers.strip(" %")) == pytest.approx(
            100 * overall[parameter]["outlier_fraction"], abs=0.6
        )
