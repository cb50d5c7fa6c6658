"""Many stellar populations without noise, at many redshifts: what posteriors are trained on.

Each population is photometry and the parameters that are true of it, drawn from a stated prior.
Spectra are reddened and redshifted before the bands are applied, one matrix product for each of
:data:`REDSHIFT_STEPS` redshifts.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from sspexplorer.bands import N_BANDS
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.mocks import EBV_GRID, PARAMETERS, split_of
from sspexplorer.photometry import MAX_REDSHIFT, band_matrix

# 150 km/s apart at most: far less than a narrow band, which is 0.02 wide in redshift.
REDSHIFT_STEPS = 201


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
        for composite populations ``mass_log_age`` and ``mass_metallicity``.
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

    def rows(self, index: np.ndarray) -> "Populations":
        """Populations with only the rows of ``index``, a mask or indices."""
        fields = ("flux", "targets", "redshift", "library")
        return replace(self, **{name: getattr(self, name)[index] for name in fields})


@dataclass(frozen=True)
class SSPPrior:
    """Prior of model ``ssp``: one population of one age and metallicity behind one screen.

    Every SSP of the libraries is as likely as any other, as in the paper's sample. E(B−V) is even
    within the part of the range nearest to each of the paper's eight values, all eight parts
    alike; the redshift is even from 0 to ``max_redshift``.

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
        return {"kind": "ssp", "words": " ".join(type(self).__doc__.split("\n\n")[1].split())} | (
            asdict(self)
        )

    def draw(self, n: int, *, seed: int, held_out: bool = False) -> Populations:
        """Draw populations.

        Parameters
        ----------
        n : int
        seed : int
        held_out : bool
            Draw from the SSPs of the split ``test``, which no training sees, in place of those
            of ``train`` and ``validation``.

        Returns
        -------
        Populations
            Of ``n`` SSPs. For the training half of them lie between two neighbours in age: their
            spectra and log ages are interpolated, so that a network does not learn that a few
            hundred ages exist.
        """
        rng = np.random.default_rng((seed, held_out))
        loaded = [load_library(name) for name in self.libraries]
        chosen = [library.select(_is_held_out(library) == held_out) for library in loaded]
        share = rng.multinomial(n, _fractions(len(library) for library in chosen))
        parts = [
            self._of_library(library, count, rng, between=not held_out)
            for library, count in zip(chosen, share, strict=True)
        ]
        return shuffled(parts, rng)

    def _of_library(
        self, library: SSPLibrary, n: int, rng: np.random.Generator, between: bool
    ) -> Populations:
        index = rng.integers(len(library), size=n)
        other = next_in_age(library)[index] if between else index
        weight = rng.uniform(size=n) * (rng.uniform(size=n) < 0.5)
        ebv = draw_ebv(self.ebv_grid, n, rng)
        log_age = library.log_age[index] * (1 - weight) + library.log_age[other] * weight
        targets = np.stack([log_age, library.metallicity[index], ebv], axis=1)
        step = rng.integers(REDSHIFT_STEPS, size=n)

        def spectra(rows: np.ndarray) -> np.ndarray:
            share = weight[rows, None].astype(np.float32)
            mixed = library.spectra[index[rows]] * (1 - share)
            mixed += library.spectra[other[rows]] * share
            mixed *= transmission(library.wavelength, ebv[rows]).astype(np.float32)
            return mixed

        redshift = step * (self.max_redshift / (REDSHIFT_STEPS - 1))
        flux = observed(spectra, library.wavelength, redshift)
        return Populations(
            flux,
            targets.astype(np.float32),
            redshift.astype(np.float32),
            PARAMETERS,
            np.full(n, library.name),
        )


def observed(spectra, wavelength: np.ndarray, redshift: np.ndarray) -> np.ndarray:
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
    ndarray, shape (n, 57), float32
        F_ν over the median of each row.
    """
    flux = np.empty((len(redshift), N_BANDS), dtype=np.float32)
    for value in np.unique(redshift):
        matrix = band_matrix(wavelength, float(value)).astype(np.float32)
        # F_ν of a spectrum in L_sun/Å is near the smallest float32; the scale is arbitrary.
        matrix = matrix / matrix.max()
        rows = np.flatnonzero(redshift == value)
        flux[rows] = spectra(rows) @ matrix
    flux /= np.median(flux, axis=1, keepdims=True)
    return flux


def draw_ebv(grid: Sequence[float], n: int, rng: np.random.Generator) -> np.ndarray:
    """E(B−V) (mag), even within the part of the range nearest to each value of ``grid``.

    Raises
    ------
    InputError
        If the grid has fewer than two values, or they do not increase.
    """
    grid = np.asarray(grid, dtype=float)
    if len(grid) < 2 or not np.all(np.diff(grid) > 0):
        raise InputError("A prior of E(B−V) needs at least two values that increase.")
    edges = np.concatenate([grid[:1], (grid[1:] + grid[:-1]) / 2, grid[-1:]])
    cell = rng.integers(len(grid), size=n)
    return rng.uniform(edges[cell], edges[cell + 1])


def shuffled(parts: Sequence[Populations], rng: np.random.Generator) -> Populations:
    """Populations of several parts in one, in random order."""
    fields = ("flux", "targets", "redshift", "library")
    order = rng.permutation(sum(len(part) for part in parts))
    whole = {name: np.concatenate([getattr(p, name) for p in parts])[order] for name in fields}
    return replace(parts[0], **whole)


def next_in_age(library: SSPLibrary) -> np.ndarray:
    """Index of the next older SSP of the same metallicity, IMF and isochrones; itself if none."""
    keys = (library.log_age, library.metallicity, library.isochrone, library.imf)
    order = np.lexsort(keys)
    same = np.ones(len(library) - 1, dtype=bool)
    for values in keys[1:]:
        same &= values[order][1:] == values[order][:-1]
    following = np.arange(len(library))
    following[order[:-1][same]] = order[1:][same]
    return following


def _is_held_out(library: SSPLibrary) -> np.ndarray:
    return split_of(library.ids) == "test"


def _fractions(counts) -> np.ndarray:
    counts = np.array(list(counts), dtype=float)
    return counts / counts.sum()
