"""Sessions of the catalogue page: saved as a file, opened again with the file they are of."""

import asyncio
import io
import json

import holoviews as hv
import numpy as np
import pytest

from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.apply.intake import SESSION
from sspexplorer.app.apply.kept import key_of
from sspexplorer.app.apply.method import NETWORK
from sspexplorer.app.apply.reading import Reading
from sspexplorer.app.apply.session import Session
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

EXAMPLE = "simulated_galaxies.csv"
CONTENT = data_path("examples", EXAMPLE).read_bytes()


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def saved() -> bytes:
    """A session of somebody's own file, with choices, a galaxy and two selections."""
    page = YourCatalogue(by=NETWORK, floor=0.04)

    async def work() -> None:
        await page.open(CONTENT, "mine.csv")
        await page._read(page._upload, "mine.csv", Reading(masks=MaskRule(largest_flag=None)))
        await page.predict()

    asyncio.run(work())
    page.result.param.update(row=7, across="log_age", up="ebv")
    kept = page.result.selections
    kept.kept = kept.kept.including("first", np.arange(200) < 5).including(
        "odd", np.arange(200) % 2 == 1
    )
    page.output.format.value = SESSION
    assert page.output.download.filename == "mine.session.json"
    file = io.BytesIO()
    page.output.write(file)
    return file.getvalue()


def test_a_session_opens_with_its_file_as_it_was(saved):
    page = YourCatalogue()
    asyncio.run(page.open_session(saved, "mine.session.json"))
    assert page.catalogue is None
    assert "Now drop mine.csv" in page._next_note.object
    asyncio.run(page.open(CONTENT, "renamed.csv"))
    assert page.worker.trouble == ""
    assert (page.by, page.floor) == (NETWORK, 0.04)
    assert page._found.reading.masks == MaskRule(largest_flag=None)
    result = page.result
    assert list(result.selections.kept.rows) == ["first", "odd"]
    assert np.flatnonzero(result.selections.kept.rows["first"]).tolist() == [0, 1, 2, 3, 4]
    result.group = key_of("odd")
    assert len(result.rows) == 100


def test_a_session_of_an_example_opens_by_itself():
    first = YourCatalogue(by=NETWORK)

    async def work() -> None:
        await first.open(data_path("examples", EXAMPLE), EXAMPLE)
        await first.predict()

    asyncio.run(work())
    first.result.row = 11
    again = YourCatalogue()
    asyncio.run(again.open_session(first.session.to_bytes(), "x.session.json"))
    assert (again.file, again.by, again.result.row) == (EXAMPLE, NETWORK, 11)


def test_another_file_is_opened_without_the_session_and_that_is_said(saved):
    page = YourCatalogue(by=NETWORK)

    async def work() -> None:
        await page.open_session(saved, "mine.session.json")
        await page.open(CONTENT + b"\n", "mine.csv")

    asyncio.run(work())
    assert "mine.csv is not the file of the session" in page.worker.trouble
    assert page.catalogue is not None
    assert page.floor != 0.04


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said | {"kind": "other"},
        lambda said: said | {"selections": {"a": [-1]}},
        lambda said: said | {"selections": {"a": ["1"]}},
        lambda said: said | {"link": ["a"]},
        lambda said: said | {"reading": said["reading"] | {"masks": {"masks": 1}}},
        lambda said: said | {"reading": said["reading"] | {"galactic": None}},
        lambda said: {k: v for k, v in said.items() if k != "catalogue"},
        lambda said: [said],
    ],
)
def test_what_is_no_session_is_refused_in_a_sentence(saved, change):
    changed = json.dumps(change(json.loads(saved))).encode()
    with pytest.raises(InputError, match=r"x\.json is not a session that was saved here"):
        Session.read(changed, "x.json")


def test_rows_that_the_catalogue_has_not_are_refused(saved):
    session = Session.read(saved, "mine.session.json")
    with pytest.raises(InputError, match="rows that the catalogue has not"):
        session.kept(3)
