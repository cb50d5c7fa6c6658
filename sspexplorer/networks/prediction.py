"""From the photometry of a catalogue to predictions, with flags where they are doubtful."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.errors import Cancelled
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks.model import Model
from sspexplorer.noise import NoiseModel

MAX_MISSING_FRACTION = 0.2
MIN_BANDS = 20
# The networks are trained at rest; a narrow band is about 140 Å wide, 0.02 in redshift.
MAX_UNMODELLED_REDSHIFT = 0.01
# How far, in dex or mag, a prediction may lie outside the labels of its training set.
RANGE_MARGIN = 0.1
CHUNK = 5_000  # rows between two looks at progress and at whether to stop

_MATCH_ERROR = 0.03  # relative; also the least flux, over the median, that an error is taken of
_MATCH_CHUNK = 2_000

PREDICTION_COLUMNS = (*(f"pred_{name}" for name in PARAMETERS), "pred_n_bands", "pred_flag")


def fill_missing(flux: np.ndarray) -> np.ndarray:
    """Fill missing bands by interpolating between their neighbours in wavelength.

    Linear in F_ν between the pivot wavelengths of the nearest bands that are there, as
    Domínguez Sánchez et al. (2026), Sect. 5.3, suggest; beyond the bluest and the reddest of
    them, their value (see :func:`extend_ends` for better).

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        F_ν; NaN where a band is missing. Each row needs at least one band.

    Returns
    -------
    ndarray, shape (n, 57)
        A copy without NaN.
    """
    order = np.argsort(load_bands().pivot)
    pivot = load_bands().pivot[order]
    filled = np.array(flux, dtype=float)[:, order]
    present = np.isfinite(filled)
    patterns, membership = np.unique(present, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        if pattern.all():
            continue
        rows = np.flatnonzero(membership.reshape(-1) == index)
        filled[np.ix_(rows, ~pattern)] = filled[np.ix_(rows, pattern)] @ _interpolation(
            pivot[pattern], pivot[~pattern]
        )
    return filled[:, np.argsort(order)]


def extend_ends(flux: np.ndarray, present: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Replace the bands beyond the bluest and the reddest that are there.

    Nothing lies beyond them to interpolate to, and a constant flux would turn an old galaxy into
    a young one: for those bands the mean of noise-free SEDs is taken, each weighted by its
    likelihood given the other bands (χ² with free amplitude and an error of 3 %, or as much more
    as the best SED is off).

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        F_ν without gaps, as :func:`fill_missing` gives it.
    present : ndarray of bool, shape (n, 57)
        Which bands were there.
    templates : ndarray, shape (n_templates, 57), float32
        Noise-free SEDs on any scale.

    Returns
    -------
    ndarray, shape (n, 57)
        A copy.
    """
    flux = np.array(flux, dtype=float)
    order = np.argsort(load_bands().pivot)
    ordered = present[:, order]
    first, last = ordered.argmax(axis=1), N_BANDS - 1 - ordered[:, ::-1].argmax(axis=1)
    for ends in {*zip(first.tolist(), last.tolist(), strict=True)} - {(0, N_BANDS - 1)}:
        inside = order[ends[0] : ends[1] + 1]
        outside = np.setdiff1d(order, inside)
        rows = np.flatnonzero((first == ends[0]) & (last == ends[1]))
        for part in np.array_split(rows, -(-len(rows) // _MATCH_CHUNK)):
            weights = _match(flux[np.ix_(part, inside)], templates[:, inside])
            flux[np.ix_(part, outside)] = weights @ templates[:, outside]
    return flux


def _match(flux: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Weights (n, n_templates) that make of templates the likeliest continuation of ``flux``."""
    level = np.median(np.abs(flux), axis=1, keepdims=True)
    flux = (flux / level).astype(np.float32)
    inverse_variance = 1 / (_MATCH_ERROR * np.maximum(np.abs(flux), _MATCH_ERROR)) ** 2
    cross = (inverse_variance * flux) @ templates.T
    norm = inverse_variance @ (templates**2).T
    amplitude = cross / norm
    gain = cross * amplitude  # χ² of a dark template minus χ²
    best = gain.max(axis=1, keepdims=True)
    chi2 = (inverse_variance * flux**2).sum(axis=1, keepdims=True) - best
    gain -= best
    gain /= 2 * np.maximum(1, chi2 / flux.shape[1])
    weights = np.exp(gain, out=gain)
    weights *= amplitude / weights.sum(axis=1, keepdims=True)
    return weights * level


def _interpolation(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Matrix (n_known, n_wanted) of linear interpolation, constant beyond the ends."""
    return np.stack([np.interp(wanted, known, unit) for unit in np.eye(len(known))])


def noise_scatter(
    model: Model,
    noise_free: np.ndarray,
    magnitude: float,
    *,
    noise: NoiseModel | None = None,
    n_draws: int = 200,
    seed: int = 0,
    common: bool = False,
) -> np.ndarray:
    """Predictions for SEDs under many draws of the noise.

    Parameters
    ----------
    model : Model
    noise_free : ndarray, shape (n, 57)
        F_ν without noise.
    magnitude : float
        i magnitude (AB), which sets the noise.
    noise : NoiseModel, optional
        :meth:`NoiseModel.default` unless given.
    n_draws, seed : int
    common : bool
        Use the same draws for every SED, so that quantiles run smoothly along a sequence of SEDs.

    Returns
    -------
    ndarray, shape (n, n_draws, 3)
        log_age (log10 yr), metallicity (dex) and ebv (mag).
    """
    noise = noise or NoiseModel.default()
    rng = np.random.default_rng(seed)
    if common:
        factor, _ = noise.add(np.ones((n_draws, noise_free.shape[1])), magnitude, rng)
        flux = (noise_free[:, None] * factor).reshape(-1, noise_free.shape[1])
        return model.predict(flux).reshape(len(noise_free), n_draws, -1)
    flux, _ = noise.add(np.repeat(noise_free, n_draws, axis=0), magnitude, rng)
    return model.predict(flux).reshape(len(noise_free), n_draws, -1)


def predict(
    model: Model,
    flux: np.ndarray,
    redshift: np.ndarray | None = None,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> pd.DataFrame:
    """Predict the stellar population of each row of photometry.

    Missing bands are filled with :func:`fill_missing` and :func:`extend_ends`. A row with fewer
    than 20 bands, or whose median flux is not positive, gets NaN and a flag.

    Parameters
    ----------
    model : Model
    flux : ndarray, shape (n, 57)
        F_ν on any scale; NaN where a band is missing.
    redshift : ndarray, shape (n,), optional
        Redshifts, NaN where unknown; used only to flag, as the networks are trained at rest.
    progress : callable, optional
        Called with the fraction done.
    cancelled : callable, optional
        Asked between chunks of 5000 rows.

    Returns
    -------
    DataFrame, n rows
        ``pred_log_age`` (log10 yr), ``pred_metallicity`` (dex), ``pred_ebv`` (mag),
        ``pred_n_bands`` (bands that were there) and ``pred_flag`` (empty where all is well).

    Raises
    ------
    Cancelled
        If ``cancelled`` said so.
    """
    flux = np.asarray(flux, dtype=float)
    n_bands = np.isfinite(flux).sum(axis=1)
    prediction = np.full((len(flux), len(PARAMETERS)), np.nan)
    with np.errstate(all="ignore"):
        dark = ~(row_median(flux) > 0)
    for start in range(0, len(flux), CHUNK):
        if cancelled and cancelled():
            raise Cancelled
        rows = start + np.flatnonzero(
            (n_bands[start : start + CHUNK] >= MIN_BANDS) & ~dark[start : start + CHUNK]
        )
        if len(rows):
            filled = fill_missing(flux[rows])
            filled = extend_ends(filled, np.isfinite(flux[rows]), model.templates)
            lit = np.median(filled, axis=1) > 0
            dark[rows[~lit]] = True
            prediction[rows[lit]] = model.predict(filled[lit])
        if progress:
            progress(min(1.0, (start + CHUNK) / len(flux)))
    table = pd.DataFrame(prediction, columns=list(PREDICTION_COLUMNS[:3]))
    table["pred_n_bands"] = n_bands
    table["pred_flag"] = _flags(model, prediction, n_bands, dark, redshift)
    return table


def row_median(flux: np.ndarray) -> np.ndarray:
    """Median of the bands that are there, shape (n,); NaN for rows with none."""
    ordered = np.sort(flux, axis=1)  # NaN last
    count = np.isfinite(flux).sum(axis=1)
    rows = np.arange(len(flux))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, count // 2 % N_BANDS]
    return np.where(count > 0, (low + high) / 2, np.nan)


def _flags(
    model: Model,
    prediction: np.ndarray,
    n_bands: np.ndarray,
    dark: np.ndarray,
    redshift: np.ndarray | None,
) -> np.ndarray:
    found = flags.column(len(prediction))
    enough = n_bands >= MIN_BANDS
    flags.add(found, n_bands == 0, "no-bands")
    flags.add(found, (n_bands > 0) & ~enough, "too-few-bands")
    flags.add(found, enough & dark, "flux-not-positive")
    many = N_BANDS - n_bands > MAX_MISSING_FRACTION * N_BANDS
    flags.add(found, enough & many, "many-bands-missing")
    if redshift is not None:
        with np.errstate(invalid="ignore"):
            far = np.abs(redshift) > MAX_UNMODELLED_REDSHIFT
        flags.add(found, far, "redshift-not-modelled")
    for column, (name, (low, high)) in enumerate(model.card["label_range"].items()):
        with np.errstate(invalid="ignore"):
            value = prediction[:, column]
            outside = (value < low - RANGE_MARGIN) | (value > high + RANGE_MARGIN)
        flags.add(found, outside, f"{name.replace('_', '-')}-outside")
    return found
