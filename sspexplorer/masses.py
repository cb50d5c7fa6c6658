"""From light to solar masses: mass functions, what is left of a mass, distances.

Masses are those of a Chabrier (2003) initial mass function. Populations of other functions have
as much light for more mass, nearly the same factor at all ages (Madau & Dickinson 2014,
Sect. 3.1): 0.61 from Salpeter's masses, 0.61/0.66 from Kroupa's.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from io import StringIO

import numpy as np
import pandas as pd

from sspexplorer.constants import MAGGY
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

# Mass of a Chabrier IMF that gives the light of one solar mass of another.
MASS_AS_CHABRIER = {
    "Chabrier": 1.0,
    "Kroupa": 0.61 / 0.66,
    "Salpeter": 0.61,
    "unimodal 1.30": 0.61,
}
MASS_IMF = "Chabrier"
_PARSEC = 3.0856775814913673e18  # cm; IAU 2015 Resolution B2
_SOLAR_LUMINOSITY = 3.828e33  # erg/s; IAU 2015 Resolution B3
# L_ν of absolute magnitude 0 (AB), in L_sun/Hz.
LUMINOSITY_OF_ZERO = 4 * np.pi * (10 * _PARSEC) ** 2 * MAGGY / _SOLAR_LUMINOSITY


@dataclass(frozen=True)
class Cosmology:
    """A flat universe of matter and a cosmological constant.

    Attributes
    ----------
    h0 : float
        Hubble constant, km/s/Mpc.
    omega_m : float
        Matter today in units of the critical density.

    The default is that of Planck Collaboration VI (2020), Table 2, last column.

    Raises
    ------
    InputError
        If there is no such universe.
    """

    h0: float = 67.66
    omega_m: float = 0.3111

    def __post_init__(self) -> None:
        if not 20 <= self.h0 <= 200:
            raise InputError(f"The Hubble constant is from 20 to 200 km/s/Mpc, not {self.h0:g}.")
        if not 0 < self.omega_m < 1:
            raise InputError(f"The matter density is between 0 and 1, not {self.omega_m:g}.")

    def age(self, redshift: np.ndarray | float) -> np.ndarray:
        """Age of the universe at redshifts, yr."""
        return np.asarray(self._model.age(np.asarray(redshift, dtype=float)).to_value("yr"))

    def distance_modulus(self, redshift: np.ndarray) -> np.ndarray:
        """Distance modulus m − M by the luminosity distance, mag; −∞ at redshift 0."""
        distance = self._model.luminosity_distance(np.asarray(redshift, dtype=float))
        with np.errstate(divide="ignore"):
            return 5 * np.log10(distance.to_value("pc") / 10)

    def comoving_volume(self, redshift: np.ndarray) -> np.ndarray:
        """Comoving volume of the whole sky up to redshifts, Mpc³."""
        return self._model.comoving_volume(np.asarray(redshift, dtype=float)).to_value("Mpc3")

    @cached_property
    def _model(self):
        # A second to import, and few need it; 30 ms to make.
        from astropy.cosmology import FlatLambdaCDM

        return FlatLambdaCDM(H0=self.h0, Om0=self.omega_m)


DEFAULT_COSMOLOGY = Cosmology()


@cache
def _surviving_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lines = data_path("surviving_mass.csv").read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(lines), comment="#")
    metals = np.array([float(name) for name in table.columns[1:]])
    return table["log_age"].to_numpy(), metals, table.to_numpy()[:, 1:]


def surviving_share(log_age: np.ndarray, metallicity: np.ndarray) -> np.ndarray:
    """Mass in living stars per mass formed, shape (n,); remnants are left out.

    That of BC03 (Bruzual & Charlot 2003) with a Kroupa IMF, linear between its ages and
    metallicities; that of Chabrier's is much the same.

    Parameters
    ----------
    log_age, metallicity : ndarray, shape (n,)
        log10 yr, and [M/H] in dex.
    """
    ages, metals, table = _surviving_table()
    at_age = np.array([np.interp(log_age, ages, column) for column in table.T])
    place = np.interp(metallicity, metals, np.arange(len(metals)))
    low = np.minimum(place.astype(int), len(metals) - 2)
    share, rows = place - low, np.arange(len(place))
    return at_age[low, rows] * (1 - share) + at_age[low + 1, rows] * share
