import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from firefox import Firefox
from hypothesis import settings
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)
from tap_server import TAPServer, serve_tap

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# No other host is found, so that what is fetched from one fails on every machine.
FLAGS += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"]
PATIENCE = 180_000  # ms; shared machines stall

expect.set_options(timeout=PATIENCE)

# The same examples on every machine, and no deadline: shared machines stall.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what opens a browser, so that `-m "not browser"` leaves it out, and run it last.

    The browser's driver keeps an event loop in the main thread, in which no other may run.
    """
    for item in items:
        if {"chromium", "firefox"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
    if "soak" not in config.getoption("-m"):
        # It has a process of its own: what other tests leave in theirs is counted there.
        items[:] = [item for item in items if not item.get_closest_marker("soak")]
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def repository() -> Path:
    return Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def added_folder(tmp_path_factory) -> Path:
    """Where libraries are added in tests and by the server: not among those of the developer."""
    folder = tmp_path_factory.mktemp("added")
    os.environ["SSPEXPLORER_DATA"] = str(folder)
    return folder


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260120)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium or Chrome, the same names `make test` looks for."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no chromium on this machine (as root on Debian, `make test` installs it)")


@pytest.fixture(scope="session")
def firefox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """A Firefox, or Debian's, which `make test` installs."""
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        assert os.environ.get("CI") != "true", "no Firefox on this machine, though CI is set"
        pytest.skip("no Firefox on this machine (as root on Debian, `make test` installs it)")
    started = Firefox(path, tmp_path_factory.mktemp("firefox"))
    yield started
    started.close()


@pytest.fixture(scope="session")
def archive() -> Iterator[TAPServer]:
    """Archive that the app asks: on this machine."""
    with serve_tap() as service:
        os.environ["SSPEXPLORER_TAP"] = service.url
        yield service
        del os.environ["SSPEXPLORER_TAP"]


@pytest.fixture(scope="session")
def server(repository: Path, archive: TAPServer, tmp_path_factory) -> Iterator[str]:
    """URL of the app, served as `make app` does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "panel", "serve", "app.py", "--warm", "--port", str(port)]
    command += ["--plugins", "sspexplorer.app.serving.tables"]
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
            process.wait(timeout=120)
    # A visitor who leaves in mid-sentence makes tornado complain; our own code must not.
    assert "sspexplorer/" not in log.read_text()


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(3000):
        try:
            urllib.request.urlopen(url, timeout=60).close()
            return
        except (urllib.error.URLError, ConnectionError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.2)
    raise AssertionError(f"The server did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    """Another browser, for who must not be taken for the visitor of :func:`page`."""
    launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def visitors(
    playwright: Playwright, chromium: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """Where all pages are opened.

    With a profile on disk: a context that keeps nothing compiles all scripts again for each page.
    Whoever comes has been welcomed before.
    """
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=chromium,
        args=FLAGS,
        viewport={"width": 1440, "height": 900},
        accept_downloads=True,
        reduced_motion="reduce",
    )
    context.add_init_script("try { localStorage.setItem('ssp_welcomed', '1'); } catch {}")
    yield context
    context.close()


@pytest.fixture
def page(visitors: BrowserContext, server: str) -> Iterator[Page]:
    """A new visitor; leaving, nothing may have gone wrong."""
    visitors.clear_cookies()
    visitor = visitors.new_page()
    visitor.set_default_timeout(PATIENCE)
    troubles: list[str] = []
    home = server.rsplit("/", 1)[0].split("//")[1]

    def watch(request) -> None:
        if not re.match(rf"(https?|wss?)://{home}/|data:|blob:", request.url):
            troubles.append(f"request to another host: {request.url}")

    visitor.on("request", watch)
    visitor.on("websocket", watch)
    visitor.on("pageerror", lambda error: troubles.append(f"error: {error.stack}"))
    visitor.on(
        "console",
        lambda message: troubles.append(message.text) if message.type == "error" else None,
    )
    yield visitor
    visitor.close()
    assert troubles == []
