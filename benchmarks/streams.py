"""How catalogues in pieces compare with catalogues in memory: rate, and peak of memory.

    python benchmarks/streams.py [--model default|ssp|galaxy] [--rows N] [--memory N,N,...]
                                 [--workers N]

Galaxies with the 57 bands, their errors and a redshift are predicted from Parquet to Parquet, each
run in a process of its own on one thread: in memory and in pieces, in turns, with as many rows;
then in pieces with the numbers of rows that ``--memory`` names. Printed are the ratio of the rates
(CPU time after the imports, the median of three turns), and the peak of resident memory of each.
With ``--workers``, the time that so many processes take is printed as a part of that of one.
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
    """Predict in this process; print CPU time, wall time and peak memory."""
    from unittest.mock import patch

    from sspexplorer.cli import main
    from sspexplorer.models import load_model

    load_model(model)
    whole = "whole" in options
    options = tuple(x for x in options if x != "whole")
    begun = time.process_time(), time.monotonic()
    sys.argv = ["sspexplorer", "predict", source, "--out", out, "--model", model]
    sys.argv += ["--unit", "fnu", *options]
    large = 1 << 62 if whole else 0
    with (
        patch("sspexplorer.streams.opening.LARGE_ROWS", large),
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
    print(time.process_time() - begun[0], time.monotonic() - begun[1], peak)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="default")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--memory", default="100000,1000000")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--turn", nargs="+", help=argparse.SUPPRESS)
    options, more = parser.parse_known_args()
    if options.turn:
        turn(*options.turn, *more)
        return
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    with tempfile.TemporaryDirectory() as folder:
        catalogue, out = Path(folder) / "g.parquet", Path(folder) / "out.parquet"

        def predicted(*how: str) -> tuple[float, float, float]:
            command = [sys.executable, __file__, "--turn", str(catalogue), str(out)]
            done = subprocess.run(
                [*command, options.model, *how],
                check=True,
                capture_output=True,
                text=True,
                env=environment,
            )
            cpu, wall, peak = map(float, done.stdout.split())
            return cpu, wall, peak

        make(catalogue, options.rows)
        turns = [(predicted("whole"), predicted()) for _ in range(TURNS)]
        ratio = median(whole[0] / pieces[0] for whole, pieces in turns)
        peaks = [max(one[i][2] for one in turns) for i in (0, 1)]
        print(
            f"{options.rows:,} rows, {options.model}: in pieces {ratio:.2f} of the rate in memory; "
            f"peak {peaks[1]:.0f} MiB in pieces, {peaks[0]:.0f} MiB in memory"
        )
        if options.workers:
            one, several = (predicted(f"--workers={n}")[1] for n in (1, options.workers))
            print(f"{options.workers} processes take {several / one:.2f} of the time of one")
        for rows in map(int, filter(None, options.memory.split(","))):
            make(catalogue, rows)
            print(f"{rows:,} rows in pieces: peak {predicted()[2]:.0f} MiB")


if __name__ == "__main__":
    main()
