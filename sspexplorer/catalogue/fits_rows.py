"""FITS tables written a part at a time, of whose rows all are looked at before."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from astropy.io import fits
from astropy.table import Column, Table

from sspexplorer.catalogue.convert import to_astropy
from sspexplorer.catalogue.simplify import as_bytes, simplified

_BLOCK = 2880  # bytes, of which FITS files are made
# Whole numbers that may stand for masked ones, beside the least and the greatest of the type.
_FILLERS = (-999, 0)


@dataclass
class _Seen:
    """What all rows of a column have in common."""

    width: int = 1
    masked: bool = False
    integer: str | None = None
    used: frozenset[int] = frozenset()


class FitsAppender:
    """Writes tables with the same columns to FITS, one below the other.

    All are shown to :meth:`look` first, which finds how long text is, how many rows there are,
    and what can stand for masked cells.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._rows, self._bytes = 0, 0
        self._seen: dict[str, _Seen] = {}
        self._said: tuple[str, ...] = ()
        self._meta: Mapping[str, Any] | None = None

    def look(self, table: pa.Table) -> None:
        """See rows that will be written."""
        whole, self._said = simplified(to_astropy(table), "fits")
        self._rows += len(whole)
        for column in whole.itercols():
            seen = self._seen.setdefault(column.name, _Seen())
            data = np.asarray(column)
            seen.masked |= bool(np.any(getattr(column, "mask", False)))
            if data.dtype.kind in "US":
                seen.width = max(seen.width, _encoded(data).dtype.itemsize)
            elif data.dtype.kind == "b":
                seen.integer = "i2"
            elif data.dtype.kind in "iu":
                seen.integer = data.dtype.name
                seen.used |= {n for n in _fillers(data.dtype) if n in data}

    def begin(self, meta: Mapping[str, Any]) -> None:
        """Say what the header is to hold."""
        self._meta = meta

    def append(self, table: pa.Table) -> None:
        """Write rows, after the header if they are the first."""
        simple, _ = simplified(to_astropy(table), "fits")
        whole = Table([self._alike(column) for column in simple.itercols()])
        content, said = as_bytes(whole, self._meta or {}, "fits")
        with fits.open(io.BytesIO(content)) as hdus:
            place = hdus[1].fileinfo()
            size = hdus[1].header["NAXIS1"] * hdus[1].header["NAXIS2"]
            if not self._bytes:
                self._said += said
                self._file.write(content[: place["hdrLoc"]])
                self._file.write(self._header(hdus[1].header))
        self._file.write(content[place["datLoc"] : place["datLoc"] + size])
        self._bytes += size

    def finish(self, meta: Mapping[str, Any]) -> tuple[str, ...]:
        """Fill the last block; sentences on what the format cannot hold."""
        self._file.write(bytes(-self._bytes % _BLOCK))
        return self._said

    def _header(self, header: fits.Header) -> bytes:
        """Header of all rows."""
        header["NAXIS2"] = self._rows
        for i in range(1, header["TFIELDS"] + 1):
            seen = self._seen[header[f"TTYPE{i}"]]
            if seen.masked and seen.integer is not None:
                zero = int(header.get(f"TZERO{i}", 0))
                header.set(f"TNULL{i}", self._filler(seen) - zero, after=f"TFORM{i}")
        return header.tostring().encode("ascii")

    def _filler(self, seen: _Seen) -> int:
        fillers = _fillers(np.dtype(seen.integer))
        return next((n for n in fillers if n not in seen.used), fillers[0])

    def _alike(self, column: Column) -> Column:
        """Column of the type that all rows need, without masks."""
        seen = self._seen[column.name]
        data = np.asarray(column)
        mask = np.asarray(getattr(column, "mask", np.zeros(data.shape, bool)))
        if data.dtype.kind in "US":
            data = np.where(mask, b"", _encoded(data)).astype(f"S{seen.width}")
        elif data.dtype.kind == "b" and seen.masked:
            data = np.where(mask, self._filler(seen), data.astype("i2"))
        elif data.dtype.kind in "iu" and seen.masked:
            data = np.where(mask, self._filler(seen), data).astype(data.dtype)
        elif data.dtype.kind in "fc" and mask.any():
            data = np.where(mask, np.nan, data)
        found = Column(data, name=column.name)
        found.unit, found.description = column.unit, column.description
        return found


def _encoded(data: np.ndarray) -> np.ndarray:
    return np.char.encode(data, "utf-8") if data.dtype.kind == "U" else data


def _fillers(kind: np.dtype) -> tuple[int, ...]:
    """Numbers that may stand for masked ones, the first that is not used."""
    limits = np.iinfo(kind)
    few = [n for n in _FILLERS if n >= limits.min]
    return (int(limits.min), int(limits.max), *few)
