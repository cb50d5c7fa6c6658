"""FITS tables in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from astropy.io import fits

from sspexplorer.catalogue.binary import fits_tables, read_part
from sspexplorer.catalogue.files import one_sentence
from sspexplorer.catalogue.source import FileTable, Source
from sspexplorer.errors import InputError
from sspexplorer.streams.pieces import NotInPiecesError, Piece


@dataclass(frozen=True)
class FitsFile:
    """A FITS file with one binary table, see :class:`~sspexplorer.streams.pieces.Stored`."""

    name: str
    files: tuple[Path, ...]
    rows: int
    notes: tuple[str, ...] = ()

    @classmethod
    def found(cls, path: Path) -> "FitsFile":
        """Look at a file.

        Raises
        ------
        InputError
            If it is damaged.
        NotInPiecesError
            If it has several tables, or one whose rows differ in length.
        """
        with one_sentence(path.name, "a FITS table"), fits_tables(Source(path.name, path)) as hdus:
            if len(hdus) > 1:
                raise NotInPiecesError(f"{path.name} has {len(hdus)} tables")
            header = hdus[0].header
            formats = [str(header[f"TFORM{i}"]) for i in range(1, header["TFIELDS"] + 1)]
            if not isinstance(hdus[0], fits.BinTableHDU) or any(
                set("PQ") & set(f) for f in formats
            ):
                raise NotInPiecesError(f"{path.name} has rows of varying length")
            rows = header["NAXIS2"]
        if not rows:
            raise InputError(f"{path.name} has a header but no rows.")
        return cls(path.name, (path,), rows)

    def pieces(self, size: int) -> list[Piece]:
        """So many rows each."""
        return [
            Piece(0, start, min(size, self.rows - start), (start, min(start + size, self.rows)))
            for start in range(0, self.rows, size)
        ]

    def tables(self, piece: Piece, size: int) -> Iterator[FileTable]:
        """The one table of a piece; the file is opened anew, so that no page of it stays."""
        with (
            one_sentence(self.name, "a FITS table"),
            fits_tables(Source(self.name, self.files[0])) as hdus,
        ):
            rows = slice(*piece.place)
            part = fits.BinTableHDU(hdus[0].data[rows].copy(), hdus[0].header)
            found = read_part(part)
        yield found

    def typed(self, table: pa.Table, exact: bool) -> pa.Table:
        """The table as it is."""
        return table
