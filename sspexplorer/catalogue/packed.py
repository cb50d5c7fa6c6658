"""Files packed with gzip, bzip2, xz or zip."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, BinaryIO

from sspexplorer.catalogue.source import Source
from sspexplorer.errors import InputError

_PIECE = 16 << 20  # bytes

_OPENERS: dict[bytes, tuple[str, Callable]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\x00": ("xz", lzma.open),
}
_WRITERS: dict[str, Callable] = {
    # Without a name and a time, the same table gives the same bytes.
    ".gz": lambda file: gzip.GzipFile("", "wb", 6, file, mtime=0),
    ".bz2": partial(bz2.BZ2File, mode="wb"),
    ".xz": partial(lzma.LZMAFile, mode="wb"),
}
ENDINGS = (*_WRITERS, ".zip")


def unpacked(source: Source) -> Source:
    """Source without its packing, all in memory; itself if it has none.

    A zip file has to hold one file, whose name is taken.

    Raises
    ------
    InputError
        If it is damaged, or unpacks to more than its bounds allow.
    """
    if source.head.startswith(b"PK\x03\x04"):
        return _unzipped(source)
    for magic, (kind, opener) in _OPENERS.items():
        if source.head.startswith(magic):
            try:
                with opener(_packed(source)) as file:
                    return replace(source, data=_within_bounds(file, source))
            except EOFError:
                raise InputError(
                    f"{source.name} is cut short: the {kind} file has no end."
                ) from None
            except (OSError, lzma.LZMAError) as error:
                raise InputError(f"{source.name} cannot be unpacked: {error}.") from None
    return source


def _packed(source: Source) -> Path | BinaryIO:
    return source.data if isinstance(source.data, Path) else io.BytesIO(source.data)


def _within_bounds(file: IO[bytes], source: Source) -> bytes:
    most = source.bounds.unpacked(source.size)
    content = io.BytesIO()
    while piece := file.read(_PIECE):
        source.progress.check()
        content.write(piece)
        if content.tell() > most:
            raise InputError(f"{source.name} unpacks to more than {most >> 20:,} MB.")
    return content.getvalue()


def _unzipped(source: Source) -> Source:
    try:
        with zipfile.ZipFile(_packed(source)) as archive:
            # macOS adds a folder of its own.
            files = [
                item
                for item in archive.infolist()
                if not item.is_dir() and not item.filename.startswith("__MACOSX/")
            ]
            if len(files) != 1:
                raise InputError(
                    f"{source.name} holds {len(files)} files; unpack it and choose among them."
                )
            with archive.open(files[0]) as file:
                content = _within_bounds(file, source)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise InputError(f"{source.name} cannot be unpacked: {error}.") from None
    return replace(source, name=Path(files[0].filename).name, data=content)


def packing(name: str) -> str:
    """Ending that says how a file is packed, such as ".gz"; "" if it is not."""
    return next((ending for ending in ENDINGS if name.lower().endswith(ending)), "")


def packing_writer(ending: str, file: BinaryIO) -> AbstractContextManager[BinaryIO]:
    """File that packs what is written to it.

    Raises
    ------
    InputError
        If that cannot be written.
    """
    if ending not in _WRITERS:
        raise InputError(f"{ending} files are read, not written; choose .gz, or no packing.")
    return _WRITERS[ending](file)
