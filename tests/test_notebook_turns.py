"""A kernel that answers pages in threads of their own: one thing at a time all the same."""

import threading
from types import SimpleNamespace

import IPython
import pytest
from IPython.core.events import EventManager, available_events

from sspexplorer.app.notebook import _one_at_a_time


@pytest.fixture
def shell(monkeypatch) -> SimpleNamespace:
    """A shell whose kernel notes the messages of pages, in the middle of a cell."""
    found = SimpleNamespace(heard=[])
    found.events = EventManager(found, available_events)
    found.kernel = SimpleNamespace(shell_handlers={"comm_msg": lambda *m: found.heard.append(m)})
    monkeypatch.setattr(IPython, "get_ipython", lambda: found)
    return found


def told(shell: SimpleNamespace, message: str) -> threading.Thread:
    """Have a page say something, in another thread."""
    thread = threading.Thread(target=shell.kernel.shell_handlers["comm_msg"], args=(message,))
    thread.start()
    return thread


def test_what_a_page_says_waits_until_the_cell_has_run(shell):
    _one_at_a_time()
    handler = shell.kernel.shell_handlers["comm_msg"]
    _one_at_a_time()  # the first cell run once more wraps nothing twice
    assert shell.kernel.shell_handlers["comm_msg"] is handler
    waits = told(shell, "in the first cell")
    waits.join(0.05)
    assert waits.is_alive()
    assert shell.heard == []
    shell.events.trigger("post_run_cell", None)
    waits.join(5)
    assert shell.heard == [("in the first cell",)]

    told(shell, "between cells").join(5)
    shell.events.trigger("pre_run_cell", None)
    waits = told(shell, "in the second cell")
    # The cell's own thread may answer a page, as it does where there are no others.
    handler("by the cell")
    shell.events.trigger("post_run_cell", None)
    waits.join(5)
    assert [words for (words,) in shell.heard[1:]] == [
        "between cells",
        "by the cell",
        "in the second cell",
    ]


def test_outside_a_notebook_nothing_is_changed(monkeypatch):
    monkeypatch.setattr(IPython, "get_ipython", lambda: None)
    _one_at_a_time()
