"""What a posterior network is told about a galaxy: fluxes, how noisy each is, and its redshift.

The network is told which bands are there, and never a value in the place of one that is not. It
is told the noise relative to the flux, not in flux units: the noise of mocks is proportional to
their noise-free flux (Sect. 2.2 of the paper), so that flux and error together would give the
noise away.
"""

import math
from functools import cache

import torch
from torch import Tensor

from sspexplorer.bands import N_BANDS, load_bands

# A network that has met nothing else answers for galaxies with fewer bands.
GAPPY_BANDS = 40
# For each band flux, noise and presence; for the redshift presence, value and error.
N_INPUTS = 3 * N_BANDS + 3
# Flux over the median below which the scale of an input turns from logarithmic to linear.
_SOFTENING = 0.05
# Relative errors are told between these: beyond them they make no difference.
_NOISE_RANGE = (3e-3, 3.0)
# From this signal-to-noise ratio up, a band's own flux is what its error is compared to.
_BRIGHT = 5.0
_SMOOTHING = 400.0  # Å; below it, the flux smoothed over so much
_REDSHIFT_UNIT = 0.1
# A redshift error is told between these; catalogues that give none get the lesser.
REDSHIFT_ERRORS = (1e-4, 0.03)


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

    Returns
    -------
    Tensor, shape (n, N_INPUTS)
        All of order one. A missing band or redshift is 0 and marked as missing.
    """
    there = present.float()
    brightness = torch.asinh(flux / _SOFTENING) - math.asinh(1 / _SOFTENING)
    low, high = _NOISE_RANGE
    loudness = torch.log10(noise.clamp(low, high)) + 1
    known = torch.isfinite(redshift)
    error = torch.where(known, redshift_err, REDSHIFT_ERRORS[0]).clamp(*REDSHIFT_ERRORS)
    place = torch.stack(
        [
            known.float(),
            torch.where(known, redshift / _REDSHIFT_UNIT - 0.5, 0.0),
            torch.where(known, torch.log10(error) + 3, 0.0),
        ],
        dim=1,
    )
    bands = [torch.where(present, brightness, 0.0), loudness * there, there - 0.9]
    return torch.cat([*bands, place], dim=1)


def without_redshift(inputs: Tensor) -> tuple[Tensor, Tensor]:
    """Which rows of the inputs tell a redshift, (n,), and those rows as if they told none."""
    known = inputs[:, 3 * N_BANDS] > 0
    hidden = inputs[known]
    hidden[:, 3 * N_BANDS :] = 0.0
    return known, hidden
