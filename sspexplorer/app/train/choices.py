"""What a visitor chooses for a training, and the recipe that comes of it."""

from typing import Any

import param

from sspexplorer.app.choices import OptionalList
from sspexplorer.jobs.process import Task
from sspexplorer.libraries import load_library
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, SPLIT_FRACTIONS
from sspexplorer.networks.recipes import RECIPES, Recipe

NETWORKS = {"Base": "base", "SED": "sed"}
BATCH_SIZES = [32, 100, 256, 1000]
SIZES = {"10,000": 10_000, "30,000": 30_000, "100,000": 100_000, "All there are": 0}
LEARNING_RATES = [0.0005, 0.001, 0.002, 0.004, 0.008]
# What recipe `default` does and the paper does not.
BEYOND = {
    "Huber’s loss": "huber",
    "One-cycle learning rate": "onecycle",
    "Standardised values": "standard",
    "New noise each epoch": "noise",
    "Weights by S/N": "weights",
    "E(B−V) off the grid": "ebv",
}
CUSTOM = "custom"
_FREE_EPOCHS, _SNR_POWER = 20, RECIPES["default"].snr_power


class Choices(param.Parameterized):
    """What to train on what; begins as recipe ``default``, on less and for less long."""

    network = param.Selector(default="base", objects=NETWORKS, doc="Network of the paper.")
    batch_size = param.Selector(default=256, objects=BATCH_SIZES, doc="Mocks for each step.")
    dropout = param.Number(
        default=0.0, bounds=(0.0, 0.5), step=0.05, doc="Fraction of hidden units dropped."
    )
    n_mocks = param.Selector(default=30_000, objects=SIZES, doc="Mocks to train and validate on.")
    epochs = param.Integer(default=_FREE_EPOCHS, bounds=(1, 100), doc="Times to see each mock.")
    learning_rate = param.Selector(
        default=0.004, objects=LEARNING_RATES, doc="Adam's rate; its peak with one cycle."
    )
    beyond = OptionalList(
        default=list(BEYOND.values()), objects=list(BEYOND.values()), doc="Beyond the paper."
    )
    seed = param.Integer(default=0, bounds=(0, 9999), doc="Seed of all that is drawn.")

    @property
    def recipe(self) -> Recipe:
        """How to train; it has the name of the recipe that it is, or CUSTOM."""
        return Recipe(
            self.recipe_name,
            network=self.network,
            epochs=self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            one_cycle="onecycle" in self.beyond,
            loss="huber" if "huber" in self.beyond else "mse",
            standardise="standard" in self.beyond,
            dropout=self.dropout,
            fresh_noise="noise" in self.beyond,
            snr_power=_SNR_POWER if "weights" in self.beyond else 0.0,
        )

    @property
    def recipe_name(self) -> str:
        """That of a recipe while all is as there, but for network and epochs."""
        for name in RECIPES:
            wanted = _of_recipe(name)
            if all(getattr(self, key) == value for key, value in wanted.items()):
                return name
        return CUSTOM

    def take_recipe(self, name: str) -> None:
        """Choose as a recipe has it; how many mocks and epochs stays as it is."""
        self.param.update(**_of_recipe(name))

    def task(self, libraries: list[str], noise: dict | None) -> Task:
        """What is to be done, on mocks of these libraries under this noise."""
        return Task(
            self.recipe,
            tuple(libraries),
            n_mocks=self.n_mocks,
            continuous_ebv="ebv" in self.beyond,
            seed=self.seed,
            noise=noise,
        )

    def n_train(self, libraries: list[str]) -> float:
        """About how many mocks the networks learn from; the others are for validation."""
        fractions = SPLIT_FRACTIONS["train"], SPLIT_FRACTIONS["validation"]
        n_ssp = sum(len(load_library(name)) for name in libraries)
        there = n_ssp * len(EBV_GRID) * len(MAGNITUDES) * sum(fractions)
        return min(self.n_mocks or there, there) * fractions[0] / sum(fractions)


def _of_recipe(name: str) -> dict[str, Any]:
    recipe = RECIPES[name]
    switches = {
        "huber": recipe.loss == "huber",
        "onecycle": recipe.one_cycle,
        "standard": recipe.standardise,
        "noise": recipe.fresh_noise,
        "weights": recipe.snr_power > 0,
        # As the shipped networks were trained.
        "ebv": name == "default",
    }
    return {
        "batch_size": recipe.batch_size,
        "dropout": recipe.dropout,
        "learning_rate": recipe.learning_rate,
        "beyond": [key for key in BEYOND.values() if switches[key]],
    }
