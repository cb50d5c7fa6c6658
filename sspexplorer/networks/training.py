"""Training the networks on a mock sample."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import sspexplorer
from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.gaps import complete
from sspexplorer.mocks import PARAMETERS, MockSample
from sspexplorer.networks.model import NETWORKS, Model, Scaling, StackedMLP
from sspexplorer.progress import NO_PROGRESS, Progress

N_TEMPLATES = 4000
# In standard deviations of a label. With 0.1 rather than 0.3, σ_NMAD of age and dust falls by a
# tenth and a quarter after eight epochs, and that of metallicity rises by a thirtieth.
HUBER_DELTA = 0.1
LOSSES = ("mse", "huber")


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    name : str
    network : str
        A key of :data:`sspexplorer.networks.model.NETWORKS`.
    epochs, batch_size : int
    learning_rate : float
        Adam's rate; the peak of it if ``one_cycle``.
    one_cycle : bool
        Raise and anneal the rate over the whole training (Smith & Topin 2018) instead of
        keeping it constant.
    loss : {"mse", "huber"}
        Mean squared error; or Huber's loss on standardised labels, for which far outliers pull
        less and the prediction lies nearer the median of the possible answers.
    standardise : bool
        Give inputs and labels zero mean and unit variance.
    dropout : float
        Fraction of hidden units dropped at each step.
    fresh_noise : bool
        Draw the noise of the training mocks anew at every epoch, so that it cannot be learnt.
    snr_power : float
        Weigh each mock by this power of its median signal-to-noise ratio. Without weights the
        large errors of faint mocks rule the training, and bright ones stay short of what their
        noise allows.

    Raises
    ------
    InputError
        If there is no such network or loss, or a number cannot be trained with.
    """

    name: str
    network: str = "base"
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 0.002
    one_cycle: bool = False
    loss: str = "mse"
    standardise: bool = False
    dropout: float = 0.0
    fresh_noise: bool = False
    snr_power: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with."""
        if self.network not in NETWORKS:
            raise InputError(
                f"There is no network {self.network!r}; there are {', '.join(NETWORKS)}."
            )
        if self.loss not in LOSSES:
            raise InputError(f"There is no loss {self.loss!r}; there are {', '.join(LOSSES)}.")
        if self.epochs < 1:
            raise InputError(f"Training needs at least one epoch, not {self.epochs}.")
        if self.batch_size < 1:
            raise InputError(f"A batch has at least one mock, not {self.batch_size}.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"Dropout is a fraction, at least 0 and below 1, not {self.dropout}.")
        if not 0 < self.learning_rate < float("inf"):
            raise InputError(f"A learning rate is greater than 0, not {self.learning_rate}.")


RECIPES = {
    # Domínguez Sánchez et al. (2026), Sect. 3.
    "paper": Recipe("paper"),
    "default": Recipe(
        "default",
        epochs=70,
        batch_size=256,
        learning_rate=0.004,
        one_cycle=True,
        loss="huber",
        standardise=True,
        fresh_noise=True,
        snr_power=0.5,
    ),
}


def get_recipe(
    name: str = "default",
    *,
    network: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    dropout: float | None = None,
    learning_rate: float | None = None,
) -> Recipe:
    """Look up a recipe, with something else in the place of what is given.

    Parameters
    ----------
    name : str
        A key of :data:`RECIPES`: ``default``, or ``paper``.
    network : str, optional
        Its layers, a key of :data:`sspexplorer.networks.model.NETWORKS`.
    epochs, batch_size : int, optional
        How often each mock is seen, and how many at a time.
    dropout : float, optional
        Fraction of hidden units that each step leaves out.
    learning_rate : float, optional
        Adam's rate; the peak of it if the recipe anneals it.

    Raises
    ------
    InputError
        If there is no such recipe or network, or a number cannot be trained with.
    """
    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    changes: dict[str, Any] = {
        "network": network,
        "epochs": epochs,
        "batch_size": batch_size,
        "dropout": dropout,
        "learning_rate": learning_rate,
    }
    return replace(RECIPES[name], **{k: v for k, v in changes.items() if v is not None})


@dataclass(frozen=True)
class TrainingState:
    """How far a training is, given to its ``watch`` callback.

    Attributes
    ----------
    fraction : float
        Part of the training that is done, 0 to 1.
    epoch, epochs : int
        Epochs finished, and in all.
    seconds_left : float
        Estimate from the pace so far.
    train_loss, validation_loss : tuple of float
        Mean squared error of log_age, metallicity and ebv (dex², dex², mag²) in the last finished
        epoch; NaN before the first is finished.
    """

    fraction: float
    epoch: int
    epochs: int
    seconds_left: float
    train_loss: tuple[float, ...]
    validation_loss: tuple[float, ...]


@dataclass(frozen=True)
class _Data:
    """Scaled tensors of one split."""

    x: Tensor
    y: Tensor
    weight: Tensor

    @classmethod
    def of(
        cls, sample: MockSample, scaling: Scaling, templates: np.ndarray, snr_power: float = 0.0
    ) -> "_Data":
        x = (_filled(sample.flux, templates) - scaling.flux_mean) / scaling.flux_std
        y = (sample.parameters - scaling.label_mean) / scaling.label_std
        weight = sample.snr**snr_power
        arrays = (x, y, weight / weight.mean())
        return cls(*(torch.from_numpy(array.astype(np.float32)) for array in arrays))

    def batches(self, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, ...]]:
        for index in torch.randperm(len(self.x), generator=generator).split(size):
            yield self.x[index], self.y[index], self.weight[index]


def _losses(recipe: Recipe, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Loss of each network, shape (3,)."""
    if recipe.loss == "mse":
        losses = (output - target).square()
    else:
        losses = nn.functional.huber_loss(output, target, reduction="none", delta=HUBER_DELTA)
    return (losses * weight[:, None]).mean(0)


