"""The welcome, the guides, the glossary in reach, the tour and the keys."""

import re

from playwright.sync_api import Browser, expect

import sspexplorer
from sspexplorer.app.frame.guide import DOORS, GUIDES, SHORTCUTS, TOUR, WORKSHOP
from sspexplorer.app.frame.help import guides_html, help_html, welcome_html
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.terms import glossed
from sspexplorer.app.pages import PAGES
from sspexplorer.glossary import GLOSSARY
from sspexplorer.labels import model_title
from sspexplorer.shipped import shipped_names


def test_every_page_has_a_guide_with_terms_and_its_place_in_the_paper():
    keys = [entry.key for entry in PAGES]
    assert sorted(GUIDES) == sorted(keys)
    for guide in GUIDES.values():
        assert set(guide.terms) <= GLOSSARY.keys()
        assert re.fullmatch(r"|(Figs?|Sect)\. .*", guide.figure)
    html = guides_html("density")
    assert html.count("<details") == len(keys)
    assert len(re.findall(r'data-page="(?!density")[\w-]+" hidden', html)) == len(keys) - 1
    assert {door.page for door in DOORS if door.page} <= set(keys)
    assert {chapter.page for chapter in WORKSHOP} <= set(keys)


def test_a_term_opens_its_entry_once_in_each_text():
    text = "σ NMAD of 3 mocks of SSPs < 4 mocks; TARP, and bands set aside"
    html = glossed(text)
    entries = re.findall(r'data-term="([^"]+)"', html)
    assert entries == ["Scatter (σ_NMAD)", "Mock", "SSP", "TARP", "Set aside"]
    assert "&lt; 4 mocks;" in html
    assert re.sub(r"</?button[^>]*>", "", html).replace("&lt;", "<") == text
    assert glossed("<i>") == "&lt;i&gt;"
    assert glossed("MSSPs, SSP-like") == "MSSPs, SSP-like"
    # A name that a line would end in, and a minus.
    assert glossed("E-MILES -0.4") == '<span class="whole">E-MILES</span> −0.4'
    assert 'data-term="Mock"' in parts.caption("39,000 mocks").object


def test_the_help_has_all_words_keys_models_and_what_to_cite():
    html = help_html()
    assert html.count("<dt data-term=") == len(GLOSSARY)
    assert html.count("<kbd>") == len(SHORTCUTS)
    assert all(f"<dt>{model_title(name)}</dt>" in html for name in shipped_names())
    assert f"SSP Explorer {sspexplorer.__version__}" in html
    assert "@article{" in html
    assert f"version = {{{sspexplorer.__version__}}}" in html
    assert len(TOUR) == 5
    assert welcome_html().count("<b>") == len(DOORS) == 3


def test_a_first_visitor_is_welcomed_helped_and_shown_around(browser: Browser, server: str):
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.set_default_timeout(180_000)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto(f"{server}?page=trust")
    expect(page.locator("main .root canvas").first).to_be_visible()
    welcome, help_dialog = page.get_by_label("Welcome", exact=True), page.locator("dialog.help")
    expect(welcome).to_contain_text("the 57 colours of J-PAS")
    welcome.get_by_role("link", name="Learn").click()
    expect(help_dialog.get_by_role("link", name="Degeneracies")).to_be_visible()
    expect(welcome).to_be_hidden()
    page.keyboard.press("Escape")
    expect(help_dialog).to_be_hidden()

    # A term in a caption, which is in a tree of its own.
    page.locator('.caption button[data-term="TARP"]').focus()
    page.keyboard.press("Enter")
    entry = help_dialog.locator('dt[data-term="TARP"]')
    expect(entry).to_be_focused()
    expect(entry).to_be_in_viewport()
    page.keyboard.press("Escape")

    page.keyboard.press("i")
    expect(page.get_by_text("of its 68 % intervals 68 % hold the truth")).to_be_visible()
    page.keyboard.press("]")
    expect(page.get_by_role("heading", name="Predicted vs true", level=1)).to_be_visible()
    expect(page.get_by_text("Every mock that the network has not seen")).to_be_attached()

    page.keyboard.press("?")
    expect(help_dialog.locator("kbd").first).to_be_visible()
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    help_dialog.get_by_role("button", name="Tour in five steps").click()
    stop = page.locator(".stop")
    for step in TOUR[:2]:
        expect(stop).to_contain_text(step.title)
        expect(stop).to_be_focused()
        stop.get_by_role("button", name="Next").click()
    page.keyboard.press("Escape")
    expect(stop).to_be_hidden()
    expect(page.get_by_role("heading", name="SED explorer", level=1)).to_be_visible()

    page.get_by_role("button", name="Help", exact=True).click()
    help_dialog.get_by_role("button", name="Show the welcome again").click()
    expect(welcome).to_be_visible()
    welcome.get_by_role("button", name="Close the welcome").click()
    expect(welcome).to_be_hidden()
    expect(page.get_by_role("button", name="Help", exact=True)).to_be_focused()
    # What is typed into a field is no shortcut.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=field>')")
    page.locator("#field").press_sequentially("?w")
    expect(help_dialog).to_be_hidden()
    assert page.evaluate("localStorage.getItem('ssp_welcomed')") == "1"
    assert troubles == []
    page.context.close()
