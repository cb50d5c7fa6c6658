"""Train a shipped model.

    python scripts/train_default.py [--recipe default|paper] [--library NAME] [--epochs N]

Writes data/models/RECIPE, or RECIPE-NAME for a model of one library. Whole SSPs are held out; the
card gives the metrics on them, and beside them those on SSPs of the training under other noise,
which is the paper's easier test. Recipe ``default`` trains on continuous E(B−V), ``paper`` on the
grid, and both are tested on the grid. A model of one library is trained for as many steps as one
of all three, so that what differs is what it has seen and not how long.
"""

import argparse
from dataclasses import replace

from sspexplorer.libraries import LIBRARY_NAMES, load_library
from sspexplorer.metrics import with_metrics
from sspexplorer.mocks import make_mocks
from sspexplorer.networks.recipes import RECIPES, get_recipe
from sspexplorer.networks.training import TrainingState, train
from sspexplorer.resources import data_path

# Not the default seed of `sspexplorer mocks`, so that a user's mocks have noise of their own.
MOCK_SEED = 1


class Line:
    """Print one line an epoch."""

    def __init__(self) -> None:
        self.epoch = 0

    def __call__(self, progress: TrainingState) -> None:
        """Print where the training is."""
        if progress.epoch > self.epoch:
            self.epoch = progress.epoch
            losses = ", ".join(f"{value**0.5:.3f}" for value in progress.validation_loss)
            print(
                f"epoch {progress.epoch}/{progress.epochs}, validation RMSE "
                f"({losses}), {progress.seconds_left:.0f} s left",
                flush=True,
            )


def equal_steps(epochs: int, library: str) -> int:
    """Epochs of one library that take as many steps as ``epochs`` of all of them."""
    sizes = {name: len(load_library(name)) for name in LIBRARY_NAMES}
    return round(epochs * sum(sizes.values()) / sizes[library])


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", choices=tuple(RECIPES), default="default")
    parser.add_argument("--library", choices=LIBRARY_NAMES)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    recipe = get_recipe(options.recipe, epochs=options.epochs)
    name, libraries = recipe.name, LIBRARY_NAMES
    if options.library:
        name, libraries = f"{recipe.name}-{options.library}", (options.library,)
        recipe = replace(recipe, epochs=equal_steps(recipe.epochs, options.library))
    mocks = make_mocks(libraries, seed=MOCK_SEED, continuous_ebv=recipe.name == "default")
    model = with_metrics(train(mocks, recipe, watch=Line()), splits=("ssp", "random"))
    # Models of one library are there to be compared.
    small = bool(options.library)
    replace(model, card=model.card | {"name": name}).save(data_path("models", name), small=small)
    for split, found in model.card["metrics"].items():
        for parameter, values in found["overall"].items():
            figures = "  ".join(f"{key} {value:.3f}" for key, value in values.items())
            print(f"{split:6} {parameter:12} {figures}")


if __name__ == "__main__":
    main()
