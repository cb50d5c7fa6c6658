r"""Quantiles and moments of mixtures of Gaussians in u, of many galaxies at once.

A parameter is Φ(u) between its bounds, see :mod:`.density`. Under one Gaussian of mean m and
covariance C the mean of Φ(u_i) is Φ(h_i), with h_i = m_i/√(1 + C_ii), and Φ(u_i) and Φ(u_j) are the
probabilities that two normal numbers of correlation ρ = C_ij/√((1 + C_ii)(1 + C_jj)) are below h_i
and h_j. What they have in common is (Plackett 1954, Biometrika 41, 351; Genz 2004, Statistics and
Computing 14, 251)

    cov(Φ(u_i), Φ(u_j)) = 1/2π ∫_0^ρ exp(−(h_i² − 2 r h_i h_j + h_j²)/(2 (1 − r²))) (1 − r²)^−½ dr.

All is computed in 32 bits, with the galaxies last, so that they lie side by side in memory.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_ROWS = 2048  # at a time, so that what is in work stays in the cache
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(3)
_COMMON_STEPS = 3  # of Newton's, before those that have arrived are left alone
_MOST_STEPS = 60
# A step in u, where the prior has unit width, that ends the search: what is left is its square.
_ARRIVED = 2e-4
# A step that is not shorter than the last by this factor gives way to halving.
_SHORTER = 0.8
# Density relative to the prior's, below which Newton's step is not to be trusted.
_TINY = 1e-20


def quantiles(weights: Tensor, means: Tensor, spreads: Tensor, levels: Sequence[float]) -> Tensor:
    """Quantiles of each parameter in u.

    Newton's method for Φ⁻¹(F(u)) = Φ⁻¹(level), which is a straight line for one Gaussian, kept
    between the least and the greatest of the components' own quantiles.

    Parameters
    ----------
    weights : Tensor, shape (n, K)
    means, spreads : Tensor, shape (n, K, d)
    levels : sequence of float

    Returns
    -------
    Tensor, shape (n, d, n_levels)
    """
    n, n_components, d = means.shape
    aim = torch.special.ndtri(torch.tensor(levels, dtype=torch.float64)).float()
    # Galaxies last, but for the levels; a row for each parameter.
    weight = weights.T[:, None].expand(n_components, d, n)
    mean, spread = means.permute(1, 2, 0), spreads.permute(1, 2, 0)
    found, late, states = [], [], []
    for start in range(0, max(n, 1), _ROWS):
        part = slice(start, start + _ROWS)
        margins = _Margins.of(weight[..., part], mean[..., part], spread[..., part])
        search = margins.begin(aim)
        for _ in range(_COMMON_STEPS):
            search = margins.step(search)
        found.append(search.u)
        level, parameter, row = (search.last > _ARRIVED).nonzero(as_tuple=True)
        late.append((level, parameter, row + start))
        states.append((margins.at(parameter, row), search.at(level, parameter, row)))
    u = torch.cat(found, dim=2)
    margins, search = _joined(states)
    u[tuple(map(torch.cat, zip(*late, strict=True)))] = _finish(margins, search)
    return u.permute(2, 1, 0)


@dataclass(frozen=True, eq=False)
class _Search:
    """Quantiles on their way, all of one shape.

    The u that each has under one normal distribution; where it is; between what; its last step.
    """

    aim: Tensor
    u: Tensor
    low: Tensor
    high: Tensor
    last: Tensor

    def at(self, *index: Tensor) -> "_Search":
        return _Search(*(a[index] for a in vars(self).values()))


@dataclass(frozen=True, eq=False)
class _Margins:
    """Margins of mixtures, each of shape (K, …): weights, means, and inverse widths over √2."""

    weight: Tensor
    mean: Tensor
    inverse: Tensor

    @classmethod
    def of(cls, weight: Tensor, mean: Tensor, spread: Tensor) -> "_Margins":
        inverse = math.sqrt(0.5) / spread
        return cls(weight.contiguous(), mean.contiguous(), inverse.contiguous())

    def at(self, *index: Tensor) -> "_Margins":
        return _Margins(*(a[(slice(None), *index)] for a in vars(self).values()))

    def begin(self, aim: Tensor) -> _Search:
        """Where each would be under one Gaussian of the same mean and width."""
        spread = math.sqrt(0.5) / self.inverse
        aim = aim.view(-1, *[1] * (self.mean.dim() - 1))
        own = self.mean[:, None] + aim * spread[:, None]
        low, high = own.amin(dim=0), own.amax(dim=0)
        middle = (self.weight * self.mean).sum(dim=0)
        square = spread.square() + (self.mean - middle).square()
        u = middle + aim * (self.weight * square).sum(dim=0).sqrt()
        whole = torch.full_like(u, torch.inf)
        return _Search(aim.expand(u.shape), u.clamp(low, high), low, high, whole)

    def step(self, search: _Search) -> _Search:
        """Newton's step, or half of the way between the bounds."""
        lead = (slice(None), None) if search.u.dim() == self.mean.dim() else (slice(None),)
        weight, mean, inverse = (a[lead] for a in (self.weight, self.mean, self.inverse))
        u, low, high = search.u, search.low, search.high
        z = (u - mean).mul_(inverse)
        density = z.square().neg_().exp_().mul_(weight * inverse).sum(dim=0)
        below = z.erf_().mul_(weight).sum(dim=0).add_(1).mul_(0.5)
        reached = torch.special.ndtri(below)
        # Of both densities only what differs: 1/√2π is left out.
        slope = math.sqrt(2) * density / (-0.5 * reached.square()).exp_().clamp_(min=_TINY)
        off = search.aim - reached
        low, high = torch.where(off >= 0, u, low), torch.where(off <= 0, u, high)
        step = off / slope
        new = u + step
        # A step that is not a number is in no order to the others.
        short = step.abs() <= (_SHORTER * search.last).clamp(min=_ARRIVED)
        sound = (new >= low) & (new <= high) & short
        new = torch.where(sound, new, (low + high) / 2)
        return _Search(search.aim, new, low, high, (new - u).abs())


