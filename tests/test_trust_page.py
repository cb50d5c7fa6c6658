"""The page "Error bars": promises, their pictures, and the galaxies that are real."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.app.kit import parts
from sspexplorer.app.trust import other_libraries
from sspexplorer.app.trust.error_bar_tables import comparison_table
from sspexplorer.app.trust.error_bar_words import CAPTIONS
from sspexplorer.app.trust.error_bars import SECTIONS, ErrorBars
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots import trust as plots
from sspexplorer.posterior.validation.promises import promises
from sspexplorer.posterior.validation.trust import load_trust
from sspexplorer.progress import NO_PROGRESS


@pytest.fixture(scope="module", autouse=True)
def extensions():
    load_extensions()


@pytest.fixture(scope="module")
def trust():
    return load_trust("ssp")


def test_a_promise_is_kept_if_its_figures_are_within_the_limits(trust):
    magnitudes = trust.magnitudes.assign(coverage_68=0.68, coverage_95=0.95)
    right = dataclasses.replace(trust, magnitudes=magnitudes)
    assert all(p.kept for p in promises(right)[:4])
    off = magnitudes.copy()
    off.loc[off["magnitude"] == 20.0, "coverage_68"] = 0.62
    found = promises(dataclasses.replace(trust, magnitudes=off))
    assert [p.kept for p in found[:4]] == [True, False, True, True]
    assert found[1].found == "62.0% to 68.0%; 36 of 39 within"
    gaps = trust.gaps.assign(growth=0.2)
    kept = [p.kept for p in promises(dataclasses.replace(trust, gaps=gaps)) if "scatter" in p.what]
    assert kept[:2] == [False, True]


def test_ranks_are_relative_to_an_even_share(trust):
    even = trust.ranks.assign(count=100)
    curve = plots.rank_picture(even).get(2)
    np.testing.assert_allclose(curve.dimension_values("share"), 1.0)


def test_p_values_are_drawn_as_shares_below(trust):
    lines = [e for e in plots.p_value_picture(trust.p_values) if e.label == "held-out mocks"]
    below = lines[0].dimension_values("below")
    assert below[-1] == pytest.approx(1.0)
    assert (np.diff(below) >= 0).all()


def test_models_without_a_magnitude_are_one_row_each():
    table = pd.DataFrame(
        {
            "model": ["a"] * 3,
            "parameter": ["log_age", "metallicity", "ebv"],
            "bias": [0.1, 0.2, 0.3],
            "sigma_nmad": 0.5,
        }
    )
    html = comparison_table(table, ["bias", "sigma_nmad"]).object
    assert html.count("<tr>") == 2
    assert "+0.200" in html


@pytest.mark.parametrize("section", SECTIONS.values())
def test_every_section_can_be_shown(section):
    page = ErrorBars(posterior="ssp", section=section)
    assert len(page.figures) >= 2
    found = page.answer(("ssp", section), NO_PROGRESS)
    assert "{" not in CAPTIONS[section](found)


def test_each_library_that_was_left_out_is_drawn_with_and_without_its_own_error():
    table = pd.DataFrame(
        [
            {"library": library, "sample": sample, "parameter": name, "magnitude": magnitude}
            | {"coverage_68": 0.41 if library == "m11" else 0.7, "with_library_68": 0.66}
            | {"bias": 0.1, "err": 0.2, "library_err": 0.25, "n": 1500}
            for library in ("m11", "mastar")
            for sample in ("SSPs", "composites")
            for name in PARAMETERS
            for magnitude in (17.0, 21.0)
        ]
    )
    pictures = other_libraries.figures(table)
    assert len(pictures) == 6
    m11 = [layer for layer in pictures[0] if layer.label == "M11 (STELIB)"]
    assert [layer.dimension_values("share").tolist() for layer in m11] == [[0.41] * 2, [0.66] * 2]
    assert "in 50% of the tests; dashed" in other_libraries.words(table)
    assert "log age of M11 (STELIB) (SSPs, i = 17, 41%)" in other_libraries.words(table)
    label, numbers, *others = other_libraries.numbers(table)
    assert (label.object, len(others)) == (parts.label("SSPs, at i = 17, 21").object, 2)
    assert "<td>41, 41 %</td>" in numbers.object
    assert other_libraries.derived_numbers(table) == []
    masses = table[(table["parameter"] == "ebv") & (table["sample"] == "composites")].assign(
        parameter="log_mass_to_light", sample="composites to z = 1"
    )
    label, numbers = other_libraries.derived_numbers(pd.concat([table, masses]))
    assert "of composites to z = 1: inside 68 % at i = 17, 21" in label.object
    assert "log mass over light [dex]" in numbers.object
    assert numbers.object.index("41, 41 %") < numbers.object.index("70, 70 %")


def test_a_visitor_sees_promises_and_changes_the_model(page: Page, server: str):
    page.goto(f"{server}?page=trust")
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(4)
    expect(page.get_by_text("The 68 % interval holds 66% to 70% of the truths")).to_be_visible()
    page.locator("main select:visible").first.select_option(label="ssp: one population")
    expect(figures).to_have_count(5)
    expect(page).to_have_url(re.compile("posterior=ssp"))
    page.get_by_label("Unlike the training").check()
    expect(page.locator("tr:visible", has_text="real stars").first).to_be_visible()
    page.get_by_label("Real galaxies").check()
    expect(page.locator("tr:visible", has_text="NGC 4636")).to_contain_text("±")
