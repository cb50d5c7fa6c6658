"""XSL's single stellar populations, from the FITS files of the XSL team.

1-D images in two styles of names, for two sets of isochrones, each with the IMFs of Kroupa and
Salpeter: 2 × (390 + 162) = 1104 SSPs. The wavelength of pixel i, from 0, is
10^(CRVAL1 + i · CDELT1) nm, as the XSL website says. Whether in air or vacuum it does not say, and
it matters little: taking one for the other shifts a spectrum by 1 to 3 Å, and moves no band of our
E-MILES by more than 0.007 mag. Flux in erg/s/cm²/Å at 10 pc becomes L_sun/Å per solar mass with the
constants of the same page.

Padova00 files give Z: [M/H] = log10(Z / 0.019), as Girardi et al. (2000) have it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.libraries.readers.contents import Batch, Contents
from sspexplorer.libraries.readers.files import find, read_image
from sspexplorer.libraries.readers.resampling import counted

SOLAR_Z = 0.019
EXAMPLE = "XSL_SSP_logT10.0_MH-0.2_Kroupa_PC.fits or XSL_SSP_T1.00e+10_Z0.019_Kroupa_P00.fits"
_IMF = r"(?P<imf>Kroupa|Salpeter)"
PARSEC = re.compile(rf"XSL_SSP_logT(?P<log_age>\d+\.\d+)_MH(?P<mh>[+-]?\d+\.\d+)_{_IMF}_PC\.fits")
PADOVA = re.compile(rf"XSL_SSP_T(?P<age>\d\.\d+e\+?\d+)_Z(?P<z>\d\.\d+)_{_IMF}_P00\.fits")
_ANY = re.compile(r"XSL_SSP_\w*[\w.+-]*\.fits", re.IGNORECASE)
N_FULL = {"PARSEC": 390, "Padova00": 162}
TO_SOLAR = {"Kroupa": 5567946.09, "Salpeter": 9799552.50}


def read(path: Path) -> Contents:
    """Contents of a folder of XSL's FITS files, or of one.

    Raises
    ------
    InputError
        If nothing at ``path`` is named as these files are.
    """
    files = {file.name: file for file in find(path, _ANY, EXAMPLE)}
    known = {file: parsed for name, file in files.items() if (parsed := _parse(name))}
    if not known:
        raise InputError(f"{path} holds no file with a name like {EXAMPLE}.")
    left_out = []
    if len(known) < len(files):
        unknown = ", ".join(name for name, file in files.items() if file not in known)
        n = len(files) - len(known)
        has = "has a name" if n == 1 else "have names"
        left_out.append(f"{counted(n, 'file')} {has} not understood: {unknown}.")
    counts = Counter((isochrone, imf) for _, _, imf, isochrone in known.values())
    there = [f"{n} of {N_FULL[iso]} with {imf} on {iso}" for (iso, imf), n in counts.items()]
    full = sum(N_FULL.values()) * len(TO_SOLAR)
    if len(known) < full:
        left_out.append(f"Not all of the paper's {full} SSPs were there: {', '.join(there)}.")
    source = f"{len(known)} FITS files of the XSL team"
    return Contents(
        _batches(known), len(known), tuple(left_out), {"provenance": {"source": source}}
    )


def _parse(name: str) -> tuple[float, float, str, str] | None:
    """Age (yr), [M/H] (dex), IMF and isochrones that a file's name says, or None."""
    if match := PARSEC.fullmatch(name):
        return 10 ** float(match["log_age"]), float(match["mh"]), match["imf"], "PARSEC"
    if match := PADOVA.fullmatch(name):
        metallicity = np.log10(float(match["z"]) / SOLAR_Z)
        return float(match["age"]), metallicity, match["imf"], "Padova00"
    return None


def _batches(known: dict[Path, tuple]) -> Iterator[Batch]:
    for file, (age, metallicity, imf, isochrone) in known.items():
        header, flux = read_image(file)
        first, step = header["CRVAL1"], header["CDELT1"]
        if not (2 < first < 4 and 0 < step < 0.01):
            raise InputError(f"{file}: CRVAL1 and CDELT1 are not those of log10 of nm.")
        yield Batch(
            file.name,
            10 ** (first + step * np.arange(len(flux)) + 1),
            flux[None, :] * TO_SOLAR[imf],
            np.array([age]),
            np.array([metallicity]),
            imf,
            isochrone,
        )