def _joined(states: list[tuple[_Margins, _Search]]) -> tuple[_Margins, _Search]:
    margins, searches = zip(*states, strict=True)
    return (
        _Margins(
            *(torch.cat(a, dim=1) for a in zip(*(vars(m).values() for m in margins), strict=True))
        ),
        _Search(*(torch.cat(a) for a in zip(*(vars(s).values() for s in searches), strict=True))),
    )


def _finish(margins: _Margins, search: _Search) -> Tensor:
    """Go on with single quantiles (n,) of mixtures (K, n) until each has arrived."""
    found, going = search.u.clone(), torch.arange(len(search.u))
    for _ in range(_MOST_STEPS):
        if not len(going):
            break
        search = margins.step(search)
        found[going] = search.u
        (on,) = (search.last > _ARRIVED).nonzero(as_tuple=True)
        going, margins, search = going[on], margins.at(on), search.at(on)
    return found


def moments(weights: Tensor, means: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of Φ(u).

    Parameters
    ----------
    weights : Tensor, shape (n, K)
    means : Tensor, shape (n, K, d)
    factors : Tensor, shape (n, K, d, d)
        Lower triangular.

    Returns
    -------
    mean : Tensor, shape (n, d)
    covariance : Tensor, shape (n, d, d)
    """
    parts = zip(weights.split(_ROWS), means.split(_ROWS), factors.split(_ROWS), strict=True)
    found = [_moments(*part) for part in parts]
    mean, covariance = zip(*found, strict=True)
    return torch.cat(mean), torch.cat(covariance)


def _moments(weights: Tensor, means: Tensor, factors: Tensor) -> tuple[Tensor, Tensor]:
    n, _, d = means.shape
    weight = weights.T.contiguous()  # (K, n)
    mean = means.permute(2, 1, 0).contiguous()  # (d, K, n)
    factor = factors.permute(2, 3, 1, 0).contiguous()  # (d, d, K, n)
    both = [
        [(factor[i, : j + 1] * factor[j, : j + 1]).sum(0) for j in range(i + 1)] for i in range(d)
    ]
    widths = [(1 + both[i][i]).rsqrt() for i in range(d)]
    h = [mean[i] * widths[i] for i in range(d)]
    value = [torch.special.ndtr(one) for one in h]
    whole = [(weight * one).sum(dim=0) for one in value]
    apart = [one - middle for one, middle in zip(value, whole, strict=True)]
    covariance = torch.empty(n, d, d)
    for i in range(d):
        for j in range(i + 1):
            correlation = both[i][j] * widths[i] * widths[j]
            within = _common(h[i], h[j], correlation)
            covariance[:, i, j] = (weight * (within + apart[i] * apart[j])).sum(dim=0)
            covariance[:, j, i] = covariance[:, i, j]
    return torch.stack(whole, dim=1), covariance


def _common(h: Tensor, k: Tensor, correlation: Tensor) -> Tensor:
    """The integral of the module's head, by Gauss and Legendre."""
    squares, product = (h.square() + k.square()).mul_(-0.5), h * k
    found = torch.zeros_like(h)
    for node, weight in zip(_NODES, _NODE_WEIGHTS, strict=True):
        r = correlation * float((node + 1) / 2)
        free = 1 / (1 - r.square())
        exponent = torch.addcmul(squares, r, product).mul_(free)
        found.addcmul_(exponent.exp_(), free.sqrt_(), value=float(weight / 2))
    return found.mul_(correlation).mul_(1 / (2 * math.pi))
