"""Catalogues that are read, predicted and written in pieces."""

import contextlib
import errno
import io
import os
import sys
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from astropy.io import fits
from astropy.table import MaskedColumn, Table
from hypothesis import given, settings
from hypothesis import strategies as st

import sspexplorer as ssp
from sspexplorer.artifact import load_arrays
from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.catalogue.convert import TextSeen
from sspexplorer.catalogue.redshift_values import RedshiftRules, Seen
from sspexplorer.catalogue.redshifts import redshift_columns
from sspexplorer.catalogue.rows import CommasSeen
from sspexplorer.cli import main
from sspexplorer.resources import data_path
from sspexplorer.streams.parts import Parts

N = 240


@pytest.fixture(scope="module")
def galaxies():
    """Galaxies with gaps, sentinels, and redshifts of which some are not known."""
    rng = np.random.default_rng(2)
    seds = load_arrays(data_path("unit_seds.safetensors"))["seds"][:N].astype(float)
    flux = 100 * rng.lognormal(0, 0.3, (N, 1)) * seds
    error = 0.02 * flux
    flux *= rng.normal(1, 0.02, flux.shape)
    flux[rng.random(flux.shape) < 0.03] = -99.0
    columns = {"id": np.arange(N), "name": [f"g{'x' * (i // 50)}" for i in range(N)]}
    for i, band in enumerate(BAND_NAMES):
        columns |= {band: flux[:, i], f"{band}_err": error[:, i]}
    columns["z_spec"] = np.where(rng.random(N) < 0.3, 0.0, rng.uniform(0, 0.1, N))
    columns["photoz"] = rng.uniform(0, 0.1, N)
    columns["EBV_SFD"] = np.where(np.arange(N) < 100, np.nan, 0.03)
    return pd.DataFrame(columns)


def run(*arguments: object) -> tuple[int, str]:
    """Code and what a person is told."""
    told = io.StringIO()
    with (
        patch.object(sys, "argv", ["sspexplorer", *map(str, arguments)]),
        contextlib.redirect_stdout(told),
        contextlib.redirect_stderr(told),
        pytest.raises(SystemExit) as left,
    ):
        main()
    return left.value.code, told.getvalue()


def predict(source, out, *arguments) -> list[str]:
    """What is said of the catalogue."""
    options = ["--model", "default", "--unit", "fnu", *arguments]
    code, told = run("predict", source, "--out", out, *options)
    assert code == 0, told
    ours = ("Read in pieces", "Read together", "100%")
    return [x for x in told.splitlines() if not x.startswith(ours) and " a second." not in x]


def same(one, other) -> None:
    """Assert that two results say the same, whatever their formats keep of types."""
    read = pd.read_csv if one.suffix == ".csv" else lambda path: read_catalogue(path).frame()
    tables = [read(path) for path in (one, other)]
    pd.testing.assert_frame_equal(*tables, rtol=1e-3, atol=1e-3)


def save(galaxies, folder, kind):
    """The galaxies in a file, in files or in the folders of a hive."""
    if kind == "csv":
        galaxies.to_csv(folder / "g.csv", index=False)
    elif kind == "fits":
        table = Table.from_pandas(galaxies)
        table["seen"] = MaskedColumn(np.arange(N, dtype="i4"), mask=np.arange(N) > 200)
        table["good"] = MaskedColumn(np.arange(N) % 2 == 0, mask=np.arange(N) < 9)
        table.write(folder / "g.fits")
    elif kind == "parquet":
        galaxies.to_parquet(folder / "g.parquet", row_group_size=70)
    else:
        parts = folder / "g" if kind == "many" else folder / "hive"
        for i, start in enumerate(range(0, N, 90)):
            inside = parts if kind == "many" else parts / f"tile={i}"
            inside.mkdir(parents=True, exist_ok=True)
            galaxies[start : start + 90].to_parquet(inside / f"{i}.parquet")
        return parts
    return folder / f"g.{kind}"


