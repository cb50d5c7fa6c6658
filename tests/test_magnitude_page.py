import re

from pictures import Figure, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.plots.style import PARAMETER_COLOURS


def shown(figures: list[Figure], what: str) -> set:
    """Different values of a column of the points of σ_NMAD."""
    return set(figures[1].of_kind("Scatter")[0][what])


def test_metrics_against_magnitude_beside_those_of_others(page: Page, server: str):
    page.goto(f"{server}?page=magnitude")
    expect(page.get_by_role("heading", name="Against magnitude", level=1)).to_be_visible()
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(4)
    expect(page.get_by_text("Paper's recipe, n = 3,000").first).to_be_visible()
    expect(page.get_by_text("SED fit, n = 200").first).to_be_visible()
    tables = page.locator(".runs table:visible")
    expect(tables).to_have_count(3)
    brightest = tables.first.locator("tbody tr").first
    never_seen = brightest.inner_text()
    blue = PARAMETER_COLOURS["metallicity"]
    wait_for(page, lambda seen: blue in shown(seen, "colour"), "[M/H]")

    # What is compared, and which parameters.
    page.locator("label", has_text="SED fit").click()
    expect(page.get_by_text("SED fit, n = 200")).to_have_count(0)
    expect(page).to_have_url(re.compile("with=default%2Cpaper%2Cfull-size%2Cpublished"))
    page.locator("main").get_by_label("[M/H]").click()
    expect(tables).to_have_count(2)
    wait_for(page, lambda seen: blue not in shown(seen, "colour"), "Other parameters alone")

    page.get_by_role("button", name="R²").click()
    expect(tables.first.locator("th", has_text="R²").first).to_be_visible()
    expect(figures).to_have_count(4)

    # On SSPs that were seen under other noise, networks do a little better.
    page.get_by_label("Tested on").select_option("SSPs seen, other noise")
    expect(page.get_by_text("Default, n = 9,840").first).to_be_visible()
    assert brightest.inner_text() != never_seen

    with page.expect_download() as download:
        page.get_by_text("Download as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("run,parameter,magnitude,bias,sigma_nmad,outlier_fraction,pearson")
    assert len(lines) == 1 + 3 * 3 * 13
