"""The result of a run: the catalogue's rows and columns, read once more, with the answers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from sspexplorer.catalogue import writing
from sspexplorer.catalogue.files import FORMATS, ending
from sspexplorer.catalogue.fits_rows import FitsAppender
from sspexplorer.catalogue.headers import keywords
from sspexplorer.catalogue.packed import packing, packing_writer
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.streams.pieces import Piece
from sspexplorer.streams.work import Work


def can_write(form: str) -> bool:
    """Whether a result of this format can be written in pieces."""
    suffix = ending(f".{form}")
    return FORMATS[suffix.removesuffix(packing(suffix))] in _WRITERS


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
        writer: Any = _WRITERS[kind](file, form)
        said: tuple[str, ...] = ()
        meta: dict[str, Any] = {}
        looks = isinstance(writer, FitsAppender)
        pieces = work.reader.stored.pieces(work.size)
        if looks:
            for whole, found, _ in wholes(work, kind, pieces, progress.part(0.0, 0.4)):
                writer.look(whole)
                writer.begin(found | dict(about))
        writing_now = progress.part(0.4, 0.6) if looks else progress
        for whole, found, renamed in wholes(work, kind, pieces, writing_now):
            writer.append(whole)
            meta, said = meta or found, renamed
        return (*said, *writer.finish(meta | dict(about)))

    return writing.save(save, out, out, str(out))


def wholes(
    work: Work, kind: str, pieces: Sequence[Piece], progress: Progress = NO_PROGRESS
) -> Iterator[tuple[pa.Table, dict[str, Any], tuple[str, ...]]]:
    """Each table of some pieces with its answers, keywords, and columns that were renamed."""
    stored = work.reader.stored
    for piece in pieces:
        tables = stored.tables(piece, work.size)
        for (start, n), file in zip(piece.chunks(work.size), tables, strict=True):
            progress.check()
            new, renamed = writing.new_columns(file.table, work.parts.load(start))
            table = _with_masks(writing.as_arrow(file.table), work.reader.masked)
            if kind != "csv":
                table = stored.typed(table, exact=kind == "parquet")
            yield writing.joined(table, new), keywords(file.table), renamed
            progress.report((start + n) / stored.rows, "written")


def _with_masks(table: pa.Table, masked: frozenset[str]) -> pa.Table:
    """Table whose fields say that they are masked if any cell of the whole column is."""
    fields = [
        field.with_metadata((field.metadata or {}) | {b"masked": b"yes"})
        if field.name in masked
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields, metadata=table.schema.metadata)) if masked else table


_WRITERS = {
    "csv": lambda file, form: writing.TextWriter(file, form, ""),
    "parquet": lambda file, form: writing.ParquetAppender(file),
    "fits": lambda file, form: FitsAppender(file),
}
