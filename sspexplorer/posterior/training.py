"""Training a posterior network on populations drawn from a prior."""

import copy
import platform
import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

import sspexplorer
from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import Cancelled
from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.populations import Populations
from sspexplorer.posterior.checkpoints import Checkpoints
from sspexplorer.posterior.density import Bounds
from sspexplorer.posterior.inputs import NEAR, Reach
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.network import Architecture, PosteriorNetwork
from sspexplorer.posterior.observing import Observer, Observing
from sspexplorer.progress import NO_PROGRESS, Progress

# Parameters that share a density; those that are nearly functions of each other do not.
GROUPS = (
    ("log_age", "metallicity", "ebv"),
    ("log_mean_age", "av"),
    ("mass_log_age", "mass_metallicity"),
    ("mass_log_mean_age",),
    ("log_mass_to_light",),
    ("log_mass_to_light_formed",),
    ("log_ssfr",),
    ("log_t50", "log_t90"),
    ("u_r", "u_r_dust_free"),
    ("d4000",),
)
# What is drawn together, with the redshift that each draw goes with.
JOINT = ("log_age", "metallicity", "ebv", "log_mass_to_light", "log_ssfr", "redshift")
# Masses are over the light that was measured, which noise and gaps change.
_OVER_LIGHT = ("log_mass_to_light", "log_mass_to_light_formed")
_LIGHT_SPREAD = 0.3  # dex
# How far the bounds of a density lie outside what is drawn, relative to the range.
_MARGIN = 0.02
_REPORT_EVERY = 100
# How much farther than nearby those are that the network for nearby galaxies is trained on.
_NEARBY_TRAINED = 1.25
# Weights are averaged over about this many of the last steps.
_AVERAGED = 1000
# What a card says of the model that a training began with.
_BEGINNING = ("name", "recipe", "seed", "train_again", "versions")
# What a state of a training is made of.
_STATEFUL = ("network", "averaged", "optimiser", "schedule")
_COUNTED = ("step", "seconds", "history", "total")


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


@dataclass(frozen=True)
class PosteriorRecipe:
    """How to train a posterior network.

    Attributes
    ----------
    n_populations : int
        Drawn from the prior before the training; each is observed anew whenever it is met.
    n_steps, batch_size : int
    learning_rate : float
        Peak of AdamW's rate, raised over the first tenth of the training and annealed to zero
        over the rest.
    label_scatter : float
        dex; of the metallicities in training. Libraries have six or seven metallicities each: a
        density would else shrink to spikes on them.
    """

    n_populations: int = 300_000
    n_steps: int = 14_000
    batch_size: int = 1024
    learning_rate: float = 1.5e-3
    label_scatter: float = 0.02


def group_bounds(populations: Populations, max_redshift: float) -> tuple[Bounds, ...]:
    """Bounds of the densities of those of :data:`GROUPS` that there are; the redshift last."""
    groups = []
    for group in GROUPS:
        names = tuple(name for name in group if name in populations.names)
        if not names:
            continue
        values = populations.values(names)
        low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        margin = _MARGIN * (high - low) + _LIGHT_SPREAD * np.isin(names, _OVER_LIGHT)
        # No dust is the least there is.
        least = np.isin(names, ("ebv", "av"))
        low, high = np.where(least, 0.0, low - margin), high + margin
        bounds = (tuple(float(f"{v:.4g}") for v in side) for side in (low, high))
        groups.append(Bounds(names, *bounds))
    return (*groups, Bounds(("redshift",), (0.0,), (max_redshift,)))


def joint_bounds(groups: tuple[Bounds, ...]) -> Bounds | None:
    """Bounds of :data:`JOINT`; None where a parameter of it is in none of the groups."""
    sides = {
        name: (low, high)
        for g in groups
        for name, low, high in zip(g.names, g.low, g.high, strict=True)
    }
    if not set(JOINT) <= set(sides):
        return None
    low, high = zip(*(sides[name] for name in JOINT), strict=True)
    return Bounds(JOINT, low, high)


class _Batches:
    """Observations of populations with their targets in u."""

    def __init__(
        self,
        populations: Populations,
        heads: tuple[Bounds, ...],
        recipe: PosteriorRecipe,
        observer: Observer,
    ) -> None:
        self.observer, self.recipe, self.heads = observer, recipe, heads
        self.flux = torch.from_numpy(populations.flux)
        self.redshift = torch.from_numpy(populations.redshift)
        self.targets = populations.targets
        self.names = populations.names

    def draw(self) -> tuple[Tensor, list[Tensor], Tensor]:
        """Inputs, targets of each head, and which of the redshifts were not given.

        What is not known of a population, such as u − r of a library without u, is NaN.
        """
        generator = self.observer.generator
        index = torch.randint(len(self.flux), (self.recipe.batch_size,), generator=generator)
        seen = self.observer.observe(self.flux[index], self.redshift[index])
        values = self.targets[index.numpy()]
        scatter = torch.rand(len(values), generator=generator).numpy() - 0.5
        values = values.copy()
        for k, name in enumerate(self.names):
            if name.endswith("metallicity"):
                values[:, k] += 2 * self.recipe.label_scatter * scatter
            if name in _OVER_LIGHT:
                values[:, k] -= torch.log10(seen.level).numpy()
        columns = {name: values[:, k] for k, name in enumerate(self.names)}
        columns["redshift"] = self.redshift[index].numpy()
        targets = [
            torch.from_numpy(
                g.to_normal(np.stack([columns[n] for n in g.names], axis=1)).astype(np.float32)
            )
            for g in self.heads
        ]
        return seen.inputs, targets, ~seen.redshift_given


