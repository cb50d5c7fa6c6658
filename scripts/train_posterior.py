"""Train a shipped posterior model.

    python scripts/train_posterior.py ssp|galaxy [--steps N] [--out FOLDER]

Writes card.json and weights.safetensors into data/models/NAME.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.network import Architecture
from sspexplorer.posterior.training import PosteriorRecipe, train_posterior
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path

MODELS = {
    "ssp": (
        SSPPrior(),
        PosteriorRecipe(n_populations=600_000, n_steps=28_000),
        Architecture(),
    ),
    "galaxy": (
        GalaxyPrior(),
        PosteriorRecipe(n_populations=400_000, n_steps=24_000),
        Architecture(width=448),
    ),
}


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=tuple(MODELS))
    parser.add_argument("--steps", type=int)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    prior, recipe, architecture = MODELS[options.name]
    if options.steps:
        recipe = replace(recipe, n_steps=options.steps)
    model = train_posterior(
        prior,
        recipe,
        architecture,
        name=options.name,
        progress=Progress(lambda _, line: print(line, flush=True)),
    )
    folder = options.out or data_path("models", options.name)
    command = f"python scripts/train_posterior.py {options.name}"
    replace(model, card=model.card | {"train_again": [command]}).save(folder)


if __name__ == "__main__":
    main()
