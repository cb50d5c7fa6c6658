"""How populations are observed in training: noise, bands that are missing, redshifts.

All that a catalogue may do to a galaxy is done here at random, so that the network has met it:
magnitudes from 15.5 to 22.5, the depths of several fields, deeper and shallower surveys, single
bands that are noisy, calibration floors, bands missing singly, in runs and at both ends, few bands
in all, redshifts known well, known badly and unknown. A network for galaxies with few bands meets
nothing but those.

What errors of catalogues do not tell of is done as well, see :class:`Doubts`. Fields and zero
points are shared by a tile: as many galaxies as follow each other.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.gaps import LEAST_BANDS, MIN_BANDS
from sspexplorer.libraries.residuals import LibraryResiduals
from sspexplorer.noise import DEFAULT_FIELD, NoiseModel
from sspexplorer.posterior.inputs import (
    GAPPY_BANDS,
    NEAR,
    Reach,
    encode,
    level,
    relative_noise,
)

MAGNITUDE_RANGE = (15.5, 22.5)
# What an SDSS spectrum leaves out.
SDSS_GONE = ("uJAVA", "J0378", "J0910", "J1007", "iSDSS")

_DEPTH_SCATTER = 0.15  # dex; of the whole SED, and again from one end to the other
_BAND_SCATTER = 0.06  # dex; of each band
# Some bands of some observations are noisier, by up to so much (dex).
_UNEVEN_SHARE, _UNEVEN_BANDS, _UNEVEN = 0.2, 0.15, 1.5
_FLOORS = (0.003, 0.06)  # relative; in half of the observations
_SKY_SHARE = 0.4  # of observations whose noise is that of the sky, not of the flux
_MOST_SINGLE = 14  # bands that are missing at random
# Shares of observations with bands missing: singly, in runs, at the ends, as SDSS spectra, most.
_GAPS = {"single": 0.22, "runs": 0.12, "ends": 0.13, "sdss": 0.08, "few": 0.04}
_SHARE_REDSHIFT = 0.6  # of observations that come with a redshift
# Shares of those with few bands: anywhere, side by side, somewhere in a window.
_FEW = {"anywhere": 0.45, "side by side": 0.35, "in a window": 0.2}
# Which numbers of bands: half of them below the first limit, half from there to the second, which
# is somewhat more than such a network will answer for.
_FEW_COUNTS = (20, GAPPY_BANDS + 5)
_TILE = 64  # galaxies that share their field and its zero points
_FIRST_FIELD = 0.3  # of tiles have the noise of the first, whatever the others have
_CALIBRATED = 0.25  # of tiles, whose zero points are right


@dataclass(frozen=True)
class Doubts:
    """What no error of a catalogue tells of, in the training of a network.

    Attributes
    ----------
    residuals : str, optional
        Which differences between libraries each galaxy is given at random, "same" or "fitted",
        see :class:`.LibraryResiduals`: those between the stars of a library and real ones are
        taken to be as large.
    without : tuple of str
        Libraries whose differences are left out.
    amplitude : float
        Root mean square of the scale of the residuals, which is even from 0 up for each galaxy. A
        measured difference is that of two libraries from what they describe: one of them has
        1/√2 of it.
    zero_points : tuple of float
        Each tile has errors of its zero points, with a σ (mag) between these.
    slope : float
        σ in mag of what either end of the spectrum is off in each tile, the other the opposite.
    """

    residuals: str | None = "same"
    without: tuple[str, ...] = ()
    amplitude: float = 0.71
    zero_points: tuple[float, float] = (0.02, 0.04)
    slope: float = 0.02

    @classmethod
    def from_dict(cls, content: dict) -> "Doubts":
        """Rebuild from what a card says."""
        pairs = {name: tuple(content[name]) for name in ("without", "zero_points")}
        return cls(**content | pairs)


NO_DOUBTS = Doubts(residuals=None, zero_points=(0.0, 0.0), slope=0.0)


@dataclass(frozen=True)
class Observing:
    """How a training observes its populations.

    Attributes
    ----------
    fields : tuple of str
        Whose noise the tiles have, see :func:`sspexplorer.noise.fields`; the model is tested
        under that of the first.
    doubts : Doubts
    """

    fields: tuple[str, ...] = (DEFAULT_FIELD,)
    doubts: Doubts = NO_DOUBTS

    def to_dict(self) -> dict:
        """Plain numbers and words, for a card."""
        return asdict(self)

    @classmethod
    def of(cls, card: dict) -> "Observing":
        """How the model of a card was trained: if it does not say, as :class:`Observing` is."""
        if "observing" not in card:
            return cls()
        told = card["observing"]
        return cls(tuple(told["fields"]), Doubts.from_dict(told["doubts"]))

    def observer(
        self,
        seed: int,
        reach: Reach,
        *,
        few_bands: bool = False,
    ) -> "Observer":
        """Observer of galaxies up to some redshift, with a generator of its own."""
        noises = [NoiseModel.of_field(name) for name in self.fields]
        generator = torch.Generator().manual_seed(seed)
        return Observer(noises, generator, few_bands=few_bands, doubts=self.doubts, reach=reach)


@dataclass(frozen=True)
class Observed:
    """A batch of observations.

    Attributes
    ----------
    inputs : Tensor, shape (n, n_inputs)
    redshift_given : Tensor of bool, shape (n,)
    level : Tensor, shape (n,)
        Median flux of what was observed, in units of the median without noise and gaps.
    """

    inputs: Tensor
    redshift_given: Tensor
    level: Tensor


class Observer:
    """Observes populations at random.

    Parameters
    ----------
    noise : NoiseModel or sequence of NoiseModel
        Of several, each tile has one at random.
    generator : torch.Generator
        Of all that is random.
    few_bands : bool
        Leave each galaxy no more than 44 bands.
    doubts : Doubts
    reach : Reach
    """

    def __init__(
        self,
        noise: NoiseModel | Sequence[NoiseModel],
        generator: torch.Generator,
        *,
        few_bands: bool = False,
        doubts: Doubts = NO_DOUBTS,
        reach: Reach = NEAR,
    ) -> None:
        self.generator = generator
        self._reach = reach
        self._few_bands = few_bands
        self._doubts = doubts
        if doubts.residuals is not None:
            residuals = LibraryResiduals.load(doubts.residuals, doubts.without)
            self._components = torch.as_tensor(residuals.components, dtype=torch.float32)
            self._remainder = torch.as_tensor(residuals.remainder, dtype=torch.float32)
        noises = (noise,) if isinstance(noise, NoiseModel) else noise
        magnitudes = np.arange(MAGNITUDE_RANGE[0], MAGNITUDE_RANGE[1] + 0.01, 0.05)
        tables = np.stack([one.relative_error(magnitudes) for one in noises])
        self._relative = torch.as_tensor(tables, dtype=torch.float32)
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
        flux = torch.where(there, flux, 0.0) * 10 ** (-0.4 * self.off(n))
        relative = self._relative_errors(n)
        # Noise of the sky is the same however faint the galaxy is in a band.
        sky = self._uniform(n, 1) < _SKY_SHARE
        mean = flux.sum(dim=0, keepdim=True) / there.sum(dim=0, keepdim=True).clamp_min(1)
        error = torch.where(sky, relative * mean, relative * flux)
        noisy = flux + error * self._normal(n, N_BANDS)
        present = self._few_present(n) if self._few_bands else self._present(n)
        few = (present.sum(dim=1, keepdim=True) < MIN_BANDS) | self._few_bands
        least = torch.where(few, LEAST_BANDS, MIN_BANDS)
        present = present & there
        present = torch.where(present.sum(dim=1, keepdim=True) < least, there, present)
        scale = level(noisy, present)
        # Without a positive median there is nothing to scale by: such a galaxy is not predicted.
        scale = torch.where(scale > 0.05, scale, 1.0)
        noisy, error = noisy / scale, error / scale
        noise = torch.where(sky, relative_noise(noisy, error, present), relative)
        value, sigma = self._redshifts(redshift)
        inputs = encode(noisy, noise, present, value, sigma, self._reach)
        return Observed(inputs, torch.isfinite(value), scale.squeeze(1))

    def _of_tiles(self, values: Tensor, n: int) -> Tensor:
        """Give what each tile has (n_tiles, ...) to its galaxies (n, ...)."""
        return values.repeat_interleave(_TILE, dim=0)[:n]

    def off(self, n: int) -> Tensor:
        """Draw what magnitudes are off by in each band and no error tells of, shape (n, 57)."""
        doubts, n_tiles = self._doubts, -(-n // _TILE)
        low, high = doubts.zero_points
        sigma = low + (high - low) * self._uniform(n_tiles, 1)
        off = sigma * self._normal(n_tiles, N_BANDS)
        off = off + doubts.slope * self._normal(n_tiles, 1) * self._tilt
        off = self._of_tiles(off * (self._uniform(n_tiles, 1) > _CALIBRATED), n)
        if doubts.residuals is None:
            return off
        scale = doubts.amplitude * np.sqrt(3) * self._uniform(n, 1)
        drawn = self._normal(n, len(self._components)) @ self._components
        return off + scale * (drawn + self._remainder * self._normal(n, N_BANDS))

    def _relative_errors(self, n: int) -> Tensor:
        n_fields, n_magnitudes, _ = self._relative.shape
        n_tiles = -(-n // _TILE)
        field = torch.randint(n_fields, (n_tiles,), generator=self.generator)
        field = field * (self._uniform(n_tiles) > _FIRST_FIELD)
        index = torch.randint(n_magnitudes, (n,), generator=self.generator)
        relative = self._relative[self._of_tiles(field, n), index]
        scatter = _DEPTH_SCATTER * (self._normal(n, 1) + self._normal(n, 1) * self._tilt)
        scatter = scatter + _BAND_SCATTER * self._normal(n, N_BANDS)
        # A third is as the survey is, so that the network knows it best.
        scatter = scatter * (self._uniform(n, 1) > 1 / 3)
        uneven = self._uniform(n, 1) < _UNEVEN_SHARE
        noisy = uneven & (self._uniform(n, N_BANDS) < _UNEVEN_BANDS)
        scatter = scatter + _UNEVEN * self._uniform(n, N_BANDS) * noisy
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
        present[present.sum(dim=1) < MIN_BANDS] = True
        few = torch.nonzero((kind >= limits[3]) & (kind < limits[4])).squeeze(1)
        present[few] = self._few_present(len(few))
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
        low, high = np.log(self._reach.errors)
        sigma = torch.exp(low + (high - low) * self._uniform(n))
        # Half of the redshifts are spectroscopic.
        sigma = torch.where(self._uniform(n) < 0.5, self._reach.errors[0], sigma)
        if self._reach.far:
            sigma = sigma * (1 + redshift)
        value = redshift + sigma * self._normal(n)
        given = self._uniform(n) < _SHARE_REDSHIFT
        return torch.where(given, value, torch.nan), sigma
