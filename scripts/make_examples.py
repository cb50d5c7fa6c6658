"""Make the example catalogues in data/examples/.

    python scripts/make_examples.py [--packages DIR]

``simulated_galaxies.csv``: composite populations from BC03 spectra, with noise and with the gaps
of a real survey; their true values stand in columns ``sim_*``. ``simulated_far_galaxies.csv``: the
same of populations to redshift 1, held out from the prior of ``galaxy``. ``real_galaxies.csv``:
three galaxies whose SDSS spectra come with the ppxf 8.2.6 sdist, shifted to rest and put through
the bands that they cover.
"""

import argparse
import io
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from astropy.io import fits
from packages import PACKAGES, fetch

from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.constants import SPEED_OF_LIGHT
from sspexplorer.galaxies import EVEN, GalaxyPrior
from sspexplorer.histories import compose
from sspexplorer.libraries import load_library
from sspexplorer.libraries.readers.resampling import in_air
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import synthesize
from sspexplorer.posterior.physical import Light, log_luminosity
from sspexplorer.resources import data_path

N_SIMULATED, N_FAR = 200, 200
NEAREST = 0.02  # redshift of the far ones
LOSSES = [0.7, 0.25, 0.05]  # how often no, 3 % or 30 % of the bands are lost
SEED = 57
GALAXIES = {
    "NGC 3073": "NGC3073_SDSS_DR8.fits",
    "NGC 3522": "NGC3522_SDSS_DR8.fits",
    "NGC 4636": "NGC4636_SDSS_DR12.fits",
}
AB_ZERO = 3.631e-20  # erg/s/cm2/Hz


def delayed(age: float, timescale: float):
    """Star-formation rate ∝ t exp(−t/τ), begun ``age`` years ago."""

    def rate(lookback: np.ndarray) -> np.ndarray:
        time = np.clip(age - lookback, 0, None)
        return time * np.exp(-time / timescale)

    return rate


def simulate() -> pd.DataFrame:
    """Galaxies with delayed histories; more massive ones older and richer in metals."""
    rng = np.random.default_rng(SEED)
    library, noise = load_library("bc03"), NoiseModel.default()
    rows = []
    for index in range(N_SIMULATED):
        maturity = rng.beta(1.2, 1.0)
        age = 1e9 * rng.uniform(2 + 6 * maturity, 12)
        timescale = 1e9 * 10 ** rng.normal(0.9 - 1.1 * maturity, 0.2)
        metallicity = rng.choice([-0.699, -0.398, 0.0, 0.398], p=_metal_odds(maturity))
        ebv = float(min(rng.exponential(0.22 - 0.18 * maturity), 0.8))
        magnitude = float(min(22.0, rng.triangular(16.0, 21.5, 22.0)))
        redshift = float(
            rng.choice([rng.uniform(0.001, 0.01), rng.uniform(0.01, 0.03)], p=[0.9, 0.1])
        )
        galaxy = compose(library, delayed(age, timescale), metallicity)
        flux = synthesize(galaxy.spectrum, library.wavelength, ebv, redshift)
        flux *= AB_ZERO * 10 ** (-0.4 * magnitude) / flux[-1]
        noisy, error = noise.add(flux, magnitude, rng)
        gone = rng.random(N_BANDS) < rng.choice([0, 0.03, 0.3], p=LOSSES)
        noisy[gone], error[gone] = np.nan, np.nan
        rows.append(
            {"id": f"SIM-{index + 1:03d}", "redshift": round(redshift, 4)}
            | _columns(noisy, error)
            | {
                "sim_magnitude": round(magnitude, 2),
                "sim_light_log_age": round(galaxy.light_log_age, 3),
                "sim_mass_log_age": round(galaxy.mass_log_age, 3),
                "sim_metallicity": round(galaxy.metallicity, 3),
                "sim_ebv": round(ebv, 3),
            }
        )
    return pd.DataFrame(rows)


