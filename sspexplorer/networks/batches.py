"""Mocks as a training takes them: in pieces, in a new order each epoch, scaled, where it computes.

No more than a piece is in memory with its noise at any time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor

from sspexplorer.errors import InputError
from sspexplorer.gaps import complete
from sspexplorer.mocks import MockSample
from sspexplorer.networks.model import Scaling

# Mocks in a piece: so many that those of one block are far apart in its batches, and that what
# Python does for each piece is little beside its steps; so few that they take 50 MB.
PIECE = 16_384
# Mocks to validate on at once: each layer answers with 3 MB.
AT_ONCE = 1024
N_TEMPLATES = 4000


class Mocks(Protocol):
    """What a training asks of its mocks."""

    @property
    def meta(self) -> dict:
        """How they were made."""

    @property
    def block(self) -> int:
        """Mocks in a row that should be asked for together; 1 if any may be."""

    def rows_of(self, split: str) -> np.ndarray:
        """Numbers of the mocks of a split, shape (n,)."""

    def take(self, rows: np.ndarray, draw: int = 0) -> MockSample:
        """Some of the mocks under their noise, or under another draw of it."""

    def distinct_seds(self, rows: np.ndarray) -> np.ndarray:
        """SEDs without noise of some mocks, each once, shape (n, 57)."""

    def label_range(self, name: str) -> tuple[float, float]:
        """Least and greatest value of a parameter."""


@dataclass(frozen=True)
class KeptMocks:
    """A mock sample that has its noise, as a training asks for it."""

    sample: MockSample
    seed: int
    block: int = 1

    @property
    def meta(self) -> dict:
        """How they were made."""
        return self.sample.meta

    def rows_of(self, split: str) -> np.ndarray:
        """Numbers of the mocks of a split."""
        return np.flatnonzero(self.sample.labels["split"] == split)

    def take(self, rows: np.ndarray, draw: int = 0) -> MockSample:
        """Some of the mocks; with another draw than 0 under new noise."""
        found = self._rows(rows)
        # The first row tells the pieces of an epoch apart.
        return found.with_new_noise((self.seed, draw, int(rows[0]))) if draw else found

    def distinct_seds(self, rows: np.ndarray) -> np.ndarray:
        """SEDs without noise of some mocks, each once."""
        labels = self.sample.labels.iloc[rows]
        firsts = ~labels.duplicated(["ssp", "ebv", "redshift"]).to_numpy()
        return self._rows(rows[firsts]).noise_free

    def label_range(self, name: str) -> tuple[float, float]:
        """Least and greatest value of a parameter."""
        return float(self.sample.labels[name].min()), float(self.sample.labels[name].max())

    def _rows(self, rows: np.ndarray) -> MockSample:
        sample = self.sample
        labels = sample.labels.iloc[rows].reset_index(drop=True)
        return MockSample(sample.flux[rows], sample.flux_err[rows], labels, sample.meta)


def templates(mocks: Mocks, rows: np.ndarray, seed: int) -> np.ndarray:
    """Noise-free SEDs of mocks, each once, at most N_TEMPLATES of them.

    Raises
    ------
    InputError
        If none of them has all bands.
    """
    distinct = mocks.distinct_seds(rows)
    distinct = distinct[np.isfinite(distinct).all(axis=1)]
    if not len(distinct):
        raise InputError(
            "No mock to train on has all 57 bands; add a library that covers them, such as bc03."
        )
    chosen = np.random.default_rng(seed).permutation(len(distinct))[:N_TEMPLATES]
    return distinct[np.sort(chosen)]


@dataclass(frozen=True)
class Piece:
    """Some mocks, scaled, on the device of the training.

    Attributes
    ----------
    x : Tensor, shape (n, 57)
    y : Tensor, shape (n, 3)
    weight : Tensor, shape (n,)
    """

    x: Tensor
    y: Tensor
    weight: Tensor

    def batches(self, size: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Cut into batches, the last of which may be smaller."""
        return zip(self.x.split(size), self.y.split(size), self.weight.split(size), strict=True)


@dataclass(frozen=True)
class Pieces:
    """The mocks of one split, a piece at a time.

    Attributes
    ----------
    mocks : Mocks
    rows : ndarray, shape (n,)
        Numbers of the mocks.
    templates : ndarray, shape (n_templates, 57)
        For bands that are missing, which are filled as they are where a model predicts.
    scaling : Scaling
    snr_power, mean_weight : float
        Weights are the median signal-to-noise ratio to this power, over their mean.
    device : torch.device
    """

    mocks: Mocks
    rows: np.ndarray
    templates: np.ndarray
    scaling: Scaling
    snr_power: float
    mean_weight: float
    device: torch.device

    @classmethod
    def of(
        cls,
        mocks: Mocks,
        rows: np.ndarray,
        *,
        seed: int,
        standardise: bool,
        snr_power: float,
        device: torch.device,
    ) -> Self:
        """Take means and variances from as many of the mocks as a piece has."""
        found = templates(mocks, rows, seed)
        # Those that come in blocks are in a random order as they are.
        some = rows if mocks.block > 1 else np.random.default_rng(seed).permutation(rows)
        seen = mocks.take(some[:PIECE])
        scaling = Scaling.identity()
        if standardise:
            scaling = Scaling.standard(_filled(seen.flux, found), seen.parameters)
        weight = float((seen.snr**snr_power).mean())
        return cls(mocks, rows, found, scaling, snr_power, weight, device)

    def __len__(self) -> int:
        """Count the mocks."""
        return len(self.rows)

    def shuffled(self, batch: int, generator: torch.Generator, draw: int = 0) -> Iterator[Piece]:
        """All mocks in a new order, in pieces of whole batches.

        Where mocks are asked for in blocks, the blocks are put into a new order, and then the
        mocks of each piece, which come from some 256 blocks.
        """
        order = _permutation(len(self.rows), generator)
        if self.mocks.block > 1:
            block = np.unique(self.rows // self.mocks.block, return_inverse=True)[1]
            rank = _permutation(int(block[-1]) + 1, generator)
            order = np.argsort(rank[block], kind="stable")
        size = batch * max(1, PIECE // batch)
        for rows in np.split(self.rows[order], range(size, len(order), size)):
            if self.mocks.block > 1:
                rows = rows[_permutation(len(rows), generator)]
            yield self._piece(rows, draw)

    def in_order(self) -> Iterator[Piece]:
        """All mocks as they come."""
        for rows in np.split(self.rows, range(AT_ONCE, len(self.rows), AT_ONCE)):
            yield self._piece(rows, 0)

    def _piece(self, rows: np.ndarray, draw: int) -> Piece:
        sample, scaling = self.mocks.take(rows, draw), self.scaling
        x = (_filled(sample.flux, self.templates) - scaling.flux_mean) / scaling.flux_std
        y = (sample.parameters - scaling.label_mean) / scaling.label_std
        weight = sample.snr**self.snr_power / self.mean_weight
        tensors = (torch.from_numpy(array.astype(np.float32)) for array in (x, y, weight))
        return Piece(*(tensor.to(self.device) for tensor in tensors))


def _permutation(n: int, generator: torch.Generator) -> np.ndarray:
    return torch.randperm(n, generator=generator).numpy()


def _filled(flux: np.ndarray, templates: np.ndarray) -> np.ndarray:
    if np.isfinite(flux).all():
        return flux
    return complete(flux, templates)[0].astype(np.float32)
