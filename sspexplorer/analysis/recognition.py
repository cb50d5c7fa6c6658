"""What the galaxies of a catalogue say together of how their photometry should be taken.

One galaxy may be strange; if most of a catalogue are strange in the same way, the reason is how it
was made or read: spectra that were shifted to rest before their photometry, F_λ taken for F_ν,
zero points that are off. Each is a suspicion with counts, and a choice that would put it right.
"""

from dataclasses import dataclass

import numpy as np

from sspexplorer.bands import load_bands
from sspexplorer.catalogue import Catalogue, scoring
from sspexplorer.catalogue.units import UNITS
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError
from sspexplorer.gaps import MIN_BANDS
from sspexplorer.noisy_bands import too_noisy
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.prediction import redshift_tail
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.taken import Choices, prepared
from sspexplorer.posterior.zero_points import BandOffsets, measure_offsets

REST, UNIT, ZERO_POINTS = "rest", "unit", "zero points"

# Fewer galaxies of one mind may be chance.
LEAST_GALAXIES = 5
SHARE = 0.7
# Galaxies are looked at, of more of them.
MOST_GALAXIES = 300
# With fewer, offsets of 0.015 mag are within what the galaxies differ from the training.
LEAST_FOR_ZERO_POINTS = 50
# mag, rms over the bands: mocks without offsets have 0.006 at most; and what is no zero point.
OFFSETS = (0.015, 0.2)

_WIDTH = 0.003  # of redshift; zero points leave as much open
_MOST_PER_GALAXY = 5.0  # of ln L, so that one odd galaxy does not outweigh the others
_ALLOWED = 0.01  # probability of what is farther off than being at rest
_SURE = 2.0  # of ln L in the mean of all galaxies
# Median Δχ², share of the galaxies and χ² per band with which another unit is suspected. Taken so,
# the right one is never: it fits better by as much itself down to i = 21.
_UNIT_GAIN, _UNIT_SHARE, _GOOD_FIT = 5.0, 0.85, 3.0
_OTHER_UNIT = {"fnu": "flambda", "flambda": "fnu", "mag": "stmag", "stmag": "mag"}


@dataclass(frozen=True, eq=False)
class Suspicion:
    """One thing that most galaxies of a catalogue say of it.

    Attributes
    ----------
    kind : str
        :data:`REST`, :data:`UNIT` or :data:`ZERO_POINTS`.
    sentence : str
        What was found, with counts, and what to choose; in the words of Python, see
        :mod:`sspexplorer.catalogue.ways`.
    value : str
        What to choose: a key of :data:`~.posterior.prediction.REDSHIFT_AS` or
        :data:`~.catalogue.units.UNITS`; "" for zero points.
    """

    kind: str
    sentence: str
    value: str = ""


def suspicions(
    catalogue: Catalogue, estimator: Estimator, choices: Choices, *, corrected: bool = False
) -> tuple[Suspicion, ...]:
    """Look at some galaxies of a catalogue together.

    Parameters
    ----------
    catalogue : Catalogue
    estimator : Estimator
    choices : Choices
        How it is taken: what was chosen already is not suspected.
    corrected : bool
        Whether its zero points have been corrected.

    Returns
    -------
    tuple of Suspicion
        Empty where all is well, or too few galaxies are there to tell.
    """
    unit = other_unit(catalogue)
    if unit is not None:
        # All else would be said of numbers that are something else.
        return (unit,)
    found = [] if choices.redshift_as != "given" else [at_rest(catalogue, estimator, choices)]
    if not corrected:
        found.append(common_offsets(catalogue, estimator))
    return tuple(filter(None, found))


def at_rest(catalogue: Catalogue, estimator: Estimator, choices: Choices) -> Suspicion | None:
    """Whether SEDs of galaxies with redshifts fit better at rest.

    The posterior of the redshift from the colours alone, over the prior, is the likelihood of each
    redshift; that at rest is compared with that at the catalogue's, within its error.
    """
    if catalogue.redshift is None:
        return None
    z = catalogue.redshift
    z_err = np.zeros(len(z)) if catalogue.redshift_err is None else catalogue.redshift_err
    z_err = np.nan_to_num(z_err)
    with np.errstate(invalid="ignore"):
        reach = estimator.model.reach.highest
        rows = np.flatnonzero((z > 4 * _WIDTH + 2 * z_err) & (z <= reach))
    rows = _some(rows, catalogue)
    if len(rows) < LEAST_GALAXIES:
        return None
    flux = catalogue.flux[rows]
    error, _ = prepared(flux, catalogue.flux_err[rows], choices.floor)
    colours = estimator.model.posterior(np.where(too_noisy(flux, error), np.nan, flux), error)[-1]
    rest = _density(colours, np.zeros(len(rows)), np.full(len(rows), _WIDTH))
    given = _density(colours, z[rows], np.maximum(_WIDTH, 2 * z_err[rows]))
    prior = prior_of(estimator.card)
    odds = prior.redshift_density(z[rows]) / prior.redshift_density(np.zeros(1))
    gain = np.clip(np.log(rest / given * odds), -_MOST_PER_GALAXY, _MOST_PER_GALAXY)
    # Of two redshifts that the colours both contradict, none is better.
    allowed = redshift_tail(colours, np.zeros(len(rows)), np.full(len(rows), np.nan)) > _ALLOWED
    better = int(((gain > 0) & allowed).sum())
    if better < SHARE * len(rows) or gain.mean() < _SURE:
        return None
    return Suspicion(
        REST,
        f"The SEDs of {better} of {len(rows)} galaxies fit better at rest than at their redshifts, "
        f"as if the photometry were of spectra shifted to rest; if it is, say "
        f"{way('redshift', 'rest')}.",
        "rest",
    )


