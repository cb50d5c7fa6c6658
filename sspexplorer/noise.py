"""Photometric noise: how large the magnitude error is in each band at each magnitude.

As in Domínguez Sánchez et al. (2026), Sect. 2.2, the noise of a mock is Gaussian with the mean
magnitude error of galaxies of that magnitude in each band; a magnitude error Δm is a relative
flux error Δm ln(10)/2.5 (their footnote 4).
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.constants import AB_ZERO_POINT, MAG_TO_RELATIVE
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

# 5σ depths (AB mag) in 3 arcsec of miniJPAS, read between the limits given by Bonoli et al.
# (2021), abstract and Sect. 4: narrow bands from 22 in the red to 23.5 in the blue-green.
_NARROW_DEPTH = ((3785.0, 4800.0, 9100.0), (23.0, 23.5, 22.0))
_BROAD_DEPTH = {"uJAVA": 23.0, "J1007": 22.0, "iSDSS": 24.0}

# The two free constants of the default model; see NoiseModel.default.
CALIBRATION_FLOOR = 0.01
APERTURE_AREA = 27.0

# Noise unless a field is named: a curve through the published depths, or a field of depths.csv.
SMOOTH = "smooth"
DEFAULT_FIELD = SMOOTH
ZERO_POINT_ERROR = 0.04  # mag, of each band of those fields

# Growth of log10(AUTO aperture area) per magnitude brighter than 22: at fixed surface brightness
# it would be 0.4; galaxies of high luminosity are also somewhat denser.
_APERTURE_GROWTH = 0.25

# What a table can be measured from: galaxies enough, of magnitudes that galaxies have.
MIN_GALAXIES = 10
_POSSIBLE = (8.0, 32.0)
_MAX_ABSENT = 12  # of the 57 bands


@dataclass(frozen=True)
class NoiseModel:
    """Table of magnitude errors against magnitude and band.

    Attributes
    ----------
    magnitudes : ndarray, shape (n_mag,)
        i magnitudes (AB) of the rows, increasing.
    errors : ndarray, shape (n_mag, 57)
        Magnitude errors in mag, positive.
    description : str
        Where the table comes from, in words.
    """

    magnitudes: np.ndarray
    errors: np.ndarray
    description: str

    def __post_init__(self) -> None:
        """Check the table.

        Raises
        ------
        InputError
            If the shapes disagree, magnitudes do not increase, or an error is not positive.
        """
        if self.errors.shape != (len(self.magnitudes), N_BANDS):
            raise InputError(
                f"A noise model needs {N_BANDS} errors for each of its {len(self.magnitudes)} "
                f"magnitudes, not a table of shape {self.errors.shape}."
            )
        if not np.all(np.diff(self.magnitudes) > 0):
            raise InputError("The magnitudes of a noise model must increase.")
        if not np.all(self.errors > 0):
            raise InputError("The magnitude errors of a noise model must be positive numbers.")

    def magnitude_error(self, magnitude: float | np.ndarray) -> np.ndarray:
        """Magnitude error in each band, shape magnitude.shape + (57,).

        Linear in magnitude between the rows of the table; the first or last row beyond them.
        """
        magnitude = np.clip(magnitude, self.magnitudes[0], self.magnitudes[-1])
        if len(self.magnitudes) == 1:
            return np.broadcast_to(self.errors[0], (*np.shape(magnitude), N_BANDS))
        right = np.clip(np.searchsorted(self.magnitudes, magnitude), 1, len(self.magnitudes) - 1)
        low, high = self.magnitudes[right - 1], self.magnitudes[right]
        weight = ((magnitude - low) / (high - low))[..., None]
        return self.errors[right - 1] * (1 - weight) + self.errors[right] * weight

    def relative_error(self, magnitude: float | np.ndarray) -> np.ndarray:
        """σ_F/F in each band, shape magnitude.shape + (57,), dimensionless."""
        return self.magnitude_error(magnitude) * MAG_TO_RELATIVE

    def typical_snr(self, magnitude: float | np.ndarray) -> np.ndarray:
        """Median signal-to-noise ratio of the narrow bands, shape magnitude.shape."""
        return np.median(1 / self.relative_error(magnitude)[..., load_bands().narrow], axis=-1)

    def add(
        self, flux: np.ndarray, magnitude: float | np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw Gaussian noise.

        Parameters
        ----------
        flux : ndarray, shape (..., 57)
            Noise-free F_ν.
        magnitude : float or ndarray, broadcastable to flux.shape[:-1]
            i magnitude (AB) at which each SED is observed.
        rng : numpy.random.Generator

        Returns
        -------
        noisy, error : ndarray, shape (..., 57)
            F_ν with noise, and the σ it was drawn with.
        """
        error = flux * self.relative_error(np.broadcast_to(magnitude, flux.shape[:-1]))
        noise = rng.standard_normal(flux.shape, dtype=np.float32)
        return flux + error * noise, error

    def to_dict(self) -> dict:
        """Plain numbers and text, for JSON."""
        return {
            "description": self.description,
            "magnitudes": self.magnitudes.tolist(),
            "errors": np.round(self.errors, 6).tolist(),
        }

    @classmethod
    def from_dict(cls, content: dict) -> "NoiseModel":
        """Rebuild a model from :meth:`to_dict`."""
        magnitudes, errors = (np.array(content[k], float) for k in ("magnitudes", "errors"))
        return cls(magnitudes, errors, content["description"])

    @classmethod
    def sky_limited(
        cls, floor: float, area: float, description: str = "", depths: np.ndarray | None = None
    ) -> "NoiseModel":
        """Build a model of a sky-limited survey measured in AUTO apertures.

        σ_F/F = sqrt(floor² + (0.2 · 10^(0.4 (m − m5)))² · A), with m5 the 5σ depth in 3 arcsec
        and A = area · 10^(0.25 (22 − m)) the area of the AUTO aperture over that of the 3 arcsec
        one, not below 1.

        Parameters
        ----------
        floor : float
            Relative calibration error added in quadrature, dimensionless.
        area : float
            Area of the AUTO aperture of a galaxy of magnitude 22, in units of the area of the 3
            arcsec aperture.
        description : str
            Where the constants come from.
        depths : ndarray, shape (57,), optional
            m5 of each band, mag; a smooth curve through published ones unless given.
        """
        depths = _depths() if depths is None else depths
        magnitudes = np.arange(14.0, 24.1, 0.5)
        relative_area = np.maximum(1, area * 10 ** (_APERTURE_GROWTH * (22 - magnitudes)))
        sky = 0.2 * 10 ** (0.4 * np.subtract.outer(magnitudes, depths))
        sky *= np.sqrt(relative_area)[:, None]
        return cls(magnitudes, np.hypot(floor, sky) / MAG_TO_RELATIVE, description)

    @classmethod
    @cache
    def default(cls) -> "NoiseModel":
        """Shipped default: miniJPAS depths, AUTO apertures and a calibration floor.

        The paper measured its table on the miniJPAS catalogue, which is not among our data. This
        is a model of it: :meth:`sky_limited` with published depths (Bonoli et al. 2021). Its two
        free constants answer to the scatter in log age that the paper gives for its mocks, split
        at random (Sect. 4): σ_NMAD = 0.46 dex at i = 21 and 0.13 dex at i = 17.

        With :data:`APERTURE_AREA` as it is, the paper's own recipe (the shipped model ``paper``)
        shows the first: 0.46 dex at the end of its 100 epochs. It showed the second under no
        noise tried: on these mocks, a quarter as many as the paper's, its constant learning rate
        leaves 0.24 dex at i = 17 (0.25 dex after 13 epochs with a floor of 0.4 %). The floor is
        the one with which recipe ``default`` comes near it, at 0.10 dex.

        The area is larger than the AUTO aperture of such a galaxy: it stands for all that makes
        the mean error in a real catalogue larger than that of the sky at the nominal depth.
        """
        return cls.of_field(DEFAULT_FIELD)

    @classmethod
    @cache
    def of_field(cls, name: str) -> "NoiseModel":
        """Noise of one field: its own depths, with the apertures and the floor of the default.

        Real depths are a sawtooth, 0.4 mag about the smooth curve and 0.16 dex from band to band.

        Parameters
        ----------
        name : str
            One of :func:`fields`.

        Raises
        ------
        InputError
            If there is no such field.
        """
        if name not in fields():
            raise InputError(f"There is no field {name!r}: choose one of {', '.join(fields())}.")
        depths = None if name == SMOOTH else load_depths()[name].to_numpy()
        source = {
            SMOOTH: "miniJPAS depths (Bonoli et al. 2021)",
            "JNEP": "depths of J-NEP (Hernán-Caballero et al. 2023)",
        }.get(name, f"depths of the miniJPAS tile {name} (Bonoli et al. 2021)")
        return cls.sky_limited(
            CALIBRATION_FLOOR,
            APERTURE_AREA,
            f"Model: {source}, AUTO apertures growing toward bright "
            f"galaxies ({APERTURE_AREA:g} times the 3 arcsec area at i = 22) and a calibration "
            f"floor of {CALIBRATION_FLOOR:.1%}",
            depths,
        )

    @classmethod
    def from_catalogue(
        cls,
        magnitude: np.ndarray,
        magnitude_error: np.ndarray,
        *,
        edges: np.ndarray | None = None,
        description: str = "measured from a catalogue",
    ) -> "NoiseModel":
        """Measure the table the paper's way: mean magnitude error in bins of magnitude.

        Parameters
        ----------
        magnitude : ndarray, shape (n,) or (n, 57)
            AB magnitude of each galaxy, one (detection band) or one for each band; NaN = unknown.
        magnitude_error : ndarray, shape (n, 57)
            Magnitude errors in mag; NaN, zero or negative = unknown.
        edges : ndarray, optional
            Edges of the magnitude bins; by default every 0.5 mag over the data.
        description : str
            Where the catalogue comes from.

        Raises
        ------
        InputError
            If the shapes disagree, or a band has no error in any bin.
        """
        error = np.asarray(magnitude_error, dtype=float)
        magnitude = np.asarray(magnitude, dtype=float)
        if error.ndim != 2 or error.shape[1] != N_BANDS or len(magnitude) != len(error):
            raise InputError(
                f"A noise model is measured from one magnitude and {N_BANDS} magnitude errors for "
                f"each galaxy, not from {magnitude.shape} and {error.shape}."
            )
        magnitude = np.broadcast_to(magnitude.reshape(len(error), -1), error.shape)
        valid = np.isfinite(magnitude) & np.isfinite(error) & (error > 0)
        if not valid.any(axis=0).all():
            missing = [
                n for n, ok in zip(load_bands().names, valid.any(axis=0), strict=True) if not ok
            ]
            raise InputError(f"No galaxy has a magnitude error in {', '.join(missing)}.")
        if edges is None:
            low, high = magnitude[valid].min(), magnitude[valid].max()
            edges = np.arange(np.floor(2 * low) / 2, high + 0.5, 0.5)
        centres, table = _binned_means(magnitude, error, valid, np.asarray(edges, dtype=float))
        return cls(centres, table, description)


