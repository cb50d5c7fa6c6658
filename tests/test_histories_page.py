import re

import numpy as np
import pandas as pd
import pytest
from onlooker import Onlooker
from pictures import Figure, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.histories import PAPER_FAMILIES, Burst, Component, Member, evolve
from sspexplorer.histories.tables import deviation_table, history_table, rate_table
from sspexplorer.libraries import load_library


@pytest.fixture(scope="module", autouse=True)
def extensions():
    load_extensions()


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A constant rate and a burst, and predictions that are off by known amounts."""
    times = np.array([1e9, 2e9, 4e9])
    members = (
        *PAPER_FAMILIES["constant"],
        Member("burst", (Component(Burst(0, 1e8), -0.4, mass=3.0),)),
    )
    evolutions = [evolve(load_library("bc03"), m.history, times) for m in members]
    off = [np.array([-0.5, 0.1, 0.2]), np.array([0.1, -0.3, 0.0])]
    predictions = [e.truth() + delta for e, delta in zip(evolutions, off, strict=True)]
    return history_table(members, evolutions, predictions)


def test_deviations_are_those_from_the_light_weighted_truth(table):
    found = deviation_table(table)
    assert list(found.index) == ["constant rate", "burst", "All"]
    assert found["n"].tolist() == [3, 3, 6]
    assert found.loc["constant rate", "bias_log_age"] == pytest.approx(-0.5)
    assert found.loc["burst", "off_metallicity"] == pytest.approx(0.3)
    assert found.loc["All", "bias_log_age"] == pytest.approx(-0.2)
    assert found.loc["All", "max_ebv"] == pytest.approx(0.2)


def test_rates_are_of_all_the_mass_and_have_sharp_edges(table):
    # A burst of 0.1 Gyr is over at the first time.
    assert table["rate"].tolist() == pytest.approx([1 / 14] * 3 + [0] * 3)
    burst = rate_table((Member("burst", (Component(Burst(1e9, 1e9), mass=5.0),)),))
    assert np.trapezoid(burst["rate"], burst["time"]) == pytest.approx(1, rel=1e-6)
    assert set(burst["rate"].round(9)) == {0.0, 1.0}


def test_the_page_answers_at_once_without_a_server():
    from sspexplorer.app.explore.histories import MixedPopulations

    page = MixedPopulations(family="constant", noisy=False)
    found = page.found
    assert list(found.tables) == ["default", "paper", "galaxy", "ssp"]
    late = found.table[found.table["time"] > 2]
    # What the paper finds: an age of nearly nothing, dust that is not there.
    assert np.median(10 ** late["pred_log_age"]) < 2e8
    assert (late["pred_ebv"] - late["light_ebv"]).max() > 0.1
    assert "youngest stars outshine" in Onlooker(page).words
    numbers = Onlooker(page).saved("Download these curves (CSV)")
    assert numbers["model"].unique().tolist() == [
        "Default",
        "As in the paper",
        "galaxy: mixed populations",
        "ssp: one population",
    ]
    assert len(numbers) == 4 * 140
    # What a training on mixtures finds, with errors that know the truth.
    page.state.magnitude, page.by = 17.0, "galaxy"
    rows = page.found.table
    assert np.median(np.abs(rows["pred_log_age"] - rows["light_log_age"])) < 0.2
    assert np.median(np.abs(rows["pred_ebv"] - rows["light_ebv"])) < 0.063
    assert (rows["p16_log_age"] < rows["p84_log_age"]).all()
    assert "the median of its posterior" in Onlooker(page).words
    assert "outshine" not in Onlooker(page).words


def test_noise_puts_quantiles_around_the_prediction():
    from sspexplorer.app.explore.histories import MixedPopulations

    page = MixedPopulations(family="constant", noisy=True)
    rows = page.found.table
    for name in ("log_age", "metallicity", "ebv"):
        assert (rows[f"p16_{name}"] <= rows[f"pred_{name}"]).all()
        assert (rows[f"pred_{name}"] <= rows[f"p84_{name}"]).all()
    before = (rows["p84_ebv"] - rows["p16_ebv"]).median()
    page.state.magnitude = 17.0
    rows = page.found.table
    assert (rows["p84_ebv"] - rows["p16_ebv"]).median() < before


def test_a_history_of_one_s_own_is_what_was_asked_for():
    from sspexplorer.app.explore.histories import MixedPopulations

    page = MixedPopulations(
        family="own", form="delayed", timescale=2.0, share=0.25, start=6.0, ebv=0.1, later_ebv=0.4
    )
    both, alone = (member.history for member in page.found.question.members)
    assert [part.mass for part in both] == [0.75, 0.25]
    assert both[1].formation == Burst(6e9, 1e9)
    assert [part.ebv for part in (*both, *alone)] == [0.1, 0.4, 0.1]
    page.metallicity = -0.5
    # The nearest that BC03 has.
    assert page.own.metallicity == pytest.approx(-0.398, abs=0.001)
    page.library, page.share = "emiles", 0.0
    assert len(page.found.question.members) == 1
    assert page.own.metallicity == pytest.approx(-0.4)
    page.tapped(7.26, 0.0)
    assert page.time == 7.3
    likeness = page._seen.data
    assert likeness.composite.ebv == pytest.approx(0.1)
    assert likeness.composite.flux == pytest.approx(likeness.composite.noise_free)


def predicted(figures: list[Figure]) -> list[str]:
    """Names of the histories whose ages the first figure shows."""
    return figures[0].of_kind("MultiLine")[-1]["label"].tolist()


def test_mixtures_of_the_paper_and_of_one_s_own(page: Page, server: str):
    page.goto(f"{server}?page=histories")
    caption = page.get_by_text("Solid: what “Default” predicts")
    expect(caption).to_contain_text("A burst of 1 Gyr is soon like an SSP")
    expect(page.get_by_role("button", name="Z = 0.017")).to_be_visible()
    figure = page.locator("canvas:visible").first
    wait_for(page, lambda seen: predicted(seen) == ["Z = 0.004", "Z = 0.008", "Z = 0.017"])
    page.get_by_label("History").select_option("Constant star formation")
    expect(caption).to_contain_text("the youngest stars outshine the rest")
    wait_for(page, lambda seen: len(predicted(seen)) == 1, "One history")
    page.get_by_label("Model", exact=True).select_option("galaxy: mixed populations")
    expect(page.get_by_text("Solid: what “galaxy")).to_contain_text("68 % interval")
    expect(page).to_have_url(re.compile("by=galaxy"))
    page.get_by_label("Model", exact=True).select_option("Default")
    row = page.locator("tr", has_text="As in the paper")
    numbers = row.inner_text()
    page.get_by_label("History").select_option("A second burst")
    expect(page.get_by_role("button", name="second at 4 Gyr")).to_be_visible()
    expect(row).not_to_have_text(re.compile(re.escape(numbers.split()[4])))

    # Another time, and another of the histories.
    words = page.get_by_text("after the beginning")
    expect(words).to_contain_text("Second at 1 Gyr, 5.0 Gyr after")
    page.get_by_role("button", name="second at 4 Gyr").click()
    expect(words).to_contain_text("Second at 4 Gyr, 5.0 Gyr after")
    box = figure.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5)
    expect(words).not_to_contain_text("5.0 Gyr after")
    expect(page).to_have_url(re.compile(r"time=[\d.]+"))

    # One's own.
    page.get_by_label("History").select_option("Your own history")
    expect(page.get_by_role("button", name="without it")).to_be_visible()
    page.get_by_label("Star formation").select_option("Delayed, t exp(−t/τ)")
    expect(page).to_have_url(re.compile("form=delayed"))
    expect(caption).to_contain_text("Median of predicted − light-weighted over 280 times")
    page.get_by_role("button", name="More").click()
    page.get_by_text("Noise", exact=True).last.click()
    expect(caption).to_contain_text("with 68 % of its answers under noise")
    with page.expect_download() as download:
        page.get_by_text("Download these curves (CSV)").click()
    saved = pd.read_csv(download.value.path())
    assert {"p16_log_age", "light_log_age", "mass_ebv"} <= set(saved.columns)


def test_a_link_brings_a_history_back(page: Page, server: str):
    page.goto(f"{server}?page=histories&family=own&form=constant&share=0&gyr=true&time=9")
    expect(page.get_by_role("button", name="your history")).to_be_visible()
    expect(page.get_by_text("after the beginning")).to_contain_text("9.0 Gyr after")
    expect(page.get_by_label("Star formation")).to_have_value("Constant rate")
