"""Files in the layouts of the libraries' authors, written from arrays."""

from pathlib import Path

import h5py
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


def write_emiles_hdf5(path: Path, wavelength: np.ndarray, rows: list[dict]) -> None:
    """The MILES group's HDF5; each row has isochrone, imf_type, imf_slope, age, met, spectrum."""
    with h5py.File(path, "w") as file:
        file["wave"] = wavelength
        for key in ("imf_slope", "age", "met"):
            file[key] = np.array([row[key] for row in rows])
        for key in ("isochrone", "imf_type"):
            file[key] = np.array([row[key] for row in rows], dtype="S2")
        sets = sorted({(row["isochrone"], row["imf_type"]) for row in rows})
        for key in sets:
            spectra = [r["spectrum"] for r in rows if (r["isochrone"], r["imf_type"]) == key]
            file["spec/{}/{}/data".format(*key)] = np.array(spectra, np.float32).T


def write_cb19(
    folder: Path, z: str, wavelength: np.ndarray, ages: np.ndarray, spectra: np.ndarray
) -> Path:
    """A CB19 file; ``spectra`` is (n_age, n_wave), ages in years."""
    columns = [fits.Column("Wavelength", "E", array=wavelength)]
    columns += [fits.Column(f"t{k}", "E", array=row) for k, row in enumerate(spectra)]
    spectrum = fits.BinTableHDU.from_columns(columns)
    other = [fits.BinTableHDU.from_columns([fits.Column("x", "E", array=[0.0])]) for _ in range(3)]
    last = fits.BinTableHDU.from_columns([fits.Column("age-yr", "E", array=ages)])
    path = folder / f"cb2019_z{z}_chab_hr_xmilesi_ssp.fits"
    fits.HDUList([fits.PrimaryHDU(), spectrum, *other, last]).writeto(path)
    return path


def write_xsl(path: Path, log_start: float, log_step: float, spectrum: np.ndarray) -> None:
    """A file of the XSL team: log10 of wavelength in nm, flux in erg/s/cm²/Å at 10 pc."""
    hdu = fits.PrimaryHDU(np.asarray(spectrum, np.float32))
    hdu.header["CRVAL1"], hdu.header["CDELT1"], hdu.header["CRPIX1"] = log_start, log_step, 0.0
    hdu.writeto(path)


def write_ppxf(
    path: Path, wavelength: np.ndarray, ages: np.ndarray, metals: np.ndarray, templates: np.ndarray
) -> None:
    """An archive of pPXF; ``templates`` is (n_wave, n_age, n_metal), ages in Gyr."""
    np.savez_compressed(
        path,
        templates=np.asarray(templates, np.float32),
        masses=np.ones((len(ages), len(metals))),
        lam=wavelength,
        ages=ages,
        metals=metals,
        fwhm=np.full(len(wavelength), 2.5),
    )
