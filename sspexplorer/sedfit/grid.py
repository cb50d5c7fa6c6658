"""Grids of models to fit with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from sspexplorer.errors import InputError
from sspexplorer.gaps import row_median
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.mocks import EBV_GRID
from sspexplorer.photometry import synthesize


@dataclass(frozen=True)
class ModelGrid:
    """Models to fit with.

    Attributes
    ----------
    flux : ndarray, shape (n, 57), float64
        F_ν without noise, each row divided by its median.
    parameters : ndarray, shape (n, 3)
        log_age (log10 yr), metallicity (dex) and ebv (mag).
    library, ssp : ndarray of str, shape (n,)
        Where each model comes from.
    redshift : float
    """

    flux: np.ndarray
    parameters: np.ndarray
    library: np.ndarray
    ssp: np.ndarray
    redshift: float = 0.0

    def __len__(self) -> int:
        """Count the models."""
        return len(self.flux)

    def select(self, mask: np.ndarray) -> "ModelGrid":
        """Grid with only the models where ``mask`` (n,) is true.

        Raises
        ------
        InputError
            If none is.
        """
        if not np.any(mask):
            raise InputError("No model is left to fit with.")
        return ModelGrid(
            self.flux[mask],
            self.parameters[mask],
            self.library[mask],
            self.ssp[mask],
            self.redshift,
        )

    @cached_property
    def covered(self) -> np.ndarray:
        """Bands that every model covers, shape (57,); no other takes part in a fit."""
        return np.isfinite(self.flux).all(axis=0)

    @cached_property
    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Models over √2, and their squares, shape (n, 57); 0 in bands that take no part."""
        models = self.flux if self.covered.all() else np.where(self.covered, self.flux, 0.0)
        return models * np.sqrt(0.5), models**2

    @cached_property
    def marginals(self) -> "Marginals":
        """How probabilities of the models add up."""
        return Marginals.of(self.parameters)


@dataclass(frozen=True, eq=False)
class Marginals:
    """How the probabilities of models add up to those of each parameter.

    Attributes
    ----------
    values : tuple of ndarray
        Different values of each of the three parameters, rising.
    populations, ebv : sparse matrix, shape (n_populations, n_models) and (n_ebv, n_models)
        Add up the models of each population, a log_age and a metallicity, and of each E(B−V).
    of_population : tuple of sparse matrix, shape (n_values, n_populations)
        Add up the populations of each log_age and each metallicity.
    """

    values: tuple[np.ndarray, ...]
    populations: sparse.csr_matrix
    ebv: sparse.csr_matrix
    of_population: tuple[sparse.csr_matrix, ...]

    @classmethod
    def of(cls, parameters: np.ndarray) -> "Marginals":
        """For models of some parameters, shape (n, 3)."""
        pairs, population = np.unique(parameters[:, :2], axis=0, return_inverse=True)
        ebv, which = np.unique(parameters[:, 2], return_inverse=True)
        kinds = [np.unique(column, return_inverse=True) for column in pairs.T]
        return cls(
            (*(values for values, _ in kinds), ebv),
            _adding_up(population.reshape(-1), len(pairs)).astype(np.float32),
            _adding_up(which, len(ebv)).astype(np.float32),
            tuple(_adding_up(index, len(values)) for values, index in kinds),
        )

    def add_up(self, probability: np.ndarray) -> list[np.ndarray]:
        """Probabilities (n_values, n) of each parameter, of those of models (n_models, n)."""
        populations = (self.populations @ probability).astype(float)
        ebv = (self.ebv @ probability).astype(float)
        sums = [*(one @ populations for one in self.of_population), ebv]
        return [one / one.sum(axis=0) for one in sums]


def _adding_up(index: np.ndarray, n: int) -> sparse.csr_matrix:
    """Matrix (n, n_index) that adds up what has each index."""
    shape = (n, len(index))
    return sparse.csr_matrix((np.ones(len(index)), (index, np.arange(len(index)))), shape)


def make_grid(
    libraries: Sequence[str | SSPLibrary] = LIBRARY_NAMES,
    *,
    ebv: Sequence[float] = EBV_GRID,
    redshift: float = 0.0,
) -> ModelGrid:
    """Make a grid of every SSP × E(B−V).

    Bands that one of the libraries does not cover are NaN for its models, and no band of a fit.

    Parameters
    ----------
    libraries : sequence of str or SSPLibrary
    ebv : sequence of float
        Colour excesses in mag.
    redshift : float
        At which the galaxies are seen.

    Raises
    ------
    InputError
        If a library is unknown, there is nothing to make a grid of, or the spectra do not cover
        the bands at this redshift.
    """
    loaded = [load_library(lib) if isinstance(lib, str) else lib for lib in libraries]
    if not loaded or not len(ebv):
        raise InputError("A grid needs at least one library and one E(B−V).")
    fluxes, parameters = [], []
    for library in loaded:
        whole = library.covers_all_bands
        for value in ebv:
            flux = synthesize(
                library.spectra, library.wavelength, float(value), redshift, gaps=not whole
            )
            fluxes.append(flux / row_median(flux)[:, None])
            ebvs = np.full(len(library), float(value))
            parameters.append(np.stack([library.log_age, library.metallicity, ebvs], axis=1))
    names = [np.full(len(library) * len(ebv), library.name) for library in loaded]
    ssps = [np.tile(library.ids, len(ebv)) for library in loaded]
    return ModelGrid(
        np.concatenate(fluxes),
        np.concatenate(parameters),
        np.concatenate(names),
        np.concatenate(ssps),
        float(redshift),
    )
