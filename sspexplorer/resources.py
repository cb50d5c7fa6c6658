"""Where the data are: those that ship with the package, and those that a user adds."""

import os
from pathlib import Path

from platformdirs import user_cache_path

_PACKAGE = Path(__file__).resolve().parent


def data_path(*parts: str) -> Path:
    """Path of a file or folder among the shipped data.

    An installed wheel carries the data inside the package; a checkout keeps them in the
    top-level ``data/`` folder.

    Parameters
    ----------
    *parts
        Path components below the data folder.
    """
    inside = _PACKAGE / "data"
    root = inside if inside.is_dir() else _PACKAGE.parent / "data"
    return root.joinpath(*parts)


def user_path(*parts: str) -> Path:
    """Path of a file or folder among what the user added.

    The folder is that of the environment variable ``SSPEXPLORER_DATA``, or one of the operating
    system's for caches. It need not be there.

    Parameters
    ----------
    *parts
        Path components below the folder.
    """
    chosen = os.environ.get("SSPEXPLORER_DATA")
    root = Path(chosen).expanduser() if chosen else user_cache_path("sspexplorer")
    return root.joinpath(*parts)
