"""Strangers' files: read apart, within bounds; uploads and work of one visitor among many."""

import gzip
import io
import os
import signal
import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits

from sspexplorer.app.apply.intake import Dropper
from sspexplorer.app.kit import work
from sspexplorer.app.kit.lanes import Lanes
from sspexplorer.bands import BAND_NAMES
from sspexplorer.bounds import STRICT
from sspexplorer.catalogue import ChoiceNeededError, read_catalogue
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.jobs.limits import Limits
from sspexplorer.jobs.reading import Reader
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.resources import data_path

TIGHT = Limits(memory=300 << 20, seconds=20, bounds=replace(STRICT, expanded=300 << 20))


@pytest.fixture(scope="module")
def reader():
    """One process for all tests: it takes seconds to import what reading needs."""
    one = Reader()
    yield one
    one.close()


def read(reader, path, limits=TIGHT, progress=NO_PROGRESS, columns=()):
    return reader.read(path, path.name, dict(columns), MaskRule(), "found", limits, progress)


@pytest.mark.parametrize("form", ["csv", "ecsv", "fits", "vot"])
def test_a_file_that_is_read_apart_is_the_same(reader, tmp_path, form):
    example = read_catalogue(data_path("examples", "simulated_galaxies.csv"))
    path = tmp_path / f"x.{form}"
    example.write(path)
    here, apart = read_catalogue(path), read(reader, path)
    np.testing.assert_array_equal(apart.flux, here.flux)
    assert (apart.notes, apart.columns, apart.decision) == (
        here.notes,
        here.columns,
        here.decision,
    )
    assert apart.frame().equals(here.frame())


def growing(kind: str) -> bytes:
    """A small file that is large once it is read."""
    if kind == "x.fits.gz":
        hdu = fits.BinTableHDU.from_columns([fits.Column("J0378", "E", array=np.zeros(10**8 // 4))])
        file = io.BytesIO()
        fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
        return gzip.compress(file.getvalue(), 1)
    if kind == "x.csv.gz":
        return gzip.compress(b"J0378\n" + b"1\n" * 50_000_000, 1)
    if kind == "rows.parquet":
        table = pa.table({f"J{i}": np.zeros(10**6) for i in range(0, 1000, 10)})
    else:
        text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(10**4, "i4")), ["x" * 10**5])
        table = pa.table({"J0378": np.ones(10**4), "id": text.cast(pa.large_string())})
    file = io.BytesIO()
    pq.write_table(table, file)
    return file.getvalue()


@pytest.mark.parametrize("name", ["x.fits.gz", "x.csv.gz", "rows.parquet", "text.parquet"])
def test_what_grows_is_refused_before_it_fills_the_memory(reader, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(growing(name))
    assert path.stat().st_size < 2 << 20
    with pytest.raises(InputError, match=r"unpacks to more|rows of|memory|killed"):
        read(reader, path)


def test_a_question_that_a_file_leaves_open_is_asked(reader, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(f"{','.join(BAND_NAMES)}\n{','.join(['1.5'] * len(BAND_NAMES))}\n")
    with pytest.raises(ChoiceNeededError) as question:
        read(reader, path)
    assert question.value.option == "unit"
    assert "fnu" in question.value.choices


def test_reading_that_takes_too_long_or_is_cancelled_is_killed(reader, tmp_path):
    # Whoever opens it waits for somebody to write.
    path = tmp_path / "x.csv"
    os.mkfifo(path)
    with pytest.raises(InputError, match="takes more than 1 s"):
        read(reader, path, replace(TIGHT, seconds=1))
    asked = []

    def is_cancelled():
        asked.append(True)
        return len(asked) > 10

    with pytest.raises(Cancelled):
        read(reader, path, progress=Progress(is_cancelled=is_cancelled))


def test_a_reading_process_that_was_killed_is_told_and_replaced(reader, tmp_path, caplog):
    waiting, path = tmp_path / "waiting.csv", tmp_path / "x.csv"
    os.mkfifo(waiting)
    reader.warm()

    def kill() -> bool:
        children = Path(f"/proc/{reader.pid}/task/{reader.pid}/children").read_text()
        for child in children.split():
            os.kill(int(child), signal.SIGKILL)
        return False

    with pytest.raises(InputError, match=r"read waiting\.csv was killed, perhaps for want"):
        read(reader, waiting, progress=Progress(is_cancelled=kill))
    path.write_text("FLUX_J0378,FLUX_J0390,id\n1e-30,2e-30,a\n")
    os.kill(reader.pid, signal.SIGKILL)
    assert len(read(reader, path, columns={"unit": "fnu"})) == 1
    assert "was killed and is replaced" in caplog.text


def test_limits_are_those_of_the_environment(monkeypatch):
    monkeypatch.setenv("SSPEXPLORER_MEMORY", "512")
    monkeypatch.setenv("SSPEXPLORER_SECONDS", "5")
    monkeypatch.setenv("SSPEXPLORER_UPLOAD", "1")
    found = Limits.from_environment()
    assert (found.memory, found.seconds, found.upload) == (512 << 20, 5.0, 10**6)
    monkeypatch.setenv("SSPEXPLORER_MEMORY", "much")
    with pytest.raises(InputError, match="SSPEXPLORER_MEMORY must be a positive number"):
        Limits.from_environment()


def test_the_server_counts_what_is_uploaded(monkeypatch):
    monkeypatch.setenv("SSPEXPLORER_UPLOAD", "1")
    told = []
    drop = Dropper(told.append)

    def send(name, chunk, total, data=b"x" * 400_000):
        piece = {"name": name, "chunk": chunk, "total_chunks": total, "data": data, "type": ""}
        drop._process_event(SimpleNamespace(event_name="upload_event", data=piece))

    for chunk in range(1, 10**3):
        send("a.csv", chunk, 10**6)
    assert ["larger than 1 MB" in str(error) for error in told] == [True]
    # One at a time: another file that is sent meanwhile is not taken.
    send("a.csv", 1, 2)
    send("b.csv", 1, 1)
    assert drop.arrived is None
    send("a.csv", 2, 2, b"end")
    assert drop.arrived.name == "a.csv"
    assert drop.arrived.path.read_bytes() == b"x" * 400_000 + b"end"
    assert drop.value == {}
    send("a.exe", 1, 1)
    assert "ends in .exe" in str(told[-1])


def test_a_visitor_who_asks_for_much_keeps_nobody_waiting():
    lanes, open_ = Lanes(threads=3, share=2, name="test"), threading.Event()
    many = [lanes.submit("greedy", open_.wait, 30) for _ in range(20)]
    assert lanes.submit("modest", lambda: 42).result(timeout=20) == 42
    assert not any(future.done() for future in many)
    open_.set()
    assert all(future.result(timeout=20) for future in many)
    with pytest.raises(ZeroDivisionError):
        lanes.submit("modest", lambda: 1 / 0).result(timeout=20)


def test_however_many_wait_for_long_work_pictures_of_others_do_not():
    open_ = threading.Event()
    long = [work.LONG.submit(visitor, open_.wait, 30) for visitor in range(20)]
    try:
        assert work.QUICK.submit("someone else", lambda: 42).result(timeout=20) == 42
    finally:
        open_.set()
    assert all(future.result(timeout=20) for future in long)
