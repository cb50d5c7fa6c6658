"""The app as a visitor meets it: a real server, a real browser, every page.

Every test fails on an error in the browser's console, and on any request to another host.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from accessibility import expect_accessible, unfold
from pictures import Figure, again_until, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.app.pages import PAGES
from sspexplorer.bands import BAND_NAMES
from sspexplorer.mocks import make_mocks

# What a page opens with: a picture, or what to do first.
FIRST_SIGHT = "canvas:visible, textarea:visible, input[type=file]:visible, .empty:visible"


def opened(page: Page, url: str) -> Page:
    """The page, once its first picture is there."""
    page.goto(url)
    expect(page.locator("canvas").first).to_be_visible()
    return page


# Sliders from top to bottom, the sidebar's first.
SLIDERS = ("magnitude", "age", "metallicity", "ebv", "redshift")


def nudge(page: Page, name: str, times: int = 5) -> None:
    """Move a slider of the SED explorer to the right, by keyboard."""
    page.get_by_role("slider").nth(SLIDERS.index(name)).focus()
    for _ in range(times):
        page.keyboard.press("ArrowRight")


def noise_of(figures: list[Figure]) -> float:
    """Median relative error of the bands that the first figure shows."""
    (bands,) = figures[0].of_kind("Scatter")
    return float(np.median(bands["flux_err"] / bands["noise_free"]))


def no_overflow(page: Page) -> None:
    """Nothing is wider than the window, and no area scrolls inside another."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def no_overflow_on_a_phone(page: Page) -> None:
    """On a phone, neither; the window is as large as before then."""
    size = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})
    no_overflow(page)
    page.set_viewport_size(size)


def test_a_visitor_moves_everything_on_the_explorer(page: Page, server: str):
    opened(page, server)
    answers = page.get_by_text("→").first
    expect(answers).to_be_visible()
    before, noise = answers.inner_text(), wait_for(page, noise_of)
    nudge(page, "magnitude", times=10)
    expect(page.get_by_text("21.0").first).to_be_visible()
    expect(answers).not_to_have_text(before)
    wait_for(page, lambda seen: noise_of(seen) > 1.3 * noise, "More noise")
    expect(page).to_have_url(re.compile(r"i=21"))

    page.get_by_role("button", name="Joint posterior").click()
    expect(page.get_by_text("exact, one population")).to_be_visible()
    expect(page.get_by_text("What the colours of SED 1 leave open")).to_be_visible()
    panels = page.locator(".bk-Figure:visible")
    expect(panels).to_have_count(7)
    assert all(panel.bounding_box()["width"] > 150 for panel in panels.all())
    page.get_by_role("button", name="2", exact=True).click()
    expect(page.get_by_text("What the colours of SED 2 leave open")).to_be_visible()
    expect(page).to_have_url(re.compile("joint=true"))
    page.get_by_role("button", name="Joint posterior").click()
    expect(panels).to_have_count(1)

    nudge(page, "ebv", times=20)
    expect(page.get_by_text("E(B−V) 0.20").first).to_be_visible()
    page.get_by_role("button", name="New noise").click()
    page.get_by_role("button", name="+", exact=True).click()
    expect(page.get_by_text(re.compile("^4 ")).first).to_be_visible()

    wait_for(page, lambda seen: seen[0].background == "#FFFFFF", "A white figure")
    page.get_by_role("button", name=re.compile("Light or dark")).click()
    dark = wait_for(page, lambda seen: seen[0].background != "#FFFFFF" and seen[0].background)
    assert max(bytes.fromhex(dark.removeprefix("#"))) < 60
    # So are a plot that comes now, on another page, and those of who comes back.
    page.get_by_role("link", name="Noise", exact=True).click()
    wait_for(page, lambda seen: len(seen) == 2 and {f.background for f in seen} == {dark})
    page.reload()
    wait_for(page, lambda seen: len(seen) == 2 and {f.background for f in seen} == {dark})
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(v) for v in re.findall(r"\d+", background)[:3]) < 60


def test_every_page_opens_from_the_header_and_fits_the_window(page: Page, server: str):
    page.set_viewport_size({"width": 1024, "height": 768})
    opened(page, server)
    titles = []
    for group in page.get_by_role("navigation", name="Sections").get_by_role("link").all():
        group.click()
        for link in page.get_by_role("navigation", name="Pages").get_by_role("link").all():
            titles.append(link.inner_text())
            link.click()
            expect(page.get_by_role("heading", name=titles[-1], level=1)).to_be_visible()
            expect(page.locator("main .root").locator(FIRST_SIGHT).first).to_be_visible()
            expect(page.locator(".problem:visible")).to_have_count(0)
            no_overflow(page)
            expect_accessible(page)
            no_overflow_on_a_phone(page)
    assert titles == [entry.title for entry in PAGES]
    # The first pages were let go of meanwhile.
    page.get_by_role("navigation", name="Sections").get_by_role("link").first.click()
    wait_for(page, lambda seen: any(len(f.layers) > 1 for f in seen))
    page.go_back()
    expect(page.get_by_role("heading", name=titles[-1], level=1)).to_be_visible()
    page.set_viewport_size({"width": 1440, "height": 900})
    no_overflow(page)


