"""Trained networks side by side: how each was made, and how well it reads held-out mocks."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
import pandas as pd

from sspexplorer.analysis.by_magnitude import metrics_by_magnitude
from sspexplorer.analysis.held_out import density_table
from sspexplorer.app import cache
from sspexplorer.app.once import Once
from sspexplorer.jobs.process import Task
from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS, library_label, run_title
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.metrics import EVALUATION_SEED, Summary, held_out_mocks, summary
from sspexplorer.mocks import PARAMETERS, MockSample, make_mocks
from sspexplorer.networks.model import NETWORKS, Model
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.magnitude import Look
from sspexplorer.plots.style import NEUTRAL
from sspexplorer.plots.training import Losses
from sspexplorer.shipped import RECIPE_MODELS, network_names

# What a recipe is, and after how many epochs it is what its name promises.
RECIPE_WORDS = {
    "default": "Ours, for few SSPs; the one that ships took 70 epochs.",
    "paper": "As printed: small batches, one learning rate, squared errors; 100 epochs.",
    "paper-fast": "As good as the paper's in a tenth of its time: larger batches, a rate that is "
    "annealed, scaled values, Huber's loss; 14 epochs.",
    "custom": "Of your own.",
}
NETWORK_TITLES = {"base": "Base", "sed": "SED"}
RECIPE_TITLES = {
    "default": "Default",
    "paper": "Paper",
    "paper-fast": "Paper, fast",
    "custom": "Custom",
}

# Colours of neither a library nor a parameter; then again, with other dashes.
_COLOURS = ("#C2549D", "#B07D00", "#2E9BC9", "#6FA02E", "#A0643C", "#8B6FE0")
_DASHES = ("solid", "dashed", "dotted", "dashdot")
_SHIPPED_LOOKS = (Look("solid", NEUTRAL), Look("dashed", NEUTRAL))


@dataclass(eq=False)
class Run:
    """A trained network.

    Attributes
    ----------
    title : str
        What it is called on the page.
    card : dict
    look : Look
        How its curves are drawn.
    shipped : str
        Name of the shipped model; "" if a visitor trained it.
    model : Model or None
        None for a shipped model, which is loaded when it is needed.
    kept : str
        Name under which the app knows it; "" if it does not.
    """

    title: str
    card: dict
    look: Look
    shipped: str = ""
    model: Model | None = None
    kept: str = ""
    _scores: dict[tuple, "Scores"] = field(default_factory=dict)

    @property
    def losses(self) -> Losses:
        """Loss of each epoch."""
        return Losses.of_card(self.card)

    def scores(self, noise: NoiseModel | None, libraries: tuple[str, ...]) -> "Scores":
        """Measure it on the held-out mocks of some libraries; only once for the same ones."""
        noise_key = json.dumps(noise.to_dict()) if noise else ""
        versions = cache.versions(cache.with_added(libraries))
        key = (noise_key, libraries, versions)
        if key not in self._scores:
            model = self.model or cache.model(self.shipped)
            mocks = _test_mocks(noise_key, versions)
            table = density_table(mocks.labels, model.predict(mocks.flux))
            table = table[table["library"].isin(libraries)]
            self._scores[key] = Scores(
                metrics_by_magnitude(table, self.title),
                {
                    name: summary(table[f"pred_{name}"].to_numpy(), table[name].to_numpy())
                    for name in PARAMETERS
                },
                table["ssp"].nunique(),
            )
        return self._scores[key]


@dataclass(frozen=True)
class Scores:
    """Metrics of one run.

    Attributes
    ----------
    by_magnitude : DataFrame
        As of :func:`~sspexplorer.analysis.by_magnitude.metrics_by_magnitude`.
    overall : dict
        {parameter: Summary}, of all magnitudes together.
    n_ssp : int
        SSPs that the mocks are of.
    """

    by_magnitude: pd.DataFrame
    overall: dict[str, Summary]
    n_ssp: int


@dataclass(frozen=True)
class Comparison:
    """Runs measured on the same mocks.

    Attributes
    ----------
    runs : tuple of Run
    scores : tuple of Scores
        Of each of them.
    """

    runs: tuple[Run, ...]
    scores: tuple[Scores, ...]

    @classmethod
    def of(
        cls, runs: Sequence[Run], noise: NoiseModel | None, libraries: tuple[str, ...]
    ) -> "Comparison":
        """Measure runs; takes about a second for one that is new."""
        return cls(tuple(runs), tuple(run.scores(noise, libraries) for run in runs))

    @property
    def curves(self) -> pd.DataFrame:
        """Metrics by magnitude of all runs, under their present titles."""
        tables = [
            scores.by_magnitude.assign(run=run.title)
            for run, scores in zip(self.runs, self.scores, strict=True)
        ]
        return pd.concat(tables, ignore_index=True)

    def caption(self, parameter: str) -> str:
        """Which run scatters least and most in a parameter, and on how many mocks."""
        first, unit = self.scores[0], PARAMETER_UNITS[parameter]
        sigma = [scores.overall[parameter]["sigma_nmad"] for scores in self.scores]
        least, most = int(np.nanargmin(sigma)), int(np.nanargmax(sigma))
        return (
            f"{first.overall[parameter]['n']:,} mocks of {first.n_ssp:,} SSPs that none of these "
            f"networks saw, the same for all: in {PARAMETER_NAMES[parameter]}, "
            f"{self.runs[least].title} scatters least (σ\u00a0NMAD {sigma[least]:.3f} {unit}) and "
            f"{self.runs[most].title} most ({sigma[most]:.3f} {unit}). Bars are ±1σ, from "
            "drawing whole SSPs anew."
        )


@partial(Once, most=3)
def _test_mocks(noise_key: str, libraries: cache.Versions) -> MockSample:
    """Mocks of libraries, of SSPs that no network saw."""
    noise = NoiseModel.from_dict(json.loads(noise_key)) if noise_key else None
    mocks = make_mocks([name for name, _ in libraries], noise=noise, seed=EVALUATION_SEED)
    # What is held out from one network that keeps whole SSPs together is from all of them.
    return held_out_mocks(cache.model(network_names()[0]), "ssp", mocks)


@Once
def shipped_runs() -> tuple[Run, ...]:
    """Runs of the shipped networks of both recipes, which all visitors share."""
    names = [name for name in RECIPE_MODELS if name in network_names()]
    return tuple(
        Run(run_title(name), cache.model_card(name), look, shipped=name)
        for name, look in zip(names, _SHIPPED_LOOKS, strict=False)
    )


def look_of(number: int) -> Look:
    """How the run of a number, from 0, is drawn."""
    dash = _DASHES[number // len(_COLOURS) % len(_DASHES)]
    return Look(dash, _COLOURS[number % len(_COLOURS)])


def runs_table(runs: Sequence[Run], comparison: Comparison | None) -> pd.DataFrame:
    """One row for each run: its choices, its time, and its scatter where that is known."""
    scores = dict(zip(comparison.runs, comparison.scores, strict=True)) if comparison else {}
    return pd.DataFrame([_row(run, scores.get(run)) for run in runs], index=[r.title for r in runs])


def _row(run: Run, scores: Scores | None) -> dict[str, object]:
    card = run.card
    recipe, sample, training = card["recipe"], card["sample"], card["training"]
    libraries = sample["libraries"]
    names = ", ".join(library_label(name) for name in libraries)
    best = "/".join(str(training["best_epoch"][name]) for name in PARAMETERS)
    row: dict[str, object] = {
        "Recipe": RECIPE_TITLES.get(recipe["name"], recipe["name"]),
        "Network": NETWORK_TITLES.get(card["network"], card["network"]),
        "Batch": int(recipe["batch_size"]),
        "Dropout": f"{recipe['dropout']:g}",
        "Libraries": "all" if sorted(libraries) == sorted(LIBRARY_NAMES) else names,
        "Mocks": int(sample["n_train"] + sample["n_validation"]),
        "Epochs": f"{training['epochs_done']}" + (" ■" if training["stopped_early"] else ""),
        "Best epoch": best,
        "Time": duration(training["seconds"]),
    }
    for name in PARAMETERS:
        sigma = scores.overall[name]["sigma_nmad"] if scores else float("nan")
        row[f"σ\u00a0{PARAMETER_NAMES[name]}"] = sigma
    return row


def loss_caption(losses: Losses, title: str) -> str:
    """When the validation loss was least, and how much the training mocks are fitted better."""
    best = [losses.best_epoch(name) for name in PARAMETERS]
    if None in best:
        return f"{title}: the curves begin with the first epoch."
    gaps = [f"{100 * losses.gap(name):+.0f}".replace("-", "−") + " %" for name in PARAMETERS]
    names = [PARAMETER_NAMES[name] for name in PARAMETERS]
    epochs = ", ".join(f"{epoch} ({name})" for epoch, name in zip(best, names, strict=True))
    n = len(losses.validation)
    return (
        f"{title}: of {n} epoch{'s' if n > 1 else ''}, validation was best in {epochs}; there its "
        f"loss differs by {gaps[0]}, {gaps[1]} and {gaps[2]} from that of the training mocks. What "
        "grows between the lines is over-fitting: learnt from the training mocks alone."
    )


def duration(seconds: float) -> str:
    """Time for people: 42 s, 6 min, 1.5 h."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


