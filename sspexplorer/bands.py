"""The 57 J-PAS bands: names, wavelengths and transmission curves.

The curves are the ``OAJ/JPAS`` set of the SVO Filter Profile Service (Rodrigo et al. 2024), as
packaged in ``milespy`` 1.0. The set and its order are those of Domínguez Sánchez et al. (2026),
Sect. 2.2: 54 narrow bands every 100 Å between uJAVA and J1007 at the ends, then the detection
band iSDSS.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from sspexplorer.resources import data_path

BAND_NAMES: tuple[str, ...] = (
    "uJAVA",
    "J0378",
    "J0390",
    *(f"J{wavelength:04d}" for wavelength in range(400, 911, 10)),
    "J1007",
    "iSDSS",
)
N_BANDS = len(BAND_NAMES)
BROAD_BANDS = ("uJAVA", "J1007", "iSDSS")


@dataclass(frozen=True)
class Bands:
    """Transmission curves and the wavelengths that summarise them.

    Attributes
    ----------
    names : tuple of str
        Band names, in input order.
    curves : tuple of (wavelength, transmission)
        Wavelength in Å, increasing, and dimensionless transmission; float64 arrays.
    pivot : ndarray, shape (n_bands,)
        Pivot wavelength in Å, sqrt(∫ T λ dλ / ∫ T/λ dλ), for a photon counter.
    width : ndarray, shape (n_bands,)
        Equivalent width in Å, ∫ T dλ / max T.
    """

    names: tuple[str, ...]
    curves: tuple[tuple[np.ndarray, np.ndarray], ...]
    pivot: np.ndarray
    width: np.ndarray

    @property
    def narrow(self) -> np.ndarray:
        """Boolean mask, shape (n_bands,), of the narrow bands."""
        return np.array([name not in BROAD_BANDS for name in self.names])


def _pivot(wavelength: np.ndarray, transmission: np.ndarray) -> float:
    numerator = np.trapezoid(transmission * wavelength, wavelength)
    return float(np.sqrt(numerator / np.trapezoid(transmission / wavelength, wavelength)))


def _width(wavelength: np.ndarray, transmission: np.ndarray) -> float:
    return float(np.trapezoid(transmission, wavelength) / transmission.max())


@cache
def load_bands() -> Bands:
    """Load the 57 bands that ship with the package (read-only, made once)."""
    table = pd.read_csv(data_path("bands.csv"), comment="#")
    groups = dict(tuple(table.groupby("band")))
    curves = tuple(
        (groups[name]["wavelength"].to_numpy(float), groups[name]["transmission"].to_numpy(float))
        for name in BAND_NAMES
    )
    pivot = np.array([_pivot(*curve) for curve in curves])
    width = np.array([_width(*curve) for curve in curves])
    for array in (pivot, width, *(column for curve in curves for column in curve)):
        array.flags.writeable = False
    return Bands(BAND_NAMES, curves, pivot, width)
