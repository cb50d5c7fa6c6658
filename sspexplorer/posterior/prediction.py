"""From the photometry of a catalogue to posteriors in a table, with flags of what is doubtful."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.errors import InputError
from sspexplorer.gaps import MIN_BANDS
from sspexplorer.masses import MASS_AS_CHABRIER, MASS_IMF
from sspexplorer.posterior import summaries
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.judging import Judged, chunks, judged
from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.likeness import UNLIKE, named
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.physical import LEAST_REDSHIFT, Light
from sspexplorer.posterior.redshift_pdf import posterior_over
from sspexplorer.posterior.sampling import sampled, sampled_names
from sspexplorer.posterior.scores import typical_snr
from sspexplorer.posterior.summaries import summed_up
from sspexplorer.posterior.taken import Choices, redshifts_as
from sspexplorer.progress import NO_PROGRESS, Progress

# An answer is the prior's more than the data's if these have done away with less of its variance.
LEAST_SHRINKAGE = 0.5
FROM_PRIOR = {
    "log_age": "log-age-from-prior",
    "metallicity": "metallicity-from-prior",
    "ebv": "ebv-from-prior",
}

# Numbers that all draws of a table may be together, of four bytes each.
MOST_VALUES = 100_000_000
_WORDS = ("pred_n_bands", "pred_set_aside", "pred_flag")
# A redshift that the colours alone find less likely than this is contradicted.
_CONTRADICTED = 3e-3
# The zero points of real colours are never good enough to find a redshift better than this.
_PHOTOZ_LIMIT = 0.003
# What lies beyond the redshifts of a model crowds together in their last part.
_NEAR_THE_EDGE = 0.97
# Errors of a redshift are summed over in steps of a quarter of σ.
_ERROR_STEPS = np.linspace(-4, 4, 33)


def columns(model: PosteriorModel, libraries: LibraryErrors | None = None) -> list[str]:
    """Names of the columns that :func:`predict_posterior` makes for a model, without samples."""
    return [*summaries.columns(model, libraries), "pred_chi2", "pred_p_value", *_WORDS]


def predict_posterior(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    redshift_pdf: np.ndarray | None = None,
    absolute: bool = False,
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
    redshift_pdf : ndarray, shape (n, n_nodes), optional
        Redshifts that stand for a full p(z), all as likely; NaN of rows without. All else than the
        redshift from colours goes by them where they are.
    absolute : bool
        Whether fluxes are in erg s⁻¹ cm⁻² Hz⁻¹: else nothing is known of masses.
    choices : Choices, optional
    progress : Progress, optional
        Told, and asked whether to go on, between chunks of some thousand rows.

    Returns
    -------
    DataFrame, n rows
        For each parameter ``pred_…`` (posterior mean), ``_err`` (standard deviation), ``_p16``,
        ``_p50`` and ``_p84``, and ``_shrinkage``, the part of the prior's variance that the data
        have done away with (see :meth:`.PriorDraws.shrinkage`); ``pred_corr_…``, the correlation
        of each pair of the first three; where it is known, ``pred_…_library_err``, what the
        errors lack for stars of a library that training did not see;
        of a model that knows masses, ``pred_log_mass``, ``pred_log_mass_formed`` and
        ``pred_log_sfr`` with their errors, see :func:`.physical`; if asked for,
        ``pred_samples_…``, draws of all together as one array a row, see :func:`.sampled`;
        ``pred_photoz`` (median) and its ``_err``, the redshift from the colours alone;
        ``pred_chi2``, χ² per band of the closest mixture of training SEDs, and ``pred_p_value``,
        how often galaxies of the training's kind are farther from it, both NaN below 20 bands and
        found as :meth:`.Likeness.assess` does, all SEDs being searched only where p is small;
        ``pred_n_bands``, how many were used; ``pred_set_aside``, the measured bands that were not,
        with spaces between; and ``pred_flag``, codes of :mod:`sspexplorer.flags`, empty where all
        is well. Rows that cannot be predicted have NaN.

    Raises
    ------
    InputError
        If more draws are asked for than fit in memory.
    Cancelled
        If ``progress`` said so.
    """
    choices = choices or Choices()
    flux = np.asarray(flux, dtype=float)
    n = len(flux)
    if n * choices.samples * len(sampled_names(estimator.model)) > MOST_VALUES:
        raise InputError(
            f"{choices.samples} draws of {n:,} galaxies do not fit in memory: ask for fewer, or "
            "for fewer galaxies at a time."
        )
    z, z_err = redshifts_as(redshift, redshift_err, n, choices.redshift_as)
    if redshift_pdf is None or choices.redshift_as != "given":
        redshift_pdf = np.full((n, 1), np.nan)
    parts = [
        _predict_chunk(
            estimator,
            flux[rows],
            flux_err[rows],
            z[rows],
            z_err[rows],
            redshift_pdf[rows],
            absolute,
            choices,
        )
        for rows in chunks(n, progress)
    ]
    if not parts:
        names = columns(estimator.model, estimator.libraries)
        if choices.samples:
            names += [f"pred_samples_{name}" for name in sampled_names(estimator.model)]
        return pd.DataFrame({name: [] for name in names})
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Answered:
    """What a model says of some rows.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (n,)
    draws : dict of str to ndarray, shape (n, n_draws)
        Empty unless asked for.
    quiescent : ndarray of bool, shape (n,)
    tail, beyond : ndarray, shape (n,)
        See :func:`redshift_tail`; probability of the last of the redshifts that the model knows.
    """

    columns: dict[str, np.ndarray]
    draws: dict[str, np.ndarray]
    quiescent: np.ndarray
    tail: np.ndarray
    beyond: np.ndarray


