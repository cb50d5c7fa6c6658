"""How libraries differ: what is left when one library fits the SSPs of another.

Each SSP of a library is seen behind a screen of dust and fitted with the SSPs of another, between
whose ages and metallicities is interpolated, at any E(B−V) and amplitude. What the other library
can say in its own terms (another age, metallicity or reddening) is a shift and no residual; what
is left is what no parameter takes up. The difference at the same age, metallicity and E(B−V) is
measured as well: it holds both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from sspexplorer.libraries.library import SSPLibrary
from sspexplorer.photometry import synthesize

# Before the SSPs that are fitted, so that a fit may be redder or bluer (mag).
SCREEN = 0.2
EBV_STEPS = np.round(np.arange(0, 0.601, 0.02), 2)  # mag; of the fits
AGE_STEP = 0.05  # dex, or a bit less; of the fits
METALLICITY_PARTS = 4  # into which a step in metallicity of a library is divided
# Of the SSPs fitted one in each such step: some libraries have a hundred young ages.
THINNED = 0.1  # dex in age


@dataclass(frozen=True)
class Differences:
    """Residuals of best fits of SSPs of some libraries by others.

    Attributes
    ----------
    residual : ndarray, shape (n, 57)
        Magnitude of the SSP minus that of its best fit; the mean over bands is zero; NaN in bands
        that one of the two libraries does not cover.
    same : ndarray, shape (n, 57)
        The same without a fit: minus that of the other library at the same age, [M/H] and E(B−V).
        NaN in all bands where the other has nothing there.
    shift : ndarray, shape (n, 3)
        Of the best fit: its log age (dex), [M/H] (dex) and E(B−V) (mag) minus those of the SSP.
    of, by : ndarray of str, shape (n,)
        Whose SSP it is, and which library fitted it.
    log_age, metallicity : ndarray, shape (n,)
        Of the SSP: log10 yr, dex.
    """

    residual: np.ndarray
    same: np.ndarray
    shift: np.ndarray
    of: np.ndarray
    by: np.ndarray
    log_age: np.ndarray
    metallicity: np.ndarray

    def __len__(self) -> int:
        """Count the residuals."""
        return len(self.residual)

    def rows(self, mask: np.ndarray) -> "Differences":
        """Those where ``mask`` (n,) is true."""
        return Differences(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))

    def without(self, *libraries: str) -> "Differences":
        """Those of pairs in which none of ``libraries`` takes part."""
        return self.rows(~(np.isin(self.of, libraries) | np.isin(self.by, libraries)))

    @property
    def weight(self) -> np.ndarray:
        """Weights, shape (n,), that make each pair of libraries count alike; they add up to 1."""
        pairs, index, count = np.unique(
            [f"{of} {by}" for of, by in zip(self.of, self.by, strict=True)],
            return_inverse=True,
            return_counts=True,
        )
        return 1 / (len(pairs) * count[index])


def measure(libraries: Sequence[SSPLibrary]) -> Differences:
    """Fit the SSPs of each library with each other one.

    SSPs are left out whose age or metallicity the other library does not reach.

    Parameters
    ----------
    libraries : sequence of SSPLibrary
        At least two.
    """
    grids = {library.name: _Grid.of(library) for library in libraries}
    parts = [_fitted(of, by, grids[by.name]) for of, by in permutations(libraries, 2)]
    return Differences(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _magnitudes(library: SSPLibrary, ebv: float) -> np.ndarray:
    return -2.5 * np.log10(synthesize(library.spectra, library.wavelength, ebv, gaps=True))


@dataclass(frozen=True)
class _Grid:
    """Magnitudes (n_ebv, n_z, n_age, 57) of a library at finer steps; NaN where it has nothing.

    They are linear in log age, then in [M/H], as between the SSPs that networks are trained on.
    """

    magnitudes: np.ndarray
    metallicity: np.ndarray
    log_age: np.ndarray

    @classmethod
    def of(cls, library: SSPLibrary) -> "_Grid":
        first, last = library.ages[[0, -1]]
        ages = np.linspace(first, last, int(np.ceil((last - first) / AGE_STEP)) + 1)
        seen = np.stack([_magnitudes(library, ebv) for ebv in EBV_STEPS])
        at_age = []
        for value in library.metallicities:
            rows = np.flatnonzero(library.metallicity == value)
            rows = rows[np.argsort(library.log_age[rows])]
            at_age.append(_interpolated(ages, library.log_age[rows], seen[:, rows]))
        coarse = np.arange(len(at_age))
        fine = np.linspace(0, coarse[-1], METALLICITY_PARTS * coarse[-1] + 1)
        metals = np.interp(fine, coarse, library.metallicities)
        left = np.minimum(fine.astype(int), max(coarse[-1] - 1, 0))
        planes = []
        for low, share in zip(left, fine - left, strict=True):
            ends = at_age[low], at_age[min(low + 1, coarse[-1])]
            planes.append(
                ends[int(share)] if share in (0, 1) else ends[0] * (1 - share) + ends[1] * share
            )
        return cls(np.stack(planes, axis=1), metals, ages)

    def at(self, log_age: np.ndarray, metallicity: np.ndarray) -> np.ndarray:
        """Magnitudes (n, 57) behind :data:`SCREEN`; NaN where the library has nothing."""
        plane = self.magnitudes[int(np.argmin(np.abs(EBV_STEPS - SCREEN)))]
        find = RegularGridInterpolator(
            (self.metallicity, self.log_age), plane, bounds_error=False, fill_value=np.nan
        )
        return find(np.stack([metallicity, log_age], axis=1))


def _interpolated(wanted: np.ndarray, known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values (n_ebv, n_known, 57) at other ages; NaN beyond the known ones."""
    place = np.interp(wanted, known, np.arange(len(known)))
    left = np.minimum(place.astype(int), len(known) - 2)
    share = (place - left)[None, :, None]
    result = values[:, left] * (1 - share) + values[:, left + 1] * share
    outside = (wanted < known[0] - 1e-6) | (wanted > known[-1] + 1e-6)
    result[:, outside] = np.nan
    return result