def _squared_errors(network: StackedMLP, data: _Data, scale: Tensor) -> np.ndarray:
    """Mean squared error of each network in the units of its parameter, shape (3,)."""
    network.eval()
    with torch.inference_mode():
        parts = [
            ((network(x) - y) * scale).square().sum(0)
            for x, y in zip(data.x.split(16384), data.y.split(16384), strict=True)
        ]
    network.train()
    return (sum(parts) / len(data.x)).numpy()


class _Best:
    """Weights with the least validation loss, of each network by itself."""

    def __init__(self, network: StackedMLP) -> None:
        self.loss = np.full(len(PARAMETERS), np.inf)
        self.epoch = [0] * len(PARAMETERS)
        self.state = {k: v.clone() for k, v in network.state_dict().items()}

    def update(self, network: StackedMLP, loss: np.ndarray, epoch: int) -> None:
        for k in np.flatnonzero(loss < self.loss):
            self.loss[k], self.epoch[k] = loss[k], epoch
            for name, value in network.state_dict().items():
                self.state[name][k] = value[k]


def train(
    sample: MockSample,
    recipe: Recipe,
    *,
    seed: int = 0,
    watch: Callable[[TrainingState], None] | None = None,
    progress: Progress = NO_PROGRESS,
) -> Model:
    """Train one network for each parameter, all three in one pass.

    The weights kept are those of the epoch with the least validation loss, for each network by
    itself. An interrupt (Ctrl-C) or a ``progress`` that is cancelled ends the training early and
    cleanly; the best weights so far are returned and the card says so.

    Parameters
    ----------
    sample : MockSample
        Its rows marked ``train`` and ``validation`` are used; ``test`` rows are not looked at.
    recipe : Recipe
    seed : int
        Seed of the initial weights and of the order of the batches.
    watch : callable, optional
        Called several times an epoch.
    progress : Progress, optional
        Told, and asked whether to go on, several times an epoch.

    Returns
    -------
    Model
        Its card holds the recipe, data, seeds, versions and loss history.

    Raises
    ------
    InputError
        If the sample has no train or no validation rows, or none of its rows has all bands.
    """
    training, validation = sample.part("train"), sample.part("validation")
    if not len(training) or not len(validation):
        raise InputError("The sample needs both 'train' and 'validation' rows to train on.")
    templates = _templates(training, seed)
    scaling = Scaling.identity()
    if recipe.standardise:
        scaling = Scaling.standard(_filled(training.flux, templates), training.parameters)
    with torch.random.fork_rng(devices=[]), _no_denormals():
        torch.manual_seed(seed)
        network = StackedMLP(NETWORKS[recipe.network], dropout=recipe.dropout)
        held_out = _Data.of(validation, scaling, templates)
        run = _Run(recipe, network, scaling, training, held_out, templates)
        run.go(seed, watch, progress)
    network.load_state_dict(run.best.state)
    network.eval().requires_grad_(False)
    card = _card(sample, recipe, seed, run, (len(training), len(validation)))
    return Model(network, scaling, templates, card)


@contextmanager
def _no_denormals() -> Iterator[None]:
    """Round to zero the numbers near it that processors are slow with.

    The moments that Adam keeps of a unit that no longer answers end up among them.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _templates(training: MockSample, seed: int) -> np.ndarray:
    """Noise-free SEDs of the training mocks, each once, at most N_TEMPLATES of them."""
    firsts = ~training.labels.duplicated(["ssp", "ebv", "redshift"])
    distinct = training.rows(firsts.to_numpy()).noise_free
    distinct = distinct[np.isfinite(distinct).all(axis=1)]
    if not len(distinct):
        raise InputError(
            "No mock to train on has all 57 bands; add a library that covers them, such as bc03."
        )
    chosen = np.random.default_rng(seed).permutation(len(distinct))[:N_TEMPLATES]
    return distinct[np.sort(chosen)]


def _filled(flux: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Fluxes with missing bands filled as they are where a model predicts."""
    if np.isfinite(flux).all():
        return flux
    return complete(flux, templates)[0].astype(np.float32)


