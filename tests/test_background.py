"""Work beside the event loop: the latest question wins, and trouble is told in a sentence."""

import threading
from contextlib import nullcontext

import panel as pn
import pytest
from bokeh.document import Document as NoServersDocument
from panel.io.state import set_curdoc

from sspexplorer.app.kit.work import Worker, sentence_of
from sspexplorer.errors import InputError
from sspexplorer.progress import Progress

PATIENCE = 20  # s; only a test that fails waits so long


@pytest.fixture
def said() -> list:
    return []


@pytest.fixture
def worker(said) -> Worker:
    return Worker(
        lambda busy: said.append(("busy", busy)), lambda error: said.append(sentence_of(error))
    )


def test_a_question_is_answered_once(worker, said):
    for _ in range(2):
        worker.ask("two", lambda progress: 2, said.append)
    assert said == [("busy", False), 2]
    worker.cancel()
    worker.ask("two", lambda progress: 2, said.append)
    assert said[-2:] == [("busy", False), 2]


def refuse(progress: Progress) -> None:
    raise InputError("There is no such model.")


def test_what_is_wrong_is_told_and_the_next_question_answered(worker, said):
    worker.ask("one", refuse, said.append)
    worker.ask("two", lambda progress: 1 / 0, said.append)
    worker.ask("three", lambda progress: 3, said.append)
    assert [word for word in said if not isinstance(word, tuple)] == [
        "There is no such model.",
        "That did not work: ZeroDivisionError. The server's log says more.",
        3,
    ]


class Document:
    """Keeps what is to run on the event loop until it is told to run it."""

    session_context = object()

    def __init__(self) -> None:
        self.ticks: list = []
        self.come = threading.Semaphore(0)

    def add_next_tick_callback(self, callback) -> None:
        self.ticks.append(callback)
        self.come.release()

    def add_timeout_callback(self, callback, milliseconds: int) -> None:
        pass

    def run(self) -> None:
        """Run what has come, once something has."""
        assert self.come.acquire(timeout=PATIENCE)
        while self.ticks:
            self.ticks.pop(0)()


@pytest.fixture
def document(monkeypatch) -> Document:
    """The document of a session, for the workers that a test makes."""
    document = Document()
    monkeypatch.setattr("panel.io.hold", lambda document, freeze: nullcontext())
    monkeypatch.setattr(type(pn.state), "curdoc", document)
    return document


def test_a_page_in_a_cell_answers_at_once_also_in_answer_to_the_browser(said):
    with set_curdoc(NoServersDocument()):
        Worker().ask("three", lambda progress: 3, said.append)
    assert said == [3]


def test_an_overtaken_answer_is_never_shown_and_its_work_is_asked_to_stop(said, document):
    worker = Worker(on_trouble=said.append)
    started, stopped = threading.Event(), threading.Event()

    def slow(progress: Progress) -> int:
        started.set()
        while not progress.cancelled():
            stopped.wait(0.01)
        stopped.set()
        return 1

    worker.ask("slow", slow, said.append)
    assert started.wait(PATIENCE)
    worker.ask("quick", lambda progress: 2, said.append)
    assert stopped.wait(PATIENCE)
    while not said:
        document.run()
    assert said == [2]
    assert not worker.busy


def test_what_was_cancelled_can_be_asked_again(said, document):
    worker = Worker(on_trouble=said.append)
    may_end = threading.Event()

    def work(progress: Progress) -> int:
        assert may_end.wait(PATIENCE)
        progress.check()
        return 7

    worker.ask("seven", work, said.append)
    worker.cancel()
    assert not worker.busy
    may_end.set()
    worker.ask("seven", work, said.append)
    while not said:
        document.run()
    assert said == [7]
