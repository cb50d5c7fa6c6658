"""Pieces of a catalogue that several processes answer, of which some are lost."""

import os
import signal
import socket
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from test_streams import run as command

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.reading import Asked
from sspexplorer.errors import InputError
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
                each, happened = spread.each, []

                def watched(do, tasks, tell):
                    def telling(rows):
                        tell(rows)
                        if not happened:
                            happened.append(happens())

                    each(do, tasks, telling)

                with patch.object(spread, "each", watched):
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
