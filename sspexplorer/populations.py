"""Many stellar populations without noise, at many redshifts: what posteriors are trained on.

Each population is photometry and the parameters that are true of it, drawn from a stated prior.
Spectra are reddened and redshifted before the bands are applied, one matrix product for each of
:data:`REDSHIFT_STEPS` redshifts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from sspexplorer.bands import N_BANDS
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.gaps import row_median
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.mocks import EBV_GRID, PARAMETERS, split_of
from sspexplorer.photometry import MAX_REDSHIFT, band_matrix

# 150 km/s apart at most: far less than a narrow band, which is 0.02 wide in redshift.
REDSHIFT_STEPS = 201
# Prior of model ``ssp``, for its card.
SSP_WORDS = (
    "Every SSP of the libraries is as likely as any other, as in the paper's sample, and stands "
    "for the ages and metallicities nearest to its own: a population lies evenly in its half of "
    "the way to a neighbour in log age and to one in [M/H], its log spectrum between theirs. "
    "E(B−V) is even within the part of the range nearest to each of the paper's eight values, all "
    "eight parts alike; the redshift is even from 0 to 0.1 unless told otherwise."
)
_FAINTEST = 1e-20  # L_sun/Å/M_sun; darkness has no logarithm


@dataclass(frozen=True)
class Populations:
    """Noise-free photometry with the parameters that are true of it.

    Attributes
    ----------
    flux : ndarray, shape (n, 57), float32
        F_ν, each row divided by its median.
    targets : ndarray, shape (n, n_targets), float32
        Parameters, in the order of ``names``.
    redshift : ndarray, shape (n,), float32
    names : tuple of str
        What the targets are: ``log_age`` (log10 yr), ``metallicity`` (dex), ``ebv`` (mag), and
        for composite populations those of :data:`sspexplorer.galaxies.NAMES`.
    library : ndarray of str, shape (n,)
        Which library the stars are from.
    """

    flux: np.ndarray
    targets: np.ndarray
    redshift: np.ndarray
    names: tuple[str, ...]
    library: np.ndarray

    def __len__(self) -> int:
        """Count the populations."""
        return len(self.flux)

    def values(self, names: Sequence[str]) -> np.ndarray:
        """Some of the targets, shape (n, len(names))."""
        return self.targets[:, [self.names.index(name) for name in names]]

    def rows(self, index: np.ndarray) -> "Populations":
        """Populations with only the rows of ``index``, a mask or indices."""
        fields = ("flux", "targets", "redshift", "library")
        return replace(self, **{name: getattr(self, name)[index] for name in fields})


@dataclass(frozen=True)
class SSPPrior:
    """Prior of model ``ssp``: one population of one age and metallicity behind one screen.

    In words: :data:`SSP_WORDS`.

    Attributes
    ----------
    libraries : tuple of str
    ebv_grid : tuple of float
        mag.
    max_redshift : float
    """

    libraries: tuple[str, ...] = LIBRARY_NAMES
    ebv_grid: tuple[float, ...] = EBV_GRID
    max_redshift: float = MAX_REDSHIFT

    names = PARAMETERS

    def to_dict(self) -> dict:
        """Plain numbers and words, for a card."""
        return {"kind": "ssp", "words": SSP_WORDS} | asdict(self)

    def redshift_density(self, redshift: np.ndarray) -> np.ndarray:
        """How likely redshifts within the prior are, per unit of redshift."""
        return np.full(np.shape(redshift), 1 / self.max_redshift)

    @classmethod
    def from_dict(cls, content: Mapping) -> "SSPPrior":
        """Rebuild a prior from :meth:`to_dict`."""
        return cls(tuple(content["libraries"]), tuple(content["ebv_grid"]), content["max_redshift"])

    def draw(self, n: int, *, seed: int, held_out: bool = False) -> Populations:
        """Draw populations.

        Parameters
        ----------
        n : int
        seed : int
        held_out : bool
            Draw about the SSPs of the split ``test``, which no training sees, in place of those
            of ``train`` and ``validation``, whose neighbours are all of those splits.
        """
        chosen = [is_held_out(load_library(name)) == held_out for name in self.libraries]
        return self._draw(n, np.random.default_rng((seed, held_out)), chosen, held_out)

    def draw_all(self, n: int, *, seed: int) -> Populations:
        """Draw populations about all SSPs, held out or not: what an exact posterior knows."""
        chosen = [np.ones(len(load_library(name)), dtype=bool) for name in self.libraries]
        return self._draw(n, np.random.default_rng((seed, 2)), chosen, True)

    def _draw(
        self, n: int, rng: np.random.Generator, chosen: list[np.ndarray], all_neighbours: bool
    ) -> Populations:
        share = rng.multinomial(n, _fractions(mask.sum() for mask in chosen))
        parts = []
        for name, mask, count in zip(self.libraries, chosen, share, strict=True):
            library = load_library(name)
            kept = library if all_neighbours else library.select(mask)
            about = np.flatnonzero(mask) if all_neighbours else np.arange(len(kept))
            parts.append(self._of_library(kept, about, count, rng))
        return shuffled(parts, rng)

    def _of_library(
        self, library: SSPLibrary, about: np.ndarray, n: int, rng: np.random.Generator
    ) -> Populations:
        corners, weights = between_neighbours(library, rng.choice(about, n), rng)
        ebv = draw_ebv(self.ebv_grid, n, rng)
        labels = [(getattr(library, k)[corners] * weights).sum(axis=1) for k in PARAMETERS[:2]]
        targets = np.stack([*labels, ebv], axis=1)
        step = rng.integers(REDSHIFT_STEPS, size=n)
        log_spectra = np.log(np.maximum(library.spectra, _FAINTEST))
        log_screen = np.log(transmission(library.wavelength, 1.0)).astype(np.float32)
        weights, ebv = weights.astype(np.float32), ebv.astype(np.float32)

        def spectra(rows: np.ndarray) -> np.ndarray:
            mixed = ebv[rows, None] * log_screen
            for corner in range(4):
                mixed += log_spectra[corners[rows, corner]] * weights[rows, corner, None]
            return np.exp(mixed)

        redshift = step * (self.max_redshift / (REDSHIFT_STEPS - 1))
        flux, _ = observed(spectra, library.wavelength, redshift)
        return Populations(
            flux,
            targets.astype(np.float32),
            redshift.astype(np.float32),
            PARAMETERS,
            np.full(n, library.name),
        )


def observed(
    spectra: Callable[[np.ndarray], np.ndarray], wavelength: np.ndarray, redshift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Photometry of spectra that are made when they are needed.

    Parameters
    ----------
    spectra : callable
        From indices of rows to their dusty rest-frame F_λ, shape (n_rows, n_wave).
    wavelength : ndarray, shape (n_wave,)
        Rest frame, Å.
    redshift : ndarray, shape (n,)

    Returns
    -------
    flux : ndarray, shape (n, 57), float32
        F_ν over the median of each row; NaN in bands that the spectra do not cover.
    median : ndarray, shape (n,)
        That median, in the unit of ``spectra`` times Å/Hz, see :func:`.band_matrix`.
    """
    flux = np.empty((len(redshift), N_BANDS), dtype=np.float32)
    unit = np.empty(len(redshift))
    for value in np.unique(redshift):
        matrix = band_matrix(wavelength, float(value), gaps=True).astype(np.float32)
        # F_ν of a spectrum in L_sun/Å is near the smallest float32.
        largest = np.nanmax(matrix)
        rows = np.flatnonzero(redshift == value)
        flux[rows] = spectra(rows) @ (matrix / largest)
        unit[rows] = largest
    median = row_median(flux)
    flux /= median[:, None]
    return flux, median * unit


