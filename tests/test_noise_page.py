import asyncio
import re

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from onlooker import Onlooker
from pictures import Figure, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.app.explore.noise import Noise
from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import InputError
from sspexplorer.noise import NoiseModel, ab_magnitude, measure_noise
from sspexplorer.plots.noise import Errors, error_table, shown_magnitudes, snr_table


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture
def survey(rng):
    """Fluxes in erg/s/cm²/Hz of 4000 galaxies under the default noise."""
    magnitude = rng.uniform(16.5, 20.5, 4000)
    flux = 10 ** (-0.4 * (magnitude + 48.6))[:, None] * np.ones(57)
    noisy, error = NoiseModel.default().add(flux, magnitude, rng)
    return noisy, error, magnitude


def test_ab_magnitudes_of_known_fluxes():
    assert ab_magnitude(3.631e-20) == pytest.approx(0, abs=0.001)
    assert ab_magnitude(np.array([1.0, -1.0, 0.0]), 8.9)[0] == 8.9
    assert np.isnan(ab_magnitude(np.array([-1.0, 0.0, np.nan]))).all()


@pytest.mark.parametrize("unit", [1.0, 1e29])
def test_the_noise_of_a_survey_is_found_again_in_any_unit(survey, unit):
    flux, error, magnitude = survey
    measured = measure_noise(flux * unit, error * unit, magnitude)
    at = np.array([17.0, 18.0, 19.0, 20.0])
    # Noisy fluxes are in the denominator, and bins are half a magnitude wide.
    expected = NoiseModel.default().magnitude_error(at)
    assert measured.magnitude_error(at) == pytest.approx(expected, rel=0.15)
    assert "4,000 galaxies" in measured.description


def test_absent_bands_get_the_errors_of_their_neighbours(survey):
    flux, error, magnitude = survey
    absent = [0, 20, 21, 55]
    error = error.copy()
    error[:, absent] = np.nan
    measured = measure_noise(flux, error, magnitude)
    expected = NoiseModel.default().magnitude_error(18.0)
    assert measured.magnitude_error(18.0)[[20, 21]] == pytest.approx(expected[[20, 21]], rel=0.15)
    assert measured.magnitude_error(18.0)[0] == pytest.approx(measured.magnitude_error(18.0)[1])
    assert all(BAND_NAMES[band] in measured.description for band in absent)


def test_too_little_to_measure_from_is_refused_in_a_sentence(survey):
    flux, error, magnitude = survey
    with pytest.raises(InputError, match="Only 9 galaxies"):
        measure_noise(flux[:9], error[:9], magnitude[:9])
    with pytest.raises(InputError, match="Check where the magnitude"):
        measure_noise(flux, error, magnitude + 70)
    error = error.copy()
    error[:, :20] = np.nan
    with pytest.raises(InputError, match="20 of the 57 bands"):
        measure_noise(flux, error, magnitude)


def test_the_table_says_what_the_noise_is():
    noise = NoiseModel.default()
    twice = NoiseModel(noise.magnitudes, 2 * noise.errors, "twice")
    table = snr_table(Errors(twice, 19.3, noise))
    assert list(table.index) == ["i = 16.0", "i = 18.0", "i = 19.3", "i = 20.0", "i = 22.0"]
    assert table["Δm / default"].to_numpy() == pytest.approx(2)
    assert (table["S/N by default"] / table["S/N"]).to_numpy() == pytest.approx(2)
    tidy = error_table(noise, shown_magnitudes(18.0))
    assert len(tidy) == 4 * 57
    assert (tidy["snr"] * tidy["error"]).to_numpy() == pytest.approx(2.5 / np.log(10))


def test_a_catalogue_of_magnitudes_needs_no_zero_point(survey, tmp_path):
    flux, error, magnitude = (part[:300] for part in survey)
    table = pd.DataFrame(
        {f"MAG_AUTO_{n}": ab_magnitude(flux[:, i]) for i, n in enumerate(BAND_NAMES)}
    )
    for i, name in enumerate(BAND_NAMES):
        table[f"MAG_ERR_AUTO_{name}"] = error[:, i] / flux[:, i] * 2.5 / np.log(10)
    table["mag_best"] = magnitude
    table.to_csv(tmp_path / "mags.csv", index=False)
    page = Noise()
    page.state.catalogue = read_catalogue(tmp_path / "mags.csv")
    seen = Onlooker(page)
    column_of = seen.control("i magnitude from")
    assert list(column_of.options.values()) == ["", "mag_best"]
    for column in column_of.options.values():
        column_of.value = column
        page.state.noise = None
        asyncio.run(page.measure())
        measured = page.state.noise.magnitude_error(18.0)
        assert measured == pytest.approx(NoiseModel.default().magnitude_error(18.0), rel=0.25)
    seen.press("Back to the default noise")
    assert page.state.noise is None


def drawn(figures: list[Figure]) -> dict[str, np.ndarray]:
    """Columns of the noisy SEDs."""
    return figures[1].of_kind("Scatter")[0].columns


def test_the_noise_is_measured_used_everywhere_and_taken_back(page: Page, server: str):
    page.goto(f"{server}?page=noise&i=19")
    row = page.locator("tr", has_text="i = 20.0")
    expect(row).to_be_visible()
    before, first = row.inner_text(), wait_for(page, drawn)
    page.get_by_role("button", name="New noise").click()
    wait_for(page, lambda seen: (drawn(seen)["flux"] != first["flux"]).all(), "Other noise")
    again = wait_for(page, drawn)
    # Other noise of the same size, on the same SED.
    np.testing.assert_array_equal(again["noise_free"], first["noise_free"])
    np.testing.assert_array_equal(again["flux_err"], first["flux_err"])
    page.get_by_role("button", name="Measure from the simulated galaxies").click()
    expect(page.get_by_text(re.compile(r"Mean magnitude errors of \d+ galaxies"))).to_be_visible()
    expect(page.get_by_text("S/N by default")).to_be_visible()
    assert row.inner_text() != before
    expect(page.locator("aside").get_by_text("by the noise you measured")).to_be_visible()
    page.get_by_label("AB zero point").fill("30")
    page.get_by_label("AB zero point").press("Enter")
    page.get_by_role("button", name="Measure from your catalogue").click()
    expect(page.locator(".problem")).to_contain_text("Check where the magnitude")
    page.get_by_role("button", name="Back to the default noise").click()
    expect(row).to_have_text(re.compile(re.escape(before.split()[3])))
    page.get_by_role("button", name="Open a catalogue").or_(
        page.get_by_role("link", name="SED explorer")
    ).first.click()
    expect(page.get_by_role("heading", name="SED explorer", level=1)).to_be_visible()
