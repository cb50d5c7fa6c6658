"""Train a shipped posterior model.

    python scripts/train_posterior.py ssp|galaxy [--few-bands|--nearby FOLDER] [--steps N]
        [--out FOLDER] [--max-redshift Z]
        [--populations N] [--batch N] [--width N] [--blocks N] [--components N] [--threads N]
        [--libraries A,B,…] [--without LIBRARY] [--fields A,B,…] [--residuals same|fitted|none]
        [--amplitude X] [--zero-points LOW,HIGH] [--slope X] [--checkpoint FOLDER]

Writes card.json and weights.safetensors into data/models/NAME; with --few-bands the network for
galaxies with 5 to 39 bands, few_bands.safetensors, beside a model that is there, and with --nearby
that for galaxies known to be nearby, nearby.safetensors, beginning with the model in FOLDER, which
was trained with --max-redshift 0.1 --steps 24000. With --checkpoint
the training keeps its state and goes on from it when the same command is given again. --without
trains on the other libraries, and looks at no difference between them and the one left out.
"""

import argparse
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import torch

from sspexplorer.errors import Cancelled, InputError
from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.noise import fields
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.network import Architecture
from sspexplorer.posterior.observing import NO_DOUBTS, Doubts, Observing
from sspexplorer.posterior.optimising import PosteriorRecipe
from sspexplorer.posterior.training import (
    Prior,
    train_few_bands,
    train_nearby,
    train_posterior,
)
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path

T = TypeVar("T")
# A single population is told as well as its noise allows; a galaxy with all that is not known.
MODELS: dict[str, tuple[Prior, PosteriorRecipe, Architecture, Observing]] = {
    "ssp": (
        SSPPrior(),
        PosteriorRecipe(n_populations=800_000, n_steps=36_000),
        Architecture(width=448),
        Observing(fields(), NO_DOUBTS),
    ),
    "galaxy": (
        GalaxyPrior(max_redshift=1.0),
        PosteriorRecipe(n_populations=600_000, n_steps=17_000),
        Architecture(width=448),
        Observing(fields(), Doubts()),
    ),
}
FEW_BANDS = PosteriorRecipe(n_populations=40_000, n_steps=500, batch_size=384, learning_rate=7e-4)

NEARBY = PosteriorRecipe(n_populations=300_000, n_steps=6000, learning_rate=5e-4)


def show(_: float | None, line: str | None) -> None:
    """Print how far a training is."""
    print(line, flush=True)


def words(text: str) -> tuple[str, ...]:
    """Words with commas between."""
    return tuple(text.split(","))


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between."""
    return tuple(float(word) for word in text.split(","))


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=tuple(MODELS))
    parser.add_argument("--few-bands", action="store_true")
    parser.add_argument("--nearby", type=Path)
    parser.add_argument("--max-redshift", type=float)
    for option in ("steps", "populations", "batch", "width", "blocks", "components", "threads"):
        parser.add_argument(f"--{option}", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--libraries", type=words)
    parser.add_argument("--without")
    parser.add_argument("--fields", type=words)
    parser.add_argument("--residuals", choices=("same", "fitted", "none"))
    parser.add_argument("--amplitude", type=float)
    parser.add_argument("--zero-points", type=numbers)
    parser.add_argument("--slope", type=float)
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def changed(thing: T, **values: object) -> T:
    """Return a dataclass with those values that were given."""
    return replace(thing, **{name: value for name, value in values.items() if value is not None})


def asked_for(options: argparse.Namespace) -> tuple:
    """Prior, recipe, architecture and observing of a model, with what was asked for instead."""
    prior, recipe, architecture, observing = MODELS[options.name]
    libraries = options.libraries or prior.libraries
    if options.without:
        if options.without not in libraries:
            raise InputError(f"{options.without} is not one of {', '.join(libraries)}.")
        libraries = tuple(name for name in libraries if name != options.without)
    doubts = changed(
        observing.doubts,
        residuals=options.residuals,
        amplitude=options.amplitude,
        zero_points=options.zero_points,
        slope=options.slope,
        without=(options.without,) if options.without else None,
    )
    if options.residuals == "none":
        doubts = replace(doubts, residuals=None)
    return (
        changed(replace(prior, libraries=libraries), max_redshift=options.max_redshift),
        changed(
            FEW_BANDS if options.few_bands else NEARBY if options.nearby else recipe,
            n_steps=options.steps,
            n_populations=options.populations,
            batch_size=options.batch,
        ),
        changed(
            architecture,
            width=options.width,
            n_blocks=options.blocks,
            n_components=options.components,
        ),
        changed(replace(observing, doubts=doubts), fields=options.fields),
    )


def main() -> None:
    """Train and write."""
    options = parse()
    prior, recipe, architecture, observing = asked_for(options)
    if options.threads:
        torch.set_num_threads(options.threads)
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(1))
    progress = Progress(show, lambda: bool(stopped))
    folder = options.out or data_path("models", options.name)
    given = ["FOLDER" if a == str(options.nearby) else a for a in sys.argv[1:]]
    command = "python scripts/" + " ".join([Path(sys.argv[0]).name, *told(given)])
    if options.few_bands or options.nearby:
        model, part = PosteriorModel.load(folder), "few_bands"
        if options.nearby:
            part, near = "nearby", PosteriorModel.load(options.nearby)
            model = train_nearby(model, prior, recipe, begin_with=near, progress=progress)
        else:
            model = train_few_bands(model, prior, recipe, progress=progress)
        model.card[part]["train_again"] = [command]
    else:
        model = train_posterior(
            prior,
            recipe,
            architecture,
            name=options.name,
            observing=observing,
            seed=options.seed,
            checkpoint=options.checkpoint,
            progress=progress,
        )
        model.card["train_again"] = [command]
    model.save(folder)


def told(arguments: list[str]) -> list[str]:
    """Arguments that say what is trained, without where files lie and on how many threads."""
    kept, skip = [], False
    for argument in arguments:
        name = argument.partition("=")[0]
        if skip or name in ("--out", "--checkpoint", "--threads"):
            skip = not skip and "=" not in argument
            continue
        kept.append(argument)
    return kept


if __name__ == "__main__":
    try:
        main()
    except (InputError, Cancelled) as error:
        sys.exit(str(error) or "Stopped; the same command goes on from the checkpoint.")
