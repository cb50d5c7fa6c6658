"""Whether intervals hold what they say with few bands, anywhere or side by side.

    python benchmarks/few_bands.py [--model ssp] [--mocks N]

Share of truths within the 68 and 95 % intervals, and RMSE of posterior means, for log age, [M/H]
and E(B−V) of held-out mocks of i = 17 to 22 with so many bands, their redshift given.
"""

import argparse

import numpy as np

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.models import load_model
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.validation.calibration import coverage, ranks
from sspexplorer.posterior.validation.trust import held_out
from sspexplorer.shipped import posterior_names

COUNTS = (5, 10, 15, 19, 25, 30, 39, 40, 45)


def left(kind: str, count: int, n: int) -> np.ndarray:
    """Which bands are there, shape (n, 57)."""
    rng = np.random.default_rng(1)
    if kind == "anywhere":
        order = np.argsort(rng.uniform(size=(n, N_BANDS)), axis=1)
        return np.argsort(order, axis=1) < count
    place = np.argsort(np.argsort(load_bands().pivot))
    first = rng.integers(0, N_BANDS - count + 1, size=(n, 1))
    return (place >= first) & (place < first + count)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ssp", choices=posterior_names())
    parser.add_argument("--mocks", type=int, default=1500)
    options = parser.parse_args()
    model = load_model(options.model).model
    magnitudes = (17.0, 19.0, 20.0, 21.0, 22.0)
    mocks = held_out(model, prior_of(model.card), options.mocks, magnitudes=magnitudes)
    redshift = mocks.populations.redshift.astype(float)
    for kind in ("anywhere", "side by side"):
        for count in COUNTS:
            flux = np.where(left(kind, count, len(mocks)), mocks.flux, np.nan)
            rows = np.nanmedian(flux, axis=1) > 0
            mixture = model.posterior(flux[rows], mocks.error[rows], redshift[rows])[0]
            rank, true = ranks(mixture, mocks.true[rows]), mocks.true[rows]
            rmse = np.sqrt(np.mean((mixture.moments()[0] - true) ** 2, axis=0))
            inside = [np.round(coverage(rank, level), 3) for level in (0.68, 0.95)]
            print(f"{count:2} bands {kind:12}", *inside, "RMSE", np.round(rmse, 3), flush=True)


if __name__ == "__main__":
    main()
