r"""Mixtures of Gaussians as the joint posterior of a few parameters.

A parameter y between the bounds a and b of its prior is taken to u = Φ⁻¹((y − a)/(b − a)), with Φ
the cumulative normal distribution: where the prior is even, u is normal, and no probability lies
outside the bounds. In u the density is a mixture of K Gaussians (Bishop 1994),

    p(u) = Σ_k w_k N(u; m_k, L_k L_kᵀ),

of which every margin is known in closed form: quantiles and moments need no samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.special import ndtr, ndtri
from torch import Tensor, nn

from sspexplorer.posterior import margins

# A bound itself is at infinity in u; this far inside it, relative to the range.
_INSIDE = 1e-4
# No component is narrower than this in u, where the prior has unit width.
_LEAST_WIDTH = 3e-3
# Nodes that means over a Gaussian are taken at, and their weights.
_NODES, _NODE_WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_NODE_WEIGHTS = _NODE_WEIGHTS / _NODE_WEIGHTS.sum()


@dataclass(frozen=True)
class Bounds:
    """Where the prior of some parameters lies.

    Attributes
    ----------
    names : tuple of str
    low, high : tuple of float
        In the units of each parameter.
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def to_normal(self, values: np.ndarray) -> np.ndarray:
        """Take y to u, shape (..., n_parameters); values outside the bounds go just inside."""
        low, high = np.array(self.low), np.array(self.high)
        return ndtri(np.clip((values - low) / (high - low), _INSIDE, 1 - _INSIDE))

    def from_normal(self, u: np.ndarray) -> np.ndarray:
        """Take u back to y, shape (..., n_parameters)."""
        low, high = np.array(self.low), np.array(self.high)
        return low + (high - low) * ndtr(u)


