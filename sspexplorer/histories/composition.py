"""One composite population, of any rate of star formation, at one time."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.histories.means import brightness
from sspexplorer.libraries import SSPLibrary


@dataclass(frozen=True)
class CompositePopulation:
    """A mixture of SSPs of one metallicity.

    Attributes
    ----------
    spectrum : ndarray, shape (n_wave,)
        Rest-frame F_λ in L_sun/Å per solar mass formed.
    light_log_age, mass_log_age : float
        Mean log10 age (yr), weighted by light at 5500 to 6500 Å and by mass formed.
    metallicity : float
        [M/H] in dex, of the library's nearest metallicity.
    """

    spectrum: np.ndarray
    light_log_age: float
    mass_log_age: float
    metallicity: float


def formed_mass(
    log_age: np.ndarray, star_formation_rate: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """Mass that each SSP stands for.

    Every SSP takes the star formation between the midpoints (in log age) to its neighbours; the
    youngest also all that is younger.

    Parameters
    ----------
    log_age : ndarray, shape (n,)
        log10 ages (yr) of the SSPs, increasing.
    star_formation_rate : callable
        Rate at lookback times (yr), any unit, zero where no stars formed.

    Returns
    -------
    ndarray, shape (n,)
        Fractions of the mass formed, which add up to 1.

    Raises
    ------
    InputError
        If no stars form within the ages.
    """
    middles = 10 ** ((log_age[:-1] + log_age[1:]) / 2)
    edges = np.concatenate([[0.0], middles, [10 ** log_age[-1]]])
    fine = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(32) + 0.5) / 32
    mass = star_formation_rate(fine).mean(axis=1) * np.diff(edges)
    if not mass.sum() > 0:
        raise InputError("The star-formation history forms no stars within the library's ages.")
    return mass / mass.sum()


def compose(
    library: SSPLibrary,
    star_formation_rate: Callable[[np.ndarray], np.ndarray],
    metallicity: float,
) -> CompositePopulation:
    """Mix the SSPs of the metallicity nearest to ``metallicity``, by any rate, at one time.

    For histories with known integrals at many times, see :func:`evolve`.

    Parameters
    ----------
    library : SSPLibrary
    star_formation_rate : callable
        Rate at lookback times (yr), any unit, zero where no stars formed.
    metallicity : float
        [M/H] in dex.
    """
    nearest = library.metallicities[np.argmin(np.abs(library.metallicities - metallicity))]
    chosen = library.select(library.metallicity == nearest)
    order = np.argsort(chosen.log_age)
    log_age, spectra = chosen.log_age[order], chosen.spectra[order].astype(float)
    mass = formed_mass(log_age, star_formation_rate)
    light = mass * brightness(spectra, library.wavelength)
    return CompositePopulation(
        spectrum=mass @ spectra,
        light_log_age=float(light @ log_age / light.sum()),
        mass_log_age=float(mass @ log_age),
        metallicity=float(nearest),
    )
