"""Threads that visitors share fairly: whoever asks for much waits behind their own work alone."""

import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Lanes:
    """A pool of threads in which each visitor has a queue, and no more than a share of threads.

    Parameters
    ----------
    threads : int
        Of all visitors.
    share : int
        Of one.
    name : str
        What the threads are called.
    """

    def __init__(self, threads: int, share: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._threads, self._share = threads, share
        self._lock = threading.Lock()
        # Visitors who wait, the one whose turn it is first, and how much runs for each.
        self._waiting: dict[Hashable, deque[tuple[Future, Callable, tuple]]] = {}
        self._running: dict[Hashable, int] = {}

    def submit(self, visitor: Hashable, act: Callable[..., Any], *args: Any) -> Future:
        """Have something done as soon as it is the visitor's turn."""
        future: Future = Future()
        with self._lock:
            self._waiting.setdefault(visitor, deque()).append((future, act, args))
            self._start()
        return future

    @property
    def n_running(self) -> int:
        """How much runs now, or waits."""
        with self._lock:
            return sum(self._running.values()) + sum(map(len, self._waiting.values()))

    def _start(self) -> None:
        """Start what may run now; the lock is held."""
        for visitor in list(self._waiting):
            if sum(self._running.values()) >= self._threads:
                return
            if self._running.get(visitor, 0) >= self._share:
                continue
            # Whoever had a turn goes to the end.
            queue = self._waiting.pop(visitor)
            work = queue.popleft()
            if queue:
                self._waiting[visitor] = queue
            self._running[visitor] = self._running.get(visitor, 0) + 1
            self._pool.submit(self._run, visitor, *work)

    def _run(self, visitor: Hashable, future: Future, act: Callable, args: tuple) -> None:
        try:
            if future.set_running_or_notify_cancel():
                try:
                    result = act(*args)
                except BaseException as error:
                    future.set_exception(error)
                else:
                    future.set_result(result)
        finally:
            with self._lock:
                self._running[visitor] -= 1
                if not self._running[visitor]:
                    del self._running[visitor]
                self._start()
                # A visitor may have several that wait, and a larger share than one.
                self._start()
