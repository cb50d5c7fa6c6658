"""Which callbacks hold the server's event loop, and for how long, while a visitor looks around.

    python benchmarks/event_loop.py [--rows 100000] [--model galaxy]

A server is started, watched and ended. A visitor without a browser (see ``visitors.py``) opens
each page, moves a slider, uploads a catalogue and sees its predictions; another one only looks, so
that what the first does can be seen to keep others waiting. For each step are printed the longest
time by the clock that a callback held the loop, the most that one took of a processor, how many
took more than 0.1 s of it, and where they were. On a busy machine only the processor's time counts.
"""

import argparse
import asyncio
import json
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from loop_watch import Held, LoopWatch
from soak import health
from streams import make
from visitors import Visitor
from visits import PICTURED

from sspexplorer.app.pages import PAGES

LIMIT = 0.1  # s
_MOVES = 20


def serve(port: int, told: Path) -> None:
    """Serve, and write a line for each callback that held the loop."""
    from sspexplorer.app.server import run_worker
    from sspexplorer.app.serving.settings import Settings

    with told.open("a") as lines:

        def tell(held: Held) -> None:
            lines.write(f"{json.dumps(asdict(held))}\n")
            lines.flush()

        with (
            socket.create_server(("127.0.0.1", port), backlog=64) as listener,
            LoopWatch(least=0.02, tell=tell).watching(),
        ):
            listener.setblocking(False)
            run_worker(Settings(port=port), listener, secrets.token_urlsafe(32), lambda: None)


@contextmanager
def served(told: Path) -> Iterator[str]:
    """URL of a warm server that is watched."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, __file__, "--serve", str(port), str(told)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/app"
    try:
        while not health(url).get("warm"):
            if process.poll() is not None:
                sys.exit("The server ended before it answered.")
            time.sleep(1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


class Steps:
    """What happened in each step of a visit."""

    def __init__(self, told: Path) -> None:
        self._told, self._read = told, 0

    def end(self, title: str, waited: float) -> None:
        """Print what held the loop since the last step."""
        lines = self._told.read_text().splitlines() if self._told.exists() else []
        held = [Held(**json.loads(line)) for line in lines[self._read :]]
        self._read = len(lines)
        wall = max((one.wall for one in held), default=0.0)
        cpu = max((one.cpu for one in held), default=0.0)
        long = [one for one in held if one.cpu > LIMIT]
        print(
            f"{title:28} {waited:6.2f} s  held {wall:5.2f} s, {cpu:5.2f} s of a processor; "
            f"{len(long)} over {LIMIT} s",
            flush=True,
        )
        for one in sorted(long, key=lambda one: -one.cpu)[:4]:
            places: Counter = Counter(one.places)
            n = sum(places.values())
            print(f"    {one.cpu:5.2f} s")
            for place, times in places.most_common(4):
                print(f"        {times / n:4.0%} {place}")


async def look(url: str, steps: Steps, catalogue: Path | None, options: argparse.Namespace) -> None:
    """Do as a visitor does, step by step."""
    begun = time.monotonic()
    visitor = await Visitor.come(url)
    await visitor.until(lambda: visitor.has_picture)
    await visitor.quiet()
    steps.end("come", time.monotonic() - begun)
    await move(visitor, "E(B−V) [mag]", np.linspace(0.0, 0.5, _MOVES))
    steps.end(f"{_MOVES} moves of a slider", 0.0)
    for entry in () if options.only_catalogue else PAGES[1:]:
        await visitor.go(entry.key)
        waited = await visitor.until(lambda: visitor.has_picture) if entry.key in PICTURED else 0.0
        await visitor.quiet()
        steps.end(entry.title, waited)
    if catalogue is None:
        return
    await visitor.go("catalogue")
    await visitor.until(lambda: any(visitor.of_type("FileDropper")))
    begun = time.monotonic()
    await visitor.upload("mine.parquet", catalogue.read_bytes())
    await visitor.until(lambda: "mine.parquet, " in visitor.words, 600)
    await visitor.quiet()
    steps.end("upload and read", time.monotonic() - begun)
    if options.model != "galaxy":
        await visitor.change(visitor.called("Model"), "value", options.model)
    begun = time.monotonic()
    await visitor.press("Predict")
    await visitor.until(lambda: any(visitor.of_type("DataTabulator")), 3600)
    steps.end("predict", time.monotonic() - begun)
    waited = await visitor.until(lambda: visitor.has_picture)
    await visitor.quiet()
    steps.end("all of the result", waited)


async def move(visitor: Visitor, label: str, values: np.ndarray) -> None:
    """Move a slider as a hand does, and wait until nothing more comes."""
    key = visitor.called(label)
    for value in values:
        await visitor.change(key, "value", float(value))
        await asyncio.sleep(0.05)
    await visitor.quiet()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="0 for no catalogue")
    parser.add_argument("--model", default="galaxy")
    parser.add_argument("--only-catalogue", action="store_true", help="leave out the other pages")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(int(options.serve[0]), Path(options.serve[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        catalogue = Path(folder) / "mine.parquet" if options.rows else None
        if catalogue:
            make(catalogue, options.rows)
        told = Path(folder) / "held"
        with served(told) as url:
            asyncio.run(look(url, Steps(told), catalogue, options))


if __name__ == "__main__":
    main()
