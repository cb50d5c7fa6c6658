"""A folder of catalogues that a server offers its visitors: those files, and nothing else of it."""

import os
from pathlib import Path

from sspexplorer.errors import InputError

# What an administrator sets, for workers and for ``panel serve`` alike.
CATALOGUES = "SSPEXPLORER_CATALOGUES"


def set_folder(folder: Path) -> None:
    """Leave the folder where all processes of this server find it.

    Raises
    ------
    InputError
        If it is no folder that can be read.
    """
    try:
        # Listed now, so that it is not a visitor who finds out.
        next(folder.iterdir(), None)
    except OSError as error:
        raise InputError(f"{folder} cannot be offered: {error.strerror}.") from None
    os.environ[CATALOGUES] = str(folder.resolve())


def offered() -> dict[str, Path]:
    """Catalogues to choose from, by name, as they are in the folder now; none unless it is set.

    Files whose ending is that of a catalogue. Links that lead out of the folder, folders in it and
    hidden files are left out.
    """
    from sspexplorer.catalogue.files import ending

    if not os.environ.get(CATALOGUES):
        return {}
    folder = Path(os.environ[CATALOGUES]).resolve()
    found = {}
    try:
        for path in sorted(folder.iterdir()):
            real = path.resolve()
            if path.name.startswith(".") or real.parent != folder or not real.is_file():
                continue
            try:
                ending(path.name)
            except InputError:
                continue
            found[path.name] = real
    except OSError:
        # Gone for the moment, such as a disk that is not mounted: there is nothing to offer.
        return {}
    return found


def find(name: str) -> Path:
    """Path of a catalogue that is offered.

    Raises
    ------
    InputError
        If it is not, or no longer.
    """
    try:
        return offered()[name]
    except KeyError:
        raise InputError(f"This server offers no catalogue {name}, or no longer.") from None
