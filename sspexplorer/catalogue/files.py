"""Tables from files, and every way in which that fails put in one sentence.

Nothing is unpickled, and nothing that a file names (a link, a stream, an entity) is opened.
"""

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, cast

from sspexplorer.bounds import GENEROUS, Bounds
from sspexplorer.catalogue import binary, columnar, ecsv, hdf5, packed, text
from sspexplorer.catalogue.several import refuse_different_twins
from sspexplorer.catalogue.source import FileTable, LooksRight, Source
from sspexplorer.catalogue.stacking import stacked
from sspexplorer.catalogue.values import column_names
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.progress import NO_PROGRESS, Progress

FORMATS = {
    ".csv": "csv",
    ".txt": "csv",
    ".tsv": "csv",
    ".dat": "csv",
    ".cat": "csv",
    ".asc": "csv",
    ".ascii": "csv",
    ".tbl": "ipac",
    ".ecsv": "ecsv",
    ".fits": "fits",
    ".fit": "fits",
    ".vot": "votable",
    ".votable": "votable",
    ".xml": "votable",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".feather": "feather",
    ".arrow": "feather",
    ".hdf5": "hdf5",
    ".h5": "hdf5",
    ".hdf": "hdf5",
}
_READERS = {
    "csv": text.read_text,
    "ipac": text.read_text,
    "ecsv": ecsv.read_ecsv,
    "fits": binary.read_fits,
    "votable": binary.read_votable,
    "parquet": columnar.read_parquet,
    "feather": columnar.read_feather,
    "hdf5": hdf5.read_hdf5,
}
_KINDS = {
    "csv": "a text table",
    "ipac": "a text table",
    "ecsv": "an ECSV table",
    "fits": "a FITS table",
    "votable": "a VOTable",
    "parquet": "a Parquet table",
    "feather": "a Feather table",
    "hdf5": "an HDF5 table",
}
# How files begin, for one without a name.
_BEGINNINGS = (
    (b"SIMPLE  =", ".fits"),
    (b"PAR1", ".parquet"),
    (b"ARROW1", ".feather"),
    (b"FEA1", ".feather"),
    (b"\xff\xff\xff\xff", ".feather"),
    (hdf5.MAGIC, ".hdf5"),
    (b"# %ECSV", ".ecsv"),
    (b"<?xml", ".vot"),
    (b"<VOTABLE", ".vot"),
)
STANDARD_INPUT = "-"


def ending(name: str) -> str:
    """Ending of a file name that says its format, such as ".fits.gz".

    Raises
    ------
    InputError
        If it is none of :data:`FORMATS`, with or without a packing such as ".gz".
    """
    packing = packed.packing(name)
    found = [known for known in FORMATS if name.lower().endswith(f"{known}{packing}")]
    if found:
        return max(found, key=len) + packing
    suffix = Path(name).suffix
    shown = f"ends in {suffix}" if suffix else "has no ending"
    raise InputError(
        f"{name} {shown}; a catalogue ends in one of {', '.join(FORMATS)}, or one of these "
        f"with {', '.join(packed.ENDINGS)}."
    )


def format_of(name: str) -> str:
    """Format that a file name says, such as "fits" for "x.fits.gz".

    Raises
    ------
    InputError
        If it says none.
    """
    found = ending(name)
    return FORMATS[found.removesuffix(packed.packing(found))]


def read_table(
    source: str | Path | bytes | BinaryIO | Sequence[str | Path],
    name: str | None,
    looks_right: LooksRight,
    progress: Progress = NO_PROGRESS,
    bounds: Bounds = GENEROUS,
) -> tuple[FileTable, str]:
    """Read a table from one file, or from several with the same columns, one below the other.

    Parameters
    ----------
    source : path, bytes, binary file, or sequence of paths
        A folder stands for all catalogues in it, by name; "-" for standard input.
    name : str, optional
        File name, whose ending says the format; the path's own if not given.
    looks_right : callable
        Tells from column names whether a table is a catalogue; asked where a file has several.
    bounds : Bounds
        How large it may be.

    Returns
    -------
    FileTable
    name : str
        Of the file, or of the first and how many more there are.

    Raises
    ------
    InputError
        If there is no usable table in it, with one sentence that says why.
    """
    paths, notes = paths_in(source)
    if paths is None:
        if name is None:
            raise InputError("A catalogue given as bytes needs a name that says its format.")
        content = _bytes(cast("bytes | BinaryIO", source))
        return _read_source(Source(name, content, progress, bounds), looks_right), name
    if len(paths) == 1:
        found, name = _read_path(paths[0], name, looks_right, progress, bounds)
    else:
        size = 1 / len(paths)
        read = [
            _read_path(path, None, looks_right, progress.part(i * size, size), bounds)
            for i, path in enumerate(paths)
        ]
        found, name = stacked([table for table, _ in read], [name for _, name in read])
    return replace(found, notes=(*notes, *found.notes)), name


