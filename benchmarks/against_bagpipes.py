"""A posterior model against Bagpipes, a nested sampler, on galaxies that Bagpipes made.

    python benchmarks/against_bagpipes.py [--folder MODEL] [--keep FOLDER] [--doubts] [--docs]

Twenty galaxies at z = 0.02 to 0.8 and i = 18 to 21: Bagpipes' BC03, delayed and double-power-law
histories, Calzetti dust, gas, and noise of the survey. Bagpipes fits each with the history and the
laws that made it; its priors are as like those of the model as it has them. With ``--doubts`` it
fits each third again with what the training of the model doubts: zero points and stars. A fit takes
minutes: those in the folder of ``--keep`` are not done again. ``--docs`` writes the tables into
docs/comparison.md.

Bagpipes is no dependency of ours, as its grids are 250 MB: ``pip install bagpipes==1.3.6``.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
import time
import types
from collections.abc import Mapping
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch

from sspexplorer.bands import load_bands
from sspexplorer.constants import MAG_TO_RELATIVE
from sspexplorer.galaxies.derived import LEAST_LOG_SSFR, u_minus_r
from sspexplorer.histories.means import Means, brightness
from sspexplorer.labels import minus
from sspexplorer.masses import MASS_AS_CHABRIER, Cosmology
from sspexplorer.models import load_model, predict_rows
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.observing import Observing
from sspexplorer.posterior.taken import Choices

PAGE = Path(__file__).resolve().parents[1] / "docs" / "comparison.md"
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
RUNS = {
    "own": "Bagpipes sure of its stars and zero points",
    "doubts": "Bagpipes with the doubts of `galaxy`",
}
LEVELS = (0.16, 0.5, 0.84)
HISTORIES = ("delayed", "dblplaw")
REDSHIFTS, MAGNITUDES = (0.02, 0.8), (18.0, 21.0)
# Bagpipes' own (utils.py), and its AB flux unit in erg s⁻¹ cm⁻² Hz⁻¹.
COSMOLOGY, MICROJANSKY = Cosmology(70.0, 0.3), 1e-29
# λ/Δλ of spectra before they are seen through the bands. With 300 narrow bands are off by 0.7 %
# (rms, beside 4000); with the 100 that Bagpipes has unless told, by 2.4 %.
RESOLUTION = 300.0
N_NETWORKS = 1  # of the sampler: in place of four, less time for the same posterior
N_DRAWS = 400  # of each posterior, whose quantiles are compared
SOME = 3  # each third galaxy is fitted again, with doubts
_TIMED_ROWS = 2000


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


def doubts_of(estimator: Estimator) -> np.ndarray:
    """Covariance (57, 57) of what the training of a model has the logs of fluxes off by."""
    observer = Observing.of(estimator.card).observer(1, estimator.model.reach)
    return np.cov(MAG_TO_RELATIVE * observer.off(64_000).numpy().T)


def doubting(fitted, covariance: np.ndarray) -> None:
    """Have a fit of Bagpipes' weigh photometry with relative errors that bands share."""
    flux, error = fitted.galaxy.photometry[:, 1], fitted.galaxy.photometry[:, 2]
    inverse = np.linalg.inv(np.diag(error**2) + np.outer(flux, flux) * covariance)

    def likelihood(self) -> float:
        off = self.galaxy.photometry[:, 1] - self.model_galaxy.photometry
        self.chisq_phot = off @ inverse @ off
        return -0.5 * self.chisq_phot

    fitted._lnlike_phot = types.MethodType(likelihood, fitted)


def fitted_by_bagpipes(
    bagpipes, name: str, asked: Mapping, run: str, covariance: np.ndarray, curves: list[str]
) -> dict:
    """Quantiles of :data:`QUANTITIES`, and how long they took."""
    mock = asked["mock"]
    flux, error = np.array(mock["flux"]), np.array(mock["error"])
    galaxy = galaxy_of(bagpipes, name, flux, error, curves)
    told = instructions(bagpipes, mock["history"], mock["redshift"])
    fit = bagpipes.fit(galaxy, told, run=run, n_posterior=N_DRAWS)
    if run != "own":
        doubting(fit.fitted_model, covariance)
    begun = time.process_time()
    fit.fit(n_live=asked["n_live"], n_networks=N_NETWORKS, sampler="nautilus", use_MPI=False)
    seconds = time.process_time() - begun
    rng, samples = np.random.default_rng(0), fit.results["samples2d"]
    draws = []
    for values in samples[rng.permutation(len(samples))[:N_DRAWS]]:
        fit.fitted_model.lnlike(values)
        draws.append(derived(bagpipes, fit.fitted_model.model_galaxy))
    quantiles = pd.DataFrame(draws).quantile(list(LEVELS))
    return {"seconds": seconds, "quantiles": {k: list(v) for k, v in quantiles.items()}}


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