def draw_ebv(grid: Sequence[float], n: int, rng: np.random.Generator) -> np.ndarray:
    """E(B−V) (mag), even within the part of the range nearest to each value of ``grid``.

    Raises
    ------
    InputError
        If the grid has fewer than two values, or they do not increase.
    """
    values = np.asarray(grid, dtype=float)
    if len(values) < 2 or not np.all(np.diff(values) > 0):
        raise InputError("A prior of E(B−V) needs at least two values that increase.")
    edges = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    cell = rng.integers(len(values), size=n)
    return rng.uniform(edges[cell], edges[cell + 1])


def shuffled(parts: Sequence[Populations], rng: np.random.Generator) -> Populations:
    """Populations of several parts in one, in random order."""
    order = rng.permutation(sum(len(part) for part in parts))
    return replace(
        parts[0],
        flux=np.concatenate([part.flux for part in parts])[order],
        targets=np.concatenate([part.targets for part in parts])[order],
        redshift=np.concatenate([part.redshift for part in parts])[order],
        library=np.concatenate([part.library for part in parts])[order],
    )


def between_neighbours(
    library: SSPLibrary, base: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Four SSPs about each population, and their weights.

    Parameters
    ----------
    library : SSPLibrary
    base : ndarray of int, shape (n,)
        The SSP that each population is nearest to.
    rng : numpy.random.Generator

    Returns
    -------
    corners : ndarray of int, shape (n, 4)
        The base, its neighbour in age, its neighbour in metallicity, and the neighbour in age of
        that one.
    weights : ndarray, shape (n, 4)
        Bilinear, adding up to 1; those of the base and its side are at least one half.
    """
    older, younger = neighbours(library, "log_age")
    richer, poorer = neighbours(library, "metallicity")
    up_age, up_metal = rng.uniform(size=(2, len(base))) < 0.5
    in_age = _either(older, younger, base, up_age)
    in_metal = _either(richer, poorer, base, up_metal)
    both = _either(older, younger, in_metal, in_age == older[base])
    a, m = rng.uniform(0, 0.5, (2, len(base)))
    weights = np.stack([(1 - a) * (1 - m), a * (1 - m), (1 - a) * m, a * m], axis=1)
    return np.stack([base, in_age, in_metal, both], axis=1), weights


def _either(one: np.ndarray, other: np.ndarray, at: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Neighbours on the side that was chosen; where there is none, on the other side."""
    chosen, opposite = np.where(first, one[at], other[at]), np.where(first, other[at], one[at])
    return np.where(chosen == at, opposite, chosen)


def neighbours(library: SSPLibrary, axis: str) -> tuple[np.ndarray, np.ndarray]:
    """Index of the next SSP up and down an axis for each SSP; itself where there is none.

    Parameters
    ----------
    library : SSPLibrary
    axis : {"log_age", "metallicity"}
        Along ``log_age`` neighbours have the same metallicity; along ``metallicity`` they are
        the SSPs nearest in age. IMF and isochrones are the same.
    """
    ages, metals = library.log_age, library.metallicity
    families = np.char.add(np.char.add(library.imf, "/"), library.isochrone)
    up, down = np.arange(len(library)), np.arange(len(library))
    for family in np.unique(families):
        inside = np.flatnonzero(families == family)
        for level in np.unique(metals[inside]):
            here = inside[metals[inside] == level]
            if axis == "log_age":
                order = here[np.argsort(ages[here])]
                up[order[:-1]], down[order[1:]] = order[1:], order[:-1]
                continue
            for target, side in ((up, metals[inside] > level), (down, metals[inside] < level)):
                beside = inside[side]
                if len(beside):
                    nearest = np.abs(metals[beside] - level).min()
                    there = beside[np.abs(metals[beside] - level) <= nearest + 1e-9]
                    distance = np.abs(ages[here][:, None] - ages[there])
                    target[here] = there[distance.argmin(axis=1)]
    return up, down


def is_held_out(library: SSPLibrary) -> np.ndarray:
    """Which SSPs no training of a posterior sees, shape (n_ssp,): those of the split ``test``."""
    return split_of(library.ids) == "test"


def _fractions(counts: Iterable[int]) -> np.ndarray:
    counts = np.array(list(counts), dtype=float)
    return counts / counts.sum()
