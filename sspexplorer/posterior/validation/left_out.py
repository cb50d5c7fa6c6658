"""Models held against libraries that their training had nothing of."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import Populations, SSPPrior
from sspexplorer.posterior.likeness import typical_snr
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.validation.trust import SEED, answers, observe_all, quality

MAGNITUDES = (17.0, 19.0, 21.0)
# SSPs are behind a screen of the Milky Way's law, composites are of the model's own prior.
SAMPLES = ("SSPs", "composites")


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
    """Populations of one library, about all of its SSPs, for one of :data:`SAMPLES`."""
    if sample == "SSPs":
        return SSPPrior(libraries=(library,)).draw_all(n, seed=seed)
    return replace(prior_of(card), libraries=(library,)).draw_all(n, seed=seed)


def measure_library(
    model: PosteriorModel,
    library: str,
    *,
    n_each: int = 1500,
    magnitudes: Sequence[float] = MAGNITUDES,
    samples: Sequence[str] = SAMPLES,
) -> pd.DataFrame:
    """Scatter and coverage of a model on a library, redshift given, under the model's own noise.

    Parameters
    ----------
    model : PosteriorModel
    library : str
    n_each : int
        Mocks of each sample at each magnitude.
    magnitudes : sequence of float
        i magnitudes.
    samples : sequence of str
        Some of :data:`SAMPLES`.

    Returns
    -------
    DataFrame
        ``library``, ``seen`` (whether training had it), ``sample``, ``magnitude``, ``parameter``,
        ``bias``, ``sigma_nmad``, ``outlier_fraction``, ``rmse_of_mean``, ``coverage_68``,
        ``coverage_95``, ``err`` (median of the posterior's standard deviation), ``library_err``
        (what the errors lack, see :func:`library_error`), ``snr`` (median signal-to-noise ratio)
        and ``n``.
    """
    noise = NoiseModel.from_dict(model.card["noise"])
    rows = []
    for sample in samples:
        drawn = populations_of(library, sample, model.card, n_each)
        for magnitude in magnitudes:
            mocks = observe_all(drawn, np.full(n_each, magnitude), noise, SEED + int(magnitude))
            if sample == "composites":
                mocks = mocks.as_told_by(model.card)
            mixture = answers(model, mocks)
            mean, covariance = mixture.moments()
            spread = np.sqrt(np.einsum("nii->ni", covariance))
            lacking = library_error(mean - mocks.true, spread)
            snr = float(np.median(typical_snr(mocks.flux, mocks.error)))
            found = quality(
                mixture,
                mocks,
                library=library,
                seen=library in libraries_of(model.card),
                sample=sample,
                magnitude=magnitude,
            )
            for k, row in enumerate(found):
                err = {"err": float(np.median(spread[:, k])), "library_err": float(lacking[k])}
                rows.append(row | err | {"snr": snr})
    return pd.DataFrame(rows)


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
