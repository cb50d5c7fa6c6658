"""Models held against libraries that their training had nothing of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import Populations, SSPPrior
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.model import PosteriorModel, groups_of
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.scores import typical_snr
from sspexplorer.posterior.validation.trust import (
    SEED,
    TestMocks,
    answers,
    derived_answers,
    observe_all,
    quality_of,
)

MAGNITUDES = (17.0, 19.0, 21.0)
# SSPs are nearby, behind a screen of the Milky Way's law; composites are of the model's own prior.
SAMPLES = ("SSPs", "composites")
_WITHIN = {"with_library_68": 1.0, "with_library_95": 1.96}


def libraries_of(card: dict) -> tuple[str, ...]:
    """Libraries that the model of a card was trained on."""
    return tuple(card["prior"]["libraries"])


def left_out_of(card: dict) -> str:
    """Library that a model was trained without.

    Raises
    ------
    InputError
        If its card names none, or more than one.
    """
    found = card.get("observing", {}).get("doubts", {}).get("without", [])
    if len(found) != 1 or found[0] in libraries_of(card):
        raise InputError(f"The model {card['name']} was not trained without one library.")
    return found[0]


def populations_of(library: str, sample: str, card: dict, n: int, seed: int = SEED) -> Populations:
    """Populations of one library, about all of its SSPs, for one of :data:`SAMPLES`.

    SSPs that no answer of the model can be, as they are poorer in metals than its prior, are none
    of them.
    """
    if sample == "SSPs":
        drawn = SSPPrior(libraries=(library,)).draw_all(2 * n, seed=seed)
        low, high = (np.array(side) for side in (groups_of(card)[0].low, groups_of(card)[0].high))
        possible = ((drawn.targets >= low) & (drawn.targets <= high)).all(axis=1)
        return drawn.rows(np.flatnonzero(possible)[:n])
    return replace(prior_of(card), libraries=(library,)).draw_all(n, seed=seed)


@dataclass(frozen=True, eq=False)
class Measured:
    """Answers of a model for one sample of a library at one magnitude.

    Attributes
    ----------
    rows : tuple of dict
        For each parameter, what :func:`tabulated` makes a row of.
    delta, spread : ndarray, shape (n, n_parameters)
        Posterior means minus truths, and standard deviations; NaN where the truth is not known.
    """

    rows: tuple[dict, ...]
    delta: np.ndarray
    spread: np.ndarray


def measure_library(
    model: PosteriorModel,
    library: str,
    *,
    n_each: int = 1500,
    magnitudes: Sequence[float] = MAGNITUDES,
    samples: Sequence[str] | None = None,
) -> list[Measured]:
    """Hold a model against a library, redshift given, under the model's own noise.

    Of composites, masses, rates, times and colours are held against the truth as well, where the
    model knows them. Those of a model that reaches far are a sample of another name.

    Parameters
    ----------
    model : PosteriorModel
    library : str
    n_each : int
        Mocks of each sample at each magnitude.
    magnitudes : sequence of float
        i magnitudes.
    samples : sequence of str, optional
        Some of :data:`SAMPLES`; unless given both, or composites if the model reaches far.
    """
    noise = NoiseModel.from_dict(model.card["noise"])
    far = model.reach.far
    found = []
    for sample in samples or (SAMPLES[1:] if far else SAMPLES):
        name = f"{sample} to z = {model.reach.highest:g}" if far else sample
        drawn = populations_of(library, sample, model.card, n_each)
        for magnitude in magnitudes:
            at = np.full(len(drawn), magnitude)
            mocks = observe_all(drawn, at, noise, SEED + int(magnitude))
            labels = {
                "library": library,
                "seen": library in libraries_of(model.card),
                "sample": name,
                "magnitude": magnitude,
                "snr": float(np.median(typical_snr(mocks.flux, mocks.error))),
            }
            found.append(_measured(model, mocks, labels, mixed=sample == "composites"))
    return found


def _measured(model: PosteriorModel, mocks: TestMocks, labels: dict, mixed: bool) -> Measured:
    mocks = mocks.as_told_by(model.card) if mixed else mocks
    held = [(answers(model, mocks), mocks.true, np.ones(len(mocks), dtype=bool))]
    if mixed:
        held += (group for group in derived_answers(model, mocks) if group[-1].any())
    parts = [_of_group(*group, labels) for group in held]
    return Measured(
        tuple(row for part in parts for row in part.rows),
        np.concatenate([part.delta for part in parts], axis=1),
        np.concatenate([part.spread for part in parts], axis=1),
    )


def _of_group(mixture: Mixture, true: np.ndarray, known: np.ndarray, labels: dict) -> Measured:
    mean, covariance = mixture.moments()
    delta, spread = (np.full((len(known), true.shape[1]), np.nan) for _ in range(2))
    delta[known], spread[known] = mean - true, np.sqrt(np.einsum("nii->ni", covariance))
    lacking = library_error(delta[known], spread[known])
    rows = tuple(
        row | {"err": float(np.median(spread[known, k])), "library_err": float(lacking[k])}
        for k, row in enumerate(quality_of(mixture, true, **labels))
    )
    return Measured(rows, delta, spread)


def tabulated(measured: Sequence[Measured]) -> pd.DataFrame:
    """Scatter and coverage of what was measured, alone and with the error of other libraries.

    Returns
    -------
    DataFrame
        ``library``, ``seen`` (whether training had it), ``sample``, ``magnitude``, ``snr``
        (median signal-to-noise ratio), ``parameter``, ``bias``, ``sigma_nmad``,
        ``outlier_fraction``, ``rmse_of_mean``, ``coverage_68``, ``coverage_95``, ``n``, ``err``
        (median of the posterior's standard deviation), ``library_err`` (what the errors lack, see
        :func:`library_error`), and ``with_library_68`` and ``with_library_95``: the share of
        truths within 1 and 1.96 times the error that is joined by the library error of all other
        libraries, so that no library is judged by itself; NaN where there is no other.
    """
    table = pd.DataFrame([row for part in measured for row in part.rows])
    for column in _WITHIN:
        table[column] = np.nan
    place = 0
    for part in measured:
        others = table[(table["library"] != part.rows[0]["library"]) & ~table["seen"]]
        if len(others):
            errors = LibraryErrors.of(others)
            for k, row in enumerate(part.rows):
                added = errors.at(row["parameter"], np.array([row["snr"]]))
                total = np.hypot(part.spread[:, k], added)
                for column, width in _WITHIN.items():
                    inside = np.abs(part.delta[:, k]) <= width * total
                    table.loc[place + k, column] = inside[np.isfinite(total)].mean()
        place += len(part.rows)
    return table


def library_error(delta: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """What must be added in quadrature to standard deviations so that they hold, shape (d,).

    The least s with which 68 % of |Δ| are within sqrt(σ² + s²), so that outliers do not decide;
    0 where the errors suffice.

    Parameters
    ----------
    delta, spread : ndarray, shape (n, d)
        Means minus truths, and standard deviations.
    """
    lacking = np.sqrt(np.clip(delta**2 - spread**2, 0, None))
    return np.quantile(lacking, 0.68, axis=0)
