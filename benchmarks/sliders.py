"""Ten visitors who each move a slider: how long until each sees the picture of what they chose.

    python benchmarks/sliders.py [--visitors 10] [--seconds 30] [--workers 2] [--page sed]

A server is started and ended. Visitors have no browser (see ``visitors.py``) and send as many
changes as a hand does: drags of a second, twenty changes in each, with a second between to look.
A change is seen when the first picture has come that the server sent after it knew of it. Printed
are quantiles of that time for all changes, how many pictures came, and what each took of a
processor: the server's time by all pictures. On a machine that does other things as well only the
latter says much. With one worker, the memory of a visitor is printed, too.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from soak import health, served

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from visitors import Visitor

SLIDERS = {"sed": ("E(B−V) [mag]", 0.0, 0.5), "noise": ("E(B−V) [mag]", 0.0, 0.5)}
CHANGES = 20  # of a drag
_DRAG, _LOOK = 1.0, 1.0  # s
_GONE = 75.0  # s until a server has let go of those who left, and of their memory


def processor_time(parent: int) -> float:
    """Time on processors of all processes that a process has started (s)."""
    total, parents = 0, {parent}
    for path in sorted(Path("/proc").glob("[0-9]*/stat"), key=lambda path: int(path.parent.name)):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) in parents:
            parents.add(int(path.parent.name))
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


@dataclass
class Hand:
    """A visitor who drags a slider.

    Attributes
    ----------
    waits : list of float
        From each change to its picture (s).
    n_pictures : int
    """

    visitor: Visitor
    key: str
    ends: tuple[float, float]
    waits: list[float] = field(default_factory=list)
    n_pictures: int = 0
    _sent: dict[str, float] = field(default_factory=dict)
    _known: list[float] = field(default_factory=list)

    async def drag(self, until: float) -> None:
        """Drag to and fro, and look, until the time is over and the last picture there."""
        hears = asyncio.create_task(self._hear())
        forth = True
        while time.monotonic() < until:
            low, high = self.ends if forth else self.ends[::-1]
            # The end is where the next drag begins: what does not change makes no picture.
            for value in np.linspace(low, high, CHANGES, endpoint=False):
                self._sent[str(self.visitor.next_number)] = time.monotonic()
                await self.visitor.change(self.key, "value", float(value))
                await asyncio.sleep(_DRAG / CHANGES)
            await asyncio.sleep(_LOOK)
            forth = not forth
        async with asyncio.timeout(60):
            while self._sent or self._known:
                await asyncio.sleep(0.1)
        hears.cancel()

    async def _hear(self) -> None:
        while True:
            header, content = await self.visitor.heard()
            if header["msgtype"] == "OK":
                self._known.append(self._sent.pop(header["reqid"]))
            elif any(map(_is_picture, content.get("events", ()))):
                now, self.n_pictures = time.monotonic(), self.n_pictures + 1
                self.waits += [now - begun for begun in self._known]
                self._known.clear()


def _is_picture(event: dict) -> bool:
    return event.get("kind") == "ColumnDataChanged" or event.get("attr") == "data"


async def drag_all(url: str, n_visitors: int, seconds: float, page: str) -> None:
    """Have all drag at once, and print what they saw and what they took."""
    label, *ends = SLIDERS[page]
    first = await _arrived(url, page)
    before = await asyncio.to_thread(health, url)
    visitors = [await _arrived(url, page) for _ in range(n_visitors)]
    hands = [Hand(visitor, visitor.called(label), tuple(ends)) for visitor in visitors]
    begun, cpu = time.monotonic(), processor_time(os.getpid())
    own = time.process_time()
    await asyncio.gather(*(hand.drag(begun + seconds) for hand in hands))
    took, cpu = time.monotonic() - begun, processor_time(os.getpid()) - cpu
    own = time.process_time() - own
    waits = np.concatenate([hand.waits for hand in hands])
    n = sum(hand.n_pictures for hand in hands)
    quantiles = ", ".join(f"{q} % {np.percentile(waits, q):.2f} s" for q in (50, 75, 90, 95, 99))
    print(f"{n_visitors} visitors, {len(waits)} changes, {n} pictures in {took:.0f} s")
    print(f"from a change to its picture: {quantiles}")
    print(f"within 0.5 s: {np.mean(waits <= 0.5):.0%}")
    print(f"processor: {1000 * cpu / n:.1f} ms a picture, {cpu / took:.2f} processors in all")
    print(f"visitors themselves: {1000 * own / n:.1f} ms a picture")
    there = await asyncio.to_thread(health, url)
    for visitor in visitors:
        visitor.leave()
    await asyncio.sleep(_GONE)
    after = await asyncio.to_thread(health, url)
    first.leave()
    mine = (there["memory_mb"] - before["memory_mb"]) / n_visitors
    left = (after["memory_mb"] - before["memory_mb"]) / n_visitors
    print(f"memory: {mine:.1f} MB a visitor, of which {left:.1f} MB are left when they have left")


async def _arrived(url: str, page: str) -> Visitor:
    """A visitor who sees a page, after all that comes with it."""
    visitor = await Visitor.come(url, page)
    await visitor.until(lambda: visitor.has_picture)
    await visitor.quiet()
    return visitor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", choices=list(SLIDERS), default="sed")
    parser.add_argument("--port", type=int, default=5398)
    asked = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(asked.port, Path(folder) / "log", asked.workers) as url,
    ):
        asyncio.run(drag_all(url, asked.visitors, asked.seconds, asked.page))


if __name__ == "__main__":
    main()
