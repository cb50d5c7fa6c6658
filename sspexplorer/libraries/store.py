"""Libraries that a user adds: from files or the network, kept in one folder, forgotten again.

An added library is one file in the layout of :func:`sspexplorer.libraries.write_library`, in the
folder :func:`sspexplorer.libraries.added_folder`. It is written beside its place and put there
whole, in one step.
"""

import io
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from sspexplorer.errors import InputError
from sspexplorer.libraries.library import (
    DEFAULT_AGE_RANGE,
    SHIPPED_NAMES,
    SSPLibrary,
    added_folder,
    library_names,
    library_path,
    library_title,
    load_library,
    write_library,
)
from sspexplorer.libraries.readers import SOURCES, RemoteFile, Source, read_source
from sspexplorer.libraries.readers.resampling import without_gaps
from sspexplorer.photometry import band_matrix
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.resources import user_path

# Names with a meaning of their own where libraries are chosen.
_RESERVED = ("all", "paper", "default", "sedfit")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_OWN = "own"
_LOCK_SECONDS = 30.0
_UNFINISHED = ".adding-"


def add_library(
    source: str,
    path: Path | None = None,
    *,
    name: str | None = None,
    progress: Progress = NO_PROGRESS,
    base_url: str | None = None,
) -> SSPLibrary:
    """Add a library from files that are here, or download them first.

    Parameters
    ----------
    source : str
        One of :data:`sspexplorer.libraries.readers.SOURCES`.
    path : Path, optional
        File or folder of the user's. Without one the files are downloaded; what has come is kept
        when that stops, and the next call goes on from there.
    name : str, optional
        Name for the library; that of the source unless given, or of the file for one's own. A
        library of that name that was added before is replaced.
    progress : Progress, optional
    base_url : str, optional
        Folder to download the files from, instead of their own: a mirror.

    Returns
    -------
    SSPLibrary
        As it was kept, all ages included.

    Raises
    ------
    InputError
        If there is no such source, the name cannot be taken, or the files cannot be had or used.
    Cancelled
        If ``progress`` said so.
    """
    if source not in SOURCES:
        known = ", ".join(SOURCES)
        raise InputError(f"No library {source!r} can be added; those that can are {known}.")
    if source == _OWN and name is None and path is not None:
        name = Path(path).stem.lower()
    if name is not None:
        _check_name(name)
    if path is not None:
        return keep_library(_read(source, Path(path), progress), name)
    with _locked(user_path("downloads"), source, 0.0):
        files = _download(SOURCES[source], progress, base_url)
        try:
            library = _read(source, files, progress)
        except InputError:
            # What cannot be used would be found again by the next try.
            _forget_download(source)
            raise
        kept = keep_library(library, name)
        _forget_download(source)
    return kept


def keep_library(library: SSPLibrary, name: str | None = None) -> SSPLibrary:
    """Add a library of one's own; see :meth:`SSPLibrary.from_arrays`.

    Parameters
    ----------
    library : SSPLibrary
        Its spectra have to cover all 57 bands.
    name : str, optional
        Name for it; its own unless given. One that was added before is replaced.

    Returns
    -------
    SSPLibrary
        As it was kept, all ages included.

    Raises
    ------
    InputError
        If the name cannot be taken, an SSP lacks flux somewhere, none is of an age that is
        used, or the file cannot be written.
    """
    chosen = name or library.name
    _check_name(chosen)
    _check_usable(library)
    _write_whole(replace(library, name=chosen, title=_title(library, chosen)))
    return load_library(chosen, None)


def remove_library(name: str) -> None:
    """Forget an added library.

    Raises
    ------
    InputError
        If it ships with the package, or there is none of that name.
    """
    if name in SHIPPED_NAMES:
        raise InputError(f"The library {name} ships with SSP Explorer and cannot be removed.")
    if name not in library_names():
        added = ", ".join(library_names()[len(SHIPPED_NAMES) :]) or "none"
        raise InputError(f"No library {name!r} was added; those that were: {added}.")
    try:
        library_path(name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"Cannot remove the library {name}: {error.strerror}.") from None


