"""A library of one's own, in HDF5 or in NetCDF-4 (which is HDF5).

Variables: ``wavelength`` (n_wave,), in Å or with an attribute ``units``; ``spectra``
(n_ssp, n_wave), F_λ in any unit; ``log_age`` (n_ssp,), log10 yr; ``metallicity`` (n_ssp,), [M/H]
in dex. Optional: ``imf`` and ``isochrone``, as variables (n_ssp,) of text or as attributes of the
file; the attributes ``title``, ``citation`` and ``terms``. Files of
:func:`sspexplorer.libraries.write_library` have this layout.
"""

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from astropy import units

from sspexplorer.errors import InputError
from sspexplorer.libraries.readers.contents import Batch, Contents
from sspexplorer.libraries.readers.files import open_hdf5

NEEDED = ("wavelength", "spectra", "log_age", "metallicity")
_ENDINGS = (".h5", ".hdf5", ".nc", ".nc4")


def read(path: Path) -> Contents:
    """Contents of one file in this layout (or of the only one in a folder).

    Raises
    ------
    InputError
        If there is no such file, or it lacks a variable, or its shapes or values are not right.
    """
    path = _only_file(path)
    with open_hdf5(path) as file:
        missing = [name for name in NEEDED if name not in file]
        if missing:
            there = ", ".join(file) or "nothing"
            raise InputError(f"{path} lacks {' and '.join(missing)}; it has {there}.")
        wavelength = _in_angstrom(path, file["wavelength"])
        spectra, log_age, metallicity = (file[name][:].astype(float) for name in NEEDED[1:])
        _check(path, wavelength, spectra, log_age, metallicity)
        labels = {name: _labels(file, name, len(log_age)) for name in ("imf", "isochrone")}
        texts = _texts(path, file)
    batch = Batch(path.name, wavelength, spectra, 10**log_age, metallicity, **labels)
    left_out = tuple(texts.pop("left_out"))
    return Contents(iter([batch]), 1, left_out, texts)


def _only_file(path: Path) -> Path:
    if not path.exists():
        raise InputError(f"There is no file or folder at {path}.")
    if path.is_file():
        return path
    files = [file for file in sorted(path.iterdir()) if file.suffix in _ENDINGS]
    if len(files) != 1:
        endings = ", ".join(_ENDINGS)
        raise InputError(f"{path} holds {len(files)} files ending in {endings}, not one.")
    return files[0]


def _in_angstrom(path: Path, dataset: h5py.Dataset) -> np.ndarray:
    unit = _text(dataset.attrs.get("units", "Angstrom"))
    try:
        return (dataset[:].astype(float) * units.Unit(unit)).to_value(units.AA)
    except (ValueError, units.UnitConversionError):
        raise InputError(f"{path}: {unit!r} is no unit of wavelength.") from None


def _check(
    path: Path,
    wavelength: np.ndarray,
    spectra: np.ndarray,
    log_age: np.ndarray,
    metallicity: np.ndarray,
) -> None:
    shape = (len(log_age), len(wavelength))
    if spectra.shape != shape or metallicity.shape != log_age.shape:
        raise InputError(
            f"{path}: spectra has shape {spectra.shape}, not (log_age, wavelength) = {shape}."
        )
    if not (np.isfinite(wavelength).all() and np.all(np.diff(wavelength) > 0)):
        raise InputError(f"{path}: wavelength must increase from each value to the next.")
    if not (np.all((log_age > 4) & (log_age < 11)) and np.isfinite(metallicity).all()):
        raise InputError(
            f"{path}: log_age must be log10 of years, 4 to 11, and metallicity finite, in dex."
        )


def _labels(file: h5py.File, name: str, n_ssp: int) -> str | np.ndarray:
    if name not in file:
        return _text(file.attrs.get(name, "unknown"))
    values = np.array([_text(value) for value in np.atleast_1d(file[name][()])])
    return np.broadcast_to(values, n_ssp)


def _texts(path: Path, file: h5py.File) -> dict:
    texts: dict[str, Any] = {
        name: _text(file.attrs[name])
        for name in ("title", "citation", "terms")
        if name in file.attrs
    }
    texts.setdefault("title", path.stem)
    texts["left_out"] = json.loads(_text(file.attrs.get("left_out", "[]")))
    provenance = json.loads(_text(file.attrs.get("provenance", "{}")))
    texts["provenance"] = {"source": path.name, **provenance}
    return texts


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
