"""From the authors' files to a library in compact form."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.libraries import SSPLibrary
from sspexplorer.readers import emiles
from sspexplorer.readers.contents import Batch, Contents
from sspexplorer.readers.resampling import (
    STEP,
    bin_average,
    counted,
    covered_grid,
    gap_sentence,
    gap_start,
    without_gaps,
)
from sspexplorer.readers.sources import SOURCES, Source

Progress = Callable[[float, str], None]

READERS: dict[str, Callable[[Path], Contents]] = {"emiles-full": emiles.read}


def read_source(name: str, path: Path, progress: Progress | None = None) -> SSPLibrary:
    """Read a library from its authors' files.

    Parameters
    ----------
    name : str
        One of :data:`sspexplorer.readers.SOURCES`.
    path : Path
        A file, or a folder, searched with all its subfolders.
    progress : callable, optional
        Called with the fraction done, 0 to 1, and a few words.

    Returns
    -------
    SSPLibrary
        In compact form: 2700 to 11 000 Å, or as far as the source goes, in steps of 5 Å, float32.

    Raises
    ------
    InputError
        If there is no such source, or what is at ``path`` is not a whole copy of it.
    """
    if name not in SOURCES:
        raise InputError(f"There is no library {name!r} to add; there are {', '.join(SOURCES)}.")
    if name not in READERS:
        raise InputError(f"{SOURCES[name].title} cannot be read yet.")
    contents = READERS[name](Path(path))
    return collect(SOURCES[name], contents, progress or (lambda fraction, words: None))


def collect(source: Source, contents: Contents, progress: Progress) -> SSPLibrary:
    """Resample every batch, leave out what cannot be used, and say what was done.

    Raises
    ------
    InputError
        If no SSP can be used, or files do not cover the same wavelengths.
    """
    parts, gap_ages, gap_starts, n_unborn, grid = [], [], [], 0, None
    for number, batch in enumerate(contents.batches):
        progress(number / contents.n_batches, f"{source.title}: {batch.label}")
        grid = _common_grid(grid, batch)
        born = batch.age > 0
        whole = without_gaps(batch.wavelength, batch.spectra, grid)
        n_unborn += int((~born).sum())
        for row in np.flatnonzero(born & ~whole):
            gap_ages.append(batch.age[row])
            gap_starts.append(gap_start(batch.wavelength, batch.spectra[row]))
        parts.append(_resampled(batch, born & whole, grid))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    spectra, log_age, metallicity, imf, isochrone = columns
    left_out = [*contents.left_out]
    if n_unborn:
        left_out.append(f"{counted(n_unborn, 'SSP')} of age 0: they have no logarithm.")
    if gap_ages:
        left_out.append(gap_sentence(np.array(gap_ages), np.array(gap_starts)))
    if not len(spectra):
        raise InputError(f"No SSP of {source.title} can be used: {' '.join(left_out)}")
    order = np.lexsort((log_age, metallicity, imf, isochrone))
    texts = {
        "title": source.title,
        "citation": source.citation,
        "terms": source.terms,
        **contents.texts,
    }
    provenance = {
        "resampling": f"flux-conserving means in bins of {STEP:g} Å",
        "made_by": "sspexplorer.readers",
        **texts.pop("provenance", {}),
    }
    progress(1.0, f"{source.title}: {len(spectra)} SSPs")
    return SSPLibrary.from_arrays(
        source.name,
        grid,
        spectra[order],
        log_age[order],
        metallicity[order],
        imf=imf[order],
        isochrone=isochrone[order],
        provenance=provenance,
        left_out=left_out,
        **texts,
    )


def _common_grid(grid: np.ndarray | None, batch: Batch) -> np.ndarray:
    here = covered_grid(batch.wavelength)
    if grid is None:
        return here
    if len(here) < len(grid) or here[0] > grid[0]:
        raise InputError(
            f"{batch.label} covers {batch.wavelength[0]:.0f} to {batch.wavelength[-1]:.0f} Å, "
            "less than the files before it."
        )
    return grid


def _resampled(batch: Batch, use: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, ...]:
    n = int(use.sum())
    spectra = np.empty((0, len(grid)), np.float32)
    if n:
        spectra = bin_average(batch.wavelength, batch.spectra[use], grid).astype(np.float32)
    texts = (np.broadcast_to(text, len(use))[use] for text in (batch.imf, batch.isochrone))
    return (spectra, np.log10(batch.age[use]), np.round(batch.metallicity[use], 4), *texts)
