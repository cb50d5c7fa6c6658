"""``sspexplorer fetch``, against a local TAP service and a local web server."""

import json
import sys

import pandas as pd
import pyarrow.parquet as pq
import pytest
from files_server import serve_files
from tap_server import serve_tap

from sspexplorer.archive.connection import PASSWORD
from sspexplorer.archive.services import SETTING
from sspexplorer.cli import main
from sspexplorer.resources import data_path


@pytest.fixture(scope="module")
def started():
    with serve_tap() as server:
        yield server


@pytest.fixture
def tap(started, monkeypatch):
    started.reset()
    monkeypatch.setenv(SETTING, started.url)
    return started


@pytest.fixture
def run(monkeypatch, capsys):
    def command(*arguments: object) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        monkeypatch.setattr(sys, "argv", ["sspexplorer", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            main()
        return left.value.code, *capsys.readouterr()

    return command


def test_what_is_fetched_can_be_predicted_as_it_is(tap, run, tmp_path):
    out, predicted = tmp_path / "g.parquet", tmp_path / "p.csv"
    code, said, notes = run("fetch", "--where", "i < 17.5 and z < 0.5", "--out", out)
    assert code == 0
    assert said.startswith("11 rows from 127.0.0.1 written to")
    assert "in the unit of the flux" in notes
    code, said, _ = run("predict", out, "--out", predicted, "--model", "default", "--json")
    report = json.loads(said)
    assert (code, report["unit"], report["photometry"]) == (0, "flambda", "FLUX_APER_COR_3_0")
    assert report["redshift_column"] == "PHOTOZ"
    assert report["n_predicted"] == report["n_rows"] == 11
    table = pd.read_csv(predicted)
    assert table["TILE_ID"].isin((2241, 2243, 2406)).all()
    assert table["pred_log_age"].notna().all()


def test_the_report_as_json_says_all(tap, run, tmp_path):
    out = tmp_path / "g.parquet"
    code, said, _ = run("fetch", "--ids", "2241-1,2243-1", "--out", out, "--json")
    report = json.loads(said)
    assert (code, report["n_rows"], report["complete"], report["n_jobs"]) == (0, 2, True, 1)
    assert report["service"] == tap.url
    assert "FROM minijpas.MagABDualObj AS m" in report["adql"]


def test_a_dry_run_prints_the_query_and_asks_nobody(tap, run):
    code, said, _ = run("fetch", "--service", "jpas-edr", "--cone", "214", "-52", "2'", "--dry-run")
    assert code == 0
    assert said.startswith("SELECT\n  m.tile_id AS TILE_ID")
    assert "CIRCLE('ICRS', 214.00000000, -52.00000000, 0.03333333)" in said
    assert "FROM jpas.MagABDualObj AS m" in said
    code, said, _ = run("fetch", "--brighter", "20", "--dry-run", "--json", "--schema", "minijpas")
    assert json.loads(said)["service"] == tap.url
    assert tap.asked == []


def test_a_query_comes_from_a_file(tap, run, tmp_path):
    query, out = tmp_path / "query.adql", tmp_path / "g.parquet"
    query.write_text("SELECT TOP 3 tile_id, number FROM minijpas.MagABDualObj\n")
    assert run("fetch", "--adql", query, "--out", out)[0] == 0
    assert pq.read_table(out).num_rows == 3


def test_the_password_comes_from_the_environment(tap, run, tmp_path, monkeypatch):
    tap.user, out = ("maria", "s3cret"), tmp_path / "g.parquet"
    command = ("fetch", "--brighter", "17.2", "--user", "maria", "--out", out)
    code, _, said = run(*command)
    assert (code, PASSWORD in said) == (2, True)
    monkeypatch.setenv(PASSWORD, "s3cret")
    code, *said = run(*command)
    assert code == 0
    assert "s3cret" not in "".join(said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--brighter", "20"], "Say where to write: --out FILE."),
        (["--out", "g.parquet"], "Say which galaxies"),
        (["--brighter", "20", "--out", "g.csv"], "does not end in .parquet"),
        (["--brighter", "20", "--adql", "SELECT 1", "--out", "g.parquet"], "--adql without a cut"),
        (["--flags", "some", "--out", "g.parquet"], "--flags is 'any' or 'clean'"),
        (["--where", "i < 2", "--schema", "a b", "--dry-run"], "is no name of a schema"),
        (["--service", "jpas-idr", "--brighter", "2", "--out", "g.parquet"], "give --user"),
        (["https://a.example/b.csv", "--brighter", "20", "--out", "b.csv"], "not both"),
        (["https://a.example/b.csv"], "Say where to write: --out b.csv."),
        (["file:///etc/passwd", "--out", "b.csv"], "nothing else is opened"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tap, run, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    code, out, error = run("fetch", *arguments)
    assert (code, out) == (2, "")
    assert error.startswith("sspexplorer: ")
    assert error.count("\n") == 1
    assert said in error
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_the_web_is_resumed(run, tmp_path):
    out, content = tmp_path / "edr.vot", b"<?xml version='1.0'?>" + bytes(range(256)) * 2000
    with serve_files() as web:
        web.files["edr.vot"] = content
        web.manner["edr.vot"] = "cut"
        assert run("fetch", f"{web.url}/edr.vot", "--out", out)[0] == 0
        assert out.read_bytes() == content
        assert len(web.asked) > 1
        assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_stalls_is_kept_and_its_rest_fetched_later(run, tmp_path, monkeypatch):
    from sspexplorer.archive import files

    monkeypatch.setattr(files, "STALL_SECONDS", 0.3)
    out, content = tmp_path / "edr.csv", bytes(range(256)) * 2000
    with serve_files() as web:
        web.files["edr.csv"], web.manner["edr.csv"] = content, "stall"
        code, _, said = run("fetch", f"{web.url}/edr.csv", "--out", out)
        assert (code, "the same command goes on from there" in said) == (2, True)
        web.manner.clear()
        assert run("fetch", f"{web.url}/edr.csv", "--out", out)[0] == 0
        assert web.asked[-1][1] is not None
    assert out.read_bytes() == content


@pytest.mark.parametrize(("name", "said"), [("page", "a web page"), ("gone", "answers 404")])
def test_what_is_no_file_is_refused(run, tmp_path, name, said):
    with serve_files() as web:
        web.manner["page"] = "html"
        code, _, error = run("fetch", f"{web.url}/{name}", "--out", tmp_path / "x")
    assert (code, said in error) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_may_not_be_larger_than_said(run, tmp_path):
    with serve_files() as web:
        web.files["big"] = bytes(3_000_000)
        command = ("fetch", f"{web.url}/big", "--out", tmp_path / "x", "--max-size", "2")
        code, _, error = run(*command)
    assert (code, "larger than the 2 MB" in error) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_a_catalogue_is_predicted_from_its_address(run, tmp_path, monkeypatch):
    monkeypatch.setenv("SSPEXPLORER_DATA", str(tmp_path / "data"))
    out, example = tmp_path / "out.csv", data_path("examples", "real_galaxies.csv")
    with serve_files() as web:
        # What is lost where a line breaks is less than this.
        web.files["galaxies.csv"] = example.read_bytes() + b"# the end\n" * 20_000
        web.manner["galaxies.csv"] = "cut"
        command = (f"{web.url}/galaxies.csv", "--out", out)
        code, _, said = run("predict", *command, "--model", "default")
        assert (code, "Downloaded to" in said) == (0, True)
        assert web.asked[-1][1] is not None
        assert len(pd.read_csv(out)) == 3
        n = len(web.asked)
        code, _, said = run("sedfit", *command, "--libraries", "popstar")
        assert (code, "delete it there to have it anew" in said) == (0, True)
        assert len(web.asked) == n
        for place, why in (("gone.csv", "answers 404"), ("data", "names no catalogue")):
            code, _, said = run("predict", f"{web.url}/{place}", "--out", out)
            assert (code, why in said, said.count("\n")) == (2, True, 1)
    kept = sorted((tmp_path / "data").rglob("*"), key=lambda path: len(path.parts))
    assert len(kept) == 3
    assert [path.name for path in kept[::2]] == ["catalogues", "galaxies.csv"]
