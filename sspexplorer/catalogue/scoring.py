"""The data decide what they are: scored as F_ν, F_λ or magnitudes against training SEDs."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from sspexplorer.resources import data_path

if TYPE_CHECKING:
    from sspexplorer.posterior.likeness import Likeness

ROWS = 200
MIN_BANDS = 5
_ERROR = 0.05  # of the flux, and of the row's median, where none is known
_FLOOR = 0.02  # relative, added to all: zero points and templates are no better
_MOST_PER_ROW = 50.0  # of Δχ², so that one odd row does not outweigh the others
# Without any information Δχ² of a row scatters by about 3.
_SURE_PER_ROW = 9.0
_SHARE, _SHARE_IF_POOR = 0.7, 0.9
_POOR = 10.0  # χ² per band


@dataclass(frozen=True)
class Verdict:
    """Which of several readings of the numbers the training SEDs fit best, and how surely.

    Attributes
    ----------
    kind : str
        The best reading.
    against : str
        The best of the others.
    rows : int
        Rows that were scored.
    share : float
        Part of them in which ``kind`` fits better than ``against``.
    delta_chi2 : float
        Median over them of χ² of ``against`` less that of ``kind``, in units of χ² per band of
        the better fit where that is above 1.
    chi2 : dict of str to float
        Median χ² per band of every reading.
    sure : bool
        Whether that is enough to go by.
    """

    kind: str
    against: str
    rows: int
    share: float
    delta_chi2: float
    chi2: dict[str, float]
    sure: bool


@cache
def _likeness() -> "Likeness":
    """Galaxies as most are, and every fourth training SED of the model of single populations."""
    # Torch takes seconds to import, and few catalogues need it to be read.
    from sspexplorer import artifact
    from sspexplorer.posterior.likeness import Likeness

    mixed = artifact.load_arrays(data_path("unit_seds.safetensors"))["seds"]
    single = Likeness.load(data_path("models", "ssp"))
    seds = np.concatenate([mixed.astype(np.float32), single.templates[::4]])
    return Likeness(seds, single.quantiles)


def warm() -> None:
    """Load what scoring needs, which else the first catalogue waits for."""
    _likeness()


def score(
    readings: Mapping[str, tuple[np.ndarray, np.ndarray]], floor: float = _FLOOR
) -> Verdict | None:
    """Score readings of the same rows against the training SEDs of the shipped models.

    Each row's χ² is that of its closest mixture of training SEDs, with free amplitude. The
    reading whose χ² is less in most rows, and by enough in sum, is taken.

    Parameters
    ----------
    readings : mapping of str to (flux, error)
        F_ν and σ that follow from each reading, shape (n, 57); NaN where unknown.
    floor : float
        Relative error added in quadrature.

    Returns
    -------
    Verdict or None
        None if no row has five bands.
    """
    enough = np.all([np.isfinite(f).sum(axis=1) >= MIN_BANDS for f, _ in readings.values()], axis=0)
    rows = _worth_scoring(np.flatnonzero(enough), *next(iter(readings.values())))
    if not len(rows):
        return None
    fluxes = [flux[rows] for flux, _ in readings.values()]
    guess = _guessed_error(fluxes)
    chi2 = np.stack(
        [
            _chi2(
                flux, np.where(np.isfinite(error[rows]), error[rows], guess * np.abs(flux)), floor
            )
            for flux, (_, error) in zip(fluxes, readings.values(), strict=True)
        ]
    )
    bands = np.stack([np.isfinite(flux).sum(axis=1) for flux in fluxes])
    kinds = list(readings)
    best, other = np.argsort(np.median(chi2 / bands, axis=1))[:2]
    if _gain(chi2, bands, best, other).sum() < 0:
        best, other = other, best
    gain = _gain(chi2, bands, best, other)
    share = float(np.mean(gain > 0))
    median = dict(zip(kinds, np.median(chi2 / bands, axis=1).tolist(), strict=True))
    enough = gain.sum() >= _SURE_PER_ROW * np.sqrt(len(rows))
    known = any(np.isfinite(error[rows]).any() for _, error in readings.values())
    sure = bool(
        enough and share >= (_SHARE if known and median[kinds[best]] < _POOR else _SHARE_IF_POOR)
    )
    return Verdict(
        kinds[best], kinds[other], len(rows), share, float(np.median(gain)), median, sure
    )


def _worth_scoring(rows: np.ndarray, flux: np.ndarray, error: np.ndarray) -> np.ndarray:
    """At most 200 of the rows, evenly spread over the half with less noise where there are more."""
    if len(rows) > ROWS:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            noise = np.nanmedian(error[rows] / np.abs(flux[rows]), axis=1)
        rows = rows[np.argsort(noise, kind="stable")[: max(ROWS, len(rows) // 2)]]
    return rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)]


def _guessed_error(fluxes: list[np.ndarray]) -> np.ndarray:
    """Relative errors for those that are unknown, the same for every reading, (n, 57)."""
    with np.errstate(all="ignore"):
        middle = np.exp(np.mean([np.log(np.abs(flux)) for flux in fluxes], axis=0))
        level = np.nanmedian(middle, axis=1, keepdims=True)
        return _ERROR * np.hypot(1.0, level / middle)


def _chi2(flux: np.ndarray, error: np.ndarray, floor: float) -> np.ndarray:
    error = np.hypot(error, floor * np.abs(flux))
    with np.errstate(all="ignore"):
        per_band, _ = _likeness().score(flux, error)
    chi2 = per_band * np.isfinite(flux).sum(axis=1)
    return np.where(np.isfinite(chi2), chi2, 1e6)


def _gain(chi2: np.ndarray, bands: np.ndarray, best: int, other: int) -> np.ndarray:
    """χ² of ``other`` less that of ``best`` in each row, see :class:`Verdict`."""
    scale = np.maximum(1, np.minimum(chi2[best] / bands[best], chi2[other] / bands[other]))
    return np.clip((chi2[other] - chi2[best]) / scale, -_MOST_PER_ROW, _MOST_PER_ROW)
