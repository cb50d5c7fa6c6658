"""The result of a run: the catalogue's rows and columns, read once more, with the answers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from sspexplorer.catalogue import writing
from sspexplorer.catalogue.files import FORMATS, ending
from sspexplorer.catalogue.headers import keywords
from sspexplorer.catalogue.packed import packing, packing_writer
from sspexplorer.catalogue.values import AnyTable
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.streams.work import Work

# Formats of text that are appended to, and columns.
KINDS = ("csv", "parquet")


def can_write(form: str) -> bool:
    """Whether a result of this format can be written in pieces."""
    suffix = ending(f".{form}")
    return FORMATS[suffix.removesuffix(packing(suffix))] in KINDS


def join(
    work: Work, out: Path, form: str, about: Mapping[str, Any], progress: Progress = NO_PROGRESS
) -> tuple[str, ...]:
    """Write the catalogue with its answers, which must all be there.

    Parameters
    ----------
    work : Work
    out : Path
        Replaced when all is written.
    form : str
        Ending that says the format.
    about : dict
        What the file should say about itself.

    Returns
    -------
    tuple of str
        Sentences on what had to change.

    Raises
    ------
    InputError
        If it cannot be written, or the catalogue has changed.
    """
    suffix = ending(f".{form}")
    pack = packing(suffix)
    kind = FORMATS[suffix.removesuffix(pack)]

    def save(file: Any) -> tuple[str, ...]:
        if pack:
            with packing_writer(pack, file) as packed:
                return save_plain(packed)
        return save_plain(file)

    def save_plain(file: Any) -> tuple[str, ...]:
        writer: Any = (
            writing.TextWriter(file, form, "") if kind == "csv" else writing.ParquetAppender(file)
        )
        renamed: tuple[str, ...] = ()
        meta: dict[str, Any] = {}
        for table, answers in _both(work, progress):
            new, renamed = writing.new_columns(table, answers)
            writer.append(writing.joined(writing.as_arrow(table), new))
            meta = meta or keywords(table)
        return (*renamed, *writer.finish(meta | dict(about)))

    return writing.save(save, out, out, str(out))


def _both(work: Work, progress: Progress) -> Iterator[tuple[AnyTable, pa.Table]]:
    """Each table of the catalogue, and the answers to it."""
    stored = work.reader.stored
    for piece in stored.pieces(work.size):
        tables = stored.tables(piece, work.size)
        for (start, n), file in zip(piece.chunks(work.size), tables, strict=True):
            progress.check()
            yield file.table, work.parts.load(start)
            progress.report((start + n) / stored.rows, "written")
