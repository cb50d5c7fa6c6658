"""What "the" age and metallicity of a mixture of stars are: means, and the weights they are of.

Light is weighed at 5500 to 6500 Å, where most of the 57 bands lie, as it comes through the dust;
mass is the mass formed. Each weight has two mean ages, and they differ by up to half a dex:

- ``log_age`` is the mean of log t, ⟨log t⟩, as papers of J-PAS give it (e.g. González Delgado et
  al. 2021, Sect. 4.1);
- ``log_mean_age`` is the logarithm of the mean of t, log⟨t⟩, which is never less.

``metallicity`` is the mean of [M/H]. Dust is that before all the stars' light together: E(B−V) is
A(4405 Å) − A(5495 Å) and A_V (``av``) is A(5495 Å), as in Maíz Apellániz et al. (2014), Sect. 2;
for a screen of the Milky Way's law this E(B−V) is that of the screen.
"""

from dataclasses import dataclass

import numpy as np

LIGHT_RANGE = (5500.0, 6500.0)  # Å
_HALF_WIDTH = 50.0  # Å, of the light whose dimming is A at a wavelength


@dataclass(frozen=True)
class Means:
    """Means over the stars of n mixtures, each of shape (n,).

    Attributes
    ----------
    log_age, log_mean_age : ndarray
        ⟨log t⟩ and log⟨t⟩, log10 yr.
    metallicity : ndarray
        ⟨[M/H]⟩, dex.
    """

    log_age: np.ndarray
    log_mean_age: np.ndarray
    metallicity: np.ndarray

    @classmethod
    def of(cls, weight: np.ndarray, log_age: np.ndarray, metallicity: np.ndarray) -> "Means":
        """Means over SSPs of given ages and metallicities (n_ssp,), weighted by (n, n_ssp)."""
        share = weight / weight.sum(axis=1, keepdims=True)
        return cls(share @ log_age, np.log10(share @ 10**log_age), share @ metallicity)


def brightness(spectra: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """Mean F_λ at :data:`LIGHT_RANGE`, of spectra (..., n_wave): shape (...)."""
    inside = (wavelength >= LIGHT_RANGE[0]) & (wavelength <= LIGHT_RANGE[1])
    return spectra[..., inside].mean(axis=-1, dtype=float)


def brightness_at(spectra: np.ndarray, wavelength: np.ndarray, where: float) -> np.ndarray:
    """Mean F_λ within 50 Å of a wavelength, of spectra (..., n_wave): shape (...)."""
    inside = np.abs(wavelength - where) <= _HALF_WIDTH
    return spectra[..., inside].mean(axis=-1, dtype=float)
