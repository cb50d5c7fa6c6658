"""When the stars of a galaxy formed: what two times say of its history."""

import holoviews as hv
import numpy as np
import pytest

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.app.apply.posterior import PosteriorView
from sspexplorer.app.cache import growth_curves
from sspexplorer.catalogue import read_catalogue
from sspexplorer.galaxies.growth import TIMES, Growth, GrowthCurves, age_at
from sspexplorer.models import load_model
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.taken import Choices
from sspexplorer.posterior.validation.growth import coverage_of
from sspexplorer.resources import data_path


@pytest.fixture(scope="module", autouse=True)
def bokeh():
    hv.extension("bokeh")


@pytest.fixture(scope="module")
def curves() -> GrowthCurves:
    return GrowthCurves.draw({"constant": 0.5, "delayed": 0.5}, 4000)


def test_histories_go_through_their_two_times(curves):
    late = np.log10(TIMES * age_at(0.0))
    log_t50, log_t90 = curves.log_times.T
    # Within the table, and not all at once.
    slow = np.flatnonzero((log_t90 > late[0]) & (log_t50 - log_t90 > 0.3))[:50]
    for k in slow:
        formed = curves.formed[k]
        assert np.all(np.diff(formed) <= 1e-6)
        assert np.interp(log_t50[k], late, formed) == pytest.approx(0.5, abs=0.03)
        assert np.interp(log_t90[k], late, formed) == pytest.approx(0.9, abs=0.03)


def test_a_younger_universe_has_the_same_histories_in_less_time(curves):
    far = age_at(1.0)
    now = curves.nearest(curves.log_times[:20], age_at(0.0))
    then = curves.nearest(curves.log_times[:20] + np.log10(far / age_at(0.0)), far)
    assert np.array_equal(now, curves.formed[:20])
    assert np.array_equal(now, then)
    growth = Growth.of(then, far)
    assert growth.lookback[-1] == far
    assert np.all((growth.low <= growth.median) & (growth.median <= growth.high))


def test_the_band_holds_what_it_promises():
    model = load_model("galaxy").model
    found = coverage_of(model, prior_of(model.card), growth_curves("galaxy"), 400, n_draws=100)
    assert found["coverage_68"].between(0.60, 0.82).all()
    assert found["coverage_95"].between(0.92, 0.99).all()


def test_the_page_shows_the_history_of_the_galaxy_in_sight():
    found = read_catalogue(data_path("examples", "simulated_far_galaxies.csv"))
    asked = PredictionRequest("galaxy", "default", Choices())
    answers = Answers.of(found, asked.predict(found, load_model("galaxy")), asked)
    view = PosteriorView(answers, 4)
    first, row = view.growth, answers.predictions.iloc[4]
    half = np.interp(0.5, first.median[::-1], first.lookback[::-1]) / 1e9
    assert half == pytest.approx(row["pred_t50_p50"], rel=0.1)
    view.show(7)
    assert not np.array_equal(view.growth.median, first.median)
