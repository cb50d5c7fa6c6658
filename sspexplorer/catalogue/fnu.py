"""The numbers of a table to F_ν, with what is missing told apart by why."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from astropy import units as u
from astropy.constants import c

from sspexplorer.bands import load_bands
from sspexplorer.catalogue.limits import Codes, is_limit, is_sentinel, stands_for_none
from sspexplorer.catalogue.units import BandUnit, ErrorUnit
from sspexplorer.progress import NO_PROGRESS, Progress

_LIGHT = c.to_value(u.AA / u.s)
_MOST_CODES = 50  # different ones that are counted


@dataclass(frozen=True, eq=False)
class Missing:
    """How much is missing.

    Attributes
    ----------
    counts : ndarray, shape (7, 57), int
        Missing fluxes of each of :attr:`KINDS`, in each band; of several, the first counts.
    unknown_errors : ndarray, shape (57,), int
        Fluxes that have no usable error.
    codes : dict of str to int
        Values that were taken to stand for none, and how often.
    """

    KINDS: ClassVar = (
        "masked by flags",
        "blank or not finite",
        "exactly 0",
        "−99, −999 or −9999",
        "magnitudes beyond ±90, such as 99",
        "values that stand for none",
        "upper limits by their negative error",
    )
    counts: np.ndarray
    unknown_errors: np.ndarray
    codes: dict[str, int] = field(default_factory=dict)

    def by_kind(self) -> dict[str, int]:
        """Count the missing fluxes of each of :attr:`KINDS` in all bands together."""
        return dict(zip(self.KINDS, self.counts.sum(axis=1).tolist(), strict=True))


def to_fnu(
    flux: np.ndarray,
    error: np.ndarray,
    bands: tuple[BandUnit, ...],
    errors: tuple[ErrorUnit, ...],
    codes: Codes,
    masked: np.ndarray | None = None,
    progress: Progress = NO_PROGRESS,
) -> Missing:
    """Convert numbers as in the file to F_ν, in place.

    Missing values become NaN. An error that is a sentinel, or not above 0, is unknown (NaN) and
    leaves its flux alone, unless it makes of the flux an upper limit.

    Parameters
    ----------
    flux, error : ndarray, shape (n, 57), float64
    bands : tuple of BandUnit, 57 values
    errors : tuple of ErrorUnit, 57 values
    codes : Codes
        Numbers of this table that stand for none.
    masked : ndarray of bool, shape (n, 57), optional
        Fluxes that the table's masks and flags say are bad.
    """
    how = _Conversion.of(bands, errors)
    counts = np.zeros((len(Missing.KINDS) + 1, flux.shape[1]), int)
    found: dict[str, int] = {}
    # Blocks of rows that stay in the processor's cache.
    for start in range(0, len(flux), 4096):
        progress.check()
        progress.report(start / len(flux))
        rows = slice(start, start + 4096)
        mask = None if masked is None else masked[rows]
        with np.errstate(all="ignore"):
            counts += _convert(flux[rows], error[rows], how, codes, mask, found)
    return Missing(counts[:-1], counts[-1], found)


@dataclass(frozen=True, eq=False)
class _Conversion:
    """Of each band: whether it is logarithmic, and the numbers that make F_ν of it."""

    logarithmic: np.ndarray
    step: np.ndarray
    factor: np.ndarray
    relative: np.ndarray
    error_factor: np.ndarray
    power: np.ndarray

    @classmethod
    def of(cls, bands: tuple[BandUnit, ...], errors: tuple[ErrorUnit, ...]) -> "_Conversion":
        to_fnu = load_bands().pivot ** 2 / _LIGHT
        size = [
            np.where(np.array([x.kind for x in of]) == "flambda", to_fnu, 1.0)
            for of in (bands, errors)
        ]
        step = np.array([band.step for band in bands])
        return cls(
            step != 0,
            step,
            size[0] * [band.scale for band in bands],
            np.array([error.kind == "relative" for error in errors]),
            size[1] * [error.scale for error in errors],
            np.array([error.power for error in errors]),
        )


def _convert(
    flux: np.ndarray,
    error: np.ndarray,
    how: _Conversion,
    codes: Codes,
    masked: np.ndarray | None,
    found: dict[str, int],
) -> np.ndarray:
    """Convert some rows in place; count by band the missing of each kind, and unknown errors."""
    # A fraction of a negative flux is negative.
    turned = how.relative & ~how.logarithmic & (flux < 0) & (error < 0) & ~is_sentinel(error)
    error[turned] *= -1
    blank, zero, sentinel = ~np.isfinite(flux), flux == 0, is_sentinel(flux)
    inverse = how.power < 0
    beyond = how.logarithmic & (np.abs(flux) >= 90 * np.maximum(1, np.abs(how.step) / 10))
    code = stands_for_none(flux, error, codes, how.logarithmic)
    # An inverse variance of 0 is SDSS's and DESI's way to say that there is no flux.
    limit = is_limit(error, codes) | inverse & (error == 0)
    masked = np.zeros(flux.shape, bool) if masked is None else masked
    kinds = [masked, blank, zero, sentinel, beyond, code, limit]
    gone = masked.copy()
    for i, kind in enumerate(kinds[1:], 1):
        kinds[i] = kind & ~gone
        gone |= kind
    if len(found) < _MOST_CODES and kinds[5].any():
        values, counts = np.unique(flux[kinds[5]], return_counts=True)
        for value, count in zip(values.tolist(), counts.tolist(), strict=True):
            found[f"{value:g}"] = found.get(f"{value:g}", 0) + count
    flux[gone] = np.nan
    error[~np.isfinite(error) | (error <= 0) | (how.logarithmic & (error >= 90))] = np.nan
    logarithmic, power = how.logarithmic, how.power
    if logarithmic.any():
        flux[:, logarithmic] = 10 ** (flux[:, logarithmic] / how.step[logarithmic])
    flux *= how.factor
    if (power != 1).any():
        error[:, power != 1] **= power[power != 1]
    error *= how.error_factor
    error[:, how.relative] *= np.abs(flux[:, how.relative])
    # What overflows is no measurement.
    flux[~np.isfinite(flux) | (flux == 0)] = np.nan
    unknown = ~np.isfinite(error)
    error[unknown | np.isnan(flux)] = np.nan
    unknown &= ~np.isnan(flux)
    return np.array([kind.sum(axis=0) for kind in (*kinds, unknown)])