class _Run:
    """One training: its state, and the loop over epochs."""

    def __init__(
        self,
        recipe: Recipe,
        network: StackedMLP,
        scaling: Scaling,
        training: MockSample,
        validation: _Data,
        templates: np.ndarray,
    ) -> None:
        self.recipe, self.network, self.scaling = recipe, network, scaling
        self.scale = torch.from_numpy(scaling.label_std)
        self.training, self.validation, self.templates = training, validation, templates
        self.best = _Best(network)
        self.history: dict[str, list[list[float]]] = {"train": [], "validation": []}
        self.stopped_early = False
        self.seconds = 0.0

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.training) // self.recipe.batch_size)

    def go(
        self,
        seed: int,
        watch: Callable[[TrainingState], None] | None,
        progress: Progress,
    ) -> None:
        start = time.monotonic()
        try:
            for epoch, fraction in self._steps(seed):
                self.seconds = time.monotonic() - start
                progress.report(fraction)
                if watch:
                    watch(self._state(epoch, fraction))
                if progress.cancelled():
                    self.stopped_early = True
                    break
        except KeyboardInterrupt:
            self.stopped_early = True
        if not self.history["validation"]:
            self._close_epoch(0, np.full(len(PARAMETERS), np.nan))

    def _steps(self, seed: int) -> Iterator[tuple[int, float]]:
        """Train, yielding (epochs finished, fraction of the training done) now and then."""
        recipe, n_steps = self.recipe, self.steps_per_epoch
        generator = torch.Generator().manual_seed(seed)
        optimiser = torch.optim.Adam(self.network.parameters(), lr=recipe.learning_rate, fused=True)
        schedule = None
        if recipe.one_cycle:
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimiser, recipe.learning_rate, total_steps=n_steps * recipe.epochs
            )
        given = self.scaling, self.templates, recipe.snr_power
        data = _Data.of(self.training, *given)
        for epoch in range(1, recipe.epochs + 1):
            total = torch.zeros(len(PARAMETERS))
            if recipe.fresh_noise and epoch > 1:
                sample = self.training.with_new_noise((seed, epoch))
                data = _Data.of(sample, *given)
            batches = data.batches(recipe.batch_size, generator)
            for step, (x, y, weight) in enumerate(batches, start=1):
                output = self.network(x)
                optimiser.zero_grad(set_to_none=True)
                _losses(recipe, output, y, weight).sum().backward()
                optimiser.step()
                if schedule:
                    schedule.step()
                total += ((output.detach() - y) * self.scale).square().sum(0)
                if step % 50 == 0:
                    yield epoch - 1, (epoch - 1 + step / n_steps) / recipe.epochs
            self._close_epoch(epoch, (total / len(self.training)).numpy())
            yield epoch, epoch / recipe.epochs

    def _close_epoch(self, epoch: int, train_loss: np.ndarray) -> None:
        loss = _squared_errors(self.network, self.validation, self.scale)
        self.best.update(self.network, loss, epoch)
        for split, values in (("train", train_loss), ("validation", loss)):
            self.history[split].append([float(f"{value:.5g}") for value in values])

    def _state(self, epoch: int, fraction: float) -> TrainingState:
        unknown = [float("nan")] * len(PARAMETERS)
        last = {k: tuple(v[-1] if v else unknown) for k, v in self.history.items()}
        left = self.seconds * (1 - fraction) / fraction
        return TrainingState(
            fraction, epoch, self.recipe.epochs, left, last["train"], last["validation"]
        )


def _card(
    sample: MockSample, recipe: Recipe, seed: int, run: _Run, counts: tuple[int, int]
) -> dict:
    """Model card: everything needed to understand the model and to train it again."""
    return {
        "parameters": list(PARAMETERS),
        "bands": list(BAND_NAMES),
        "network": recipe.network,
        "recipe": asdict(recipe),
        "seed": seed,
        "label_range": {
            name: [float(sample.labels[name].min()), float(sample.labels[name].max())]
            for name in PARAMETERS
        },
        "sample": sample.meta | {"n_train": counts[0], "n_validation": counts[1]},
        "training": {
            "epochs_done": len(run.history["validation"]),
            "stopped_early": run.stopped_early,
            "best_epoch": dict(zip(PARAMETERS, run.best.epoch, strict=True)),
            "seconds": round(run.seconds, 1),
            "loss": "mean squared error of (log_age, metallicity, ebv) after each epoch",
            **run.history,
        },
        "versions": {
            "sspexplorer": sspexplorer.__version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
    }
