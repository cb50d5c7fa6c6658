"""Workers of a server: started, replaced when they are killed, and ended all together."""

import logging
import os
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

logger = logging.getLogger(__name__)

GRACE = 10.0  # s that running answers have to end
_LONGER = 5.0  # s until those that do not end are killed
_RESTLESS = 2.0  # s; a worker that lives no longer than that is not started again at once
_PATIENCE = 120.0  # s that the next worker waits for the last one to be ready
_TICK = 0.1

Work = Callable[[Callable[[], None]], None]


@dataclass(frozen=True)
class _Worker:
    """A process, and the end of a pipe at which it says that it is ready."""

    pid: int
    told: int
    begun: float = field(default_factory=time.monotonic)

    @property
    def is_ready(self) -> bool:
        """Whether it has said so, or has ended, or lets others wait too long."""
        waited = time.monotonic() - self.begun
        return bool(select.select([self.told], [], [], 0)[0]) or waited > _PATIENCE

    def has_ended(self) -> bool:
        """Whether it has; to be asked once more only if not."""
        ended = bool(os.waitpid(self.pid, os.WNOHANG)[0])
        if ended:
            os.close(self.told)
        return ended


def supervise(work: Work, n_workers: int) -> None:
    """Run workers until SIGTERM or SIGINT, then end them all.

    They are started one after the other, each when the one before is ready: who comes first is
    answered by one worker that has the machine for itself, and not by many that start.

    Parameters
    ----------
    work : callable
        What a worker does, in a process of its own, until it is told to end by SIGTERM. It is
        given what to call when it is ready.
    n_workers : int
    """
    ending = False

    def end(number: int, frame: object) -> None:
        nonlocal ending
        ending = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    workers: list[_Worker] = []
    while not ending:
        for worker in _ended(workers):
            lived = time.monotonic() - worker.begun
            logger.warning("A worker ended after %.0f s, and is replaced.", lived)
            if lived < _RESTLESS:
                time.sleep(_RESTLESS)
        if len(workers) < n_workers and all(worker.is_ready for worker in workers):
            workers.append(_start(work))
        time.sleep(_TICK)
    _end_all(workers)


def _start(work: Work) -> _Worker:
    told, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        return _Worker(pid, told)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    code = 1
    try:
        work(lambda: os.close(tell))
        code = 0
    except Exception:
        logger.exception("A worker failed")
    finally:
        os._exit(code)


def _ended(workers: list[_Worker]) -> list[_Worker]:
    """Take those that have ended out of the list."""
    ended = [worker for worker in workers if worker.has_ended()]
    workers[:] = [worker for worker in workers if worker not in ended]
    return ended


def _end_all(workers: list[_Worker]) -> None:
    given_up = time.monotonic() + GRACE + _LONGER
    for worker in workers:
        os.kill(worker.pid, signal.SIGTERM)
    while workers and time.monotonic() < given_up:
        _ended(workers)
        time.sleep(_TICK / 2)
    for worker in workers:
        os.kill(worker.pid, signal.SIGKILL)
        os.waitpid(worker.pid, 0)
