"""Selections of "Your catalogue" that are named: kept, shown again, compared, written."""

import asyncio
import io

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from accessibility import expect_accessible
from onlooker import Onlooker
from pictures import again_until, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.analysis.catalogue import ALL, SELECTED
from sspexplorer.analysis.regions import corners_of
from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.apply.kept import key_of
from sspexplorer.app.apply.linked import EXAMPLES
from sspexplorer.app.choices import NETWORK
from sspexplorer.plots import catalogue as plots
from sspexplorer.resources import data_path

SIMULATED = next(iter(EXAMPLES.values()))


@pytest.fixture(scope="module")
def opened() -> YourCatalogue:
    hv.extension("bokeh")
    view = YourCatalogue(by=NETWORK)

    async def open_it() -> None:
        await view.open(data_path("examples", SIMULATED), SIMULATED)
        await view.predict()

    asyncio.run(open_it())
    return view


@pytest.fixture
def view(opened: YourCatalogue) -> YourCatalogue:
    """The page with nothing kept, and all listed."""
    opened._selections = None
    opened._show_result(opened.result.answers)
    opened.result.group = ALL
    return opened


def keep(view: YourCatalogue, name: str, log_age: tuple[float, float]) -> np.ndarray:
    """Draw a box around ages, and keep what is inside."""
    result = view.result
    result.group = ALL
    table = result.answers.table
    low, high = table["metallicity"].min() - 1, table["metallicity"].max() + 1
    result.select(corners_of((log_age[0], low, log_age[1], high)))
    assert result.group == SELECTED
    result.selections.name_it.value_input = name
    result.selections.keep.clicks += 1
    return table["log_age"].between(*log_age).to_numpy()


def test_what_is_listed_gets_a_name_and_is_shown_again(view):
    words = Onlooker(view.result.selections)
    assert "Draw around galaxies" in words.words
    young = keep(view, "young", (6.0, 9.0))
    result = view.result
    assert (result.group, SELECTED in result.strip.options.values()) == (key_of("young"), False)
    assert f"“young” {young.sum()}" in result.strip.options
    assert (result.picture[()].get(0)["alpha"] > 0.5).sum() == young.sum()
    result.group = ALL
    assert (result.picture[()].get(0)["alpha"] > 0.5).all()
    result.group = key_of("young")
    assert result.rows.tolist() == np.flatnonzero(young).tolist()
    # It stays when the same rows are predicted again, and goes with the catalogue.
    view._show_result(result.answers)
    assert view.result.group == key_of("young")
    selections = view.result.selections
    selections.name_it.value_input = "under 1 Gyr"
    selections.rename.clicks += 1
    assert (list(selections.kept.rows), view.result.group) == (
        ["under 1 Gyr"],
        key_of("under 1 Gyr"),
    )


def test_a_name_twice_is_refused_and_what_is_removed_comes_back(view):
    young = keep(view, "young", (6.0, 9.0))
    keep(view, "Young", (9.5, 10.0))
    selections = view.result.selections
    assert "“Young” already" in Onlooker(selections).words
    view.result.group = key_of("young")
    selections.remove.clicks += 1
    assert (view.result.group, list(selections.kept.rows)) == (ALL, [])
    assert "“young” is removed" in Onlooker(selections).words
    selections.undo.clicks += 1
    assert view.result.group == key_of("young")
    assert (selections.kept.rows["young"] == young).all()


def test_two_are_compared_in_colours_and_numbers(view, monkeypatch):
    first, second = keep(view, "young", (6.0, 9.0)), keep(view, "middle", (8.5, 9.5))
    result = view.result
    result.selections.first.value = key_of("young")
    assert result.group == ALL
    result.selections.second.value = key_of("middle")
    drawn = result.picture[()].get(0).data.sort_index()
    assert (drawn["part_index"] == first + 2 * second).all()
    words = Onlooker(result).words
    both = int((first & second).sum())
    for title, rows in (("young", first), ("middle", second), ("the rest", ~(first | second))):
        assert f"{title} {rows.sum()}" in words
    assert f"in both {both}" in words
    age = result.answers.table["log_age"].to_numpy()
    assert f"{np.median(age[first]):.2f}" in words
    # It is still so after another prediction of the same rows, and ends when nothing is chosen.
    view._show_result(result.answers)
    assert view.result.selections.compared.second == "middle"
    monkeypatch.setattr(plots, "MAX_POINTS", 10)
    view.result._redraw_map()
    assert isinstance(view.result.picture[()].get(0), hv.RGB)
    monkeypatch.undo()
    view.result.selections.first.value = ""
    assert "the rest" not in Onlooker(view.result).words


def test_a_selection_is_a_file_and_its_name_a_column(view):
    young, middle = keep(view, "young", (6.0, 9.0)), keep(view, "up to 3 Gyr", (8.5, 9.5))
    output = view.output
    output.rows.value = key_of("up to 3 Gyr")
    output.names.value = output.names.options
    assert output.download.filename == "simulated_galaxies_predictions_up_to_3_Gyr.csv"
    file = io.BytesIO()
    output.write(file)
    found = pd.read_csv(io.BytesIO(file.getvalue()))
    assert len(found) == middle.sum()
    assert (found["selection"] == "young;up to 3 Gyr").sum() == (young & middle).sum()
    view.result.group = key_of("up to 3 Gyr")
    view.result.selections.remove.clicks += 1
    assert output.rows.value is False


def test_a_selection_is_kept_and_compared_by_keyboard(page: Page, server: str):
    page.goto(f"{server}?page=catalogue&by=network&file={SIMULATED}")
    flagged = page.get_by_role("button", name="Predicted with a flag")
    name, keep_it = page.get_by_label("Name", exact=True), page.get_by_text("Keep these")
    again_until(flagged.click, lambda patience: expect(keep_it).to_be_visible(timeout=patience))
    name.fill("doubtful")
    name.press("Enter")
    compare = page.get_by_label("Compare", exact=True)
    expect(compare).to_be_visible()
    compare.focus()
    compare.press("ArrowDown")
    expect(page.get_by_role("columnheader", name="the rest")).to_be_visible()
    parts = wait_for(
        page,
        lambda seen: next(
            (p for f in seen for p in f.of_kind("Scatter") if "part" in p.columns), None
        ),
    )
    assert set(parts["part_index"]) == {0, 1}
    expect_accessible(page)
