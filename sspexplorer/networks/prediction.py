"""From the photometry of a catalogue to predictions, with flags where they are doubtful."""

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.bands import N_BANDS
from sspexplorer.gaps import MIN_BANDS, complete
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks.model import Model
from sspexplorer.noise import NoiseModel
from sspexplorer.noisy_bands import too_noisy
from sspexplorer.progress import NO_PROGRESS, Progress

MAX_MISSING_FRACTION = 0.2
# The networks are trained at rest; a narrow band is about 140 Å wide, 0.02 in redshift.
MAX_UNMODELLED_REDSHIFT = 0.01
# How far, in dex or mag, a prediction may lie outside the labels of its training set.
RANGE_MARGIN = 0.1
CHUNK = 5_000  # rows between two looks at progress and at whether to stop


PREDICTION_COLUMNS = (*(f"pred_{name}" for name in PARAMETERS), "pred_n_bands", "pred_flag")


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
    flux_err: np.ndarray | None = None,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Predict the stellar population of each row of photometry.

    Missing bands are filled with :func:`~sspexplorer.gaps.complete`. A row with fewer
    than 20 bands, or whose median flux is not positive, gets NaN and a flag.

    Parameters
    ----------
    model : Model
    flux : ndarray, shape (n, 57)
        F_ν on any scale; NaN where a band is missing.
    redshift : ndarray, shape (n,), optional
        Redshifts, NaN where unknown; used only to flag, as the networks are trained at rest.
    flux_err : ndarray, shape (n, 57), optional
        σ on the scale of ``flux``; used only to leave out bands that are far noisier than the
        others, see :mod:`sspexplorer.noisy_bands`.
    progress : Progress, optional
        Told, and asked whether to go on, between chunks of 5000 rows.

    Returns
    -------
    DataFrame, n rows
        ``pred_log_age`` (log10 yr), ``pred_metallicity`` (dex), ``pred_ebv`` (mag),
        ``pred_n_bands`` (bands that were used) and ``pred_flag`` (empty where all is well).

    Raises
    ------
    Cancelled
        If ``progress`` said so.
    """
    n = len(flux)
    noisy, n_bands = np.zeros(n, dtype=bool), np.zeros(n, dtype=int)
    prediction = np.full((n, len(PARAMETERS)), np.nan)
    # All that is made on the way is made of some rows at a time: a catalogue fills the memory.
    for start in range(0, n, CHUNK):
        progress.check()
        rows = slice(start, start + CHUNK)
        some = np.array(flux[rows], dtype=float)
        if flux_err is not None:
            unused = too_noisy(some, np.asarray(flux_err[rows], dtype=float))
            some[unused] = np.nan
            noisy[rows] = unused.any(axis=1)
        n_bands[rows] = np.isfinite(some).sum(axis=1)
        filled, usable = complete(some, model.templates)
        if usable.any():
            prediction[rows][usable] = model.predict(filled[usable])
        progress.report(min(1.0, (start + CHUNK) / n))
    dark = (n_bands >= MIN_BANDS) & np.isnan(prediction[:, 0])
    table = pd.DataFrame(prediction, columns=list(PREDICTION_COLUMNS[:3]))
    table["pred_n_bands"] = n_bands
    table["pred_flag"] = _flags(model, prediction, n_bands, dark, noisy, redshift)
    return table


def _flags(
    model: Model,
    prediction: np.ndarray,
    n_bands: np.ndarray,
    dark: np.ndarray,
    noisy: np.ndarray,
    redshift: np.ndarray | None,
) -> np.ndarray:
    found = flags.column(len(prediction))
    enough = n_bands >= MIN_BANDS
    flags.add(found, n_bands == 0, "no-bands")
    flags.add(found, (n_bands > 0) & ~enough, "too-few-bands")
    flags.add(found, enough & dark, "flux-not-positive")
    many = N_BANDS - n_bands > MAX_MISSING_FRACTION * N_BANDS
    flags.add(found, enough & many, "many-bands-missing")
    flags.add(found, noisy, "bands-too-noisy")
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
