"""At which noise a band is better left out: errors and coverage with it and without.

    python benchmarks/noisy_bands.py [--model ssp] [--mocks N]

One, four or twelve bands of each mock, at random, are made so many times as noisy as the survey has
them, with errors that say so. Printed is the RMSE of the posterior means that use them, over that
of those that do not, and how many truths their 68 % intervals hold.
"""

import argparse

import numpy as np

from sspexplorer.bands import N_BANDS
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.validation.calibration import coverage, ranks
from sspexplorer.posterior.validation.trust import held_out
from sspexplorer.shipped import posterior_names

FACTORS = (1, 1.5, 2, 3, 4, 6, 10, 30)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ssp", choices=posterior_names())
    parser.add_argument("--mocks", type=int, default=1200, help="of each magnitude")
    options = parser.parse_args()
    model = load_model(options.model).model
    for magnitude in (18.0, 20.0, 21.5):
        mocks = held_out(model, prior_of(model.card), options.mocks, magnitudes=(magnitude,))
        redshift = mocks.populations.redshift.astype(float)
        relative = NoiseModel.default().relative_error(magnitude)
        free = mocks.error / relative
        for count in (1, 4, 12):
            rng = np.random.default_rng(2)
            order = np.argsort(rng.uniform(size=(len(mocks), N_BANDS)), axis=1)
            which = np.argsort(order, axis=1) < count
            for factor in FACTORS:
                error = np.where(which, free * relative * factor, mocks.error)
                noisy = free + error * rng.standard_normal(free.shape)
                flux = np.where(which, noisy, mocks.flux)
                rmse, inside = [], []
                for seen in (flux, np.where(which, np.nan, flux)):
                    mixture = model.posterior(seen, error, redshift)[0]
                    off = mixture.moments()[0] - mocks.true
                    rmse.append(np.sqrt(np.mean(off**2, axis=0)))
                    inside.append(coverage(ranks(mixture, mocks.true), 0.68))
                print(
                    f"i = {magnitude}, {count:2} bands {factor:4} × as noisy: RMSE used ÷ left out",
                    np.round(rmse[0] / rmse[1], 2),
                    "; inside 68 %:",
                    np.round(inside[0], 2),
                    np.round(inside[1], 2),
                    flush=True,
                )


if __name__ == "__main__":
    main()
