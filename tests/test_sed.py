import re

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from onlooker import Onlooker

from sspexplorer.app.explore.presets import SED
from sspexplorer.app.explore.sed import FIRST_SEDS, MAX_SEDS, SEDExplorer
from sspexplorer.bands import load_bands
from sspexplorer.gas import IonisedGas
from sspexplorer.libraries import SHIPPED_NAMES, load_library
from sspexplorer.mocks import observe
from sspexplorer.photometry import synthesize
from sspexplorer.plots.sed import line_table, photometry_table, sed_picture


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture
def page() -> SEDExplorer:
    return SEDExplorer()


def photometry(page: SEDExplorer) -> pd.DataFrame:
    """What a visitor would download."""
    return Onlooker(page).saved("Download these SEDs (CSV)")


def test_an_observation_is_its_ssp_behind_dust_at_a_redshift():
    library = load_library("bc03")
    seen = observe(library, 9.3, 0.1, ebv=0.2, redshift=0.05, magnitude=18, seed=1)
    index = library.nearest(9.3, 0.1)
    assert (seen.log_age, seen.metallicity) == (library.log_age[index], library.metallicity[index])
    flux = synthesize(library.spectra[index], library.wavelength, 0.2, 0.05)
    assert seen.noise_free == pytest.approx(flux / np.median(flux), rel=1e-5)
    assert seen.wavelength == pytest.approx(library.wavelength * 1.05)
    # The spectrum runs through the points.
    narrow = load_bands().narrow
    drawn = np.interp(load_bands().pivot[narrow], seen.wavelength, seen.spectrum)
    assert np.median(drawn / seen.noise_free[narrow]) == pytest.approx(1, abs=0.01)


def test_the_same_draw_grows_with_magnitude():
    library = load_library("bc03")
    bright, faint = (observe(library, 9.0, 0.0, magnitude=m, seed=7) for m in (17, 21))
    pull = [(o.flux - o.noise_free) / o.flux_err for o in (bright, faint)]
    assert pull[0] == pytest.approx(pull[1])
    assert (faint.flux_err > bright.flux_err).all()


def test_the_picture_holds_every_band_of_every_sed():
    seen = [observe(load_library(name), 9.0, 0.0) for name in ("bc03", "popstar")]
    points = sed_picture(seen).Points.I
    assert len(points) == 2 * 57
    assert points["flux"] == pytest.approx(photometry_table(seen)["flux"])


def test_the_magnitude_sets_the_noise_and_a_click_draws_another(page):
    page.state.magnitude = 17.0
    bright = photometry(page)
    page.state.magnitude = 21.0
    faint = photometry(page)
    assert (faint["flux_err"] > bright["flux_err"]).all()
    assert (faint["noise_free"] == bright["noise_free"]).all()
    Onlooker(page).press("New noise")
    assert not np.allclose(photometry(page)["flux"], faint["flux"])


def test_sliders_change_the_chosen_sed_only(page):
    seen = Onlooker(page)
    seen.control("SED to change").value = 2
    assert seen.control("Library").value == FIRST_SEDS[1].library
    before = photometry(page)
    seen.control("E(B−V) [mag]").value = 0.5
    after = photometry(page)
    changed = (before["noise_free"] != after["noise_free"]).groupby(before["sed"]).any()
    assert changed.tolist() == [False, True, False]
    assert page.seds[1].ebv == 0.5


def test_another_library_keeps_the_nearest_population(page):
    seen = Onlooker(page)
    seen.control("Library").value = "bc03"
    sed = page.seds[0]
    assert sed.library == "bc03"
    assert seen.control("Age").value == pytest.approx(10.0, abs=0.03)
    assert seen.control("[M/H] [dex]").value == 0.0
    assert list(seen.control("Library").options.values()) == list(SHIPPED_NAMES)


def test_a_library_of_some_bands_is_shown_and_answered_with_those(page):
    page.seds = (SED("m11", 9.5, 0.0), SED("bc03", 9.5, 0.0))
    assert photometry(page).groupby("sed")["flux"].count().tolist() == [42, 57]
    assert np.isfinite(answers(page)).all()
    assert "nan" not in Onlooker(page).words


