"""How catalogues in pieces compare with catalogues in memory: rate, and peak of memory.

    python benchmarks/streams.py [--model default|ssp|galaxy] [--rows N] [--memory N,N,...]
                                 [--workers N] [--chunk ROWS] [--limit]

Galaxies with the 57 bands, their errors and a redshift are predicted from Parquet to Parquet, each
run in a process of its own on one thread: in memory and in pieces, in turns, with as many rows;
then in pieces with the numbers of rows that ``--memory`` names. Printed are the ratio of the rates
(CPU time after the imports, the median of three turns), and the peak of resident memory of each.
With ``--workers``, the time in which so many processes answer all rows is printed as a part of that
of one, by the clock and in CPU time of all together, without their start: medians of three turns.
What they lack of a perfect sharing is what their CPU time has above 1. With ``--limit``, the peak
of a process of a cluster that may have 1 GiB.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

TURNS = 3
BLOCK = 50_000


def make(path: Path, rows: int) -> None:
    """Write a catalogue of mocks; each row group has up to a million rows, as programs write."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sspexplorer.bands import BAND_NAMES
    from sspexplorer.mocks import make_mocks

    mocks = make_mocks(["emiles"], seed=3, magnitudes=[18.0, 20.0])
    rng = np.random.default_rng(0)
    blocks = []
    for start in range(0, min(rows, 4 * BLOCK), BLOCK):
        n = min(BLOCK, rows - start)
        some = rng.integers(0, len(mocks), n)
        columns = {"id": np.arange(start, start + n)}
        for i, band in enumerate(BAND_NAMES):
            columns[f"FNU_{band}"] = mocks.flux[some, i].astype("f4")
            columns[f"FNU_{band}_err"] = mocks.flux_err[some, i].astype("f4")
        columns["z_spec"] = rng.uniform(0, 0.1, n)
        blocks.append(pa.table(columns))
    table = pa.concat_tables(blocks)
    repeats = -(-rows // len(table))
    pq.write_table(pa.concat_tables([table] * repeats).slice(0, rows), path)


def turn(source: str, out: str, model: str, *options: str) -> None:
    """Predict; print CPU time and peak memory of this process, and time and CPU time of others."""
    from unittest.mock import patch

    from sspexplorer.cli import main
    from sspexplorer.models import load_model
    from sspexplorer.streams.answering import loaded_once
    from sspexplorer.streams.cluster import Processes

    load_model(model)
    whole = "whole" in options
    options = tuple(x for x in options if x != "whole")
    begun = time.process_time()
    sys.argv = ["sspexplorer", "predict", source, "--out", out, "--model", model]
    sys.argv += ["--unit", "fnu", *options]
    large = 1 << 62 if whole else 0
    answering = [(0.0, 0.0)]
    answer = Processes.answer

    def timed(self: Any, *arguments: Any) -> None:
        self._client.run(loaded_once, model)
        before = sum(self._client.run(time.process_time).values())
        started = time.monotonic()
        answer(self, *arguments)
        took = time.monotonic() - started
        answering.append((took, sum(self._client.run(time.process_time).values()) - before))

    with (
        patch("sspexplorer.streams.opening.LARGE_ROWS", large),
        patch.object(Processes, "answer", timed),
        open(os.devnull, "w") as nowhere,
        patch("sys.stdout", nowhere),
        patch("sys.stderr", nowhere),
    ):
        try:
            main()
        except SystemExit as left:
            if left.code:
                raise
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.process_time() - begun, peak, *answering[-1])


def peak_under_limit(predicted: Any) -> tuple[float, float]:
    """Peak (MiB) of the one process of a cluster, which may have 1 GiB, and what was killed."""
    from distributed import Client, LocalCluster

    how = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**how, memory_limit="1GiB") as cluster, Client(cluster) as client:
        before = client.run(os.getpid)
        predicted(f"--scheduler={cluster.scheduler_address}")
        after = client.run(os.getpid)
        lines = client.run(lambda: Path("/proc/self/status").read_text().splitlines())
    words = next(line.split() for line in next(iter(lines.values())) if line.startswith("VmHWM"))
    return int(words[1]) / 1024, len({*after.values()} - {*before.values()})


def main() -> None:
    """Measure and print."""
    # The options of a turn are those of the command.
    if sys.argv[1:2] == ["--turn"]:
        turn(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--memory", default="100000,1000000")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--chunk", type=int, default=20_000)
    parser.add_argument("--limit", action="store_true")
    options = parser.parse_args()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    with tempfile.TemporaryDirectory() as folder:
        catalogue, out = Path(folder) / "g.parquet", Path(folder) / "out.parquet"

        def predicted(*how: str) -> list[float]:
            command = [sys.executable, __file__, "--turn", str(catalogue), str(out)]
            done = subprocess.run(
                [*command, options.model, *how],
                check=True,
                capture_output=True,
                text=True,
                env=environment,
            )
            return [*map(float, done.stdout.split())]

        make(catalogue, options.rows)
        if not (options.workers or options.limit):
            turns = [(predicted("whole"), predicted()) for _ in range(TURNS)]
            ratio = median(whole[0] / pieces[0] for whole, pieces in turns)
            peaks = [max(one[i][1] for one in turns) for i in (0, 1)]
            print(
                f"{options.rows:,} rows, {options.model}: in pieces {ratio:.2f} of the rate in "
                f"memory; peak {peaks[1]:.0f} MiB in pieces, {peaks[0]:.0f} MiB in memory"
            )
        if options.workers:
            ratios = []
            for _ in range(TURNS):
                one, several = (
                    predicted(f"--workers={n}", f"--chunk={options.chunk}")[2:]
                    for n in (1, options.workers)
                )
                ratios.append([b / a for a, b in zip(one, several, strict=True)])
                print(
                    f"1 process {one[0]:.1f} s, CPU {one[1]:.1f}; {options.workers} processes "
                    f"{several[0]:.1f} s, CPU {several[1]:.1f}; load {os.getloadavg()[0]:.1f}"
                )
            clock, cpu = map(median, zip(*ratios, strict=True))
            print(
                f"{options.workers} processes: {clock:.2f} of the time of one, {cpu:.2f} of the CPU"
            )
        if options.limit:
            peak, killed = peak_under_limit(predicted)
            print(f"A process that may have 1 GiB: peak {peak:.0f} MiB, {killed} were killed")
        measured = not (options.workers or options.limit)
        for rows in map(int, filter(None, options.memory.split(",") if measured else ())):
            make(catalogue, rows)
            print(f"{rows:,} rows in pieces: peak {predicted()[1]:.0f} MiB")


if __name__ == "__main__":
    main()
