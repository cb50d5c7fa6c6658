"""How many galaxies there are in a volume, from a survey that sees bright ones farther: 1/V_max.

Each galaxy stands for 1/V_max others per volume, V_max being the comoving volume in which the
survey would have seen it (Schmidt 1968). How bright it would be farther away is read off its own
narrow bands: what the i band sees of it there is light that now falls in bluer bands, so that no
SED has to be assumed for a K correction.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.constants import MAGGY
from sspexplorer.errors import InputError
from sspexplorer.masses import DEFAULT_COSMOLOGY, Cosmology

BAND = "iSDSS"
# Solid angle of the whole sky, deg².
SKY = 4 * np.pi * np.degrees(1) ** 2
# Least width of the part of a spectrum that stands for the i band, relative to its wavelength; as
# wide as the band itself.
_WIDTH = 0.09
# Steps in 1 + z from where a galaxy is to where it would no longer be seen, as factors. At 2.1 the
# i band sees what is at 3650 Å now, the blue end of the narrow bands.
_STEPS = np.geomspace(1.0, 2.1, 75)
_CHUNK = 20_000  # rows at a time, for memory


@dataclass(frozen=True)
class Survey:
    """What a survey sees of the sky.

    Attributes
    ----------
    limit : float
        Faintest i magnitude (AB).
    area : float
        deg².
    nearest, farthest : float
        Redshifts that are counted.

    Raises
    ------
    InputError
        If there is no such survey.
    """

    limit: float = 22.0
    area: float = 1.0
    nearest: float = 0.02
    farthest: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no survey is."""
        if not 10 <= self.limit <= 30:
            raise InputError(f"The faintest i magnitude is from 10 to 30, not {self.limit:g}.")
        if not 0 < self.area <= SKY:
            raise InputError(f"An area is above 0 and up to {SKY:,.0f} deg², not {self.area:g}.")
        if not 0.001 <= self.nearest < self.farthest <= 1:
            raise InputError(
                "Redshifts are counted from at least 0.001 to at most 1, not from "
                f"{self.nearest:g} to {self.farthest:g}."
            )


def largest_volumes(
    flux: np.ndarray,
    redshift: np.ndarray,
    survey: Survey,
    cosmology: Cosmology = DEFAULT_COSMOLOGY,
) -> np.ndarray:
    """V_max of galaxies, in Mpc³, shape (n,).

    NaN of those that the survey does not count: fainter than its limit, out of its redshifts, or
    without a redshift or an i band.

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        F_ν in erg s⁻¹ cm⁻² Hz⁻¹; NaN where a band is missing.
    redshift : ndarray, shape (n,)
    survey : Survey
    cosmology : Cosmology, optional
    """
    grid = np.linspace(survey.nearest, max(survey.farthest, survey.nearest + 1e-6), 2000)
    moduli = cosmology.distance_modulus(grid)
    volumes = cosmology.comoving_volume(grid) * survey.area / SKY
    with np.errstate(invalid="ignore", divide="ignore"):
        magnitude = -2.5 * np.log10(flux[:, BAND_NAMES.index(BAND)] / MAGGY)
        counted = (
            (magnitude <= survey.limit)
            & (redshift >= survey.nearest)
            & (redshift <= survey.farthest)
        )
    found = np.full(len(flux), np.nan)
    rows = np.flatnonzero(counted)
    for part in np.array_split(rows, max(1, -(-len(rows) // _CHUNK))):
        fainter = magnitude[part, None] + _change_of_colour(flux[part])
        there = (1 + redshift[part, None]) * _STEPS - 1
        fainter += np.interp(there, grid, moduli)
        fainter -= np.interp(redshift[part], grid, moduli)[:, None]
        fainter -= 2.5 * np.log10(_STEPS)
        last = np.minimum(_last_seen(there, fainter, survey.limit), survey.farthest)
        found[part] = np.interp(last, grid, volumes) - volumes[0]
    return found


def _change_of_colour(flux: np.ndarray) -> np.ndarray:
    """What the i band sees at each of the steps over what it sees now, mag, shape (n, n_steps)."""
    wavelength = np.asarray(load_bands().pivot)
    at = wavelength[BAND_NAMES.index(BAND)] / _STEPS
    away = np.abs(np.log(wavelength[:, None] / at)) / _WIDTH
    weights = np.clip(1 - away, 0, None)
    weights[BAND_NAMES.index(BAND)] = 0  # itself too wide to say where its light is
    there = np.isfinite(flux)
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = np.where(there, flux, 0) @ weights / (there @ weights)
        change = -2.5 * np.log10(seen / seen[:, :1])
    # Where bands are missing or have no light, the colour stays that of the step before.
    return pd.DataFrame(change).ffill(axis=1).fillna(0.0).to_numpy()


def _last_seen(redshift: np.ndarray, magnitude: np.ndarray, limit: float) -> np.ndarray:
    """Redshift at which magnitudes first pass a limit, shape (n,); the last one where none does."""
    beyond = magnitude > limit
    beyond[:, 0] = False
    first = np.where(beyond.any(axis=1), beyond.argmax(axis=1), 0)
    rows, before = np.arange(len(first)), np.maximum(first - 1, 0)
    low, high = magnitude[rows, before], magnitude[rows, first]
    share = (limit - low) / np.where(high > low, high - low, 1.0)
    crossing = redshift[rows, before] + np.clip(share, 0, 1) * (
        redshift[rows, first] - redshift[rows, before]
    )
    return np.where(first > 0, crossing, redshift[:, -1])


def counts(values: np.ndarray, volumes: np.ndarray, *, step: float = 0.25) -> pd.DataFrame:
    """Number of galaxies per volume in bins of a value.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Such as log masses; NaN is not counted.
    volumes : ndarray, shape (n,)
        V_max in Mpc³; NaN is not counted.
    step : float
        Width of a bin, in the unit of the values.

    Returns
    -------
    DataFrame
        ``value`` (middle of the bin), ``density`` (Mpc⁻³ per unit of the values), ``error`` (of
        the number of galaxies alone, √Σ V_max⁻²) and ``n``; bins without a galaxy are left out.
    """
    known = np.isfinite(values) & np.isfinite(volumes) & (volumes > 0)
    place = np.floor(values[known] / step).astype(int)
    weights = pd.DataFrame({"place": place, "one": 1 / volumes[known]})
    weights["square"] = weights["one"] ** 2
    bins = weights.groupby("place").agg(
        density=("one", "sum"), square=("square", "sum"), n=("one", "size")
    )
    return pd.DataFrame(
        {
            "value": (bins.index.to_numpy() + 0.5) * step,
            "density": bins["density"].to_numpy() / step,
            "error": np.sqrt(bins["square"].to_numpy()) / step,
            "n": bins["n"].to_numpy(),
        }
    )
