"""Training a posterior network on populations drawn from a prior."""

import copy
import platform
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

import sspexplorer
from sspexplorer.bands import BAND_NAMES
from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.populations import Populations
from sspexplorer.posterior.checkpoints import Checkpoints
from sspexplorer.posterior.density import Bounds
from sspexplorer.posterior.groups import group_bounds, joint_bounds
from sspexplorer.posterior.inputs import NEAR, Reach
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.network import Architecture, PosteriorNetwork
from sspexplorer.posterior.observing import Observer, Observing
from sspexplorer.posterior.optimising import Batches, PosteriorRecipe, optimised
from sspexplorer.progress import NO_PROGRESS, Progress

# How much farther than nearby those are that the network for nearby galaxies is trained on.
_NEARBY_TRAINED = 1.25
# What a card says of the model that a training began with.
_BEGINNING = ("name", "recipe", "seed", "train_again", "versions")


class Prior(Protocol):
    """What populations are drawn from."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """Whose spectra they have."""

    @property
    def max_redshift(self) -> float:
        """How far they are, at most."""

    @property
    def names(self) -> tuple[str, ...]:
        """What is true of them."""

    def to_dict(self) -> dict:
        """Plain numbers and words, for a card."""

    def draw(self, n: int, *, seed: int, held_out: bool = False) -> Populations:
        """Draw populations."""


def train_posterior(
    prior: Prior,
    recipe: PosteriorRecipe,
    architecture: Architecture,
    *,
    name: str,
    observing: Observing | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    progress: Progress = NO_PROGRESS,
) -> PosteriorModel:
    """Train a network on populations of a prior, by maximum likelihood.

    Parameters
    ----------
    prior : Prior
    recipe : PosteriorRecipe
    architecture : Architecture
    name : str
        Of the model.
    observing : Observing, optional
        Under the default noise and without doubts unless given.
    seed : int
        Of the populations, the weights and the observations.
    checkpoint : Path, optional
        Folder where the training keeps its state every few minutes and when it is asked to stop,
        and from where it goes on. It can be deleted when the training is done.
    progress : Progress, optional

    Raises
    ------
    InputError
        If the folder is that of another training.
    Cancelled
        If ``progress`` said so.

    Returns
    -------
    PosteriorModel
        With the weights averaged over the last steps (Polyak & Juditsky 1992).
    """
    observing = observing or Observing()
    about = {
        "name": name,
        "architecture": architecture.to_dict(),
        "prior": prior.to_dict(),
        "recipe": asdict(recipe),
        "observing": observing.to_dict(),
        "noise": NoiseModel.of_field(observing.fields[0]).to_dict(),
        "seed": seed,
    }
    kept = None
    if checkpoint is not None:
        whose = {"libraries": list(prior.libraries), "targets": list(prior.names)}
        kept = Checkpoints(checkpoint, about | whose)
    draw = partial(prior.draw, recipe.n_populations, seed=seed)
    populations = draw() if kept is None else kept.populations(draw)
    # Of galaxies at rest as well, it could be told redshifts.
    reach = Reach(max(prior.max_redshift, NEAR.highest))
    groups = group_bounds(populations, reach.highest)
    joint = joint_bounds(groups)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = PosteriorNetwork(architecture, groups, joint)
    heads = groups if joint is None else (*groups, joint)
    observer = observing.observer(seed, reach)
    batches = Batches(populations, heads, recipe, observer)
    averaged, training = optimised(network, batches, progress, kept)
    card = about | {
        "kind": "posterior",
        "bands": list(BAND_NAMES),
        "groups": [_told(group) for group in groups],
        "training": training,
        "versions": {
            "sspexplorer": sspexplorer.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
    if joint is not None:
        card["joint"] = _told(joint)
    return PosteriorModel(averaged, groups, card, joint=joint)


def _told(bounds: Bounds) -> dict[str, list[float]]:
    sides = zip(bounds.names, bounds.low, bounds.high, strict=True)
    return {name: [low, high] for name, low, high in sides}


def train_few_bands(
    model: PosteriorModel,
    prior: Prior,
    recipe: PosteriorRecipe,
    *,
    seed: int = 1,
    progress: Progress = NO_PROGRESS,
) -> PosteriorModel:
    """Train the network of a model for galaxies with few bands, beginning with its main one.

    Parameters
    ----------
    model : PosteriorModel
    prior : Prior
        That of the model.
    recipe : PosteriorRecipe
    seed : int
        Of the populations and the observations.
    progress : Progress, optional
        Told now and then how far the training is, and asked whether to go on.

    Returns
    -------
    PosteriorModel
        The model with that network; all else is as it was.
    """
    observer = Observing.of(model.card).observer(seed, model.reach, few_bands=True)
    network, told = _specialised(model, prior, recipe, observer, seed, progress)
    return replace(model, few_bands=network, card=model.card | {"few_bands": told})


def train_nearby(
    model: PosteriorModel,
    prior: GalaxyPrior,
    recipe: PosteriorRecipe,
    *,
    begin_with: PosteriorModel,
    seed: int = 2,
    progress: Progress = NO_PROGRESS,
) -> PosteriorModel:
    """Train the network of a model for nearby galaxies.

    It meets galaxies a little beyond those that it answers for, so that there is no step where it
    hands over.

    Parameters
    ----------
    model : PosteriorModel
    prior : GalaxyPrior
        That of the model.
    recipe : PosteriorRecipe
    begin_with : PosteriorModel
        A model of the same shape that has met nearby galaxies only.
    seed : int
        Of the populations, the observations and what is new in the network.
    progress : Progress, optional
    """
    observer = Observing.of(model.card).observer(seed, model.reach)
    near = replace(prior, max_redshift=_NEARBY_TRAINED * MAX_REDSHIFT)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        beginning = copy.deepcopy(model.network)
        beginning.begin_with(begin_with.network)
    network, told = _specialised(
        replace(model, network=beginning), near, recipe, observer, seed, progress
    )
    told["begun_with"] = {k: begin_with.card[k] for k in _BEGINNING}
    return replace(model, nearby=network, card=model.card | {"nearby": told})


def _specialised(
    model: PosteriorModel,
    prior: Prior,
    recipe: PosteriorRecipe,
    observer: Observer,
    seed: int,
    progress: Progress,
) -> tuple[PosteriorNetwork, dict]:
    """Network trained on from a model's main one, and what its card says of it."""
    populations = prior.draw(recipe.n_populations, seed=seed)
    batches = Batches(populations, model.heads, recipe, observer)
    network = copy.deepcopy(model.network).requires_grad_(True).train()
    averaged, training = optimised(network, batches, progress)
    return averaged, {"recipe": asdict(recipe), "seed": seed, "training": training}
