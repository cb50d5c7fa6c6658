"""Mocks whose noise is drawn when they are asked for, so that none of it is kept in memory.

A mock sample holds each SED as often as there are magnitudes, and a flux and an error for each. All
of that follows from the SEDs without noise, once each, the noise model and a seed; and a training
needs no more of it at a time than a few batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.gaps import over_median
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary
from sspexplorer.mocks import (
    EBV_GRID,
    LABELS,
    MAGNITUDES,
    SPLIT_FRACTIONS,
    MockSample,
    described,
    ingredients,
    noise_free_seds,
    split_at,
    split_of,
)
from sspexplorer.noise import NoiseModel

# Mocks that share a stream of random numbers: a stream takes as long to begin as they to draw.
BLOCK = 64
_SPLITS = tuple(SPLIT_FRACTIONS)
_LEFT_OUT = -1


@dataclass(frozen=True)
class MocksOnDemand:
    """Every SSP behind every dust screen at every magnitude, observed when asked for.

    Mocks are numbered one split after the other, each in a random order, so that any run of
    numbers is a fair sample. The noise of a mock depends on the seed, its number and ``draw``
    alone (a counter-based generator, Philox; Salmon et al. 2011): it is the same however often
    and with whatever others it is asked for.

    Attributes
    ----------
    seds : ndarray, shape (n_sed, 57), float32
        F_ν without noise, each row divided by its median.
    sed_labels : DataFrame, n_sed rows
        ``log_age``, ``metallicity``, ``ebv``, ``redshift``, ``library`` and ``ssp``.
    which : ndarray, shape (n,), int32
        Of each mock: number of its SED times the number of magnitudes, plus number of its
        magnitude.
    places : ndarray, shape (n,), int8
        Of each mock: its split, as a place in ``SPLIT_FRACTIONS``; −1 if it is left out.
    meta : dict
        As of :class:`~sspexplorer.mocks.MockSample`, and ``on_demand``.
    """

    seds: np.ndarray
    sed_labels: pd.DataFrame
    which: np.ndarray
    places: np.ndarray
    meta: dict

    @property
    def block(self) -> int:
        """Mocks in a row that are fastest asked for together."""
        return BLOCK

    def __len__(self) -> int:
        """Count the mocks that are not left out."""
        return int((self.places != _LEFT_OUT).sum())

    def rows_of(self, split: str) -> np.ndarray:
        """Numbers of the mocks of a split (train, validation or test), increasing."""
        return np.flatnonzero(self.places == _SPLITS.index(split))

    def subset(self, n: int, seed: int = 0) -> "MocksOnDemand":
        """As :meth:`sspexplorer.mocks.MockSample.subset`: ``n`` of those to learn from.

        Raises
        ------
        InputError
            If ``n`` is not positive.
        """
        if n < 1:
            raise InputError(f"A sample to train on needs at least one mock, not {n}.")
        learnt = np.flatnonzero(self.places != _SPLITS.index("test"))
        others = np.random.default_rng(seed).permutation(learnt)[n:]
        places = self.places.copy()
        places[others] = _LEFT_OUT
        return replace(self, places=places, meta=self.meta | {"subset": {"n": n, "seed": seed}})

    def take(self, rows: np.ndarray, draw: int = 0) -> MockSample:
        """Observe some of the mocks.

        Parameters
        ----------
        rows : ndarray of int, shape (k,)
            Their numbers, in any order. Those of one block should be asked for together.
        draw : int
            Another one gives the same objects other noise.

        Returns
        -------
        MockSample
            Of k mocks, in the order of ``rows``.
        """
        sed, magnitude = np.divmod(self.which[rows], len(self.meta["magnitudes"]))
        magnitudes = np.array(self.meta["magnitudes"])
        noise = NoiseModel.from_dict(self.meta["noise"])
        relative = noise.relative_error(magnitudes).astype(np.float32)
        flux = self.seds[sed]
        error = flux * relative[magnitude]
        labels = self.sed_labels.iloc[sed].reset_index(drop=True)
        labels["magnitude"] = magnitudes[magnitude]
        labels["split"] = np.array(_SPLITS, dtype=object)[self.places[rows]]
        noisy = flux + error * self._noise(rows, draw)
        return MockSample(*over_median(noisy, error), labels[list(LABELS)], self.meta)

    def distinct_seds(self, rows: np.ndarray) -> np.ndarray:
        """SEDs without noise of some mocks, each once, shape (n, 57)."""
        return self.seds[np.unique(self.which[rows] // len(self.meta["magnitudes"]))]

    def label_range(self, name: str) -> tuple[float, float]:
        """Least and greatest value of a parameter."""
        return float(self.sed_labels[name].min()), float(self.sed_labels[name].max())

    def _noise(self, rows: np.ndarray, draw: int) -> np.ndarray:
        """Standard normal numbers, shape (len(rows), 57), float32."""
        blocks, index = np.unique(rows // BLOCK, return_inverse=True)
        drawn = np.empty((len(blocks), BLOCK, self.seds.shape[1]), np.float32)
        for place, block in enumerate(blocks):
            stream = np.random.Philox(key=self.meta["seed"], counter=[0, 0, draw, block])
            np.random.Generator(stream).standard_normal(dtype=np.float32, out=drawn[place])
        return drawn[index, rows % BLOCK]


def mocks_on_demand(
    libraries: Sequence[str | SSPLibrary] = LIBRARY_NAMES,
    *,
    ebv_grid: Sequence[float] = EBV_GRID,
    magnitudes: Sequence[float] = MAGNITUDES,
    noise: NoiseModel | None = None,
    seed: int = 0,
    split: str = "ssp",
    redshift: float = 0.0,
) -> MocksOnDemand:
    """As :func:`sspexplorer.mocks.make_mocks`, without the noise until it is asked for.

    The same objects, under other draws of the same noise than a sample of the same seed. E(B−V) is
    that of the grid: SEDs whose dust is drawn are of one magnitude each, and none would be saved.

    Parameters
    ----------
    libraries : sequence of str or SSPLibrary
        Names, or libraries themselves.
    ebv_grid : sequence of float
        Colour excesses in mag.
    magnitudes : sequence of float
        i magnitudes (AB) that each SED is seen at.
    noise : NoiseModel, optional
        The default one unless given.
    seed : int
        Of the order of the mocks, and of their noise.
    split : {"ssp", "random"}
        Whether whole SSPs are held out, or single mocks as in the paper.
    redshift : float
        At which all are seen.

    Returns
    -------
    MocksOnDemand

    Raises
    ------
    InputError
        If a library is unknown, or a grid or ``split`` cannot be used.
    """
    loaded = ingredients(libraries, split, ebv_grid, magnitudes)
    noise = noise or NoiseModel.default()
    made = [noise_free_seds(lib, float(ebv), redshift) for lib, ebv in product(loaded, ebv_grid)]
    seds = np.concatenate([flux for flux, _ in made])
    labels = pd.concat([frame for _, frame in made], ignore_index=True)
    for name in ("library", "ssp"):
        labels[name] = labels[name].astype("category")
    rng = np.random.default_rng(seed)
    which = rng.permutation(np.arange(len(seds) * len(magnitudes), dtype=np.int32))
    if split == "ssp":
        ids = labels["ssp"].cat.categories
        of_mock = split_of(ids)[labels["ssp"].cat.codes][which // len(magnitudes)]
    else:
        of_mock = split_at(rng.random(len(which)))
    places = np.select(
        [of_mock == name for name in _SPLITS], np.arange(len(_SPLITS), dtype=np.int8)
    )
    # One split after the other, each in its random order, so that blocks are of one split.
    order = np.argsort(places, kind="stable")
    meta = described(loaded, ebv_grid, magnitudes, noise, seed, split) | {"on_demand": True}
    return MocksOnDemand(seds, labels, which[order], places[order], meta)
