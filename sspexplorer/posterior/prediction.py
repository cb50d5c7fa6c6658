"""From the photometry of a catalogue to posteriors in a table, with flags of what is doubtful."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.errors import InputError
from sspexplorer.gaps import MIN_BANDS, row_median
from sspexplorer.noisy_bands import surroundings, too_noisy
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.likeness import UNLIKE, Likeness, named, typical_snr
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.prior import PriorDraws
from sspexplorer.progress import NO_PROGRESS, Progress

DEFAULT_FLOOR = 0.02
# For fluxes that come without an error; relative to the median flux.
ASSUMED_ERROR = 0.05
# What to take the redshifts of a catalogue as.
REDSHIFT_AS = ("given", "unknown", "rest")

# An answer is the prior's more than the data's if these have done away with less of its variance.
LEAST_SHRINKAGE = 0.5
FROM_PRIOR = {
    "log_age": "log-age-from-prior",
    "metallicity": "metallicity-from-prior",
    "ebv": "ebv-from-prior",
}

# A floor is of no less than this part of the flux of the bands about it.
_LEAST_FLUX = 0.5

_CHUNK = 2_000
_QUANTILES = {"p16": 0.16, "p50": 0.50, "p84": 0.84}
_PAIRS = ((0, 1), (0, 2), (1, 2))
# A redshift that the colours alone find less likely than this is contradicted.
_CONTRADICTED = 3e-3
# The zero points of real colours are never good enough to find a redshift better than this.
_PHOTOZ_LIMIT = 0.003
# Errors of a redshift are summed over in steps of a quarter of σ.
_ERROR_STEPS = np.linspace(-4, 4, 33)


@dataclass(frozen=True)
class Estimator:
    """A posterior model with what it needs to judge how far its answers can be trusted.

    Attributes
    ----------
    model : PosteriorModel
    likeness : Likeness
        How like its training a galaxy is.
    prior : PriorDraws
        What it would answer without any data.
    libraries : LibraryErrors, optional
        What its errors lack for stars of libraries that it has not seen, if that is known.
    """

    model: PosteriorModel
    likeness: Likeness
    prior: PriorDraws
    libraries: LibraryErrors | None = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.card["name"]

    @property
    def card(self) -> dict:
        """What the model is."""
        return self.model.card

    @classmethod
    def load(cls, folder: Path) -> "Estimator":
        """Read the folder of a model.

        Raises
        ------
        InputError
            If it does not hold the first three.
        """
        return cls(
            PosteriorModel.load(folder),
            Likeness.load(folder),
            PriorDraws.load(folder),
            LibraryErrors.load(folder),
        )


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

    Raises
    ------
    InputError
        If the floor is no relative error, or ``redshift_as`` is none of these.
    """

    floor: float = DEFAULT_FLOOR
    redshift_as: str = "given"
    use_all: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.floor < 1:
            raise InputError(f"The error to add is a fraction from 0 to 1, not {self.floor:g}.")
        if self.redshift_as not in REDSHIFT_AS:
            raise InputError(
                f"Redshifts are taken as one of {', '.join(REDSHIFT_AS)}, not {self.redshift_as!r}."
            )


def columns(model: PosteriorModel, libraries: LibraryErrors | None = None) -> list[str]:
    """Names of the columns that :func:`predict_posterior` makes for a model."""
    found = []
    for group in model.groups[:-1]:
        for name in group.names:
            found += [f"pred_{name}", f"pred_{name}_err"]
            found += [f"pred_{name}_{q}" for q in _QUANTILES]
            found.append(f"pred_{name}_shrinkage")
    names = model.groups[0].names
    found += [f"pred_corr_{names[a]}_{names[b]}" for a, b in _PAIRS]
    found += [f"pred_{name}_library_err" for name in (libraries.errors if libraries else ())]
    found += ["pred_photoz", "pred_photoz_err", "pred_chi2", "pred_p_value"]
    return [*found, "pred_n_bands", "pred_set_aside", "pred_flag"]


