"""Long work in a thread: progress in sight, cancelled at a click, trouble told in a sentence."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import panel as pn

from sspexplorer.app.kit import parts
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.progress import Progress

_QUIET = 0.3  # s; what takes less is not announced
_TICK = 0.1  # s between looks at a running job

# Over the page and not in it: nothing moves when it comes, and it is in sight wherever one is.
_BUSY_CSS = """
:host {
  align-items: center; background: var(--ssp-page, #fff);
  border: 1px solid var(--ssp-line, #d4d8df);
  border-radius: 10px; bottom: 20px; box-shadow: 0 6px 24px rgb(0 0 0 / 16%); gap: 18px;
  left: 50%; margin: 0 !important; padding: 12px 16px 12px 18px; position: fixed;
  transform: translateX(-50%); width: min(560px, 92vw) !important; z-index: 15;
}
"""

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(eq=False)
class Job:
    """Something that runs in a thread.

    Attributes
    ----------
    words : str
        What is going on; the work itself may change it.
    n_rows : int
        Rows to do, where they are counted.
    fraction : float or None
        Part of them that is done; None if that cannot be said.
    """

    words: str
    n_rows: int = 0
    fraction: float | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def progress(self) -> Progress:
        """What the work reports to."""
        return Progress(self._take, self.cancelled)

    def _take(self, fraction: float, words: str | None) -> None:
        self.fraction, self.words = fraction, words or self.words

    def cancel(self) -> None:
        """Ask the work to stop."""
        self._stop.set()

    def cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stop.is_set()

    @property
    def text(self) -> str:
        """What is going on, and how far it is."""
        if self.fraction is None or not self.n_rows:
            return f"{self.words} …"
        return f"{self.words}: {int(self.fraction * self.n_rows):,} of {self.n_rows:,} rows"


@dataclass(frozen=True)
class Outcome:
    """How a piece of work ended: ``done`` with a ``value``, or not, or overtaken by a later one."""

    value: Any = None
    done: bool = False
    overtaken: bool = False


class Worker(pn.viewable.Viewer):
    """Does one thing at a time; what is begun later takes the place of what runs.

    Parameters
    ----------
    on_change : callable
        Called with whether something runs, when that changes.
    """

    def __init__(self, on_change: Callable[[bool], None]) -> None:
        super().__init__()
        self._on_change = on_change
        self._job: Job | None = None
        self._said = ""
        self._doing = pn.Column(sizing_mode="stretch_width", margin=0)
        self._bar = pn.indicators.Progress(
            value=0, max=100, sizing_mode="stretch_width", height=6, margin=0
        )
        cancel = pn.widgets.Button(label="Cancel", width=90)
        cancel.on_click(lambda event: self.cancel())
        self._busy = pn.Row(
            parts.stack(self._doing, self._bar, gap=6),
            cancel,
            stylesheets=[_BUSY_CSS],
            visible=False,
        )
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=(0, 0, 18, 0), visible=False)

    def __panel__(self) -> pn.Column:
        """Progress and trouble under each other; nothing while there is neither."""
        return pn.Column(self._busy, self._trouble, sizing_mode="stretch_width", margin=0)

    @property
    def busy(self) -> bool:
        """Whether something runs."""
        return self._job is not None

    @property
    def trouble(self) -> str:
        """What is said to have gone wrong; "" if nothing is."""
        return self._said if self._trouble.visible else ""

    async def run(self, job: Job, work: Callable[[Job], T]) -> Outcome:
        """Do work in a thread. Failing is told on the page; the outcome says only that it did."""
        if self._job:
            self._job.cancel()
        self.clear()
        self._job = job
        self._on_change(True)
        task = asyncio.ensure_future(asyncio.to_thread(work, job))
        begun = time.monotonic()
        while not task.done() and self._job is job:
            await asyncio.wait({task}, timeout=_TICK)
            if self._job is job and time.monotonic() - begun > _QUIET:
                self._tell_progress(job)
        if self._job is not job:
            task.add_done_callback(_ignore)
            return Outcome(overtaken=self._job is not None)
        self._end()
        try:
            return Outcome(task.result(), done=True)
        except Cancelled:
            return Outcome()
        except Exception as error:
            self.tell(error)
            return Outcome()

    def cancel(self) -> None:
        """Stop what runs, or at least wait for it no longer."""
        if self._job:
            self._job.cancel()
            self._end()

    def clear(self) -> None:
        """Take back what was said of trouble."""
        self._trouble.visible = False

    def tell(self, error: Exception) -> None:
        """Say in a sentence what went wrong."""
        if isinstance(error, InputError):
            self._said = str(error)
        elif isinstance(error, MemoryError):
            self._said = "That needs more memory than the server has; try with fewer rows."
        else:
            logger.error("Work failed", exc_info=error)
            self._said = f"That did not work: {type(error).__name__}. The server's log says more."
        self._trouble[:] = [parts.problem(self._said)]
        self._trouble.visible = True

    def _end(self) -> None:
        self._job = None
        self._busy.visible = False
        self._on_change(False)

    def _tell_progress(self, job: Job) -> None:
        self._doing[:] = [parts.note(job.text)]
        self._bar.visible = job.fraction is not None
        self._bar.value = int(100 * (job.fraction or 0))
        self._busy.visible = True


def _ignore(task: asyncio.Future) -> None:
    """Take the outcome of a task nobody waits for any more, so that nothing is logged of it."""
    if not task.cancelled():
        task.exception()
