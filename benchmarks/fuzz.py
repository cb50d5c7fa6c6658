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
from pathlib import Path

# First, since it says where the tests' helpers are.
from soak import errors_in, served  # isort: skip
from mutations import MOST_SECONDS, fuzz, mutated
from visits import longest_silence


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
