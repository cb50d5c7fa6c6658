"""Steps of the training of a posterior network, by maximum likelihood."""

import copy
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sspexplorer.errors import Cancelled
from sspexplorer.populations import Populations
from sspexplorer.posterior.checkpoints import Checkpoints
from sspexplorer.posterior.density import Bounds
from sspexplorer.posterior.groups import OVER_LIGHT
from sspexplorer.posterior.network import PosteriorNetwork
from sspexplorer.posterior.observing import Observer
from sspexplorer.progress import Progress

_REPORT_EVERY = 100
# Weights are averaged over about this many of the last steps.
_AVERAGED = 1000
# What a state of a training is made of.
_STATEFUL = ("network", "averaged", "optimiser", "schedule")
_COUNTED = ("step", "seconds", "history", "total")


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


class Batches:
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
            if name in OVER_LIGHT:
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


class _Run:
    """A training under way: all that changes from step to step."""

    def __init__(self, network: PosteriorNetwork, batches: Batches) -> None:
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


def optimised(
    network: PosteriorNetwork,
    batches: Batches,
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