def _predict_chunk(
    estimator: Estimator,
    flux: np.ndarray,
    flux_err: np.ndarray,
    z: np.ndarray,
    z_err: np.ndarray,
    pdf: np.ndarray,
    absolute: bool,
    choices: Choices,
) -> pd.DataFrame:
    n, model = len(flux), estimator.model
    asked = judged(estimator, flux, flux_err, z, z_err, choices)
    names = columns(model, estimator.libraries)[: -len(_WORDS)]
    # A row for each column: so a table keeps them.
    values = dict(zip(names, np.full((len(names), n), np.nan), strict=True))
    named_draws = sampled_names(model) if choices.samples else []
    cells = {name: np.full((n, choices.samples), np.nan, np.float32) for name in named_draws}
    tail, beyond = np.full((2, n), np.nan)
    quiescent = np.zeros(n, dtype=bool)
    spread = np.isfinite(pdf).all(axis=1) & (pdf[:, 0] <= model.reach.highest)
    # Two networks have twice as many components: the others need not wait for them.
    share = model.nearby_share(asked.flux, z, z_err)
    single = asked.predicted & ~spread & ((share == 0) | (share == 1))
    kinds = (single, asked.predicted & ~spread & ~single, asked.predicted & spread)
    for rows in map(np.flatnonzero, kinds):
        if not len(rows):
            continue
        found = _ask(
            estimator,
            asked.flux[rows],
            asked.error[rows],
            z[rows],
            z_err[rows],
            pdf[rows] if spread[rows[0]] else None,
            absolute,
            choices,
        )
        quiescent[rows], tail[rows], beyond[rows] = found.quiescent, found.tail, found.beyond
        for name, column in found.columns.items():
            values[name][rows] = column
        for name, draws in found.draws.items():
            cells[name][rows] = draws
    values["pred_chi2"][:], values["pred_p_value"][:] = asked.chi2, asked.p_value
    reasons = _flags(asked, model.least_bands, tail)
    flags.add(reasons, np.isnan(z) & (beyond > 0.5), "redshift-at-limit")
    flags.add(reasons, quiescent, "star-formation-limit")
    for name, code in FROM_PRIOR.items():
        flags.add(reasons, values[f"pred_{name}_shrinkage"] < LEAST_SHRINKAGE, code)
    words = (np.isfinite(asked.flux).sum(axis=1), named(asked.aside | asked.noisy), reasons)
    samples = {f"pred_samples_{name}": list(draws) for name, draws in cells.items()}
    return pd.DataFrame(values | dict(zip(_WORDS, words, strict=True)) | samples)


def _ask(
    estimator: Estimator,
    flux: np.ndarray,
    error: np.ndarray,
    z: np.ndarray,
    z_err: np.ndarray,
    pdf: np.ndarray | None,
    absolute: bool,
    choices: Choices,
) -> _Answered:
    """What a model says of rows that it knows, all of them with a p(z) or none."""
    model, known = estimator.model, np.clip(z, 0, None)
    if pdf is None:
        answers = model.posterior(flux, error, known, z_err, photoz=True, joint=True)
    else:
        answers = posterior_over(model, flux, error, pdf)
    colours = answers[len(model.groups) - 1]
    seen = flux if absolute else np.full_like(flux, np.nan)
    light = Light.of(seen, known, z_err, choices.cosmology)
    summary = summed_up(model, answers, estimator.prior, light)
    found = summary.columns
    if estimator.libraries is not None:
        snr = typical_snr(flux, error)
        for name in estimator.libraries.errors:
            found[f"pred_{name}_library_err"] = estimator.libraries.at(name, snr)
    joint = answers[-1] if model.joint is not None else answers[0]
    draws = sampled(model, joint, flux, light, choices.samples) if choices.samples else {}
    edge = np.full((len(flux), 1), _NEAR_THE_EDGE * model.reach.highest)
    return _Answered(
        found,
        draws,
        summary.quiescent,
        redshift_tail(colours, z, z_err),
        1 - colours.cdf(edge)[:, 0],
    )