def _check_name(name: str) -> None:
    if name in SHIPPED_NAMES:
        raise InputError(f"The name {name} is that of a library that ships; choose another.")
    if name in _RESERVED or not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot be the name of a library: take small letters, digits, - and _, "
            f"a letter first, and none of {', '.join(_RESERVED)}."
        )


def _title(library: SSPLibrary, name: str) -> str:
    """Title that no other library has, so that each can be told by what is shown of it."""
    title = library.title or name
    others = {library_title(other) for other in library_names() if other != name}
    return f"{title} ({name})" if title in others else title


def _check_usable(library: SSPLibrary) -> None:
    band_matrix(library.wavelength)
    dark = ~without_gaps(library.wavelength, library.spectra)
    if dark.any():
        raise InputError(
            f"Library {library.name}: {dark.sum()} of {len(library)} SSPs have no flux at some "
            "wavelength; leave them out."
        )
    if not np.isfinite(library.metallicity).all():
        raise InputError(f"Library {library.name}: metallicities must be finite numbers.")
    if not len(library.within(DEFAULT_AGE_RANGE)):
        low, high = DEFAULT_AGE_RANGE
        raise InputError(
            f"Library {library.name} has no SSP between {low / 1e6:g} Myr and {high / 1e9:g} Gyr."
        )


def _read(source: str, path: Path, progress: Progress) -> SSPLibrary:
    library = read_source(source, path, _named(progress, "reading "))
    untitled = source == _OWN and library.title == SOURCES[_OWN].title
    return replace(library, title="") if untitled else library


def _download(
    source: Source,
    progress: Progress,
    base_url: str | None,
) -> Path:
    """Download the files of a source; the path of the one, or of the folder of the several."""
    from sspexplorer.libraries.downloads import fetch, filename

    if not source.files:
        raise InputError(
            f"{source.title} cannot be downloaded; give its path. {source.what_is_expected}"
        )
    folder = user_path("downloads", source.name)
    for number, file in enumerate(source.files, start=1):
        name = filename(file.url)
        count = f" ({number} of {len(source.files)})" if len(source.files) > 1 else ""
        url = f"{base_url.rstrip('/')}/{name}" if base_url else file.url
        told = _named(progress, f"downloading {name}{count} ")
        fetch(url, folder, _checksum(file), progress=told)
    return folder / name if len(source.files) == 1 else folder


def _named(progress: Progress, before: str) -> Progress:
    """Say of what the words are."""
    return Progress(
        lambda fraction, words: progress.report(fraction, f"{before}{words or ''}".strip()),
        progress.is_cancelled,
    )


def _checksum(file: RemoteFile) -> str | None:
    if file.sha256:
        return f"sha256:{file.sha256}"
    return f"md5:{file.md5}" if file.md5 else None


def _forget_download(source: str) -> None:
    shutil.rmtree(user_path("downloads", source), ignore_errors=True)


@contextmanager
def _locked(folder: Path, name: str, seconds: float) -> Iterator[None]:
    """Be the only process at work on something, until it ends or dies."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}.lock", timeout=seconds)
        lock.acquire()
    except Timeout:
        raise InputError(f"Another process is adding {name} at this moment.") from None
    except OSError as error:
        raise InputError(f"Cannot write into {folder}: {error.strerror}.") from None
    try:
        yield
    finally:
        lock.release()


def _write_whole(library: SSPLibrary) -> None:
    """Write a library beside its place, then put it there; leave nothing if that fails."""
    folder = added_folder()
    content = io.BytesIO()
    write_library(library, content)
    with _locked(folder, "libraries", _LOCK_SECONDS):
        # What a process that was killed has left.
        for left in folder.glob(f"{_UNFINISHED}*"):
            left.unlink(missing_ok=True)
        try:
            _replace(folder / f"{library.name}.h5", content.getbuffer())
        except OSError as error:
            raise InputError(
                f"Cannot keep the library {library.name} in {folder}: {error.strerror or error}."
            ) from None


def _replace(path: Path, content: memoryview) -> None:
    unfinished = path.with_name(f"{_UNFINISHED}{path.name}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
