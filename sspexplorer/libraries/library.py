"""Libraries of single stellar populations (SSPs): spectra of one age and one metallicity.

A library on disk is one HDF5 file in the layout written by :func:`write_library`: datasets
``wavelength`` (Å), ``spectra`` (L_sun/Å/M_sun, float32), ``log_age`` (log10 yr), ``metallicity``
([M/H], dex), ``imf`` and ``isochrone`` (text, one per SSP), and the file attributes ``name``,
``title``, ``citation``, ``terms``, ``provenance`` and ``left_out`` (the last two as JSON).

Those of :data:`SHIPPED_NAMES` ship with the package. Others are added by
:mod:`sspexplorer.libraries.store`, which keeps them in the same layout; :func:`library_names`
names all.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import h5py
import numpy as np

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.errors import InputError
from sspexplorer.photometry import covered_bands
from sspexplorer.resources import data_path, user_path

# What is used unless others are named: these cover all bands.
LIBRARY_NAMES: tuple[str, ...] = ("emiles", "bc03", "popstar")
SHIPPED_NAMES: tuple[str, ...] = (*LIBRARY_NAMES, "m11", "mastar")

# 1.5 Myr is the youngest age of the paper's CB19 library (Sect. 2.1.2).
DEFAULT_AGE_RANGE = (1.5e6, 14e9)

_SEEN_SHARE = 1e-3  # the wings of the curves hold less

_PER_SSP = ("log_age", "metallicity", "imf", "isochrone")
_TEXTS = ("name", "title", "citation", "terms")


@dataclass(frozen=True)
class SSPLibrary:
    """Spectra of single stellar populations on one rest-frame wavelength grid.

    Attributes
    ----------
    name, title : str
        Short name (``emiles``) and the name to show (``E-MILES``).
    citation, terms : str
        What to cite, and the terms under which the spectra are distributed.
    provenance : dict
        Package, version and files the spectra come from, and how they were resampled.
    left_out : tuple of str
        One sentence for each group of SSPs that was not taken over, with the reason.
    wavelength : ndarray, shape (n_wave,), float64
        Rest-frame wavelength in Å, increasing.
    spectra : ndarray, shape (n_ssp, n_wave), float32
        F_lambda in L_sun/Å per solar mass formed.
    log_age : ndarray, shape (n_ssp,), float64
        log10 of the age in years.
    metallicity : ndarray, shape (n_ssp,), float64
        [M/H] in dex.
    imf, isochrone : ndarray, shape (n_ssp,), str
        Initial mass function and isochrones of each SSP.
    """

    name: str
    title: str
    citation: str
    terms: str
    provenance: dict
    left_out: tuple[str, ...]
    wavelength: np.ndarray
    spectra: np.ndarray
    log_age: np.ndarray
    metallicity: np.ndarray
    imf: np.ndarray
    isochrone: np.ndarray

    def __post_init__(self) -> None:
        """Check that the arrays belong together.

        Raises
        ------
        InputError
            If shapes disagree, wavelengths do not increase, or a value is not finite.
        """
        n_ssp, n_wave = self.spectra.shape
        if self.wavelength.shape != (n_wave,) or not np.all(np.diff(self.wavelength) > 0):
            raise InputError(
                f"Library {self.name}: the {n_wave} columns of the spectra need as many "
                "increasing wavelengths."
            )
        for field in _PER_SSP:
            if getattr(self, field).shape != (n_ssp,):
                raise InputError(f"Library {self.name}: {field} needs one value for each SSP.")
        if not (np.isfinite(self.spectra).all() and np.isfinite(self.log_age).all()):
            raise InputError(f"Library {self.name}: spectra and ages must be finite numbers.")
        for array in (self.wavelength, self.spectra, *(getattr(self, f) for f in _PER_SSP)):
            array.flags.writeable = False

    def __len__(self) -> int:
        """Count the SSPs."""
        return len(self.log_age)

    @property
    def ids(self) -> np.ndarray:
        """Identifier of each SSP, shape (n_ssp,): library, IMF, isochrone, [M/H], log age."""
        return np.array(
            [
                f"{self.name}/{imf}/{isochrone}/{metallicity:+.3f}/{log_age:.4f}"
                for imf, isochrone, metallicity, log_age in zip(
                    self.imf, self.isochrone, self.metallicity, self.log_age, strict=True
                )
            ]
        )

    @property
    def ages(self) -> np.ndarray:
        """Distinct log ages (log10 yr), increasing."""
        return np.unique(self.log_age)

    @property
    def metallicities(self) -> np.ndarray:
        """Distinct metallicities (dex), increasing."""
        return np.unique(self.metallicity)

    def covered_bands(self, redshift: float = 0.0) -> np.ndarray:
        """Bands that the spectra cover, see :func:`sspexplorer.photometry.covered_bands`.

        Returns
        -------
        ndarray of bool, shape (57,)
            False for bands whose photometry is missing (NaN).
        """
        return covered_bands(self.wavelength, redshift)

    @property
    def covers_all_bands(self) -> bool:
        """Whether no band is missing at rest."""
        return bool(self.covered_bands().all())

    def continued_bands(self, redshift: float = 0.0) -> tuple[str, ...]:
        """Bands that rest on a model below the blue edge of the library's own spectra.

        Parameters
        ----------
        redshift : float
            Redshift at which the bands are seen.

        Returns
        -------
        tuple of str
            Bands with more than 0.1 % of their transmission, ∫ T dλ, at rest-frame wavelengths
            below ``provenance["continued_below"]`` (Å); empty for a library that has none.
        """
        edge = self.provenance.get("continued_below", 0.0) * (1 + redshift)
        shares = (_share_below(curve, edge) for curve in load_bands().curves)
        return tuple(
            name for name, share in zip(BAND_NAMES, shares, strict=True) if share > _SEEN_SHARE
        )

    def nearest(self, log_age: float, metallicity: float) -> int:
        """Index of the SSP closest in metallicity, and among those closest in log age."""
        metal_distance = np.abs(self.metallicity - metallicity)
        candidates = np.flatnonzero(metal_distance <= metal_distance.min() + 1e-9)
        return int(candidates[np.argmin(np.abs(self.log_age[candidates] - log_age))])

    def select(self, mask: np.ndarray) -> "SSPLibrary":
        """Library with only the SSPs where ``mask`` (n_ssp,) is true."""
        chosen = {field: getattr(self, field)[mask] for field in ("spectra", *_PER_SSP)}
        return replace(self, **chosen)

    def within(self, age_range: tuple[float, float]) -> "SSPLibrary":
        """Library with only the SSPs whose age in years lies in ``age_range`` (inclusive)."""
        low, high = np.log10(age_range)
        return self.select((self.log_age >= low - 1e-6) & (self.log_age <= high + 1e-6))

    @classmethod
    def from_arrays(
        cls,
        name: str,
        wavelength: np.ndarray,
        spectra: np.ndarray,
        log_age: np.ndarray,
        metallicity: np.ndarray,
        *,
        imf: str | np.ndarray = "unknown",
        isochrone: str | np.ndarray = "unknown",
        **texts: Any,
    ) -> "SSPLibrary":
        """Make a library of one's own.

        Parameters
        ----------
        name : str
            Short name.
        wavelength : array_like, shape (n_wave,)
            Rest-frame wavelength in Å, increasing.
        spectra : array_like, shape (n_ssp, n_wave)
            F_lambda, in any unit that is the same for all SSPs.
        log_age, metallicity : array_like, shape (n_ssp,)
            log10 of the age in years, and [M/H] in dex.
        imf, isochrone : str or array_like of str
            One text for all SSPs, or one for each.
        **texts
            ``title``, ``citation``, ``terms``, ``provenance`` and ``left_out``.

        Raises
        ------
        InputError
            If the shapes disagree or the wavelengths do not increase.
        """
        spectra = np.array(spectra, dtype=np.float32, ndmin=2)
        n_ssp = len(spectra)
        return cls(
            name=name,
            title=str(texts.get("title", name)),
            citation=str(texts.get("citation", "")),
            terms=str(texts.get("terms", "")),
            provenance=dict(texts.get("provenance", {})),
            left_out=tuple(texts.get("left_out", ())),
            wavelength=np.array(wavelength, dtype=float),
            spectra=spectra,
            log_age=np.array(log_age, dtype=float),
            metallicity=np.array(metallicity, dtype=float),
            imf=np.array(np.broadcast_to(imf, n_ssp), dtype=str),
            isochrone=np.array(np.broadcast_to(isochrone, n_ssp), dtype=str),
        )


def _share_below(curve: tuple[np.ndarray, np.ndarray], edge: float) -> float:
    wavelength, transmission = curve
    fine = np.linspace(wavelength[0], wavelength[-1], 2001)
    values = np.interp(fine, wavelength, transmission)
    return float(values[fine < edge].sum() / values.sum())


def write_library(library: SSPLibrary, path: Path | BinaryIO) -> None:
    """Write ``library`` in the compact layout of this module; equal input gives equal bytes."""
    with h5py.File(path, "w", libver="v110", track_order=True) as file:
        for field in _TEXTS:
            file.attrs[field] = getattr(library, field)
        file.attrs["provenance"] = json.dumps(library.provenance, sort_keys=True)
        file.attrs["left_out"] = json.dumps(library.left_out)
        file.create_dataset("wavelength", data=library.wavelength)
        file.create_dataset(
            "spectra",
            data=library.spectra,
            chunks=(min(len(library), 64), library.spectra.shape[1]),
            compression="gzip",
            compression_opts=6,
            shuffle=True,
        )
        for field in _PER_SSP:
            values = getattr(library, field)
            dtype = h5py.string_dtype() if values.dtype.kind == "U" else values.dtype
            file.create_dataset(
                field, data=values.astype(object) if dtype != values.dtype else values, dtype=dtype
            )


def read_library(path: Path) -> SSPLibrary:
    """Read a library written by :func:`write_library`.

    Raises
    ------
    InputError
        If there is no such file, or it does not have this layout.
    """
    try:
        with h5py.File(path, "r") as file:
            texts = {field: str(file.attrs[field]) for field in _TEXTS}
            return SSPLibrary.from_arrays(
                wavelength=file["wavelength"][:],
                spectra=file["spectra"][:],
                log_age=file["log_age"][:],
                metallicity=file["metallicity"][:],
                imf=file["imf"].asstr()[:],
                isochrone=file["isochrone"].asstr()[:],
                provenance=json.loads(file.attrs["provenance"]),
                left_out=json.loads(file.attrs["left_out"]),
                **texts,
            )
    except FileNotFoundError:
        raise InputError(f"There is no SSP library at {path}.") from None
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is not an SSP library in our HDF5 layout: {error}.") from None


def added_folder() -> Path:
    """Folder of the libraries that were added; see :func:`sspexplorer.resources.user_path`."""
    return user_path("libraries")


def library_path(name: str) -> Path:
    """Path of the file of a library.

    Raises
    ------
    InputError
        If there is no library of that name.
    """
    if name in SHIPPED_NAMES:
        return data_path("libraries", f"{name}.h5")
    path = added_folder() / f"{_stems().get(name, name)}.h5"
    # A name with a slash in it would lead out of the folder.
    if path.parent != added_folder() or not path.is_file():
        known = ", ".join(library_names())
        raise InputError(f"There is no SSP library called {name!r}; there are {known}.")
    return path


def library_names() -> tuple[str, ...]:
    """Names of all libraries: the shipped ones, then those that were added, by the alphabet."""
    found = sorted(path for path in added_folder().glob("[!.]*.h5") if _is_library(path))
    names = {stem: name for name, stem in _stems().items()}
    return (*SHIPPED_NAMES, *(names.get(path.stem, path.stem) for path in found))


def _stems() -> dict[str, str]:
    """Files that were added under a name that a library has since been shipped under, by theirs."""
    return {f"{name}-added": name for name in SHIPPED_NAMES}


def whole_library_names() -> tuple[str, ...]:
    """Names of all libraries that cover all bands, in the order of :func:`library_names`."""
    paths = {name: library_path(name) for name in library_names()}
    return tuple(name for name, path in paths.items() if _is_whole(path, _identity(path)))


def in_order(names: Iterable[str]) -> list[str]:
    """Each name once: shipped libraries in their order, then others by the alphabet."""
    places = {name: place for place, name in enumerate(SHIPPED_NAMES)}
    return sorted(set(names), key=lambda name: (places.get(name, len(places)), name))


def library_version(name: str) -> tuple[int, int, int]:
    """Identity of the file of a library: another one when it was added anew.

    Raises
    ------
    InputError
        If there is no library of that name.
    """
    return _identity(library_path(name))


def library_title(name: str) -> str:
    """Name of a library to show, such as ``E-MILES``.

    Raises
    ------
    InputError
        If there is no library of that name.
    """
    path = library_path(name)
    return _read_title(path, _identity(path))


def load_library(
    name: str, age_range: tuple[float, float] | None = DEFAULT_AGE_RANGE
) -> SSPLibrary:
    """Load a library, shipped or added (read-only, read once for as long as its file is the same).

    Parameters
    ----------
    name : str
        One of :func:`library_names`.
    age_range : (float, float) or None
        Youngest and oldest age in years to keep, inclusive; None keeps all.

    Raises
    ------
    InputError
        If there is no library of that name, or its file is of another layout.
    """
    path = library_path(name)
    return _load(name, path, _identity(path), age_range)


def _identity(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(f"Cannot read the SSP library {path}: {error.strerror}.") from None
    return found.st_ino, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=32)
def _load(
    name: str, path: Path, identity: tuple[int, int, int], age_range: tuple[float, float] | None
) -> SSPLibrary:
    library = read_library(path)
    # A file that was renamed is known by its new name.
    library = library if library.name == name else replace(library, name=name)
    return library if age_range is None else library.within(age_range)


def _is_library(path: Path) -> bool:
    with suppress(InputError):
        return bool(_read_title(path, _identity(path)))
    return False


@lru_cache(maxsize=256)
def _is_whole(path: Path, identity: tuple[int, int, int]) -> bool:
    """:attr:`SSPLibrary.covers_all_bands` without its spectra."""
    with h5py.File(path, "r") as file:
        return bool(covered_bands(file["wavelength"][:]).all())


@lru_cache(maxsize=256)
def _read_title(path: Path, identity: tuple[int, int, int]) -> str:
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs["title"])
    except (OSError, KeyError):
        return ""