class MixtureHead(nn.Module):
    """Layer from features to a mixture of Gaussians.

    Parameters
    ----------
    width : int
        Number of features.
    n_parameters, n_components : int
        Dimensions of u, and K.

    Examples
    --------
    >>> head = MixtureHead(8, n_parameters=3, n_components=4)
    >>> mixture = head(torch.zeros(5, 8))
    >>> mixture.log_prob(torch.zeros(5, 3)).shape
    torch.Size([5])
    """

    def __init__(self, width: int, n_parameters: int, n_components: int) -> None:
        super().__init__()
        self.shape = (n_components, n_parameters)
        n_below = n_parameters * (n_parameters - 1) // 2
        self.layer = nn.Linear(width, n_components * (1 + 2 * n_parameters + n_below))
        self._spread()

    def reset(self) -> None:
        """Begin anew."""
        self.layer.reset_parameters()
        self._spread()

    @torch.no_grad()
    def _spread(self) -> None:
        k, d = self.shape
        self.layer.weight.mul_(0.1)
        # Components begin apart, or they would stay together.
        means = self.layer.bias[k : k * (1 + d)]
        means.copy_(torch.randn(len(means)) * 0.7)

    def forward(self, features: Tensor) -> "MixtureTensors":
        """Mixture for features of shape (n, width)."""
        k, d = self.shape
        logits, means, widths, below = self.layer(features).split(
            [k, k * d, k * d, k * d * (d - 1) // 2], dim=1
        )
        n = len(features)
        widths = nn.functional.softplus(widths.view(n, k, d) - 0.5) + _LEAST_WIDTH
        return MixtureTensors(
            torch.log_softmax(logits, dim=1),
            means.view(n, k, d),
            widths,
            below.view(n, k, d * (d - 1) // 2),
        )


@dataclass(frozen=True)
class MixtureTensors:
    """A mixture for each of n galaxies, as tensors.

    L_k = diag(widths) (1 + strictly lower triangle).

    Attributes
    ----------
    log_weights : Tensor, shape (n, K)
    means, widths : Tensor, shape (n, K, d)
    below : Tensor, shape (n, K, d (d − 1)/2)
    """

    log_weights: Tensor
    means: Tensor
    widths: Tensor
    below: Tensor

    def log_prob(self, u: Tensor) -> Tensor:
        """Log density at u (n, d), shape (n,)."""
        offset = (u[:, None, :] - self.means) / self.widths
        d = offset.shape[-1]
        # Solve (1 + lower triangle) z = offset from the first row down.
        z: list[Tensor] = []
        for row in range(d):
            value = offset[..., row]
            for column in range(row):
                value = value - self.below[..., row * (row - 1) // 2 + column] * z[column]
            z.append(value)
        square = sum(value.square() for value in z)
        log_norm = torch.log(self.widths).sum(-1) + 0.5 * d * math.log(2 * math.pi)
        return torch.logsumexp(self.log_weights - 0.5 * square - log_norm, dim=1)

    def mixture(self, bounds: Bounds) -> "Mixture":
        """The same as arrays."""
        n, k, d = self.means.shape
        factor = torch.zeros(n, k, d, d)
        factor.diagonal(dim1=2, dim2=3).copy_(self.widths)
        for index, (row, column) in enumerate(zip(*np.tril_indices(d, -1), strict=True)):
            torch.mul(self.below[..., index], self.widths[..., row], out=factor[..., row, column])
        weights = torch.exp(self.log_weights)
        return Mixture(bounds, *(t.numpy() for t in (weights, self.means, factor)))


@dataclass(frozen=True)
class Mixture:
    """Joint posterior of some parameters for each of n galaxies.

    Attributes
    ----------
    bounds : Bounds
        Names and ranges of the d parameters.
    weights : ndarray, shape (n, K)
    means : ndarray, shape (n, K, d)
        In u, see the module.
    factors : ndarray, shape (n, K, d, d)
        Lower triangular L, of the covariance L Lᵀ in u.
    """

    bounds: Bounds
    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.weights)

    def rows(self, index) -> "Mixture":
        """Mixtures of only some galaxies."""
        return Mixture(self.bounds, self.weights[index], self.means[index], self.factors[index])

    @cached_property
    def _spreads(self) -> np.ndarray:
        return np.sqrt(np.square(self.factors).sum(-1))

    def cdf(self, values: np.ndarray) -> np.ndarray:
        """Probability of each parameter to be less than ``values`` (…, n, d), of that shape."""
        u = torch.from_numpy(self.bounds.to_normal(values).astype(np.float32))
        weights, means, spreads = self._tensors("weights", "means", "_spreads")
        z = (u[..., None, :] - means) / spreads
        return (torch.special.ndtr(z) * weights[..., None]).sum(dim=-2).double().numpy()

    def quantiles(self, probabilities: Sequence[float]) -> np.ndarray:
        """Quantiles of each parameter in its unit, shape (n, d, n_probabilities)."""
        weights, means, spreads = self._tensors("weights", "means", "_spreads")
        with torch.inference_mode():
            u = margins.quantiles(weights, means, spreads, probabilities)
        return self.bounds.from_normal(u.mT.numpy()).swapaxes(1, 2)

    def power_moments(self, parameter: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of 10^(y − shift), y being one of the parameters; (n,) each.

        Each Gaussian is summed over by Gauss and Hermite.
        """
        weights, means, spreads = self._tensors("weights", "means", "_spreads")
        low, high = self.bounds.low[parameter], self.bounds.high[parameter]
        first, second = torch.zeros(len(weights)), torch.zeros(len(weights))
        with torch.inference_mode():
            mean, spread = means[..., parameter], spreads[..., parameter]
            for node, share in zip(_NODES, _NODE_WEIGHTS, strict=True):
                y = (
                    torch.special.ndtr(mean + float(node) * spread)
                    .mul_(high - low)
                    .add_(low - shift)
                )
                value = torch.pow(10.0, y)
                first += float(share) * (weights * value).sum(dim=1)
                second += float(share) * (weights * value.square_()).sum(dim=1)
        variance = (second.double() - first.double().square()).clamp_min(0)
        return first.double().numpy(), variance.sqrt().numpy()

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean (n, d) and covariance (n, d, d) in the units of the parameters."""
        weights, means, factors = self._tensors("weights", "means", "factors")
        with torch.inference_mode():
            found = margins.moments(weights, means, factors)
        mean, covariance = (one.double().numpy() for one in found)
        low, high = np.array(self.bounds.low), np.array(self.bounds.high)
        scale = high - low
        return low + scale * mean, covariance * scale[:, None] * scale

    def _tensors(self, *names: str) -> list[Tensor]:
        arrays = (np.asarray(getattr(self, name), dtype=np.float32) for name in names)
        return [torch.from_numpy(array) for array in arrays]

    def sample(self, n_draws: int, seed: int = 0) -> np.ndarray:
        """Draws from each posterior in the units of the parameters, shape (n, n_draws, d)."""
        rng = np.random.default_rng(seed)
        n, _, d = self.means.shape
        uniform = rng.uniform(size=(n, n_draws))
        return self.placed(uniform, rng.standard_normal((n, n_draws, d)))

    def placed(self, uniform: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Draws that random numbers stand for, in the units of the parameters.

        Parameters
        ----------
        uniform : ndarray, shape (n, n_draws)
            Even from 0 to 1: which of the components each draw is of.
        normal : ndarray, shape (n, n_draws, d)
            Normal: where in its component it is.
        """
        which = (uniform[..., None] > self.weights.cumsum(axis=1)[:, None, :-1]).sum(axis=-1)
        rows = np.arange(len(uniform))[:, None]
        u = self.means[rows, which]
        u = u + np.einsum("nsij,nsj->nsi", self.factors[rows, which], normal)
        return self.bounds.from_normal(u)
