"""Galaxies of "Your catalogue" on the sky, and its table by keyboard."""

import asyncio

import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from accessibility import expect_accessible
from astropy.wcs import WCS
from onlooker import Onlooker
from pictures import again_until, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.analysis.catalogue import ALL, SELECTED
from sspexplorer.analysis.regions import corners_of
from sspexplorer.analysis.sky import SKY
from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.apply.result import CatalogueResult
from sspexplorer.app.apply.words import position_html
from sspexplorer.app.choices import NETWORK
from sspexplorer.plots import catalogue as plots
from sspexplorer.resources import data_path

# Degrees on the screen for each pixel, across and up, of the first figure that keeps its shape.
_SCALES = """() => {
  const all = (view) => [view, ...[...(view.children?.() ?? [])].flatMap(all)];
  const views = Object.values(Bokeh.index.roots).flatMap(all);
  const { model } = views.find((view) => view.model.tags?.includes("keeps-shape"));
  return [[model.x_range, model.inner_width], [model.y_range, model.inner_height]].map(
    ([range, pixels]) => Math.abs(range.end - range.start) / pixels);
}"""


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Twenty-four galaxies in a field, the last without a position."""
    rows = pd.read_csv(data_path("examples", "simulated_galaxies.csv")).dropna().head(24)
    k = np.arange(24.0)
    places = pd.DataFrame({"RA": 359.8 + 0.02 * k, "DEC": 60 + 0.1 * np.sin(k)}, index=rows.index)
    places["RA"] %= 360
    places.iloc[-1] = np.nan
    return pd.concat([rows, places], axis=1)


@pytest.fixture(scope="module")
def view(table: pd.DataFrame) -> YourCatalogue:
    hv.extension("bokeh")
    view = YourCatalogue(by=NETWORK)

    async def open_it() -> None:
        await view.open(table.to_csv(index=False), "field.csv")
        await view.predict()

    asyncio.run(open_it())
    return view


def test_galaxies_are_selected_and_found_on_the_sky(view, table, monkeypatch):
    result = view.result
    result.across = SKY
    assert "Positions of RA and DEC: a field" in Onlooker(result).words
    assert "Not drawn, without a position: 1." in Onlooker(result).words
    drawn = result.picture[()]
    points = next(layer for layer in drawn if isinstance(layer, hv.Points)).data
    assert len(points) == 23
    middle = result.answers.sky.projection
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---ZEA", "DEC--ZEA"], [middle.ra, middle.dec]
    wcs.wcs.crpix, wcs.wcs.cdelt = [1, 1], [-1, 1]
    x, y = wcs.wcs_world2pix(table["RA"][:-1], table["DEC"][:-1], 0)
    assert points["sky_x"].to_numpy() == pytest.approx(x, abs=1e-9)
    assert points["sky_y"].to_numpy() == pytest.approx(y, abs=1e-9)
    west = np.flatnonzero(x > 0)
    result.select(corners_of((0.0, -9.0, 9.0, 9.0)))
    assert (result.group, result.rows.tolist()) == (SELECTED, west.tolist())
    result.map.tap.event(x=x[20] + 0.001, y=y[20])
    assert result.row == 20
    ra, dec = table.iloc[20][["RA", "DEC"]]
    assert f"RA {ra:.5f}°, Dec {dec:+.5f}°" in Onlooker(result).words
    result.group = ALL
    # Many are a density, and a galaxy without a position is no trouble.
    monkeypatch.setattr(plots, "MAX_POINTS", 10)
    result.row = 23
    result._redraw_map()
    assert any(isinstance(layer, hv.Image) for layer in result.picture[()])
    assert "Aladin Lite" not in Onlooker(result).words
    result.across = "log_age"


def test_a_position_is_told_to_another_page_only_by_a_click():
    words = position_html(150.119166, -2.205833)
    assert "RA 150.11917°, Dec −2.20583°. <a href=" in words
    assert 'target=150.119166+-2.205833&amp;fov=0.03" target="_blank" rel="noopener' in words


def test_the_sky_begins_with_the_zoom_of_a_link(view):
    result = view.result
    result.across = SKY
    x0, y0, x1, y1 = result.answers.sky.view
    part = (x0 + 0.25 * (x1 - x0), x0 + 0.5 * (x1 - x0)), (y0, y0 + 0.5 * (y1 - y0))
    again = CatalogueResult(result.answers, view.state, across=SKY, zoom=part)
    figure = hv.render(again.picture)
    for axis, ends, home in zip(
        (figure.x_range, figure.y_range), part, ((x0, x1), (y0, y1)), strict=True
    ):
        assert (axis.start, axis.end) == pytest.approx(ends)
        assert (axis.reset_start, axis.reset_end) == pytest.approx(home)
    assert again.zoom == part
    again.up = "ebv"
    assert again.zoom is None


def test_without_positions_there_is_no_sky(view):
    assert SKY not in view.result.answers.axes
    assert view.result.param.across.objects[-1] == SKY
    other = pd.read_csv(data_path("examples", "real_galaxies.csv"))
    assert not {"ra", "dec"} <= {name.lower() for name in other}


def test_the_sky_keeps_its_shape_and_the_table_is_walked_by_keys(
    page: Page, server: str, table: pd.DataFrame, tmp_path
):
    table.to_csv(tmp_path / "field.csv", index=False)
    page.goto(f"{server}?page=catalogue&by=network")
    page.locator("input[name=filepond]").first.set_input_files(tmp_path / "field.csv")
    page.get_by_role("button", name="Predict", exact=True).click()
    across = page.get_by_label("Across", exact=True)
    expect(across).to_be_visible()
    across.select_option("Position on the sky")
    expect(page.get_by_label("Up", exact=True)).to_be_disabled()
    figure = wait_for(
        page,
        lambda seen: next(
            (f for f in seen if any("ra" in p.columns for p in f.of_kind("Scatter"))), None
        ),
    )
    points = next(p for p in figure.of_kind("Scatter") if "ra" in p.columns)
    assert np.sort(points["dec"]) == pytest.approx(np.sort(table["DEC"].to_numpy()[:-1]))
    assert {"+60.00°"} <= {t for p in figure.of_kind("Text") for t in p["text"]}
    scales = page.evaluate(_SCALES)
    assert scales[0] == pytest.approx(scales[1], rel=1e-6)

    # A zoom keeps the shape as well, and stays when another galaxy is chosen.
    sky = page.locator(".bk-Figure:visible").first
    sky.hover()
    sky.get_by_title("Wheel Zoom").click()
    sky.hover()
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"() => ({_SCALES})()[0] < {0.95 * scales[0]}")
    zoomed = page.evaluate(_SCALES)

    table_holder = page.locator(".tabulator-tableholder").first

    def choose_third() -> None:
        table_holder.focus()
        for key in ("Home", "ArrowDown", "ArrowDown", "Enter"):
            page.keyboard.press(key)

    third = page.get_by_role("heading", name="row 3")
    again_until(choose_third, lambda patience: expect(third).to_be_visible(timeout=patience))
    # Rows are drawn anew, and the keys go on where they were.
    expect(table_holder).to_be_focused()
    page.keyboard.press("PageDown")
    expect(page.get_by_role("gridcell", name=str(table["id"].iloc[10]))).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="row 11")).to_be_visible()
    assert page.evaluate(_SCALES) == pytest.approx([zoomed[0], zoomed[0]], rel=1e-6)
    expect_accessible(page)
