"""What else is true of a galaxy: its mass to light, star formation, times and colours.

- ``log_mass_to_light`` is the log of the mass (M☉, in living stars) over the light, that of
  the median of the 57 bands where they are seen: L = 10^(−0.4 (m − DM(z))) (1 + z). It is
  F_λ λ²/c of the galaxy at rest, with the wavelength λ that is observed: (1 + z)² times L_ν there.
  ``log_mass_to_light_formed`` is the same with all mass that was formed.
- ``log_ssfr`` is the log of the mass formed in the last 100 Myr, per year, over the mass in stars
  (yr⁻¹). Below −13 it is even from −14 to −13: none.
- ``log_t50`` and ``log_t90`` are lookback times (log10 yr) when half and nine tenths of all stars
  had formed.
- ``u_r`` is the rest-frame u − r (AB mag, bands of SDSS) of all light, ``u_r_dust_free`` that of
  the stars without dust.
- ``d4000`` is the ratio of the mean F_ν at 4000 to 4100 Å and 3850 to 3950 Å (Balogh et al. 1999).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from sspexplorer.galaxies.formation import AGE_OF_UNIVERSE, Formation
from sspexplorer.libraries import SSPLibrary
from sspexplorer.masses import LUMINOSITY_OF_ZERO, MASS_AS_CHABRIER, surviving_share
from sspexplorer.photometry import fnu_weights
from sspexplorer.resources import data_path

DERIVED = (
    "log_mass_to_light",
    "log_mass_to_light_formed",
    "log_ssfr",
    "log_t50",
    "log_t90",
    "u_r",
    "u_r_dust_free",
    "d4000",
)
LEAST_LOG_SSFR = -13.0  # yr⁻¹; less is none
RECENT = 1e8  # yr
_BREAK = ((3850.0, 3950.0), (4000.0, 4100.0))  # Å
_AGES = np.geomspace(1e5, 1.05 * AGE_OF_UNIVERSE, 400)  # yr; 3 % apart


@dataclass(frozen=True)
class Masses:
    """What a library's SSPs weigh.

    Attributes
    ----------
    formed, surviving : ndarray, shape (n_ssp,)
        Solar masses of a Chabrier IMF for each unit of mass of the library; NaN where its IMF is
        not known.
    """

    formed: np.ndarray
    surviving: np.ndarray

    @classmethod
    def of(cls, library: SSPLibrary) -> "Masses":
        """Masses of a library, of the IMF that its light per mass is given for."""
        scaled = library.provenance.get("mass_imf")
        imf = library.imf if scaled is None else np.full(len(library), scaled)
        formed = np.array([MASS_AS_CHABRIER.get(name, np.nan) for name in imf])
        return cls(formed, formed * surviving_share(library.log_age, library.metallicity))


def younger_share(formations: tuple[Formation, ...], ages: np.ndarray) -> np.ndarray:
    """Share of all stars of n galaxies younger than some ages (yr), shape (n, n_ages)."""
    total = np.zeros((len(formations[0].mass), len(ages)))
    for formation in formations:
        rows = np.flatnonzero(formation.mass)
        if len(rows):
            some = formation.rows(rows)
            total[rows] += some.mass[:, None] * some.younger_than(ages)
    return total


def times(formations: tuple[Formation, ...]) -> np.ndarray:
    """``log_t50`` and ``log_t90``, shape (n, 2)."""
    younger = younger_share(formations, _AGES)
    log_ages = np.log10(_AGES)
    return np.array(
        [[np.interp(share, row, log_ages) for share in (0.5, 0.1)] for row in younger]
    ).reshape(-1, 2)


def log_ssfr(
    formations: tuple[Formation, ...],
    formed: np.ndarray,
    surviving: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """``log_ssfr``, shape (n,).

    Parameters
    ----------
    formations : tuple of Formation
    formed, surviving : ndarray, shape (n,)
        Mass of each galaxy, in one unit.
    rng : numpy.random.Generator
        Of what is below :data:`LEAST_LOG_SSFR`.
    """
    recent = younger_share(formations, np.array([RECENT]))[:, 0] / RECENT
    with np.errstate(divide="ignore"):
        found = np.log10(recent * formed / surviving)
    none = LEAST_LOG_SSFR - rng.uniform(size=len(found))
    return np.where(found > LEAST_LOG_SSFR, found, none)


def log_mass_to_light(mass: np.ndarray, luminosity: np.ndarray) -> np.ndarray:
    """Log of masses (M☉) over light (L_sun/Hz) in units of the L_ν of absolute magnitude 0."""
    return np.log10(mass) - np.log10(luminosity / LUMINOSITY_OF_ZERO)


@cache
def _rest_curves() -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    table = pd.read_csv(data_path("rest_bands.csv"), comment="#")
    return tuple(
        (rows["wavelength"].to_numpy(), rows["transmission"].to_numpy())
        for rows in (table[table["band"] == band] for band in ("u", "r"))
    )


def u_minus_r(spectra: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """Rest-frame u − r of F_λ (n, n_wave), AB mag, shape (n,); NaN where u is not covered."""
    if wavelength[0] > _rest_curves()[0][0][0]:
        return np.full(len(spectra), np.nan)
    u, r = (spectra @ fnu_weights(wavelength, curve) for curve in _rest_curves())
    return -2.5 * np.log10(u / r)


def d4000(spectra: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """``d4000`` of F_λ (n, n_wave), shape (n,)."""
    blue, red = (
        (spectra[:, inside] * wavelength[inside] ** 2).mean(axis=1)
        for inside in ((wavelength >= low) & (wavelength <= high) for low, high in _BREAK)
    )
    return red / blue
