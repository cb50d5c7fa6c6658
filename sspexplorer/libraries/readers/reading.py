"""From the authors' files to a library in compact form."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from sspexplorer.bands import load_bands
from sspexplorer.errors import InputError
from sspexplorer.libraries.library import SSPLibrary
from sspexplorer.libraries.readers import blue, cb19, emiles, own, ppxf, xsl
from sspexplorer.libraries.readers.contents import Batch, Contents
from sspexplorer.libraries.readers.resampling import (
    STEP,
    bin_average,
    counted,
    covered_grid,
    gap_sentence,
    gap_start,
    without_gaps,
)
from sspexplorer.libraries.readers.sources import PPXF_KEYS, SOURCES, Source
from sspexplorer.progress import NO_PROGRESS, Progress

READERS: dict[str, Callable[[Path], Contents]] = {
    "emiles-full": emiles.read,
    "cb19": cb19.read,
    "xsl": xsl.read,
    **{f"ppxf-{key}": ppxf.reader(key) for key in PPXF_KEYS},
    "own": own.read,
}


def read_source(name: str, path: Path, progress: Progress = NO_PROGRESS) -> SSPLibrary:
    """Read a library from its authors' files.

    Parameters
    ----------
    name : str
        One of :data:`sspexplorer.libraries.readers.SOURCES`.
    path : Path
        A file, or a folder, searched with all its subfolders.
    progress : Progress, optional

    Returns
    -------
    SSPLibrary
        In compact form: 1500 to 11 000 Å, or as far as the source goes, in steps of 5 Å, float32.

    Raises
    ------
    InputError
        If there is no such source, or what is at ``path`` is not a whole copy of it.
    """
    if name not in SOURCES:
        raise InputError(f"There is no library {name!r} to add; there are {', '.join(SOURCES)}.")
    contents = READERS[name](Path(path))
    return collect(SOURCES[name], contents, progress)


def collect(source: Source, contents: Contents, progress: Progress) -> SSPLibrary:
    """Resample every batch, leave out what cannot be used, and say what was done.

    Raises
    ------
    InputError
        If no SSP can be used, or the spectra do not reach from within uJAVA to J1007.
    """
    title = contents.texts.get("title", source.title)
    parts, left_out = [], _LeftOut()
    grid: np.ndarray | None = None
    for number, batch in enumerate(contents.batches):
        progress.check()
        progress.report(number / contents.n_batches, f"{title}: {batch.label}")
        grid = _common_grid(title, grid, batch)
        parts.append(_resampled(batch, left_out.note(batch, grid), grid))
    if grid is None:
        raise InputError(f"{title} has no SSPs.")
    sentences = [*contents.left_out, *left_out.sentences()]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    if not len(columns[0]):
        raise InputError(f"No SSP of {title} can be used: {' '.join(sentences)}")
    order = np.lexsort(columns[1:])
    spectra, log_age, metallicity, imf, isochrone = (column[order] for column in columns)
    texts = {"title": title, "citation": source.citation, "terms": source.terms, **contents.texts}
    texts["provenance"] = {
        "resampling": f"flux-conserving means in bins of {STEP:g} Å",
        "made_by": "sspexplorer.libraries.readers",
        **texts.get("provenance", {}),
    }
    if grid[0] > blue.CONTINUED_TO:
        texts["provenance"] |= blue.provenance(grid[0])
        grid, spectra = blue.continued(grid, spectra, log_age, metallicity)
    library = SSPLibrary.from_arrays(
        source.name, grid, spectra, log_age, metallicity, imf=imf, isochrone=isochrone, **texts
    )
    if library.continued_bands(blue.MAX_REDSHIFT):
        sentences.append(blue.sentence(library))
    progress.report(1.0, f"{title}: {counted(len(library), 'SSP')}")
    return replace(library, left_out=tuple(dict.fromkeys(sentences)))


class _LeftOut:
    """Count of the SSPs that cannot be used, with the reasons."""

    def __init__(self) -> None:
        self.n_unborn = 0
        self.gap_ages: list[float] = []
        self.gap_starts: list[float] = []

    def note(self, batch: Batch, grid: np.ndarray) -> np.ndarray:
        """Mask (n_ssp,) of the SSPs of ``batch`` that can be used; the others are counted."""
        born = batch.age > 0
        whole = without_gaps(batch.wavelength, batch.spectra, grid)
        self.n_unborn += int((~born).sum())
        for row in np.flatnonzero(born & ~whole):
            self.gap_ages.append(batch.age[row])
            self.gap_starts.append(gap_start(batch.wavelength, batch.spectra[row]))
        return born & whole

    def sentences(self) -> list[str]:
        """One sentence for each reason."""
        result = []
        if self.n_unborn:
            result.append(f"{counted(self.n_unborn, 'SSP')} of age 0: they have no logarithm.")
        if self.gap_ages:
            result.append(gap_sentence(np.array(self.gap_ages), np.array(self.gap_starts)))
        return result


def _common_grid(title: str, grid: np.ndarray | None, batch: Batch) -> np.ndarray:
    here = covered_grid(batch.wavelength)
    if grid is not None:
        if len(here) < len(grid) or here[0] > grid[0]:
            raise InputError(
                f"{batch.label} covers {batch.wavelength[0]:.0f} to {batch.wavelength[-1]:.0f} Å, "
                "less than the files before it."
            )
        return grid
    reddest = max(curve[0][-1] for curve in load_bands().curves)
    if not len(here) or here[-1] < reddest:
        raise InputError(
            f"{title} ends at {batch.wavelength[-1]:.0f} Å; the reddest band needs {reddest:.0f} Å."
        )
    blue.check_edge(title, here[0])
    return here


def _resampled(batch: Batch, use: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, ...]:
    spectra = np.empty((0, len(grid)), np.float32)
    if use.any():
        spectra = bin_average(batch.wavelength, batch.spectra[use], grid).astype(np.float32)
    texts = (np.broadcast_to(text, len(use))[use] for text in (batch.imf, batch.isochrone))
    return (spectra, np.log10(batch.age[use]), np.round(batch.metallicity[use], 4), *texts)
