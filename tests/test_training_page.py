"""The page that trains networks: what it chooses, and a browser in which one is trained."""

import json
import re
import time
import zipfile
from pathlib import Path

import holoviews as hv
import numpy as np
import pytest
from pictures import Figure, wait_for
from playwright.sync_api import Browser, Page, expect

from sspexplorer.app import cache
from sspexplorer.app.train.choices import CUSTOM, Choices
from sspexplorer.app.train.runs import PACE, Pace, duration
from sspexplorer.app.train.training import TrainANetwork
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.networks.recipes import RECIPES, get_recipe
from sspexplorer.plots.training import Losses, loss_curves
from sspexplorer.shipped import RECIPE_MODELS

# As little as a training can be.
TINY = "page=training&libraries=emiles&mocks=10000&batch=1000"
LONG = 180_000  # ms; a process starts, and its libraries are imported


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


# Choices


@pytest.mark.parametrize("name", list(RECIPES))
def test_a_recipe_that_is_chosen_is_that_recipe(name):
    choices = Choices()
    choices.take_recipe(name)
    assert choices.recipe == get_recipe(name, epochs=choices.epochs)
    assert choices.task(["emiles"], None).continuous_ebv == (name == "default")
    choices.batch_size = 100
    assert choices.recipe_name == CUSTOM


def test_the_time_of_the_shipped_networks_is_estimated_as_it_was():
    for name in RECIPE_MODELS:
        card = cache.model_card(name)
        choices = Choices(n_mocks=0, epochs=card["training"]["epochs_done"])
        choices.take_recipe(name)
        libraries = card["sample"]["libraries"]
        seconds = PACE.seconds(choices.task(libraries, None), choices.n_train(libraries))
        assert seconds == pytest.approx(card["training"]["seconds"], rel=0.05)


def test_the_pace_is_that_of_the_part_that_was_done():
    pace, choices = Pace(), Choices(epochs=100)
    task, n_train = choices.task(["emiles"], None), 10_000
    before = pace.seconds(task, n_train)
    card = {"training": {"seconds": 3 * before / 4}, "sample": {"n_train": n_train}}
    pace.learn(task, card, fraction=0.25)
    assert pace.seconds(task, n_train) == pytest.approx(3 * before)


def test_durations_are_for_people():
    assert [duration(s) for s in (42.4, 300, 7200)] == ["42 s", "5 min", "2.0 h"]


# Losses


def test_over_fitting_is_measured_where_validation_is_best():
    train = [(4.0, 1.0, 1.0), (2.0, 0.5, 0.9), (1.0, 0.2, 0.8)]
    validation = [(4.0, 1.0, 1.0), (3.0, 1.5, 1.0), (3.5, 2.0, 0.8)]
    losses = Losses(train, validation, 5)
    assert [losses.best_epoch(name) for name in PARAMETERS] == [2, 1, 3]
    assert [losses.gap(name) for name in PARAMETERS] == pytest.approx([0.5, 0.0, 0.0])
    assert losses.table("log_age")["rms"].to_numpy() == pytest.approx(np.sqrt([4, 3, 3.5]))


def test_losses_that_are_not_there_or_not_numbers_are_drawn_as_nothing():
    assert Losses().best_epoch("ebv") is None
    nan = Losses([(np.nan,) * 3], [(np.nan,) * 3], 5)
    assert nan.best_epoch("ebv") is None
    for losses in (Losses(), nan):
        for figure in loss_curves(losses).values():
            hv.render(figure)


# Browser


def epochs(figures: list[Figure]) -> int:
    """How many epochs of validation losses the first figure shows."""
    return len(figures[0].of_kind("Line")[1]["x"])


def opened(page: Page, server: str, more: str = "epochs=3") -> Page:
    page.goto(f"{server}?{TINY}&{more}")
    expect(page.get_by_text("Compared on held-out mocks")).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    return page


def test_a_network_is_trained_compared_used_and_downloaded(
    page: Page, server: str, browser: Browser, tmp_path: Path
):
    opened(page, server)
    start = page.get_by_role("button", name="Start", exact=True)
    wait_for(page, lambda seen: epochs(seen) > 3, "Losses of a network that ships")
    start.click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()

    # The server answers other visitors meanwhile, on a page that has to compute.
    other = browser.new_context().new_page()
    other.goto(server)
    expect(other.get_by_text("→").first).to_be_visible()
    other.context.close()

    expect(page.get_by_text("Network 1: of 3 epochs")).to_be_visible(timeout=LONG)
    expect(start).to_be_visible()
    wait_for(page, lambda seen: epochs(seen) == 3, "Losses of three epochs")
    row = page.get_by_role("row", name=re.compile("Network 1"))
    expect(row).to_contain_text(re.compile(r"E-MILES.*0\.\d{3}"))

    page.get_by_role("button", name="Use in the app").click()
    expect(page.get_by_text("In use: “Network 1”")).to_be_visible()
    expect(page).to_have_url(re.compile(r"model=Network"))

    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    with zipfile.ZipFile(download.value.path()) as archive:
        archive.extractall(tmp_path)
    assert load_model(tmp_path / "network-1").card["sample"]["libraries"] == ["emiles"]

    page.get_by_role("button", name="Remove", exact=True).click()
    expect(row).to_have_count(0)
    expect(page.get_by_text("In use: “Default”")).to_be_visible()


def test_a_training_is_stopped_and_another_visitor_waits_for_it(
    page: Page, server: str, browser: Browser
):
    opened(page, server, "epochs=100&network=sed")
    page.get_by_role("button", name="Start", exact=True).click()
    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(page.get_by_text("So far: ")).to_be_visible(timeout=LONG)

    other = opened(browser.new_context().new_page(), server)
    other.get_by_role("button", name="Start", exact=True).click()
    expect(other.get_by_text("Another visitor’s network is being trained")).to_be_visible()
    other.context.close()

    stop.click()
    expect(page.get_by_text(re.compile(r"Network 1: of \d+ epochs"))).to_be_visible(timeout=LONG)
    expect(page.get_by_role("row", name=re.compile("Network 1"))).to_contain_text("■")


def test_the_page_works_without_a_server():
    page = TrainANetwork()
    assert page.shelf.comparison is not None
    assert [run.shipped for run in page.shelf.runs] == list(RECIPE_MODELS)
    page.n_mocks, page.batch_size, page.epochs = 10_000, 1000, 1
    page.state.libraries = ["emiles"]
    page.start()
    while not page.training.ended:
        time.sleep(0.05)
    page.look()
    assert page.shelf.run.title == "Network 1"
    name = page.shelf.use()
    assert page.state.kept == [name]
    assert cache.model(name) is page.shelf.run.model
    assert "Network 1" in page.shelf.comparison.curves["run"].to_numpy()
    assert json.dumps(page.shelf.run.card)
    page.shelf.remove()
    assert page.state.kept == []
    assert not cache.knows_model(name)
