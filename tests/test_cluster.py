"""Pieces of a catalogue that several processes answer, of which some are lost."""

import os
import signal
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import pytest

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.reading import Asked
from sspexplorer.errors import InputError
from sspexplorer.streams.cluster import spread_over
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
        spread = partial(spread_over, scheduler=cluster.scheduler_address)

        def then(event, work, pieces, tell):
            """Spread pieces; as soon as the first rows are there, something happens."""
            happened = []

            def telling(rows):
                tell(rows)
                if not happened:
                    happened.append(event())

            spread(work, pieces, telling)

        def kill():
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

        done = answer(out, spread=partial(then, kill))
        assert done.found.counted.rows == done.found.counted.flags["errors-unknown"] == N
        assert result(done) == one_by_one
        out.write_bytes(b"what was there")
        with pytest.raises(InputError, match=r"scheduler at .* was lost; .*--resume"):
            answer(out, spread=partial(then, partial(cluster.close, 5)))
    assert out.read_bytes() == b"what was there"
    done = answer(out, resume=True)
    assert "were there from before." in done.said[0]
    assert result(done) == one_by_one
