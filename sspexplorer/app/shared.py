"""What all sessions read and none changes: made once per server, and warmed up in the background.

Nothing heavy is imported here until it is asked for, so that the first page is quick to show.
"""

import json
import logging
import threading
from collections.abc import Callable
from functools import cache, wraps
from itertools import count
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import pandas as pd

from sspexplorer.libraries import LIBRARY_NAMES, load_library, read_library
from sspexplorer.resources import data_path

if TYPE_CHECKING:
    from sspexplorer.app.map_region import MapGalaxies, MapMocks
    from sspexplorer.mocks import MockSample
    from sspexplorer.networks import Model
    from sspexplorer.sedfit import ModelGrid

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")

# The one the app opens with comes first, the paper's recipe second.
RECIPE_MODELS = ("default", "paper")

# Networks that visitors trained and kept, by name; each is forgotten with its session.
_kept: dict[str, "Model"] = {}
_numbers = count(1)


def _once(function: Callable[P, R]) -> Callable[P, R]:
    """Cache, and let whoever comes while the value is being made wait for it."""
    cached = cache(function)
    lock = threading.RLock()

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with lock:
            return cached(*args, **kwargs)

    return wrapper


def model_names() -> tuple[str, ...]:
    """Names of the shipped models, the one to start with first."""
    found = {path.parent.name for path in data_path("models").glob("*/card.json")}
    first = [name for name in RECIPE_MODELS if name in found]
    return (*first, *sorted(found.difference(first)))


def compared_models(name: str) -> tuple[str, ...]:
    """The model ``name`` and the shipped ones of both recipes: what metrics are shown of."""
    shipped = model_names()
    return (*dict.fromkeys((name, *(n for n in RECIPE_MODELS if n in shipped))),)


def knows_model(name: str) -> bool:
    """Whether there is a shipped or a kept model of this name."""
    return name in _kept or name in model_names()


def keep_model(name: str, model: "Model") -> str:
    """Keep a model that a visitor trained.

    Returns
    -------
    str
        Name under which all functions of this module know it: ``name``, with a number.
    """
    unique = f"{name} #{next(_numbers)}"
    _kept[unique] = model
    return unique


def forget_model(name: str) -> None:
    """Forget a model of :func:`keep_model`, if it is still there."""
    _kept.pop(name, None)


@cache
def _shipped_card(name: str) -> dict:
    path = data_path("models", name, "card.json")
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def model_card(name: str) -> dict:
    """Card of a model; empty if there is no such model. Does not load a shipped model."""
    return _kept[name].card if name in _kept else _shipped_card(name)


@_once
def _shipped_model(name: str) -> "Model":
    from sspexplorer.networks import load_model

    return load_model(name)


def model(name: str) -> "Model":
    """Find a kept model by name, or load a shipped one.

    Raises
    ------
    InputError
        If there is no such model.
    """
    return _kept[name] if name in _kept else _shipped_model(name)


@_once
def held_out_table(name: str, split: str) -> pd.DataFrame:
    """Every held-out mock of a model and what it predicts for it.

    The mocks are those of ``sspexplorer evaluate``, so the metrics are the same.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be tested on this split.
    """
    from sspexplorer.metrics import held_out_mocks
    from sspexplorer.plots.density import compile_shading, density_table

    compile_shading()
    mocks = held_out_mocks(model(name), split)
    return density_table(mocks.labels, model(name).predict(mocks.flux))


@_once
def all_libraries_table(name: str) -> pd.DataFrame:
    """What a model predicts for held-out SSPs of every library, those it was not trained on too.

    The mocks are the same for every model: those of ``held_out_table`` of the default one.
    """
    from sspexplorer.plots.density import density_table

    mocks = _all_libraries_mocks()
    return density_table(mocks.labels, model(name).predict(mocks.flux))


@_once
def _all_libraries_mocks() -> "MockSample":
    from sspexplorer.metrics import held_out_mocks

    return held_out_mocks(model(RECIPE_MODELS[0]), "ssp")


@_once
def fit_grid() -> "ModelGrid":
    """Every SSP of every library at each of the paper's values of E(B−V), at rest."""
    from sspexplorer.sedfit import make_grid

    return make_grid()


