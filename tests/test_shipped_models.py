"""The cards of the shipped models say what the models do, and are whole."""

import pytest

from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks import SHIPPED_MODELS, load_model
from sspexplorer.resources import data_path
from sspexplorer.training import RECIPES


def test_every_model_in_the_folder_is_known_by_name():
    folders = {path.parent.name for path in data_path("models").glob("*/card.json")}
    assert folders == set(SHIPPED_MODELS)


@pytest.mark.parametrize("name", SHIPPED_MODELS)
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
