"""A library that is added while the app runs is a choice of the next visitor, on every page."""

import re
from collections.abc import Iterator
from dataclasses import replace

import holoviews as hv
import numpy as np
import pytest
from onlooker import Onlooker
from playwright.sync_api import Page, expect

from sspexplorer.analysis.sed_map import Region
from sspexplorer.app import cache
from sspexplorer.app.explore.libraries import Libraries
from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.app.kit.model_words import unknown_note
from sspexplorer.app.state import SharedState
from sspexplorer.app.trust.residuals import ResidualsByLibrary
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.libraries.store import keep_library, remove_library
from sspexplorer.plots.embedding import sed_map
from sspexplorer.plots.style import ADDED_COLOURS, library_colour


@pytest.fixture(scope="module", autouse=True)
def mine() -> Iterator[SSPLibrary]:
    load_extensions()
    whole = load_library("emiles")
    some = whole.select(whole.metallicity > -0.5)
    texts = {"title": "My own", "left_out": ("77 SSPs that are poor in metals.",)}
    edge = {"provenance": {"continued_below": 3500.0}}
    yield keep_library(replace(some, name="mine", **texts, **edge))
    remove_library("mine")


def test_a_new_session_has_it_and_its_pages_follow():
    state = SharedState(libraries=["bc03", "mine"])
    assert state.library_choices == ["emiles", "bc03", "popstar", "mine"]
    assert library_colour("mine") in ADDED_COLOURS
    assert unknown_note("default", ["bc03"]) == ""
    assert unknown_note("default", state.libraries).startswith("My own is not in this model's")


def test_it_is_counted_with_what_was_left_out_and_what_stands_on_a_model(mine):
    page = Libraries(SharedState(libraries=["bc03", "mine"]))
    assert page.counts.loc["My own", "SSPs"] == len(mine)
    words = Onlooker(page).words
    assert "Left out of My own, whatever the ages: 77 SSPs that are poor in metals." in words
    assert "uJAVA" in words
    assert "the library's own spectra begin at 3500 Å" in words
    assert "Cite Vazdekis et al. (2016)" in words


def test_its_mocks_lie_on_the_map_in_its_colour(mine):
    mocks = cache.map_mocks(["mine"])
    rows = mocks.chosen(["mine"], (16.0, 22.0))
    assert len(rows) == len(mine) * 8 * 13
    region = Region.of(mocks, rows, np.empty((0, 2)), {"default": cache.model("default")})
    assert region.counts.index.tolist() == ["mine"]
    table = mocks.table.iloc[rows]
    names = [*LIBRARY_NAMES, "mine"]
    picture = sed_map(table, libraries=names)
    rgb = next(layer for layer in picture[()].traverse() if isinstance(layer, hv.RGB))
    there = rgb.dimension_values("A", flat=False) > 0
    red = rgb.dimension_values("R", flat=False)[there]
    assert set(red.astype(int)) == {int(library_colour("mine")[1:3], 16)}


def test_a_model_that_never_saw_it_says_so_instead_of_failing():
    page = ResidualsByLibrary(SharedState(libraries=["mine"]))
    assert Onlooker(page).pictures == []
    page = ResidualsByLibrary(SharedState(libraries=["bc03", "mine"]))
    assert {library for library, _ in page.residuals.parts} == {"bc03"}


def test_it_is_fitted_with_and_without_itself(mine):
    sample = cache.fit_sample(20, ["bc03", "mine"])
    assert (sample.labels["library"] == "mine").sum() == 20 * 13
    assert set(cache.fit_grid(["mine"]).library) == {*LIBRARY_NAMES, "mine"}
    assert "mine" not in cache.fit_grid().library


def test_a_visitor_finds_it_on_the_pages(page: Page, server: str, mine):
    page.goto(f"{server}?page=libraries")
    chip = page.locator("aside").get_by_label("My own")
    chip.check()
    expect(page).to_have_url(re.compile(r"libraries=[^&]*mine"))
    expect(page.locator("tr", has_text="My own").first).to_be_visible()
    expect(page.get_by_text("77 SSPs that are poor in metals.")).to_be_visible()
    page.get_by_text("Add a library").click()
    expect(page.get_by_text("sspexplorer libraries add cb19")).to_be_visible()
    page.goto(f"{server}?page=sed&libraries=bc03,mine&seds=mine,9.5,0")
    expect(page.get_by_label("Library", exact=True)).to_have_value(re.compile("My own|mine"))
    page.goto(f"{server}?page=histories&library=mine")
    expect(page.get_by_text(re.compile("SSPs of My own")).first).to_be_visible()
    page.goto(f"{server}?page=samples&libraries=mine")
    expect(page.get_by_text(f"mocks: {len(mine)} SSPs")).to_be_visible()
    page.goto(f"{server}?page=density&libraries=mine")
    expect(page.get_by_text("My own is not in this model's training")).to_be_visible()
    expect(page.get_by_text("the network was not trained on them")).to_be_visible()