@cache
def load_depths() -> pd.DataFrame:
    """Read 5σ depths (AB mag, 3 arcsec) of each field, a row for each band; not to be changed.

    From data/depths.csv, see its first lines for the source.
    """
    table = pd.read_csv(data_path("depths.csv"), comment="#", index_col="band")
    return table.loc[list(load_bands().names)]


def fields() -> tuple[str, ...]:
    """Names of the fields whose noise is known, the smooth curve through all first."""
    return (SMOOTH, *load_depths().columns)


def ab_magnitude(flux: np.ndarray, zero_point: float = AB_ZERO_POINT) -> np.ndarray:
    """AB magnitude −2.5 log10 F_ν + zero point, of any shape; NaN where F_ν is not positive."""
    positive = np.where(np.asarray(flux) > 0, flux, np.nan)
    return -2.5 * np.log10(positive) + zero_point


def measure_noise(
    flux: np.ndarray, flux_err: np.ndarray, magnitude: np.ndarray, source: str = "a catalogue"
) -> NoiseModel:
    """Measure the noise of a survey from the fluxes of its galaxies.

    The mean magnitude error of the galaxies of each half magnitude in each band, as in Sect. 2.2
    of the paper; Δm = 2.5/ln(10) σ/F (its footnote 4). Only a flux of at least 1σ has a magnitude
    error that means anything: the others are left out, as they have no magnitude in catalogues
    either. Bands that nobody measured get the error between those of their neighbours.

    Parameters
    ----------
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ in any unit; NaN is missing.
    magnitude : ndarray, shape (n,)
        i magnitude (AB) of each galaxy; NaN is unknown.
    source : str
        What the galaxies are from, for the description.

    Raises
    ------
    InputError
        If there are too few galaxies or bands with errors.
    """
    magnitude = np.asarray(magnitude, dtype=float)
    with np.errstate(all="ignore"):
        known = (magnitude > _POSSIBLE[0]) & (magnitude < _POSSIBLE[1])
        error = flux_err / flux / MAG_TO_RELATIVE
        measured = (flux > 0) & (flux_err > 0) & (flux_err <= flux) & known[:, None]
    used = measured.any(axis=1)
    if used.sum() < MIN_GALAXIES:
        raise InputError(
            f"Only {used.sum()} galaxies have flux errors and an i magnitude between "
            f"{_POSSIBLE[0]:g} and {_POSSIBLE[1]:g}; {MIN_GALAXIES} are needed. Check where the "
            "magnitude is taken from."
        )
    absent = ~np.any(measured, axis=0)
    if absent.sum() > _MAX_ABSENT:
        raise InputError(f"{absent.sum()} of the {N_BANDS} bands have no flux with an error.")
    error = np.where(measured, error, np.nan)[used]
    error[:, absent] = _between_neighbours(error, absent)
    low, high = (f"{value:.1f}" for value in (magnitude[used].min(), magnitude[used].max()))
    filled = [name for name, gap in zip(load_bands().names, absent, strict=True) if gap]
    return NoiseModel.from_catalogue(
        magnitude[used],
        error,
        description=f"Mean magnitude errors of {used.sum():,} galaxies of {source}, "
        f"i = {low} to {high}"
        + (f"; {', '.join(filled)} from the neighbouring bands" if filled else ""),
    )


