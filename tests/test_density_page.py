import re

from pictures import wait_for
from playwright.sync_api import Page, expect


def test_one_parameter_at_four_magnitudes_beside_both_recipes(page: Page, server: str):
    page.goto(f"{server}?page=density")
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(3)
    row = page.locator("tr:visible", has_text="older than 9.5")
    expect(row).to_have_count(1)
    recipe = page.locator("tr:visible", has_text="Paper's recipe")
    expect(recipe).to_have_count(3)
    # The other recipe is measured after the picture is there.
    expect(recipe.first).to_contain_text("39,000")

    page.get_by_role("button", name="Magnitudes").click()
    expect(figures).to_have_count(5)
    expect(page.locator("tr:visible", has_text="i = 18.0")).to_contain_text("3,000")
    expect(page).to_have_url(re.compile("layout=magnitudes"))
    page.locator("main").get_by_role("button", name="E(B−V)").click()
    expect(page.get_by_text(re.compile("NMAD of E.B−V. is"))).to_be_visible()
    expect(figures).to_have_count(5)
    wait_for(page, lambda seen: all(f.x_label == "True E(B−V) [mag]" for f in seen), "E(B−V)")

    # Panels of one parameter have one view: dragging a box in one zooms the others.
    whole = wait_for(page, lambda seen: seen[2].x_range)
    box = figures.nth(1).bounding_box()
    page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.45 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 0.7 * box["height"], steps=5)
    page.mouse.up()
    wait_for(
        page,
        lambda seen: seen[2].x_range == seen[1].x_range and seen[2].x_range[0] > whole[0] + 0.1,
        "The part that was dragged",
    )
