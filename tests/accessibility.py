"""What axe-core says of a page: https://github.com/dequelabs/axe-core."""

from contextlib import suppress

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, TimeoutError, expect

_WAIT = 20_000  # ms; names come a moment after what they name
_AXE = Axe()


def violations(page: Page) -> list[str]:
    """Rules that something in sight breaks, each with one example."""
    found = _AXE.run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']} ({len(one['nodes'])}): {one['nodes'][0]['html']}" for one in found]


def expect_accessible(page: Page) -> None:
    """No rule is broken, at the latest after a moment."""
    for _ in range(_WAIT // 500):
        found = violations(page)
        if not found:
            return
        page.wait_for_timeout(500)
    raise AssertionError(found)


def unfold(page: Page) -> None:
    """Open every fold of a page."""
    shut = page.locator('button.card-header[aria-expanded="false"]:visible')
    expect(shut.first).to_be_visible()
    # One that is opened may hold others.
    while shut.count():
        # It may say that it is open only after it was counted.
        with suppress(TimeoutError):
            shut.first.click(timeout=1_000)
        page.wait_for_timeout(500)
