"""The door to all models."""

import numpy as np
import pandas as pd
import pytest

from sspexplorer.errors import InputError
from sspexplorer.metrics import evaluate
from sspexplorer.mocks import make_mocks, split_of
from sspexplorer.models import (
    POINT_MEANING,
    answers_to_mocks,
    load_model,
    meaning,
    predict_rows,
)
from sspexplorer.shipped import is_posterior, model_folder


@pytest.fixture(scope="module")
def mocks():
    return make_mocks(("popstar",), ebv_grid=(0.06, 0.26), magnitudes=(18.0,), seed=7)


def test_a_model_that_is_not_there_is_refused():
    with pytest.raises(InputError, match=r"no model 'nothing': .* default, .* galaxy, .* ssp"):
        load_model("nothing")


def test_each_model_says_which_ages_it_reports():
    assert "weighted by their light" in meaning("galaxy")
    assert "SSP-equivalent" in meaning("ssp")
    assert meaning("paper") == POINT_MEANING
    assert [is_posterior(name) for name in ("ssp", "default")] == [True, False]


def test_a_model_is_the_same_by_name_by_folder_and_loaded(mocks):
    flux, error = mocks.flux[:3], mocks.flux_err[:3]
    for name in ("default", "galaxy"):
        by_name = predict_rows(name, flux, error).table
        for model in (model_folder(name), load_model(name)):
            pd.testing.assert_frame_equal(predict_rows(model, flux, error).table, by_name)


@pytest.mark.parametrize("model", ["ssp", "default"])
def test_any_model_answers_to_mocks_of_ssps_it_never_saw(model, mocks):
    tested = answers_to_mocks(model, "ssp", mocks)
    assert set(split_of(tested.mocks.labels["ssp"])) == {"test"}
    assert not tested.noise_seen
    found = evaluate(tested.predicted, tested.mocks.labels)["overall"]
    assert found["log_age"]["sigma_nmad"] < 0.25
    assert np.isfinite(tested.predicted).all()


def test_an_unknown_split_is_refused(mocks):
    with pytest.raises(InputError, match="'ssp' or 'random'"):
        answers_to_mocks("ssp", "half", mocks)
