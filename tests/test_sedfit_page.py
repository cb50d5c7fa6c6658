"""The SED fitting page, in a browser and without one."""

import re

import numpy as np
import pytest
from pictures import Figure, wait_for
from playwright.sync_api import Page, expect

from sspexplorer.app import cache
from sspexplorer.app.trust.sedfit import FIT, FIT_WITHOUT
from sspexplorer.metrics import summary


@pytest.fixture(scope="module")
def view():
    from sspexplorer.app import SEDFitting

    return SEDFitting()


def test_fit_and_networks_are_measured_on_the_same_mocks(view):
    assert list(view.methods) == [FIT, FIT_WITHOUT, "Default", "As in the paper"]
    mocks = cache.fit_sample(100)
    for method in view.methods.values():
        assert method.table["log_age"].to_numpy() == pytest.approx(mocks.parameters[:, 0])
        assert method.seconds > 0
    predicted = cache.model("paper").predict(mocks.flux)[:, 2]
    told = view.score_table().loc["As in the paper", "σ\u00a0NMAD"].iloc[2]
    assert told == pytest.approx(summary(predicted, mocks.parameters[:, 2])["sigma_nmad"])


def test_models_of_other_libraries_fit_worse_than_the_truth(view):
    scatter = {}
    for models in ("all", "others"):
        view.param.update(models=models)
        scatter[models] = view.methods[FIT].summaries()["log_age"]["sigma_nmad"]
    assert scatter["others"] > 1.5 * scatter["all"]
    assert FIT_WITHOUT not in view.methods


def test_knowing_the_very_ssp_is_an_advantage(view):
    view.param.update(models="all")
    found = {title: method.summaries()["log_age"] for title, method in view.methods.items()}
    assert found[FIT]["rmse"] < found[FIT_WITHOUT]["rmse"]
    assert found[FIT]["rmse"] < found["Default"]["rmse"]


def medians(figures: list[Figure]) -> np.ndarray:
    """Median log age that is found, in bins of the true one."""
    return figures[0].of_kind("Scatter")[0]["y"]


def test_the_page_answers_to_its_controls(page: Page, server: str):
    page.goto(f"{server}?page=sedfit")
    caption = page.get_by_text(re.compile(r"1,300 mocks: [\d., ]+\(SED fit\)"))
    expect(caption).to_contain_text("(SED fit, SSP left out)")
    numbers = page.locator("table:visible").first
    before = numbers.inner_text()
    page.get_by_label("Fitted with models of").select_option("All but its own")
    expect(caption).to_contain_text("No mock has its own library in the grid")
    assert numbers.inner_text() != before
    expect(page).to_have_url(re.compile("grid=others"))
    fitted = wait_for(page, medians)
    page.get_by_role("button", name="As in the paper").click()
    wait_for(page, lambda seen: (medians(seen) != fitted).all(), "What another method finds")
