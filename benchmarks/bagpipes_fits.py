"""Galaxies that Bagpipes makes, and what it finds of them."""

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from bagpipes_tabulated import Tabulated

from sspexplorer.bands import load_bands
from sspexplorer.galaxies.derived import LEAST_LOG_SSFR, u_minus_r
from sspexplorer.histories.means import Means, brightness
from sspexplorer.masses import MASS_AS_CHABRIER
from sspexplorer.noise import NoiseModel

QUANTITIES = {
    "log_age": "log age, by light (dex)",
    "mass_log_mean_age": "log mean age, by mass (dex)",
    "metallicity": "[M/H], by light (dex)",
    "av": "A_V (mag)",
    "u_r": "rest-frame u − r (mag)",
    "log_mass": "log mass in stars (dex)",
    "log_mass_formed": "log mass formed (dex)",
    "log_sfr": "log SFR, 100 Myr (dex)",
}
LEVELS = (0.16, 0.5, 0.84)
HISTORIES = ("delayed", "dblplaw")
REDSHIFTS, MAGNITUDES = (0.02, 0.8), (18.0, 21.0)
# λ/Δλ of spectra before they are seen through the bands. With 300 narrow bands are off by 0.7 %
# (rms, beside 4000); with the 100 that Bagpipes has unless told, by 2.4 %.
RESOLUTION = 300.0
# Of each posterior, whose quantiles are compared; and how many independent ones the sampler is for.
N_DRAWS, N_EFFECTIVE = 400, 1000


def imported():
    """Bagpipes, made to reach redshift 1 with bands as narrow as ours."""
    try:
        import bagpipes
    except ImportError:
        sys.exit("Bagpipes is missing: `pip install bagpipes==1.3.6` brings it (250 MB).")
    bagpipes.config.max_redshift = 1.0
    bagpipes.config.R_phot = RESOLUTION
    return bagpipes


def instructions(bagpipes, history: str, redshift: float) -> dict:
    """What is fitted: priors like those of ``galaxy``, so far as Bagpipes has such.

    Begin of the formation, τ and slopes as in our families; [M/H] even from −1.5 to 0.5; A_V about
    as 0.8 × Beta(1, 2.5) × 4.05; log U even from −4 to −2.
    """
    age = float(np.interp(redshift, bagpipes.utils.z_array, bagpipes.utils.age_at_z))
    times = {
        "delayed": {"age": (0.05, age), "tau": (0.1, 10.0), "tau_prior": "log_10"},
        "dblplaw": {
            "tau": (0.1, 1.08 * age),
            **{name: (0.1, 1000.0) for name in ("alpha", "beta")},
            **{f"{name}_prior": "log_10" for name in ("alpha", "beta")},
        },
    }[history]
    stars = {"massformed": (6.0, 13.0), "metallicity": (10**-1.5, 10**0.5)}
    dust = {"type": "Calzetti", "eta": 1.0, "Av": (0.0, 6.0)}
    return {
        "redshift": redshift,
        "t_bc": 0.01,
        history: times | stars | {"metallicity_prior": "log_10"},
        "dust": dust | {"Av_prior": "exponential", "Av_prior_scale": 0.9},
        "nebular": {"logU": (-4.0, -2.0)},
    }


def derived(bagpipes, model) -> dict[str, float]:
    """All of :data:`QUANTITIES` of a model of Bagpipes', defined as we do."""
    history, config = model.sfh, bagpipes.config
    masses = history.ceh.grid  # of SSPs, each row of one metallicity
    light = masses * brightness(np.moveaxis(model.stellar.grid, 0, -1), model.wavelengths)
    axes = np.log10(config.age_sampling), np.log10(config.metallicities)[:, None]
    log_age, metals = (one.ravel() for one in np.broadcast_arrays(*axes))
    by_light, by_mass = (
        Means.of(weight.reshape(1, -1), log_age, metals) for weight in (light, masses)
    )
    to_chabrier = np.log10(MASS_AS_CHABRIER["Kroupa"])
    least = history.stellar_mass + LEAST_LOG_SSFR
    with np.errstate(divide="ignore"):
        rate = max(np.log10(history.sfr), least)
    return {
        "log_age": float(by_light.log_age[0]),
        "mass_log_mean_age": float(by_mass.log_mean_age[0]),
        "metallicity": float(by_light.metallicity[0]),
        "av": float(model.model_comp["dust"]["Av"]),
        "u_r": float(u_minus_r(model.spectrum_full[None], model.wavelengths)[0]),
        "log_mass": float(history.stellar_mass + to_chabrier),
        "log_mass_formed": float(history.formed_mass + to_chabrier),
        "log_sfr": float(rate + to_chabrier),
    }


def galaxy_of(bagpipes, name: str, flux: np.ndarray, error: np.ndarray, curves: list[str]):
    """Photometry in µJy as Bagpipes takes it."""
    return bagpipes.galaxy(
        name,
        lambda _: np.stack([flux, error], axis=1),
        spectrum_exists=False,
        filt_list=curves,
        out_units="mujy",
    )


