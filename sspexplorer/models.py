"""One door to all models: those that answer with a point, and those with posteriors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.metrics import EVALUATION_SEED, held_out_mocks, noise_seen, of_split
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.networks.model import SHIPPED_MODELS, Model, load_model
from sspexplorer.networks.prediction import predict
from sspexplorer.posterior.model import POSTERIOR_MODELS, is_posterior
from sspexplorer.posterior.prediction import (
    Choices,
    load_estimator,
    predict_posterior,
    remarks,
)

# What catalogues are predicted with unless something else is asked for.
DEFAULT_MODEL = "galaxy"

_MEANINGS = {
    "galaxy": (
        "Ages and metallicities are means of all stars of a galaxy, weighted by their light at "
        "5500 to 6500 Å (pred_log_age, pred_metallicity) and by the mass formed (pred_mass_…); "
        "E(B−V) is that of the screen before the stars."
    ),
    "ssp": (
        "Ages and metallicities are those of the one population that looks like the galaxy "
        "(SSP-equivalent): for a mixed population neither the mean of its light nor of its mass."
    ),
}
# Of networks that answer with a point.
POINT_MEANING = (
    "Ages and metallicities are SSP-equivalent, at redshift 0 and without emission lines; there "
    "are no error bars."
)


@dataclass(frozen=True)
class Predictions:
    """Predictions for a catalogue.

    Attributes
    ----------
    table : DataFrame
        One row for each of the catalogue's.
    meaning : str
        A sentence on which ages these are.
    remarks : tuple of str
        Sentences on the whole table.
    """

    table: pd.DataFrame
    meaning: str
    remarks: tuple[str, ...] = ()


def gives_posteriors(model: str | Path) -> bool:
    """Whether a model, by name or folder, answers with posteriors."""
    return str(model) in POSTERIOR_MODELS or is_posterior(Path(model))


def check_model(model: str | Path) -> None:
    """Load a model, by name or folder, before anything long is begun.

    Raises
    ------
    InputError
        If there is no such model.
    """
    (load_estimator if gives_posteriors(model) else _load_point)(model)


def meaning(model: str | Path) -> str:
    """Which ages and metallicities a model reports, in a sentence."""
    if not gives_posteriors(model):
        return POINT_MEANING
    kind = load_estimator(model).model.card["prior"]["kind"]
    return _MEANINGS[kind]


def predict_rows(
    model: str | Path,
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    choices: Choices | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Predictions:
    """Predict rows of photometry with any model, by name or folder.

    Parameters
    ----------
    model : str or Path
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and σ on one scale for each row; NaN in ``flux`` is a missing band.
    redshift, redshift_err : ndarray, shape (n,), optional
    choices : Choices, optional
        Of no effect on networks that answer with a point.
    progress, cancelled
        As in :func:`~sspexplorer.posterior.prediction.predict_posterior`.

    Raises
    ------
    InputError
        If there is no such model.
    Cancelled
        If ``cancelled`` said so.
    """
    hooks = {"progress": progress, "cancelled": cancelled}
    if not gives_posteriors(model):
        table = predict(_load_point(model), flux, redshift, **hooks)
        return Predictions(table, POINT_MEANING)
    choices = choices or Choices()
    estimator = load_estimator(model)
    table = predict_posterior(
        estimator, flux, flux_err, redshift, redshift_err, choices=choices, **hooks
    )
    said = remarks(table, redshift, choices.redshift_as)
    return Predictions(table, meaning(model), tuple(said))


@dataclass(frozen=True)
class Tested:
    """A model's answers to mocks of single populations.

    Attributes
    ----------
    predicted : ndarray, shape (n, 3)
        log_age, metallicity and ebv: of a posterior its means, with the redshift given.
    mocks : MockSample
    noise_seen : bool
        Whether the model was trained on this very noise.
    """

    predicted: np.ndarray
    mocks: MockSample
    noise_seen: bool


def answers_to_mocks(
    model: str | Path, split: str = "ssp", mocks: MockSample | None = None
) -> Tested:
    """Have any model, by name or folder, answer to mocks on which it is fairly tested.

    Parameters
    ----------
    model : str or Path
    split : {"ssp", "random"}
        See :func:`sspexplorer.metrics.held_out_mocks`.
    mocks : MockSample, optional
        Sample to choose from; by default one is made.

    Raises
    ------
    InputError
        If there is no such model, or no such mock.
    """
    if not gives_posteriors(model):
        network = _load_point(model)
        test = held_out_mocks(network, split, mocks)
        return Tested(network.predict(test.flux), test, noise_seen(network, test))
    posterior = load_estimator(model).model
    if mocks is None:
        libraries = posterior.card["prior"]["libraries"]
        mocks = make_mocks(libraries, seed=EVALUATION_SEED)
    test = of_split(mocks, split)
    redshift = test.labels["redshift"].to_numpy(float)
    mean, _ = posterior.posterior(test.flux, test.flux_err, redshift)[0].moments()
    return Tested(mean, test, False)


def _load_point(model: str | Path) -> Model:
    known = (*POSTERIOR_MODELS, *SHIPPED_MODELS)
    if str(model) not in known and not Path(model).is_dir():
        raise InputError(
            f"There is no model {str(model)!r}: it is neither a folder nor one of "
            f"{', '.join(known)}."
        )
    return load_model(model)
