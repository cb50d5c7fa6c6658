"""The networks of the paper, and the model made of three of them.

Domínguez Sánchez et al. (2026), Sect. 3: multilayer perceptrons with ReLU that take the 57 fluxes
to one parameter, one network for each parameter. The three are evaluated together as one stack
of matrix products, and share nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sspexplorer import artifact
from sspexplorer.bands import BAND_NAMES, N_BANDS
from sspexplorer.errors import InputError
from sspexplorer.gaps import complete
from sspexplorer.mocks import PARAMETERS

# Layer widths of Sect. 3: 172 289 and 497 925 free parameters for one network.
NETWORKS: dict[str, tuple[int, ...]] = {
    "base": (N_BANDS, 128, 256, 256, 256, 1),
    "sed": (N_BANDS, 128, 300, 300, 300, 300, 300, 300, 1),
}


class StackedMLP(nn.Module):
    """Independent multilayer perceptrons of one shape, evaluated side by side.

    Layer l of network k computes x ← relu(x W[l][k] + b[l][k]), the last layer without relu. No
    weight takes part in more than one network, so that the gradient of a sum of their losses is
    the gradient of each, and an optimiser that works weight by weight (Adam) trains them as if
    they were alone.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden layers, outputs of one network.
    n_networks : int
        How many networks.
    dropout : float
        Fraction of hidden units dropped in training.

    Examples
    --------
    >>> stack = StackedMLP(NETWORKS["base"])
    >>> stack(torch.zeros(8, 57)).shape
    torch.Size([8, 3])
    """

    def __init__(
        self, widths: Sequence[int], n_networks: int = len(PARAMETERS), dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for fan_in, fan_out in pairwise(widths):
            bound = 1 / math.sqrt(fan_in)
            weight = torch.empty(n_networks, fan_in, fan_out).uniform_(-bound, bound)
            bias = torch.empty(n_networks, 1, fan_out).uniform_(-bound, bound)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(bias))

    @property
    def parameters_per_network(self) -> int:
        """Number of free parameters of one of the networks."""
        return sum(p[0].numel() for p in self.parameters())

    def forward(self, x: Tensor) -> Tensor:
        """Outputs, shape (n, n_networks), for inputs of shape (n, n_inputs)."""
        x = x.expand(len(self.weights[0]), -1, -1)
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = torch.relu(x)
                if self.dropout:
                    x = nn.functional.dropout(x, self.dropout, self.training)
        return x.squeeze(-1).T


@dataclass(frozen=True)
class Scaling:
    """Affine scalings around the networks.

    Attributes
    ----------
    flux_mean, flux_std : ndarray, shape (57,), float32
        Inputs are (flux / median − flux_mean) / flux_std.
    label_mean, label_std : ndarray, shape (3,), float32
        Predictions are output · label_std + label_mean.
    """

    flux_mean: np.ndarray
    flux_std: np.ndarray
    label_mean: np.ndarray
    label_std: np.ndarray

    @classmethod
    def identity(cls) -> "Scaling":
        """No scaling, as in the paper: medians of one, and labels as they are."""
        bands, labels = np.zeros(N_BANDS, np.float32), np.zeros(len(PARAMETERS), np.float32)
        return cls(bands, bands + 1, labels, labels + 1)

    @classmethod
    def standard(cls, flux: np.ndarray, labels: np.ndarray) -> "Scaling":
        """Zero mean and unit variance over a training sample."""
        statistics = (flux.mean(0), flux.std(0), labels.mean(0), labels.std(0))
        return cls(*(np.asarray(value, np.float32) for value in statistics))


_SCALING_FIELDS = tuple(Scaling.__dataclass_fields__)


@dataclass(frozen=True)
class Model:
    """Trained networks with their scaling and card.

    Attributes
    ----------
    network : StackedMLP
        In evaluation mode; never changed.
    scaling : Scaling
    templates : ndarray, shape (n_templates, 57), float32
        Noise-free SEDs of the training sample, F_ν over its median: what galaxies may look like
        in bands where they were not observed.
    card : dict
        What the model is: recipe, data, seeds, loss history, metrics, versions.
    """

    network: StackedMLP
    scaling: Scaling
    templates: np.ndarray
    card: dict

    def predict(self, flux: np.ndarray) -> np.ndarray:
        """Predict log_age (log10 yr), metallicity (dex) and ebv (mag).

        Parameters
        ----------
        flux : ndarray, shape (n, 57)
            F_ν on any positive scale; each row is divided by its median. Bands that are NaN are
            filled, see :func:`sspexplorer.gaps.complete`.

        Returns
        -------
        ndarray, shape (n, 3), float64
            NaN for rows with too few bands.
        """
        if np.isnan(flux).any():
            flux = complete(flux, self.templates)[0]
        median = np.median(flux, axis=1, keepdims=True)
        relative = np.asarray(flux / median, dtype=np.float32)
        x = torch.from_numpy((relative - self.scaling.flux_mean) / self.scaling.flux_std)
        with torch.inference_mode():
            output = self.network(x).numpy()
        return (output * self.scaling.label_std + self.scaling.label_mean).astype(float)

    def save(self, folder: Path, *, small: bool = False) -> None:
        """Write ``weights.safetensors`` and ``card.json`` into ``folder``, made if missing.

        Parameters
        ----------
        folder : Path
        small : bool
            Round weights to 16 bits, which changes answers by some 1e-4 dex.

        Raises
        ------
        InputError
            If the folder cannot be written.
        """
        arrays = {name: value.numpy() for name, value in self.network.state_dict().items()}
        if small:
            arrays = {name: array.astype(np.float16) for name, array in arrays.items()}
        arrays |= {f"scaling.{field}": getattr(self.scaling, field) for field in _SCALING_FIELDS}
        artifact.save(folder, arrays | {"templates": self.templates}, self.card)

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Read a model written by :meth:`save`.

        Raises
        ------
        InputError
            If the folder is not such a model.
        """
        arrays, card = artifact.load(folder)
        with artifact.readable(folder):
            if tuple(card["bands"]) != BAND_NAMES or card["network"] not in NETWORKS:
                raise InputError(f"{folder} holds a model for other bands or another network.")
            scaling = Scaling(*(arrays.pop(f"scaling.{field}") for field in _SCALING_FIELDS))
            templates = arrays.pop("templates")
            network = StackedMLP(NETWORKS[card["network"]])
            network.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()})
        network.eval().requires_grad_(False)
        return cls(network, scaling, templates, card)
