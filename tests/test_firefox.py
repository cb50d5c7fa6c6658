"""Every page in Firefox, which lays out and draws otherwise than Chromium."""

from itertools import pairwise

from firefox import Firefox
from pictures import Figure, wait_for

from sspexplorer.app.pages import PAGES

# Pages that open with what to do first, and what that is.
_WITHOUT_A_PICTURE = {"catalogue", "zero-points", "archive"}
_TO_DO = "textarea, input[type=file], .empty"

# All elements in sight that a selector finds, however deep: their words and boxes.
_FIND = """(selector) => {
  const roots = (root) => [root, ...[...root.querySelectorAll("*")]
    .filter((part) => part.shadowRoot).flatMap((part) => roots(part.shadowRoot))];
  return roots(document).flatMap((root) => [...root.querySelectorAll(selector)])
    .map((part) => [part.textContent.trim(), part.getBoundingClientRect()])
    .filter(([, box]) => box.width && box.height)
    .map(([text, { left, top, right, bottom }]) => ({ text, box: [left, top, right, bottom] }));
}"""
_GO = "(key) => document.querySelector(`nav.pages a[data-page=${key}]`).click()"
_OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"


def found(firefox: Firefox, selector: str) -> list[dict]:
    return firefox.evaluate(_FIND, selector)


def drawn(seen: list[Figure]) -> bool:
    """Whether there is a figure with data in it."""
    return any(layer.visible and layer.columns for figure in seen for layer in figure.layers)


def opened(firefox: Firefox, key: str) -> None:
    """Wait for what a page opens with."""
    if key in _WITHOUT_A_PICTURE:
        wait_for(firefox, lambda _: len(found(firefox, _TO_DO)) > 0, f"What {key} opens with")
    else:
        wait_for(firefox, drawn, f"What {key} opens with")
        assert found(firefox, "canvas")


def test_every_page_opens_and_nothing_lies_over_anything_else(firefox: Firefox, server: str):
    firefox.set_size(1440, 900)
    firefox.goto(server)
    opened(firefox, "sed")
    numbers = [one for one in found(firefox, ".bk-btn") if one["text"] in {*"123+−"}]
    assert [one["text"] for one in numbers] == ["1", "2", "3", "+", "−"]
    boxes = [one["box"] for one in numbers]
    assert all(left[2] <= right[0] for left, right in pairwise(boxes))
    firefox.set_size(390, 844)
    assert firefox.evaluate(_OVERFLOW) <= 0
    firefox.set_size(1440, 900)
    for entry in PAGES:
        firefox.evaluate(_GO, entry.key)
        wait_for(firefox, lambda _, e=entry: [h["text"] for h in found(firefox, "h1")] == [e.title])
        opened(firefox, entry.key)
        assert firefox.evaluate(_OVERFLOW) <= 0, entry.key
        assert found(firefox, ".problem") == []
    firefox.goto(f"{server}?page=catalogue&by=network&file=real_galaxies.csv")
    wait_for(firefox, drawn, "A catalogue")
    assert firefox.errors == []
