"""Pages that compare: boxes around errors, residuals by library, networks of one library or all."""

import re

from playwright.sync_api import Page, expect


def _drag(page: Page, figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    box = figure.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=6)
    page.mouse.up()


def test_a_box_around_errors_is_followed_by_the_other_panels(page: Page, server: str):
    page.goto(f"{server}?page=degeneracies")
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(6)
    expect(page.get_by_text("mocks of SSPs").first).to_be_visible()
    clear = page.get_by_role("button", name=re.compile("selection", re.IGNORECASE))
    expect(clear).to_be_disabled()
    page.wait_for_timeout(2000)
    before = figures.nth(1).screenshot()
    _drag(page, figures.nth(0), (0.5, 0.5), (0.75, 0.75))
    expect(clear).to_be_enabled()
    for _ in range(100):
        if figures.nth(1).screenshot() != before:
            break
        page.wait_for_timeout(200)
    else:
        raise AssertionError("The second panel has not followed the first.")
    clear.click()
    expect(clear).to_be_disabled()


def test_residuals_follow_their_choices(page: Page, server: str):
    page.goto(f"{server}?page=residuals")
    figures = page.locator(".bk-events:visible")
    expect(figures.first).to_be_visible()
    page.wait_for_timeout(2000)
    before = figures.first.screenshot()
    page.locator("main select:visible").first.select_option(label="i < 17.0")
    expect(page).to_have_url(re.compile("limit=17"))
    for _ in range(100):
        if figures.first.screenshot() != before:
            return
        page.wait_for_timeout(200)
    raise AssertionError("The picture has not followed.")


def test_a_click_on_a_cell_shows_what_is_behind_it(page: Page, server: str):
    page.goto(f"{server}?page=one-library")
    figures = page.locator(".bk-events:visible")
    expect(figures.first).to_be_visible()
    page.wait_for_timeout(2500)
    box = figures.nth(0).bounding_box()
    page.mouse.click(box["x"] + 0.85 * box["width"], box["y"] + 0.3 * box["height"])
    expect(page).to_have_url(re.compile("trained=|tested="))
