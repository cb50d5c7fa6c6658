"""Pages that compare: boxes around errors, residuals by library, networks of one library or all."""

import re

import numpy as np
from pictures import Figure, again_until, wait_for
from playwright.sync_api import Page, expect


def _drag(page: Page, figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = figure.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=6)
    page.mouse.up()


def _selected(figures: list[Figure]) -> np.ndarray:
    """Errors in log age where the second panel shows mocks in colour, not in grey."""
    x, _ = figures[1].of_kind("Image")[-1].painted()
    return x


def test_a_box_around_errors_is_followed_by_the_other_panels(page: Page, server: str):
    page.goto(f"{server}?page=degeneracies")
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(6)
    expect(page.get_by_text("mocks of SSPs").first).to_be_visible()
    clear = page.get_by_role("button", name=re.compile("selection", re.IGNORECASE))
    expect(clear).to_be_disabled()
    wait_for(page, lambda seen: _selected(seen).min() < -0.5, "Every mock")
    _drag(page, figures.nth(0), (0.55, 0.5), (0.8, 0.75))
    expect(clear).to_be_enabled()
    # A box of networks that are too old by some: the other panels show these, and no other.
    wait_for(page, lambda seen: _selected(seen).min() > 0, "Only what is in the box")
    clear.click()
    expect(clear).to_be_disabled()
    wait_for(page, lambda seen: _selected(seen).min() < -0.5, "Every mock again")


def test_residuals_follow_their_choices(page: Page, server: str):
    page.goto(f"{server}?page=residuals")
    figures = page.locator(".bk-events:visible")
    expect(figures.first).to_be_visible()

    def mocks(seen: list[Figure]) -> int:
        return int(seen[0].of_kind("Scatter")[0]["n"].sum())

    seven = wait_for(page, lambda seen: mocks(seen) or None, "Mocks of seven magnitudes")
    limit = page.locator("main select:visible").filter(has_text="i < 18.0")
    limit.select_option(label="i < 18.0")
    expect(page).to_have_url(re.compile("limit=18"))
    four = wait_for(page, lambda seen: 0 < mocks(seen) < seven and mocks(seen), "Fewer mocks")
    limit.select_option(label="i < 17.0")
    expect(page).to_have_url(re.compile("limit=17"))
    # i = 16.0 and 16.5 are left of 16.0, 16.5, 17.0 and 17.5, of as many mocks each.
    wait_for(page, lambda seen: mocks(seen) == four / 2, "Half as many mocks")


def test_a_click_on_a_cell_shows_what_is_behind_it(page: Page, server: str):
    page.goto(f"{server}?page=one-library")
    figures = page.locator(".bk-events:visible")
    expect(figures.first).to_be_visible()
    wait_for(page, lambda seen: len(seen[0].of_kind("Quad")[0]["left"]) == 15, "Five rows of three")
    box = figures.nth(0).bounding_box()
    again_until(
        lambda: page.mouse.click(box["x"] + 0.85 * box["width"], box["y"] + 0.3 * box["height"]),
        lambda patience: expect(page).to_have_url(re.compile("tested=popstar"), timeout=patience),
    )
    # The frame is around the last column: PopStar.
    wait_for(page, lambda seen: np.nanmin(seen[0].of_kind("Line")[0]["x"]) > 1.5, "A frame")
