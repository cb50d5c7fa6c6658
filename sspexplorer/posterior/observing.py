"""How populations are observed in training: noise, bands that are missing, redshifts.

All that a catalogue may do to a galaxy is done here at random, so that the network has met it:
magnitudes from 15.5 to 22.5, deeper and shallower surveys, calibration floors, bands missing
singly, in runs and at both ends, redshifts known well, known badly and unknown. A network for
galaxies with few bands meets nothing but those.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.gaps import LEAST_BANDS, MIN_BANDS
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.inputs import (
    GAPPY_BANDS,
    REDSHIFT_ERRORS,
    encode,
    level,
    relative_noise,
)

MAGNITUDE_RANGE = (15.5, 22.5)
# What an SDSS spectrum leaves out.
SDSS_GONE = ("uJAVA", "J0378", "J0910", "J1007", "iSDSS")

_DEPTH_SCATTER = 0.15  # dex; of the whole SED, and again from one end to the other
_BAND_SCATTER = 0.06  # dex; of each band
_FLOORS = (0.003, 0.06)  # relative; in half of the observations
_SKY_SHARE = 0.4  # of observations whose noise is that of the sky, not of the flux
_MOST_SINGLE = 14  # bands that are missing at random
# Shares of observations with bands missing: singly, in runs, at the ends, as SDSS spectra.
_GAPS = {"single": 0.22, "runs": 0.12, "ends": 0.13, "sdss": 0.08}
_SHARE_REDSHIFT = 0.6  # of observations that come with a redshift
# Shares of those with few bands: anywhere, side by side, somewhere in a window.
_FEW = {"anywhere": 0.45, "side by side": 0.35, "in a window": 0.2}
# Which numbers of bands: half of them below the first limit, half from there to the second, which
# is somewhat more than such a network will answer for.
_FEW_COUNTS = (20, GAPPY_BANDS + 5)


@dataclass(frozen=True)
class Observed:
    """A batch of observations.

    Attributes
    ----------
    inputs : Tensor, shape (n, N_INPUTS)
    redshift_given : Tensor of bool, shape (n,)
    """

    inputs: Tensor
    redshift_given: Tensor


class Observer:
    """Observes populations at random.

    Parameters
    ----------
    noise : NoiseModel
    generator : torch.Generator
        Of all that is random.
    few_bands : bool
        Leave each galaxy no more than 44 bands.
    """

    def __init__(
        self, noise: NoiseModel, generator: torch.Generator, *, few_bands: bool = False
    ) -> None:
        self.generator = generator
        self._few_bands = few_bands
        self._magnitudes = np.arange(MAGNITUDE_RANGE[0], MAGNITUDE_RANGE[1] + 0.01, 0.05)
        table = noise.relative_error(self._magnitudes)
        self._relative = torch.as_tensor(table, dtype=torch.float32)
        pivot = torch.tensor(load_bands().pivot, dtype=torch.float32)
        self._tilt = (pivot - pivot.mean()) / (pivot.max() - pivot.min()) * 2
        self._order = torch.argsort(pivot)
        self._rank = torch.argsort(self._order)
        self._pivot = pivot
        names = load_bands().names
        self._sdss = torch.tensor([name in SDSS_GONE for name in names])

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.generator)

    def observe(self, flux: Tensor, redshift: Tensor) -> Observed:
        """Observe noise-free fluxes (n, 57) at redshifts (n,), each in a way of its own.

        Bands that are NaN are missing, whatever else is.
        """
        n = len(flux)
        there = torch.isfinite(flux)
        flux = torch.where(there, flux, 0.0)
        relative = self._relative_errors(n)
        # Noise of the sky is the same however faint the galaxy is in a band.
        sky = self._uniform(n, 1) < _SKY_SHARE
        mean = flux.sum(dim=0, keepdim=True) / there.sum(dim=0, keepdim=True).clamp_min(1)
        error = torch.where(sky, relative * mean, relative * flux)
        noisy = flux + error * self._normal(n, N_BANDS)
        present = self._few_present(n) if self._few_bands else self._present(n)
        least = LEAST_BANDS if self._few_bands else MIN_BANDS
        present = present & there
        present = torch.where(present.sum(dim=1, keepdim=True) < least, there, present)
        scale = level(noisy, present)
        # Without a positive median there is nothing to scale by: such a galaxy is not predicted.
        scale = torch.where(scale > 0.05, scale, 1.0)
        noisy, error = noisy / scale, error / scale
        noise = torch.where(sky, relative_noise(noisy, error, present), relative)
        value, sigma = self._redshifts(redshift)
        return Observed(encode(noisy, noise, present, value, sigma), torch.isfinite(value))

    def _relative_errors(self, n: int) -> Tensor:
        index = torch.randint(len(self._relative), (n,), generator=self.generator)
        relative = self._relative[index]
        scatter = _DEPTH_SCATTER * (self._normal(n, 1) + self._normal(n, 1) * self._tilt)
        scatter = scatter + _BAND_SCATTER * self._normal(n, N_BANDS)
        # A third is as the survey is, so that the network knows it best.
        scatter = scatter * (self._uniform(n, 1) > 1 / 3)
        low, high = np.log(_FLOORS)
        floor = torch.exp(low + (high - low) * self._uniform(n, 1))
        floor = floor * (self._uniform(n, 1) < 0.5)
        return torch.hypot(relative * 10**scatter, floor)

    def _present(self, n: int) -> Tensor:
        kind = self._uniform(n)
        limits = np.cumsum(list(_GAPS.values()))
        present = torch.ones(n, N_BANDS, dtype=torch.bool)
        single = torch.nonzero(kind < limits[0]).squeeze(1)
        present[single] = self._without_single(len(single))
        runs = torch.nonzero((kind >= limits[0]) & (kind < limits[1])).squeeze(1)
        present[runs] = self._without_runs(len(runs))
        ends = torch.nonzero((kind >= limits[1]) & (kind < limits[2])).squeeze(1)
        present[ends] = self._without_ends(len(ends))
        sdss = torch.nonzero((kind >= limits[2]) & (kind < limits[3])).squeeze(1)
        present[sdss] = ~self._sdss
        # One in eight of those cut at the ends has gaps as well.
        both = torch.cat([ends, sdss])[self._uniform(len(ends) + len(sdss)) < 1 / 8]
        present[both] &= self._without_single(len(both))
        few = present.sum(dim=1) < MIN_BANDS
        present[few] = True
        return present

    def _few_present(self, n: int) -> Tensor:
        """From 5 to 44 bands of each of ``n`` galaxies."""
        middle, most = _FEW_COUNTS
        low = torch.where(self._uniform(n, 1) < 0.5, LEAST_BANDS, middle)
        high = torch.where(low == middle, most, middle)
        count = (low + (high - low) * self._uniform(n, 1)).long()
        kind = self._uniform(n, 1)
        anywhere, beside, _ = np.cumsum(list(_FEW.values()))
        width = (count + (N_BANDS + 1 - count) * self._uniform(n, 1)).long()
        width = torch.where(kind < anywhere, N_BANDS, torch.where(kind < beside, count, width))
        first = ((N_BANDS + 1 - width) * self._uniform(n, 1)).long()
        inside = (self._rank >= first) & (self._rank < first + width)
        lot = torch.where(inside, self._uniform(n, N_BANDS), 2.0)
        return torch.argsort(torch.argsort(lot, dim=1), dim=1) < count

    def _without_single(self, n: int) -> Tensor:
        count = torch.randint(1, _MOST_SINGLE + 1, (n, 1), generator=self.generator)
        rank = torch.argsort(torch.argsort(self._uniform(n, N_BANDS), dim=1), dim=1)
        return rank >= count

    def _without_runs(self, n: int) -> Tensor:
        present = torch.ones(n, N_BANDS, dtype=torch.bool)
        for share in (1.0, 0.4):
            first = self._uniform(n, 1) * (N_BANDS - 1)
            length = 2 + self._uniform(n, 1) * 8
            taken = self._uniform(n, 1) < share
            inside = (self._rank >= first) & (self._rank < first + length)
            present &= ~(inside & taken)
        return present

    def _without_ends(self, n: int) -> Tensor:
        blue = 3300 + 1100 * self._uniform(n, 1)
        red = 8700 + 1500 * self._uniform(n, 1)
        present = (self._pivot >= blue) & (self._pivot <= red)
        present[:, -1] &= self._uniform(n) < 0.5
        return present

    def _redshifts(self, redshift: Tensor) -> tuple[Tensor, Tensor]:
        """Redshifts as a catalogue gives them, with their errors; NaN where it gives none."""
        n = len(redshift)
        low, high = np.log(REDSHIFT_ERRORS)
        sigma = torch.exp(low + (high - low) * self._uniform(n))
        # Half of the redshifts are spectroscopic.
        sigma = torch.where(self._uniform(n) < 0.5, REDSHIFT_ERRORS[0], sigma)
        value = redshift + sigma * self._normal(n)
        given = self._uniform(n) < _SHARE_REDSHIFT
        return torch.where(given, value, torch.nan), sigma
