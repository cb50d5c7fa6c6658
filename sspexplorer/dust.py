"""Dust attenuation of spectra."""

from functools import lru_cache

import numpy as np

MILKY_WAY_R_V = 3.1


@lru_cache(maxsize=16)
def _relative_extinction(wavelength: bytes, r_v: float) -> np.ndarray:
    """A(λ)/A(V) at wavelengths in Å; astropy checks units for longer than the law takes."""
    # Modelling with astropy takes a second to import, and few commands redden anything.
    from astropy import units as u
    from dust_extinction.parameter_averages import CCM89

    relative = np.asarray(CCM89(Rv=r_v)(np.frombuffer(wavelength) * u.AA))
    relative.flags.writeable = False
    return relative


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
    relative = _relative_extinction(np.ascontiguousarray(wavelength, dtype=float).tobytes(), r_v)
    return 10 ** (-0.4 * r_v * np.multiply.outer(np.asarray(ebv, dtype=float), relative))
