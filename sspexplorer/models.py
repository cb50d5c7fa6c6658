"""One door to all models: those that answer with a point, and those with posteriors."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer.metrics import EVALUATION_SEED, held_out_mocks, noise_seen, of_split
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.networks.model import Model
from sspexplorer.networks.prediction import predict
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.prediction import predict_posterior, remarks
from sspexplorer.posterior.taken import Choices
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.shipped import is_posterior, model_folder, shipped_names

AnyModel = Model | Estimator

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


def load_model(model: str | Path) -> AnyModel:
    """Load a shipped model by name, or the folder of a model.

    Shipped models are read once and shared: nothing may change them.

    Returns
    -------
    Model or Estimator
        Networks that answer with a point, or a model that answers with posteriors.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be read.
    """
    return _shipped(str(model)) if str(model) in shipped_names() else _load(model_folder(model))


@cache
def _shipped(name: str) -> AnyModel:
    return _load(model_folder(name))


def _load(folder: Path) -> AnyModel:
    return Estimator.load(folder) if is_posterior(folder) else Model.load(folder)


def _loaded(model: str | Path | AnyModel) -> AnyModel:
    return load_model(model) if isinstance(model, str | Path) else model


def meaning(model: str | Path | AnyModel) -> str:
    """Which ages and metallicities a model reports, in a sentence."""
    model = _loaded(model)
    return POINT_MEANING if isinstance(model, Model) else _MEANINGS[model.card["prior"]["kind"]]


def predict_rows(
    model: str | Path | AnyModel,
    flux: np.ndarray,
    flux_err: np.ndarray,
    redshift: np.ndarray | None = None,
    redshift_err: np.ndarray | None = None,
    *,
    redshift_pdf: np.ndarray | None = None,
    absolute: bool = False,
    choices: Choices | None = None,
    progress: Progress = NO_PROGRESS,
) -> Predictions:
    """Predict rows of photometry with any model.

    Parameters
    ----------
    model : str, Path, Model or Estimator
        By name or folder, or loaded already.
    flux, flux_err : ndarray, shape (n, 57)
        F_ν and σ on one scale for each row; NaN in ``flux`` is a missing band.
    redshift, redshift_err : ndarray, shape (n,), optional
    redshift_pdf : ndarray, shape (n, n_nodes), optional
        Redshifts that stand for a full p(z), all as likely; NaN of rows without.
    absolute : bool
        Whether fluxes are in erg s⁻¹ cm⁻² Hz⁻¹, so that galaxies can be weighed.
    choices : Choices, optional
        Of no effect on networks that answer with a point.
    progress : Progress, optional

    Raises
    ------
    InputError
        If there is no such model.
    Cancelled
        If ``progress`` said so.
    """
    model = _loaded(model)
    if isinstance(model, Model):
        table = predict(model, flux, redshift, flux_err=flux_err, progress=progress)
        return Predictions(table, POINT_MEANING)
    choices = choices or Choices()
    table = predict_posterior(
        model,
        flux,
        flux_err,
        redshift,
        redshift_err,
        redshift_pdf=redshift_pdf,
        absolute=absolute,
        choices=choices,
        progress=progress,
    )
    said = remarks(model.model, table, redshift, absolute=absolute, choices=choices)
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
    model: str | Path | AnyModel, split: str = "ssp", mocks: MockSample | None = None
) -> Tested:
    """Have any model answer to mocks on which it is fairly tested.

    Parameters
    ----------
    model : str, Path, Model or Estimator
    split : {"ssp", "random"}
        See :func:`sspexplorer.metrics.held_out_mocks`.
    mocks : MockSample, optional
        Sample to choose from; by default one is made.

    Raises
    ------
    InputError
        If there is no such model, or no such mock.
    """
    model = _loaded(model)
    if isinstance(model, Model):
        test = held_out_mocks(model, split, mocks)
        return Tested(model.predict(test.flux), test, noise_seen(model, test))
    posterior = model.model
    if mocks is None:
        libraries = posterior.card["prior"]["libraries"]
        mocks = make_mocks(libraries, seed=EVALUATION_SEED)
    test = of_split(mocks, split)
    redshift = test.labels["redshift"].to_numpy(float)
    mean, _ = posterior.posterior(test.flux, test.flux_err, redshift)[0].moments()
    return Tested(mean, test, False)
