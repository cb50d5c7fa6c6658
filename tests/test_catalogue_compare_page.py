"""Predictions against another code's columns, on the catalogue page."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Page, expect

from sspexplorer.bands import BAND_NAMES
from sspexplorer.mocks import make_mocks


def test_another_codes_ages_are_compared_with_the_predictions(
    page: Page, server: str, tmp_path: Path
):
    mocks = make_mocks(["bc03"], magnitudes=[16.0], ebv_grid=[0.0])
    mocks = mocks.rows(np.arange(len(mocks)) % 10 == 0)
    table = pd.DataFrame(mocks.flux, columns=list(BAND_NAMES))
    table.insert(0, "name", [f"G{row}" for row in range(len(table))])
    table["age_Gyr"] = 10 ** (mocks.labels["log_age"] - 9)
    table["wrong_age_Gyr"] = 10 * table["age_Gyr"]
    table.loc[0, "age_Gyr"] = -999
    table.to_csv(tmp_path / "mine.csv", index=False)

    page.goto(f"{server}?page=catalogue&by=network")
    page.locator("input[name=filepond]").set_input_files(tmp_path / "mine.csv")
    page.get_by_role("button", name="Predict", exact=True).click()
    words = page.get_by_text(re.compile("predicted − column has median")).first
    expect(words).to_contain_text(f"{len(table) - 1} galaxies")
    expect(words).to_contain_text("1 without both are left out")
    expect(words).to_contain_text("its name or unit says Gyr")
    page.get_by_label("log age against").select_option("wrong_age_Gyr")
    expect(words).to_contain_text("median −1.0")
    page.get_by_label("read as").first.select_option("age [Myr]")
    expect(words).to_contain_text(re.compile(r"median \+(1\.9|2\.0)"))
    expect(page.get_by_text("Choose a column to compare the predicted [M/H] with.")).to_be_visible()


def test_the_simulated_galaxies_show_it_at_once(page: Page, server: str):
    page.goto(f"{server}?page=catalogue")
    page.get_by_role("button", name="Example: simulated galaxies").click()
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.get_by_text(re.compile("predicted − column has median"))).to_have_count(3)
    expect(page.get_by_label("log age against")).to_have_value("sim_light_log_age")
