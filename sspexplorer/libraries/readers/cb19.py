"""CB19, the 2019 version of Bruzual & Charlot's models with PARSEC isochrones and MILES.

One FITS file for each of 15 metallicities. HDU 1 is a table whose first column is ``Wavelength``
(Å) and whose others are spectra (L_sun/Å), one for each age; HDU 5 has these ages, ``age-yr``: 221
of them, the first 0. The number after ``_z`` in a file's name is what follows the decimal point of
Z, and [M/H] = log10(Z / 0.017): Z_sun = 0.017 is that of the models' solar file (Plat et al. 2019,
MNRAS 490, 978), and gives the paper's range, −2.23 to +0.54 (Sect. 2.1.2).
"""

import re
from pathlib import Path

import numpy as np

from sspexplorer.errors import InputError
from sspexplorer.libraries.readers.contents import Batch, Contents
from sspexplorer.libraries.readers.files import find, open_fits
from sspexplorer.libraries.readers.resampling import near_grid
from sspexplorer.libraries.readers.sources import CB19_Z

SOLAR_Z = 0.017
EXAMPLE = "cb2019_z017_chab_hr_xmilesi_ssp.fits"
NAME = re.compile(r"cb2019_z(?P<z>\d+)_chab_hr_xmilesi_ssp\.fits(\.gz)?")


def read(path: Path) -> Contents:
    """Contents of a folder with the 15 files.

    Raises
    ------
    InputError
        If nothing at ``path`` is named as these files are, or metallicities are missing.
    """
    found = ((NAME.fullmatch(file.name), file) for file in find(path, NAME, EXAMPLE))
    files = {match["z"]: file for match, file in found if match}
    missing = [z for z in CB19_Z if z not in files]
    if missing:
        names = ", ".join(f"cb2019_z{z}_chab_hr_xmilesi_ssp.fits" for z in missing)
        raise InputError(f"{path} lacks metallicities of CB19: {names}.")
    return Contents(
        (_batch(files[z], float(f"0.{z}")) for z in CB19_Z),
        len(CB19_Z),
        texts={"provenance": {"source": f"{len(CB19_Z)} FITS files, {EXAMPLE} and so on"}},
    )


def _batch(path: Path, z: float) -> Batch:
    with open_fits(path) as hdus:
        table, ages = hdus[1].data, hdus[5].data["age-yr"].astype(float)
        columns = [name for name in table.columns.names if name != "Wavelength"]
        if len(columns) != len(ages):
            raise InputError(f"{path} has {len(columns)} spectra and {len(ages)} ages.")
        wavelength = table["Wavelength"].astype(float)
        near = slice(*np.searchsorted(wavelength, near_grid()))
        spectra = np.array([table[name][near] for name in columns], dtype=float)
    metallicity = np.full(len(ages), np.log10(z / SOLAR_Z))
    return Batch(path.name, wavelength[near], spectra, ages, metallicity, "Chabrier", "PARSEC")