def _loss(
    network: PosteriorNetwork, inputs: Tensor, targets: list[Tensor], free: Tensor, colours: int
) -> Tensor:
    """Negative log density of each head, shape (n_heads,).

    The density number ``colours`` is that of the redshift from colours alone: galaxies that come
    with a redshift do not take part in it. Nor do those in any of which the truth is not known.
    """
    parts = []
    for index, (mixture, target) in enumerate(zip(network(inputs), targets, strict=True)):
        known = torch.isfinite(target).all(dim=1)
        counted = known & free if index == colours else known
        density = mixture.log_prob(torch.where(known[:, None], target, 0.0))
        parts.append(-(density * counted).sum() / counted.sum().clamp_min(1))
    return torch.stack(parts)


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
    batches = _Batches(populations, heads, recipe, observer)
    averaged, training = _optimised(network, batches, progress, kept)
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
    batches = _Batches(populations, model.heads, recipe, observer)
    network = copy.deepcopy(model.network).requires_grad_(True).train()
    averaged, training = _optimised(network, batches, progress)
    return averaged, {"recipe": asdict(recipe), "seed": seed, "training": training}


class _Run:
    """A training under way: all that changes from step to step."""

    def __init__(self, network: PosteriorNetwork, batches: _Batches) -> None:
        recipe = batches.recipe
        self.network, self.batches = network, batches
        self.averaged = copy.deepcopy(network).requires_grad_(False)
        self.optimiser = torch.optim.AdamW(
            network.parameters(), lr=recipe.learning_rate, weight_decay=0.01, fused=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, recipe.learning_rate, total_steps=recipe.n_steps, pct_start=0.1
        )
        self.step, self.seconds = 0, 0.0
        self.history: list[list[float]] = []
        self.total = torch.zeros(len(batches.heads))
        # A joint head comes after the groups, the last of which is the redshift.
        self.colours = next(i for i, h in enumerate(batches.heads) if h.names == ("redshift",))

    def advance(self) -> None:
        """Take one step."""
        losses = _loss(self.network, *self.batches.draw(), self.colours)
        self.optimiser.zero_grad(set_to_none=True)
        losses.sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        keep = min(1 - 1 / _AVERAGED, self.step / (self.step + 10))
        pairs = zip(self.averaged.parameters(), self.network.parameters(), strict=True)
        for mean, value in pairs:
            mean.lerp_(value.detach(), 1 - keep)
        self.total += losses.detach()
        if self.step % _REPORT_EVERY == 0:
            self.history.append([round(v, 4) for v in (self.total / _REPORT_EVERY).tolist()])
            self.total.zero_()

    def words(self) -> str:
        """How far it is."""
        words = ", ".join(f"{v:.3f}" for v in self.history[-1])
        left = self.seconds * (self.batches.recipe.n_steps / self.step - 1)
        return f"step {self.step}: loss {words}; {left:.0f} s left"

    def state(self) -> dict[str, Any]:
        """All of it, as tensors, numbers and words."""
        parts = {name: getattr(self, name).state_dict() for name in _STATEFUL}
        counts = {name: getattr(self, name) for name in _COUNTED}
        return parts | counts | {"generator": self.batches.observer.generator.get_state()}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a :meth:`state`."""
        for name in _STATEFUL:
            getattr(self, name).load_state_dict(state[name])
        for name in _COUNTED:
            setattr(self, name, state[name])
        self.batches.observer.generator.set_state(state["generator"])


def _optimised(
    network: PosteriorNetwork,
    batches: _Batches,
    progress: Progress,
    checkpoints: Checkpoints | None = None,
) -> tuple[PosteriorNetwork, dict]:
    """Average of the weights over the last steps, and how the training went."""
    run, n_steps = _Run(network, batches), batches.recipe.n_steps
    kept = None if checkpoints is None else checkpoints.load()
    if kept is not None:
        run.resume(kept)
    clock = time.monotonic()
    while run.step < n_steps:
        run.advance()
        if run.step % _REPORT_EVERY and run.step < n_steps:
            continue
        run.seconds, clock = run.seconds + time.monotonic() - clock, time.monotonic()
        if run.history:
            progress.report(run.step / n_steps, run.words())
        stopped = progress.cancelled()
        if checkpoints is not None and (stopped or run.step == n_steps or checkpoints.due()):
            checkpoints.save(run.state())
        if stopped and run.step < n_steps:
            raise Cancelled
    told = {
        "seconds": round(run.seconds, 1),
        "threads": torch.get_num_threads(),
        "loss": f"negative log density of each group, means over {_REPORT_EVERY} steps",
        "history": run.history,
    }
    return run.averaged.eval(), told