def predict_posterior(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    choices: Choices | None = None,
    progress: Progress = NO_PROGRESS,
) -> pd.DataFrame:
    """Posterior of the stellar population of each row of photometry.

    Parameters
    ----------
    estimator : Estimator
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and its σ on one scale for each row; NaN in ``flux`` is a missing band. An error that
        is NaN or not positive is unknown; 5 % of the median flux is taken instead.
    redshift, redshift_err : ndarray, shape (n,), optional
        NaN where unknown.
    choices : Choices, optional
    progress : Progress, optional
        Told, and asked whether to go on, between chunks of 2000 rows.

    Returns
    -------
    DataFrame, n rows
        For each parameter ``pred_…`` (posterior mean), ``_err`` (standard deviation), ``_p16``,
        ``_p50`` and ``_p84``, and ``_shrinkage``, the part of the prior's variance that the data
        have done away with (see :meth:`.PriorDraws.shrinkage`); ``pred_corr_…``, the correlation
        of each pair of the first three; where it is known, ``pred_…_library_err``, what the
        errors lack for stars of a library that training did not see;
        ``pred_photoz`` (median) and its ``_err``, the redshift from the colours alone;
        ``pred_chi2``, χ² per band of the closest mixture of training SEDs, and ``pred_p_value``,
        how often galaxies of the training's kind are farther from it, both NaN below 20 bands;
        ``pred_n_bands``, how many were used; ``pred_set_aside``, the measured bands that were not,
        with spaces between; and ``pred_flag``, codes of :mod:`sspexplorer.flags`, empty where all
        is well. Rows that cannot be predicted have NaN.

    Raises
    ------
    Cancelled
        If ``progress`` said so.
    """
    choices = choices or Choices()
    flux = np.asarray(flux, dtype=float)
    n = len(flux)
    z, z_err = redshifts_as(redshift, redshift_err, n, choices.redshift_as)
    parts = [
        _predict_chunk(estimator, flux[rows], flux_err[rows], z[rows], z_err[rows], choices)
        for rows in _chunks(n, progress)
    ]
    if not parts:
        return pd.DataFrame({name: [] for name in columns(estimator.model, estimator.libraries)})
    return pd.concat(parts, ignore_index=True)


def _chunks(n: int, progress: Progress) -> Iterator[slice]:
    """Rows to take at a time, of n; told and asked about between them."""
    for start in range(0, n, _CHUNK):
        progress.check()
        yield slice(start, start + _CHUNK)
        progress.report(min(1.0, (start + _CHUNK) / n))


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


