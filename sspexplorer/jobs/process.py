"""One training in a process of its own, so that neither the server nor its visitors wait for it.

    python -m sspexplorer.jobs.process

It reads a :class:`Task` from standard input, one line of JSON, and writes what happens to standard
output, a line of JSON each:

- ``{"stage": WORDS}`` when another kind of work begins;
- ``{"fraction", "epoch", "seconds_left"}`` while it trains, and with ``"train"`` and
  ``"validation"``, mean squared errors of the three parameters, when an epoch is finished;
- at the end ``{"saved": true}``, the model being in the folder of the task, or ``{"refused":
  SENTENCE}``.

A line ``stop`` on standard input ends the training; the best weights so far are saved. When
standard input ends the server is gone, and so is this process, whatever it was doing.
"""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from io import FileIO
from pathlib import Path
from typing import Any

from sspexplorer.errors import InputError
from sspexplorer.metrics import with_metrics
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.networks.model import Model
from sspexplorer.networks.recipes import Recipe
from sspexplorer.networks.training import TrainingState, train
from sspexplorer.noise import NoiseModel
from sspexplorer.on_demand import MocksOnDemand, mocks_on_demand
from sspexplorer.progress import Progress

STOP = "stop"
_PATIENCE = 0.2  # s between two reports
_LOW_PRIORITY = 5

Tell = Callable[..., None]


@dataclass(frozen=True)
class Task:
    """What to train on what.

    Attributes
    ----------
    recipe : Recipe
    libraries : tuple of str
    n_mocks : int
        Mocks to train and validate on, drawn at random; 0 for all there are.
    continuous_ebv : bool
        See :func:`~sspexplorer.mocks.make_mocks`.
    seed : int
        Of the mocks, of their choice, of the initial weights and of the order of the batches.
    noise : dict or None
        A :class:`~sspexplorer.noise.NoiseModel` as a dict; None for the default.
    """

    recipe: Recipe
    libraries: tuple[str, ...]
    n_mocks: int = 0
    continuous_ebv: bool = False
    seed: int = 0
    noise: dict | None = None

    def to_json(self) -> str:
        """Write on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Task":
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        InputError
            If the recipe cannot be trained with.
        """
        values = json.loads(text)
        recipe = Recipe(**values.pop("recipe"))
        return cls(recipe, tuple(values.pop("libraries")), **values)

    def sample(self) -> MockSample | MocksOnDemand:
        """Mocks to train and validate on; without their noise where E(B−V) is on the grid."""
        noise = NoiseModel.from_dict(self.noise) if self.noise else None
        sample: MockSample | MocksOnDemand
        if self.continuous_ebv:
            sample = make_mocks(self.libraries, continuous_ebv=True, noise=noise, seed=self.seed)
        else:
            sample = mocks_on_demand(self.libraries, noise=noise, seed=self.seed)
        return sample.subset(self.n_mocks, self.seed) if self.n_mocks else sample


class _Reporter:
    """Passes the progress of a training on: each epoch, and now and then in between."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._epoch, self._told = 0, 0.0

    def __call__(self, progress: TrainingState) -> None:
        """Report, unless it has just been done and nothing is new."""
        now = time.monotonic()
        if progress.epoch == self._epoch and now - self._told < _PATIENCE:
            return
        losses = {}
        if progress.epoch > self._epoch:
            losses = {"train": progress.train_loss, "validation": progress.validation_loss}
        self._epoch, self._told = progress.epoch, now
        self._tell(
            fraction=progress.fraction,
            epoch=progress.epoch,
            seconds_left=progress.seconds_left,
            **losses,
        )


def carry_out(task: Task, folder: Path, tell: Tell, should_stop: Callable[[], bool]) -> None:
    """Train, measure, and save the model into ``folder``.

    Parameters
    ----------
    task : Task
    folder : Path
    tell : callable
        Called with what happens, as keywords.
    should_stop : callable
        Asked at every batch.
    """
    tell(stage="Making the mocks")
    sample = task.sample()
    tell(stage="Training")
    stopping = Progress(is_cancelled=should_stop)
    model = train(sample, task.recipe, seed=task.seed, watch=_Reporter(tell), progress=stopping)
    tell(stage="Measuring it on mocks of SSPs held out")
    model = with_metrics(model)
    replace(model, card=model.card | {"train_again": _script(task, model)}).save(folder)
    tell(saved=True)


def _script(task: Task, model: Model) -> list[str]:
    """Lines of Python that repeat the training, ``card`` being that of the model."""
    make = "make_mocks" if task.continuous_ebv else "mocks_on_demand"
    made = f"{'continuous_ebv=True, ' * task.continuous_ebv}noise=noise, seed={task.seed}"
    subset = f".subset({task.n_mocks}, {task.seed})" if task.n_mocks else ""
    return [
        'noise = NoiseModel.from_dict(card["sample"]["noise"])',
        f"sample = {make}({list(task.libraries)}, {made}){subset}",
        f'model = train(sample, Recipe(**card["recipe"]), seed={task.seed})',
    ]


def _listen(source: FileIO, stop: threading.Event) -> None:
    for line in source:
        if line.decode().strip() == STOP:
            stop.set()
    os._exit(1)


def main() -> None:
    """Carry out the task that is given on standard input."""
    # Whatever a library prints goes to standard error; only reports go to standard output.
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as output:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

        def tell(**message: Any) -> None:
            output.write(json.dumps(message) + "\n")
            output.flush()

        # Ctrl-C is for the server, which takes this process with it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if hasattr(os, "nice"):
            os.nice(_LOW_PRIORITY)
        # Without a buffer, whose lock a thread that still reads would hold when Python ends.
        source = FileIO(sys.stdin.fileno(), closefd=False)
        folder, task = (source.readline().decode().rstrip("\n") for _ in range(2))
        stop = threading.Event()
        threading.Thread(target=_listen, args=(source, stop), daemon=True).start()
        try:
            carry_out(Task.from_json(task), Path(folder), tell, stop.is_set)
        except InputError as error:
            tell(refused=str(error))


if __name__ == "__main__":
    main()
