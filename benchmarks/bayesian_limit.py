"""The least scatter that any estimator can have on the test mocks, beside that of the model.

    python benchmarks/bayesian_limit.py [--mocks N]

Posterior medians of held-out mocks under the true noise, from a grid of every SSP of the three
libraries (those held out included, so this is a bound) times fine steps in E(B−V), under the prior
the model was trained on: E(B−V) even within the cells of the paper's eight values.
"""

import argparse

import numpy as np

from sspexplorer.libraries import load_library
from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import EBV_GRID, PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import synthesize
from sspexplorer.posterior.validation.comparisons import ExactPosterior

STEPS = 5  # values of E(B−V) in each cell of the grid


def model_grid(libraries: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Noise-free SEDs (n, 57) over their median, and their parameters (n, 3)."""
    middles = np.add(EBV_GRID[1:], EBV_GRID[:-1]) / 2
    edges = np.concatenate([EBV_GRID[:1], middles, EBV_GRID[-1:]])
    steps = (np.arange(STEPS) + 0.5) / STEPS
    values = (edges[:-1, None] + np.diff(edges)[:, None] * steps).ravel()
    fluxes, parameters = [], []
    for library in map(load_library, libraries):
        for ebv in values:
            flux = synthesize(library.spectra, library.wavelength, ebv)
            fluxes.append(flux / np.median(flux, axis=1, keepdims=True))
            ebvs = np.full(len(library), ebv)
            parameters.append(np.stack([library.log_age, library.metallicity, ebvs], axis=1))
    return np.concatenate(fluxes), np.concatenate(parameters)


def medians(probability: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Posterior median of each parameter, shape (n, 3)."""
    found = np.empty((len(probability), parameters.shape[1]))
    for k, values in enumerate(parameters.T):
        order = np.argsort(values)
        cumulative = probability[:, order].cumsum(axis=1)
        found[:, k] = values[order][(cumulative < 0.5).sum(axis=1)]
    return found


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mocks", type=int, default=3900, help="how many mocks to take")
    number = parser.parse_args().mocks
    model, noise = load_model("default"), NoiseModel.default()
    test = held_out_mocks(model, "ssp")
    chosen = np.random.default_rng(0).permutation(len(test))[:number]
    test = test.rows(np.isin(np.arange(len(test)), chosen))
    models, parameters = model_grid(model.card["sample"]["libraries"])
    posterior = ExactPosterior(models)
    limit = np.empty((len(test), len(PARAMETERS)))
    magnitude = test.labels["magnitude"].to_numpy()
    for value in np.unique(magnitude):
        sigma = noise.relative_error(value)
        for rows in np.array_split(np.flatnonzero(magnitude == value), 6):
            flux = test.flux[rows].astype(float)
            limit[rows] = medians(posterior.probabilities(flux, sigma), parameters)
    bound, network = (evaluate(p, test.labels) for p in (limit, model.predict(test.flux)))
    print(f"{len(test)} mocks, {len(models)} models: σ_NMAD of posterior medians | of the network")
    groups = {"all": (bound["overall"], network["overall"])}
    for key in ("16.0", "17.0", "19.0", "20.0", "21.0", "22.0"):
        groups[f"i = {key}"] = bound["by_magnitude"][key], network["by_magnitude"][key]
    for name, sides in groups.items():
        cells = ["  ".join(f"{side[p]['sigma_nmad']:.3f}" for p in PARAMETERS) for side in sides]
        print(f"{name:9} {cells[0]}  |  {cells[1]}")


if __name__ == "__main__":
    main()
