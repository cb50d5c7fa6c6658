"""How much scatter missing bands cost a posterior model, and how much they must cost anyone.

    python benchmarks/missing_bands.py [--model ssp] [--mocks N]

σ_NMAD of posterior means of held-out single populations at z = 0 and 19.5 ≤ i ≤ 22, with bands
gone over that with all, for the model and for the exact posterior from models about every SSP.
"""

import argparse

import numpy as np

from sspexplorer.metrics import summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.exact import ExactPosterior
from sspexplorer.posterior.validation.comparisons import model_grid, singles_at_rest
from sspexplorer.posterior.validation.trust import GAPS

MAGNITUDES = (19.5, 20.0, 20.5, 21.0, 21.5, 22.0)


def main() -> None:
    """Compute and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ssp")
    parser.add_argument("--mocks", type=int, default=6000)
    options = parser.parse_args()
    model, noise = load_model(options.model).model, NoiseModel.default()
    whole = singles_at_rest(options.mocks, MAGNITUDES)
    grid = model_grid()
    posterior = ExactPosterior(grid.flux)
    scatter = {}
    for gap in GAPS:
        mocks = whole.without(gap)
        network, _ = model.posterior(mocks.flux, mocks.error, np.zeros(len(mocks)))[0].moments()
        exact = np.empty_like(network)
        for value in MAGNITUDES:
            rows = mocks.magnitude == value
            relative = noise.relative_error(value)
            exact[rows] = posterior.means(mocks.flux[rows], relative, grid.targets)
        for kind, answer in (("network", network), ("exact", exact)):
            scatter[gap, kind] = [
                summary(answer[:, k], mocks.true[:, k])["sigma_nmad"] for k in range(3)
            ]
    print(f"{'':22}{'':10}" + "  ".join(f"{name:>12}" for name in PARAMETERS))
    for (gap, kind), values in scatter.items():
        growth = np.array(values) / scatter["none", kind] - 1
        cells = [f"{v:.3f} {g:+5.0%}" for v, g in zip(values, growth, strict=True)]
        print(f"{gap:22}{kind:10}" + "  ".join(f"{cell:>12}" for cell in cells))


if __name__ == "__main__":
    main()
