"""What is saved of trained things: a folder with ``card.json`` and ``weights.safetensors``.

The card says in words and numbers what it is; the weights are arrays by name. Neither can run
anything when it is read.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as to_bytes

from sspexplorer.errors import InputError
from sspexplorer.whole import whole

CARD, WEIGHTS = "card.json", "weights.safetensors"


def card_text(card: dict) -> str:
    """JSON that a person can read: indented, but with each list of numbers on one line."""
    text = json.dumps(card, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: " ".join(found[0].split()), text) + "\n"


def save(folder: Path, arrays: Mapping[str, np.ndarray], card: dict) -> None:
    """Write arrays and card into a folder, made if missing.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_arrays(folder / WEIGHTS, arrays)
        with whole(folder / CARD) as file:
            file.write(card_text(card).encode())
    except OSError as error:
        raise InputError(f"Cannot write to {folder}: {error.strerror}.") from None


def save_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name; the file is there when all of it is.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    content = to_bytes({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    with whole(path) as file:
        file.write(content)


def load(folder: Path, what: str = "model") -> tuple[dict[str, np.ndarray], dict]:
    """Read what :func:`save` wrote.

    Parameters
    ----------
    folder : Path
    what : str
        What it should be, for the sentence if it is not: "model", "map of SEDs".

    Returns
    -------
    arrays : dict of str to ndarray
    card : dict

    Raises
    ------
    InputError
        If the folder does not hold both, or they cannot be read.
    """
    if not ((folder / CARD).is_file() and (folder / WEIGHTS).is_file()):
        raise InputError(f"{folder} is not a {what}: it needs {CARD} and {WEIGHTS}.")
    with readable(folder, what):
        return load_arrays(folder / WEIGHTS), load_card(folder)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read arrays by name."""
    return load_file(path)


def load_card(folder: Path) -> dict:
    """Read the card alone; empty if there is none that can be read."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}


@contextmanager
def readable(folder: Path, what: str = "model") -> Iterator[None]:
    """Say in a sentence that a folder is not what it should be, whatever is wrong in it.

    Raises
    ------
    InputError
        In the place of what arrays and cards that do not fit bring about.
    """
    try:
        yield
    except (OSError, ValueError, SafetensorError, KeyError, TypeError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{folder} is not a {what} this version can read: {reason}") from None
