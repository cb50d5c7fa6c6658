"""Visitors come, look, upload and leave: what stays of them, and what they keep others waiting."""

import asyncio
import gc
import logging
import threading
import weakref
from collections.abc import Callable

from bokeh.document import Document
from bokeh.server.server import Server
from visitors import Visitor, app_served

from sspexplorer import flags
from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.app.apply import reading
from sspexplorer.app.apply.own_columns import OwnNumbers
from sspexplorer.app.kit import work
from sspexplorer.catalogue import Catalogue
from sspexplorer.jobs.reading import READER
from sspexplorer.resources import data_path


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.02)


def documents(server: Server) -> list[weakref.ref[Document]]:
    return [weakref.ref(session.document) for session in server.get_sessions()]


async def nothing_stays(server: Server, left: list[weakref.ref[Document]]) -> None:
    """Wait for sessions to end and for work to stop; nothing may refer to the documents then."""

    def all_gone() -> bool:
        gc.collect()
        return not any(ref() for ref in left)

    assert left
    await until(lambda: not server.get_sessions() and not work.n_running())
    await until(all_gone)


def test_nothing_of_a_visitor_stays_when_they_have_left(tmp_path):
    async def main() -> None:
        async with app_served(tmp_path) as (url, server):
            visitor = await Visitor.come(url, "noise")
            await visitor.until(lambda: visitor.has_picture)
            left = documents(server)
            visitor.leave()
            await nothing_stays(server, left)

    asyncio.run(main())


def test_a_tab_that_is_closed_stops_its_prediction(tmp_path, monkeypatch, caplog):
    begun, stopped = threading.Event(), threading.Event()

    def predict(asked, catalogue, model, progress):
        begun.set()
        try:
            while True:
                progress.check()
        finally:
            stopped.set()

    monkeypatch.setattr(PredictionRequest, "predict", predict)
    monkeypatch.setattr(type(READER), "can_read", False)

    async def main() -> None:
        async with app_served(tmp_path) as (url, server):
            visitor = await Visitor.come(url, "catalogue")
            await visitor.until(lambda: any(visitor.of_type("FileDropper")))
            await visitor.upload("x.csv", data_path("examples", "real_galaxies.csv").read_bytes())
            await visitor.until(lambda: "x.csv, 3 rows" in visitor.words)
            await visitor.press("Predict")
            await asyncio.to_thread(begun.wait, 60)
            left = documents(server)
            visitor.leave()
            await asyncio.to_thread(stopped.wait, 60)
            await nothing_stays(server, left)

    asyncio.run(main())
    assert stopped.is_set()
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_what_grows_with_a_catalogue_is_not_done_on_the_event_loop(tmp_path, monkeypatch):
    """A callback that takes long stops all visitors; time itself says little on a busy machine."""
    on_loop: dict[str, set[bool]] = {}
    loop = threading.get_ident()

    def watched(owner, name):
        own = owner.__dict__[name]
        real = own.__func__ if isinstance(own, classmethod) else own

        def call(*args, **kwargs):
            on_loop.setdefault(name, set()).add(threading.get_ident() == loop)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, classmethod(call) if real is not own else call)

    for owner, names in (
        (reading, ["read_catalogue", "_offered"]),
        (PredictionRequest, ["predict", "suspicions"]),
        (Answers, ["gather"]),
        (OwnNumbers, ["of"]),
        (flags, ["labelled", "count"]),
        (Catalogue, ["write"]),
    ):
        for name in names:
            watched(owner, name)
    monkeypatch.setattr(type(READER), "can_read", False)

    async def main() -> None:
        async with app_served(tmp_path) as (url, _):
            visitor = await Visitor.come(url, "catalogue")
            await visitor.until(lambda: any(visitor.of_type("FileDropper")))
            await visitor.upload("x.csv", data_path("examples", "real_galaxies.csv").read_bytes())
            await visitor.until(lambda: "x.csv, 3 rows" in visitor.words)
            await visitor.press("Predict")
            await visitor.until(lambda: any(visitor.of_type("DataTabulator")))
            await visitor.press("Download")
            await visitor.until(lambda: "write" in on_loop)
            visitor.leave()

    asyncio.run(main())
    assert len(on_loop) == 9
    assert not [name for name, where in on_loop.items() if True in where]
