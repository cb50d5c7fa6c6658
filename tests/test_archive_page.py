import asyncio
import math
import re

import pytest
from playwright.sync_api import Page, expect
from tap_server import TAPServer, serve_tap

from sspexplorer.app.apply.archive import CONE, LIST, FromTheArchive
from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.archive.services import SETTING


@pytest.fixture(scope="module")
def started():
    with serve_tap() as server:
        yield server


@pytest.fixture
def tap(started, monkeypatch) -> TAPServer:
    started.reset()
    monkeypatch.setenv(SETTING, started.url)
    return started


@pytest.fixture
def form(tap) -> FromTheArchive:
    """The page, with the service on this machine and few rows."""
    page = FromTheArchive()
    page.where.value = "i < 17.5"
    return page


def test_the_form_becomes_a_query_and_the_query_can_be_changed(form, tap):
    form.service.value = "miniJPAS, public release of December 2019"
    assert form.query.value.endswith(
        "WHERE m.mag_auto[jpas::iSDSS] < 17.5\n  AND m.flags[jpas::iSDSS] <= 3\n"
        "  AND m.mask_flags[jpas::iSDSS] = 0"
    )
    form.by.value = CONE
    assert form.start.disabled
    form.ra.value, form.dec.value = "214.25", "52.5"
    assert "CIRCLE('ICRS', 214.25000000, 52.50000000, 0.08333333)" in form.query.value
    assert not form.start.disabled
    form.by.value, form.ids.value = LIST, "2241-1\n2241-2"
    assert "(m.tile_id = 2241 AND m.number IN (1, 2))" in form.query.value
    formed = form.query.value
    form.query.value = "SELECT 1 AS one FROM minijpas.Filter"
    assert form.is_own
    assert form.asked().own == form.query.value
    form.back.clicks += 1
    assert (form.query.value, form.is_own) == (formed, False)
    assert tap.asked == []


def test_what_comes_is_handed_to_the_page_of_catalogues(form):
    asyncio.run(form.fetch())
    assert form.worker.trouble == ""
    assert "FROM minijpas.MagABDualObj AS m" in form.query.value
    assert not form.is_own
    form.hand_over.clicks += 1
    assert form.state.page == "catalogue"
    handed, page = form.state.take("catalogue")["handed"], YourCatalogue()
    asyncio.run(page.open(handed, handed.name))
    assert page.worker.trouble == ""
    assert len(page.catalogue) == form.kept.fetched.n_rows
    assert page.catalogue.unit == "flambda"


def test_what_goes_wrong_is_said_on_the_page(form, tap):
    tap.status, tap.only = 500, "/tables"
    asyncio.run(form.fetch())
    assert form.worker.trouble.startswith("127.0.0.1 is in trouble itself (500)")
    assert form.kept is None


def test_only_services_the_server_knows_are_offered(form, tap):
    assert form.chosen_service.url == tap.url
    assert {s.host for s in form.services.values()} == {"127.0.0.1", "archive.cefca.es"}


def test_galaxies_are_fetched_cancelled_and_opened(page: Page, server: str, archive: TAPServer):
    archive.reset()
    page.goto(f"{server}?page=archive")
    conditions = page.get_by_label("Conditions")
    conditions.fill("i < 17.5")
    conditions.press("Enter")
    archive.slow = math.inf
    page.get_by_role("button", name="Fetch").click()
    expect(page.get_by_text(re.compile("counting: .*running"))).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Cancel")).not_to_be_visible()
    archive.slow = 1
    page.get_by_role("button", name="Fetch").click()
    expect(page.get_by_text(re.compile("rows from 127.0.0.1, in"))).to_be_visible()
    expect(page.get_by_label("Query (ADQL)")).to_have_value(
        re.compile(r"flux_aper_cor_3_0\[jpas::J0660\]")
    )
    assert archive.deleted[0].history[-1] == "ABORT"
    page.get_by_role("button", name="Open in Your catalogue").click()
    expect(page.get_by_role("heading", name="Your catalogue", level=1)).to_be_visible()
    expect(page.get_by_text(re.compile(r"archive\.parquet, \d+ rows"))).to_be_visible()
    expect(page.get_by_text(re.compile("Taken as F_?λ")).first).to_be_visible()
