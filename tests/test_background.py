"""Work beside the event loop: the latest question wins, and trouble is told in a sentence."""

import threading
from contextlib import nullcontext

import pytest

from sspexplorer.app.kit.background import Background
from sspexplorer.errors import InputError


@pytest.fixture
def said() -> list:
    return []


@pytest.fixture
def background(said) -> Background:
    return Background(lambda busy: said.append(("busy", busy)), said.append)


def test_a_question_is_answered_once(background, said):
    for _ in range(2):
        background.ask("two", lambda: 2, said.append)
    assert said == [("busy", False), 2]
    background.forget()
    background.ask("two", lambda: 2, said.append)
    assert said[-2:] == [("busy", False), 2]


def refuse() -> None:
    raise InputError("There is no such model.")


def test_what_is_wrong_is_told_and_the_next_question_answered(background, said):
    background.ask("one", refuse, said.append)
    background.ask("two", lambda: 1 / 0, said.append)
    background.ask("three", lambda: 3, said.append)
    assert [word for word in said if not isinstance(word, tuple)] == [
        "There is no such model.",
        "That did not work; the server's log says why.",
        3,
    ]


class Document:
    """Keeps what is to run on the event loop until it is told to run it."""

    def __init__(self) -> None:
        self.ticks: list = []
        self.come = threading.Semaphore(0)

    def add_next_tick_callback(self, callback) -> None:
        self.ticks.append(callback)
        self.come.release()

    def add_timeout_callback(self, callback, milliseconds: int) -> None:
        pass


def test_an_overtaken_answer_is_never_shown(said, monkeypatch):
    document = Document()
    monkeypatch.setattr("panel.io.hold", lambda document, freeze: nullcontext())
    background = Background(lambda busy: None, said.append)
    background._document = document
    may_end = threading.Event()

    def slow() -> int:
        may_end.wait(10)
        return 1

    background.ask("slow", slow, said.append)
    background.ask("quick", lambda: 2, said.append)
    assert document.come.acquire(timeout=10)
    may_end.set()
    assert document.come.acquire(timeout=10)
    for tick in document.ticks:
        tick()
    assert said == [2]
