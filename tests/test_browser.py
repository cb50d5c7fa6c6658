"""The app as a visitor meets it: a real server, a real browser, every page.

Every test fails on an error in the browser's console, and on any request to another host.
"""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 60_000  # ms; shared machines stall
SIZES = [(1440, 900), (1024, 768)]


@pytest.fixture(scope="module")
def server(repository: Path, tmp_path_factory) -> Iterator[str]:
    """URL of the app, served as the README says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "app.py", "--warm", "--port", str(port)]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=repository, stdout=output, stderr=output, env=os.environ
        )
        url = f"http://localhost:{port}/app"
        try:
            _wait_for(url, process, log)
            yield url
        finally:
            process.terminate()
            process.wait(timeout=20)
    assert "Traceback" not in log.read_text()


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=60).close()
            return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"The server did not answer: {log.read_text()}")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A new visitor; leaving, nothing may have gone wrong."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    visitor = context.new_page()
    visitor.set_default_timeout(PATIENCE)
    troubles: list[str] = []
    home = server.rsplit("/", 1)[0].split("//")[1]

    def watch(request) -> None:
        if not re.match(rf"(https?|wss?)://{home}/|data:|blob:", request.url):
            troubles.append(f"request to another host: {request.url}")

    visitor.on("request", watch)
    visitor.on("websocket", watch)
    visitor.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    visitor.on(
        "console",
        lambda message: troubles.append(message.text) if message.type == "error" else None,
    )
    yield visitor
    context.close()
    assert troubles == []


def opened(page: Page, url: str) -> Page:
    """The page, once its first picture is there."""
    page.goto(url)
    expect(page.locator("canvas").first).to_be_visible(timeout=PATIENCE)
    return page


def nudge(page: Page, name: str, keys: str = "ArrowRight", times: int = 5) -> None:
    """Move a slider by keyboard."""
    handle = page.locator(".bk-panel-models-widgets, div", has_text=name)
    slider = page.get_by_text(re.compile(rf"^{re.escape(name)}")).last
    handle = slider.locator("xpath=ancestor::*[.//*[contains(@class, 'noUi-handle')]][1]")
    handle.locator(".noUi-handle").first.focus()
    for _ in range(times):
        page.keyboard.press(keys)


def no_overflow(page: Page) -> None:
    """Nothing is wider than the window, and no area scrolls inside another."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def test_moving_the_noise_slider_changes_the_picture_and_the_answers(page: Page, server: str):
    opened(page, server)
    answers = page.get_by_text("→").first
    expect(answers).to_be_visible()
    before, picture = answers.inner_text(), page.locator("canvas").first.screenshot()
    nudge(page, "i magnitude (AB)", times=10)
    expect(page.get_by_text("21.0")).to_be_visible()
    expect(answers).not_to_have_text(before)
    assert page.locator("canvas").first.screenshot() != picture
    assert "i=21" in page.url


def test_the_sliders_of_a_sed_change_its_truth(page: Page, server: str):
    opened(page, server)
    nudge(page, "E(B−V) [mag]", times=20)
    expect(page.get_by_text("E(B−V) 0.20").first).to_be_visible()
    page.get_by_role("button", name="New noise").click()
    page.get_by_role("button", name="+", exact=True).click()
    expect(page.get_by_text(re.compile("^4 ")).first).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_every_page_opens_from_the_header_at_both_sizes(page: Page, server: str, size):
    page.set_viewport_size({"width": size[0], "height": size[1]})
    opened(page, server)
    for link in page.get_by_role("navigation").get_by_role("link").all():
        link.click()
        expect(page.get_by_role("heading", name=link.inner_text(), level=1)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        no_overflow(page)
    page.go_back()
    expect(page.get_by_role("heading", name="Predicted vs true", level=1)).to_be_visible()


def test_dark_and_light_change_without_a_reload(page: Page, server: str):
    opened(page, server)
    light = page.locator("canvas").first.screenshot()
    page.get_by_role("button", name=re.compile("Light or dark")).click()
    page.wait_for_timeout(1500)
    assert page.locator("canvas").first.screenshot() != light
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(v) for v in re.findall(r"\d+", background)[:3]) < 60


def test_a_link_shares_the_view_and_a_mistyped_one_does_no_harm(page: Page, server: str):
    opened(page, f"{server}?page=density&i=18.5&libraries=popstar")
    expect(page.get_by_role("heading", name="Predicted vs true", level=1)).to_be_visible()
    expect(page.locator("aside").get_by_label("PopStar")).to_be_checked()
    expect(page.locator("aside").get_by_label("BC03")).not_to_be_checked()
    opened(page, f"{server}?page=nowhere&i=99&libraries=cb19&model=best")
    expect(page.get_by_role("heading", name="SED explorer", level=1)).to_be_visible()
