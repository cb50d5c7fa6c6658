"""Training the networks on a mock sample."""

import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

import sspexplorer
from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.mocks import PARAMETERS, MockSample
from sspexplorer.networks.batches import KeptMocks, Mocks, Pieces
from sspexplorer.networks.device import training_device
from sspexplorer.networks.model import NETWORKS, Model, StackedMLP
from sspexplorer.networks.recipes import Recipe
from sspexplorer.on_demand import MocksOnDemand
from sspexplorer.progress import NO_PROGRESS, Progress

# In standard deviations of a label. With 0.1 rather than 0.3, σ_NMAD of age and dust falls by a
# tenth and a quarter after eight epochs, and that of metallicity rises by a thirtieth.
HUBER_DELTA = 0.1


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


def _losses(recipe: Recipe, output: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Loss of each network, shape (3,)."""
    if recipe.loss == "mse":
        losses = (output - target).square()
    else:
        losses = nn.functional.huber_loss(output, target, reduction="none", delta=HUBER_DELTA)
    return (losses * weight[:, None]).mean(0)


def _squared_errors(network: StackedMLP, pieces: Pieces, scale: Tensor) -> np.ndarray:
    """Mean squared error of each network in the units of its parameter, shape (3,)."""
    network.eval()
    with torch.inference_mode():
        parts = [((network(p.x) - p.y) * scale).square().sum(0) for p in pieces.in_order()]
    network.train()
    return _on_host(torch.stack(parts).sum(0)) / len(pieces)


def _on_host(values: Tensor) -> np.ndarray:
    """Numbers of a tensor, wherever it is: the only way back from the device."""
    return values.detach().cpu().numpy()


class _Best:
    """Weights with the least validation loss, of each network by itself."""

    def __init__(self, network: StackedMLP) -> None:
        self.loss = np.full(len(PARAMETERS), np.inf)
        self.epoch = [0] * len(PARAMETERS)
        # Kept on the host, as the model that comes of it is.
        self.state = {
            k: torch.from_numpy(_on_host(v).copy()) for k, v in network.state_dict().items()
        }

    def update(self, network: StackedMLP, loss: np.ndarray, epoch: int) -> None:
        better = np.flatnonzero(loss < self.loss)
        self.loss[better] = loss[better]
        for k in better:
            self.epoch[k] = epoch
        for name, value in network.state_dict().items() if len(better) else ():
            self.state[name][better] = torch.from_numpy(_on_host(value)[better])


def train(
    sample: MockSample | MocksOnDemand,
    recipe: Recipe,
    *,
    seed: int = 0,
    watch: Callable[[TrainingState], None] | None = None,
    progress: Progress = NO_PROGRESS,
    device: str | None = None,
) -> Model:
    """Train one network for each parameter, all three in one pass.

    The weights kept are those of the epoch with the least validation loss, for each network by
    itself. An interrupt (Ctrl-C) or a ``progress`` that is cancelled ends the training early and
    cleanly; the best weights so far are returned and the card says so.

    Parameters
    ----------
    sample : MockSample or MocksOnDemand
        Its mocks marked ``train`` and ``validation`` are used; ``test`` mocks are not looked at.
        The memory for mocks on demand does not grow with their magnitudes.
    recipe : Recipe
    seed : int
        Seed of the initial weights and of the order of the batches.
    watch : callable, optional
        Called several times an epoch.
    progress : Progress, optional
        Told, and asked whether to go on, several times an epoch.
    device : str, optional
        Where to compute, as torch calls it; see
        :func:`sspexplorer.networks.device.training_device`.

    Returns
    -------
    Model
        On the processor, wherever it was trained. Its card holds the recipe, data, seeds,
        versions and loss history.

    Raises
    ------
    InputError
        If the sample has no train or no validation mocks, if none of them has all bands, or if
        there is no such device.
    """
    mocks: Mocks = KeptMocks(sample, seed) if isinstance(sample, MockSample) else sample
    where = training_device(device)
    rows, held_out = (mocks.rows_of(split) for split in ("train", "validation"))
    if not len(rows) or not len(held_out):
        raise InputError("The sample needs both 'train' and 'validation' rows to train on.")
    training = Pieces.of(
        mocks,
        rows,
        seed=seed,
        standardise=recipe.standardise,
        snr_power=recipe.snr_power,
        device=where,
    )
    with torch.random.fork_rng(devices=[]), _no_denormals():
        torch.manual_seed(seed)
        # Made on the processor, so that it begins the same on every device.
        network = StackedMLP(NETWORKS[recipe.network], dropout=recipe.dropout).to(where)
        run = _Run(recipe, network, training, replace(training, rows=held_out))
        run.go(seed, watch, progress)
    best = StackedMLP(NETWORKS[recipe.network], dropout=recipe.dropout)
    best.load_state_dict(run.best.state)
    best.eval().requires_grad_(False)
    return Model(best, training.scaling, training.templates, _card(mocks, recipe, seed, run))


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


def _adam(network: StackedMLP, rate: float, device: torch.device) -> torch.optim.Adam:
    """Adam, in one kernel for all weights where torch has it."""
    fused = device.type in ("cpu", "cuda", "mps")
    return torch.optim.Adam(network.parameters(), lr=rate, fused=fused)


class _Run:
    """One training: its state, and the loop over epochs."""

    def __init__(
        self, recipe: Recipe, network: StackedMLP, training: Pieces, validation: Pieces
    ) -> None:
        self.recipe, self.network = recipe, network
        self.training, self.validation = training, validation
        self.scale = torch.from_numpy(training.scaling.label_std).to(training.device)
        self.best = _Best(network)
        self.history: dict[str, list[list[float]]] = {"train": [], "validation": []}
        self.stopped_early = False
        self.seconds = 0.0

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
        recipe, batch = self.recipe, self.recipe.batch_size
        n_steps = -(-len(self.training) // batch)
        generator = torch.Generator().manual_seed(seed)
        optimiser = _adam(self.network, recipe.learning_rate, self.training.device)
        schedule = None
        if recipe.one_cycle:
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimiser, recipe.learning_rate, total_steps=n_steps * recipe.epochs
            )
        for epoch in range(1, recipe.epochs + 1):
            total, step = torch.zeros(len(PARAMETERS), device=self.training.device), 0
            draw = epoch - 1 if recipe.fresh_noise else 0
            for piece in self.training.shuffled(batch, generator, draw):
                for x, y, weight in piece.batches(batch):
                    output = self.network(x)
                    optimiser.zero_grad(set_to_none=True)
                    _losses(recipe, output, y, weight).sum().backward()
                    optimiser.step()
                    if schedule:
                        schedule.step()
                    total += ((output.detach() - y) * self.scale).square().sum(0)
                    step += 1
                    if step % 50 == 0:
                        yield epoch - 1, (epoch - 1 + step / n_steps) / recipe.epochs
            self._close_epoch(epoch, _on_host(total) / len(self.training))
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


def _card(mocks: Mocks, recipe: Recipe, seed: int, run: _Run) -> dict:
    """Model card: everything needed to understand the model and to train it again."""
    counts = {"n_train": len(run.training), "n_validation": len(run.validation)}
    return {
        "parameters": list(PARAMETERS),
        "bands": list(BAND_NAMES),
        "network": recipe.network,
        "recipe": asdict(recipe),
        "seed": seed,
        "label_range": {name: list(mocks.label_range(name)) for name in PARAMETERS},
        "sample": mocks.meta | counts,
        "training": {
            "epochs_done": len(run.history["validation"]),
            "stopped_early": run.stopped_early,
            "best_epoch": dict(zip(PARAMETERS, run.best.epoch, strict=True)),
            "seconds": round(run.seconds, 1),
            "device": str(run.training.device),
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
