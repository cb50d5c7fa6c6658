"""Of many noise-free SEDs those that are closest to noisy ones, and the mixture of them.

An SED t alone takes (Σ w f t)² / Σ w t² off the χ² of fluxes f with inverse variances w, at its
best amplitude: the SEDs that take most are the closest. They are sorted into blocks of a tree, so
that a quick search looks only into the blocks whose mean SEDs take most.
"""

from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

_LEAF, _LINE = 80, 16  # SEDs of a block, at most; and what their number is a multiple of
_SOFTENING = 0.3  # of the flux over its median, where the scale of the tree turns linear
_POWERS = 12  # of a covariance, whose largest axis is wanted roughly
_SAMPLE = 128  # SEDs of a node that its axis is found from
_AT_ONCE = 2560  # SEDs, so that what is in work stays in the cache
_ROWS = 128  # searched at a time, where all SEDs are
_PROBES = 2**16  # of blocks at a time, where only some are
_STRETCH = 64
_SOLVED = 2048  # systems of equations at a time
_TINY = 1e-30


@dataclass(frozen=True, eq=False)
class ClosestSEDs:
    """SEDs to search.

    Attributes
    ----------
    seds : Tensor, shape (n_seds, n_bands), float32
        Noise-free, on any scale.
    """

    seds: Tensor

    @cached_property
    def _columns(self) -> tuple[Tensor, Tensor]:
        """SEDs and their squares, shape (n_bands, n_seds)."""
        columns = self.seds.T.contiguous()
        return columns, columns.square()

    @cached_property
    def _blocks(self) -> Tensor:
        """SEDs by block, shape (n_blocks, at most 80); those that look alike are in one.

        Each block is cut in two at the median along its longest axis.
        """
        n = len(self.seds)
        levels = max(0, int(np.ceil(np.log2(n / _LEAF))))
        # Blocks are of one size, and fill whole lines of the cache: some SEDs are in two.
        size = -(-n // (2**levels * _LINE)) * 2**levels * _LINE
        blocks = (torch.arange(size) % n)[None]
        shape = torch.asinh(self.seds / _SOFTENING)
        for _ in range(levels):
            shapes = shape[blocks]
            axis = _longest_axis(shapes[:, :: max(1, shapes.shape[1] // _SAMPLE)])
            order = (shapes @ axis)[..., 0].argsort(dim=1)
            blocks = blocks.gather(1, order).view(2 * len(blocks), -1)
        return blocks

    @cached_property
    def _centres(self) -> tuple[Tensor, Tensor]:
        """Mean SED of each block, and its square, shape (n_bands, n_blocks)."""
        centres = self.seds[self._blocks].mean(dim=1).T.contiguous()
        return centres, centres.square()

    @cached_property
    def _members(self) -> tuple[np.ndarray, np.ndarray]:
        """SEDs of each block, and their squares, shape (n_blocks, n_bands, n_members)."""
        members = self.seds[self._blocks].transpose(1, 2).contiguous().numpy()
        return members, np.square(members)

    def nearest(self, flux: Tensor, weight: Tensor, n: int, probes: int | None = None) -> Tensor:
        """Indices of the ``n`` closest SEDs, the closest first, shape (n_rows, n).

        Parameters
        ----------
        flux, weight : Tensor, shape (n_rows, n_bands), float32
            Fluxes and their inverse variances; 0 where a band is missing.
        n : int
        probes : int, optional
            Look only into so many blocks, those whose mean SEDs are closest; by default into all.
        """
        weighted = weight * flux
        if probes is None or probes >= len(self._blocks):
            # Memory that is asked for again and again costs as much as what is done in it.
            gain = torch.empty(min(_ROWS, len(flux)), len(self.seds))
            size, search = _ROWS, partial(self._of_all, gain=gain)
        else:
            size, search = -(-_PROBES // probes), partial(self._in_blocks, probes=probes)
        parts = zip(weighted.split(size), weight.split(size), strict=True)
        return torch.cat([search(*part, n=n) for part in parts])

    def nearest_of(self, among: Tensor, flux: Tensor, weight: Tensor, n: int) -> Tensor:
        """As :meth:`nearest`, of those SEDs of each row that are ``among`` (n_rows, n_among)."""
        found = []
        parts = (a.split(_ROWS) for a in (among, weight * flux, weight))
        for indices, weighted, inverse in zip(*parts, strict=True):
            seds = self.seds[indices]
            cross, norm = seds @ weighted[..., None], seds.square() @ inverse[..., None]
            best = _gain_of(cross[..., 0], norm[..., 0]).topk(n, dim=1).indices
            found.append(indices.gather(1, best))
        return torch.cat(found)

    def _of_all(self, weighted: Tensor, weight: Tensor, n: int, gain: Tensor) -> Tensor:
        seds, squares = self._columns
        gain = gain[: len(weight)]
        for start in range(0, len(self.seds), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            _gain(weighted, weight, seds[:, part], squares[:, part], out=gain[:, part])
        return _largest(gain, n)

    def _in_blocks(self, weighted: Tensor, weight: Tensor, n: int, probes: int) -> Tensor:
        blocks, n_rows = self._blocks, len(weight)
        probed = _gain(weighted, weight, *self._centres).topk(probes, dim=1, sorted=False).indices
        # The rows that ask for a block are served together: two matrix products for each block.
        asked, order = probed.view(-1).sort()
        weighted, weight = weighted[order // probes], weight[order // probes]
        cross, norm = torch.empty(2, len(order), blocks.shape[1])
        # For matrices as small as these, numpy is quicker than torch.
        given = [a.numpy() for a in (weighted, weight, cross, norm)]
        ends = torch.bincount(asked, minlength=len(blocks)).cumsum(0).tolist()
        start = 0
        for end, members, squares in zip(ends, *self._members, strict=True):
            if end > start:
                flux, inverse, *sums = (a[start:end] for a in given)
                np.matmul(flux, members, out=sums[0])
                np.matmul(inverse, squares, out=sums[1])
                start = end
        gain = torch.empty_like(cross)
        gain[order] = _gain_of(cross, norm)
        best = _largest(gain.view(n_rows, -1), n)
        block = probed.gather(1, best // blocks.shape[1])
        return blocks[block, best % blocks.shape[1]]


def _longest_axis(shapes: Tensor) -> Tensor:
    """Axis of greatest variance of each node, roughly: (n, m, n_bands) to (n, n_bands, 1)."""
    offset = shapes - shapes.mean(dim=1, keepdim=True)
    covariance = offset.transpose(1, 2) @ offset
    n_bands = shapes.shape[2]
    # Not even in all bands, or it could be at right angles to a change of colour.
    axis = torch.linspace(0.5, 1.5, n_bands).expand(len(shapes), n_bands)[..., None]
    for _ in range(_POWERS):
        axis = covariance @ axis
        axis = axis / axis.norm(dim=1, keepdim=True).clamp_min(_TINY)
    return axis


def _gain(
    weighted: Tensor, weight: Tensor, seds: Tensor, squares: Tensor, out: Tensor | None = None
) -> Tensor:
    return _gain_of(weighted @ seds, weight @ squares, out)


def _gain_of(cross: Tensor, norm: Tensor, out: Tensor | None = None) -> Tensor:
    """What SEDs take off χ²; none has a negative amplitude. Both arrays are made use of."""
    cross.clamp_(min=0).square_()
    return torch.div(cross, norm.clamp_(min=_TINY), out=cross if out is None else out)


def _largest(values: Tensor, n: int) -> Tensor:
    """Indices of the ``n`` largest of each row, the largest first.

    They lie in the ``n`` stretches whose largest values are the largest.
    """
    rows, size = values.shape
    n_stretches = size // _STRETCH
    if n_stretches <= 2 * n:
        return values.topk(n, dim=1).indices
    whole = n_stretches * _STRETCH
    highest = values[:, :whole].view(rows, n_stretches, _STRETCH).amax(dim=2)
    first = highest.topk(n, dim=1, sorted=False).indices
    places = (first[..., None] * _STRETCH + torch.arange(_STRETCH)).view(rows, -1)
    places = torch.cat([places, torch.arange(whole, size).expand(rows, -1)], dim=1)
    return places.gather(1, values.gather(1, places).topk(n, dim=1).indices)


def non_negative(
    gram: np.ndarray, target: np.ndarray, n_sweeps: int, relaxation: float = 1.0
) -> np.ndarray:
    """Non-negative least squares from normal equations, many at once.

    Coordinate descent: each amplitude in turn is set to its best value given the others, not
    below zero (Franc et al. 2005), or is moved further by a factor, which takes fewer sweeps
    (successive over-relaxation, Cryer 1971).

    Parameters
    ----------
    gram : ndarray, shape (n, k, k)
    target : ndarray, shape (n, k)
    n_sweeps : int
    relaxation : float
        From 1 to 2.

    Returns
    -------
    ndarray, shape (n, k)
    """
    found = np.empty_like(target)
    for start in range(0, len(target), _SOLVED):
        part = slice(start, start + _SOLVED)
        found[part] = _non_negative(gram[part], target[part], n_sweeps, relaxation)
    return found


def _non_negative(
    gram: np.ndarray, target: np.ndarray, n_sweeps: int, relaxation: float
) -> np.ndarray:
    # Amplitudes in units in which each SED alone weighs 1; rows last, side by side in memory.
    diagonal = np.einsum("nkk->nk", gram)
    unit = 1 / np.sqrt(np.maximum(diagonal, _TINY))
    scaled = gram * unit[:, :, None]
    scaled *= unit[:, None, :]
    np.einsum("nkk->nk", scaled)[:] = 0.0
    coupling = np.ascontiguousarray(scaled.transpose(1, 2, 0))
    best = np.ascontiguousarray((target * unit).T)  # of each amplitude, given the others
    x, moved, value = np.zeros_like(best), np.empty_like(best), np.empty_like(best[0])
    rows = list(zip(coupling, best, x, strict=True))
    for _ in range(n_sweeps):
        for row, aim, old in rows:
            if relaxation == 1.0:
                np.maximum(aim, 0, out=value)
            else:
                np.subtract(aim, old, out=value)
                np.multiply(value, relaxation, out=value)
                np.add(value, old, out=value)
                np.maximum(value, 0, out=value)
            np.subtract(value, old, out=old)
            np.multiply(row, old, out=moved)
            np.subtract(best, moved, out=best)
            old[:] = value
    return x.T * unit
