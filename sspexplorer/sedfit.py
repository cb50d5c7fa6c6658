"""Bayesian SED fitting on a grid of models: the rival of the networks.

The algorithm of CIGALE (Boquien et al. 2019, A&A 622, A103, Sect. 4.3), which Domínguez Sánchez et
al. (2026), Sect. 5.1, compare their networks with: the χ² of every model with free amplitude, and
means and standard deviations of the parameters weighted by the likelihood. For galaxies drawn from
the grid, with noise that is the same whatever the galaxy, no estimator would have a smaller mean
squared error. The noise of mocks goes with the flux of the model: what can be done then is in
:mod:`sspexplorer.posterior.exact`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from sspexplorer import flags
from sspexplorer.errors import InputError
from sspexplorer.gaps import LEAST_BANDS, MIN_BANDS, row_median
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.mocks import EBV_GRID, PARAMETERS, MockSample
from sspexplorer.photometry import MAX_REDSHIFT, synthesize
from sspexplorer.progress import NO_PROGRESS, Progress

# Relative error added in quadrature to those of a catalogue. CIGALE adds 0.1 unless told otherwise
# (Boquien et al. 2019, Sect. 4.3); zero points of narrow bands are good to about 0.02.
DEFAULT_FLOOR = 0.02
CIGALE_FLOOR = 0.1
# Relative error taken for a band whose error is not known.
ASSUMED_ERROR = 0.05
REDSHIFT_STEP = 0.005
POOR_FIT = 5.0  # reduced χ² from which on no model is said to fit

# At a time, so that what is in work stays in the cache: 16 MB for a matrix of 16 000 models.
_CHUNK = 256  # galaxies
_MODELS = 512
_QUANTILES = (0.16, 0.5, 0.84)

MEAN_COLUMNS = tuple(f"fit_{name}" for name in PARAMETERS)
FIT_COLUMNS = (
    *MEAN_COLUMNS,
    *(f"fit_{name}_{what}" for name in PARAMETERS for what in ("err", "p16", "p50", "p84")),
    "fit_chi2",
    "fit_n_bands",
    "fit_flag",
)


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
    def _matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Models over √2, and their squares, shape (n, 57); 0 in bands that take no part."""
        models = self.flux if self.covered.all() else np.where(self.covered, self.flux, 0.0)
        return models * np.sqrt(0.5), models**2

    @cached_property
    def _marginals(self) -> "Marginals":
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


