"""Mock samples: every SSP behind every dust screen at every magnitude, with noise."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sspexplorer.bands import BAND_NAMES
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.gaps import over_median, row_median
from sspexplorer.gas import IonisedGas
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import band_matrix, spectral_fnu, synthesize
from sspexplorer.whole import whole

PARAMETERS = ("log_age", "metallicity", "ebv")
# Domínguez Sánchez et al. (2026), footnote 1 and Sect. 2.2.
EBV_GRID = (0.0, 0.03, 0.06, 0.13, 0.26, 0.40, 0.60, 0.80)
MAGNITUDES = tuple(float(m) for m in np.arange(16.0, 22.1, 0.5))
SPLIT_FRACTIONS = {"train": 0.65, "validation": 0.15, "test": 0.20}

LABELS = (*PARAMETERS, "magnitude", "redshift", "library", "ssp", "split")
_TEXT_LABELS = ("library", "ssp", "split")
_META_KEY = b"sspexplorer"


@dataclass(frozen=True)
class MockSample:
    """Simulated photometry with known parameters.

    Attributes
    ----------
    flux : ndarray, shape (n, 57), float32
        F_ν with noise, each row divided by its median.
    flux_err : ndarray, shape (n, 57), float32
        The σ of that noise, on the same scale. It is proportional to the noise-free flux, so an
        estimator that were given both could take the noise off again.
    labels : DataFrame, n rows
        ``log_age`` (log10 yr), ``metallicity`` (dex), ``ebv`` (mag), ``magnitude`` (i, AB),
        ``redshift``, ``library``, ``ssp`` (which SSP it came from) and ``split``.
    meta : dict
        How the sample was made: ``libraries``, ``ebv_grid``, ``continuous_ebv``,
        ``magnitudes``, ``noise`` (a :class:`~sspexplorer.noise.NoiseModel` as a dict), ``seed``
        and ``split``.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    labels: pd.DataFrame
    meta: dict

    def __len__(self) -> int:
        """Count the mocks."""
        return len(self.flux)

    @property
    def parameters(self) -> np.ndarray:
        """True log_age, metallicity and ebv, shape (n, 3), float64."""
        return self.labels[list(PARAMETERS)].to_numpy(float)

    @property
    def noise_free(self) -> np.ndarray:
        """F_ν without the noise, each row divided by its median, shape (n, 57), float32."""
        noise = NoiseModel.from_dict(self.meta["noise"])
        flux = self.flux_err / noise.relative_error(self.labels["magnitude"].to_numpy())
        return (flux / row_median(flux)[:, None]).astype(np.float32)

    @property
    def snr(self) -> np.ndarray:
        """Median signal-to-noise ratio of the 57 bands without noise, shape (n,)."""
        noise = NoiseModel.from_dict(self.meta["noise"])
        magnitudes, index = np.unique(self.labels["magnitude"], return_inverse=True)
        return np.median(1 / noise.relative_error(magnitudes), axis=1)[index]

    def rows(self, mask: np.ndarray) -> "MockSample":
        """Sample with only the rows where ``mask`` (n,) is true."""
        labels = self.labels.loc[mask].reset_index(drop=True)
        return MockSample(self.flux[mask], self.flux_err[mask], labels, self.meta)

    def part(self, split: str) -> "MockSample":
        """Sample with only the rows of one split: train, validation or test."""
        return self.rows((self.labels["split"] == split).to_numpy())

    def subset(self, n: int, seed: int = 0) -> "MockSample":
        """Sample with ``n`` of the train and validation mocks, at random, and all test mocks.

        Each mock stays in its split, so SSPs that are held out stay held out. With ``n`` no
        smaller than their number, all are there. ``meta`` says which were drawn.

        Raises
        ------
        InputError
            If ``n`` is not positive.
        """
        if n < 1:
            raise InputError(f"A sample to train on needs at least one mock, not {n}.")
        test = (self.labels["split"] == "test").to_numpy()
        drawn = np.random.default_rng(seed).permutation(np.flatnonzero(~test))[:n]
        chosen = self.rows(test | np.isin(np.arange(len(self)), drawn))
        return replace(chosen, meta=self.meta | {"subset": {"n": n, "seed": seed}})

    def with_new_noise(self, seed: int | tuple[int, ...]) -> "MockSample":
        """Same objects under another draw of the same noise."""
        noise = NoiseModel.from_dict(self.meta["noise"])
        magnitude = self.labels["magnitude"].to_numpy()
        noisy, error = noise.add(self.noise_free, magnitude, np.random.default_rng(seed))
        return MockSample(*over_median(noisy, error), self.labels, self.meta)

    def to_parquet(self, path: str | Path | BinaryIO) -> None:
        """Write the sample as one table: bands, ``<band>_err``, then the labels.

        Parameters
        ----------
        path : str, Path or file
            A file is one that is open for writing in binary.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        columns = {name: self.flux[:, i] for i, name in enumerate(BAND_NAMES)}
        columns |= {f"{name}_err": self.flux_err[:, i] for i, name in enumerate(BAND_NAMES)}
        table = pa.table(columns | {name: pa.array(self.labels[name]) for name in LABELS})
        table = table.replace_schema_metadata({_META_KEY: json.dumps(self.meta)})
        try:
            with whole(Path(path)) if isinstance(path, str | Path) else nullcontext(path) as file:
                pq.write_table(table, file, compression="zstd")
        except OSError as error:
            raise InputError(f"Cannot write {path}: {error.strerror or error}.") from None

    @classmethod
    def from_parquet(cls, path: Path) -> "MockSample":
        """Read a sample written by :meth:`to_parquet`.

        Raises
        ------
        InputError
            If the file is missing, is not Parquet, or lacks a column.
        """
        try:
            table = pq.read_table(path)
        except FileNotFoundError:
            raise InputError(f"There is no mock sample at {path}.") from None
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(
                f"{path} is not a Parquet file: {str(error).splitlines()[0]}"
            ) from None
        wanted = (*BAND_NAMES, *(f"{name}_err" for name in BAND_NAMES), *LABELS)
        missing = [name for name in wanted if name not in table.column_names]
        if missing:
            shown = ", ".join(missing[:3]) + (" …" if len(missing) > 3 else "")
            raise InputError(f"{path} is not a mock sample: it lacks the columns {shown}.")
        meta = json.loads((table.schema.metadata or {}).get(_META_KEY, b"{}"))
        labels = table.select(list(LABELS)).to_pandas()
        return cls(_stack(table, BAND_NAMES), _stack(table, wanted[57:114]), labels, meta)


def _stack(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    return np.stack([table[name].to_numpy() for name in names], axis=1).astype(np.float32)


def split_of(ssp: Sequence[str] | np.ndarray, seed: int = 0) -> np.ndarray:
    """Assign whole SSPs to train, validation and test (65, 15 and 20 %).

    The answer depends only on an SSP's identifier and ``seed``, so an SSP that a model has not
    seen stays unseen in every sample, whatever its other SSPs or its noise.

    Parameters
    ----------
    ssp : sequence of str
        Identifiers, see :attr:`sspexplorer.libraries.SSPLibrary.ids`.
    seed : int
        Another seed gives another split.

    Returns
    -------
    ndarray of str, shape (len(ssp),)
    """
    digests = [hashlib.sha256(f"{seed}:{name}".encode()).digest() for name in ssp]
    uniform = np.array([int.from_bytes(d[:8], "big") for d in digests]) / 2.0**64
    return split_at(uniform)


def split_at(uniform: np.ndarray) -> np.ndarray:
    """Names of splits for numbers that are even from 0 to 1."""
    limits = np.cumsum(list(SPLIT_FRACTIONS.values()))[:-1]
    return np.array(list(SPLIT_FRACTIONS), dtype=object)[np.searchsorted(limits, uniform, "right")]


def noise_free_seds(
    library: SSPLibrary, ebv: float | np.ndarray, redshift: float
) -> tuple[np.ndarray, pd.DataFrame]:
    """Photometry without noise and labels of every SSP of a library behind dust."""
    flux = synthesize(library.spectra, library.wavelength, ebv, redshift, gaps=True)
    labels = pd.DataFrame(
        {
            "log_age": library.log_age,
            "metallicity": library.metallicity,
            "ebv": ebv,
            "redshift": float(redshift),
            "library": library.name,
            "ssp": library.ids,
        }
    )
    return (flux / row_median(flux)[:, None]).astype(np.float32), labels


def _cell(grid: Sequence[float], index: int) -> tuple[float, float]:
    """Part of the range that lies nearest to one value of an increasing grid."""
    edges = np.concatenate([grid[:1], (np.add(grid[1:], grid[:-1])) / 2, grid[-1:]])
    return edges[index], edges[index + 1]


@dataclass(frozen=True)
class Observation:
    """One SSP behind dust, seen by J-PAS at some magnitude.

    Attributes
    ----------
    library : str
    log_age, metallicity, ebv, magnitude, redshift : float
        log10 yr, dex, mag, i (AB) mag, dimensionless.
    wavelength, spectrum : ndarray, shape (n_wave,)
        Observed wavelength in Å, and F_ν on the scale of ``noise_free``.
    noise_free, flux, flux_err : ndarray, shape (57,)
        F_ν without noise divided by its median, with noise, and the σ of the noise; NaN in bands
        that the library does not cover.
    gas : IonisedGas or None
        Gas around the stars.
    line_width : ndarray, shape (n_line,) or (0,)
        Rest-frame equivalent width of its lines in Å; empty without gas.
    """

    library: str
    log_age: float
    metallicity: float
    ebv: float
    magnitude: float
    redshift: float
    wavelength: np.ndarray
    spectrum: np.ndarray
    noise_free: np.ndarray
    flux: np.ndarray
    flux_err: np.ndarray
    gas: IonisedGas | None = None
    line_width: np.ndarray = field(default_factory=lambda: np.zeros(0))


def observe(
    library: SSPLibrary,
    log_age: float,
    metallicity: float,
    *,
    ebv: float = 0.0,
    magnitude: float = 18.0,
    redshift: float = 0.0,
    noise: NoiseModel | None = None,
    gas: IonisedGas | None = None,
    seed: int | tuple[int, ...] = 0,
) -> Observation:
    """Observe the SSP of ``library`` nearest to an age and metallicity.

    Parameters
    ----------
    library : SSPLibrary
    log_age, metallicity : float
        log10 yr and dex; the nearest SSP is taken, and its own values are in the answer.
    ebv, magnitude, redshift : float
    noise : NoiseModel, optional
        :meth:`NoiseModel.default` unless given.
    gas : IonisedGas, optional
        Gas around the stars; none unless given.
    seed : int or tuple of int
        Seed of the noise. The same seed at another magnitude is the same draw, scaled.
    """
    index = library.nearest(log_age, metallicity)
    log_age, metallicity = float(library.log_age[index]), float(library.metallicity[index])
    dusty = library.spectra[index] * transmission(library.wavelength, ebv)
    line_width = np.zeros(0)
    if gas:
        dusty, line_width = gas.added_to(
            dusty, library.wavelength, log_age=log_age, metallicity=metallicity, ebv=ebv
        )
    flux = dusty @ band_matrix(library.wavelength, redshift, gaps=True)
    scale = row_median(flux[None])[0]
    noise = noise or NoiseModel.default()
    noisy, error = noise.add(flux / scale, magnitude, np.random.default_rng(seed))
    return Observation(
        library=library.name,
        log_age=log_age,
        metallicity=metallicity,
        ebv=float(ebv),
        magnitude=float(magnitude),
        redshift=float(redshift),
        wavelength=library.wavelength * (1 + redshift),
        spectrum=spectral_fnu(dusty, library.wavelength, redshift) / scale,
        noise_free=flux / scale,
        flux=noisy,
        flux_err=error,
        gas=gas,
        line_width=line_width,
    )


def ingredients(
    libraries: Sequence[str | SSPLibrary], split: str, *grids: Sequence[float]
) -> list[SSPLibrary]:
    """Load the libraries of a sample; refuse, as :func:`make_mocks`, what makes none."""
    if split not in ("ssp", "random"):
        raise InputError(f"A split is 'ssp' or 'random', not {split!r}.")
    if not all(map(len, (libraries, *grids))):
        raise InputError("A mock sample needs at least one library, one E(B−V) and one magnitude.")
    return [load_library(lib) if isinstance(lib, str) else lib for lib in libraries]


def described(
    libraries: Sequence[SSPLibrary],
    ebv_grid: Sequence[float],
    magnitudes: Sequence[float],
    noise: NoiseModel,
    seed: int,
    split: str,
    continuous_ebv: bool = False,
) -> dict[str, Any]:
    """What a sample says of its making, for a card: see :func:`make_mocks`."""
    return {
        "libraries": [library.name for library in libraries],
        "ebv_grid": [float(e) for e in ebv_grid],
        "continuous_ebv": continuous_ebv,
        "magnitudes": [float(m) for m in magnitudes],
        "noise": noise.to_dict(),
        "seed": int(seed),
        "split": split,
    }


def make_mocks(
    libraries: Sequence[str | SSPLibrary] = LIBRARY_NAMES,
    *,
    ebv_grid: Sequence[float] = EBV_GRID,
    continuous_ebv: bool = False,
    magnitudes: Sequence[float] = MAGNITUDES,
    noise: NoiseModel | None = None,
    seed: int = 0,
    split: str = "ssp",
    redshift: float = 0.0,
) -> MockSample:
    """Make a mock sample: every SSP × E(B−V) × magnitude.

    Bands that a library does not cover are missing (NaN).

    Parameters
    ----------
    libraries : sequence of str or SSPLibrary
        Names of shipped libraries, or libraries.
    ebv_grid : sequence of float
        Colour excesses in mag, increasing.
    continuous_ebv : bool
        Draw each mock's E(B−V) evenly from the part of the range nearest to its grid value: a
        network trained on the grid alone learns that no other value exists, and answers with
        grid values.
    magnitudes : sequence of float
        i magnitudes (AB), which set the noise.
    noise : NoiseModel, optional
        :meth:`NoiseModel.default` unless given.
    seed : int
        Seed of all that is drawn; the same seed gives the same sample.
    split : {"ssp", "random"}
        Hold out whole SSPs, or mocks at random as the paper does.
    redshift : float

    Raises
    ------
    InputError
        If a library is unknown, or a grid or ``split`` cannot be used.
    """
    loaded = ingredients(libraries, split, ebv_grid, magnitudes)
    noise, rng = noise or NoiseModel.default(), np.random.default_rng(seed)
    fluxes, frames = [], []
    for library, (cell, ebv) in product(loaded, enumerate(ebv_grid)):
        fixed = noise_free_seds(library, float(ebv), redshift)
        for magnitude in magnitudes:
            flux, labels = fixed
            if continuous_ebv:
                drawn = rng.uniform(*_cell(ebv_grid, cell), len(library))
                flux, labels = noise_free_seds(library, drawn, redshift)
            fluxes.append(flux)
            frames.append(labels.assign(magnitude=float(magnitude)))
    labels = pd.concat(frames, ignore_index=True)
    magnitude = labels["magnitude"].to_numpy()
    noisy, error = noise.add(np.concatenate(fluxes), magnitude, rng)

    if split == "ssp":
        ids = labels["ssp"].unique()
        labels["split"] = labels["ssp"].map(dict(zip(ids, split_of(ids), strict=True)))
    else:
        labels["split"] = split_at(rng.random(len(labels)))
    meta = described(loaded, ebv_grid, magnitudes, noise, seed, split, continuous_ebv)
    return MockSample(*over_median(noisy, error), labels[list(LABELS)], meta)
