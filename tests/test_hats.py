"""HATS catalogues, written and read by LSDB itself."""

import functools
import sys
from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from test_streams import N, galaxies, predict, run, save  # noqa: F401

import sspexplorer as ssp
from sspexplorer.streams.parts import Parts

lsdb = pytest.importorskip("lsdb")
WANTED = ("--columns", "pred_log_age,pred_flag")


@pytest.fixture(scope="module")
def sky(galaxies, tmp_path_factory):  # noqa: F811
    """A table of galaxies with places, and what LSDB makes of it: a catalogue with a margin."""
    rng = np.random.default_rng(5)
    table = galaxies.assign(ra=rng.uniform(100, 140, N), dec=rng.uniform(20, 50, N))
    folder = tmp_path_factory.mktemp("sky") / "jpas"
    made = lsdb.from_dataframe(
        table, catalog_name="jpas", lowest_order=1, highest_order=4, partition_rows=70,
        margin_threshold=3600,
    )  # fmt: skip
    made.write_catalog(folder, progress_bar=False)
    return table, folder


def partitions(folder) -> dict[str, pd.DataFrame]:
    return {
        str(path.relative_to(folder)): pq.read_table(path).to_pandas()
        for path in sorted(folder.glob("dataset/Norder=*/Dir=*/Npix=*.parquet"))
    }


def test_a_catalogue_keeps_its_partitions_and_is_joined_back_by_lsdb(sky, tmp_path):
    from hats.io.validation import is_valid_catalog

    table, folder = sky
    out, plain = tmp_path / "jpas_ssp", tmp_path / "whole.parquet"
    predict(folder, out, "--chunk", 50)
    before, after = partitions(folder / "jpas"), partitions(out)
    assert before.keys() == after.keys()
    assert len(before) > 3
    for name, rows in before.items():
        pd.testing.assert_frame_equal(after[name][list(rows)], rows)
    assert is_valid_catalog(out, strict=True)
    assert not Parts.beside(out).folder.exists()
    assert "pred_log_age" not in (tmp_path / "jpas_ssp.columns.yaml").read_text()

    found, original = lsdb.open_catalog(out), lsdb.open_catalog(folder, margin_cache=None)
    info = found.hc_structure.catalog_info
    assert (info.catalog_name, info.total_rows) == ("jpas_ssp", N)
    assert info.hats_builder.startswith("sspexplorer v")
    assert found.get_healpix_pixels() == original.get_healpix_pixels()
    save(table, tmp_path, "parquet")
    predict(tmp_path / "g.parquet", plain)
    wanted = pd.read_parquet(plain).set_index("id")
    answers = [name for name in wanted if name.startswith("pred_")]
    both = original[["id"]].join(
        found[["id", *answers]], left_on="id", right_on="id", suffixes=("", "_of"),
        suffix_method="overlapping_columns",
    )  # fmt: skip
    joined = both.compute().set_index("id").sort_index()
    for name in answers:
        if name == "pred_flag":
            assert joined[name].tolist() == wanted[name].tolist()
        else:
            np.testing.assert_allclose(joined[name].astype(float), wanted[name], atol=2e-3)
    near = original[["id", "ra", "dec"]].crossmatch(
        found[["id", "ra", "dec"]], radius_arcsec=0.1,
        suffix_method="all_columns", suffixes=("_left", "_right"),
    ).compute()  # fmt: skip
    assert len(near) == N
    assert (near["id_left"] == near["id_right"]).all()


def test_a_catalogue_can_become_a_file(sky, tmp_path):
    table, folder = sky
    out = tmp_path / "out.parquet"
    predict(folder / "jpas", out, *WANTED)
    found = pd.read_parquet(out)
    assert sorted(found["id"]) == table["id"].tolist()
    assert list(found.columns[-2:]) == ["pred_log_age", "pred_flag"]


def test_a_run_that_was_stopped_while_it_wrote_goes_on(sky, tmp_path):
    _, folder = sky
    out, again = tmp_path / "one", tmp_path / "again"
    predict(folder, out, *WANTED)
    predict(folder, out, *WANTED)  # A catalogue of our own is replaced.
    written = []
    write = sys.modules["sspexplorer.streams.hats"]._write_partition

    def stopped(*arguments):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(write(*arguments))
        return written[-1]

    with patch("sspexplorer.streams.hats._write_partition", stopped):
        code, told = run(
            "predict", folder, "--out", again, "--unit", "fnu", "--model", "default", *WANTED
        )
    assert code == 130
    assert "--resume" in told
    assert not again.exists()
    answered = "sspexplorer.streams.answering.Predicting.answers"
    with patch(answered, side_effect=AssertionError):
        predict(folder, again, *WANTED, "--resume", "--workers", 1)
    same = {name: (out / name).read_bytes() for name in partitions(out)}
    assert {name: (again / name).read_bytes() for name in partitions(again)} == same


def test_what_cannot_be_used_is_named_in_a_sentence(sky, tmp_path):
    _, folder = sky
    out = tmp_path / "out"

    def refused(*words, source=folder, place=out):
        code, told = run("predict", source, "--out", place, "--model", "default", "--unit", "fnu")
        assert code == 2
        assert all(word in told.splitlines()[-1] for word in words), told
        assert not out.exists()
        assert not Parts.beside(out).folder.exists()

    with patch.dict(sys.modules, {"hats": None}):
        refused("needs the package hats", 'pip install "sspexplorer[survey]"')
    (tmp_path / "file").write_text("")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine").write_text("")
    refused("is a file", place=tmp_path / "file")
    refused("did not write", place=tmp_path / "other")
    refused("or the other way round", place=folder / "jpas")
    refused("or the other way round", place=folder.parent)
    refused("of the type 'margin'", source=next(folder.glob("jpas_*")))
    with pytest.raises(ssp.InputError, match="is a HATS catalogue"):
        ssp.read_catalogue(folder)
    name = next(iter(partitions(folder / "jpas")))
    whole = (folder / "jpas" / name).read_bytes()
    try:
        (folder / "jpas" / name).write_bytes(whole[:-100])
        refused(name.removeprefix("dataset/"), "cut short")
        (folder / "jpas" / name).unlink()
        refused("lacks the partition", name)
    finally:
        (folder / "jpas" / name).write_bytes(whole)


def test_lsdb_maps_a_prediction_over_its_partitions(sky):
    table, folder = sky
    catalogue = lsdb.open_catalog(folder, margin_cache=None)
    for model in ("default", "ssp"):
        predicting = functools.partial(ssp.predict_frame, model, unit="fnu", keep=["id"])
        mapped = catalogue.map_partitions(predicting)
        found = mapped.compute().set_index("id").sort_index()
        wanted = predicting(table).set_index("id")
        assert list(mapped.columns) == ["id", *wanted.columns]
        for name in wanted.columns[:3]:
            np.testing.assert_allclose(found[name].astype(float), wanted[name], atol=2e-3)
        assert found["pred_flag"].tolist() == wanted["pred_flag"].tolist()