def simulate_far() -> pd.DataFrame:
    """Galaxies of the prior to redshift 1, held out of training, with their masses and rates."""
    rng = np.random.default_rng(SEED)
    noise, prior = NoiseModel.default(), GalaxyPrior(max_redshift=1.0, pivot=EVEN)
    drawn = prior.draw(2 * N_FAR, seed=SEED, held_out=True)
    wanted = (drawn.redshift > NEAREST) & np.isfinite(drawn.values(("log_mass_to_light",))[:, 0])
    drawn = drawn.rows(np.flatnonzero(wanted & np.isfinite(drawn.flux[:, -1]))[:N_FAR])
    magnitude = np.round(rng.triangular(17.0, 21.5, 22.5, N_FAR), 2)
    redshift = drawn.redshift.astype(float)
    # Of a library that begins redward of the first bands, these stay missing.
    scale = AB_ZERO * 10 ** (-0.4 * magnitude) / drawn.flux[:, -1]
    noisy, error = noise.add(drawn.flux * scale[:, None].astype(float), magnitude, rng)
    lost = np.array([rng.random(N_BANDS) < p for p in rng.choice([0, 0.03, 0.3], N_FAR, p=LOSSES)])
    noisy[lost], error[lost] = np.nan, np.nan
    error[~np.isfinite(noisy)] = np.nan
    light = Light(-2.5 * np.log10(scale / AB_ZERO), redshift, np.full(N_FAR, np.nan))
    luminosity = log_luminosity(redshift[:, None], light)[:, 0]
    names = ("log_age", "metallicity", "ebv", "log_mass_to_light", "log_ssfr")
    age, metallicity, ebv, ratio, rate = drawn.values(names).astype(float).T
    true = {
        "sim_magnitude": magnitude,
        "sim_log_age": age,
        "sim_metallicity": metallicity,
        "sim_ebv": ebv,
        "sim_log_mass": ratio + luminosity,
        "sim_log_ssfr": rate,
    }
    rows = [
        {"id": f"FAR-{k + 1:03d}", "redshift": round(float(redshift[k]), 4)}
        | _columns(noisy[k], error[k])
        | {name: round(float(values[k]), 3) for name, values in true.items()}
        for k in range(N_FAR)
    ]
    return pd.DataFrame(rows)


def _metal_odds(maturity: float) -> np.ndarray:
    odds = np.exp(-0.5 * ((np.array([0.0, 0.35, 0.75, 1.1]) - maturity) / 0.3) ** 2)
    return odds / odds.sum()


def _columns(flux: np.ndarray, error: np.ndarray) -> dict[str, float]:
    columns = {}
    for name, value, sigma in zip(BAND_NAMES, flux, error, strict=True):
        columns |= {name: value, f"{name}_err": sigma}
    return columns


def rest_spectrum(content: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Rest-frame wavelength in air (Å), F_λ and its σ (erg/s/cm2/Å), and the redshift."""
    with fits.open(io.BytesIO(content)) as hdus:
        table, names = hdus[1].data, hdus[1].columns.names
        legacy = "wavelength" in names
        vacuum = table["wavelength"] if legacy else 10 ** table["loglam"].astype(float)
        weight = table["inverse_variance" if legacy else "ivar"].astype(float)
        redshift = float(hdus[1].header["Z"] if legacy else hdus[2].data["Z"][0])
        flux = table["flux"].astype(float) * 1e-17
    good = weight > 0
    sigma = np.full(len(flux), np.nan)
    sigma[good] = 1e-17 / np.sqrt(weight[good])
    flux = np.interp(vacuum, vacuum[good], flux[good])
    sigma = np.interp(vacuum, vacuum[good], sigma[good])
    return in_air(np.asarray(vacuum, float)) / (1 + redshift), flux, sigma, redshift


def through_bands(
    wavelength: np.ndarray, flux: np.ndarray, sigma: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """F_ν and σ in each band that the spectrum covers whole; NaN in the others."""
    result = np.full((2, N_BANDS), np.nan)
    edges = np.gradient(wavelength)
    for k, (grid, values) in enumerate(load_bands().curves):
        if grid[0] < wavelength[0] or grid[-1] > wavelength[-1]:
            continue
        weight = np.interp(wavelength, grid, values, left=0, right=0) * wavelength * edges
        norm = SPEED_OF_LIGHT * np.sum(weight / wavelength**2)
        result[:, k] = (weight @ flux) / norm, np.sqrt(weight**2 @ sigma**2) / norm
    return result[0], result[1]


def real(sdist: Path) -> pd.DataFrame:
    """Photometry of the three galaxies, at rest."""
    rows = []
    with tarfile.open(sdist) as archive:
        for name, filename in GALAXIES.items():
            member = f"{sdist.name.removesuffix('.tar.gz')}/ppxf/spectra/{filename}"
            wavelength, flux, sigma, z = rest_spectrum(archive.extractfile(member).read())
            columns = _columns(*through_bands(wavelength, flux, sigma))
            rows.append({"name": name, "redshift": 0.0, "redshift_removed": round(z, 5)} | columns)
    return pd.DataFrame(rows)


def main() -> None:
    """Make both catalogues."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, help="folder with (or for) the packages")
    folder = parser.parse_args().packages or Path(tempfile.mkdtemp(prefix="sspexplorer-"))
    folder.mkdir(parents=True, exist_ok=True)
    data_path("examples").mkdir(exist_ok=True)
    catalogues = {
        "simulated_galaxies": simulate(),
        "simulated_far_galaxies": simulate_far(),
        "real_galaxies": real(fetch(PACKAGES["ppxf"], folder)),
    }
    for name, table in catalogues.items():
        table.to_csv(
            data_path("examples", f"{name}.csv"),
            index=False,
            float_format="%.5g",
            lineterminator="\n",
        )
        print(f"{name}: {len(table)} rows, {table[list(BAND_NAMES)].notna().sum().sum()} fluxes")


if __name__ == "__main__":
    main()
