"""How the photometry and the redshifts of a catalogue are taken by the models with error bars."""

from dataclasses import dataclass

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.gaps import row_median
from sspexplorer.masses import DEFAULT_COSMOLOGY, Cosmology
from sspexplorer.noisy_bands import surroundings

DEFAULT_FLOOR = 0.02
MOST_SAMPLES = 10_000
# For fluxes that come without an error; relative to the median flux.
ASSUMED_ERROR = 0.05
# What to take the redshifts of a catalogue as.
REDSHIFT_AS = ("given", "unknown", "rest")

# A floor is of no less than this part of the flux of the bands about it.
_LEAST_FLUX = 0.5


@dataclass(frozen=True)
class Choices:
    """How a catalogue is to be taken.

    Attributes
    ----------
    floor : float
        Relative error added in quadrature to those of the bands.
    redshift_as : {"given", "unknown", "rest"}
        Use the catalogue's redshifts; find them from the colours, even where there are some; or
        take all colours as at rest (for photometry of spectra that were shifted to rest).
    use_all : bool
        Use also bands that all others contradict, which are otherwise set aside.
    cosmology : Cosmology
        For distances, and so masses.
    samples : int
        How many draws of each posterior to give beside what sums it up.

    Raises
    ------
    InputError
        If the floor is no relative error, there are too many samples, or ``redshift_as`` is none
        of these.
    """

    floor: float = DEFAULT_FLOOR
    redshift_as: str = "given"
    use_all: bool = False
    cosmology: Cosmology = DEFAULT_COSMOLOGY
    samples: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.floor < 1:
            raise InputError(f"The error to add is a fraction from 0 to 1, not {self.floor:g}.")
        if not 0 <= self.samples <= MOST_SAMPLES:
            raise InputError(f"Samples are from 0 to {MOST_SAMPLES} a row, not {self.samples}.")
        if self.redshift_as not in REDSHIFT_AS:
            raise InputError(
                f"Redshifts are taken as one of {', '.join(REDSHIFT_AS)}, not {self.redshift_as!r}."
            )


def redshifts_as(
    redshift: np.ndarray | None, redshift_err: np.ndarray | None, n: int, taken_as: str
) -> tuple[np.ndarray, np.ndarray]:
    """Redshifts and errors (n,) to predict with, NaN where unknown; see :class:`Choices`."""
    unknown = np.full(n, np.nan)
    if taken_as == "rest":
        return np.zeros(n), unknown
    if taken_as == "unknown" or redshift is None:
        return unknown, unknown
    error = unknown if redshift_err is None else np.asarray(redshift_err, dtype=float)
    return np.asarray(redshift, dtype=float), np.where(error > 0, error, np.nan)


def prepared(
    flux: np.ndarray, flux_err: np.ndarray, floor: float, near: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Errors (n, 57) with the floor, and how many bands had none, (n,).

    A calibration error is a part of the flux that should be there: a band that lost its light, at
    the end of a spectrum say, would else seem to be without error and outweigh all others. So the
    floor is of no less than half the flux of the bands about it: ``near``, the
    :func:`.surroundings` of ``flux``, where they are known already.
    """
    near = surroundings(flux) if near is None else near
    present = np.isfinite(flux)
    level = row_median(flux)
    unknown = present & ~(flux_err > 0)
    error = np.where(unknown, ASSUMED_ERROR * level[:, None], flux_err)
    error = np.hypot(error, floor * np.fmax(np.abs(flux), _LEAST_FLUX * near))
    return np.where(present, error, np.nan), unknown.sum(axis=1)
