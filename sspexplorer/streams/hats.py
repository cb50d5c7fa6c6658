"""HATS catalogues: Parquet in a file for each pixel of the sky, and files that say which there are.

The pixels, and what stands beside the files, are the package ``hats``'s to read and to write.
"""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, BinaryIO

import sspexplorer
from sspexplorer.catalogue import writing
from sspexplorer.catalogue.files import is_hats, one_sentence
from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.streams.joining import wholes
from sspexplorer.streams.parquet import ParquetFiles
from sspexplorer.streams.pieces import Piece
from sspexplorer.streams.spread import Spread
from sspexplorer.streams.work import Work

# Form of a result, beside the endings of files.
HATS = "hats"

_OBJECTS = ("object", "source")
_BUILDER = f"sspexplorer v{sspexplorer.__version__}"
_BUILT_BY_US = b"hats_builder=sspexplorer v"


@dataclass(frozen=True)
class HatsCatalogue(ParquetFiles):
    """A HATS catalogue, whose partitions are read one after the other.

    Attributes
    ----------
    folder : Path
        Where the catalogue itself is, of one with margins and indexes.
    """

    folder: Path = Path()

    @classmethod
    def opened(cls, place: Path) -> "HatsCatalogue":
        """Look at a catalogue, or at the one that its margins and indexes are of.

        Raises
        ------
        InputError
            If ``hats`` is not installed, a file is damaged or missing, or the catalogue is none of
            objects.
        """
        hats = _package(place)
        with one_sentence(str(place), "a HATS catalogue"):
            found = hats.read_hats(place, read_moc=False)
            main = getattr(found, "main_catalog", found)
            info = main.catalog_info
            if info.catalog_type not in _OBJECTS:
                raise InputError(
                    f"{place} is of the type {info.catalog_type!r} in HATS; what can be predicted "
                    "is a catalogue of objects."
                )
            folder = Path(str(main.catalog_path))
            places = [
                hats.io.pixel_catalog_file(folder, pixel, npix_suffix=info.npix_suffix)
                for pixel in main.get_healpix_pixels()
            ]
            files = [file for one in places for file in _files(Path(str(one)), folder)]
        notes = [f"HATS catalogue {main.catalog_name}: {len(places):,} partitions."]
        if main is not found:
            notes.append("Of the collection only the catalogue is read, no margin and no index.")
        opened = cls.found(files, notes=tuple(notes))
        return replace(opened, name=main.catalog_name, folder=folder)


def _package(place: Path) -> Any:
    try:
        import hats
    except ImportError:
        raise InputError(
            f"{place} is a HATS catalogue, which needs the package hats: "
            'pip install "sspexplorer[survey]".'
        ) from None
    return hats


def _files(partition: Path, folder: Path) -> list[Path]:
    """The file of a partition, or its files where it is a folder."""
    if partition.is_dir():
        return sorted(path for path in partition.iterdir() if path.name[0] not in "._")
    if not partition.is_file():
        raise InputError(f"{folder} lacks the partition {partition.relative_to(folder)}.")
    return [partition]


def check_folder(place: Path, out: Path) -> None:
    """Check that a HATS catalogue can be written, before anything long is begun.

    Only one that this program has written is replaced.

    Parameters
    ----------
    place : Path
        The catalogue that is read.
    out : Path

    Raises
    ------
    InputError
        If there is something else, or one would lie in the other.
    """
    place, there = place.resolve(), out.resolve()
    if place.is_relative_to(there) or there.is_relative_to(place):
        raise InputError(f"{out} lies in the catalogue that is read, or the other way round.")
    if out.is_file():
        raise InputError(f"{out} is a file, and a HATS catalogue is a folder; name another.")
    if out.is_dir() and any(out.iterdir()) and not _is_ours(out):
        raise InputError(
            f"{out} is a folder that this program did not write; name another, or move it away."
        )


def _is_ours(folder: Path) -> bool:
    path = folder / "hats.properties"
    return is_hats(folder) and path.is_file() and _BUILT_BY_US in path.read_bytes()


