"""A file that is on the web already, such as a table in an institute's cloud."""

import contextlib
import hashlib
from pathlib import Path

from sspexplorer.archive.services import check_url
from sspexplorer.catalogue.files import ending
from sspexplorer.errors import InputError
from sspexplorer.libraries.downloads import Resuming, filename
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.resources import user_path

LARGEST_MB = 20_000.0
STALL_SECONDS = 60.0  # for the next piece


def is_address(text: str) -> bool:
    """Whether a text is meant as an address on the web."""
    return "://" in text


def fetch_file(
    url: str,
    out: Path,
    *,
    largest_mb: float = LARGEST_MB,
    progress: Progress = NO_PROGRESS,
) -> int:
    """Download a file; what has come is kept when it stops, and the next call goes on from there.

    Nothing that the file names is opened.

    Parameters
    ----------
    url : str
        http or https.
    out : Path
        Where to put it; what is there is replaced when all has come.
    largest_mb : float
        Megabytes that it may have at most.
    progress : Progress

    Returns
    -------
    int
        Its bytes.

    Raises
    ------
    InputError
        If the address is none, the file cannot be had, is a web page, or is too large.
    Cancelled
        If the progress said so.
    """
    address = check_url(url)
    if not out.absolute().parent.is_dir():
        raise InputError(f"Cannot write {out}: there is no folder {out.absolute().parent}.")
    if out.is_dir():
        raise InputError(f"{out} is a folder; give the name of a file.")

    # Of this address alone: what has come from another is no beginning of this file.
    download = Resuming(
        out.with_name(f"{out.name}.{_mark(address)}.part"),
        progress,
        STALL_SECONDS,
        markup=True,
        largest=int(1e6 * largest_mb),
    )
    download(address, out)
    return out.stat().st_size


def fetch_catalogue(url: str, *, progress: Progress = NO_PROGRESS) -> tuple[Path, bool]:
    """Download a catalogue into the user's folder for data, unless it is there.

    Parameters
    ----------
    url : str
        http or https; the file's name in it says the format.
    progress : Progress

    Returns
    -------
    (path, new)
        ``new`` is whether it came just now.

    Raises
    ------
    InputError
        As of :func:`fetch_file`, or if the name says no format.
    Cancelled
        If the progress said so; what has come is kept, and the next call goes on from there.
    """
    address = check_url(url)
    name = filename(address)
    try:
        ending(name)
    except InputError as error:
        raise InputError(
            f"{address} names no catalogue: {error} Download it under a name of your own with "
            "sspexplorer fetch URL --out FILE."
        ) from None
    # Files of one name at two addresses are two files.
    path = user_path("catalogues", _mark(address), name)
    if path.is_file():
        return path, False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path.parent}: {error.strerror}.") from None
    try:
        fetch_file(address, path, progress=progress)
    finally:
        # A folder in which nothing came is no loss.
        with contextlib.suppress(OSError):
            path.parent.rmdir()
    return path, True


def _mark(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()[:12]
