import re

import pytest
from pictures import wait_for
from playwright.sync_api import Page, expect


def test_ssps_are_counted_picked_and_taken_to_the_explorer(page: Page, server: str):
    page.goto(f"{server}?page=libraries")
    total = page.locator("tr", has_text=re.compile("^All"))
    expect(total).to_contain_text("1,889")
    expect(page.get_by_text("PopStar, whatever the ages: nothing.")).to_be_visible()
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(4)
    picked = wait_for(page, lambda seen: seen[0].of_kind("Scatter")[-1]["x"])
    page.get_by_role("button", name="Whole files").click()
    expect(total).to_contain_text("2,300")
    expect(page).to_have_url(re.compile("ages=whole"))
    page.get_by_role("button", name="In range").click()
    expect(total).to_contain_text("1,889")
    # A click on the middle of a panel picks the SSP that is nearest.
    box = figures.first.bounding_box()
    page.mouse.click(box["x"] + 0.66 * box["width"], box["y"] + 0.6 * box["height"])
    expect(page).to_have_url(re.compile(r"picked=.*%3Bemiles%2C[\d.]+%2C-[\d.]+"))
    marks = wait_for(
        page,
        lambda seen: (found := seen[0].of_kind("Scatter")[-1]) and len(found["x"]) > 1 and found,
        "The mark of the SSP that was picked",
    )
    assert marks["x"][0] == picked[0]
    log_age, metallicity = re.search(r"%3Bemiles%2C([\d.]+)%2C(-[\d.]+)", page.url).groups()
    assert marks["x"][1] == pytest.approx(float(log_age), abs=0.01)
    assert marks["y"][1] == pytest.approx(float(metallicity), abs=0.01)
    page.locator("aside").get_by_label("BC03").click()
    expect(figures).to_have_count(3)
    expect(total).to_contain_text("706")
    page.get_by_role("button", name="Open in the SED explorer").click()
    expect(page.get_by_role("heading", name="SED explorer", level=1)).to_be_visible()
    expect(page.get_by_text(re.compile("^4 E-MILES"))).to_be_visible()
