"""RMSE of the exact posterior beside that of the SED fit, on the same mocks of one library.

    python benchmarks/exact_posterior.py [--mocks N] [--library bc03]

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
    options = parser.parse_args()
    models, noise = prior_models(libraries=(options.library,)), NoiseModel.default()
    exact, rng = ExactPosterior(models.flux), np.random.default_rng(0)
    print(f"{options.mocks} mocks of each magnitude, {len(models)} models: RMSE")
    print(f"{'':24}" + "  ".join(PARAMETERS))
    for magnitude in (18.0, 20.0, 21.0, 22.0):
        rows = rng.choice(len(models), options.mocks)
        flux, error = noise.add(models.flux[rows], magnitude, rng)
        parts = np.array_split(np.arange(len(rows)), -(-len(rows) // 100))
        fitted = [model_weights(models, flux[p], error[p]) @ models.parameters for p in parts]
        means = {
            "exact": exact.means(flux, noise.relative_error(magnitude), models.parameters),
            "SED fit": np.concatenate(fitted),
        }
        for name, mean in means.items():
            rmse = np.sqrt(np.mean((mean - models.parameters[rows]) ** 2, axis=0))
            print(f"i = {magnitude:4} {name:12}" + "  ".join(f"{v:.3f}" for v in rmse), flush=True)


if __name__ == "__main__":
    main()
