"""What goes wrong on other people's machines: killed processes, full disks, folders of others."""

import json
import os
import resource
import signal
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sspexplorer import cli, metrics
from sspexplorer.app.apply.intake import Dropper
from sspexplorer.archive.files import fetch_catalogue
from sspexplorer.catalogue import read_catalogue
from sspexplorer.cli import app
from sspexplorer.errors import InputError
from sspexplorer.libraries import load_library
from sspexplorer.libraries.store import keep_library
from sspexplorer.mocks import make_mocks
from sspexplorer.models import load_model
from sspexplorer.resources import data_path
from sspexplorer.whole import whole


@pytest.fixture(scope="module")
def galaxies():
    return read_catalogue(data_path("examples", "real_galaxies.csv"))


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path, galaxies):
    (tmp_path / ".sspexplorer-0123.part").write_bytes(b"half a table")
    (tmp_path / ".other.part").write_bytes(b"somebody else's")
    with whole(tmp_path / "slow") as running:
        busy = set(files(tmp_path)) - {".other.part"}
        galaxies.write(tmp_path / "out.csv")
        assert len(busy) == 1
        assert {*files(tmp_path)} == {*busy, ".other.part", "out.csv"}
        running.write(b"done")
    assert files(tmp_path) == [".other.part", "out.csv", "slow"]
    # A writer whose new file somebody takes for left makes another one.
    opened = Path.open

    def taken(path, mode="r", *args):
        file = opened(path, mode, *args)
        if mode == "xb" and not taken.done:
            taken.done = True
            path.unlink()
        return file

    taken.done = False
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", taken)
        galaxies.write(tmp_path / "again.csv")
    assert "again.csv" in files(tmp_path)


class Small:
    """A disk on which no file may grow beyond some kB."""

    def __enter__(self) -> None:
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, self._before[1]))

    def __exit__(self, *exception: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(tmp_path, galaxies):
    many = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    for form in ("csv", "csv.gz", "ecsv", "fits", "vot", "parquet", "feather", "h5"):
        path = tmp_path / f"x.{form}"
        path.write_bytes(b"before")
        with Small(), pytest.raises(InputError, match=r"cannot be written: .*[Ff]ile too large"):
            many.write(path)
        assert path.read_bytes() == b"before"
        path.unlink()
    with pytest.raises(InputError, match=r"cannot be written: No space left"):
        many.write("/dev/full", ".csv")

    mocks, model = make_mocks(["emiles"], magnitudes=[18.0]), load_model("default")
    told: list[InputError] = []
    drop = Dropper(told.append)
    piece = {"name": "x.csv", "chunk": 1, "total_chunks": 1, "data": b"1" * 9000}
    with Small():
        with pytest.raises(InputError, match=r"Cannot write .*m\.parquet.*[Ff]ile too large"):
            mocks.to_parquet(tmp_path / "m.parquet")
        with pytest.raises(InputError, match=r"Cannot write .*model.*[Ff]ile too large"):
            model.save(tmp_path / "model")
        drop._process_event(SimpleNamespace(event_name="upload_event", data=piece))
    assert "The server cannot keep the file: File too large" in str(told[0])
    assert drop.arrived is None
    assert files(tmp_path) == ["model"]
    assert files(tmp_path / "model") == []


_WRITTEN: list[str] = []
_WATCHES = False


def _note_writing(event: str, arguments: tuple) -> None:
    if not _WATCHES or not arguments or not isinstance(arguments[0], str | bytes | os.PathLike):
        return
    writes = event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link")
    if event == "open":
        _, mode, how = arguments
        writes = bool((how or 0) & (os.O_WRONLY | os.O_RDWR)) or bool(set(mode or "") & set("wax+"))
    if writes:
        _WRITTEN.append(os.path.abspath(os.fsdecode(arguments[0])))


def test_neither_the_installation_nor_a_home_has_to_be_written(tmp_path, monkeypatch, capsys):
    """What is installed may belong to somebody else, and whoever serves may have no home."""
    global _WATCHES
    for name in ("HOME", "SSPEXPLORER_DATA", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, "/proc/nowhere")
    galaxies = data_path("examples", "real_galaxies.csv")
    sys.addaudithook(_note_writing)
    _WATCHES = True
    try:
        app(["predict", str(galaxies), "--out", str(tmp_path / "p.csv")], standalone_mode=False)
        app(["sedfit", str(galaxies), "--out", str(tmp_path / "s.csv")], standalone_mode=False)
        app(["libraries"], standalone_mode=False)
        with pytest.raises(InputError, match="Cannot write into /proc/nowhere"):
            keep_library(replace(load_library("emiles"), name="mine"))
        with pytest.raises(InputError, match="/proc/nowhere"):
            fetch_catalogue("http://localhost:9/x.csv")
    finally:
        _WATCHES = False
    allowed = (str(tmp_path), "/dev/", "/proc", tempfile.gettempdir())
    assert [path for path in _WRITTEN if not path.startswith(allowed)] == []
    assert {"p.csv", "s.csv"} <= set(files(tmp_path))


def test_ctrl_c_while_training_keeps_the_best_weights(tmp_path, monkeypatch, capsys):
    path, folder = tmp_path / "m.parquet", tmp_path / "model"
    make_mocks(["emiles"], magnitudes=[18.0]).to_parquet(path)

    def line():
        def show(progress) -> None:
            if progress.epoch:
                os.kill(os.getpid(), signal.SIGINT)

        return show

    monkeypatch.setattr(cli, "training_line", line)
    monkeypatch.setattr(metrics, "with_metrics", lambda model, mocks: model)
    command = ["train", str(path), "--out", str(folder), "--epochs", "50", "--json"]
    # What runs in the background ignores Ctrl-C, and servers of other tests take it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        app(command, standalone_mode=False)
    finally:
        signal.signal(signal.SIGINT, before)
    said = capsys.readouterr()
    card = json.loads(said.out)["card"]["training"]
    assert card["stopped_early"]
    assert card["epochs_done"] < 50
    assert "the best weights so far are kept" in said.err
    assert load_model(str(folder)).predict(np.ones((1, 57))).shape == (1, 3)
