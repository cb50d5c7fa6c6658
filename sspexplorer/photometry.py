"""Synthetic photometry: from spectra to the 57 bands, as one matrix product."""

from functools import lru_cache

import numpy as np

from sspexplorer.bands import load_bands
from sspexplorer.constants import SPEED_OF_LIGHT
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError

MAX_REDSHIFT = 0.1


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


@lru_cache(maxsize=64)
def _band_matrix(wavelength: bytes, redshift: float) -> np.ndarray:
    observed = np.frombuffer(wavelength) * (1 + redshift)
    columns = []
    for name, (grid, values) in zip(load_bands().names, load_bands().curves, strict=True):
        if observed[0] > grid[0] or observed[-1] < grid[-1]:
            raise InputError(
                f"Spectra from {observed[0]:.0f} to {observed[-1]:.0f} Å (observed) do not cover "
                f"band {name}, which spans {grid[0]:.0f} to {grid[-1]:.0f} Å."
            )
        norm = SPEED_OF_LIGHT * np.trapezoid(values / grid, grid)
        columns.append(_hat_weights(observed, (grid, values)) / norm)
    matrix = np.stack(columns, axis=1)
    matrix.flags.writeable = False
    return matrix


def band_matrix(wavelength: np.ndarray, redshift: float = 0.0) -> np.ndarray:
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

    Returns
    -------
    ndarray, shape (n_wave, 57), float64, read-only

    Raises
    ------
    InputError
        If the redshifted wavelengths do not cover every band.
    """
    return _band_matrix(np.ascontiguousarray(wavelength, dtype=float).tobytes(), float(redshift))


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
        Redshift, 0 to 0.1 for the shipped libraries.

    Returns
    -------
    ndarray, shape (..., 57)
        F_ν on an arbitrary scale, common to all spectra and bands.
    """
    matrix = band_matrix(wavelength, redshift)
    if np.ndim(ebv):
        return (spectra * transmission(wavelength, ebv)) @ matrix
    return spectra @ (transmission(wavelength, ebv)[:, None] * matrix)
