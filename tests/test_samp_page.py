"""Tables to other programs: a hub and a client of pyvo, and addresses that nobody guesses."""

import io
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from astropy.table import Table
from playwright.sync_api import Browser, Page, expect
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

from sspexplorer.app.serving import tables
from sspexplorer.app.serving.settings import SAMP_HUB, Settings

BUTTON, EXAMPLE = "Send to TOPCAT, Aladin", "simulated_galaxies.csv"
CATALOGUE = f"?page=catalogue&by=network&file={EXAMPLE}"


def status(url: str) -> int:
    try:
        return urllib.request.urlopen(url, timeout=60).status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture
def visitor(browser: Browser, server: str) -> Iterator[Page]:
    """Someone who opens the catalogue page, and may talk to this machine's hub besides."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_init_script("try { localStorage.setItem('ssp_welcomed', '1'); } catch {}")
    page = context.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(server + CATALOGUE)
    expect(page.get_by_role("button", name=BUTTON)).to_be_visible()
    yield page
    context.close()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SAMPHubServer]:
    """A hub whose owner lets all programs in."""
    monkeypatch.setattr(conf, "use_internet", False)
    owner = SimpleNamespace()
    hub = SAMPHubServer(addr="127.0.0.1", lockfile=str(tmp_path / "samp"), web_profile_dialog=owner)
    hub.start()
    over = threading.Event()

    def let_in() -> None:
        while not over.is_set():
            try:
                owner.queue_request.get(timeout=0.1)
            except queue.Empty:
                continue
            owner.queue_result.put(True)

    thread = threading.Thread(target=let_in)
    thread.start()
    yield hub
    over.set()
    thread.join()
    hub.stop()


def test_what_is_listed_is_sent_to_programs_at_the_hub(
    visitor: Page, hub: SAMPHubServer, server: str
):
    got: queue.Queue = queue.Queue()
    client = SAMPIntegratedClient(metadata={"samp.name": "Taker"}, addr="127.0.0.1")
    client.connect(hub=hub)
    client.bind_receive_notification(
        "table.load.votable", lambda key, sender, mtype, params, extra: got.put(params)
    )
    visitor.get_by_role("button", name="Predicted with a flag").click()
    expect(visitor.get_by_text("Keep these 19")).to_be_visible()
    assert not [url for url in visitor.asked if url.startswith(SAMP_HUB)]
    visitor.get_by_role("button", name=BUTTON).click()
    params = got.get(timeout=120)
    expect(visitor.get_by_text("19 rows sent to Taker.")).to_be_visible()
    assert params["name"] == "simulated_galaxies, Predicted with a flag"
    assert params["url"].startswith(server.removesuffix("app") + "tables/")
    with urllib.request.urlopen(params["url"], timeout=60) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        found = Table.read(io.BytesIO(answer.read()), format="votable")
    assert len(found) == 19
    assert {"id", "pred_log_age"} <= set(found.colnames)
    # It asked nobody else, and left.
    hosts = {url.split("/")[2] for url in visitor.asked if url.startswith("http")}
    assert hosts == {server.split("/")[2], SAMP_HUB.removeprefix("http://")}
    assert len(client.get_registered_clients()) == 1
    # Nobody guesses it, and it goes with the catalogue.
    assert status(params["url"][:-1] + ("A" if params["url"][-1] != "A" else "B")) == 404
    assert status(params["url"].split("?")[0]) == 404
    visitor.get_by_role("button", name="Another file").click()
    expect(visitor.get_by_role("button", name="Example: three real galaxies")).to_be_visible()
    assert status(params["url"]) == 404
    client.disconnect()


def test_without_a_hub_one_sentence_says_what_to_do(visitor: Page):
    button = visitor.get_by_role("button", name=BUTTON)
    button.click()
    expect(visitor.get_by_role("alert")).to_have_text(
        "No SAMP hub answers on your computer: start TOPCAT or Aladin, then send again."
    )
    expect(button).to_be_enabled()


def test_addresses_end_after_a_while_and_their_files_with_them(tmp_path, monkeypatch):
    monkeypatch.setenv(tables.TABLES, str(tmp_path))
    first = tables.hand_over(lambda file: file.write(b"<VOTABLE/>"), "my galaxies: “young”")
    assert first.startswith("tables/my_galaxies_young_.vot?key=")
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == b"<VOTABLE/>"
    key = first.partition("key=")[2]
    assert len(key) == 43
    assert key not in kept.name
    monkeypatch.setattr(tables, "LIFETIME", 0.0)
    time.sleep(0.01)
    second = tables.hand_over(lambda file: None, "")
    assert second.startswith("tables/table.vot?key=")
    assert [path == kept for path in tmp_path.iterdir()] == [False]
    tables.take_back(second)
    assert not list(tmp_path.iterdir())


def test_pages_may_talk_to_the_hub_and_to_nobody_else():
    policy = Settings().headers["Content-Security-Policy"]
    assert f"connect-src 'self' data: blob: {SAMP_HUB};" in policy
    assert policy.count("http:") == 1