def _flags(asked: Judged, least: int, tail: np.ndarray) -> np.ndarray:
    found = flags.column(len(asked.given))
    enough, unknown = asked.heard >= least, asked.predicted & (asked.n_unknown > 0)
    flags.add(found, asked.given == 0, "no-bands")
    flags.add(found, (asked.given > 0) & ~enough, "too-few-bands")
    flags.add(found, enough & ~asked.predicted & ~asked.beyond, "flux-not-positive")
    flags.add(found, asked.beyond, "redshift-outside")
    few = np.isfinite(asked.flux).sum(axis=1) < MIN_BANDS
    flags.add(found, asked.predicted & few, "few-bands")
    flags.add(found, unknown & (asked.n_unknown == asked.given), "errors-unknown")
    flags.add(found, unknown & (asked.n_unknown < asked.given), "some-errors-unknown")
    flags.add(found, np.any(asked.noisy, axis=1), "bands-too-noisy")
    with np.errstate(invalid="ignore"):
        flags.add(found, asked.p_value < UNLIKE, "unlike-training")
        flags.add(found, np.any(asked.aside, axis=1), "bands-set-aside")
        flags.add(found, tail < _CONTRADICTED, "redshift-contradicted")
    return found


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
        true = z[rows] + steps[:, None] * np.nan_to_num(z_err[rows])  # (n_steps, n)
        mixtures = colours if rows.all() else colours.rows(rows)
        below, above = (
            np.einsum("s,sn->n", weights, mixtures.cdf((true + side)[..., None])[..., 0])
            for side in (_PHOTOZ_LIMIT, -_PHOTOZ_LIMIT)
        )
        above = 1 - above
        tail[rows] = 2 * np.minimum(below, above)
    return tail


def remarks(
    model: PosteriorModel,
    table: pd.DataFrame,
    redshift: np.ndarray | None,
    *,
    absolute: bool,
    choices: Choices,
) -> list[str]:
    """Sentences on a whole table of predictions that its flags cannot say.

    Parameters
    ----------
    model : PosteriorModel
    table : DataFrame
        Of :func:`predict_posterior`.
    redshift : ndarray, shape (n,), optional
        Redshifts of the catalogue.
    absolute : bool
        Whether the fluxes were in physical units.
    choices : Choices
    """
    predicted = table["pred_log_age"].notna().to_numpy()
    known = np.zeros(len(table), dtype=bool) if redshift is None else np.isfinite(redshift)
    n = int(predicted.sum())
    unknown = int((predicted & ~known).sum())
    return on_redshifts(model, unknown, n, choices) + on_masses(model, n, absolute, choices)


def on_redshifts(model: PosteriorModel, n_unknown: int, n: int, choices: Choices) -> list[str]:
    """Sentences on ``n_unknown`` of ``n`` galaxies whose redshift is not known."""
    if choices.redshift_as != "given" or not n_unknown:
        return []
    return [
        f"{n_unknown} of {n} galaxies have no redshift: theirs is marginalised over 0 to "
        f"{model.reach.highest:g}."
    ]


def on_masses(model: PosteriorModel, n: int, absolute: bool, choices: Choices) -> list[str]:
    """Sentences on the masses of ``n`` galaxies."""
    if model.joint is None or not n:
        return []
    if not absolute:
        return [
            "Fluxes have no physical unit: there are mass-to-light ratios and specific rates, but "
            "no masses."
        ]
    universe = choices.cosmology
    return [
        f"Masses are of a {MASS_IMF} IMF (Kroupa × {MASS_AS_CHABRIER['Kroupa']:.2f}, Salpeter × "
        f"{MASS_AS_CHABRIER['Salpeter']:.2f}) for H₀ = {universe.h0:g} km/s/Mpc and Ω_m = "
        f"{universe.omega_m:g}; nearer than z = {LEAST_REDSHIFT:g} there are none, as motions of "
        "their own move galaxies as much as the expansion."
    ]
