"""Synthetic photometry: from spectra to the 57 bands, as one matrix product."""

from functools import lru_cache

import numpy as np

from sspexplorer.bands import load_bands
from sspexplorer.constants import SPEED_OF_LIGHT
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError

# To this redshift galaxies are nearby, and single populations and fits are answered for; to the
# other one spectra that begin at 1500 Å cover all bands.
MAX_REDSHIFT = 0.1
FARTHEST_REDSHIFT = 1.0
# Motions of their own bring nearby galaxies toward us.
NEAREST_REDSHIFT = -0.005

# A band may lie so much outside of the spectra, as a share of ∫ T dλ: the wings hold less.
_OUTSIDE_SHARE = 1e-3


def _hat_weights(wavelength: np.ndarray, curve: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Integrate a photon-counting curve against each linear interpolation hat.

    For F_λ linear between the nodes ``wavelength``, ∫ F_λ λ T dλ = F_λ · weights. The product of
    a hat, λ and a T that is linear between its own nodes is a cubic on each piece of the merged
    grid, which Simpson's rule integrates exactly.
    """
    grid, values = curve
    inside = wavelength[(wavelength > grid[0]) & (wavelength < grid[-1])]
    nodes = np.union1d(grid, inside)
    step = np.diff(nodes)
    points = np.stack([nodes[:-1], (nodes[:-1] + nodes[1:]) / 2, nodes[1:]])
    weights = np.interp(points, grid, values) * points * (step * np.array([[1], [4], [1]]) / 6)
    left = np.clip(np.searchsorted(wavelength, points[1], side="right") - 1, 0, len(wavelength) - 2)
    fraction = (points - wavelength[left]) / (wavelength[left + 1] - wavelength[left])
    result = np.zeros(len(wavelength))
    np.add.at(result, left, (weights * (1 - fraction)).sum(axis=0))
    np.add.at(result, left + 1, (weights * fraction).sum(axis=0))
    return result


def fnu_weights(wavelength: np.ndarray, curve: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Weights (n_wave,) that take F_λ at wavelengths in Å to F_ν in one band, which they cover."""
    grid, values = curve
    norm = SPEED_OF_LIGHT * np.trapezoid(values / grid, grid)
    return _hat_weights(wavelength, curve) / norm


def covered_bands(wavelength: np.ndarray, redshift: float = 0.0) -> np.ndarray:
    """Bands that spectra cover: all of the curve but 0.1 % of ∫ T dλ lies within them.

    Parameters
    ----------
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength in Å, increasing.
    redshift : float

    Returns
    -------
    ndarray of bool, shape (57,)
    """
    first, last = wavelength[[0, -1]] * (1 + redshift)
    return np.array(
        [_share(curve, first, last) > 1 - _OUTSIDE_SHARE for curve in load_bands().curves]
    )


def _share(curve: tuple[np.ndarray, np.ndarray], first: float, last: float) -> float:
    """Share of ∫ T dλ between two wavelengths."""
    if first <= curve[0][0] and last >= curve[0][-1]:
        return 1.0
    return float(np.trapezoid(*_part(curve, first, last)[::-1]) / np.trapezoid(*curve[::-1]))


def _part(
    curve: tuple[np.ndarray, np.ndarray], first: float, last: float
) -> tuple[np.ndarray, np.ndarray]:
    """Part of a curve between two wavelengths; the curve itself if that is all of it."""
    grid, values = curve
    if first <= grid[0] and last >= grid[-1]:
        return curve
    ends = np.clip((first, last), grid[0], grid[-1])
    nodes = np.union1d(grid[(grid > ends[0]) & (grid < ends[1])], ends)
    return nodes, np.interp(nodes, grid, values)


@lru_cache(maxsize=1024)
def _bands_inside(
    wavelength: bytes, redshift: float, gaps: bool
) -> tuple[tuple[slice, np.ndarray], ...]:
    """Where each column of a matrix is not zero, and what it is there: a fiftieth of the whole.

    So many can be kept that each redshift which populations are drawn at is worked out once.
    """
    observed = np.frombuffer(wavelength) * (1 + redshift)
    first, last = observed[0], observed[-1]
    covered = covered_bands(observed)
    columns = []
    for index, (name, curve) in enumerate(
        zip(load_bands().names, load_bands().curves, strict=True)
    ):
        grid, values = _part(curve, first, last)
        if not gaps and grid is not curve[0]:
            raise InputError(
                f"Spectra from {first:.0f} to {last:.0f} Å (observed) do not cover "
                f"band {name}, which spans {curve[0][0]:.0f} to {curve[0][-1]:.0f} Å."
            )
        if not covered[index]:
            columns.append((slice(None), np.full(len(observed), np.nan)))
            continue
        column = fnu_weights(observed, (grid, values))
        inside = np.flatnonzero(column)
        part = slice(inside[0], inside[-1] + 1)
        columns.append((part, column[part].copy()))
    return tuple(columns)


@lru_cache(maxsize=64)
def _band_matrix(wavelength: bytes, redshift: float, gaps: bool) -> np.ndarray:
    columns = _bands_inside(wavelength, redshift, gaps)
    matrix = np.zeros((len(wavelength) // 8, len(columns)))
    for band, (part, values) in enumerate(columns):
        matrix[part, band] = values
    matrix.flags.writeable = False
    return matrix


def band_matrix(wavelength: np.ndarray, redshift: float = 0.0, *, gaps: bool = False) -> np.ndarray:
    """Matrix that takes rest-frame F_λ to F_ν in the 57 bands.

    AB photometry for a photon counter (e.g. Bessell & Murphy 2012, eq. A12):
    F_ν = ∫ F_λ λ T dλ / ∫ (c/λ) T dλ. Between its wavelengths a spectrum is taken as linear.

    Parameters
    ----------
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength in Å, increasing.
    redshift : float
        The curves are applied at the observed wavelengths, λ (1 + redshift). The dimming common
        to all bands is left out: the scale of F_ν is arbitrary.
    gaps : bool
        Let bands be missing: those that :func:`covered_bands` denies have NaN, and so has their
        flux. A wing outside of the spectra is left out of both integrals.

    Returns
    -------
    ndarray, shape (n_wave, 57), float64, read-only

    Raises
    ------
    InputError
        If the redshifted wavelengths do not cover every band, unless ``gaps`` allows it.
    """
    key = np.ascontiguousarray(wavelength, dtype=float).tobytes()
    return _band_matrix(key, float(redshift), gaps)


def spectral_fnu(flux: np.ndarray, wavelength: np.ndarray, redshift: float = 0.0) -> np.ndarray:
    """F_ν of a spectrum on the scale of :func:`band_matrix`.

    Parameters
    ----------
    flux : ndarray, shape (..., n_wave)
        Rest-frame F_λ.
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength in Å.
    redshift : float

    Returns
    -------
    ndarray, shape (..., n_wave)
        F_λ λ²/c at the observed wavelengths λ = wavelength (1 + redshift).
    """
    return flux * (wavelength * (1 + redshift)) ** 2 / SPEED_OF_LIGHT


def synthesize(
    spectra: np.ndarray,
    wavelength: np.ndarray,
    ebv: float | np.ndarray = 0.0,
    redshift: float = 0.0,
    *,
    gaps: bool = False,
) -> np.ndarray:
    """F_ν in the 57 bands of dusty, redshifted spectra.

    Parameters
    ----------
    spectra : ndarray, shape (..., n_wave)
        Rest-frame F_λ in any unit.
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength in Å, increasing.
    ebv : float or ndarray, shape (...)
        Colour excess in mag of a rest-frame dust screen (see :mod:`sspexplorer.dust`), the same
        for all spectra or one for each.
    redshift : float
        Redshift, 0 to 1 for the shipped libraries.
    gaps : bool
        Let bands be missing, see :func:`band_matrix`.

    Returns
    -------
    ndarray, shape (..., 57)
        F_ν on an arbitrary scale, common to all spectra and bands; NaN in missing ones.
    """
    matrix = band_matrix(wavelength, redshift, gaps=gaps)
    if np.ndim(ebv):
        return (spectra * transmission(wavelength, ebv)) @ matrix
    return spectra @ (transmission(wavelength, ebv)[:, None] * matrix)