@pytest.mark.parametrize(
    ("kind", "form"), [("csv", "fits"), ("csv", "parquet"), ("fits", "parquet"), ("many", "csv")]
)
def test_pieces_give_what_the_whole_gives(galaxies, tmp_path, kind, form):
    source = save(galaxies, tmp_path, kind)
    whole, pieces = tmp_path / f"w.{form}", tmp_path / f"p.{form}"
    said = predict(source, whole)
    assert predict(source, pieces, "--chunk", 64) == [x.replace("w.", "p.") for x in said]
    same(whole, pieces)
    maps = [(tmp_path / f"{path.name}.columns.yaml").read_text() for path in (whole, pieces)]
    assert maps[0] == maps[1]
    assert not Parts.beside(pieces).folder.exists()


def test_folders_of_a_hive_are_columns(galaxies, tmp_path):
    out = tmp_path / "out.parquet"
    predict(save(galaxies, tmp_path, "hive"), out, "--columns", "pred_log_age,pred_flag")
    found = pq.read_table(out).to_pandas()
    assert list(found.columns[-3:]) == ["tile", "pred_log_age", "pred_flag"]
    assert found["tile"].tolist() == [i // 90 for i in range(N)]
    assert found["id"].tolist() == list(range(N))
    code, told = run("predict", tmp_path / "hive", "--out", out, "--columns", "pred_age")
    assert code == 2
    assert "no column 'pred_age'" in told


def test_fits_of_pieces_are_those_of_the_whole(galaxies, tmp_path):
    at_rest = galaxies[:60].drop(columns=["z_spec", "photoz"])
    source = save(at_rest, tmp_path, "parquet")
    for name, options in {"whole": (), "pieces": ("--chunk", 25)}.items():
        out = tmp_path / f"{name}.parquet"
        assert run("sedfit", source, "--out", out, "--libraries", "popstar", *options)[0] == 0
    same(tmp_path / "whole.parquet", tmp_path / "pieces.parquet")


def test_a_run_that_was_stopped_goes_on_to_the_same_bytes(galaxies, tmp_path):
    source, out = save(galaxies, tmp_path, "parquet"), tmp_path / "out.parquet"
    options = ("--chunk", 50)
    predict(source, out, *options)
    wanted = out.read_bytes()
    out.write_bytes(b"what was there")
    saved = []
    keep = Parts.save

    def stopped(self, *arguments):
        if len(saved) == 2:
            raise KeyboardInterrupt
        saved.append(arguments[0])
        keep(self, *arguments)

    with patch.object(Parts, "save", stopped):
        code, told = run(
            "predict", source, "--out", out, "--unit", "fnu", "--model", "default", *options
        )
    assert code == 130
    assert "--resume" in told
    assert out.read_bytes() == b"what was there"
    code, told = run("predict", source, "--out", out, "--chunk", 50, "--resume")
    assert code == 2
    assert "another" in told
    with patch.object(Parts, "save", autospec=True, side_effect=keep) as again:
        told = predict(source, out, *options, "--resume")
    assert not {call.args[1] for call in again.call_args_list} & set(saved)
    assert "70 of 240 rows were there from before." in told
    assert out.read_bytes() == wanted


def test_what_cannot_be_used_is_named_and_nothing_is_written(galaxies, tmp_path):
    folder, out = save(galaxies, tmp_path, "many"), tmp_path / "out.parquet"
    asked = ("predict", folder, "--out", out, "--model", "default", "--chunk", 50)

    def refused(*words: str) -> None:
        code, told = run(*asked)
        assert code == 2
        last = told.splitlines()[-1]
        assert all(word in last for word in words), told
        assert "Traceback" not in told
        assert sorted(path.name for path in tmp_path.iterdir()) == ["g"]

    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with patch.object(Parts, "_write", side_effect=[None, full]):
        refused("out.parquet.parts", os.strerror(errno.ENOSPC))
    with patch("sspexplorer.streams.joining.writing.ParquetAppender.append", side_effect=full):
        code, told = run(*asked)
        assert code == 2
        assert f"out.parquet cannot be written: {os.strerror(errno.ENOSPC)}." in told
        assert not out.exists()
    Parts.beside(out).remove()
    broken = folder / "1.parquet"
    whole = broken.read_bytes()
    at = pq.read_metadata(broken).row_group(0).column(60).data_page_offset
    broken.write_bytes(whole[: at - 4] + bytes(300) + whole[at + 296 :])
    refused("1.parquet", "Row group 0")
    broken.write_bytes(whole[: len(whole) // 2])
    refused("1.parquet", "cut short")
    galaxies[90:180].drop(columns="J0400").to_parquet(broken)
    refused("1.parquet has no column 'J0400'")


def test_what_cannot_be_read_in_pieces_is_read_as_a_whole(galaxies, tmp_path):
    source = save(galaxies, tmp_path, "fits")
    with fits.open(source, mode="append") as file:
        file.append(fits.BinTableHDU(Table({"seeing": [0.7, 0.9]}), name="OBSERVATIONS"))
    out = tmp_path / "out.parquet"
    with patch("sspexplorer.streams.opening.LARGE_ROWS", 100):
        predict(source, out)
    assert len(pd.read_parquet(out)) == N
    code, told = run("predict", source, "--out", out, "--chunk", 50)
    assert code == 2
    assert "cannot be read in pieces: g.fits has 2 tables" in told


def test_arrays_may_be_missing_in_a_whole_piece(galaxies, tmp_path):
    flux = galaxies[list(BAND_NAMES)].to_numpy()
    rows = [None if 100 <= i < 150 else row.tolist() for i, row in enumerate(flux)]
    table = pa.table({"id": np.arange(N), "FLUX_AUTO": rows})
    pq.write_table(table, tmp_path / "g.parquet")
    for name, options in {"w": (), "p": ("--chunk", 50)}.items():
        predict(tmp_path / "g.parquet", tmp_path / f"{name}.parquet", *options)
    same(tmp_path / "w.parquet", tmp_path / "p.parquet")


parts_of = st.lists(st.integers(0, 60), max_size=4).map(lambda cuts: [0, *sorted(cuts), 60])
redshifts = st.lists(
    st.sampled_from([0.0, 0.01, 0.02, -99.0, 99.0, np.nan, 500.0, 0.5]), min_size=60, max_size=60
)


@settings(max_examples=40, deadline=None)
@given(redshifts, parts_of)
def test_what_is_seen_of_parts_adds_up(values, cuts):
    values = np.array(values)
    table = pa.table({"z": values, "z_l68": values - 0.01, "z_u68": values + 0.01})
    columns = redshift_columns(table.column_names)
    parts = [table.slice(a, b - a) for a, b in pairwise(cuts) if b > a]
    (column,) = columns
    seen = Seen.of(table, column)
    assert sum((Seen.of(part, column) for part in parts), Seen()) == seen
    rules = RedshiftRules.of(table, columns)
    whole = rules.take(table).values
    if whole is not None:
        found = [rules.take(part).values for part in parts]
        # A part of which no row has a redshift has none.
        found = [np.full(len(p), np.nan) if z is None else z
                 for p, z in zip(parts, found, strict=True)]  # fmt: skip
        np.testing.assert_array_equal(np.concatenate(found), whole)


cells = st.sampled_from(
    ["1", "-2", "007", "1.5", "12E3", "", "nan", "x", "1,5", "9007199254740993"]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(cells, max_size=6), st.lists(cells, max_size=6))
def test_types_of_text_add_up(one, other):
    for seen in (TextSeen, CommasSeen):
        parts = [seen.of(pa.array(part, pa.string())) for part in (one, other)]
        whole = seen.of(pa.array(one + other, pa.string()))
        added = parts[0] + parts[1]
        if seen is CommasSeen:
            assert (added.any, added.numeric) == (whole.any, whole.numeric)
        else:
            assert all(added.kind(exact) == whole.kind(exact) for exact in (True, False))


def test_a_frame_is_answered_row_by_row_with_one_schema(galaxies):
    frame = galaxies.set_index("name")
    whole = ssp.predict_frame("default", frame, unit="fnu", keep=["id"])
    parts = [ssp.predict_frame("default", frame[i : i + 7], unit="fnu", keep=["id"])
             for i in range(0, N, 7)]  # fmt: skip
    pd.testing.assert_frame_equal(pd.concat(parts), whole, rtol=1e-3)
    for model in ("default", "ssp"):
        some = ssp.predict_frame(model, frame[:3], unit="fnu")
        none = ssp.predict_frame(model, frame[:0])
        pd.testing.assert_series_equal(none.dtypes, some.dtypes)
        assert none.index.name == "name"
    with pytest.raises(ssp.InputError, match="say unit="):
        ssp.predict_frame("default", frame)
