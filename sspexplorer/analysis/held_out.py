"""The table of truths and predictions of held-out mocks, and which of them a page asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.metrics import held_out_mocks, running_quantiles
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.networks.model import Model

SPLITS = {"SSPs never seen": "ssp", "SSPs seen, other noise": "random"}

SPLIT_NOTES = {
    "ssp": "Whole SSPs were held out of the training: the stricter test.",
    "random": "SSPs of the training under noise that was not: the test of the paper.",
}

ONLY_RANDOM = "This network was trained on mocks split at random: it has seen every SSP."

# Each keeps what is brighter; the last keeps all.
CUTS = {f"i < {m:.1f}": m for m in MAGNITUDES[1:]} | {"All, i ≤ 22.0": MAGNITUDES[-1] + 0.5}
_CUT_NAMES = {limit: name for name, limit in CUTS.items()}

# Ages that the paper measures apart: log t < 7.5 and > 9.5 (Sect. 4), and those between.
RANGE_EDGES = {"log_age": (7.5, 9.5)}

# A mock is drawn up to this far from its true value, so that a grid point is a column and not a
# line one pixel wide; less where the next point of the grid is near.
HALF_WIDTH = {"log_age": 0.025, "metallicity": 0.08, "ebv": 0.02}

_FILLED = 0.45  # of the step of the grid, to either side: a gap remains between columns

# Grid points of different libraries that differ by less belong to one median.
_SAME = {"log_age": 0.0, "metallicity": 0.03, "ebv": 0.0}


def held_out_table(model: Model, split: str = "ssp") -> pd.DataFrame:
    """Every held-out mock of a network and what it predicts for it.

    The mocks are those of ``sspexplorer evaluate``, so the metrics are the same.

    Parameters
    ----------
    model : Model
    split : {"ssp", "random"}
        See :func:`~sspexplorer.metrics.held_out_mocks`.

    Returns
    -------
    DataFrame
        See :func:`density_table`.

    Raises
    ------
    InputError
        If the network cannot be tested on this split.
    """
    mocks = held_out_mocks(model, split)
    return density_table(mocks.labels, model.predict(mocks.flux))


def cut_name(limit: float) -> str:
    """Name of one of :data:`CUTS`."""
    return _CUT_NAMES[limit]


def fair_split(card: dict, split: str) -> str:
    """Split that a network can be tested on: one trained on mocks at random has no unseen SSPs.

    Parameters
    ----------
    card : dict
        The network's.
    split : {"ssp", "random"}
        What is asked for.
    """
    return "random" if card.get("sample", {}).get("split") == "random" else split


@dataclass(frozen=True)
class Trial:
    """A network and the mocks it is tested on.

    Attributes
    ----------
    model : str
    split : {"ssp", "random"}
    libraries : tuple of str
    """

    model: str
    split: str
    libraries: tuple[str, ...]

    @classmethod
    def of(cls, model: str, card: dict, split: str, libraries: Sequence[str]) -> "Trial":
        """Take the split that is asked for, or the only one that can be had."""
        return cls(model, fair_split(card, split), tuple(libraries))

    def rows(self, table: pd.DataFrame, limit: float) -> pd.DataFrame:
        """Mocks brighter than a limit in i (AB) and what is predicted of them.

        Parameters
        ----------
        table : DataFrame
            :func:`held_out_table` of the network and the split.
        limit : float
            One of :data:`CUTS`.

        Raises
        ------
        InputError
            If there are none.
        """
        known = table["library"].cat.categories
        mask = np.isin(known, self.libraries)[table["library"].cat.codes]
        rows = table[mask & (table["magnitude"] < limit).to_numpy()]
        if not len(rows):
            raise InputError(
                f"There are no mocks of these libraries at {cut_name(limit)} that this network "
                "can be tested on. Choose another limit, or other libraries in the sidebar."
            )
        return rows

    def words(self) -> str:
        """What the network knows of these SSPs."""
        return "never seen" if self.split == "ssp" else "seen under other noise"

    def split_note(self, asked: str) -> str:
        """What the split means, or why it is not the one that was asked for."""
        return SPLIT_NOTES[asked] if self.split == asked else ONLY_RANDOM


def density_table(labels: pd.DataFrame, predicted: np.ndarray) -> pd.DataFrame:
    """One row for each mock: what pictures and metrics of predictions are made of.

    Parameters
    ----------
    labels : DataFrame, n rows
        As in :class:`~sspexplorer.mocks.MockSample`.
    predicted : ndarray, shape (n, 3)
        log_age (log10 yr), metallicity (dex) and ebv (mag).

    Returns
    -------
    DataFrame
        ``magnitude``, ``library`` (categorical), ``ssp`` (categorical), and for each parameter
        its true value under its own name, ``pred_…`` and ``shown_…`` (see :func:`shown_truth`).
    """
    table = pd.DataFrame(
        {
            "magnitude": labels["magnitude"].to_numpy(float),
            "library": pd.Categorical(labels["library"]),
            "ssp": pd.Categorical(labels["ssp"]),
        }
    )
    for k, name in enumerate(PARAMETERS):
        table[name] = labels[name].to_numpy(float)
        table[f"pred_{name}"] = predicted[:, k]
        table[f"shown_{name}"] = shown_truth(table[name], table["library"], HALF_WIDTH[name])
    return table


def shown_truth(true: pd.Series, library: pd.Series, half_width: float) -> np.ndarray:
    """Where to draw a true value, so that the points of a grid become columns.

    Each value is moved by a random amount, the same at every call, by at most ``half_width`` and
    never halfway to the next value of its library. Only for drawing: no metric should use it.

    Parameters
    ----------
    true : Series, n rows
    library : Series, n rows
        Libraries have grids of their own.
    half_width : float

    Returns
    -------
    ndarray, shape (n,)
    """
    reach = np.empty(len(true))
    for rows in true.groupby(library, observed=True).indices.values():
        values, index = np.unique(true.to_numpy()[rows], return_inverse=True)
        gaps = np.diff(values, prepend=-np.inf, append=np.inf)
        nearest = np.minimum(gaps[:-1], gaps[1:])
        reach[rows] = np.minimum(half_width, _FILLED * nearest)[index]
    shift = np.random.default_rng(0).uniform(-1.0, 1.0, len(true))
    return true.to_numpy() + reach * shift


def range_limits(parameter: str) -> list[tuple[float, float]]:
    """Ranges of the truth that are measured apart, from low to high; none for most parameters."""
    if parameter not in RANGE_EDGES:
        return []
    edges = (-np.inf, *RANGE_EDGES[parameter], np.inf)
    return [*pairwise(edges)]


def medians_table(
    table: pd.DataFrame, parameter: str, *, residual: bool = False, n_bins: int = 20
) -> pd.DataFrame:
    """Running median and quartiles of predictions, or of predicted − true, against the truth.

    Returns
    -------
    DataFrame
        As :func:`~sspexplorer.metrics.running_quantiles`.
    """
    true = table[parameter].to_numpy()
    predicted = table[f"pred_{parameter}"].to_numpy()
    drawn = predicted - true if residual else predicted
    return running_quantiles(_merged(true, _SAME[parameter]), drawn, n_bins)


def _merged(values: np.ndarray, gap: float) -> np.ndarray:
    """Replace values that are closer to each other than ``gap`` by their mean."""
    different, index = np.unique(values, return_inverse=True)
    group = np.cumsum(np.diff(different, prepend=different[:1]) > gap)
    mean = np.bincount(group, different) / np.bincount(group)
    return mean[group][index]
