"""Pieces of a catalogue that several processes answer, of which some are lost."""

import os
import signal
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from test_streams import run as command

from sspexplorer.artifact import load_arrays
from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.reading import Asked
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path
from sspexplorer.streams.cluster import processes
from sspexplorer.streams.opening import opened
from sspexplorer.streams.run import run

N, SIZE = 900, 20


@dataclass(frozen=True)
class Numbering:
    """Answers to each row with a number that its catalogue gives it."""

    prefix: str = "pred"

    def answers(self, catalogue):
        number = catalogue.frame(["id"])["id"].to_numpy()
        return pd.DataFrame({"pred_log_age": number + 0.5, "pred_flag": "errors-unknown"}), 0

    def no_rows(self):
        return pd.DataFrame({"pred_log_age": [0.5], "pred_flag": ["few-bands"]}).iloc[:0]

    def remarks(self, counted):
        return ()

    def key(self):
        return {}


def test_rows_come_once_though_a_process_and_a_scheduler_are_lost(tmp_path):
    from distributed import LocalCluster

    flux = np.random.default_rng(0).lognormal(0, 0.1, (N, 57))
    galaxies = pd.DataFrame({"id": np.arange(N)} | dict(zip(BAND_NAMES, flux.T, strict=True)))
    galaxies.to_parquet(tmp_path / "g.parquet")
    asked = Asked(unit="fnu")
    stored = opened([tmp_path / "g.parquet"], asked, SIZE)
    out = tmp_path / "out.parquet"
    answer = partial(run, stored, asked, Numbering(), size=SIZE)

    def result(done) -> bytes:
        done.write(".parquet", {}, out)
        found = pd.read_parquet(out)
        assert found["id"].tolist() == list(range(N))
        assert (found["pred_log_age"] == found["id"] + 0.5).all()
        return out.read_bytes()

    one_by_one = result(answer(out))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:

        def answer_while(happens):
            """Answer; as soon as the first rows are there, something happens."""
            with processes(scheduler=cluster.scheduler_address) as spread:
                have_answered, happened = spread.answer, []

                def watched(work, pieces, tell):
                    def telling(rows):
                        tell(rows)
                        if not happened:
                            happened.append(happens())

                    have_answered(work, pieces, telling)

                with patch.object(spread, "answer", watched):
                    return answer(out, spread=spread)

        def kill():
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        done = answer_while(kill)
        assert done.found.counted.rows == done.found.counted.flags["errors-unknown"] == N
        assert result(done) == one_by_one
        out.write_bytes(b"what was there")
        with pytest.raises(InputError, match=r"scheduler at .* was lost; .*--resume"):
            answer_while(partial(cluster.close, 5))
    assert out.read_bytes() == b"what was there"
    done = answer(out, resume=True)
    assert "were there from before." in done.said[0]
    assert result(done) == one_by_one


def test_a_scheduler_that_is_not_there_is_noticed_before_anything_is_read(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    flux = np.random.default_rng(0).lognormal(0, 0.1, (9, 57))
    pd.DataFrame(flux, columns=list(BAND_NAMES)).to_parquet(tmp_path / "g.parquet")
    with (
        patch("sspexplorer.streams.cluster._CONNECT", 0.2),
        patch("sspexplorer.streams.opening.opened", side_effect=AssertionError),
    ):
        files = tmp_path / "g.parquet", "--out", tmp_path / "out.parquet"
        code, told = command("predict", *files, "--scheduler", address)
    assert code == 2
    assert f"There is no scheduler at {address}" in told.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["g.parquet"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's peak of memory")
def test_a_process_needs_less_than_a_gigabyte(tmp_path):
    from distributed import Client, LocalCluster

    seds = load_arrays(data_path("unit_seds.safetensors"))["seds"].astype("f4")
    rows = np.arange(8192) % len(seds)
    columns = dict(zip(BAND_NAMES, seds[rows].T, strict=True))
    columns |= {f"{band}_err": 0.03 * flux for band, flux in columns.items()}
    pd.DataFrame(columns | {"z": 0.05}).to_parquet(tmp_path / "g.parquet")
    files = tmp_path / "g.parquet", "--out", tmp_path / "out.parquet"
    how = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**how, memory_limit="1GiB") as cluster, Client(cluster) as client:
        options = ("--unit", "fnu", "--scheduler", cluster.scheduler_address)
        assert command("predict", *files, *options)[0] == 0
        (said,) = client.run(Path("/proc/self/status").read_text).values()
    peak = next(line.split() for line in said.splitlines() if line.startswith("VmHWM"))
    # Dask gives a process that has more than 80 % of its limit nothing to do.
    assert int(peak[1]) < 0.8 * 2**20
    assert pd.read_parquet(tmp_path / "out.parquet")["pred_log_age"].notna().all()