def _between_neighbours(error: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """Errors (n, n_absent) of absent bands, linear in wavelength between the nearest others."""
    pivot = load_bands().pivot
    # The detection band is much deeper than the narrow ones that it overlaps.
    others = np.flatnonzero(~absent & (np.arange(N_BANDS) != N_BANDS - 1))
    others = others[np.argsort(pivot[others])]
    weights = np.array(
        [np.interp(pivot[absent], pivot[others], row) for row in np.eye(len(others))]
    )
    known = np.isfinite(error[:, others])
    total = known @ weights
    with np.errstate(all="ignore"):
        return np.where(known, error[:, others], 0.0) @ weights / np.where(total > 0, total, np.nan)


def _depths() -> np.ndarray:
    bands = load_bands()
    narrow = np.interp(bands.pivot, *_NARROW_DEPTH)
    return np.array([_BROAD_DEPTH.get(n, d) for n, d in zip(bands.names, narrow, strict=True)])


def _binned_means(
    magnitude: np.ndarray, error: np.ndarray, valid: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean error in each bin and band; bins that lack a band are interpolated over."""
    centres = (edges[:-1] + edges[1:]) / 2
    table = np.full((len(centres), N_BANDS), np.nan)
    for band in range(N_BANDS):
        ok = valid[:, band]
        counts, _ = np.histogram(magnitude[ok, band], edges)
        sums, _ = np.histogram(magnitude[ok, band], edges, weights=error[ok, band])
        filled = counts > 0
        if not filled.any():
            raise InputError(
                f"No galaxy with an error in {load_bands().names[band]} is in any bin."
            )
        table[:, band] = np.interp(centres, centres[filled], sums[filled] / counts[filled])
    return centres, table