def prepared(flux: np.ndarray, flux_err: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Errors (n, 57) with the floor, and how many bands had none, (n,).

    A calibration error is a part of the flux that should be there: a band that lost its light, at
    the end of a spectrum say, would else seem to be without error and outweigh all others. So the
    floor is of no less than half the flux of the bands about it.
    """
    present = np.isfinite(flux)
    level = row_median(flux)
    unknown = present & ~(flux_err > 0)
    error = np.where(unknown, ASSUMED_ERROR * level[:, None], flux_err)
    error = np.hypot(error, floor * np.fmax(np.abs(flux), _LEAST_FLUX * surroundings(flux)))
    return np.where(present, error, np.nan), unknown.sum(axis=1)


@dataclass(frozen=True, eq=False)
class _Judged:
    """What a model is to be asked about, and how like its training that is.

    Attributes
    ----------
    flux, error : ndarray, shape (n, 57)
        NaN in ``flux`` where a band is missing or not used.
    given, heard, n_unknown : ndarray of int, shape (n,)
        Bands that were measured; those without the noisy ones; those without an error.
    noisy, aside : ndarray of bool, shape (n, 57)
    beyond, predicted : ndarray of bool, shape (n,)
        Outside of what the model knows in redshift; with an answer.
    chi2, p_value : ndarray, shape (n,)
    """

    flux: np.ndarray
    error: np.ndarray
    given: np.ndarray
    heard: np.ndarray
    n_unknown: np.ndarray
    noisy: np.ndarray
    aside: np.ndarray
    beyond: np.ndarray
    predicted: np.ndarray
    chi2: np.ndarray
    p_value: np.ndarray


def _judged(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    z: np.ndarray,
    z_err: np.ndarray,
    choices: Choices,
) -> _Judged:
    error, n_unknown = prepared(flux, flux_err, choices.floor)
    noisy = too_noisy(flux, error)
    used = np.where(noisy, np.nan, flux)
    heard = np.isfinite(used).sum(axis=1)
    beyond = (z > MAX_REDSHIFT + 1e-3 + 3 * np.nan_to_num(z_err)) | (
        z < -0.01 - 3 * np.nan_to_num(z_err)
    )
    predicted = (heard >= estimator.model.least_bands) & (row_median(used) > 0) & ~beyond
    aside = np.zeros(flux.shape, dtype=bool)
    chi2, p_value = np.full((2, len(flux)), np.nan)
    # What p-values mean was learnt from galaxies with all bands: few are always matched.
    rows = np.flatnonzero(predicted & (heard >= MIN_BANDS))
    if len(rows):
        aside[rows], chi2[rows], p_value[rows] = _judge(
            estimator.likeness, used[rows], error[rows], choices.use_all
        )
        used[aside] = np.nan
    given = np.isfinite(flux).sum(axis=1)
    return _Judged(
        used, error, given, heard, n_unknown, noisy, aside, beyond, predicted, chi2, p_value
    )


def likeness_p_values(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    choices: Choices | None = None,
    progress: Progress = NO_PROGRESS,
) -> np.ndarray:
    """Only the ``pred_p_value`` of :func:`predict_posterior`, shape (n,), with its parameters.

    Below :data:`sspexplorer.posterior.likeness.UNLIKE` a galaxy is unlike the training.

    Raises
    ------
    Cancelled
        If ``progress`` said so.
    """
    choices, n = choices or Choices(), len(flux)
    flux = np.asarray(flux, dtype=float)
    z, z_err = redshifts_as(redshift, redshift_err, n, choices.redshift_as)
    found = np.full(n, np.nan)
    for rows in _chunks(n, progress):
        parts = (flux[rows], flux_err[rows], z[rows], z_err[rows])
        found[rows] = _judged(estimator, *parts, choices).p_value
    return found


def _predict_chunk(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    z: np.ndarray,
    z_err: np.ndarray,
    choices: Choices,
) -> pd.DataFrame:
    n, model = len(flux), estimator.model
    judged = _judged(estimator, flux, flux_err, z, z_err, choices)
    names = columns(model, estimator.libraries)
    table = pd.DataFrame(np.nan, index=range(n), columns=names)
    tail = np.full(n, np.nan)
    rows = np.flatnonzero(judged.predicted)
    if len(rows):
        used, error = judged.flux[rows], judged.error[rows]
        mixtures = model.posterior(used, error, np.clip(z[rows], 0, None), z_err[rows])
        for mixture in mixtures[:-1]:
            _fill(table, rows, mixture, estimator.prior)
        colours = model.posterior(used, error)[-1]
        _fill_photoz(table, rows, colours)
        tail[rows] = redshift_tail(colours, z[rows], z_err[rows])
        if estimator.libraries is not None:
            snr = typical_snr(used, error)
            for name in estimator.libraries.errors:
                added = estimator.libraries.at(name, snr)
                table.loc[rows, f"pred_{name}_library_err"] = added
    table["pred_chi2"], table["pred_p_value"] = judged.chi2, judged.p_value
    table["pred_n_bands"] = np.isfinite(judged.flux).sum(axis=1)
    table["pred_set_aside"] = named(judged.aside | judged.noisy)
    reasons = _flags(judged, model.least_bands, tail)
    for name, code in FROM_PRIOR.items():
        flags.add(reasons, (table[f"pred_{name}_shrinkage"] < LEAST_SHRINKAGE).to_numpy(), code)
    table["pred_flag"] = reasons
    return table


def _flags(judged: _Judged, least: int, tail: np.ndarray) -> np.ndarray:
    found = flags.column(len(judged.given))
    enough, unknown = judged.heard >= least, judged.predicted & (judged.n_unknown > 0)
    flags.add(found, judged.given == 0, "no-bands")
    flags.add(found, (judged.given > 0) & ~enough, "too-few-bands")
    flags.add(found, enough & ~judged.predicted & ~judged.beyond, "flux-not-positive")
    flags.add(found, judged.beyond, "redshift-outside")
    few = np.isfinite(judged.flux).sum(axis=1) < MIN_BANDS
    flags.add(found, judged.predicted & few, "few-bands")
    flags.add(found, unknown & (judged.n_unknown == judged.given), "errors-unknown")
    flags.add(found, unknown & (judged.n_unknown < judged.given), "some-errors-unknown")
    flags.add(found, np.any(judged.noisy, axis=1), "bands-too-noisy")
    with np.errstate(invalid="ignore"):
        flags.add(found, judged.p_value < UNLIKE, "unlike-training")
        flags.add(found, np.any(judged.aside, axis=1), "bands-set-aside")
        flags.add(found, tail < _CONTRADICTED, "redshift-contradicted")
    return found


def _judge(
    likeness: Likeness, flux: np.ndarray, error: np.ndarray, use_all: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if use_all:
        score, p, _ = likeness.assess(flux, error)
        return np.zeros(flux.shape, dtype=bool), score, p
    return likeness.contradicted(flux, error)


def _fill(table: pd.DataFrame, rows: np.ndarray, mixture: Mixture, prior: PriorDraws) -> None:
    mean, covariance = mixture.moments()
    spread = np.sqrt(np.einsum("nii->ni", covariance))
    quantiles = mixture.quantiles(tuple(_QUANTILES.values()))
    names = mixture.bounds.names
    for k, name in enumerate(names):
        table.loc[rows, f"pred_{name}"] = mean[:, k]
        table.loc[rows, f"pred_{name}_err"] = spread[:, k]
        table.loc[rows, f"pred_{name}_shrinkage"] = prior.shrinkage(name, spread[:, k])
        for q, label in enumerate(_QUANTILES):
            table.loc[rows, f"pred_{name}_{label}"] = quantiles[:, k, q]
    if len(names) == 3:
        for a, b in _PAIRS:
            correlation = covariance[:, a, b] / (spread[:, a] * spread[:, b])
            table.loc[rows, f"pred_corr_{names[a]}_{names[b]}"] = correlation


def _fill_photoz(table: pd.DataFrame, rows: np.ndarray, colours: Mixture) -> None:
    _, covariance = colours.moments()
    table.loc[rows, "pred_photoz"] = colours.quantiles((0.5,))[:, 0, 0]
    table.loc[rows, "pred_photoz_err"] = np.sqrt(covariance[:, 0, 0])


def redshift_tail(colours: Mixture, z: np.ndarray, z_err: np.ndarray) -> np.ndarray:
    """How far given redshifts are in the tail of what the colours say.

    Twice the lesser probability that the true redshift is above or below the one of the colours,
    where the first is normal about the given one with its error, and the second follows the
    posterior of the colours alone; short of the 0.003 that zero points leave open.

    Parameters
    ----------
    colours : Mixture
        Posterior of the redshift of n galaxies, given their colours alone.
    z, z_err : ndarray, shape (n,)
        NaN where unknown; a redshift without an error is taken as exact.

    Returns
    -------
    ndarray, shape (n,)
        From 0 to 1, or a little above in the middle; NaN where there is no redshift.
    """
    tail = np.full(len(z), np.nan)
    for rows in (np.isfinite(z) & ~(z_err > 0), np.isfinite(z) & (z_err > 0)):
        if not rows.any():
            continue
        steps = _ERROR_STEPS if (z_err[rows] > 0).any() else np.zeros(1)
        weights = np.exp(-0.5 * np.square(steps))
        weights /= weights.sum()
        below, above = np.zeros((2, int(rows.sum())))
        for step, weight in zip(steps, weights, strict=True):
            true = (z[rows] + step * np.nan_to_num(z_err[rows]))[:, None]
            below += weight * colours.rows(rows).cdf(true + _PHOTOZ_LIMIT)[:, 0]
            above += weight * (1 - colours.rows(rows).cdf(true - _PHOTOZ_LIMIT)[:, 0])
        tail[rows] = 2 * np.minimum(below, above)
    return tail


def remarks(table: pd.DataFrame, redshift: np.ndarray | None, taken_as: str) -> list[str]:
    """Sentences on a whole table of predictions that its flags cannot say.

    Parameters
    ----------
    table : DataFrame
        Of :func:`predict_posterior`.
    redshift : ndarray, shape (n,), optional
        Redshifts of the catalogue.
    taken_as : str
        See :class:`Choices`.
    """
    found = []
    predicted = table["pred_log_age"].notna().to_numpy()
    n = int(predicted.sum())
    known = np.zeros(len(table), dtype=bool) if redshift is None else np.isfinite(redshift)
    if taken_as == "given" and (predicted & ~known).any():
        found.append(
            f"{int((predicted & ~known).sum())} of {n} galaxies have no redshift: theirs is "
            f"marginalised over 0 to {MAX_REDSHIFT:g}."
        )
    return found