def test_seds_are_added_and_removed_within_limits(page):
    seen = Onlooker(page)
    for _ in range(MAX_SEDS - len(FIRST_SEDS)):
        seen.press("+")
    assert len(page.seds) == MAX_SEDS
    assert seen.control("+").disabled
    assert page.seds[-1] == page.seds[0]
    for _ in range(MAX_SEDS - 1):
        seen.press("−")
    assert len(page.seds) == 1
    assert seen.control("−").disabled


def answers(page: SEDExplorer) -> np.ndarray:
    """True, predicted and scatter of each parameter of each SED, shape (n_seds, 3, 3)."""
    found = re.findall(r"(−?[\d.]+) → (−?[\d.]+) ± ([\d.]+)", Onlooker(page).words)
    numbers = [[float(n.replace("−", "-")) for n in row] for row in found]
    return np.array(numbers).reshape(-1, 3, 3)


def test_the_network_answers_beside_the_truth(page):
    page.state.magnitude = 16.0
    bright = answers(page)
    assert bright[:, 0, 0] == pytest.approx([10.0, 9.01, 7.3], abs=0.01)
    assert (np.abs(bright[:, 0, 1] - bright[:, 0, 0]) < 0.7).all()
    page.state.magnitude = 21.5
    faint = answers(page)
    assert (faint[:, :, 0] == bright[:, :, 0]).all()
    assert faint[:, 0, 2].mean() > 2 * bright[:, 0, 2].mean()


def test_only_the_chosen_libraries_are_offered(page):
    page.state.libraries = ["popstar"]
    offered = Onlooker(page).control("Library").options.values()
    # Its own, that one, and those that no sidebar offers.
    assert list(offered) == ["emiles", "popstar", "m11", "mastar"]


def test_strong_lines_are_marked_where_they_are_observed():
    library = load_library("bc03")
    gas = IonisedGas(-2.5)
    young = observe(library, 6.7, -0.4, redshift=0.05, gas=gas)
    fading = observe(library, 7.0, -0.4, redshift=0.05, gas=gas)
    old = observe(library, 9.0, -0.4, gas=gas)
    table = line_table([young, fading, old]).set_index("name")
    assert table.loc["[O III] 5007", "wavelength"] == pytest.approx(5006.84 * 1.05)
    assert table.loc["[O II] 3727", "wavelength"] == pytest.approx(3727.4 * 1.05, abs=0.1)
    assert table["width"].idxmax() == "Hα"
    assert "[O III] 5007" not in line_table([fading])["name"].to_list()
    assert line_table([old]).empty
    figure = hv.render(sed_picture([young, fading, old]))
    marks = [r.data_source for r in figure.renderers if "name" in r.data_source.data]
    assert sorted(marks[0].data["name"]) == sorted(table.index)


def test_nebular_emission_lights_the_young_sed_only():
    page = SEDExplorer(seds=(SED("bc03", 6.7, 0.0, 0.2), SED("bc03", 9.0, 0.0)))
    before = photometry(page)
    seen = Onlooker(page)
    seen.press("Nebular emission")
    after = photometry(page)
    changed = (before["noise_free"] != after["noise_free"]).groupby(before["sed"]).any()
    assert changed.tolist() == [True, False]
    assert "Older than 25 Myr, and so without ionised gas: 2." in seen.words
    # With less dust before the gas than before the stars, Hα stands out more.
    page.gas_dust = 1.0
    in_h_alpha = after["band"].eq("J0660") & after["sed"].eq(1)
    assert (photometry(page)["noise_free"] > after["noise_free"])[in_h_alpha].all()
    seen.press("Nebular emission")
    assert (photometry(page)["noise_free"] == before["noise_free"]).all()


def test_where_all_are_old_the_page_says_that_nothing_changes():
    page = SEDExplorer(seds=(SED("emiles", 10.0, 0.0),), nebular=True)
    seen = Onlooker(page)
    assert seen.control("Nebular emission").value
    assert "older than 25 Myr ionise no gas" in seen.words
