"""Visits: who comes looks at some pages, moves what can be moved, perhaps uploads, and leaves.

The half hour of ``benchmarks/soak.py`` and the minute of ``test_soak.py`` have the same visits.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tornado.httpclient import AsyncHTTPClient
from visitors import Visitor

from sspexplorer.app.pages import PAGES
from sspexplorer.resources import data_path

EXAMPLES = ("real_galaxies.csv", "simulated_galaxies.csv")
# What shows a picture before anything is asked of it.
PICTURED = tuple(entry.key for entry in PAGES if entry.group in ("explore", "trust"))
_MOVES = 5  # of a slider
_HAND = 0.1  # s between two of them


@dataclass(frozen=True)
class Habits:
    """What visitors do.

    Attributes
    ----------
    pages : tuple of str
        Where they go.
    pause : tuple of float
        Shortest and longest time for which they look at what is there (s).
    uploads : float
        Which part of them upload a catalogue.
    """

    pages: tuple[str, ...] = PICTURED
    pause: tuple[float, float] = (3.0, 15.0)
    uploads: float = 0.4


@dataclass
class Seen:
    """What happened to all visitors."""

    waits: list[tuple[float, str]] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    n_visits: int = 0

    @property
    def slowest(self) -> tuple[float, str]:
        """Longest wait so far (s), and for which page."""
        return max(self.waits, default=(0.0, "none"))


async def visit(url: str, seen: Seen, chance: random.Random, habits: Habits) -> None:
    """Come, look at a few pages, move a slider of each, perhaps upload a catalogue, and leave."""

    async def look() -> None:
        await asyncio.sleep(chance.uniform(*habits.pause))

    begun = time.monotonic()
    page, *others = chance.sample(habits.pages, chance.randint(1, 4))
    visitor = await Visitor.come(url, page)
    try:
        await visitor.until(lambda: visitor.has_picture)
        seen.waits.append((time.monotonic() - begun, page))
        await _move(visitor, set(), chance)
        for page in others:
            await look()
            known = set(visitor.models)
            await visitor.go(page)
            seen.waits.append((await visitor.until(lambda: visitor.has_picture), page))
            await _move(visitor, known, chance)
        if chance.random() < habits.uploads:
            await look()
            await _upload(visitor, chance)
        await look()
    finally:
        visitor.leave()
    seen.n_visits += 1


async def _move(visitor: Visitor, known: set[str], chance: random.Random) -> None:
    """Move a slider that came with the page, as a hand does, and wait for what comes of it."""
    new = [
        (key, model["attributes"])
        for key, model in visitor.of_type("Slider")
        if key not in known and not model["attributes"].get("disabled")
    ]
    if not new:
        return
    key, slider = chance.choice(new)
    begin, end, step = slider["start"], slider["end"], slider.get("step", 1)
    for _ in range(_MOVES):
        value = begin + step * chance.randint(0, int((end - begin) / step))
        await visitor.change(key, "value", value)
        await asyncio.sleep(_HAND)
    await visitor.quiet(5 * _HAND)


async def _upload(visitor: Visitor, chance: random.Random) -> None:
    name = chance.choice(EXAMPLES)
    await visitor.go("catalogue")
    await visitor.until(lambda: any(visitor.of_type("FileDropper")))
    await visitor.upload("mine.csv", data_path("examples", name).read_bytes())
    await visitor.until(lambda: "mine.csv, " in visitor.words)
    await visitor.press("Predict")
    # One in three leaves before it is there.
    if chance.random() < 0.67:
        await visitor.until(lambda: visitor.has_picture)


async def longest_silence(
    url: str, other: asyncio.Future, clock: Callable[[], float] = time.monotonic
) -> float:
    """Longest wait for ``/health`` (s) while something else is done.

    Parameters
    ----------
    url : str
        Of the app.
    other : future
        What is done.
    clock : callable
        For a server in this thread, ``time.thread_time`` leaves out what else the machine does.
    """
    longest = 0.0
    while not other.done():
        begun = clock()
        await AsyncHTTPClient().fetch(url.replace("/app", "/health"), request_timeout=60)
        longest = max(longest, clock() - begun)
        await asyncio.sleep(0.2)
    return longest
