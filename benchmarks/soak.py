"""Half an hour of visitors who come, move, upload and leave: memory, waits and errors.

    python benchmarks/soak.py [--minutes 30] [--visitors 3] [--workers 1] [--port 5399]

A server is started and ended. Visitors have no browser (see ``visits.py``). A line a minute says
what the server's processes take, how many sessions there are, and the longest wait for a first
picture. At the end: memory against that after warm-up, as medians of five minutes, the slowest
picture, lines of error.
"""

import argparse
import asyncio
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from visits import Habits, Seen, visit

WARM_UP = 3  # minutes that count as warm-up
_LONGEST = 5.0  # s that a visitor may wait for a first picture
_MOST = 1.1  # memory at the end in units of that after warm-up
_MINUTES = 5  # of which memory is the median: from one to the next it goes with who is there


@contextmanager
def served(port: int, log: Path, workers: int = 1) -> Iterator[str]:
    """URL of a server that is warm; ended afterwards."""
    command = [sys.executable, "-m", "sspexplorer.cli", "serve", "--port", str(port)]
    command += ["--workers", str(workers)]
    with log.open("w") as output:
        process = subprocess.Popen([*command, "--json-logs"], stdout=output, stderr=output)
    url = f"http://localhost:{port}/app"
    try:
        while not health(url).get("warm"):
            if process.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def health(url: str) -> dict:
    """What the server says of itself; empty while it is silent."""
    try:
        with urllib.request.urlopen(url.replace("/app", "/health"), timeout=60) as answer:
            return json.load(answer)
    except OSError:
        return {}


def errors_in(log: Path) -> list[str]:
    """Lines of error in a log of JSON, and those that are none."""
    found = []
    for line in log.read_text().splitlines():
        try:
            if json.loads(line)["level"] in ("error", "critical"):
                found.append(line)
        except ValueError:
            # Param writes its warnings twice.
            if not line.startswith(("Serving at", "WARNING:param.")):
                found.append(line)
    return found


async def _keep_coming(url: str, seen: Seen, until: float, seed: int) -> None:
    chance = random.Random(seed)
    while time.monotonic() < until:
        try:
            await visit(url, seen, chance, Habits())
        except Exception as error:
            seen.troubles.append(f"{type(error).__name__}: {error}")
        await asyncio.sleep(chance.uniform(0.0, 3.0))


async def _watch(url: str, seen: Seen, minutes: float, memory: list[float]) -> None:
    for minute in range(1, round(minutes) + 1):
        await asyncio.sleep(60)
        said = await asyncio.to_thread(health, url)
        memory.append(said.get("memory_mb", float("nan")))
        print(
            f"{minute:3d} min  {memory[-1]:6.0f} MB  {said.get('sessions', -1):3d} sessions  "
            f"{seen.n_visits:4d} visits  slowest picture {seen.slowest[0]:.1f} s "
            f"({seen.slowest[1]})",
            flush=True,
        )


async def soak(url: str, minutes: float, n_visitors: int) -> tuple[Seen, list[float]]:
    """Have visitors come for some time; what they saw, and the memory of each minute (MB)."""
    seen, memory = Seen(), []
    until = time.monotonic() + 60 * minutes
    coming = [_keep_coming(url, seen, until, seed) for seed in range(n_visitors)]
    await asyncio.gather(_watch(url, seen, minutes, memory), *coming)
    return seen, memory


def main() -> None:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--visitors", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--port", type=int, default=5399)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with served(asked.port, log, asked.workers) as url:
            print(f"warm: {health(url)['memory_mb']:.0f} MB", flush=True)
            seen, memory = asyncio.run(soak(url, asked.minutes, asked.visitors))
        errors = errors_in(log)
    for line in [*seen.troubles, *errors]:
        print(line[:500])
    warm = memory[min(WARM_UP, len(memory) - 1) :]
    base, end = median(warm[:_MINUTES]), median(warm[-_MINUTES:])
    print(
        f"{seen.n_visits} visits, {len(seen.waits)} pictures, slowest {seen.slowest[0]:.1f} s "
        f"({seen.slowest[1]}), median {median(wait for wait, _ in seen.waits):.1f} s; memory "
        f"{base:.0f} MB after {WARM_UP} min, {end:.0f} MB at the end; "
        f"{len(errors)} lines of error, {len(seen.troubles)} visits that failed"
    )
    well = seen.slowest[0] < _LONGEST and end < _MOST * base
    sys.exit(0 if well and not errors and not seen.troubles else 1)


if __name__ == "__main__":
    main()
