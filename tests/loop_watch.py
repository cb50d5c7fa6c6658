"""What holds an event loop: every callback that takes long, and where in the code it was.

A callback's time on the clock counts what other threads and other programs take meanwhile; the
time of its own thread on a processor does not.
"""

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

_TICK = 0.005  # s between looks at where a callback is
_DEPTH = 3  # own functions of a stack that are named, the innermost last
_OWN = str(Path(__file__).resolve().parent.parent / "sspexplorer")


@dataclass(frozen=True)
class Held:
    """A callback that took long.

    Attributes
    ----------
    at : float
        When it ended, s since 1970.
    wall, cpu : float
        How long by the clock, and on a processor (s).
    places : dict of str to int
        Where it was seen, and how often.
    """

    at: float
    wall: float
    cpu: float
    places: dict[str, int]

    @property
    def place(self) -> str:
        """Where it was seen most often."""
        return max(self.places, key=self.places.get) if self.places else "not seen"


@dataclass
class LoopWatch:
    """Watches the callbacks of the event loop of one thread.

    Attributes
    ----------
    least : float
        Callbacks that take less by the clock are not kept (s).
    tell : callable, optional
        Called with each that is kept, on the loop.
    """

    least: float = 0.05
    tell: Callable[[Held], None] | None = None
    held: list[Held] = field(default_factory=list)
    n_callbacks: int = 0
    cpu: float = 0.0
    _begun: float = 0.0
    _seen: Counter = field(default_factory=Counter)
    _thread: int = 0

    @contextmanager
    def watching(self) -> Iterator["LoopWatch"]:
        """Watch the loop of this thread, whichever runs in it."""
        self._thread = threading.get_ident()
        ended = threading.Event()
        looks = threading.Thread(target=self._look, args=(ended,), daemon=True)
        run = asyncio.Handle._run

        def timed(handle: asyncio.Handle) -> Any:
            if threading.get_ident() != self._thread:
                return run(handle)
            begun, cpu = time.monotonic(), time.thread_time()
            self._seen, self._begun = Counter(), begun
            try:
                return run(handle)
            finally:
                self._begun = 0.0
                self._keep(time.monotonic() - begun, time.thread_time() - cpu)

        asyncio.Handle._run = timed
        looks.start()
        try:
            yield self
        finally:
            asyncio.Handle._run = run
            ended.set()
            looks.join()

    def _keep(self, wall: float, cpu: float) -> None:
        self.n_callbacks += 1
        self.cpu += cpu
        if wall >= self.least:
            held = Held(time.time(), wall, cpu, dict(self._seen))
            self.held.append(held)
            if self.tell:
                self.tell(held)

    def _look(self, ended: threading.Event) -> None:
        while not ended.wait(_TICK):
            begun = self._begun
            if begun and time.monotonic() - begun > 2 * _TICK:
                frame = sys._current_frames().get(self._thread)
                if frame is not None:
                    self._seen[_place(frame)] += 1


def _place(frame: FrameType | None) -> str:
    """The innermost functions of this package, and the innermost of all."""
    own: list[str] = []
    assert frame is not None
    leaf = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}"
    while frame is not None and len(own) < _DEPTH:
        if frame.f_code.co_filename.startswith(_OWN):
            name = Path(frame.f_code.co_filename).relative_to(_OWN)
            own.insert(0, f"{name}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " > ".join([*own, leaf])