# How long a training takes. Steps cost time, and mocks do, in proportion to the weights.


class Pace:
    """Time that trainings take: as the shipped ones took, then as the last one here did."""

    def __init__(self) -> None:
        self._factor: float | None = None

    def seconds(self, task: Task, n_train: float) -> float | None:
        """Estimate; None if there is nothing to go by."""
        seconds = _as_shipped(task, n_train)
        return None if seconds is None else seconds * (self._factor or 1.0)

    @property
    def known(self) -> bool:
        """Whether a training here has been timed."""
        return self._factor is not None

    def learn(self, task: Task, card: dict, fraction: float) -> None:
        """Take how long a fraction of a training took; one hardly begun says too little."""
        seconds = card["training"]["seconds"]
        expected = _as_shipped(task, card["sample"]["n_train"])
        if expected and fraction and seconds > 2:
            self._factor = seconds / (expected * fraction)


# Of this server.
PACE = Pace()


def _as_shipped(task: Task, n_train: float) -> float | None:
    """Seconds that a training would take at the pace of the shipped ones.

    With t = epochs · (steps · a + mocks · b) of two batch sizes, both a and b are known.
    """
    cards = [cache.model_card(name) for name in RECIPE_MODELS]
    if not all(cards):
        return None
    equations = [
        (card["sample"]["n_train"] / card["recipe"]["batch_size"], card["sample"]["n_train"])
        for card in cards
    ]
    epochs = [card["training"]["seconds"] / card["training"]["epochs_done"] for card in cards]
    step, mock = np.linalg.solve(np.array(equations, float), epochs)
    size = _weights(task.recipe.network) / _weights(cards[0]["network"])
    per_epoch = n_train / task.recipe.batch_size * step + n_train * mock * size
    return float(task.recipe.epochs * per_epoch)


def _weights(network: str) -> int:
    widths = NETWORKS[network]
    return sum((a + 1) * b for a, b in pairwise(widths))
