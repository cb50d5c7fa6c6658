"""The cards of the shipped models say what the models do, and are whole."""

import numpy as np
import pytest

from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.networks.recipes import RECIPES
from sspexplorer.posterior.judging import likeness_p_values
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.taken import Choices
from sspexplorer.posterior.validation.calibration import coverage, ranks
from sspexplorer.posterior.validation.trust import answers, held_out, load_trust
from sspexplorer.resources import data_path
from sspexplorer.shipped import network_names, posterior_names


def test_every_model_in_the_folder_is_known_by_name():
    folders = {path.parent.name for path in data_path("models").glob("*/card.json")}
    assert folders == {*network_names(), *posterior_names()}


@pytest.mark.parametrize("name", network_names())
def test_a_card_tells_the_recipe_the_libraries_and_figures_that_can_be_had_again(name):
    model = load_model(name)
    recipe, _, library = name.partition("-")
    card = model.card
    assert card["name"] == name
    assert not card["training"]["stopped_early"]
    assert card["training"]["epochs_done"] == card["recipe"]["epochs"]
    printed = RECIPES[recipe].__dict__ | {"epochs": card["recipe"]["epochs"]}
    assert card["recipe"] == printed
    assert card["sample"]["libraries"] == ([library] if library else ["emiles", "bc03", "popstar"])
    test = held_out_mocks(model, "ssp")
    found = evaluate(model.predict(test.flux), test.labels)
    for parameter in PARAMETERS:
        told = card["metrics"]["ssp"]["overall"][parameter]
        assert found["overall"][parameter] == pytest.approx(told, abs=2e-3)


def test_the_paper_recipe_is_as_printed():
    """Domínguez Sánchez et al. (2026), Sect. 3."""
    recipe = load_model("paper").card["recipe"]
    assert recipe["epochs"] == 100
    assert (recipe["batch_size"], recipe["learning_rate"], recipe["loss"]) == (32, 0.002, "mse")
    assert not any(recipe[key] for key in ("one_cycle", "standardise", "dropout"))
    assert load_model("paper").network.parameters_per_network == 172_289


@pytest.mark.parametrize("name", posterior_names())
def test_a_posterior_holds_what_its_tests_say_that_it_holds(name):
    """On other mocks than those of the tests, few enough to be quick."""
    estimator, trust = load_model(name), load_trust(name)
    model = estimator.model
    assert model.card["name"] == trust.model == name
    assert model.card["prior"]["kind"] == name
    training = model.card["training"]
    assert training["seconds"] * training["threads"] < 2 * 150 * 60
    mocks = held_out(model, prior_of(model.card), 1500, magnitudes=(17.0, 20.0), seed=4)
    found = coverage(ranks(answers(model, mocks), mocks.true), 0.68)
    told = trust.magnitudes[trust.magnitudes["magnitude"].isin([17.0, 20.0])]
    expected = told.groupby("parameter")["coverage_68"].mean()[list(PARAMETERS)]
    assert found == pytest.approx(expected.to_numpy(), abs=0.05)
    # The likeness that ships finds p-values of galaxies like the training even.
    some, as_it_is = slice(0, 600), Choices(floor=0.0, use_all=True)
    photometry = (mocks.flux[some], mocks.error[some], mocks.populations.redshift[some])
    p = likeness_p_values(estimator, *photometry, choices=as_it_is)
    assert np.quantile(p, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)


def test_the_models_with_error_bars_and_all_data_are_within_their_budgets():
    sizes = {
        name: sum(path.stat().st_size for path in data_path("models", name).iterdir())
        for name in posterior_names()
    }
    assert sum(sizes.values()) < 35e6
    assert sum(p.stat().st_size for p in data_path().rglob("*") if p.is_file()) < 60e6
