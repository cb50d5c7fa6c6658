"""Tables from files, and every way in which that fails put in one sentence.

Nothing is unpickled, and nothing that a file names (a link, a stream, an entity) is opened.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from sspexplorer.catalogue import binary, text
from sspexplorer.catalogue.source import FileTable, LooksRight, Source
from sspexplorer.catalogue.values import column_names
from sspexplorer.errors import InputError

FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".ecsv": "ecsv",
    ".fits": "fits",
    ".fit": "fits",
    ".fits.gz": "fits",
    ".fit.gz": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".parquet": "parquet",
}
_READERS = {
    "csv": text.read_csv,
    "ecsv": text.read_ecsv,
    "fits": binary.read_fits,
    "votable": binary.read_votable,
    "parquet": binary.read_parquet,
}
_KINDS = {
    "csv": "a text table",
    "ecsv": "an ECSV table",
    "fits": "a FITS table",
    "votable": "a VOTable",
    "parquet": "a Parquet table",
}


def ending(name: str) -> str:
    """Ending of a file name that says its format, such as ".fits.gz".

    Raises
    ------
    InputError
        If it is none of :data:`FORMATS`.
    """
    found = [known for known in FORMATS if name.lower().endswith(known)]
    if found:
        return max(found, key=len)
    suffix = Path(name).suffix
    shown = f"ends in {suffix}" if suffix else "has no ending"
    raise InputError(f"{name} {shown}; a catalogue ends in one of {', '.join(FORMATS)}.")


def read_table(
    source: str | Path | bytes | BinaryIO, name: str | None, looks_right: LooksRight
) -> FileTable:
    """Read a table.

    Parameters
    ----------
    source : path, bytes or binary file
    name : str, optional
        File name, whose ending says the format; the path's own if not given.
    looks_right : callable
        Tells from column names whether a table is a catalogue; asked where a file has several.

    Raises
    ------
    InputError
        If there is no usable table in it, with one sentence that says why.
    """
    path = Path(source) if isinstance(source, str | Path) else None
    if name is None:
        if path is None:
            raise InputError("A catalogue given as bytes needs a name that says its format.")
        name = path.name
    if path:
        _check_path(path)
    form = FORMATS[ending(name)]
    opened = Source(name, path or _bytes(source))
    with one_sentence(name, _KINDS[form]):
        if not opened.size:
            raise InputError(f"{name} is empty.")
        found = _READERS[form](opened, looks_right)
        if not column_names(found.table):
            raise InputError(f"{name} has no columns.")
        if not len(found.table):
            raise InputError(f"{name} has a header but no rows.")
    return found


def _check_path(path: Path) -> None:
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder, not a catalogue.")
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{path} cannot be read: {reason}.") from None


def _bytes(source: bytes | BinaryIO) -> bytes:
    data = source if isinstance(source, bytes | bytearray | memoryview) else source.read()
    return data.encode() if isinstance(data, str) else bytes(data)


@contextmanager
def one_sentence(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a damaged file makes a parser raise into an InputError.

    Parameters
    ----------
    name : str
        File name.
    kind : str
        What it should be, such as "a FITS table".
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InputError:
            raise
        # The parsers promise no set of exceptions: a damaged file raises almost any.
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            reason = reason if len(reason) <= 200 else reason[:199] + "…"
            raise InputError(f"{name} cannot be read as {kind}: {reason.rstrip('.')}.") from None
