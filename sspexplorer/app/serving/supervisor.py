"""Workers of a server: started, replaced when they are killed, and ended all together."""

import logging
import os
import signal
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

GRACE = 10.0  # s that running answers have to end
_LONGER = 5.0  # s until those that do not end are killed
_RESTLESS = 2.0  # s; a worker that lives no longer than that is not started again at once


def supervise(work: Callable[[], None], n_workers: int) -> None:
    """Run workers until SIGTERM or SIGINT, then end them all.

    Parameters
    ----------
    work : callable
        What a worker does, in a process of its own, until it is told to end by SIGTERM.
    n_workers : int
    """
    ending = False

    def end(number: int, frame: object) -> None:
        nonlocal ending
        ending = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    workers = {_start(work): time.monotonic() for _ in range(n_workers)}
    while workers and not ending:
        for pid in _ended(workers):
            lived = time.monotonic() - workers.pop(pid)
            logger.warning("A worker ended after %.0f s, and is replaced.", lived)
            if lived < _RESTLESS:
                time.sleep(_RESTLESS)
            workers[_start(work)] = time.monotonic()
        time.sleep(0.1)
    _end_all(workers)


def _start(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    code = 1
    try:
        work()
        code = 0
    except Exception:
        logger.exception("A worker failed")
    finally:
        os._exit(code)


def _ended(workers: dict[int, float]) -> list[int]:
    return [pid for pid in workers if os.waitpid(pid, os.WNOHANG)[0]]


def _end_all(workers: dict[int, float]) -> None:
    left, given_up = dict(workers), time.monotonic() + GRACE + _LONGER
    for pid in left:
        os.kill(pid, signal.SIGTERM)
    while left and time.monotonic() < given_up:
        for pid in _ended(left):
            del left[pid]
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
