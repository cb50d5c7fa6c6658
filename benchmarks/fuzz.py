"""Mutated catalogues of every format through the page: each is a prediction or one sentence.

    python benchmarks/fuzz.py [--files 300] [--seed 0] [--port 5398]

A server is started and ended. A visitor without a browser uploads one file after the other, and
asks for predictions where one could be read. Each has to be answered within 10 s, while the server
answers others: the longest wait for ``/health`` is printed, too.
"""

import argparse
import asyncio
import collections
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# First, since it says where the tests' helpers are.
from soak import errors_in, served  # isort: skip
from mutations import answer, mutated
from tornado.httpclient import AsyncHTTPClient
from visitors import Visitor

MOST_SECONDS = 10.0


async def fuzz(url: str, files: Iterator[tuple[str, bytes]]) -> list[tuple[float, str, str, str]]:
    """Upload files one after the other: seconds, name, outcome and sentence of each."""
    visitor, found = await Visitor.come(url, "catalogue"), []
    await visitor.until(lambda: any(visitor.of_type("FileDropper")))
    for name, data in files:
        begun = time.monotonic()
        outcome, said = await answer(visitor, name, data)
        found.append((time.monotonic() - begun, name, outcome, said))
    visitor.leave()
    return found


async def longest_silence(url: str, other: asyncio.Future) -> float:
    """Longest wait for ``/health`` (s) while something else is done."""
    longest = 0.0
    while not other.done():
        begun = time.monotonic()
        await AsyncHTTPClient().fetch(url.replace("/app", "/health"), request_timeout=60)
        longest = max(longest, time.monotonic() - begun)
        await asyncio.sleep(0.2)
    return longest


async def _both(url: str, n_files: int, seed: int) -> tuple[list, float]:
    work = asyncio.ensure_future(fuzz(url, mutated(n_files, seed)))
    return await asyncio.gather(work, longest_silence(url, work))


def main() -> None:
    """Run it, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--port", type=int, default=5398)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with served(asked.port, log) as url:
            found, silence = asyncio.run(_both(url, asked.files, asked.seed))
        errors = errors_in(log)
    for seconds, name, outcome, said in found:
        if outcome != "predicted" or seconds > MOST_SECONDS:
            print(f"{seconds:5.1f} s  {name:14} {outcome:10} {said[:160]}")
    for line in errors:
        print(line[:500])
    slowest = max(seconds for seconds, *_ in found)
    counts = collections.Counter(outcome for _, _, outcome, _ in found)
    print(
        f"{len(found)} files: {dict(counts)}; slowest {slowest:.1f} s, longest silence "
        f"{silence:.1f} s, {len(errors)} lines of error"
    )
    sys.exit(0 if slowest < MOST_SECONDS and not errors else 1)


if __name__ == "__main__":
    main()
