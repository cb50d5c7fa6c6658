"""A file that is on the web already, such as a table in an institute's cloud."""

import hashlib
from pathlib import Path

from sspexplorer.archive.services import check_url
from sspexplorer.errors import InputError
from sspexplorer.libraries.downloads import Resuming
from sspexplorer.progress import NO_PROGRESS, Progress

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
    mark = hashlib.sha256(address.encode()).hexdigest()[:12]
    download = Resuming(
        out.with_name(f"{out.name}.{mark}.part"),
        progress,
        STALL_SECONDS,
        markup=True,
        largest=int(1e6 * largest_mb),
    )
    download(address, out)
    return out.stat().st_size
