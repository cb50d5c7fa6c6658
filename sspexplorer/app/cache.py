"""What all sessions read and none changes: made once per server, and warmed up in the background.

Nothing heavy is imported here until it is asked for, so that the first page is quick to show.
"""

import gc
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sspexplorer.app.once import Once
from sspexplorer.errors import InputError
from sspexplorer.labels import model_title
from sspexplorer.libraries import (
    LIBRARY_NAMES,
    library_path,
    library_version,
    load_library,
    read_library,
    whole_library_names,
)
from sspexplorer.resources import data_path
from sspexplorer.shipped import RECIPE_MODELS, network_names, shipped_card, shipped_names

if TYPE_CHECKING:
    from sspexplorer.analysis.held_out import Trial
    from sspexplorer.analysis.sed_map import MapGalaxies, MapMocks
    from sspexplorer.galaxies.growth import GrowthCurves
    from sspexplorer.mocks import MockSample
    from sspexplorer.models import AnyModel
    from sspexplorer.networks.model import Model
    from sspexplorer.sedfit import ModelGrid

logger = logging.getLogger(__name__)

# Networks that visitors trained and kept, by name; each is forgotten with its session.
_kept: dict[str, "Model"] = {}


# Added libraries come and go, and redshifts are many: only the last few are kept.
_lately = partial(Once, most=4)

# Names of libraries, each with the version of its file.
Versions = tuple[tuple[str, tuple[int, int, int]], ...]


def versions(libraries: Iterable[str]) -> Versions:
    """Libraries as what is made of them is known by: one that is added anew is another."""
    return tuple((name, library_version(name)) for name in libraries)


def with_added(libraries: Iterable[str]) -> tuple[str, ...]:
    """The shipped libraries, and those of ``libraries`` that were added."""
    return (*dict.fromkeys((*LIBRARY_NAMES, *libraries)),)


def knows_model(name: str) -> bool:
    """Whether there is a shipped or a kept model of this name."""
    return name in _kept or name in network_names()


def keep_model(name: str, model: "Model") -> str:
    """Keep a model that a visitor trained.

    Returns
    -------
    str
        Name under which all functions of this module know it: ``name``, and 128 bits that nobody
        guesses. Whoever is given it, in a link, can use the model as long as it is kept.
    """
    unique = f"{name} #{secrets.token_urlsafe(16)}"
    _kept[unique] = model
    return unique


def forget_model(name: str) -> None:
    """Forget a model of :func:`keep_model`, if it is still there."""
    _kept.pop(name, None)


def model_card(name: str) -> dict:
    """Card of a model; empty if there is no such model. Does not load a shipped model."""
    return _kept[name].card if name in _kept else shipped_card(name)


def model(name: str) -> "AnyModel":
    """Find a kept model by name, or a shipped one.

    Raises
    ------
    InputError
        If there is no such model, or no longer.
    """
    from sspexplorer.models import load_model

    kept = _kept.get(name)
    if kept is not None:
        return kept
    if name not in shipped_names():
        raise InputError(gone(name))
    return load_model(name)


def gone(name: str) -> str:
    """Say that a model is not there any more."""
    return (
        f"There is no model {model_title(name)!r}, or no longer: a network goes with the visit of "
        "its owner, and when the server is started again. Choose another one."
    )


@_lately
def growth_curves(name: str) -> "GrowthCurves":
    """Histories of the prior of a model that tells when stars formed."""
    return _growth_curves(tuple(model_card(name)["prior"]["families"].items()))


@_lately
def _growth_curves(families: tuple[tuple[str, float], ...]) -> "GrowthCurves":
    from sspexplorer.galaxies.growth import GrowthCurves

    return GrowthCurves.draw(dict(families))


def exact_models(redshift: float) -> "ModelGrid":
    """Every SSP behind dust as in the prior of model ``ssp``, at a redshift."""
    from sspexplorer.posterior.exact import prior_models

    return prior_models(redshift)


def held_out_table(name: str, split: str) -> pd.DataFrame:
    """Every held-out mock of a model and what it predicts for it.

    The mocks are those of ``sspexplorer evaluate``, so the metrics are the same.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be tested on this split.
    """
    return _held_out_table(model(name), split)


@Once
def _held_out_table(network: "Model", split: str) -> pd.DataFrame:
    from sspexplorer.analysis.held_out import held_out_table as table_of
    from sspexplorer.plots.density import compile_shading

    compile_shading()
    return table_of(network, split)


