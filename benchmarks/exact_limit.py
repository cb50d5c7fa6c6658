"""What model ``ssp`` lacks of the exact posterior, and how much of it no catalogue tells.

    python benchmarks/exact_limit.py [--mocks 2000]

The exact posterior knows σ of each band for the flux without noise. A catalogue tells σ beside a
noisy flux: the same likelihood with σ/F as the networks make it of a catalogue is printed beside
it, and the network beside both, as ratios of the RMSE of log age, [M/H] and E(B−V).
"""

import argparse

import numpy as np
import torch

from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.exact import ExactPosterior
from sspexplorer.posterior.inputs import relative_noise
from sspexplorer.posterior.validation.comparisons import model_grid, singles_at_rest

MAGNITUDES = (18.0, 20.0, 21.0, 22.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mocks", type=int, default=2000, help="of each magnitude")
    n = parser.parse_args().mocks
    model, noise, grid = load_model("ssp").model, NoiseModel.default(), model_grid()
    mocks, exact = singles_at_rest(n * len(MAGNITUDES), MAGNITUDES), ExactPosterior(grid.flux)
    print("RMSE: as a catalogue tells σ ÷ exact; network ÷ that; network ÷ exact")
    for magnitude in MAGNITUDES:
        some = mocks.rows(np.flatnonzero(mocks.magnitude == magnitude))
        flux, error = (torch.from_numpy(v).float() for v in (some.flux, some.error))
        told = relative_noise(flux, error, torch.ones(flux.shape, dtype=torch.bool)).double()
        means = (
            exact.means(some.flux, noise.relative_error(magnitude), grid.targets),
            exact.means(some.flux, told.numpy(), grid.targets),
            model.posterior(some.flux, some.error, np.zeros(len(some)))[0].moments()[0],
        )
        known, as_told, network = (np.sqrt(((m - some.true) ** 2).mean(axis=0)) for m in means)
        ratios = (as_told / known, network / as_told, network / known)
        print(f"i = {magnitude:g}:", "   ".join(str(r.round(3)) for r in ratios), flush=True)


if __name__ == "__main__":
    main()
