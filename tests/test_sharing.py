"""Catalogues that are left with the server: a link opens them, until they are taken back."""

import asyncio
import re
import time
from pathlib import Path

import holoviews as hv
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.apply.method import NETWORK
from sspexplorer.app.apply.reading import Reading
from sspexplorer.app.choices import accept, write_query
from sspexplorer.app.serving import shares
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

EXAMPLE = data_path("examples", "simulated_galaxies.csv")


@pytest.fixture
def folder(monkeypatch, tmp_path) -> Path:
    monkeypatch.setenv("SSPEXPLORER_DATA", str(tmp_path))
    return tmp_path / "shared"


def test_what_was_left_is_found_as_it_was_read_and_gone_when_its_time_is_over(folder, monkeypatch):
    reading = Reading({"unit": "fnu"}, MaskRule(largest_flag=7), "none")
    token = shares.keep(EXAMPLE, "../mine.csv", reading.to_dict())
    other = shares.keep(EXAMPLE, "mine.csv", {})
    assert re.fullmatch(r"[\w-]{22}", token)
    assert token != other
    share = shares.find(token)
    assert share.path.read_bytes() == EXAMPLE.read_bytes()
    assert share.path.parent.parent == folder
    assert share.name == "../mine.csv"
    assert Reading.from_dict(share.reading) == reading
    assert share.until == pytest.approx(time.time() + 7 * 86_400, abs=60)
    shares.forget(other)
    with pytest.raises(InputError, match="expired, or was taken back"):
        shares.find(other)
    later = time.time() + 8 * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(InputError, match="expired"):
        shares.find(token)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", ["", "..", "../../etc/passwd", "a" * 22 + "/..", "about.json"])
def test_no_name_leads_out_of_the_folder(folder, name):
    shares.keep(EXAMPLE, "mine.csv", {})
    with pytest.raises(InputError, match="expired"):
        shares.find(name)
    shares.forget(name)
    assert len(list(folder.iterdir())) == 1


def test_a_server_without_room_or_sharing_says_so(folder, monkeypatch):
    monkeypatch.setenv("SSPEXPLORER_UPLOAD", f"{1.5e-7 * EXAMPLE.stat().st_size}")
    shares.keep(EXAMPLE, "mine.csv", {})
    with pytest.raises(InputError, match="no room for another"):
        shares.keep(EXAMPLE, "mine.csv", {})
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setenv(shares.DAYS, "1")
    shares.set_days(0)
    with pytest.raises(InputError, match="keeps no catalogues"):
        shares.keep(EXAMPLE, "mine.csv", {})
    with pytest.raises(InputError, match="from 0 to 366, but is '400'"):
        shares.set_days(400)


def test_who_follows_the_link_sees_the_catalogue_as_it_was_read(folder):
    hv.extension("bokeh")
    mine = YourCatalogue(by=NETWORK)
    bands = EXAMPLE.read_bytes()

    async def share() -> None:
        await mine.open(bands, "mine.csv")
        await mine.predict()
        assert mine.shared == ""
        mine.sharing.ask()
        assert not folder.exists()
        await mine.sharing.keep()

    asyncio.run(share())
    mine.result.row = 4
    query = write_query(mine, YourCatalogue.QUERY)
    assert (query["shared"], query["row"]) == (mine.shared, "5")
    theirs = YourCatalogue(by=NETWORK)
    accept(theirs, {"galaxy": 5})
    asyncio.run(theirs.open_shared(mine.shared))
    assert theirs.worker.trouble == ""
    assert theirs.catalogue.name == "mine.csv"
    assert theirs.result.row == 4
    assert np.array_equal(theirs.catalogue.flux, mine.catalogue.flux, equal_nan=True)
    mine.sharing.take_back()
    assert mine.shared == ""
    late = YourCatalogue(by=NETWORK)
    asyncio.run(late.open_shared(query["shared"]))
    assert "expired, or was taken back" in late.worker.trouble
    assert late.catalogue is None


def test_a_visitor_shares_a_catalogue_and_a_colleague_opens_it(
    page: Page, server: str, browser: Browser, tmp_path
):
    mine = tmp_path / "mine.csv"
    mine.write_bytes(EXAMPLE.read_bytes())
    page.goto(f"{server}?page=catalogue")
    page.locator("input[name=filepond]").first.set_input_files(mine)
    page.get_by_role("button", name="Predict", exact=True).click(timeout=60_000)
    page.get_by_role("button", name="Share by a link").click(timeout=60_000)
    page.get_by_role("button", name="Keep it, make the link").click()
    expect(page.get_by_text("opens this catalogue until")).to_be_visible()
    expect(page).to_have_url(re.compile(r"shared=[\w-]{22}"))
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    colleague = context.new_page()
    colleague.goto(page.url)
    expect(colleague.get_by_text("mine.csv, 200 rows").first).to_be_visible(timeout=60_000)
    expect(colleague.get_by_text("opens this catalogue until")).to_be_visible(timeout=60_000)
    expect(colleague.get_by_role("button", name="Take it back")).to_have_count(0)
    page.get_by_role("button", name="Take it back").click()
    expect(page).not_to_have_url(re.compile("shared="))
    colleague.reload()
    expect(colleague.get_by_text("expired, or was taken back")).to_be_visible(timeout=60_000)
    context.close()
