import re

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from onlooker import Onlooker
from pictures import Figure, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.app.explore.presets import PRESETS, SED, SEDList, preset_of
from sspexplorer.app.explore.sed import SEDExplorer
from sspexplorer.bands import BAND_NAMES
from sspexplorer.libraries import load_library
from sspexplorer.mocks import observe
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.sed import most_alike


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


def observed(sed: SED, magnitude: float = 20.0):
    library = load_library(sed.library)
    return observe(library, sed.log_age, sed.metallicity, ebv=sed.ebv, magnitude=magnitude)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_a_link_and_are_ssps_of_their_library(name):
    seds = PRESETS[name].seds
    assert SEDList.deserialize(SEDList.serialize(seds)) == seds
    assert preset_of(seds) == name
    for sed in seds:
        seen = observed(sed)
        assert seen.log_age == pytest.approx(sed.log_age, abs=0.03)
        assert seen.metallicity == pytest.approx(sed.metallicity, abs=0.001)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cb19,9,0",
        "emiles,nan,0",
        "emiles,9",
        "bc03,9,0,5,0",
        "emiles,a,0",
        ";".join(["bc03,9,0"] * 6),
    ],
)
def test_a_mistyped_link_changes_nothing(text):
    page = SEDExplorer()
    before = page.seds
    with pytest.raises(ValueError, match=r"SED|float"):
        page.seds = SEDList.deserialize(text)
    assert page.seds == before


def test_look_alikes_differ_by_less_than_the_noise_of_a_band():
    for name in ("Age or metallicity?", "Age or dust?"):
        seen = [observed(sed) for sed in PRESETS[name].seds]
        assert most_alike(seen[:2])[2] < 0.4
        assert abs(seen[0].log_age - seen[1].log_age) >= 0.39
    # The distance is in σ: half the error, twice the distance.
    pair = [observed(SED("bc03", age, 0.0)) for age in (9.0, 9.6)]
    difference = (pair[0].noise_free - pair[1].noise_free) ** 2
    variance = (pair[0].flux_err ** 2 + pair[1].flux_err ** 2) / 2
    assert most_alike(pair)[2] == pytest.approx(np.sqrt(np.mean(difference / variance)))


def test_a_preset_is_taken_and_taken_back():
    page = SEDExplorer()
    first = page.seds
    seen = Onlooker(page)
    seen.control("Presets").value = "Young and old, as in Fig. 2"
    assert page.seds == PRESETS["Young and old, as in Fig. 2"].seds
    saved = seen.saved("Download these SEDs (CSV)")
    assert (saved["flux"] == saved["noise_free"]).all()
    seen.press("−")
    assert seen.control("Presets").value == ""
    seen.press("↶")
    seen.press("↶")
    assert (page.seds, page.noisy) == (first, True)
    assert seen.control("Presets").value == preset_of(first)
    assert seen.control("↶").disabled


def test_a_measured_noise_takes_the_place_of_the_default():
    page = SEDExplorer()
    default = NoiseModel.default()
    seen = Onlooker(page)
    before = seen.saved("Download these SEDs (CSV)")["flux_err"]
    page.state.noise = NoiseModel(default.magnitudes, 2 * default.errors, "twice")
    after = seen.saved("Download these SEDs (CSV)")["flux_err"]
    assert after.to_numpy() == pytest.approx(2 * before.to_numpy())


def shown(figures: list[Figure], column: str) -> set:
    """Different values of a column of what the first figure draws; none if nothing has it."""
    layers = (layer[column] for layer in figures[0].layers if column in layer.columns)
    return set(next(layers, pd.Series()).tolist())


def test_a_link_opens_its_seds_and_a_preset_changes_them(page: Page, server: str):
    page.goto(f"{server}?page=sed&seds=popstar,9,0,0.13;nonsense")
    expect(page.get_by_text("10 Gyr, [M/H]").first).to_be_visible()
    page.goto(f"{server}?page=sed&seds=popstar,9,0,0.13;bc03,7,-0.7")
    expect(page.get_by_text("1 Gyr, [M/H] +0.00, E(B−V) 0.13")).to_be_visible()
    expect(page.get_by_text(re.compile("^2 BC03"))).to_be_visible()
    wait_for(page, lambda seen: len(shown(seen, "sed")) == 2, "Two SEDs")
    page.get_by_label("Presets").select_option("Age or metallicity?")
    expect(page.get_by_text("Three populations without dust")).to_be_visible()
    expect(page).to_have_url(re.compile(r"seds=emiles%2C10%2C-0.4"))
    wait_for(page, lambda seen: len(shown(seen, "sed")) == 3, "Three SEDs")


def test_nebular_emission_is_switched_in_the_picture_and_carried_by_the_link(
    page: Page, server: str
):
    page.goto(f"{server}?page=sed&seds=bc03,6.7,0&log-u=-3&gas-dust=1")
    expect(page.get_by_text("5.01 Myr, [M/H]").first).to_be_visible()
    stars = wait_for(page, lambda seen: seen[0].of_kind("Scatter")[0]["noise_free"])
    wait_for(page, lambda seen: shown(seen, "name") == set(), "No line of gas")
    page.get_by_role("button", name="Nebular emission").click()
    expect(page.get_by_text("lines of ionised gas that add at least 3 %")).to_be_visible()
    assert {"Hα", "[O III]"} & wait_for(page, lambda seen: shown(seen, "name"), "Names of lines")
    with_gas = wait_for(page, lambda seen: seen[0].of_kind("Scatter")[0]["noise_free"])
    # J0660 holds Hα at rest; the continuum beside it changes much less.
    gain = with_gas / stars
    assert gain[BAND_NAMES.index("J0660")] > 1.1 * gain[BAND_NAMES.index("J0700")]
    expect(page).to_have_url(re.compile(r"nebular=true.*", re.IGNORECASE))
    page.get_by_text("More", exact=True).click()
    expect(page.get_by_text("log U of the gas: −3")).to_be_visible()
    page.get_by_label("Presets").select_option("Old, middle, young")
    expect(page.get_by_text("lines of ionised gas")).to_have_count(0)