def join_hats(
    work: Work,
    out: Path,
    about: Mapping[str, Any],
    spread: Spread,
    progress: Progress = NO_PROGRESS,
) -> tuple[str, ...]:
    """Write a HATS catalogue with its answers: the same partitions, each with the same rows.

    Partitions are written one by one in the folder of the parts, where a run that goes on finds
    them. A partition without rows is left out, as ``hats`` does.

    Parameters
    ----------
    work : Work
        Over a :class:`HatsCatalogue`, with all answers there.
    out : Path
        Folder that is made, or replaced, when all is written.
    about : dict
        What each file should say about itself.
    spread : Spread
        Has the partitions written.

    Returns
    -------
    tuple of str
        Sentences on what had to change.

    Raises
    ------
    InputError
        If it cannot be written, or the catalogue has changed.
    """
    stored = work.reader.stored
    if not isinstance(stored, HatsCatalogue):
        raise TypeError(f"{stored.name} is no HATS catalogue.")
    folder = work.parts.folder / HATS
    pieces = stored.pieces(work.size)
    partitions = [tuple(own) for _, own in groupby(pieces, lambda piece: piece.file)]
    done = 0

    def tell(rows: int) -> None:
        nonlocal done
        progress.check()
        done += rows
        progress.report(min(done / stored.rows, 1.0), "written")

    with _one_sentence(out):
        folder.mkdir(exist_ok=True)
    spread.each(partial(_write_partition, work, folder, dict(about)), partitions, tell)
    empty = stored.schema.empty_table(), work.schema.empty_table()
    new, renamed = writing.new_columns(*empty)
    with _one_sentence(out):
        _describe(stored, folder, out.name, [] if new is None else new.column_names)
        if out.exists():
            os.replace(out, work.parts.folder / "replaced")
        os.replace(folder, out)
    return renamed


def _write_partition(
    work: Work, folder: Path, about: Mapping[str, Any], pieces: Sequence[Piece]
) -> int:
    """Write the file of some pieces, if it is not there; the number of its rows."""
    stored = work.reader.stored
    path = folder / stored.files[pieces[0].file].relative_to(stored.folder)  # type: ignore[attr-defined]

    def save(file: BinaryIO) -> tuple[str, ...]:
        writer = writing.ParquetAppender(file)
        meta: dict[str, Any] = {}
        for table, found, _ in wholes(work, "parquet", pieces):
            writer.append(table)
            meta = meta or found
        return writer.finish(meta | dict(about))

    if not path.exists():
        with _one_sentence(folder):
            path.parent.mkdir(parents=True, exist_ok=True)
        writing.save(save, path, path, str(path))
    return sum(piece.rows for piece in pieces)


def _describe(stored: HatsCatalogue, folder: Path, name: str, new: Sequence[str]) -> None:
    """Write what stands beside the partitions, as far as it stands beside those that were read."""
    import hats

    there = {
        path.name for path in [*stored.folder.iterdir(), *(stored.folder / "dataset").iterdir()]
    }
    rows = hats.io.write_parquet_metadata(
        folder,
        create_metadata="_metadata" in there,
        create_thumbnail="data_thumbnail.parquet" in there,
        create_per_partition_stats="per_partition_statistics.parquet" in there,
    )
    written = {file: sum(n) for file, n in zip(stored.files, stored.groups, strict=True) if sum(n)}
    of_pixels: dict[Any, int] = {}
    for file, n in written.items():
        pixel = hats.io.paths.get_healpix_from_path(str(file.relative_to(stored.folder)))
        of_pixels[pixel] = of_pixels.get(pixel, 0) + n
    info = hats.catalog.PartitionInfo.from_healpix([*of_pixels])
    info.write_to_file(catalog_path=folder)
    # The same galaxies are at the same places.
    for path in stored.folder.iterdir():
        if path.suffix == ".fits" and path.name.startswith(("point_map", "skymap")):
            shutil.copyfile(path, folder / path.name)
    before = hats.catalog.TableProperties.read_from_dir(stored.folder)
    shown = before.default_columns
    # Who made a catalogue, and how it is cited, is not true of what is made of it.
    made: dict[str, Any] = dict.fromkeys(before.provenance_dict())
    made |= before.new_provenance_dict(
        folder, builder=_BUILDER, prov_progenitor=before.catalog_name
    )
    after = before.copy_and_update(
        catalog_name=name,
        total_rows=rows,
        hats_max_rows=max(of_pixels.values()),
        default_columns=[*shown, *new] if shown else None,
        **made,
    )
    after.to_properties_file(folder)


@contextmanager
def _one_sentence(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror or error}.") from None
