"""The models that ship with the package: their names, kinds and cards, as found on disk."""

from functools import cache
from pathlib import Path

from sspexplorer.artifact import CARD, load_card
from sspexplorer.errors import InputError
from sspexplorer.resources import data_path

# The network to start with comes first, the paper's recipe second.
RECIPE_MODELS = ("default", "paper")
# What catalogues are predicted with unless something else is asked for.
DEFAULT_MODEL = "galaxy"


@cache
def shipped_card(name: str) -> dict:
    """Card of a shipped model; empty if there is no such model. Do not change it."""
    return load_card(data_path("models", name))


@cache
def shipped_names() -> tuple[str, ...]:
    """Names of all shipped models, in order of the alphabet."""
    return tuple(sorted(path.parent.name for path in data_path("models").glob(f"*/{CARD}")))


def network_names() -> tuple[str, ...]:
    """Names of the shipped networks that answer with a point, the one to start with first."""
    found = [name for name in shipped_names() if not is_posterior_card(shipped_card(name))]
    return (*(name for name in RECIPE_MODELS if name in found), *_others(found))


def posterior_names() -> tuple[str, ...]:
    """Names of the shipped models that answer with posteriors."""
    return tuple(name for name in shipped_names() if is_posterior_card(shipped_card(name)))


def compared_networks(name: str) -> tuple[str, ...]:
    """The network ``name`` and the shipped ones of both recipes: what metrics are shown of."""
    shipped = network_names()
    return (*dict.fromkeys((name, *(n for n in RECIPE_MODELS if n in shipped))),)


def is_posterior_card(card: dict) -> bool:
    """Whether a card is that of a model that answers with posteriors."""
    return card.get("kind") == "posterior"


def is_posterior(model: str | Path) -> bool:
    """Whether a model, by name or folder, answers with posteriors."""
    return is_posterior_card(load_card(_folder(model)))


def model_folder(model: str | Path) -> Path:
    """Folder of a model: of a shipped one by its name, or the folder that is named.

    Raises
    ------
    InputError
        If there is no such model.
    """
    folder = _folder(model)
    if not folder.is_dir():
        raise InputError(
            f"There is no model {str(model)!r}: it is neither a folder nor one of "
            f"{', '.join(shipped_names())}."
        )
    return folder


def _folder(model: str | Path) -> Path:
    return data_path("models", str(model)) if str(model) in shipped_names() else Path(model)


def _others(found: list[str]) -> list[str]:
    return [name for name in found if name not in RECIPE_MODELS]