def other_unit(catalogue: Catalogue) -> Suspicion | None:
    """Whether the numbers fit far better as F_λ than as F_ν, or the other way round.

    As :mod:`sspexplorer.catalogue.by_data` decides where nothing is said; a unit that a table or
    the size of its numbers says is not overruled, but it may be wrong.
    """
    decision = catalogue.decision
    if decision.source in ("you", "data") or len({unit.name for unit in decision.bands}) > 1:
        return None
    read, other = catalogue.unit, _OTHER_UNIT[catalogue.unit]
    # Numbers that are F_λ were taken for F_ν, which is F_λ λ²/c, or the other way round.
    power = 2.0 if read in ("fnu", "mag") else -2.0
    factor = (load_bands().pivot / load_bands().pivot.mean()) ** power
    flux, error = catalogue.flux, catalogue.flux_err
    verdict = scoring.score({read: (flux, error), other: (flux * factor, error * factor)})
    if verdict is None or verdict.kind == read or verdict.rows < LEAST_GALAXIES:
        return None
    fits = verdict.chi2[other] < _GOOD_FIT and verdict.delta_chi2 > _UNIT_GAIN
    if not (verdict.sure and fits and verdict.share >= _UNIT_SHARE):
        return None
    return Suspicion(
        UNIT,
        f"The numbers were taken as {UNITS[read]}, but as {UNITS[other]} they fit training SEDs "
        f"better in {verdict.share:.0%} of {verdict.rows} galaxies (median Δχ² "
        f"{verdict.delta_chi2:.0f}); if they are, say {way('unit', other)}.",
        other,
    )


def common_offsets(catalogue: Catalogue, estimator: Estimator) -> Suspicion | None:
    """Whether all galaxies together are off in the same bands, see :mod:`.zero_points`."""
    offsets = _offsets(catalogue, estimator)
    if offsets is None or not OFFSETS[0] <= offsets.rms <= OFFSETS[1]:
        return None
    worst = int(np.nanargmax(np.abs(offsets.offset)))
    return Suspicion(
        ZERO_POINTS,
        f"{int(offsets.n.max())} galaxies together are off by {offsets.rms:.3f} mag (rms over the "
        f"bands; most in {load_bands().names[worst]}, {offsets.offset[worst]:+.3f}), as zero "
        f"points would do; if they are, correct for them with {way('zero_points')}.",
    )


def _offsets(catalogue: Catalogue, estimator: Estimator) -> BandOffsets | None:
    if len(catalogue) < LEAST_FOR_ZERO_POINTS:
        return None
    try:
        found = measure_offsets(
            estimator.compared_together(catalogue.redshift, catalogue.redshift_err),
            catalogue.flux,
            catalogue.flux_err,
            most_rows=MOST_GALAXIES,
        )
    except InputError:
        return None
    return found if found.n.max() >= LEAST_FOR_ZERO_POINTS else None


def _some(rows: np.ndarray, catalogue: Catalogue) -> np.ndarray:
    """Rows with 20 bands, at most :data:`MOST_GALAXIES`, evenly over the catalogue."""
    rows = rows[np.isfinite(catalogue.flux[rows]).sum(axis=1) >= MIN_BANDS]
    rows = rows[np.nanmedian(catalogue.flux[rows], axis=1) > 0] if len(rows) else rows
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_GALAXIES)).astype(int)]


def _density(colours: Mixture, z: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Mean density of the redshift within a width of a value, inside the prior, shape (n,)."""
    low, high = np.maximum(z - width, 0.0), np.minimum(z + width, colours.bounds.high[0])
    held = colours.cdf(high[:, None])[:, 0] - colours.cdf(low[:, None])[:, 0]
    return np.maximum(held, 1e-6) / (high - low)
