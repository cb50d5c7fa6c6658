import holoviews as hv
import numpy as np
import pandas as pd
import pytest
from onlooker import Onlooker

from sspexplorer.app import cache
from sspexplorer.app.explore.libraries import Libraries
from sspexplorer.libraries import LIBRARY_NAMES, load_library
from sspexplorer.mocks import make_mocks
from sspexplorer.plots.coverage import (
    PAPER_ROWS,
    TOTAL,
    Coverage,
    counts_table,
    coverage_picture,
    histogram_table,
)


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def ssps():
    return cache.ssp_table()


def test_the_range_is_that_of_the_libraries_in_use(ssps):
    for name in LIBRARY_NAMES:
        own = ssps[ssps["library"] == name]
        assert own["in_range"].sum() == len(load_library(name))
        assert len(own) == len(load_library(name, None))


def test_counts_are_those_of_the_mocks(ssps):
    table = counts_table(Coverage(ssps))
    mocks = make_mocks(["emiles"])
    assert table.loc["E-MILES", "mocks"] == len(mocks)
    assert table.loc[TOTAL, "SSPs"] == table.loc[["E-MILES", "BC03", "PopStar"], "SSPs"].sum()
    # Sect. 2.2 and 3 of the paper: the three parts of its split add up to this.
    assert table.loc[PAPER_ROWS[-1], "mocks"] == 551_253 + 172_263 + 137_838


def test_every_ssp_is_in_the_picture_and_in_the_histograms(ssps):
    layers = list(coverage_picture(Coverage(ssps, whole=True), "bc03"))
    points = layers[0].dframe()
    assert len(points) == len(ssps)
    assert points["own"].sum() == (points["library"] == "BC03").sum() == 1540
    hollow = next(iter(coverage_picture(Coverage(ssps), "bc03"))).dframe().query("fill == 0")
    assert len(hollow) == 1540 - len(load_library("bc03"))
    bars = next(layer for layer in layers if isinstance(layer, hv.Rectangles))
    own = bars.dframe().query("own == 1")
    upright = own["y0"] > 0.95
    assert own[upright]["ssps"].sum() == own[~upright]["ssps"].sum() == 1540
    assert own[upright]["fraction"].sum() == pytest.approx(1)


def test_a_histogram_counts_each_value_once():
    table = histogram_table(np.array([0.0, 0.1, 0.25, 0.9]), (0.0, 1.0))
    assert table["ssps"].tolist() == [2, 1, 0, 0, 1]
    assert table["fraction"].sum() == pytest.approx(1)


def drawn(page: Libraries) -> pd.DataFrame:
    """Points of the SEDs that were picked."""
    return Onlooker(page).pictures[-1][()].Points.I.dframe()


def test_a_click_picks_the_nearest_ssp_and_another_takes_it_away():
    page = Libraries()
    first = page.picked
    page.tapped("bc03", 7.021, -0.61)
    picked = page.picked[-1]
    assert (picked.library, picked.metallicity) == ("bc03", -0.699)
    assert picked.log_age == pytest.approx(7.021, abs=0.011)
    assert set(drawn(page)["sed"]) == set(range(1, len(first) + 2))
    page.tapped("bc03", 7.021, -0.61)
    assert page.picked == first
    page.tapped("bc03", 11.0, 0.0)  # among the histograms
    assert page.picked == first


def test_ages_out_of_range_are_left_out_unless_asked_for():
    page = Libraries()
    assert page.counts.loc[TOTAL, "SSPs"] == sum(len(load_library(n)) for n in LIBRARY_NAMES)
    page.tapped("bc03", 5.2, 0.0)
    assert page.picked[-1].log_age > 6.17
    page.ages = "whole"
    page.tapped("bc03", 5.2, 0.0)
    assert page.picked[-1].log_age == pytest.approx(5.2, abs=0.1)
    assert drawn(page)["population"].iloc[-1].startswith("0.158 Myr")
