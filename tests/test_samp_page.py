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

import numpy as np
import pytest
from astropy.table import Table
from pictures import again_until
from playwright.sync_api import Browser, Page, expect
from pyvo.samp import SAMPHubServer, SAMPIntegratedClient, conf

from sspexplorer.app.apply.samp import SendTable
from sspexplorer.app.serving import tables
from sspexplorer.app.serving.settings import SAMP_HUB, Settings

HIGHLIGHT, SELECT = "table.highlight.row", "table.select.rowList"
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
    # It asked nobody else.
    hosts = {url.split("/")[2] for url in visitor.asked if url.startswith("http")}
    assert hosts == {server.split("/")[2], SAMP_HUB.removeprefix("http://")}
    # Nobody guesses it, and it goes with the catalogue.
    assert status(params["url"][:-1] + ("A" if params["url"][-1] != "A" else "B")) == 404
    assert status(params["url"].split("?")[0]) == 404
    visitor.get_by_role("button", name="Another file").click()
    expect(visitor.get_by_role("button", name="Example: three real galaxies")).to_be_visible()
    assert status(params["url"]) == 404
    client.disconnect()


def test_what_is_chosen_in_one_program_is_chosen_in_the_other(visitor: Page, hub: SAMPHubServer):
    got: queue.Queue = queue.Queue()
    client = SAMPIntegratedClient(metadata={"samp.name": "Taker"}, addr="127.0.0.1")
    client.connect(hub=hub)
    for kind in ("table.load.votable", HIGHLIGHT, SELECT):
        client.bind_receive_notification(
            kind, lambda key, sender, mtype, params, extra: got.put((mtype, params))
        )
    visitor.get_by_role("button", name="Predicted with a flag").click()
    expect(visitor.get_by_text("Keep these 19")).to_be_visible()
    visitor.get_by_role("button", name=BUTTON).click()
    _, sent = got.get(timeout=120)
    expect(visitor.get_by_text("19 rows sent to Taker.")).to_be_visible()
    with urllib.request.urlopen(sent["url"], timeout=60) as answer:
        names = list(Table.read(io.BytesIO(answer.read()), format="votable")["id"])
    known = {"table-id": sent["table-id"], "url": sent["url"]}

    # From here to there: a row of the table that was sent, wherever it is in the catalogue.
    row = visitor.get_by_role("gridcell", name=names[3], exact=True)
    chosen = visitor.locator("h2:visible", has_text=names[3])
    again_until(row.click, lambda patience: expect(chosen).to_be_visible(timeout=patience))
    assert got.get(timeout=120) == (HIGHLIGHT, known | {"row": "3"})

    # From there to here; what makes no sense is left alone, and nothing is told back.
    def tell(kind: str, **said: object) -> None:
        client.notify_all({"samp.mtype": kind, "samp.params": known | said})

    tell(HIGHLIGHT, row="19")
    tell(HIGHLIGHT, row="-1")
    tell(HIGHLIGHT, row="7", **{"table-id": "another", "url": "another"})
    tell(HIGHLIGHT, row="5")
    expect(visitor.locator("h2:visible", has_text=names[5])).to_be_visible()
    (other,) = set(client.get_registered_clients()) - {hub._hub_public_id}
    message = {
        "samp.mtype": SELECT,
        "samp.params": known | {"row-list": ["1", "2", "2", "x", "99"]},
    }
    assert client.call_and_wait(other, message, "60")["samp.status"] == "samp.ok"
    expect(visitor.get_by_text("Keep these 2")).to_be_visible()
    assert got.empty()

    # Out of sight it hears nothing, and catches up when it is seen again.
    visitor.get_by_role("link", name="Zero points").click()
    expect(visitor.get_by_role("heading", name="Zero points", level=1)).to_be_visible()
    tell(HIGHLIGHT, row="2")
    visitor.get_by_role("link", name="Your catalogue").click()
    expect(visitor.locator("h2:visible", has_text=names[2])).to_be_visible()

    # What is listed is selected there, as far as it was sent.
    visitor.get_by_role("button", name="All 200", exact=False).click()
    visitor.get_by_label("Search", exact=True).fill(names[0])
    visitor.get_by_label("Search", exact=True).press("Enter")
    told = dict(got.get(timeout=120) for _ in range(2))
    assert told == {HIGHLIGHT: known | {"row": "0"}, SELECT: known | {"row-list": ["0"]}}

    visitor.get_by_role("button", name="Another file").click()
    expect(visitor.get_by_role("button", name="Example: three real galaxies")).to_be_visible()
    for _ in range(600):
        if len(client.get_registered_clients()) == 1:
            break
        time.sleep(0.1)
    else:
        raise AssertionError("It did not leave.")
    client.disconnect()


def test_rows_that_another_program_names_are_checked():
    told: list = []
    page = SendTable(lambda file: None, lambda: ("", np.arange(0)), told.append, told.append)
    page._tables = {"tables/a.vot?key=b": np.array([4, 9, 11])}
    rows = ["1", "01", "²", "1.0", "-1", "3", 2, None, {"a": "1"}, "9" * 400, "2"]
    page._heard({"kind": SELECT, "table": "tables/a.vot?key=b", "rows": rows})
    assert told.pop().tolist() == [9, 11]
    for said in (
        {"kind": HIGHLIGHT, "table": "tables/a.vot?key=b", "rows": "3"},
        {"kind": HIGHLIGHT, "table": "tables/a.vot?key=b"},
        {"kind": HIGHLIGHT, "table": "another", "rows": "0"},
        {"kind": HIGHLIGHT, "table": ["a"], "rows": "0"},
        {"kind": "samp.app.event.shutdown", "table": "tables/a.vot?key=b", "rows": "0"},
    ):
        page._heard(said)
    assert told == []
    page._heard({"kind": HIGHLIGHT, "table": "tables/a.vot?key=b", "rows": "0"})
    assert told == [4]


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
