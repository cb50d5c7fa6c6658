"""Where the data that ship with the package are found."""

from pathlib import Path

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