def _fitted(of: SSPLibrary, by: SSPLibrary, grid: _Grid) -> tuple[np.ndarray, ...]:
    """What :class:`Differences` holds, of one pair of libraries."""
    chosen = _thinned(of)
    near = (
        (of.log_age >= grid.log_age[0] - AGE_STEP)
        & (of.log_age <= grid.log_age[-1] + AGE_STEP)
        & (of.metallicity >= grid.metallicity[0] - AGE_STEP)
        & (of.metallicity <= grid.metallicity[-1] + AGE_STEP)
    )
    chosen = chosen[near[chosen]]
    log_age, metallicity = of.log_age[chosen], of.metallicity[chosen]
    bands = of.covered_bands() & by.covered_bands()
    models = grid.magnitudes[..., bands].reshape(-1, bands.sum())
    known = np.flatnonzero(np.isfinite(models).all(axis=1))
    models = _without_mean(models[known])
    truth = _magnitudes(of.select(chosen), SCREEN)[:, bands]
    centred = _without_mean(truth)
    # The least sum of squares: that of the truth is the same for all models.
    best = np.argmin((models**2).sum(axis=1) - 2 * centred @ models.T, axis=1)
    place = np.unravel_index(known[best], grid.magnitudes.shape[:3])
    found = grid.log_age[place[2]], grid.metallicity[place[1]], EBV_STEPS[place[0]]
    shift = np.stack([*found], axis=1) - np.stack(
        [log_age, metallicity, np.full(len(chosen), SCREEN)], axis=1
    )
    residual, same = np.full((2, len(chosen), len(bands)), np.nan)
    residual[:, bands] = centred - models[best]
    same[:, bands] = _without_mean(truth - grid.at(log_age, metallicity)[:, bands])
    names = [np.full(len(chosen), library.name) for library in (of, by)]
    return residual, same, shift, *names, log_age, metallicity


def _without_mean(magnitudes: np.ndarray) -> np.ndarray:
    return magnitudes - magnitudes.mean(axis=1, keepdims=True)


def _thinned(library: SSPLibrary) -> np.ndarray:
    """Indices of one SSP for each metallicity and step in age."""
    step = np.floor(library.log_age / THINNED)
    _, first = np.unique(np.stack([library.metallicity, step]), axis=1, return_index=True)
    return np.sort(first)