def made(bagpipes, number: int, seed: int, curves: list[str]) -> list[dict]:
    """Galaxies drawn from the priors of Bagpipes' fit, with noise."""
    from bagpipes.fitting.fitted_model import fitted_model

    rng = np.random.default_rng(seed)
    redshifts = np.round(np.linspace(*REDSHIFTS, number), 3).tolist()
    magnitudes = rng.permutation(np.linspace(*MAGNITUDES, number)).tolist()
    found, none = [], np.ones(len(curves))
    for index, (redshift, magnitude) in enumerate(zip(redshifts, magnitudes, strict=True)):
        history = HISTORIES[index % len(HISTORIES)]
        told = instructions(bagpipes, history, redshift)
        fitted = fitted_model(galaxy_of(bagpipes, f"mock-{index}", none, none, curves), told)
        mass = fitted.params.index(f"{history}:massformed")
        likelihood = -np.inf
        while not likelihood > -1e90:
            values = fitted.prior.transform(rng.uniform(size=fitted.ndim))
            values[mass] = 10.0
            likelihood = fitted.lnlike(values)
        seen = -2.5 * np.log10(fitted.model_galaxy.photometry[-1]) + 23.9
        values[mass] += 0.4 * (seen - magnitude)
        fitted.lnlike(values)
        flux, error = NoiseModel.default().add(fitted.model_galaxy.photometry, magnitude, rng)
        found.append(
            {
                "history": history,
                "redshift": redshift,
                "magnitude": magnitude,
                "flux": flux.tolist(),
                "error": error.tolist(),
                "truth": derived(bagpipes, fitted.model_galaxy),
            }
        )
    return found


def instance(bagpipes, mock: Mapping, curves: list[str]):
    """A galaxy as Bagpipes takes it, what it is fitted with, and the fitted model."""
    from bagpipes.fitting.fitted_model import fitted_model

    flux, error = np.array(mock["flux"]), np.array(mock["error"])
    galaxy = galaxy_of(bagpipes, "galaxy", flux, error, curves)
    told = instructions(bagpipes, mock["history"], mock["redshift"])
    return galaxy, told, fitted_model(galaxy, told)


def quantiles_of(bagpipes, fitted, draws: np.ndarray) -> dict[str, list[float]]:
    """Quantiles of :data:`QUANTITIES` by draws of parameters (n, n_dim)."""
    found = []
    for values in draws:
        fitted.lnlike(values)
        found.append(derived(bagpipes, fitted.model_galaxy))
    return {k: list(v) for k, v in pd.DataFrame(found).quantile(list(LEVELS)).items()}


def sampled(bagpipes, asked: Mapping, covariance: np.ndarray, curves: list[str]) -> dict:
    """Posterior by Bagpipes' likelihood, tabulated, and its sampler; with relative errors shared.

    Of each quantity the quantiles, and how far the table is from Bagpipes' own photometry.
    """
    from nautilus import Sampler

    mock, rng = asked["mock"], np.random.default_rng(0)
    flux, error = np.array(mock["flux"]), np.array(mock["error"])
    inverse = np.linalg.inv(np.diag(error**2) + np.outer(flux, flux) * covariance)
    _, _, fitted = instance(bagpipes, mock, curves)
    fitted.lnlike(fitted.prior.transform(np.full(fitted.ndim, 0.5)))
    likelihood = Tabulated(bagpipes, fitted, mock["history"], inverse)
    sampler = Sampler(
        likelihood.prior,
        likelihood,
        n_dim=fitted.ndim,
        n_live=asked["n_live"],
        n_networks=1,
        vectorized=True,
        pass_dict=False,
        seed=0,
    )
    sampler.run(n_eff=N_EFFECTIVE)
    points, log_weight, _ = sampler.posterior()
    draws = rng.choice(points, N_DRAWS, p=np.exp(log_weight - np.logaddexp.reduce(log_weight)))
    found = quantiles_of(bagpipes, fitted, draws)
    own = fitted.model_galaxy.photometry
    off = np.abs(likelihood.photometry(draws[-1:])[0] / own - 1).max()
    return {"quantiles": found, "table": float(off), "calls": int(sampler.n_like)}


def as_it_comes(bagpipes, asked: Mapping, curves: list[str]) -> dict:
    """Posterior by Bagpipes alone, with 400 live points, and the seconds that it takes."""
    galaxy, told, fitted = instance(bagpipes, asked["mock"], curves)
    fit = bagpipes.fit(galaxy, told, n_posterior=N_DRAWS)
    begun = time.process_time()
    fit.fit(n_live=400, sampler="nautilus", use_MPI=False)
    seconds = time.process_time() - begun
    # They come in the order of the sampler's shells.
    draws = np.random.default_rng(0).permutation(fit.results["samples2d"])[:N_DRAWS]
    return {"seconds": seconds, "quantiles": quantiles_of(bagpipes, fitted, draws)}


@contextlib.contextmanager
def at_work():
    """Bagpipes, and files of our bands' curves, in a folder that is gone afterwards."""
    # Bagpipes writes into the folder that it was imported in.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        curves = []
        for name, curve in zip(load_bands().names, load_bands().curves, strict=True):
            np.savetxt(f"{name}.dat", np.stack(curve, axis=1))
            curves.append(f"{name}.dat")
        yield imported(), curves


def kept(file: Path, asked: Mapping, fit: Callable[[], dict]) -> dict:
    """What a fit found, read again if it was done before."""
    if file.is_file():
        known = json.loads(file.read_text())
        if known["asked"] == asked:
            return known["found"]
    found = fit()
    file.write_text(json.dumps({"asked": asked, "found": found}))
    return found


def fit_of(
    bagpipes, keep: Path, index: int, run: str, asked: dict, covariance: np.ndarray, curves: list
) -> dict:
    """One fit of one run."""
    file = keep / f"{run}-{index}.json"
    if run == "alone":
        return kept(file, asked, lambda: as_it_comes(bagpipes, asked, curves))
    if run == "own":
        covariance = np.zeros_like(covariance)
    asked = asked | {"doubts": round(float(np.trace(covariance)), 6)}
    return kept(file, asked, lambda: sampled(bagpipes, asked, covariance, curves))