def test_results_are_for_every_body_in_the_dark_too(page: Page, server: str):
    page.emulate_media(color_scheme="dark")
    documents: list[str] = []
    page.on("request", lambda seen: seen.is_navigation_request() and documents.append(seen.url))
    opened(page, f"{server}?page=map")
    # The server is told before it draws anything, so that no plot is white at first; told once.
    assert len(documents) == 2
    assert "ssp_system=dark" in page.evaluate("() => document.cookie")
    expect_accessible(page)
    page.goto(f"{server}?page=catalogue")
    assert len(documents) == 3
    page.get_by_role("button", name="Example: simulated galaxies").click()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text("What the flags mean")).to_be_visible()
    unfold(page)
    expect(page.get_by_role("slider", name="Error floor")).to_be_visible()
    expect_accessible(page)
    no_overflow_on_a_phone(page)
    page.goto(f"{server}?page=sed")
    age = page.get_by_role("slider", name="Age", exact=True)
    expect(age).to_have_attribute("aria-valuetext", "10 Gyr")


def test_a_link_shares_the_view_and_a_mistyped_one_does_no_harm(page: Page, server: str):
    opened(page, f"{server}?page=density&i=18.5&libraries=popstar")
    expect(page.get_by_role("heading", name="Predicted vs true", level=1)).to_be_visible()
    expect(page.locator("aside").get_by_label("PopStar")).to_be_checked()
    expect(page.locator("aside").get_by_label("BC03")).not_to_be_checked()
    opened(page, f"{server}?page=nowhere&i=99&libraries=cb19&model=best")
    expect(page.get_by_role("heading", name="SED explorer", level=1)).to_be_visible()


def test_every_mock_is_drawn_for_the_chosen_magnitudes(page: Page, server: str):
    opened(page, f"{server}?page=density&i=17.0")
    caption = page.get_by_text(re.compile(r"mocks of \d+ SSPs that the networks never saw"))
    expect(caption).to_contain_text("39,000")
    page.get_by_role("button", name="At", exact=True).click()
    expect(caption).to_contain_text("3,000")
    page.locator("aside").get_by_label("BC03").click()
    expect(caption).not_to_contain_text("3,000")


def test_an_uploaded_catalogue_is_understood_predicted_and_downloaded(
    page: Page, server: str, tmp_path: Path
):
    mocks = make_mocks(["emiles"], magnitudes=[16.0], ebv_grid=[0.0])
    table = pd.DataFrame(mocks.flux, columns=[f"FLUX_AUTO_{name}" for name in BAND_NAMES])
    table.insert(0, "NUMBER", [f"{row:03d}" for row in range(len(table))])
    table.insert(1, "redshift", 0.0)
    table.drop(columns="FLUX_AUTO_J0500").to_csv(tmp_path / "mine.csv", index=False)

    page.goto(f"{server}?page=catalogue")
    page.locator("input[name=filepond]").set_input_files(tmp_path / "mine.csv")
    expect(page.get_by_text("56 of the 57 bands")).to_be_visible()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text(re.compile(rf"All {len(table)} rows were predicted"))).to_be_visible()

    first = page.locator(".tabulator-row").first
    shown = float(first.locator("[tabulator-field='log_age']").inner_text())
    assert abs(shown - mocks.labels["log_age"][0]) < 0.6
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    result = pd.read_csv(download.value.path(), dtype={"NUMBER": str})
    assert result["NUMBER"].tolist() == table["NUMBER"].tolist()
    assert result["pred_n_bands"].eq(56).all()
    assert abs(result["pred_log_age"] - mocks.labels["log_age"]).median() < 0.2


def test_the_examples_are_one_click_away(page: Page, server: str):
    for example in ("simulated galaxies", "three real galaxies"):
        page.goto(f"{server}?page=catalogue")
        page.get_by_role("button", name=f"Example: {example}").click()
        page.get_by_role("button", name="Predict", exact=True).click()
        expect(page.locator(".tabulator-row").first).to_be_visible()
        no_overflow(page)


def test_a_file_that_cannot_be_read_gets_a_sentence_and_the_page_stays(
    page: Page, server: str, tmp_path: Path
):
    (tmp_path / "page.fits").write_text("<!DOCTYPE html><html>not found</html>")
    page.goto(f"{server}?page=catalogue")
    page.locator("input[name=filepond]").set_input_files(tmp_path / "page.fits")
    expect(page.locator(".problem")).to_contain_text("page.fits is a web page")
    page.get_by_role("button", name="Example: three real galaxies").click()
    # The empty page, too, speaks of 57 bands, but has found none.
    expect(page.get_by_text(re.compile(r"\d+ of the 57 bands found"))).to_be_visible()
    expect(page.locator(".problem:visible")).to_have_count(0)


def test_every_figure_is_saved_as_picture_and_numbers(page: Page, server: str):
    opened(page, server)
    menu = page.get_by_role("menu")
    for kind, start in {"PNG": b"\x89PNG", "SVG": b"<svg", "CSV": b""}.items():
        page.locator(".bk-events").first.hover()
        # Two clicks within a moment are a double click to the toolbar, which has none.
        again_until(
            lambda: page.get_by_title("Save picture or numbers").first.click(),
            lambda ms: expect(menu).to_be_visible(timeout=min(ms, 2_000)),
        )
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=kind).click()
        assert download.value.suggested_filename == f"sed-f-median-f.{kind.lower()}"
        assert Path(download.value.path()).read_bytes().startswith(start)
        expect(menu).to_have_count(0)
    table = pd.read_csv(download.value.path())
    points = table[table["band"].notna()]
    assert sorted(points["band"]) == sorted([*BAND_NAMES] * 3)
    assert points["flux_err"].gt(0).all()
