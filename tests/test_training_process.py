"""Training in a process of its own: what it tells, how it stops, dies and queues."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from sspexplorer.errors import InputError
from sspexplorer.jobs.process import Task
from sspexplorer.jobs.queue import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    WAITING,
    Training,
    TrainingQueue,
)
from sspexplorer.mocks import make_mocks
from sspexplorer.networks.recipes import Recipe, get_recipe

QUICK = Task(
    Recipe("quick", epochs=2, batch_size=1000, learning_rate=0.004, standardise=True),
    ("emiles",),
    n_mocks=2000,
    seed=3,
)
# Never ends by itself while a test is watching.
ENDLESS = replace(QUICK, recipe=replace(QUICK.recipe, epochs=100_000))


def wait(condition: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def queue() -> Iterator[TrainingQueue]:
    made = TrainingQueue()
    yield made
    for training in made.trainings[::-1]:
        made.leave(training)


def started(queue: TrainingQueue, task: Task) -> Training:
    training = Training(task)
    queue.add(training)
    return training


def test_a_task_survives_json():
    task = replace(QUICK, noise={"description": "σ"})
    assert Task.from_json(task.to_json()) == task
    assert "\n" not in task.to_json()


def test_the_process_trains_what_its_card_says(queue):
    told = Training(QUICK, finish=lambda model: model.card["seed"])
    queue.add(told)
    wait(lambda: told.ended)
    assert (told.state, told.trouble) == (DONE, "")
    assert told.result == 3
    card = told.model.card
    code = "from sspexplorer.noise import NoiseModel\n"
    code += "from sspexplorer.on_demand import mocks_on_demand\n"
    code += "from sspexplorer.networks.recipes import Recipe\n"
    code += "from sspexplorer.networks.training import train\n"
    code += "\n".join(card["train_again"])
    names: dict = {"card": card}
    exec(code, names)
    here = names["model"]
    flux = make_mocks(["emiles"], magnitudes=[18.0]).flux
    assert told.model.predict(flux) == pytest.approx(here.predict(flux), abs=1e-3)
    for losses in (told.losses["validation"], card["training"]["validation"]):
        assert losses == [
            pytest.approx(row, rel=1e-3) for row in here.card["training"]["validation"]
        ]
    assert told.fraction == 1
    assert card["sample"]["n_train"] + card["sample"]["n_validation"] == 2000
    assert card["metrics"]["ssp"]["overall"]["ebv"]["n"] > 0


def test_one_trains_at_a_time_stops_or_dies_and_the_others_know_their_place(queue):
    first, second, third, fourth = (started(queue, ENDLESS) for _ in range(4))
    # Several looks for each epoch: had the training held the event loop, there would be one.
    assert asyncio.run(looks(lambda: first.epoch >= 5 or first.ended)) > 20
    assert [t.state for t in (first, second, third, fourth)] == [RUNNING, *[WAITING] * 3]
    assert [queue.place(t) for t in (first, second, third, fourth)] == [0, 1, 2, 3]
    queue.leave(second)
    assert (second.state, queue.place(third)) == (CANCELLED, 1)

    first.stop()
    wait(lambda: first.ended)
    assert first.state == DONE
    card = first.model.card["training"]
    assert card["stopped_early"]
    assert card["epochs_done"] >= 5
    best = np.min(first.losses["validation"], axis=0)
    assert (np.min(card["validation"], axis=0) <= best).all()

    wait(lambda: third.epoch >= 1 or third.ended)
    os.kill(third.pid, signal.SIGKILL)
    wait(lambda: third.ended)
    assert third.state == FAILED
    assert "ended too soon" in third.trouble
    assert "SIGKILL" in third.trouble

    wait(lambda: fourth.pid is not None)
    pid = fourth.pid
    queue.leave(fourth)
    assert (fourth.state, fourth.model) == (CANCELLED, None)
    wait(lambda: not alive(pid))


async def looks(condition: Callable[[], bool]) -> int:
    """How often an event loop can look until something is true."""
    end, count = time.monotonic() + 120, 0
    while not condition() and time.monotonic() < end:
        await asyncio.sleep(0.005)
        count += 1
    return count


def test_stopping_before_the_process_is_up_is_not_lost(queue):
    training = started(queue, ENDLESS)
    training.stop()
    wait(lambda: training.ended)
    assert training.state == DONE


def test_what_cannot_be_trained_is_refused_in_words(queue):
    training = started(queue, replace(QUICK, libraries=("andromeda",)))
    wait(lambda: training.ended)
    assert training.state == FAILED
    assert "andromeda" in training.trouble


def test_the_process_ends_with_the_server():
    code = (
        "import time\n"
        "from sspexplorer.jobs.queue import QUEUE, Training\n"
        "from sspexplorer.jobs.process import Task\n"
        f"training = Training(Task.from_json({ENDLESS.to_json()!r}))\n"
        "QUEUE.add(training)\n"
        "while training.epoch < 1: time.sleep(0.02)\n"
        "print(training.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    child = int(server.stdout.readline())
    os.kill(child, 0)
    server.kill()
    server.wait()
    wait(lambda: not alive(child))


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended may still be listed as a zombie."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_subset_keeps_whole_ssps_held_out():
    sample = make_mocks(["emiles"], magnitudes=[16.0, 18.0])
    subset = sample.subset(300, seed=1)
    assert len(subset.part("train")) + len(subset.part("validation")) == 300
    assert len(subset.part("test")) == len(sample.part("test"))
    home = sample.labels.groupby("ssp")["split"].first()
    assert (subset.labels["split"] == subset.labels["ssp"].map(home)).all()
    assert subset.meta["subset"] == {"n": 300, "seed": 1}
    assert len(sample.subset(10**9)) == len(sample)
    assert np.array_equal(sample.subset(300, seed=1).flux, subset.flux)
    with pytest.raises(InputError, match="at least one mock"):
        sample.subset(0)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"batch_size": 0}, "batch"),
        ({"dropout": 1.0}, "Dropout"),
        ({"dropout": float("nan")}, "Dropout"),
        ({"learning_rate": 0.0}, "learning rate"),
        ({"epochs": 0}, "epoch"),
        ({"network": "big"}, "no network 'big'"),
    ],
)
def test_recipes_that_cannot_be_trained_with_are_refused(changes, words):
    with pytest.raises(InputError, match=words):
        get_recipe("default", **changes)
