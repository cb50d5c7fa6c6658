"""RMSE of the exact posterior beside that of the SED fit, on the same mocks of one library.

    python benchmarks/exact_posterior.py [--mocks N] [--library bc03] [--every K]

Mocks are models of the grid under the default noise; the SED fit is told the σ of every band that
the noise was drawn with. Only the exact posterior knows that it goes with the flux of the model.
"""

import argparse

import numpy as np

from sspexplorer.mocks import PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.exact import ExactPosterior, prior_models
from sspexplorer.sedfit import model_weights


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mocks", type=int, default=200, help="of each magnitude")
    parser.add_argument("--library", default="bc03")
    parser.add_argument("--every", type=int, default=1, help="take only each K-th model")
    options = parser.parse_args()
    models, noise = prior_models(libraries=(options.library,)), NoiseModel.default()
    models = models.select(np.arange(len(models)) % options.every == 0)
    exact, rng = ExactPosterior(models.flux), np.random.default_rng(0)
    print(f"{options.mocks} mocks of each magnitude, {len(models)} models: RMSE")
    print(f"{'':20}" + "  ".join((*PARAMETERS, "mean log probability of the truth")))
    for magnitude in (18.0, 20.0, 21.0, 22.0):
        rows = rng.choice(len(models), options.mocks)
        flux, error = noise.add(models.flux[rows], magnitude, rng)
        relative = noise.relative_error(magnitude)
        parts = np.array_split(np.arange(len(rows)), -(-len(rows) // 100))
        weigh = {
            "exact": lambda p, f=flux, r=relative: exact.probabilities(f[p], r),
            "SED fit": lambda p, f=flux, e=error: model_weights(models, f[p], e[p]),
        }
        for name, weights in weigh.items():
            squares, logs = [], []
            for part in parts:
                found, true = weights(part), rows[part]
                squares.append((found @ models.parameters - models.parameters[true]) ** 2)
                logs.append(np.log(found[np.arange(len(true)), true]))
            rmse = np.sqrt(np.concatenate(squares).mean(axis=0))
            words = "  ".join(f"{v:.3f}" for v in (*rmse, np.concatenate(logs).mean()))
            print(f"i = {magnitude:4} {name:12}{words}", flush=True)


if __name__ == "__main__":
    main()
