"""Recipe `paper-fast` beside recipe `paper`: time, accuracy, and the memory of a training.

    python benchmarks/training.py [--threads N] [--rounds N] [--paper FOLDER] [--other CHECKOUT]

Time: epochs of `paper` and whole trainings of `paper-fast` take turns in one process, on the mocks
that the shipped model `paper` was trained on. The time of its 100 epochs is 100 times that of one.

Accuracy: that of the trained `paper-fast` over that of the shipped `paper`, which had all its 100
epochs, on the same held-out mocks: σ_NMAD at each magnitude, on SSPs never seen and on those seen
under other noise.

Memory: what a training of one epoch adds to the peak of a process that has its libraries, for one
magnitude, 13 and 26, where a sample is kept and where noise is drawn on demand; with --other,
also in another checkout, whose samples are kept.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import MAGNITUDES, PARAMETERS, MockSample, make_mocks
from sspexplorer.models import load_model
from sspexplorer.networks.model import Model
from sspexplorer.networks.recipes import RECIPES, get_recipe
from sspexplorer.networks.training import train

SEED = 1  # of the mocks of the shipped models, see scripts/train_default.py
COUNTS = (1, len(MAGNITUDES), 2 * len(MAGNITUDES))
FAST, SLOW = "paper-fast", "paper"
# Also run by a checkout without mocks on demand.
MEMORY = """
import resource, sys
from sspexplorer import get_recipe, load_library, make_mocks, train
kind, magnitudes = sys.argv[1], [float(m) for m in sys.argv[2].split(",")]
libraries = [load_library(name) for name in ("emiles", "bc03", "popstar")]
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
if kind == "on demand":
    from sspexplorer import mocks_on_demand as make_mocks
train(make_mocks(libraries[:1], magnitudes=[18.0]), get_recipe("paper", epochs=1, batch_size=1024))
before = peak()
train(make_mocks(libraries, magnitudes=magnitudes), get_recipe("paper", epochs=1, batch_size=1024))
print(peak() - before)
"""


def timed(task: Callable[[], Model]) -> tuple[float, float, Model]:
    """Wall time and CPU time in seconds, and the model."""
    wall, cpu = time.perf_counter(), time.process_time()
    model = task()
    return time.perf_counter() - wall, time.process_time() - cpu, model


def speed(sample: MockSample, rounds: int) -> Model:
    """Take turns; print times and their ratios."""
    slow: list[tuple[float, float, Model]] = []
    fast: list[tuple[float, float, Model]] = []
    for _ in range(rounds):
        slow.append(timed(lambda: train(sample, get_recipe(SLOW, epochs=1))))
        fast.append(timed(lambda: train(sample, get_recipe(FAST))))
        slow.append(timed(lambda: train(sample, get_recipe(SLOW, epochs=1))))
    epochs = RECIPES[SLOW].epochs
    for name, place in (("wall", 0), ("CPU", 1)):
        one, whole = (statistics.mean([t[place] for t in times]) for times in (slow, fast))
        print(
            f"{name} time: {SLOW} {one:.1f} s an epoch, {epochs * one:.0f} s for {epochs}; {FAST} "
            f"{whole:.1f} s in all, 1 / {epochs * one / whole:.1f} of it",
            flush=True,
        )
    return fast[-1][2]


def accuracy(fast: Model, slow: Model) -> None:
    """Print σ_NMAD of both and their ratios, at each magnitude."""
    for split in ("ssp", "random"):
        mocks = held_out_mocks(slow, split)
        found = [
            evaluate(model.predict(mocks.flux), mocks.labels)["by_magnitude"]
            for model in (fast, slow)
        ]
        print(f"\nsplit {split}: σ_NMAD of {FAST} / of {SLOW} = ratio")
        worst = 0.0
        for magnitude in found[0]:
            cells = []
            for name in PARAMETERS:
                ours, theirs = (of[magnitude][name]["sigma_nmad"] for of in found)
                worst = max(worst, ours / theirs)
                cells.append(f"{name} {ours:.3f} / {theirs:.3f} = {ours / theirs:.3f}")
            print(f"  i = {magnitude}: {', '.join(cells)}")
        print(f"  greatest ratio {worst:.3f}")


def memory(other: Path | None) -> None:
    """Print how much a training adds to the peak of its process."""
    cases = [("kept", Path(__file__).parents[1]), ("on demand", Path(__file__).parents[1])]
    cases += [("kept", other)] if other else []
    for kind, checkout in cases:
        added = []
        for count in COUNTS:
            magnitudes = np.linspace(MAGNITUDES[0], MAGNITUDES[-1], count)
            command = [sys.executable, "-c", MEMORY, kind, ",".join(map(str, magnitudes))]
            environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
            done = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, env=environment, cwd=checkout
            )
            added.append(float(done.stdout))
        words = f"{kind}{', ' + str(checkout) if checkout == other else ''}"
        found = ", ".join(f"{a:.0f} MiB for {n}" for a, n in zip(added, COUNTS, strict=True))
        print(f"training adds, by the number of magnitudes, {found} ({words})", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, help="of torch; its own choice unless given")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--paper", default="paper", help="the model that took all its epochs")
    parser.add_argument("--other", type=Path, help="a checkout to measure the memory of as well")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    memory(options.other)
    fast = speed(make_mocks(LIBRARY_NAMES, seed=SEED), options.rounds)
    accuracy(fast, load_model(options.paper))


if __name__ == "__main__":
    main()
