"""Tables are made beside the server's event loop, and only the latest question is answered.

For work that is told of and can be cancelled see :mod:`sspexplorer.app.kit.work`.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

import panel as pn

from sspexplorer.errors import InputError

T = TypeVar("T")

_BUSY_AFTER = 250  # ms; what is quicker than that needs no word
_WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="background")

logger = logging.getLogger(__name__)


class Background:
    """Answers the questions of one page, in a thread; a question overtakes those before it.

    Outside a server, in a notebook or a test, each question is answered at once.

    Parameters
    ----------
    busy : callable
        Called with True when an answer takes long enough to say so, and with False once it is
        there.
    trouble : callable
        Called with one sentence when there is no answer.
    """

    def __init__(self, busy: Callable[[bool], None], trouble: Callable[[str], None]) -> None:
        self._busy, self._trouble = busy, trouble
        self._document = pn.state.curdoc
        self._question: Any = None
        self._waiting = False

    @property
    def question(self) -> Any:
        """The latest question; None before the first."""
        return self._question

    def ask(self, question: Any, work: Callable[[], T], show: Callable[[T], None]) -> None:
        """Have something worked out and shown, unless it is the latest question already.

        Parameters
        ----------
        question : object
            What is asked, comparable with ``==``.
        work : callable
            Works out the answer. Runs in a thread, so it must not touch the page.
        show : callable
            Called with the answer; all it changes reaches the browser in one message.
        """
        if question == self._question:
            return
        self._question, self._waiting = question, True
        if self._document is None:
            self._answer(question, work, show)
            return
        self._document.add_timeout_callback(partial(self._tell, question), _BUSY_AFTER)
        _WORKERS.submit(self._answer, question, work, show)

    def forget(self) -> None:
        """Drop the latest question, so that it can be asked again."""
        self._question = None

    def _answer(self, question: Any, work: Callable[[], T], show: Callable[[T], None]) -> None:
        if question != self._question:
            return
        try:
            answer = work()
        except InputError as error:
            self._then(question, partial(self._trouble, str(error)))
        except Exception:
            logger.exception("Cannot answer %r", question)
            self._then(
                question,
                partial(self._trouble, "That did not work; the server's log says why."),
            )
        else:
            self._then(question, partial(show, answer))

    def _then(self, question: Any, act: Callable[[], None]) -> None:
        def run() -> None:
            if question != self._question:
                return
            self._waiting = False
            # Picture, numbers and words change in one message, so at the same moment; and what the
            # document consists of is counted once, not for each of them.
            with pn.io.hold(self._document, freeze=True):
                self._busy(False)
                act()

        if self._document is None:
            run()
        else:
            self._document.add_next_tick_callback(run)

    def _tell(self, question: Any) -> None:
        if self._waiting and question == self._question:
            self._busy(True)
