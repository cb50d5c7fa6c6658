"""Trainings of all visitors: one at a time, each in a process of its own, the others in a queue."""

import json
import logging
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sspexplorer.errors import InputError
from sspexplorer.jobs import process as module
from sspexplorer.jobs import python
from sspexplorer.jobs.process import STOP, Task
from sspexplorer.networks.model import Model

WAITING, RUNNING, DONE, FAILED, CANCELLED = "waiting", "running", "done", "failed", "cancelled"

logger = logging.getLogger(__name__)


class Training:
    """A training that waits, runs or has ended. A thread keeps its attributes up to date.

    Parameters
    ----------
    task : Task
    finish : callable, optional
        What to do with the model, in that thread, before the training counts as done.

    Attributes
    ----------
    state : str
        WAITING, RUNNING, DONE, FAILED or CANCELLED.
    stage : str
        Kind of work that is being done.
    fraction : float
        Part of the training that is done.
    epoch : int
        Epochs finished.
    seconds_left : float or None
        Of the training itself; None until that can be said.
    losses : dict
        ``train`` and ``validation``: mean squared errors of the three parameters (dex², dex²,
        mag²), one tuple for each finished epoch.
    stopping : bool
        Whether it was asked to stop.
    trouble : str
        Why it failed, in a sentence.
    model : Model or None
        What came of it.
    result : object
        What ``finish`` made of the model.
    seconds : float
        Wall time from start to end.
    """

    def __init__(self, task: Task, finish: Callable[[Model], Any] | None = None) -> None:
        self.task = task
        self.state, self.stage, self.trouble = WAITING, "", ""
        self.fraction, self.epoch, self.seconds = 0.0, 0, 0.0
        self.seconds_left: float | None = None
        self.losses: dict[str, list[tuple[float, ...]]] = {"train": [], "validation": []}
        self.stopping = False
        self.model: Model | None = None
        self.result: Any = None
        self._finish = finish
        self._process: subprocess.Popen | None = None
        self._lock = threading.Lock()

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in (DONE, FAILED, CANCELLED)

    @property
    def pid(self) -> int | None:
        """Number of its process, while there is one."""
        process = self._process
        return process.pid if process else None

    def stop(self) -> None:
        """End the training early; the best weights so far are kept."""
        self.stopping = True
        with self._lock:
            if self._process:
                self._send(STOP)

    def cancel(self) -> None:
        """End everything at once; nothing is kept."""
        with self._lock:
            self.state = CANCELLED
            if self._process:
                self._process.kill()

    def run(self) -> None:
        """Train to the end, whatever that is."""
        begun = time.monotonic()
        try:
            with tempfile.TemporaryDirectory(prefix="sspexplorer-") as folder:
                self._train(folder)
                if self.state == RUNNING:
                    self.model = Model.load(Path(folder))
            if self.model and self._finish:
                self.stage = "Comparing it with the others"
                self.result = self._finish(self.model)
            self._end(DONE)
        except InputError as error:
            self.trouble = str(error)
            self._end(FAILED)
        except Exception as error:
            logger.exception("A training failed")
            self.trouble = (
                f"The training failed: {type(error).__name__}. The server's log says why."
            )
            self._end(FAILED)
        finally:
            self.seconds = time.monotonic() - begun

    def _end(self, state: str) -> None:
        with self._lock:
            if self.state == RUNNING:
                self.state = state

    def _train(self, folder: str) -> None:
        with self._lock:
            if self.state == CANCELLED:
                return
            self._process = process = python.start(module.__name__, threads=spare_cores())
            self._send(f"{folder}\n{self.task.to_json()}")
            if self.stopping:
                self._send(STOP)
        saved = False
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        for line in stdout:
            message = json.loads(line)
            saved = saved or "saved" in message
            self._take(message)
        stdin.close()
        code = process.wait()
        with self._lock:
            self._process = None
        if not saved and self.state == RUNNING:
            raise InputError(self.trouble or _death(code))

    def _take(self, message: dict) -> None:
        self.stage = message.get("stage", self.stage)
        self.trouble = message.get("refused", self.trouble)
        self.fraction = message.get("fraction", self.fraction)
        self.seconds_left = message.get("seconds_left", self.seconds_left)
        if "validation" in message:
            for split, values in self.losses.items():
                values.append(tuple(message[split]))
        # Last, so that the losses of an epoch are there when it counts as finished.
        self.epoch = message.get("epoch", self.epoch)

    def _send(self, line: str) -> None:
        pipe = self._process.stdin if self._process else None
        if pipe is None:
            return
        try:
            pipe.write(line + "\n")
            pipe.flush()
        except OSError:
            # It has ended already, which is noticed where its answers are read.
            pass


class TrainingQueue:
    """First come, first served, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Training] = []
        self._running: Training | None = None

    @property
    def trainings(self) -> list[Training]:
        """What runs and what waits, in the order in which they end."""
        with self._lock:
            return [*([self._running] if self._running else []), *self._waiting]

    def add(self, training: Training) -> None:
        """Start a training as soon as those before it have ended."""
        with self._lock:
            self._waiting.append(training)
        self._advance()

    def place(self, training: Training) -> int:
        """How many have to end before this one starts."""
        with self._lock:
            if training not in self._waiting:
                return 0
            return self._waiting.index(training) + (self._running is not None)

    def leave(self, training: Training) -> None:
        """Take a training out, running or not; nothing is kept of it."""
        with self._lock:
            if training in self._waiting:
                self._waiting.remove(training)
        if not training.ended:
            training.cancel()

    def close(self) -> int:
        """Take all trainings out, since the server ends; how many there were."""
        with self._lock:
            left = [*self._waiting, *filter(None, [self._running])]
        for training in left:
            self.leave(training)
        return len(left)

    def _advance(self) -> None:
        with self._lock:
            if self._running or not self._waiting:
                return
            self._running = training = self._waiting.pop(0)
            training.state = RUNNING
        # Daemons, so that a server that is told to end does.
        threading.Thread(target=self._run, args=(training,), name="training", daemon=True).start()

    def _run(self, training: Training) -> None:
        try:
            training.run()
        finally:
            with self._lock:
                self._running = None
            self._advance()


# Of this server.
QUEUE = TrainingQueue()


def spare_cores() -> int:
    """Cores that a training may use: all but one, which is left to the pages."""
    known = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    return max(1, cores - 1)


def _death(code: int) -> str:
    how = f"with code {code}"
    if code < 0:
        how = f"killed by {signal.Signals(-code).name}, perhaps for want of memory"
    return f"The training process ended too soon, {how}. Nothing is kept; try it with fewer mocks."
