"""Dust attenuation of spectra."""

import astropy.units as u
import numpy as np
from dust_extinction.parameter_averages import CCM89

MILKY_WAY_R_V = 3.1


def transmission(
    wavelength: np.ndarray, ebv: float | np.ndarray, r_v: float = MILKY_WAY_R_V
) -> np.ndarray:
    """Fraction of light that a foreground dust screen lets through.

    The law of Cardelli, Clayton & Mathis (1989), eqs. 1 to 5, as in Domínguez Sánchez et al.
    (2026), Sect. 2.1.1.

    Parameters
    ----------
    wavelength : ndarray, shape (n_wave,)
        Rest-frame wavelength in Å, between 1000 and 33 000.
    ebv : float or ndarray, any shape
        Colour excess E(B−V) in mag.
    r_v : float
        Ratio of total to selective extinction, A(V)/E(B−V).

    Returns
    -------
    ndarray, shape ebv.shape + (n_wave,)
        10^(−0.4 A(λ)), dimensionless.
    """
    relative = CCM89(Rv=r_v)(np.asarray(wavelength) * u.AA)
    return 10 ** (-0.4 * r_v * np.multiply.outer(np.asarray(ebv, dtype=float), relative))
