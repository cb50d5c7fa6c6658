"""What a reader hands on: batches of spectra as published, before they are resampled."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Spectra that share one wavelength scale.

    Attributes
    ----------
    label : str
        The file they come from, for progress and for errors.
    wavelength : ndarray, shape (n,)
        Rest-frame wavelength in Å, increasing.
    spectra : ndarray, shape (n_ssp, n)
        F_λ.
    age : ndarray, shape (n_ssp,)
        Age in years.
    metallicity : ndarray, shape (n_ssp,)
        [M/H] in dex.
    imf, isochrone : str or ndarray of str, shape (n_ssp,)
        One for all, or one for each.
    """

    label: str
    wavelength: np.ndarray
    spectra: np.ndarray
    age: np.ndarray
    metallicity: np.ndarray
    imf: str | np.ndarray
    isochrone: str | np.ndarray


@dataclass(frozen=True)
class Contents:
    """What was found at a path.

    Attributes
    ----------
    batches : iterator of Batch
        Read as it is walked, once.
    n_batches : int
        How many there will be.
    left_out : tuple of str
        One sentence for each group of files or SSPs that is not read, with the reason.
    texts : dict
        ``title``, ``citation``, ``terms`` or ``provenance`` where the files themselves say them.
    """

    batches: Iterator[Batch]
    n_batches: int
    left_out: tuple[str, ...] = ()
    texts: dict = field(default_factory=dict)