def paths_in(source: object) -> tuple[list[str | Path] | None, tuple[str, ...]]:
    """Files that are meant, None for bytes; and sentences on others in their folder.

    Raises
    ------
    InputError
        If there is none.
    """
    if isinstance(source, str | Path):
        source = [source]
    if not isinstance(source, list | tuple):
        return None, ()
    paths, notes = [], []
    for item in source:
        if not os.path.isdir(item):
            paths.append(item)
            continue
        if is_hats(item):
            raise InputError(
                f"{item} is a HATS catalogue, which only the commands predict and sedfit read."
            )
        inside = sorted(p for p in Path(item).iterdir() if p.is_file() and p.name[0] != ".")
        usable = [path for path in inside if has_ending(path.name)]
        if not usable:
            raise InputError(f"{item} is a folder without a catalogue in it.")
        if others := [path.name for path in inside if path not in usable]:
            shown = ", ".join(others[:6]) + (f" and {len(others) - 6} more" * (len(others) > 6))
            notes.append(f"Not catalogues by their ending, left out: {shown}.")
        paths += usable
    if not paths:
        raise InputError("No catalogue was given.")
    return paths, tuple(notes)


def is_hats(place: object) -> bool:
    """Whether a path is the folder of a HATS catalogue, or of one with its margins and indexes."""
    folder = Path(str(place))
    if not folder.is_dir():
        return False
    own = any((folder / name).is_file() for name in ("hats.properties", "properties"))
    return (folder / "collection.properties").is_file() or (own and (folder / "dataset").is_dir())


def has_ending(name: str) -> bool:
    """Whether a file name says its format, see :func:`ending`."""
    try:
        return bool(ending(name))
    except InputError:
        return False


def _read_path(
    path: str | Path,
    name: str | None,
    looks_right: LooksRight,
    progress: Progress,
    bounds: Bounds,
) -> tuple[FileTable, str]:
    progress.check()
    if str(path) == STANDARD_INPUT:
        data = sys.stdin.buffer.read()
        name = name or "standard input"
        source = Source(name, data, progress, bounds)
        return _read_source(source, looks_right, known=False), name
    path = Path(path)
    _check_path(path)
    name = name or path.name
    return _read_source(Source(name, path, progress, bounds), looks_right), name


def _read_source(source: Source, looks_right: LooksRight, known: bool = True) -> FileTable:
    """Read one file; its format is told from how it begins unless its name is ``known`` to say."""
    name = source.name
    form = format_of(name) if known and packed.packing(name) != ".zip" else "csv"
    with one_sentence(name, _KINDS[form]):
        if not source.size:
            raise InputError(f"{name} is empty.")
        inside = packed.unpacked(source)
        if not inside.size:
            raise InputError(f"{name} is empty.")
        if not known:
            form = FORMATS[_sniffed(inside.head)]
        elif packed.packing(name) == ".zip":
            form = format_of(name if has_ending(name) else inside.name)
        found = _READERS[form](replace(inside, name=name), looks_right)
        source.bounds.check(name, len(found.table), len(column_names(found.table)))
        if not column_names(found.table):
            raise InputError(f"{name} has no columns.")
        if not len(found.table):
            raise InputError(f"{name} has a header but no rows.")
        said = refuse_different_twins(found, name)
    return replace(found, notes=(*found.notes, *said))


def _sniffed(head: bytes) -> str:
    start = head.lstrip()
    return next((end for magic, end in _BEGINNINGS if start.startswith(magic)), ".csv")


def _check_path(path: Path) -> None:
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
        except (InputError, Cancelled):
            raise
        except MemoryError:
            raise InputError(f"{name} needs more memory than reading a file may take.") from None
        # The parsers promise no set of exceptions: a damaged file raises almost any.
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            reason = reason if len(reason) <= 200 else reason[:199] + "…"
            raise InputError(f"{name} cannot be read as {kind}: {reason.rstrip('.')}.") from None