@_once
def fit_sample(per_magnitude: int) -> "MockSample":
    """Held-out mocks to fit: those of :func:`held_out_table`, but only some of each magnitude."""
    from sspexplorer.metrics import held_out_mocks
    from sspexplorer.sedfit import some_of_each_magnitude

    return some_of_each_magnitude(held_out_mocks(model(model_names()[0]), "ssp"), per_magnitude)


@_once
def sedfit_table(name: str, split: str) -> pd.DataFrame:
    """Bayesian fits of 200 held-out mocks of each magnitude, as of :func:`held_out_table`.

    With every library and the mocks' own SSPs in the grid, and the true noise: the least scatter
    that there can be.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be tested on this split.
    """
    from sspexplorer.metrics import held_out_mocks
    from sspexplorer.plots.density import density_table
    from sspexplorer.sedfit import MEAN_COLUMNS, fit, some_of_each_magnitude

    mocks = some_of_each_magnitude(held_out_mocks(model(name), split), 200)
    fitted = fit(fit_grid(), mocks.flux, mocks.flux_err)
    return density_table(mocks.labels, fitted[list(MEAN_COLUMNS)].to_numpy())


@_once
def magnitude_metrics(name: str, split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
    """Metrics at each magnitude of what a model predicts for held-out mocks of some libraries.

    As of :func:`sspexplorer.accuracy.metrics_by_magnitude`.

    Raises
    ------
    InputError
        If there is no such model, or it cannot be tested on this split.
    """
    from sspexplorer.accuracy import metrics_by_magnitude

    table = held_out_table(name, split)
    return metrics_by_magnitude(table[table["library"].isin(libraries)], name)


@_once
def sedfit_metrics(name: str, split: str, libraries: tuple[str, ...]) -> pd.DataFrame:
    """Metrics of the SED fit as :func:`magnitude_metrics`, on mocks of :func:`sedfit_table`."""
    from sspexplorer.accuracy import metrics_by_magnitude

    table = sedfit_table(name, split)
    return metrics_by_magnitude(table[table["library"].isin(libraries)], "sedfit")


@_once
def ssp_table() -> pd.DataFrame:
    """Every SSP of every file, ages out of range included.

    See :func:`sspexplorer.plots.coverage.ssp_table`.
    """
    from sspexplorer.plots.coverage import ssp_table as table_of

    # Read here and not through load_library, which would keep their spectra twice.
    return table_of([read_library(data_path("libraries", f"{n}.h5")) for n in LIBRARY_NAMES])


@_once
def map_mocks() -> "MapMocks":
    """Mocks of all libraries on the map of SEDs, with the noise of ``held_out_table``."""
    from sspexplorer.app.map_region import MapMocks
    from sspexplorer.embedding import load_embedding
    from sspexplorer.metrics import EVALUATION_SEED
    from sspexplorer.mocks import make_mocks
    from sspexplorer.plots.embedding import compile_map, map_table

    compile_map()
    mocks = make_mocks(seed=EVALUATION_SEED)
    return MapMocks(map_table(mocks.labels, load_embedding().place(mocks.flux)), mocks.flux)


@_once
def map_galaxies(example: str, name: str) -> "MapGalaxies":
    """Galaxies of an example catalogue on the map of SEDs, and what a model predicts for them.

    ``example`` is "simulated" or "real".
    """
    from sspexplorer.app.map_region import MapGalaxies
    from sspexplorer.catalogue import read_catalogue

    path = data_path("examples", f"{example}_galaxies.csv")
    return MapGalaxies.place(read_catalogue(path), model(name))


@_once
def mock_labels() -> pd.DataFrame:
    """Labels of every mock of all libraries, see :func:`sspexplorer.plots.samples.label_table`."""
    from sspexplorer.plots.samples import label_table

    return label_table([load_library(name) for name in LIBRARY_NAMES])


def _warm() -> None:
    for library in LIBRARY_NAMES:
        load_library(library)
    ssp_table()
    mock_labels()
    for name in model_names()[:1]:
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

    thread = threading.Thread(target=run, name="warm-up", daemon=True)
    thread.start()
    return thread
