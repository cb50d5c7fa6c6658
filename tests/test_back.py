"""The history of the browser: pages clicked through as fast as a hand, and back and forth."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from sspexplorer.app.pages import PAGES
from sspexplorer.app.state import QUERY

BY_HAND = 180  # ms between two clicks
SHARED = set(QUERY.values())
TITLES = {entry.key: entry.title for entry in PAGES}
GROUPS = {entry.key: entry.group.capitalize() for entry in PAGES}
OWN = {entry.key: set(entry.view.QUERY.values()) for entry in PAGES}
# Without a catalogue there is nothing to say of it.
UNSAID = {
    in_link
    for entry in PAGES
    for name, in_link in entry.view.QUERY.items()
    if entry.view.param[name].default in (None, "")
}
# Ten pages, most of which carry choices of their own in the address.
TOUR = (
    "libraries",
    "noise",
    "histories",
    "trust",
    "density",
    "magnitude",
    "degeneracies",
    "residuals",
    "catalogue",
    "samples",
)


def expect_page(page: Page, key: str) -> None:
    """The page is in sight, and the address is its own: all of its choices, none of another's."""
    expect(page.get_by_role("heading", name=TITLES[key], level=1)).to_be_visible()
    expect(page).to_have_url(re.compile(rf"page={key}(&|$)"))
    names = SHARED | OWN[key] - UNSAID
    inside = "".join(rf"(?=.*[?&]{name}=)" for name in names)
    others = "|".join({name for own in OWN.values() for name in own} - names - OWN[key])
    expect(page).to_have_url(re.compile(rf"^{inside}(?!.*[?&]({others})=)"))
    query = parse_qs(urlsplit(page.url).query)
    assert set(query) == names
    assert query["page"] == [key]
    # Nothing of the page that was left is shown in its place.
    expect(page.locator("html[data-going]")).to_have_count(0)


def click_through(page: Page, keys: tuple[str, ...]) -> None:
    group, sections = "", page.get_by_role("navigation", name="Sections")
    for key in keys:
        if GROUPS[key] != group:
            group = GROUPS[key]
            sections.get_by_role("link", name=group).click()
        link = page.locator(f"nav.pages a[data-page='{key}']")
        link.click()
        page.wait_for_timeout(BY_HAND)


def test_back_and_forward_go_through_all_pages_however_fast_they_were_clicked(
    page: Page, server: str
):
    page.goto(server)
    expect(page.locator("canvas").first).to_be_visible()
    expect(page).to_have_url(re.compile("seds="))
    # A click on a section leads to one of its pages: an entry of its own, where that is another.
    visited = ["sed"]
    click_through(page, TOUR)
    for key in TOUR:
        first = next(entry.key for entry in PAGES if GROUPS[entry.key] == GROUPS[key])
        if GROUPS[key] != GROUPS[visited[-1]] and first != key:
            visited.append(first)
        visited.append(key)
    expect_page(page, visited[-1])
    for key in reversed(visited[:-1]):
        page.go_back()
        expect_page(page, key)
    for key in visited[1:4]:
        page.go_forward()
        expect_page(page, key)


def test_back_as_fast_as_forth_ends_where_it_should(page: Page, server: str):
    page.goto(f"{server}?page=samples")
    expect_page(page, "samples")
    # The section leads to its first page, then come the three.
    click_through(page, TOUR[:3])
    for _ in range(3):
        page.go_back()
        page.wait_for_timeout(BY_HAND)
    expect_page(page, "sed")


def test_a_page_that_leads_to_another_is_an_entry_of_its_own(page: Page, server: str):
    page.goto(f"{server}?page=libraries&picked=popstar,8,0")
    expect_page(page, "libraries")
    page.get_by_role("button", name="Open in the SED explorer").click()
    expect_page(page, "sed")
    expect(page).to_have_url(re.compile("seds=popstar"))
    page.go_back()
    expect_page(page, "libraries")
    expect(page).to_have_url(re.compile("picked=popstar"))
