import io
import re

import holoviews as hv
import numpy as np
import pyarrow.parquet as pq
import pytest
from pictures import Figure, wait_for
from playwright.sync_api import Page, expect
from scipy.stats import ks_2samp

from sspexplorer.app import cache
from sspexplorer.app.train.samples import MockSamplePage
from sspexplorer.mocks import PARAMETERS, make_mocks
from sspexplorer.plots.samples import (
    PAPER_ROWS,
    PARTS,
    Split,
    counts_table,
    histogram_table,
    max_difference,
)


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def split() -> Split:
    return Split.draw(cache.mock_labels())


def test_the_first_split_is_that_of_the_mocks():
    mocks = make_mocks(["emiles"])
    labels = cache.mock_labels()
    own = labels[labels["library"] == "emiles"]
    own = own.assign(ssp=own["ssp"].cat.remove_unused_categories())
    assert len(own) == len(mocks)
    drawn = Split.draw(own)
    for name in PARTS:
        theirs = mocks.part(name).labels
        assert set(drawn.part("by_ssp", name)["ssp"]) == set(theirs["ssp"])
        assert len(drawn.part("by_ssp", name)) == len(theirs)


def test_no_ssp_is_on_both_sides_unless_at_random(split):
    assert split.seen("by_ssp", "test") == split.seen("by_ssp", "validation") == 0
    assert split.seen("at_random", "test") == 1
    table = counts_table(split)
    assert table.loc[list(table.index[:3]), "mocks"].sum() == len(split.labels)
    assert table.loc[PAPER_ROWS[0], "share"] == "64.0%"


def test_the_difference_is_the_statistic_of_kolmogorov_and_smirnov(split, rng):
    one, other = rng.normal(size=300), rng.normal(0.3, 1, 200).round(1)
    assert max_difference(one, other) == pytest.approx(ks_2samp(one, other).statistic)
    assert max_difference(one, one) == 0
    assert np.isnan(max_difference(one, one[:0]))
    # Every SSP has every reddening, so its parts cannot differ.
    assert split.difference("by_ssp", "ebv", "test") == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_histograms_hold_every_mock(split, parameter):
    table = histogram_table(split, "by_ssp", parameter)
    assert table["mocks"].sum() == len(split.labels)
    assert table[list(PARTS)].sum().to_numpy() == pytest.approx(1)


def test_the_download_is_split_as_in_the_picture():
    page = MockSamplePage()
    page.state.libraries = ["emiles"]
    page.seed = 3
    file = io.BytesIO()
    page._write(file)
    file.seek(0)
    table = pq.read_table(file, columns=["ssp", "split"]).to_pandas()
    assert set(table[table["split"] == "test"]["ssp"]) == set(
        page.split.part("by_ssp", "test")["ssp"]
    )


def bars(figures: list[Figure]) -> dict[str, np.ndarray]:
    """Columns of the first histogram."""
    return figures[0].of_kind("Quad")[0].columns


def test_another_split_and_other_libraries_change_picture_and_numbers(page: Page, server: str):
    page.goto(f"{server}?page=samples")
    row = page.locator("tr", has_text="Whole SSPs: test")
    expect(row).to_contain_text("0%")
    figures = page.locator(".bk-events:visible")
    expect(figures).to_have_count(6)
    before, first = row.inner_text(), wait_for(page, bars)
    page.get_by_role("button", name="Another split").click()
    expect(row).not_to_have_text(re.compile(re.escape(before.split()[4])))
    expect(page).to_have_url(re.compile("split-seed=1"))
    wait_for(page, lambda seen: (bars(seen)["train"] != first["train"]).any(), "Another split")
    np.testing.assert_array_equal(wait_for(page, bars)["mocks"], first["mocks"])
    page.locator("aside").get_by_label("BC03").click()
    expect(page.get_by_text(re.compile("^73,424 mocks"))).to_be_visible()
    page.get_by_role("button", name="The split of our networks").click()
    expect(page.get_by_text("the same SSPs are held out")).to_be_visible()