def fair_split(name: str, split: str) -> str:
    """Split that a model can be tested on."""
    from sspexplorer.analysis.held_out import fair_split as fair

    return fair(model_card(name), split)


def trial(name: str, split: str, libraries: Iterable[str]) -> "Trial":
    """A network and the mocks it is fairly tested on."""
    from sspexplorer.analysis.held_out import Trial

    return Trial.of(name, model_card(name), split, tuple(libraries))


def trial_rows(of: "Trial", limit: float) -> pd.DataFrame:
    """Mocks of a trial brighter than a limit, see ``Trial.rows``."""
    return of.rows(held_out_table(of.model, of.split), limit)


def all_libraries_table(name: str) -> pd.DataFrame:
    """What a model predicts for held-out SSPs of every library, those it was not trained on too.

    The mocks are the same for every model: those of ``held_out_table`` of the default one.
    """
    return _all_libraries_table(model(name))


@Once
def _all_libraries_table(network: "Model") -> pd.DataFrame:
    from sspexplorer.analysis.held_out import density_table

    mocks = _all_libraries_mocks()
    return density_table(mocks.labels, network.predict(mocks.flux))


@Once
def _all_libraries_mocks() -> "MockSample":
    from sspexplorer.metrics import held_out_mocks

    return held_out_mocks(model(RECIPE_MODELS[0]), "ssp")


def fit_grid(libraries: Iterable[str] = LIBRARY_NAMES) -> "ModelGrid":
    """Every SSP at each of the paper's values of E(B−V), at rest.

    Of every shipped library, and of those of ``libraries`` that were added.
    """
    return _fit_grid(versions(with_added(libraries)))


@_lately
def _fit_grid(libraries: Versions) -> "ModelGrid":
    from sspexplorer.sedfit import make_grid

    return make_grid([name for name, _ in libraries])


def fit_sample(per_magnitude: int, libraries: Iterable[str] = LIBRARY_NAMES) -> "MockSample":
    """Held-out mocks to fit: those of :func:`held_out_table`, but only some of each magnitude.

    Of all shipped libraries together so many, and as many of each one of ``libraries`` that was
    added, by the same split of whole SSPs.
    """
    added = [name for name in libraries if name not in LIBRARY_NAMES]
    keys = ((), *(versions([name]) for name in added))
    return _joined([_fit_sample(per_magnitude, key) for key in keys])


def _joined(samples: list["MockSample"]) -> "MockSample":
    if len(samples) == 1:
        return samples[0]
    return replace(
        samples[0],
        flux=np.concatenate([sample.flux for sample in samples]),
        flux_err=np.concatenate([sample.flux_err for sample in samples]),
        labels=pd.concat([sample.labels for sample in samples], ignore_index=True),
    )


@Once
def _fit_sample(per_magnitude: int, added: Versions) -> "MockSample":
    from sspexplorer.metrics import EVALUATION_SEED, held_out_mocks
    from sspexplorer.mocks import make_mocks
    from sspexplorer.sedfit import some_of_each_magnitude

    mocks = make_mocks([name for name, _ in added], seed=EVALUATION_SEED) if added else None
    held_out = held_out_mocks(model(network_names()[0]), "ssp", mocks)
    return some_of_each_magnitude(held_out, per_magnitude)


def sedfit_table(name: str, split: str) -> pd.DataFrame:
    """Bayesian fits of 200 held-out mocks of each magnitude, as of :func:`held_out_table`.

    With every shipped library and the mocks' own SSPs in the grid, and the true noise: nearly
    the least scatter that there can be.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be tested on this split.
    """
    return _sedfit_table(model(name), split)


@Once
def _sedfit_table(network: "Model", split: str) -> pd.DataFrame:
    from sspexplorer.analysis.held_out import density_table
    from sspexplorer.metrics import held_out_mocks
    from sspexplorer.sedfit import MEAN_COLUMNS, fit, some_of_each_magnitude

    mocks = some_of_each_magnitude(held_out_mocks(network, split), 200)
    fitted = fit(fit_grid(mocks.meta["libraries"]), mocks.flux, mocks.flux_err)
    return density_table(mocks.labels, fitted[list(MEAN_COLUMNS)].to_numpy())


