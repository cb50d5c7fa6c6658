import contextlib
import io
import json
import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from sspexplorer import flags
from sspexplorer.cli import main
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.models import load_model
from sspexplorer.posterior.prediction import columns as predicted_columns


def run(*arguments: object) -> subprocess.CompletedProcess:
    """Run the command line in this process: what it imports is here already."""
    command = ["sspexplorer", *map(str, arguments)]
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", command),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        main()
    return subprocess.CompletedProcess(command, left.value.code, out.getvalue(), err.getvalue())


def answer(*arguments: object) -> dict:
    """The one JSON object that a command prints, and nothing else."""
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def mocks(tmp_path_factory):
    """Mocks of two libraries as the command makes them, but of three magnitudes only."""
    path = tmp_path_factory.mktemp("mocks") / "m.parquet"
    make_mocks(["emiles", "popstar"], seed=5, magnitudes=[16.0, 19.0, 22.0]).to_parquet(path)
    return path


@pytest.fixture(scope="module")
def trained(mocks, tmp_path_factory):
    """A folder with a model, and its card."""
    folder = tmp_path_factory.mktemp("new") / "models" / "model"
    return folder, answer("train", mocks, "--out", folder, "--epochs", 1, "--seed", 2)["card"]


def test_a_process_ends_as_the_command_line_does(tmp_path):
    command = [sys.executable, "-m", "sspexplorer.cli", "predict", "none.csv", "--out", "x.csv"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == run(*command[3:]).stderr.splitlines()


def test_mocks_are_every_ssp_behind_dust_at_every_magnitude(tmp_path):
    report = answer("mocks", tmp_path / "m.parquet", "--libraries", "emiles", "--seed", 5)
    assert report["n"] == 118 * 8 * 13
    assert sum(report["split"].values()) == report["n"]
    assert len(MockSample.from_parquet(tmp_path / "m.parquet")) == report["n"]
    deep = answer("mocks", tmp_path / "m.parquet", "--libraries", "emiles", "--depths", "JNEP")
    assert "J-NEP" in deep["meta"]["noise"]["description"]
    refused = run("mocks", tmp_path / "m.parquet", "--depths", "COSMOS")
    assert (refused.returncode, "no field 'COSMOS'" in refused.stderr) == (2, True)


def test_libraries_are_listed_with_what_was_left_out():
    found = {item["name"]: item for item in answer("libraries")["libraries"]}
    assert list(found) == ["emiles", "bc03", "popstar", "m11", "mastar"]
    assert found["emiles"]["n_ssp"] == 118
    assert any("without flux beyond" in sentence for sentence in found["emiles"]["left_out"])


def test_train_without_a_sample_draws_mocks_as_it_needs_them(tmp_path):
    choices = ["--libraries", "emiles", "--split", "random", "--recipe", "paper-fast"]
    card = answer("train", "--out", tmp_path / "m", *choices, "--epochs", 1, "--seed", 4)["card"]
    assert card["sample"]["on_demand"]
    assert card["sample"]["n_train"] == pytest.approx(0.65 * 118 * 8 * 13, rel=0.02)
    again = " ".join([*choices, "--network base --epochs 1 --seed 4"])
    assert card["train_again"] == [f"sspexplorer train --out MODEL_DIR {again}"]


def test_train_writes_a_model_that_evaluate_can_use(mocks, trained):
    model, card = trained
    assert card["seed"] == 2
    assert "sspexplorer mocks MOCKS.parquet --libraries emiles,popstar --seed 5" in " ".join(
        card["train_again"]
    )
    found = answer("evaluate", "--model", model, "--mocks", mocks)
    assert found["split"] == "ssp"
    assert set(found["by_library"]) == {"emiles", "popstar"}
    assert list(found["by_magnitude"]) == ["16.0", "19.0", "22.0"]
    for name in ("log_age", "metallicity", "ebv"):
        assert {"bias", "sigma_nmad", "outlier_fraction", "pearson", "rmse", "n"} <= set(
            found["overall"][name]
        )
    assert 0 < found["overall"]["log_age"]["outlier_fraction"] < 1
    # The metrics in the card are those of the very same mocks.
    assert card["metrics"]["ssp"]["overall"] == found["overall"]


def test_evaluate_makes_its_own_mocks_unless_given_some(trained):
    model, card = trained
    found = answer("evaluate", "--model", model, "--split", "random")
    assert found["split"] == "random"
    assert not found["noise_seen_in_training"]
    assert found["overall"]["ebv"]["n"] == card["sample"]["n_train"]


def test_a_mock_sample_can_be_predicted_as_a_catalogue(mocks, tmp_path):
    some, out = tmp_path / "some.parquet", tmp_path / "out.parquet"
    sample = MockSample.from_parquet(mocks)
    sample = sample.rows(np.arange(len(sample)) % 50 == 0)
    sample.to_parquet(some)
    report = answer("predict", some, "--out", out)
    result = pd.read_parquet(out)
    assert report["n_rows"] == report["n_predicted"] == len(sample) == len(result)
    assert np.array_equal(result["log_age"], sample.labels["log_age"])
    bright = sample.labels["magnitude"] == 16
    error = (result["pred_log_age"] - result["log_age"])[bright]
    assert np.median(np.abs(error)) < 0.2


def test_sedfit_appends_fits_with_their_errors(tmp_path, repository):
    out = tmp_path / "fits.csv"
    report = answer("sedfit", repository / "data/examples/real_galaxies.csv", "--out", out)
    result = pd.read_csv(out, keep_default_na=False)
    assert report["n_rows"] == report["n_fitted"] == len(result) == 3
    for name in ("log_age", "metallicity", "ebv"):
        low, middle, high = (result[f"fit_{name}_{q}"] for q in ("p16", "p50", "p84"))
        assert (low <= middle).all()
        assert (middle <= high).all()
        assert (result[f"fit_{name}_err"] > 0).all()
    assert result["fit_flag"].tolist() == ["", "", ""]


def test_a_mock_sample_can_be_fitted_at_its_own_redshift(tmp_path):
    given, out = tmp_path / "mocks.parquet", tmp_path / "fits.parquet"
    sample = make_mocks(["emiles"], ebv_grid=[0.13], magnitudes=[16.0], redshift=0.05)
    sample = sample.rows(np.arange(len(sample)) % 4 == 0)
    sample.to_parquet(given)
    report = answer("sedfit", given, "--out", out, "--libraries", "emiles", "--floor", "0")
    result = pd.read_parquet(out)
    assert report["n_rows"] == report["n_fitted"] == len(result) == len(sample)
    assert report["redshift_column"] == "redshift"
    assert report["median_chi2"] == pytest.approx(1, abs=0.1)
    assert np.median(np.abs(result["fit_log_age"] - result["log_age"])) < 0.02


def test_predict_keeps_every_row_and_column_in_order(tmp_path):
    given = tmp_path / "my galaxies.csv"
    columns = [f"J{w:04d}" for w in range(400, 910, 10)]
    rows = [["007", "a,b", *["1.50"] * 51], ["008", "", *["-999.0"] * 40, *["1"] * 11]]
    lines = [",".join(["ID", "note", *columns])]
    lines += [",".join(f'"{cell}"' if "," in cell else cell for cell in row) for row in rows]
    given.write_text("\n".join(lines) + "\n")
    out = tmp_path / "out.csv"
    report = answer("predict", given, "--out", out, "--unit", "fnu")
    result = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert list(result)[: len(columns) + 2] == ["ID", "note", *columns]
    assert result["ID"].tolist() == ["007", "008"]
    assert result["note"].tolist() == ["a,b", ""]
    assert result["J0400"].tolist() == ["1.50", "-999.0"]
    added = list(result)[len(columns) + 2 :]
    estimator = load_model("galaxy")
    assert added == predicted_columns(estimator.model, estimator.libraries)
    assert float(result.loc[1, "pred_log_age_err"]) > 0.1
    assert result["pred_n_bands"].tolist() == ["51", "11"]
    reasons = [set(text.split()) for text in result["pred_flag"]]
    assert {"errors-unknown", "few-bands"} - reasons[0] == {"few-bands"}
    assert {"errors-unknown", "few-bands"} <= reasons[1]
    assert report["flags"] == flags.count(result["pred_flag"])
    assert {"errors-unknown": 2, "few-bands": 1}.items() <= report["flags"].items()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["predict", "none.csv", "--out", "x.csv"], "none.csv"),
        (["predict", "none.csv", "--out", "no/folder/x.csv"], "there is no folder"),
        (["sedfit", "none.csv", "--out", "x.csv"], "none.csv"),
        (["sedfit", "none.csv", "--out", "x.csv", "--libraries", "cb19"], "'cb19'"),
        (["evaluate", "--model", "nothing"], "no model 'nothing'"),
        (["evaluate", "--split", "half"], "'ssp' or 'random'"),
        (["evaluate", "--mocks", "none.parquet"], "no mock sample at none.parquet"),
        (["mocks", "out.csv"], "does not end in .parquet"),
        (["mocks", "out.parquet", "--libraries", "cb19"], "no SSP library called 'cb19'"),
        (["train", "none.parquet", "--out", "m", "--recipe", "fast"], "no recipe 'fast'"),
        (["train", "x.parquet", "--out", "m", "--split", "random"], "leave the options away"),
        (["train", "--out", "m", "--device", "gpu"], "no kind of device 'gpu'"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert sentence in done.stderr


@pytest.mark.parametrize(
    "command", ["libraries", "mocks", "train", "evaluate", "predict", "sedfit", "serve", ""]
)
def test_every_command_explains_itself(command):
    done = run(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_formulas_are_text_where_a_file_is_for_spreadsheets(tmp_path):
    catalogue, out = tmp_path / "x.csv", tmp_path / "out.csv"
    catalogue.write_text("id,FNU_J0378,FNU_J0390,FNU_J0400\n=1+1,1e-29,2e-29,3e-29\n")
    for switch, cell in ([], "=1+1"), (["--for-spreadsheets"], "'=1+1"):
        done = run("sedfit", catalogue, "--out", out, "--libraries", "emiles", *switch)
        assert done.returncode == 0, done.stderr
        assert out.read_text().splitlines()[1].split(",")[0] == cell
        assert ("1 cell that begins like a formula" in done.stderr) == bool(switch)
    refused = run("predict", catalogue, "--out", tmp_path / "x.fits", "--for-spreadsheets")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert "--for-spreadsheets" not in run("zeropoints", "--help").stdout
