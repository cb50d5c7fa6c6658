"""Single stellar populations through the 57 bands of J-PAS: colours, networks, predictions.

The names in ``__all__`` are what a script or a notebook needs; each is loaded when first used, so
that importing the package takes no time and brings neither torch nor Panel:

>>> import sspexplorer as ssp
>>> library = ssp.load_library("emiles")
>>> seen = ssp.observe(library, log_age=9.5, metallicity=0.0, magnitude=20.0)
>>> seen.flux.shape
(57,)
"""

from importlib import import_module

__version__ = "0.2.0"

# Where each name comes from. What a type checker is told is in ``__init__.pyi``.
_HOMES = {
    "read_catalogue": "catalogue",
    "Catalogue": "catalogue",
    "predict_catalogue": "analysis.request",
    "predict_rows": "models",
    "predict_frame": "streams.frames",
    "Choices": "posterior.taken",
    "load_model": "models",
    "load_library": "libraries",
    "SSPLibrary": "libraries",
    "library_names": "libraries",
    "keep_library": "libraries.store",
    "read_source": "libraries.readers",
    "make_mocks": "mocks",
    "MockSample": "mocks",
    "mocks_on_demand": "on_demand",
    "MocksOnDemand": "on_demand",
    "observe": "mocks",
    "NoiseModel": "noise",
    "measure_noise": "noise",
    "train": "networks.training",
    "get_recipe": "networks.recipes",
    "Recipe": "networks.recipes",
    "evaluate": "metrics",
    "summary": "metrics",
    "held_out_table": "analysis.held_out",
    "fit": "sedfit",
    "make_grid": "sedfit",
    "evolve": "histories",
    "load_embedding": "embedding",
    "notebook": "app.notebook",
    "InputError": "errors",
    "Cancelled": "errors",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
