"""Train a shipped model on all three libraries.

    python scripts/train_default.py [--recipe default|paper] [--epochs N]

Writes data/models/RECIPE. Whole SSPs are held out; the card gives the metrics on them, and beside
them those on SSPs of the training under other noise, which is the paper's easier test. Recipe
``default`` trains on continuous E(B−V), ``paper`` on the grid, and both are tested on the grid.
"""

import argparse
from dataclasses import replace

from sspexplorer.metrics import with_metrics
from sspexplorer.mocks import make_mocks
from sspexplorer.resources import data_path
from sspexplorer.training import RECIPES, Progress, get_recipe, train

# Not the default seed of `sspexplorer mocks`, so that a user's mocks have noise of their own.
MOCK_SEED = 1


class Line:
    """Print one line an epoch."""

    def __init__(self) -> None:
        self.epoch = 0

    def __call__(self, progress: Progress) -> None:
        """Print where the training is."""
        if progress.epoch > self.epoch:
            self.epoch = progress.epoch
            losses = ", ".join(f"{value**0.5:.3f}" for value in progress.validation_loss)
            print(
                f"epoch {progress.epoch}/{progress.epochs}, validation RMSE "
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
    mocks = make_mocks(seed=MOCK_SEED, continuous_ebv=recipe.name == "default")
    model = with_metrics(train(mocks, recipe, progress=Line()), splits=("ssp", "random"))
    card = model.card | {"name": recipe.name}
    replace(model, card=card).save(data_path("models", recipe.name))
    for split, found in card["metrics"].items():
        for name, values in found["overall"].items():
            print(f"{split:6} {name:12} " + "  ".join(f"{k} {v:.3f}" for k, v in values.items()))


if __name__ == "__main__":
    main()
