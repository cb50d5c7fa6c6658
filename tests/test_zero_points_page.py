"""The page of zero points, in a browser, and its command."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from pictures import wait_for
from playwright.sync_api import Page, expect
from test_cli import answer, run

from sspexplorer.bands import BAND_NAMES
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    """A file of 120 galaxies whose J0500 is 0.1 mag too faint."""
    rng = np.random.default_rng(2)
    flux = load_model("galaxy").likeness.templates[300:420].astype(float)
    flux, error = NoiseModel.default().add(flux, rng.uniform(16, 18, 120), rng)
    flux[:, BAND_NAMES.index("J0500")] *= 10**-0.04
    columns = dict(zip(BAND_NAMES, 1e-27 * flux.T, strict=True))
    columns |= {f"{b}_err": e for b, e in zip(BAND_NAMES, 1e-27 * error.T, strict=True)}
    path = tmp_path_factory.mktemp("shifted") / "shifted.csv"
    pd.DataFrame({"TILE_ID": np.repeat([7, 8], 60)} | columns).to_csv(path, index=False)
    return path


def test_the_command_measures_and_predict_corrects(shifted, tmp_path):
    out, result = tmp_path / "t.ecsv", tmp_path / "p.csv"
    found = answer("zeropoints", shifted, "--out", out, "--tile", "TILE_ID")
    assert set(found["rms"]) == {"7", "8"}
    faint = [row["offset"] for row in found["offsets"] if row["band"] == "J0500"]
    assert faint == pytest.approx([0.1, 0.1], abs=0.02)
    report = answer("predict", shifted, "--out", result, "--zero-points", out)
    assert report["zero_points"] == str(out)
    assert "Zero points were corrected for 120 galaxies." in report["notes"]
    assert json.dumps(report["suspicions"]) == "[]"
    assert "J0500" in run("zeropoints", shifted).stdout
    refused = run("predict", shifted, "--out", result, "--zero-points", tmp_path / "no.ecsv")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "There is no table of zero points" in refused.stderr


def test_zero_points_are_measured_corrected_and_the_correction_undone(
    page: Page, server: str, shifted
):
    page.goto(f"{server}?page=zero-points")
    expect(page.get_by_text("Zero points are measured from the galaxies")).to_be_visible()
    page.get_by_role("button", name="Open a catalogue").click()
    page.locator("input[name=filepond]").first.set_input_files(shifted)
    expect(page.get_by_role("button", name="Predict", exact=True)).to_be_enabled()
    page.get_by_role("link", name="Zero points").click()
    expect(page.get_by_text(re.compile("120 galaxies against their closest"))).to_be_visible()
    points = wait_for(page, lambda seen: seen[0].of_kind("Scatter")[0])
    far = int(np.argmax(np.abs(points["offset"])))
    assert points["offset"][far] == pytest.approx(0.1, abs=0.02)
    # The empty picture's range is narrower: J0500 and its error must be in view.
    wait_for(
        page,
        lambda seen: seen[0].y_range[1] > points["offset"][far] and seen[0].y_range[0] < 0,
        "All offsets in view",
    )
    page.get_by_label("Measured").select_option("by TILE_ID")
    expect(page.get_by_text(re.compile("60 galaxies against their closest"))).to_be_visible()
    page.get_by_role("button", name="Correct the catalogue").click()
    expect(page.get_by_text("Predictions of your catalogue are corrected")).to_be_visible()
    page.get_by_role("button", name="Undo the correction").click()
    expect(page.get_by_text("Predictions of your catalogue are corrected")).to_be_hidden()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "zero_points.ecsv"
