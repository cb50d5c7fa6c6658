"""Which catalogues are read in pieces, and how they are found."""

from collections.abc import Sequence
from pathlib import Path

from sspexplorer.catalogue.files import FORMATS, STANDARD_INPUT, ending, is_hats, paths_in
from sspexplorer.catalogue.reading import Asked, looks_right
from sspexplorer.errors import InputError
from sspexplorer.streams.fits import FitsFile
from sspexplorer.streams.hats import HatsCatalogue
from sspexplorer.streams.parquet import ParquetFiles, hive_files
from sspexplorer.streams.pieces import NotInPiecesError, Stored
from sspexplorer.streams.text import TextFile

# More is read in pieces.
LARGE_ROWS = 100_000
LARGE_BYTES = 64 << 20
# Rows of a piece: so many galaxies in work take some 150 MB.
ROWS = 20_000

_PARQUET = (".parquet", ".pq")


def opened(places: Sequence[str | Path], asked: Asked, size: int) -> Stored:
    """A catalogue that can be read in pieces.

    Parameters
    ----------
    places : sequence of str or Path
        Files, or one folder: of files, of a hive of Parquet files, or a HATS catalogue.
    asked : Asked
    size : int
        Rows at a time.

    Raises
    ------
    InputError
        If there is no such file, or it is damaged.
    NotInPiecesError
        If it can only be read as a whole.
    """
    if any(str(place) == STANDARD_INPUT for place in places):
        raise NotInPiecesError("standard input is read as a whole")
    if len(places) == 1 and is_hats(places[0]):
        return HatsCatalogue.opened(Path(places[0]))
    if hive := hive_of(places):
        return ParquetFiles.found(hive, Path(places[0]))
    paths, notes = paths_in(list(places))
    files = [Path(path) for path in paths or ()]
    for path in files:
        if not path.is_file():
            raise NotInPiecesError(f"{path} is no file")
    kinds = {ending(path.name) for path in files}
    if kinds <= set(_PARQUET):
        return ParquetFiles.found(files, notes=notes)
    if len(files) == 1:
        form = FORMATS.get(*kinds)
        if form == "fits":
            return FitsFile.found(files[0])
        if form == "csv":
            return TextFile.found(files[0], looks_right(asked.columns), size)
    shown = f"{len(files)} files that end" if len(files) > 1 else "a file that ends"
    raise NotInPiecesError(f"{shown} in {', '.join(sorted(kinds))} is read as a whole")


def only_in_pieces(places: Sequence[str | Path]) -> bool:
    """Whether a folder is a HATS catalogue or a hive, which are never read as a whole."""
    return (len(places) == 1 and is_hats(places[0])) or bool(hive_of(places))


def hive_of(places: Sequence[str | Path]) -> list[Path]:
    """Files of a folder whose folders are named ``key=value``; none if it is something else."""
    if len(places) != 1 or not Path(places[0]).is_dir():
        return []
    root = Path(places[0])
    if not any(path.is_dir() and "=" in path.name for path in root.iterdir()):
        return []
    files = hive_files(root)
    if not files:
        raise InputError(f"{root} is a folder without a Parquet file in it.")
    return files


def may_be_large(places: Sequence[str | Path]) -> bool:
    """Whether files are large enough for a look at how many rows they have.

    Those of Parquet and FITS say it at once; a text has to be read for it.
    """
    if only_in_pieces(places):
        return True
    found = [path for place in places for path in _files(Path(place))]
    text = any(path.suffix.lower() not in (*_PARQUET, ".fits", ".fit") for path in found)
    return bytes_of(places) > (LARGE_BYTES if text else LARGE_ROWS)


def bytes_of(places: Sequence[str | Path]) -> int:
    """Size of the files that are meant."""
    return sum(path.stat().st_size for place in places for path in _files(Path(place)))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [inside for inside in path.iterdir() if inside.is_file()]
    return [path] if path.is_file() else []