def kept(
    bagpipes, keep: Path, index: int, asked: dict, run: str, covariance: np.ndarray, curves: list
) -> dict:
    """A fit, read again if it was done before."""
    file = keep / f"{run}-{index}.json"
    if run != "own":
        asked = asked | {"doubts": round(float(np.trace(covariance)), 6)}
    if file.is_file():
        known = json.loads(file.read_text())
        if known["asked"] == asked:
            return known["fit"]
    fit = fitted_by_bagpipes(bagpipes, f"{run}-{index}", asked, run, covariance, curves)
    file.write_text(json.dumps({"asked": asked, "fit": fit}))
    return fit


def ours(estimator: Estimator, mocks: list) -> tuple[dict[str, np.ndarray], pd.DataFrame, float]:
    """Quantiles (n, 3) of :data:`QUANTITIES`, the whole table, and seconds for a galaxy."""
    flux, error = (MICROJANSKY * np.array([m[k] for m in mocks]) for k in ("flux", "error"))
    redshift = np.array([mock["redshift"] for mock in mocks])
    choices = Choices(floor=0.0, cosmology=COSMOLOGY)

    def predicted(times: int) -> pd.DataFrame:
        many = [np.concatenate([one] * times) for one in (flux, error, redshift)]
        return predict_rows(estimator, *many, absolute=True, choices=choices).table

    table, times = predicted(1), -(-_TIMED_ROWS // len(mocks))
    begun = time.process_time()
    predicted(times)
    seconds = (time.process_time() - begun) / (times * len(mocks))
    labels = [f"p{100 * level:.0f}" for level in LEVELS]
    found = {q: table[[f"pred_{q}_{label}" for label in labels]].to_numpy() for q in QUANTITIES}
    return found, table, seconds


def compared(mocks: list, fits: list, own: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What the table says of each quantity."""
    rows = {}
    for name in QUANTITIES:
        theirs = np.array([fit["quantiles"][name] for fit in fits])
        true = np.array([mock["truth"][name] for mock in mocks])
        known = np.isfinite(own[name][:, 1])
        a, b, true = own[name][known], theirs[known], true[known]
        width_a, width_b = ((one[:, 2] - one[:, 0]) / 2 for one in (a, b))
        off = a[:, 1] - b[:, 1]
        pull = np.abs(off) / np.hypot(width_a, width_b)
        row = {"n": int(known.sum()), "difference": np.median(off)}
        row |= {f"within {k}": np.mean(pull < k) for k in (1, 2)}
        row["ratio"] = np.median(width_a / width_b)
        for who, one in (("ours", a), ("theirs", b)):
            row[f"scatter {who}"] = 1.4826 * np.median(np.abs(one[:, 1] - true))
            row[f"width {who}"] = np.median((one[:, 2] - one[:, 0]) / 2)
            row[f"covered {who}"] = np.mean((one[:, 0] <= true) & (true <= one[:, 2]))
        rows[name] = row
    return pd.DataFrame(rows).T


def table_of(found: pd.DataFrame) -> str:
    """Markdown of :func:`compared`."""
    head = (
        "| | median difference | < 1σ, < 2σ | widths: `galaxy`, Bagpipes | ratio of widths "
        "| off the truth: `galaxy`, Bagpipes | truths in 68 %: `galaxy`, Bagpipes |"
    )
    rows = [head, "|---|---|---|---|---|---|---|"]
    for name, title in QUANTITIES.items():
        r = found.loc[name]
        few = f", {r['n']:.0f} of them" if r["n"] < found["n"].max() else ""
        rows.append(
            f"| {title}{few} | {r['difference']:+.3f} | {r['within 1']:.0%}, {r['within 2']:.0%} "
            f"| {r['width ours']:.3f}, {r['width theirs']:.3f} | {r['ratio']:.2f} "
            f"| {r['scatter ours']:.3f}, {r['scatter theirs']:.3f} "
            f"| {r['covered ours']:.0%}, {r['covered theirs']:.0%} |"
        )
    return minus("\n".join(rows))


def ratios_of(found: Mapping[str, pd.DataFrame]) -> str:
    """Markdown of the ratios of widths of several runs."""
    rows = ["| ratio of widths | " + " | ".join(RUNS[run] for run in found) + " |"]
    rows.append("|---|" + "---|" * len(found))
    for name, title in QUANTITIES.items():
        cells = (f"{of.loc[name, 'ratio']:.2f}" for of in found.values())
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(rows)


def limits_of(mocks: list, table: pd.DataFrame) -> str:
    """A sentence on rates that are no more than upper limits."""
    limits = table["pred_log_sfr_p50"].isna().to_numpy()
    true = np.array([mock["truth"]["log_sfr"] for mock in mocks])
    held = (true <= table["pred_log_sfr"].to_numpy())[limits].sum()
    return (
        f"The star-formation rates of {limits.sum()} galaxies that may form no stars are upper "
        f"limits of 95 % (`star-formation-limit`), and left out; the truth is below {held} of them."
    )


def _thousands(number: float) -> str:
    """A number in two digits, its thousands apart."""
    return f"{float(f'{number:.2g}'):,.0f}".replace(",", " ")


def report(mocks: list, fits: Mapping[str, list], estimator: Estimator) -> str:
    """All that goes into the documentation."""
    own, table, seconds = ours(estimator, mocks)
    asked = [fit["seconds"] for fit in fits["own"]]
    unlike = table["pred_flag"].str.contains("unlike-training").sum()
    parts = [
        f"{len(mocks)} galaxies. Time for each, on one core: `galaxy` {1e3 * seconds:.1f} ms, "
        f"Bagpipes {np.median(asked):.0f} s ({min(asked):.0f} to {max(asked):.0f}), "
        f"{_thousands(np.median(asked) / seconds)} times as long.",
        table_of(compared(mocks, fits["own"], own)),
        f"{limits_of(mocks, table)} As unlike the training `galaxy` flags {unlike} of them.",
    ]
    if "doubts" in fits:
        some = {name: values[::SOME] for name, values in own.items()}
        few = {"own": fits["own"][::SOME], "doubts": fits["doubts"]}
        found = {run: compared(mocks[::SOME], of, some) for run, of in few.items()}
        parts += [f"{len(few['own'])} of them were fitted in two ways:", ratios_of(found)]
    return "\n\n".join(parts)


def filled(page: str, text: str) -> str:
    """Page with a text between the marks of this benchmark."""
    begin, end = "<!-- bagpipes:begin -->", "<!-- bagpipes:end -->"
    before, first, rest = page.partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last):
        sys.exit(f"{PAGE.name} has lost its marks {begin} and {end}.")
    return f"{before}{begin}\n{text}\n{end}{after}"


def main() -> None:
    """Measure, print and, if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", default="galaxy", help="name or folder of the model")
    parser.add_argument("--keep", type=Path, default=Path("bagpipes_fits"), help="of the fits")
    parser.add_argument("--doubts", action="store_true", help="fit some with doubts as well")
    parser.add_argument("--live", type=int, default=200, help="live points of the sampler")
    parser.add_argument("--galaxies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--docs", action="store_true", help="write docs/comparison.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    estimator = load_model(options.folder)
    covariance, keep = doubts_of(estimator), options.keep.resolve()
    keep.mkdir(parents=True, exist_ok=True)
    fits: dict[str, list] = {run: [] for run in RUNS if run == "own" or options.doubts}
    with at_work() as (bagpipes, curves):
        mocks = made(bagpipes, options.galaxies, options.seed, curves)
        for run in fits:
            for index in range(0, len(mocks), 1 if run == "own" else SOME):
                asked = {"mock": mocks[index], "n_live": options.live, "resolution": RESOLUTION}
                fits[run].append(kept(bagpipes, keep, index, asked, run, covariance, curves))
    text = report(mocks, fits, estimator)
    print(text)
    if options.docs:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
