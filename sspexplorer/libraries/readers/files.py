"""Files as they come from outside: found by name, opened with care, refused in one sentence."""

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from astropy.io import fits

from sspexplorer.errors import InputError

# What astropy, h5py and numpy raise for files that are cut short or are something else.
_BROKEN = (OSError, EOFError, TypeError, ValueError, KeyError, IndexError, fits.VerifyError)


def find(path: Path, pattern: re.Pattern, example: str) -> list[Path]:
    """Files at ``path`` (a file, or a folder searched whole) whose name matches ``pattern``.

    Raises
    ------
    InputError
        If nothing is at ``path``, or nothing there has such a name.
    """
    if not path.exists():
        raise InputError(f"There is no file or folder at {path}.")
    candidates = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    found = [candidate for candidate in candidates if pattern.fullmatch(candidate.name)]
    if not found:
        what = "is not named as" if path.is_file() else "holds no file with a name like"
        raise InputError(f"{path} {what} {example}.")
    return found


def refuse_web_page(path: Path) -> None:
    """Refuse a web page that was saved under the name of a data file.

    Raises
    ------
    InputError
        If ``path`` begins as HTML or XML does.
    """
    with path.open("rb") as file:
        start = file.read(512).lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        raise InputError(f"{path} is a web page, not the data file its name promises.")


def _refuse_truncated(path: Path, hdus: fits.HDUList) -> None:
    size = path.stat().st_size
    for hdu in hdus:
        place = hdu.fileinfo()
        if place is not None and path.suffix != ".gz" and place["datLoc"] + hdu.size > size:
            raise InputError(f"{path} is cut short: only {size} bytes came.")


@contextmanager
def open_fits(path: Path) -> Iterator[fits.HDUList]:
    """Open a FITS file, and refuse in one sentence what is not a whole one.

    Raises
    ------
    InputError
        If it is a web page, is cut short, is not FITS, or lacks what the block asks it for.
    """
    refuse_web_page(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fits.verify.AstropyUserWarning)
            hdus = fits.open(path, memmap=False, lazy_load_hdus=False)
        with hdus:
            _refuse_truncated(path, hdus)
            yield hdus
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{path} is not FITS of the layout expected: {_said(error)}.") from None


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 or NetCDF-4 file, and refuse in one sentence what is not one.

    Raises
    ------
    InputError
        If it is a web page, is cut short, is not HDF5, or lacks what the block asks it for.
    """
    refuse_web_page(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"{path} is not HDF5 of the layout expected: {_said(error)}.") from None


def read_image(path: Path) -> tuple[fits.Header, np.ndarray]:
    """Header and data, shape (n,) float64, of the 1-D image in the first HDU of a FITS file."""
    with open_fits(path) as hdus:
        header, data = hdus[0].header, hdus[0].data
        if data is None or data.size != max(data.shape) or not {"CRVAL1", "CDELT1"} <= {*header}:
            raise InputError(f"{path} is not a 1-D spectrum with CRVAL1 and CDELT1 in its header.")
        return header, data.ravel().astype(float)


def _said(error: Exception) -> str:
    words = " ".join(str(error).strip("'\"").split()).rstrip(".")
    return words or type(error).__name__
