"""How long each page takes from the click to its first picture, and until nothing more comes.

    python benchmarks/pages.py [--url URL]

Opens the app in Chromium on a warm server: first each page by a visitor who has only seen the
first, then all pages by one visitor, who keeps all that was drawn. Without --url it serves the app
itself and waits for it to be warm.
"""

import argparse
import contextlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from sspexplorer.app.pages import PAGES

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
QUIET = 0.8  # s without a message from the server: all that was coming has come
WARM_UP = 60  # s
PICTURE = ".bk-Figure canvas:visible, .filepond--root:visible, table:visible"


@contextlib.contextmanager
def served() -> Iterator[str]:
    """Serve the app; yields its URL once it is warm."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-m", "panel", "serve", "app.py", "--warm", "--port", str(port)]
    process = subprocess.Popen(command, cwd=root, stderr=subprocess.DEVNULL)
    url = f"http://localhost:{port}/app"
    try:
        while True:
            try:
                urllib.request.urlopen(url, timeout=60).close()
                break
            except OSError:
                if process.poll() is not None:
                    sys.exit("The server ended before it answered.")
                time.sleep(0.5)
        yield url
    finally:
        process.terminate()
        process.wait()


def time_of_picture(page: Page, key: str, title: str, frames: list[float]) -> tuple[float, float]:
    """Seconds from the click on a page's link to its first picture, and to the last message."""
    page.evaluate("window.scrollTo(0, 0)")
    start = time.monotonic()
    page.evaluate(f"document.querySelector('nav.pages a[data-page=\"{key}\"]').click()")
    # The page that is left stays in sight until the server answers.
    page.get_by_role("heading", name=title, level=1, exact=True).wait_for(timeout=60_000)
    page.locator(PICTURE).first.wait_for(timeout=60_000)
    first = time.monotonic() - start
    while time.monotonic() - max(frames) < QUIET:
        page.wait_for_timeout(50)
    return first, max(frames) - start


def arrived(browser: Browser, url: str) -> tuple[Page, list[float]]:
    """A new visitor who sees the first page, and when messages reach them."""
    visitor = browser.new_page(viewport={"width": 1440, "height": 900})
    frames = [0.0]
    visitor.on(
        "websocket",
        lambda ws: ws.on("framereceived", lambda frame: frames.append(time.monotonic())),
    )
    start = time.monotonic()
    visitor.goto(url)
    visitor.locator(PICTURE).first.wait_for(timeout=60_000)
    tell("(arriving)", time.monotonic() - start, max(frames) - start)
    visitor.wait_for_timeout(3000)
    return visitor, frames


def tell(title: str, first: float, last: float) -> None:
    """Print a line."""
    print(f"{title:20} first picture {first:5.2f} s, all there {last:5.2f} s", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", help="of a server that is warm")
    url = parser.parse_args().url
    with contextlib.ExitStack() as stack:
        if not url:
            url = stack.enter_context(served())
        playwright = stack.enter_context(sync_playwright())
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        page.locator(PICTURE).first.wait_for(timeout=60_000)
        page.wait_for_timeout(1000 * WARM_UP)
        page.close()

        print("each by a visitor of its own")
        for entry in PAGES[1:]:
            visitor, frames = arrived(browser, url)
            tell(entry.title, *time_of_picture(visitor, entry.key, entry.title, frames))
            visitor.close()
        print("all by one visitor")
        visitor, frames = arrived(browser, url)
        for entry in [*PAGES[1:], PAGES[0]]:
            tell(entry.title, *time_of_picture(visitor, entry.key, entry.title, frames))
        browser.close()


if __name__ == "__main__":
    main()
