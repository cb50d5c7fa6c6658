"""A minute of what ``benchmarks/soak.py`` and ``benchmarks/fuzz.py`` do for half an hour.

How long the server says nothing is counted in time that its thread has a processor: what a busy
machine does besides says nothing of the server. Each test does first once what makes it warm.
"""

import asyncio
import gc
import logging
import random
import time
from collections import Counter
from pathlib import Path

import pytest
from bokeh.document import Document
from bokeh.server.server import Server
from mutations import FORMS, MOST_SECONDS, fuzz, mutated, unharmed
from visitors import app_served
from visits import Habits, Seen, longest_silence, visit

from sspexplorer.app.kit.work import n_running
from sspexplorer.app.serving import memory
from sspexplorer.app.serving.health import memory_mb
from sspexplorer.jobs.reading import READER

pytestmark = pytest.mark.soak

SILENCE = 2.0  # s; a page or a result takes half of it where processors have much to do
# Pages whose pictures need no large sample of mocks, by visitors who do not look for long.
HASTE = Habits(("sed", "libraries", "noise", "histories", "trust"), (0.0, 0.5), uploads=1.0)
SEEDS = (0, 1)  # a visitor each
N_FILES = 5 * len(FORMS)
# Browser tests run beside these: what benchmarks/fuzz.py allows is for a machine without them.
_BUSY = 3
_MORE = 1.1  # memory after visits in units of that after the same visits before


@pytest.fixture(autouse=True)
def server_of_its_own():
    """What other tests left is not looked at whenever a visitor leaves, as if it were not there."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    READER.close()


@pytest.fixture(autouse=True)
def no_line_of_error(caplog):
    yield
    said = caplog.get_records("call")
    assert not [record for record in said if record.levelno >= logging.ERROR]


def n_documents() -> int:
    gc.collect()
    return sum(type(one) is Document for one in gc.get_objects())


async def let_go(server: Server, n_before: int) -> float:
    """Wait until nothing of visitors who left is there; memory then (MB)."""
    async with asyncio.timeout(60):
        # A timer that Panel has for all sessions keeps the document of who came first.
        while server.get_sessions() or n_running() or n_documents() > n_before + 1:
            await asyncio.sleep(1.0)
    memory.give_back()
    await asyncio.sleep(1.0)
    return memory_mb()


async def crowd(url: str, seen: Seen) -> None:
    """Visits of some visitors at once: the same whenever they are made."""
    await asyncio.gather(*(visit(url, seen, random.Random(seed), HASTE) for seed in SEEDS))


def test_visitors_come_move_upload_and_leave_nothing_behind(tmp_path: Path):
    async def main() -> None:
        memory.bound_arenas()
        n_before, seen, left = n_documents(), Seen(), []
        async with app_served(tmp_path) as (url, server):
            for _ in range(2):
                visits = asyncio.ensure_future(crowd(url, seen))
                silence = await longest_silence(url, visits, time.thread_time)
                await visits
                left.append(await let_go(server, n_before))
        assert seen.n_visits == 2 * len(SEEDS)
        assert silence < SILENCE
        assert left[1] < _MORE * left[0]

    asyncio.run(main())


def test_each_mutated_file_is_a_prediction_or_one_sentence_and_others_are_answered(tmp_path: Path):
    async def main() -> tuple[list, float]:
        async with app_served(tmp_path) as (url, _):
            ((*_, outcome, _),) = await fuzz(url, iter([("whole.csv", unharmed())]))
            assert outcome == "predicted"
            files = asyncio.ensure_future(fuzz(url, mutated(N_FILES, seed=1)))
            silence = await longest_silence(url, files, time.thread_time)
            return await files, silence

    found, silence = asyncio.run(main())
    outcomes = Counter(outcome for _, _, outcome, _ in found)
    assert len(found) == N_FILES
    assert min(outcomes["predicted"], outcomes["refused"]) > 5
    for seconds, name, _, said in found:
        assert seconds < _BUSY * MOST_SECONDS, name
        assert said, name
        assert "Traceback" not in said, name
        assert "\n" not in said, name
    assert silence < SILENCE
