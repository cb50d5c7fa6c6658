"""Work beside the server's event loop: the latest question wins, progress is shown, trouble told.

Whatever takes longer than a blink runs in a thread. It is given a
:class:`~sspexplorer.progress.Progress`, to tell how far it is and to be asked to stop.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import panel as pn
from bokeh.document import Document

from sspexplorer.app.kit import parts
from sspexplorer.app.kit.lanes import Lanes
from sspexplorer.app.kit.theme import css
from sspexplorer.catalogue.ways import for_page
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.progress import Progress

T = TypeVar("T")
Work = Callable[[Progress], T]

_QUIET = 250  # ms; what takes less is not announced
_TICK = 100  # ms between looks at what runs
# Answers that pages ask for, most of them a picture.
QUICK = Lanes(threads=6, share=2, name="work")
# What a visitor starts and waits for, minutes for a large catalogue: however many do, pictures of
# the others do not wait for it.
LONG = Lanes(threads=6, share=1, name="long work")
# Files are read in processes, each as large as the limits allow: few at a time, one a visitor.
READING = Lanes(threads=3, share=1, name="reading")

logger = logging.getLogger(__name__)


def n_running() -> int:
    """How many pieces of work of all visitors run or wait."""
    return QUICK.n_running + LONG.n_running + READING.n_running


def served_document() -> Document | None:
    """Document of a visitor to the server; None in a notebook, also while a cell's page answers.

    There is a document then, too, but nothing calls back what is left with it for later.
    """
    document = pn.state.curdoc
    return document if document and document.session_context else None


def sentence_of(error: Exception) -> str:
    """What to tell a visitor of something that went wrong."""
    if isinstance(error, InputError):
        return for_page(str(error))
    if isinstance(error, MemoryError):
        return "That needs more memory than the server has; try with fewer rows."
    return f"That did not work: {type(error).__name__}. The server's log says more."


def counting(progress: Progress, words: str, n_rows: int) -> Progress:
    """Progress that says how many rows are done, such as "Predicting: 1,200 of 4,800 rows"."""

    def report(fraction: float, other_words: str | None) -> None:
        rows = f"{words}: {int(fraction * n_rows):,} of {n_rows:,} rows"
        progress.report(fraction, other_words or rows)

    return Progress(report, progress.is_cancelled)


@dataclass(eq=False)
class _Job:
    """Something that runs: what is said of it, and whether it should stop."""

    words: str
    fraction: float | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def progress(self) -> Progress:
        return Progress(self._take, self._stop.is_set)

    def cancel(self) -> None:
        self._stop.set()

    def do(self, work: Work[T]) -> T:
        """Do the work, unless it was cancelled while it waited for its turn."""
        self.progress.check()
        return work(self.progress)

    def _take(self, fraction: float, words: str | None) -> None:
        self.fraction, self.words = fraction, words or self.words


@dataclass(frozen=True)
class Outcome:
    """How a piece of work ended: ``done`` with a ``value``, or not, or overtaken by a later one."""

    value: Any = None
    done: bool = False
    overtaken: bool = False


class Worker(pn.viewable.Viewer):
    """Does one thing at a time; what is begun later takes the place of what runs.

    On a page it is a bar that shows progress and cancels, over what went wrong. A page that has
    its own ways to say either does without.

    Parameters
    ----------
    on_busy : callable, optional
        Called with True when work takes long enough to say so (with :meth:`run`: at once), and
        with False when it has ended.
    on_trouble : callable, optional
        Called with what went wrong. Unless given, the worker itself says it.
    """

    def __init__(
        self,
        on_busy: Callable[[bool], None] | None = None,
        on_trouble: Callable[[Exception], None] | None = None,
    ) -> None:
        super().__init__()
        self._on_busy = on_busy or (lambda busy: None)
        self._on_trouble = on_trouble or self.tell
        self._document = served_document()
        self._question: Any = None
        self._job: _Job | None = None
        self._said = ""
        self._bar: _Bar | None = None

    def __panel__(self) -> pn.Column:
        """Progress and trouble under each other; nothing while there is neither."""
        self._bar = self._bar or _Bar(self.cancel)
        return self._bar.layout

    @property
    def question(self) -> Any:
        """The latest question; None before the first."""
        return self._question

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._job is not None

    @property
    def trouble(self) -> str:
        """What is said to have gone wrong; "" if nothing is."""
        return self._said

    def ask(self, question: Any, work: Work[T], show: Callable[[T], None], words: str = "") -> None:
        """Have something worked out and shown, unless it is the latest question already.

        Outside a server, in a notebook or a test, it is answered at once.

        Parameters
        ----------
        question : object
            What is asked, comparable with ``==``.
        work : callable
            Works out the answer. Runs in a thread, so it must not touch the page.
        show : callable
            Called with the answer; all it changes reaches the browser in one message.
        words : str
            What is going on.
        """
        if question == self._question:
            return
        job = self._begin(words)
        self._question = question
        if self._document is None:
            self._answer(job, work, show)
            return
        self._document.add_timeout_callback(partial(self._watch, job), _QUIET)
        QUICK.submit(self._document, self._answer, job, work, show)

    async def run(self, words: str, work: Work[T], lanes: Lanes = LONG) -> Outcome:
        """Do work in a thread and wait for it. The outcome says only whether it was done."""
        job = self._begin(words)
        self.clear()
        self._on_busy(True)
        task = asyncio.wrap_future(lanes.submit(self._document, job.do, work))
        begun = time.monotonic()
        while not task.done() and self._job is job:
            await asyncio.wait({task}, timeout=_TICK / 1000)
            if self._job is job and time.monotonic() - begun > _QUIET / 1000:
                self._show_progress(job)
        if self._job is not job:
            task.add_done_callback(_ignore)
            return Outcome(overtaken=self._job is not None)
        self._end()
        try:
            return Outcome(task.result(), done=True)
        except Cancelled:
            return Outcome()
        except Exception as error:
            self._fail(error)
            return Outcome()

    def cancel(self) -> None:
        """Stop what runs, or at least wait for it no longer; its question can be asked again."""
        self._question = None
        if self._job:
            self._job.cancel()
            self._end()

    def clear(self) -> None:
        """Take back what was said of trouble."""
        self._said = ""
        if self._bar:
            self._bar.trouble.visible = False

    def tell(self, error: Exception) -> None:
        """Say in a sentence what went wrong."""
        self._said = sentence_of(error)
        if self._bar:
            self._bar.trouble[:] = [parts.problem(self._said)]
            self._bar.trouble.visible = True

    def _begin(self, words: str) -> _Job:
        if self._job:
            self._job.cancel()
        self._question, self._job = None, _Job(words)
        return self._job

    def _answer(self, job: _Job, work: Work[T], show: Callable[[T], None]) -> None:
        if job is not self._job:
            return
        try:
            answer = work(job.progress)
        except Cancelled:
            self._then(job, self.cancel)
        except Exception as error:
            self._then(job, partial(self._fail, error))
        else:
            self._then(job, partial(show, answer))

    def _then(self, job: _Job, act: Callable[[], None]) -> None:
        def run() -> None:
            if job is not self._job:
                return
            # Picture, numbers and words change in one message, so at the same moment; and what the
            # document consists of is counted once, not for each of them.
            with pn.io.hold(self._document, freeze=True):
                self._end()
                act()

        if self._document is None:
            run()
        else:
            self._document.add_next_tick_callback(run)

    def _end(self) -> None:
        self._job = None
        if self._bar:
            self._bar.busy.visible = False
        self._on_busy(False)

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, InputError | MemoryError):
            logger.error("Work failed", exc_info=error)
        self._on_trouble(error)

    def _watch(self, job: _Job, said: bool = False) -> None:
        """Say that something is being worked out, and how far it is for as long as it takes."""
        if job is not self._job:
            return
        if not said:
            self._on_busy(True)
        if self._bar:
            self._show_progress(job)
            self._document.add_timeout_callback(partial(self._watch, job, True), _TICK)

    def _show_progress(self, job: _Job) -> None:
        if self._bar:
            self._bar.show(job)


class _Bar:
    """What a worker shows of its work: over the page, so that nothing moves when it comes."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        self._doing, self._words = parts.note(""), ""
        self._bar = pn.indicators.Progress(
            value=0, max=100, sizing_mode="stretch_width", height=6, margin=0
        )
        button = pn.widgets.Button(label="Cancel", width=90)
        button.on_click(lambda event: cancel())
        self.busy = pn.Row(
            parts.stack(self._doing, self._bar, gap=6),
            button,
            stylesheets=[css("busy")],
            visible=False,
        )
        self.trouble = pn.Column(sizing_mode="stretch_width", margin=(0, 0, 18, 0), visible=False)
        self.layout = pn.Column(self.busy, self.trouble, sizing_mode="stretch_width", margin=0)

    def show(self, job: _Job) -> None:
        told = job.fraction is not None and job.fraction < 1
        words = job.words if told else f"{job.words} …"
        # Ten times a second: it must cost nothing while there is nothing new.
        if words != self._words:
            self._words, self._doing.object = words, parts.note(words).object
        self._bar.param.update(visible=told, value=int(100 * (job.fraction or 0)))
        self.busy.visible = True


def _ignore(task: asyncio.Future) -> None:
    """Take the outcome of a task nobody waits for any more, so that nothing is logged of it."""
    if not task.cancelled():
        task.exception()
