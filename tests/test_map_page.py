"""The page "Map of SEDs": regions, colours and galaxies."""

import re

import numpy as np
import pandas as pd
import pytest
from pictures import Figure, again_until, drag, wait_for
from playwright.sync_api import Page, expect

from sspexplorer import flags
from sspexplorer.analysis.sed_map import MapGalaxies, MapMocks, Region, map_table
from sspexplorer.app import cache
from sspexplorer.app.explore.sed_map import SEDMap
from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.app.state import SharedState
from sspexplorer.catalogue import read_catalogue
from sspexplorer.models import load_model, predict_rows
from sspexplorer.plots.embedding import MAX_PICKED
from sspexplorer.resources import data_path


@pytest.fixture(scope="module")
def mocks() -> MapMocks:
    """Four mocks at the corners of a square, and two held out in its middle."""
    labels = pd.DataFrame(
        {
            "log_age": [8.0, 9.0, 9.5, 10.0, 8.5, 9.2],
            "metallicity": 0.0,
            "ebv": 0.1,
            "magnitude": [17.0, 18.0, 19.0, 20.0, 17.0, 18.0],
            "library": ["bc03", "bc03", "emiles", "popstar", "bc03", "emiles"],
            "split": ["train"] * 4 + ["test"] * 2,
        }
    )
    plane = np.array([(0, 0), (2, 0), (2, 2), (0, 2), (1, 1), (1.1, 1)], dtype=float)
    flux = np.random.default_rng(0).uniform(0.9, 1.1, (6, 57)).astype(np.float32)
    return MapMocks(map_table(labels, plane), flux)


def test_a_region_counts_what_is_in_it_and_predicts_only_what_was_held_out(mocks):
    rows = mocks.chosen(("bc03", "emiles"), (17.0, 17.5, 18.0, 18.5, 19.0))
    assert rows.tolist() == [0, 1, 2, 4, 5]
    outline = np.array([(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)])
    model = load_model("default")
    region = Region.of(mocks, rows, outline, {"default": model})
    assert region.counts.to_dict("index") == {
        "emiles": {"here": 2, "all": 2},
        "bc03": {"here": 1, "all": 3},
    }
    np.testing.assert_allclose(region.quantiles[1], np.median(mocks.flux[[2, 4, 5]], axis=0))
    np.testing.assert_array_equal(region.true[:, 0], [8.5, 9.2])
    np.testing.assert_array_equal(region.predicted["default"], model.predict(mocks.flux[[4, 5]]))
    assert region.library_table()["Part of the library"].tolist() == [1.0, 1 / 3]
    nowhere = Region.of(mocks, rows, outline + 10, {"default": model})
    assert nowhere.n == 0
    assert nowhere.score_table()["n"].sum() == 0


def test_galaxies_without_use_have_no_place_and_no_errors_are_told_apart():
    table = pd.read_csv(data_path("examples", "simulated_galaxies.csv")).head(3)
    bands = [name for name in table if re.match(r"(J\d|uJAVA|iSDSS)", name)]
    table.loc[1, bands] = np.nan
    table.loc[2, [name for name in bands if name.endswith("_err")]] = np.nan
    catalogue = read_catalogue(table.to_csv(index=False).encode(), "three.csv")
    placed = MapGalaxies.place(catalogue, load_model("default"))
    assert placed.placed.tolist() == [True, False, True]
    assert placed.judged(19.5)["compared"].tolist()[1:] == [19.5, 19.5]
    assert placed.judged(19.5)["compared"][0] == placed.judged(16.0)["compared"][0]
    assert np.isfinite(placed.judged(19.5)["nearer"].to_numpy()).tolist() == [True, False, True]


def test_the_map_and_the_catalogue_call_the_same_galaxies_unlike_the_training():
    table = pd.read_csv(data_path("examples", "simulated_galaxies.csv")).head(40)
    comb = [name for name in table if re.fullmatch(r"J0[56]\d0", name)][::2]
    table.loc[:9, comb] *= 1.8
    catalogue = read_catalogue(table.to_csv(index=False).encode(), "forty.csv")
    placed = MapGalaxies.place(catalogue, load_model("default"))
    found = predict_rows(
        placed.judge,
        catalogue.flux,
        catalogue.flux_err,
        catalogue.redshift,
        catalogue.redshift_err,
    ).table
    flagged = ["unlike-training" in flags.codes(flag) for flag in found["pred_flag"]]
    assert placed.unlike.tolist() == flagged
    assert 0 < placed.unlike.sum() < 20
    words = placed.judged(19.0)["verdict"].str.startswith("unlike")
    assert words.tolist() == flagged
    np.testing.assert_array_equal(placed.table["p_value"], found["pred_p_value"])


