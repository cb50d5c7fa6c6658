"""Train a shipped posterior model.

    python scripts/train_posterior.py ssp|galaxy [--few-bands] [--steps N] [--out FOLDER]

Writes card.json and weights.safetensors into data/models/NAME; with --few-bands the network for
galaxies with 5 to 39 bands, few_bands.safetensors, beside a model that is there.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.network import Architecture
from sspexplorer.posterior.training import PosteriorRecipe, train_few_bands, train_posterior
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
FEW_BANDS = PosteriorRecipe(n_populations=40_000, n_steps=500, batch_size=384, learning_rate=7e-4)


def show(_: float | None, line: str | None) -> None:
    """Print how far a training is."""
    print(line, flush=True)


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=tuple(MODELS))
    parser.add_argument("--few-bands", action="store_true")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    prior, recipe, architecture = MODELS[options.name]
    recipe = FEW_BANDS if options.few_bands else recipe
    if options.steps:
        recipe = replace(recipe, n_steps=options.steps)
    progress = Progress(show)
    command = f"python scripts/train_posterior.py {options.name}"
    if options.few_bands:
        known = PosteriorModel.load(data_path("models", options.name))
        model = train_few_bands(known, prior, recipe, progress=progress)
        model.card["few_bands"]["train_again"] = [f"{command} --few-bands"]
    else:
        model = train_posterior(
            prior, recipe, architecture, name=options.name, progress=Progress(show)
        )
        model.card["train_again"] = [command]
    model.save(options.out or data_path("models", options.name))


if __name__ == "__main__":
    main()
