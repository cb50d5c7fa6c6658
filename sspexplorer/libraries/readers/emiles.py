"""E-MILES, all of it: the official FITS files, or the MILES group's HDF5 file.

Both are read for what the paper uses (Sect. 2.1.1): the IMFs of Chabrier, Kroupa (universal) and
unimodal with slope 1.30, isochrones Padova00 (50 ages × 7 [M/H]) and BaSTI (53 × 12): 2958 SSPs.
Wavelengths are in air; as everywhere here they are taken as they are.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.libraries.readers.contents import Batch, Contents
from sspexplorer.libraries.readers.files import find, open_hdf5, read_image
from sspexplorer.libraries.readers.resampling import counted, near_grid

EXAMPLE = "Ech1.30Zp0.06T03.0000_iTp0.00_baseFe.fits"
NAME = re.compile(
    r"E(?P<imf>ch|ku|kb|un|bi)(?P<slope>\d\.\d+)Z(?P<sign>[mp])(?P<metallicity>\d\.\d+)"
    r"T(?P<age>\d+\.\d+)_i(?P<isochrone>[PT])p(?P<alpha>\d\.\d+)_baseFe\w*\.fits(\.gz)?"
)
_FILE = re.compile(rf"{NAME.pattern}|\w*EMILES\w*\.\d+\.(hdf5|h5)", re.IGNORECASE)

IMFS = {"ch": "Chabrier", "ku": "Kroupa", "un": "unimodal 1.30"}
_ALL_IMFS = {**IMFS, "kb": "Kroupa revised", "bi": "bimodal"}
ISOCHRONES = {"P": "Padova00", "T": "BaSTI"}
N_FULL = {"Padova00": 50 * 7, "BaSTI": 53 * 12}
SLOPE = 1.30


def read(path: Path) -> Contents:
    """Contents of a folder of official FITS files, of one such file, or of the HDF5 file.

    Raises
    ------
    InputError
        If nothing at ``path`` is named as these files are, or the HDF5 has another layout.
    """
    files = find(path, _FILE, f"{EXAMPLE} or EMILES_SSP_v9.1.hdf5")
    images = {file: match for file in files if (match := NAME.fullmatch(file.name))}
    return _from_fits(images) if images else _from_hdf5(files[0])


def _from_fits(images: dict[Path, re.Match]) -> Contents:
    chosen, known = [], set()
    others: Counter[str] = Counter()
    for file, match in images.items():
        imf, slope = match["imf"], float(match["slope"])
        if file.name in known:
            others["copies of others"] += 1
        elif imf in IMFS and abs(slope - SLOPE) < 0.005:
            chosen.append((file, match))
        else:
            others[f"{_ALL_IMFS[imf]}, slope {slope:.2f}"] += 1
        known.add(file.name)
    left_out = [
        f"{counted(n, 'file')} not among the paper's ({what})."
        for what, n in sorted(others.items())
    ]
    counts = Counter((IMFS[m["imf"]], ISOCHRONES[m["isochrone"]]) for _, m in chosen)
    return Contents(
        _fits_batches(chosen),
        len(chosen),
        (*left_out, *_incomplete(counts)),
        {"provenance": {"source": f"{len(chosen)} official FITS files"}},
    )


def _fits_batches(chosen: list[tuple[Path, re.Match]]) -> Iterator[Batch]:
    for file, match in chosen:
        header, spectrum = read_image(file)
        metallicity = float(match["metallicity"]) * (1 if match["sign"] == "p" else -1)
        yield Batch(
            file.name,
            header["CRVAL1"] + header["CDELT1"] * np.arange(len(spectrum)),
            spectrum[None, :],
            np.array([float(match["age"]) * 1e9]),
            np.array([metallicity]),
            IMFS[match["imf"]],
            ISOCHRONES[match["isochrone"]],
        )


def _incomplete(counts: Counter) -> list[str]:
    """Sentence that says which of the paper's SSPs are missing, if any are."""
    full = {(imf, isochrone): n for imf in IMFS.values() for isochrone, n in N_FULL.items()}
    if all(counts[key] >= n for key, n in full.items()):
        return []
    there = [
        f"{counts[imf, isochrone]} of {n} with {imf} on {isochrone}"
        for (imf, isochrone), n in full.items()
        if counts[imf, isochrone]
    ]
    return [f"Not all of the paper's {sum(full.values())} SSPs were there: {', '.join(there)}."]


def _from_hdf5(path: Path) -> Contents:
    """Contents of ``EMILES_SSP_v9.1.hdf5``, in the layout that ``milespy`` 1.0 reads.

    ``wave`` (Å); for each SSP ``isochrone``, ``imf_type``, ``imf_slope``, ``age`` (Gyr), ``met``;
    and ``spec/ISOCHRONE/IMF/data``, with one column for each SSP of that isochrone and IMF.
    """
    with open_hdf5(path) as file:
        labels = {key: file[key].asstr()[:] for key in ("isochrone", "imf_type")}
        slopes = file["imf_slope"][:]
        n_wave = len(file["wave"])
    sets, n_other = [], len(slopes)
    for isochrone in ISOCHRONES:
        for imf in IMFS:
            of_set = (labels["isochrone"] == isochrone) & (labels["imf_type"] == imf)
            if of_set.any():
                rows = np.flatnonzero(of_set)
                use = ~(np.abs(slopes[rows] - SLOPE) > 0.005)
                sets.append((isochrone, imf, rows, use))
                n_other -= int(use.sum())
    if not sets:
        raise InputError(f"{path} holds none of the IMFs {', '.join(IMFS)} in imf_type.")
    counts = Counter({(IMFS[imf], ISOCHRONES[i]): int(use.sum()) for i, imf, _, use in sets})
    left_out = [f"{counted(n_other, 'SSP')} whose IMF is not among the paper's."] if n_other else []
    return Contents(
        _hdf5_batches(path, sets, n_wave),
        len(sets),
        (*left_out, *_incomplete(counts)),
        {"provenance": {"source": path.name}},
    )


def _hdf5_batches(path: Path, sets: list[tuple], n_wave: int) -> Iterator[Batch]:
    with open_hdf5(path) as file:
        wavelength = file["wave"][:].astype(float)
        near = slice(*np.searchsorted(wavelength, near_grid()))
        for isochrone, imf, rows, use in sets:
            name = f"spec/{isochrone}/{imf}/data"
            if file[name].shape != (n_wave, len(rows)):
                raise InputError(
                    f"{path}: {name} has shape {file[name].shape}, not ({n_wave}, {len(rows)})."
                )
            yield Batch(
                f"{IMFS[imf]} on {ISOCHRONES[isochrone]}",
                wavelength[near],
                file[name][near][:, use].T.astype(float),
                file["age"][:][rows][use] * 1e9,
                file["met"][:][rows][use],
                IMFS[imf],
                ISOCHRONES[isochrone],
            )
