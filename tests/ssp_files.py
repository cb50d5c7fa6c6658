"""Files in the layouts of the libraries' authors, written from arrays."""

from pathlib import Path

import numpy as np
from astropy.io import fits


def write_emiles(
    folder: Path,
    imf: str,
    isochrone: str,
    ages: np.ndarray,
    metallicities: np.ndarray,
    spectra: np.ndarray,
    start: float = 1680.2,
    step: float = 0.9,
) -> list[Path]:
    """Official E-MILES FITS files; ``spectra`` is (n_metallicity, n_age, n_wave), ages in Gyr."""
    paths = []
    for metallicity, row in zip(metallicities, spectra, strict=True):
        for age, spectrum in zip(ages, row, strict=True):
            sign = "m" if metallicity < 0 else "p"
            name = f"E{imf}Z{sign}{abs(metallicity):.2f}T{age:07.4f}_i{isochrone}p0.00_baseFe.fits"
            hdu = fits.PrimaryHDU(np.asarray(spectrum, np.float32))
            hdu.header["CRVAL1"], hdu.header["CDELT1"], hdu.header["CRPIX1"] = start, step, 1.0
            hdu.writeto(folder / name)
            paths.append(folder / name)
    return paths