def fit(
    grid: ModelGrid,
    flux: np.ndarray,
    flux_err: np.ndarray,
    *,
    floor: float = 0.0,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Fit every galaxy with every model of a grid.

    For galaxy fluxes f_b with variances s_b² = err_b² + (floor f_b)² and a model m the best
    amplitude is a = Σ f m / s² ÷ Σ m² / s², not below zero, and χ² = Σ f² / s² − a Σ f m / s²; two
    matrix products give it for all models and galaxies. Each model weighs exp(−χ²/2).

    Parameters
    ----------
    grid : ModelGrid
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its 1σ error on one scale for each row. NaN in ``flux`` is a missing band, which
        has no weight, nor has one with an endless error or that not all models cover. An error
        that is NaN or not positive is unknown; 5 % of the median flux is taken instead.
    floor : float
        Relative error added in quadrature.
    progress : Progress, optional
        Told, and asked whether to go on, between chunks of 256 rows.

    Returns
    -------
    DataFrame, n rows
        For each parameter ``fit_…`` (weighted mean), ``fit_…_err`` (weighted standard deviation)
        and the quantiles ``fit_…_p16``, ``_p50`` and ``_p84``; ``fit_chi2``, the least χ² divided
        by the number of bands less one; ``fit_n_bands``; and ``fit_flag``, empty where all is
        well. Rows with fewer than 5 bands, or whose median flux is not positive, get NaN.

    Raises
    ------
    InputError
        If ``floor`` is negative or not a number.
    Cancelled
        If ``progress`` said so.
    """
    if not 0 <= floor < np.inf:
        raise InputError(f"The error to add is a number from 0 upwards, not {floor:g}.")
    flux, error = (np.asarray(array, dtype=float) for array in (flux, flux_err))
    present = np.isfinite(flux) & ~np.isposinf(error) & grid.covered
    n_bands = present.sum(axis=1)
    level = row_median(np.where(present, flux, np.nan))
    usable = (n_bands >= LEAST_BANDS) & (level > 0)
    unknown = present & ~(error > 0)
    values = np.full((len(flux), len(FIT_COLUMNS) - 2), np.nan)
    rows = np.flatnonzero(usable)
    for start in range(0, len(rows), _CHUNK):
        progress.check()
        chunk = rows[start : start + _CHUNK]
        relative = np.where(present[chunk], flux[chunk] / level[chunk, None], 0.0)
        sigma = np.where(unknown[chunk], ASSUMED_ERROR, error[chunk] / level[chunk, None])
        # A band without flux would count for ever if its assumed error were relative to it.
        variance = sigma**2 + (floor * relative) ** 2
        weight = np.divide(1.0, variance, where=present[chunk], out=np.zeros_like(variance))
        values[chunk] = _posterior(grid, relative, weight)
        progress.report((start + len(chunk)) / len(rows))
    table = pd.DataFrame(values, columns=list(FIT_COLUMNS[:-2]))
    table["fit_chi2"] /= np.maximum(n_bands - 1, 1)
    table["fit_n_bands"] = n_bands
    table["fit_flag"] = _flags(n_bands, level, unknown.sum(axis=1), table["fit_chi2"].to_numpy())
    return table


def chi_squared(grid: ModelGrid, flux: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """χ² of every model for every galaxy at the best amplitude, shape (n, n_models).

    Parameters
    ----------
    grid : ModelGrid
    flux : ndarray, shape (n, 57)
        F_ν, any number where the weight is 0.
    weight : ndarray, shape (n, 57)
        Inverse variances, 0 for missing bands, and for those that not all models cover.
    """
    gain = np.empty((len(grid), len(flux)))
    for part, found in _gains(grid, flux, weight):
        gain[part] = found
    return (weight * flux**2).sum(axis=1, keepdims=True) - 2 * gain.T


def _gains(
    grid: ModelGrid, flux: np.ndarray, weight: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """What models take off χ²/2 of galaxies, some models at a time: which, and (n_models, n).

    The second array is only good until the next is asked for.
    """
    models, squares = grid._matrices
    weighted, weight = (np.ascontiguousarray(a.T) for a in (weight * flux, weight))
    both = np.empty((2, _MODELS, len(flux)))
    for start in range(0, len(models), _MODELS):
        part = slice(start, start + _MODELS)
        gain, norm = both[:, : len(models) - start]
        np.matmul(models[part], weighted, out=gain)
        np.matmul(squares[part], weight, out=norm)
        if gain.min() < 0:
            np.maximum(gain, 0.0, out=gain)
        np.multiply(gain, gain, out=gain)
        np.divide(gain, norm, out=gain)
        yield part, gain


def model_weights(grid: ModelGrid, flux: np.ndarray, flux_err: np.ndarray) -> np.ndarray:
    """Weight exp(−χ²/2) of every model for every galaxy, shape (n, n_models); rows add up to 1.

    Parameters
    ----------
    grid : ModelGrid
        All as likely before the data.
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ on one scale for each row; NaN in ``flux`` is a missing band. A floor is
        part of the σ, see :func:`sspexplorer.posterior.taken.prepared`.
    """
    present = np.isfinite(flux) & grid.covered
    level = np.nanmedian(np.where(present, np.abs(flux), np.nan), axis=1, keepdims=True)
    relative = np.where(present, flux / level, 0.0)
    variance = np.where(present, (flux_err / level) ** 2, np.inf)
    chi2 = chi_squared(grid, relative, 1 / variance)
    weight = np.exp((chi2.min(axis=1, keepdims=True) - chi2) / 2)
    return weight / weight.sum(axis=1, keepdims=True)


def _posterior(grid: ModelGrid, flux: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean of each parameter, then error and quantiles of each, then the least χ²."""
    # Each part is held against its own best model while it is in the cache. Differences are all
    # that has to be exact to the last digit: the rest is done in 32 bits.
    probability = np.empty((len(grid), len(flux)), np.float32)
    parts, tops = [], []
    for part, gain in _gains(grid, flux, weight):
        top, found = gain.max(axis=0), probability[part]
        np.subtract(gain, top, out=found, casting="same_kind")
        np.exp(found, out=found)
        parts.append(found)
        tops.append(top)
    best = np.max(tops, axis=0)
    for found, top in zip(parts, tops, strict=True):
        found *= np.exp(top - best).astype(np.float32)
    means, spreads = [], []
    marginals = grid._marginals
    for values, marginal in zip(marginals.values, marginals.add_up(probability), strict=True):
        mean = values @ marginal
        variance = (np.square(values[:, None] - mean) * marginal).sum(axis=0)
        cumulative = np.cumsum(marginal, axis=0)
        places = [(cumulative < q).sum(axis=0) for q in _QUANTILES]
        quantiles = [values[np.minimum(place, len(values) - 1)] for place in places]
        means.append(mean)
        spreads += [np.sqrt(variance), *quantiles]
    return np.stack([*means, *spreads, (weight * flux**2).sum(axis=1) - 2 * best], axis=1)


def fit_at_redshifts(
    libraries: Sequence[str],
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    floor: float = DEFAULT_FLOOR,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Fit each galaxy with models at its redshift, to the nearest 0.005; at rest if unknown.

    The fit knows no error of a redshift: where it is more than that step, the errors of the
    parameters are too small, and a flag says so.

    Returns
    -------
    DataFrame, n rows
        As :func:`fit`. Rows at redshifts that the models do not reach get NaN and a flag; rows
        of unknown redshift get a flag if there are ``redshift``.

    Raises
    ------
    InputError
        If a library is unknown, or ``floor`` is negative or not a number.
    """
    n = len(flux)
    redshift = np.zeros(n) if redshift is None else np.asarray(redshift, dtype=float)
    known = np.where(np.isfinite(redshift), redshift, 0.0)
    beyond = (known > MAX_REDSHIFT) | (known < -REDSHIFT_STEP)
    steps = np.where(beyond, 0, np.rint(np.clip(known, 0, MAX_REDSHIFT) / REDSHIFT_STEP))
    parts, done = [], 0
    for step in np.unique(steps):
        rows = np.flatnonzero(steps == step)
        grid = make_grid(libraries, redshift=min(step * REDSHIFT_STEP, MAX_REDSHIFT))
        tell = progress.part(done / n, len(rows) / n)
        found = fit(grid, flux[rows], flux_err[rows], floor=floor, progress=tell)
        parts.append(found.set_index(rows))
        done += len(rows)
    if not parts:
        return fit(make_grid(libraries), flux, flux_err)
    table = pd.concat(parts).sort_index()
    table.loc[beyond, list(FIT_COLUMNS[:-2])] = np.nan
    found = table["fit_flag"].to_numpy(dtype=object, copy=True)
    found[beyond] = ""
    flags.add(found, beyond, "redshift-outside")
    flags.add(found, ~np.isfinite(redshift), "redshift-unknown")
    if redshift_err is not None:
        fitted = table["fit_log_age"].notna().to_numpy() & np.isfinite(redshift)
        flags.add(found, fitted & (redshift_err > REDSHIFT_STEP), "redshift-uncertain")
    table["fit_flag"] = found
    return table


def some_of_each_magnitude(mocks: MockSample, n: int, seed: int = 0) -> MockSample:
    """At most ``n`` mocks of each magnitude, at random, in their order."""
    shuffled = np.random.default_rng(seed).permutation(len(mocks))
    place = mocks.labels["magnitude"].iloc[shuffled].groupby(mocks.labels["magnitude"]).cumcount()
    kept = np.zeros(len(mocks), dtype=bool)
    kept[shuffled[place.to_numpy() < n]] = True
    return mocks.rows(kept)


def fit_mocks(
    grid: ModelGrid,
    mocks: MockSample,
    *,
    models: str = "all",
    itself: bool = True,
    floor: float = 0.0,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Fit mocks with the models of all libraries, of their own, of the others, or of one.

    Parameters
    ----------
    grid : ModelGrid
    mocks : MockSample
        At the redshift of the grid.
    models : {"all", "own", "others"} or name of a library
        What each mock is fitted with. ``others`` is what every real galaxy meets: no library is
        that of nature.
    itself : bool
        Whether the SSPs of the mocks are in the grid, or only their neighbours.
    floor, progress
        As in :func:`fit`.

    Returns
    -------
    DataFrame, n rows
        As :func:`fit`.

    Raises
    ------
    InputError
        If ``models`` is unknown, or no model is left for a mock.
    Cancelled
        If ``progress`` said so.
    """
    known = ("all", "own", "others", *np.unique(grid.library))
    if models not in known:
        raise InputError(f"Mocks are fitted with one of {', '.join(known)}, not {models!r}.")
    allowed = np.full(len(grid), True)
    if not itself:
        allowed = ~np.isin(grid.ssp, mocks.labels["ssp"].unique())
    if models in grid.library:
        allowed &= grid.library == models
    library = mocks.labels["library"].to_numpy()
    groups = list(np.unique(library)) if models in ("own", "others") else [None]
    parts, done = [], 0
    for name in groups:
        rows = np.flatnonzero(library == name) if name else np.arange(len(mocks))
        chosen = allowed
        if name:
            chosen = allowed & ((grid.library == name) == (models == "own"))
        part = progress.part(done / len(mocks), len(rows) / len(mocks))
        found = fit(
            grid if chosen.all() else grid.select(chosen),
            mocks.flux[rows],
            mocks.flux_err[rows],
            floor=floor,
            progress=part,
        )
        parts.append(found.set_index(rows))
        done += len(rows)
    return pd.concat(parts).sort_index()


def _flags(
    n_bands: np.ndarray, level: np.ndarray, n_unknown: np.ndarray, chi2: np.ndarray
) -> np.ndarray:
    found = flags.column(len(n_bands))
    enough = n_bands >= LEAST_BANDS
    flags.add(found, n_bands == 0, "no-bands")
    flags.add(found, (n_bands > 0) & ~enough, "too-few-bands")
    flags.add(found, enough & ~(level > 0), "flux-not-positive")
    usable = enough & (level > 0)
    flags.add(found, usable & (n_bands < MIN_BANDS), "few-bands")
    flags.add(found, usable & (n_unknown == n_bands), "errors-unknown")
    flags.add(found, usable & (n_unknown > 0) & (n_unknown < n_bands), "some-errors-unknown")
    with np.errstate(invalid="ignore"):
        flags.add(found, chi2 > POOR_FIT, "no-model-fits")
    return found
