"""What a corner of posteriors and the histograms of fits show, in numbers."""

import holoviews as hv
import numpy as np
import pandas as pd
import pytest

from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.corner import Corner, corner
from sspexplorer.plots.fit_quality import N_BINS, chi2_counts, fit_quality_pictures, p_counts

MEAN, SPREAD = (9.5, -0.3, 0.3), (0.1, 0.2, 0.03)


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def draws():
    values = np.random.default_rng(0).normal(MEAN, SPREAD, (40_000, 3))
    return pd.DataFrame(values, columns=list(PARAMETERS)).assign(weight=1.0)


def panel(layout: hv.Layout, row: int, column: int) -> hv.Segments:
    return list(layout)[3 * row + column]


def area(lines: pd.DataFrame) -> float:
    """Enclosed by a closed line of segments (the shoelace formula)."""
    return abs((lines["x0"] * lines["y1"] - lines["x1"] * lines["y0"]).sum()) / 2


def test_contours_of_a_gaussian_enclose_the_ellipses_of_68_and_95_percent(draws):
    drawn = panel(corner(Corner({"network": draws})), 1, 0).dframe()
    ellipse = np.pi * SPREAD[0] * SPREAD[1]
    for width, fraction in ((2.2, 0.68), (1.0, 0.95)):
        expected = ellipse * -2 * np.log(1 - fraction)
        assert area(drawn[drawn["width"] == width]) == pytest.approx(expected, rel=0.08)


def test_margins_peak_where_the_posterior_does_and_the_truth_is_marked(draws):
    truth = dict(zip(PARAMETERS, MEAN, strict=True))
    drawn = panel(corner(Corner({"network": draws}, truth)), 2, 2).dframe()
    curve, mark = drawn[drawn["which"] == 0], drawn[drawn["which"] == -1]
    assert curve.loc[curve["y0"].idxmax(), "x0"] == pytest.approx(0.3, abs=0.01)
    assert mark[["x0", "x1"]].to_numpy() == pytest.approx(0.3)


def test_the_prior_is_drawn_under_the_margins_to_the_scale_of_the_posterior(draws):
    rng = np.random.default_rng(1)
    flat = rng.uniform((8, -2, 0), (10.2, 0.5, 0.8), (40_000, 3))
    prior = pd.DataFrame(flat, columns=list(PARAMETERS)).assign(weight=1.0)
    # As wide as the posterior in metallicity, which the data have not changed.
    prior["metallicity"] = draws["metallicity"]
    layout = corner(Corner({"network": draws}, prior=prior))
    peaks = []
    for row in range(3):
        drawn = panel(layout, row, row).dframe()
        peaks.append(drawn.loc[drawn["which"] == -2, "y0"].max())
    # Peak of a uniform density over that of a Gaussian: √(2π) σ / width.
    assert peaks[0] == pytest.approx(np.sqrt(2 * np.pi) * 0.1 / 2.2, rel=0.15)
    assert peaks[1] == pytest.approx(1, abs=0.02)
    assert -2 not in set(panel(layout, 1, 0).dframe()["which"])


def test_weights_count_as_repeated_draws(draws):
    heavy = draws.assign(weight=np.where(draws["log_age"] > 9.6, 1.0, 0.0))
    low, high = Corner({"exact": heavy}).limits("log_age")
    assert low > 9.55
    assert high < 10.1


def test_a_live_corner_follows_what_is_sent(draws):
    pipe = hv.streams.Pipe(data=Corner({"network": draws, "exact": draws.iloc[:0]}))
    layout = corner(pipe)
    assert len(layout) == 9
    hv.render(layout)
    assert set(panel(layout, 1, 0)[()].dframe()["which"]) == {0}
    pipe.send(Corner({"network": draws, "exact": draws}))
    assert set(panel(layout, 1, 0)[()].dframe()["which"]) == {0, 1}


def test_nothing_is_drawn_before_there_is_a_posterior():
    empty = pd.DataFrame(columns=[*PARAMETERS, "weight"], dtype=float)
    layout = corner(Corner({"network": empty}))
    hv.render(layout)
    assert len(panel(layout, 0, 0)) == 0


def test_dust_is_never_drawn_below_none(draws):
    assert Corner({"network": draws.assign(ebv=abs(draws["ebv"] - 0.3))}).limits("ebv")[0] == 0


def test_galaxies_are_counted_in_bins_and_those_beyond_in_the_last():
    counts, edges = chi2_counts(np.array([0.1, 1.0, 100.0, np.nan]))
    assert counts.sum() == 3
    assert counts[-1] == 1
    assert edges[[0, -1]] == pytest.approx([0, 6])
    assert p_counts(np.linspace(0, 1, 24 * 50, endpoint=False))[0] == pytest.approx(50)
    pictures = fit_quality_pictures(np.ones(5), np.linspace(0, 1, 5))
    assert [len(picture) for picture in pictures] == [N_BINS, N_BINS]
    hv.render(hv.Layout(pictures))
