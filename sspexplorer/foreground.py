"""Dust of the Milky Way in front of a galaxy: how much it dims each band, and taking that back."""

from functools import cache

import astropy.units as u
import numpy as np
from dust_extinction.parameter_averages import F99

from sspexplorer.bands import load_bands
from sspexplorer.dust import MILKY_WAY_R_V

# Half the sky has less than 0.05 mag and the Galactic plane a few: beyond it is another number.
MAX_EBV = 10.0  # mag

_SCREEN = 0.1  # mag of E(B−V) at which the extinction of a band is measured


@cache
def band_extinction(r_v: float = MILKY_WAY_R_V) -> np.ndarray:
    """Extinction of each band for one magnitude of Galactic E(B−V).

    A_b = −2.5 log10(∫ F_ν T 10^(−0.4 A(λ)) dλ/λ / ∫ F_ν T dλ/λ) for a photon counter and a source
    of constant F_ν, with the law of Fitzpatrick (1999); per magnitude, at E(B−V) = 0.1. It is the
    law that Schlafly & Finkbeiner (2011) found in the colours of stars, and the one behind the
    survey's own A_b / E(B−V), which it meets within 2.5 % in every band but J1007. That of
    Cardelli, Clayton & Mathis (1989), by which we redden populations, is up to 8 % above them in
    the red.

    Returns
    -------
    ndarray, shape (57,), read-only
        A_b / E(B−V), dimensionless.
    """
    law, ratios = F99(Rv=r_v), []
    for wavelength, throughput in load_bands().curves:
        weight = throughput / wavelength
        passed = weight * 10 ** (-0.4 * _SCREEN * r_v * law(wavelength * u.AA))
        ratio = np.trapezoid(passed, wavelength) / np.trapezoid(weight, wavelength)
        ratios.append(-2.5 * np.log10(ratio) / _SCREEN)
    found = np.array(ratios)
    found.flags.writeable = False
    return found


def dereddened(
    flux: np.ndarray, flux_err: np.ndarray, ebv: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Fluxes as they would be without the dust of the Milky Way.

    Parameters
    ----------
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ, on any scale.
    ebv : ndarray, shape (n,)
        Galactic E(B−V) in mag; rows where it is NaN are left as they are.

    Returns
    -------
    flux, flux_err : ndarray, shape (n, 57)
        Both times 10^(0.4 A_b): the signal-to-noise ratio of a band does not change.
    """
    factor = 10 ** (0.4 * np.multiply.outer(np.nan_to_num(ebv, nan=0.0), band_extinction()))
    return flux * factor, flux_err * factor
