"""The least scatter that any estimator can have on the test mocks, beside that of the model.

    python benchmarks/bayesian_limit.py [--mocks N]

Posterior medians of held-out mocks under the true noise, from a grid of every SSP of the three
libraries (those held out included, so this is a bound) times fine steps in E(B−V), under the prior
the model was trained on: E(B−V) even within the cells of the paper's eight values.
"""

import argparse

import numpy as np

from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.exact import ExactPosterior, prior_models


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
    models = prior_models(libraries=model.card["sample"]["libraries"])
    posterior = ExactPosterior(models.flux)
    limit = np.empty((len(test), len(PARAMETERS)))
    magnitude = test.labels["magnitude"].to_numpy()
    for value in np.unique(magnitude):
        sigma = noise.relative_error(value)
        for rows in np.array_split(np.flatnonzero(magnitude == value), 6):
            flux = test.flux[rows].astype(float)
            limit[rows] = medians(posterior.probabilities(flux, sigma), models.parameters)
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
