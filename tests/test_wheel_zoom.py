"""The mouse wheel over a picture of the app scrolls the page, or zooms once that is asked for."""

from pictures import figures, wait_for
from playwright.sync_api import Page, expect


def ranges(page: Page) -> list[list[float]]:
    """Both ranges of the first figure in sight."""
    first = figures(page)[0]
    return [first.x_range, first.y_range]


def test_the_wheel_scrolls_the_page_until_it_is_asked_to_zoom(page: Page, server: str):
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(f"{server}?page=noise")
    figure = page.locator(".bk-Figure").first
    expect(figure.locator("canvas").first).to_be_visible()
    home = wait_for(page, lambda seen: [seen[0].x_range, seen[0].y_range])

    figure.hover()
    page.mouse.wheel(0, 200)
    page.wait_for_function("window.scrollY > 0")
    assert ranges(page) == home

    page.evaluate("window.scrollTo(0, 0)")
    figure.hover()
    page.get_by_title("Wheel Zoom").first.click()
    figure.hover()
    page.mouse.wheel(0, -300)
    zoomed = wait_for(page, lambda seen: seen[0].x_range != home[0] and seen[0].x_range)
    assert home[0][0] < zoomed[0] < zoomed[1] < home[0][1]
    for _ in range(6):
        page.mouse.wheel(0, 600)
    wait_for(page, lambda seen: seen[0].x_range == home[0])

    page.mouse.wheel(0, -300)
    wait_for(page, lambda seen: seen[0].x_range != home[0])
    figure.dblclick()
    wait_for(page, lambda seen: [seen[0].x_range, seen[0].y_range] == home)
