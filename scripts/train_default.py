"""Train a shipped model on all three libraries.

    python scripts/train_default.py [--recipe default|paper] [--epochs N]

Writes data/models/RECIPE. The model that ships holds out whole SSPs; the same recipe is then
trained once more with mocks split at random, as in the paper, only for the figures that its card
gives beside the others.
"""

import argparse
from dataclasses import replace

from sspexplorer.metrics import with_metrics
from sspexplorer.mocks import make_mocks
from sspexplorer.networks import Model
from sspexplorer.resources import data_path
from sspexplorer.training import RECIPES, Progress, Recipe, get_recipe, train

# Not the default seed of `sspexplorer mocks`, so that a user's mocks have noise of their own.
MOCK_SEED = 1


def trained(recipe: Recipe, split: str) -> Model:
    """Train on mocks split in one way, and measure."""
    mocks = make_mocks(seed=MOCK_SEED, split=split)
    return with_metrics(train(mocks, recipe, progress=Line(split)), mocks)


class Line:
    """Print one line an epoch."""

    def __init__(self, split: str) -> None:
        self.split, self.epoch = split, 0

    def __call__(self, progress: Progress) -> None:
        """Print where the training is."""
        if progress.epoch > self.epoch:
            self.epoch = progress.epoch
            losses = ", ".join(f"{value**0.5:.3f}" for value in progress.validation_loss)
            print(
                f"split {self.split}: epoch {progress.epoch}/{progress.epochs}, validation RMSE "
                f"({losses}), {progress.seconds_left:.0f} s left",
                flush=True,
            )


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=tuple(RECIPES), default="default")
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    recipe = get_recipe(options.recipe, epochs=options.epochs)
    model, rival = trained(recipe, "ssp"), trained(recipe, "random")
    metrics = model.card["metrics"] | rival.card["metrics"]
    card = model.card | {"name": recipe.name, "metrics": metrics}
    replace(model, card=card).save(data_path("models", recipe.name))
    for split, found in metrics.items():
        for name, values in found["overall"].items():
            print(f"{split:6} {name:12} " + "  ".join(f"{k} {v:.3f}" for k, v in values.items()))


if __name__ == "__main__":
    main()