def magnitude_metrics(name: str, split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
    """Metrics at each magnitude of what a model predicts for held-out mocks of some libraries.

    As of :func:`sspexplorer.analysis.by_magnitude.metrics_by_magnitude`.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be tested on this split.
    """
    return _magnitude_metrics(model(name), name, split, libraries)


@Once
def _magnitude_metrics(
    network: "Model", name: str, split: str, libraries: tuple[str, ...]
) -> pd.DataFrame:
    from sspexplorer.analysis.by_magnitude import metrics_by_magnitude

    table = _held_out_table(network, split)
    return metrics_by_magnitude(table[table["library"].isin(libraries)], name)


def sedfit_metrics(name: str, split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
    """Metrics of the SED fit as :func:`magnitude_metrics`, on mocks of :func:`sedfit_table`."""
    return _sedfit_metrics(model(name), split, libraries)


@Once
def _sedfit_metrics(network: "Model", split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
    from sspexplorer.analysis.by_magnitude import metrics_by_magnitude

    table = _sedfit_table(network, split)
    return metrics_by_magnitude(table[table["library"].isin(libraries)], "sedfit")


def ssp_table() -> pd.DataFrame:
    """Every SSP, ages out of range included, of every library that covers all bands.

    See :func:`sspexplorer.plots.coverage.ssp_table`.
    """
    return _ssp_table(versions(whole_library_names()))


@_lately
def _ssp_table(libraries: Versions) -> pd.DataFrame:
    from sspexplorer.plots.coverage import ssp_table as table_of

    # Read here and not through load_library, which would keep their spectra twice.
    return table_of([read_library(library_path(name)) for name, _ in libraries])


def map_mocks(libraries: Iterable[str] = LIBRARY_NAMES) -> "MapMocks":
    """Mocks on the map of SEDs, with the noise of ``held_out_table``.

    Of all shipped libraries, and of those of ``libraries`` that were added.
    """
    return _map_mocks(versions(with_added(libraries)))


@_lately
def _map_mocks(libraries: Versions) -> "MapMocks":
    from sspexplorer.analysis.sed_map import MapMocks, map_table
    from sspexplorer.embedding import load_embedding
    from sspexplorer.metrics import EVALUATION_SEED
    from sspexplorer.mocks import make_mocks
    from sspexplorer.plots.embedding import compile_map

    compile_map()
    mocks = make_mocks([name for name, _ in libraries], seed=EVALUATION_SEED)
    return MapMocks(map_table(mocks.labels, load_embedding().place(mocks.flux)), mocks.flux)


@Once
def example_answers(name: str) -> pd.DataFrame:
    """What a posterior model says of the three real galaxies, with their ``name``."""
    from sspexplorer.catalogue import read_catalogue
    from sspexplorer.models import predict_rows

    found = read_catalogue(data_path("examples", "real_galaxies.csv"))
    answer = predict_rows(name, found.flux, found.flux_err, found.redshift).table
    return answer.assign(name=found.frame(["name"])["name"].to_numpy())


def map_galaxies(example: str, name: str) -> "MapGalaxies":
    """Galaxies of an example catalogue on the map of SEDs, and what a model predicts for them.

    ``example`` is "simulated" or "real".
    """
    return _map_galaxies(example, model(name))


@Once
def _map_galaxies(example: str, answering: "AnyModel") -> "MapGalaxies":
    from sspexplorer.analysis.sed_map import MapGalaxies
    from sspexplorer.catalogue import read_catalogue

    path = data_path("examples", f"{example}_galaxies.csv")
    return MapGalaxies.place(read_catalogue(path), answering)


def mock_labels(libraries: Iterable[str] = LIBRARY_NAMES) -> pd.DataFrame:
    """Labels of every mock of libraries, see :func:`sspexplorer.plots.samples.label_table`."""
    return _mock_labels(versions(libraries))


@_lately
def _mock_labels(libraries: Versions) -> pd.DataFrame:
    from sspexplorer.plots.samples import label_table

    return label_table([load_library(name) for name, _ in libraries])


def _warm() -> None:
    for library in LIBRARY_NAMES:
        load_library(library)
    ssp_table()
    mock_labels()
    for name in network_names()[:1]:
        model(name)
        held_out_table(name, "ssp")


@cache
def start_warming(*more: Callable[[], object]) -> threading.Thread:
    """Make, in the background and once per server, what the pages are going to ask for.

    Parameters
    ----------
    *more
        What to call after what all pages share has been made.
    """

    def run() -> None:
        for step in (_warm, *more):
            try:
                step()
            except Exception:
                # Whatever it is, the page that needs it will meet it again and say so.
                logger.exception("Warming up failed")
        # What is made once stays. Panel has every object looked at whenever a visitor leaves, which
        # would stop the others for seconds.
        gc.collect()
        gc.freeze()

    thread = threading.Thread(target=run, name="warm-up", daemon=True)
    thread.start()
    return thread
