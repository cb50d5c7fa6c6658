"""Take the picture of the app that README and documentation show, docs/_static/app.png.

    python scripts/make_picture.py

Serves the app, has a visitor who was there before predict the example "simulated galaxies" in
Chromium, and keeps what they see. Run it when the page "Your catalogue" has changed.
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from pages import served  # noqa: E402

TARGET = ROOT / "docs" / "_static" / "app.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
MOST = 250_000  # bytes; whoever clones the repository has them
PATIENCE = 300_000  # ms


def predicted(page: Page, url: str) -> bytes:
    """PNG of the page "Your catalogue" with the example predicted."""
    page.set_default_timeout(PATIENCE)
    page.goto(f"{url}?page=catalogue")
    page.get_by_role("button", name="Example: simulated galaxies").click()
    page.get_by_role("button", name="Predict", exact=True).click()
    page.locator(".bk-Figure canvas").first.wait_for()
    page.wait_for_function("() => Bokeh.documents.every(document => document.is_idle)", polling=500)
    return page.screenshot()


def main() -> None:
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        sys.exit("Install Chromium first.")
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        size = {"width": 1440, "height": 900}
        page = browser.new_page(viewport=size, reduced_motion="reduce")
        page.add_init_script("localStorage.setItem('ssp_welcomed', '1')")
        taken = predicted(page, url)
        browser.close()
    picture = Image.open(io.BytesIO(taken)).convert("RGB")
    TARGET.parent.mkdir(exist_ok=True)
    picture.save(TARGET, optimize=True)
    if TARGET.stat().st_size > MOST:
        sys.exit(f"{TARGET.name} has {TARGET.stat().st_size} bytes, more than {MOST}.")
    print(f"Wrote {TARGET}, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main()
