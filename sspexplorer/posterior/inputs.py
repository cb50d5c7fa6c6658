"""What a posterior network is told about a galaxy: fluxes, how noisy each is, and its redshift.

The network is told which bands are there, and never a value in the place of one that is not. It
is told the noise relative to the flux, not in flux units: the noise of mocks is proportional to
their noise-free flux (Sect. 2.2 of the paper), so that flux and error together would give the
noise away.
"""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.photometry import MAX_REDSHIFT

# A network that has met nothing else answers for galaxies with fewer bands.
GAPPY_BANDS = 40
_OF_BANDS = 3 * N_BANDS  # for each band flux, noise and presence
# Inputs that tell whether the redshift is known, the redshift, and its error.
REDSHIFT_INPUTS = (_OF_BANDS, _OF_BANDS + 1, _OF_BANDS + 2)
# Flux over the median below which the scale of an input turns from logarithmic to linear.
_SOFTENING = 0.05
# Relative errors are told between these: beyond them they make no difference.
_NOISE_RANGE = (3e-3, 3.0)
# From this signal-to-noise ratio up, a band's own flux is what its error is compared to.
_BRIGHT = 5.0
_SMOOTHING = 400.0  # Å; below it, the flux smoothed over so much
# Waves in ln(1 + z) that tell where lines and breaks fall among the bands, which are 0.02 apart.
_WAVES = (0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
_LEAST_REDSHIFT_ERR = 1e-4  # that of catalogues that give none


@dataclass(frozen=True)
class Reach:
    """Redshifts that a network has met, and how it is told of them.

    Attributes
    ----------
    highest : float
    """

    highest: float = MAX_REDSHIFT

    @property
    def far(self) -> bool:
        """Whether lines wander through many bands."""
        return self.highest > MAX_REDSHIFT

    @property
    def n_inputs(self) -> int:
        """Of a network: what it is told of the bands and of the redshift."""
        return _OF_BANDS + 3 + (2 * len(_WAVES) if self.far else 0)

    @property
    def errors(self) -> tuple[float, float]:
        """Least and greatest error of a redshift, over 1 + z where the network reaches far."""
        return _LEAST_REDSHIFT_ERR, 0.05 if self.far else 0.03

    def too_uncertain(self, redshift: np.ndarray, error: np.ndarray) -> np.ndarray:
        """Which redshifts are known worse than any in training; unknown errors are good ones."""
        stretch = 1 + np.clip(redshift, 0, None) if self.far else 1.0
        with np.errstate(invalid="ignore"):
            return error > self.errors[1] * stretch

    def told(self, redshift: Tensor, error: Tensor) -> Tensor:
        """Inputs for redshifts (n,) with their σ, NaN where unknown: of order one, 0 if unknown."""
        known = torch.isfinite(redshift)
        z = torch.where(known, redshift, 0.0)
        stretch = 1 + z.clamp_min(0) if self.far else torch.ones_like(z)
        low, high = self.errors
        error = torch.where(known, error / stretch, low).clamp(low, high)
        value = z / self.highest - 0.5
        columns = [known.float(), value * known, (torch.log10(error) + 3) * known]
        if self.far:
            for wave in _WAVES:
                turn = 2 * math.pi / wave
                # A wave that the error smears out says nothing.
                clear = torch.exp(-0.5 * (turn * error).square()) * known
                phase = turn * torch.log1p(z.clamp_min(-0.5))
                columns += [torch.sin(phase) * clear, torch.cos(phase) * clear]
        return torch.stack(columns, dim=1)


NEAR = Reach()


@cache
def _kernel() -> Tensor:
    pivot = torch.tensor(load_bands().pivot)
    distance = (pivot[:, None] - pivot[None, :]) / _SMOOTHING
    return torch.exp(-0.5 * distance.square()).float()


def level(flux: Tensor, present: Tensor) -> Tensor:
    """Median flux of the bands that are there, shape (n, 1)."""
    return torch.where(present, flux, torch.nan).nanmedian(dim=1, keepdim=True).values


def relative_noise(flux: Tensor, error: Tensor, present: Tensor) -> Tensor:
    """σ_F/F of each band, from noisy fluxes: shape (n, 57).

    A band that is faint against its error is compared with the flux of its surroundings, as its
    own says little of how bright the galaxy is there.

    Parameters
    ----------
    flux, error : Tensor, shape (n, 57)
        F_ν and its σ on one scale; any number where a band is missing.
    present : Tensor of bool, shape (n, 57)
    """
    there = present.float()
    known = torch.where(present, flux, 0.0)
    smooth = (known @ _kernel()) / (there @ _kernel()).clamp_min(1e-6)
    bright = torch.where(flux > _BRIGHT * error, flux, smooth)
    low, high = _NOISE_RANGE
    return (error / bright.clamp_min(1e-9)).clamp(low, high)


def encode(
    flux: Tensor,
    noise: Tensor,
    present: Tensor,
    redshift: Tensor,
    redshift_err: Tensor,
    reach: Reach,
) -> Tensor:
    """Inputs of the network.

    Parameters
    ----------
    flux : Tensor, shape (n, 57)
        F_ν over the median of the bands that are there; any number where one is missing.
    noise : Tensor, shape (n, 57)
        σ_F/F, see :func:`relative_noise`.
    present : Tensor of bool, shape (n, 57)
    redshift, redshift_err : Tensor, shape (n,)
        Redshift and its σ; NaN where the redshift is unknown.
    reach : Reach

    Returns
    -------
    Tensor, shape (n, reach.n_inputs)
        All of order one. A missing band or redshift is 0 and marked as missing.
    """
    there = present.float()
    brightness = torch.asinh(flux / _SOFTENING) - math.asinh(1 / _SOFTENING)
    low, high = _NOISE_RANGE
    loudness = torch.log10(noise.clamp(low, high)) + 1
    bands = [torch.where(present, brightness, 0.0), loudness * there, there - 0.9]
    return torch.cat([*bands, reach.told(redshift, redshift_err)], dim=1)


def without_redshift(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows of the inputs tell a redshift, (n,), and those rows as if they told none."""
    known = inputs[:, _OF_BANDS] > 0
    hidden = inputs[known]
    hidden[:, _OF_BANDS:] = 0.0
    return known, hidden