def test_marks_follow_table_and_clicks():
    load_extensions()
    page = SEDMap(SharedState(), galaxies="simulated")
    everywhere = page.region.n
    assert everywhere == len(cache.map_mocks().table)
    table = page.listed.table
    page.tapped(*table.loc[11, ["x", "y"]])
    assert page.listed.picked == [11]
    assert str(table.loc[11, "name"]) in page.listed.words.object
    page.listed._grid.selection = [11, 3, 4, 5, 6]
    assert page.listed.picked == [11, 3, 4, 5, 6]
    page.tapped(*table.loc[40, ["x", "y"]])
    assert page.listed.picked == [3, 4, 5, 6, 40]  # no more than there are colours for
    assert len(page.listed.picked) == MAX_PICKED
    x, y = table.loc[11, ["x", "y"]]
    page.boxed((x - 1, y - 1, x + 1, y + 1))
    assert 0 < page.region.n < everywhere
    inside = table["x"].between(x - 1, x + 1) & table["y"].between(y - 1, y + 1)
    assert len(page.listed._grid.value) == inside.sum()
    page.clear()
    assert page.listed.picked == []
    assert page.region.n == everywhere


def number(text: str) -> int:
    return int(re.match(r"\D*([\d,]+)", text)[1].replace(",", ""))


def coloured(figures: list[Figure]) -> np.ndarray:
    """Values of the cells of the map, where there are mocks."""
    (plane,) = (figure for figure in figures if figure.x_label.startswith("UMAP 1"))
    return plane.of_kind("Image")[0]["image"][0] if plane.layers[0].kind == "Image" else None


def test_regions_and_colours_in_a_browser(page: Page, server: str):
    page.goto(f"{server}?page=map")
    # The server places its mocks first, once.
    caption = page.get_by_text("Each of the 200 galaxies has a place")
    expect(caption).to_be_visible(timeout=180_000)
    region = page.get_by_text(re.compile("Predictions of .* from SSPs held out"))
    expect(region).to_contain_text("All")
    picture = page.locator(".bk-Figure").first
    expect(picture.locator("canvas").first).to_be_visible()

    around = [(0.5, 0.2), (0.8, 0.2), (0.9, 0.4), (0.7, 0.5), (0.5, 0.35)]
    again_until(
        lambda: drag(page, picture, around),
        lambda patience: expect(region).to_contain_text("mocks in the region", timeout=patience),
    )
    one = number(region.inner_text())
    expect(page.get_by_text(re.compile(r"of 200 galaxies are in the region"))).to_be_visible()
    drag(page, picture, [(0.6, 0.2), (0.95, 0.2), (0.95, 0.85), (0.6, 0.85)])
    expect(region).not_to_contain_text(f"{one:,} mocks in the region")

    page.get_by_label("Colour by").select_option(label="log age")
    expect(page.get_by_text("each cell shows the mean of its mocks")).to_be_visible()
    ages = wait_for(page, coloured, "Mean ages")
    assert 6 < np.nanmin(ages) < 7.5 < 9.5 < np.nanmax(ages) < 10.2
    expect(page).to_have_url(re.compile("colour=log_age"))

    page.get_by_role("button", name="Clear region and marks").click()
    expect(region).to_contain_text("All")
    page.get_by_label("Galaxies", exact=True).select_option(label="Three real galaxies")
    expect(page.get_by_text("3 galaxies on the map")).to_be_visible()
    # Not the middle of the row, where a handle between two columns may be.
    row = page.get_by_role("gridcell", name="NGC 3522", exact=True)
    words = page.get_by_text(re.compile(r"NGC 3522: [\d.]+.% from "))
    # A click on a table that is still being filled is seen by the browser alone: the next one takes
    # it back, and the one after that counts.
    again_until(
        row.click,
        lambda patience: expect(words).to_be_visible(timeout=patience),
    )

    page.get_by_text("How faithful the map is").click()
    expect(page.get_by_text("Trustworthiness", exact=True)).to_be_visible()
