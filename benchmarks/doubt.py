"""Doubt: redshifts off by their errors, answers that are the prior's, and zero points found.

    python benchmarks/doubt.py [--mocks N]

Printed are the share of mocks of `galaxy` that the training did not see whose redshift is called
contradicted, the mean shrinkage of each parameter and how many are flagged, by magnitude; and how
well offsets of 3 %, and a tilt of 6 %, are found by all of them together.
"""

import argparse

import numpy as np

from sspexplorer import flags
from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.posterior.prediction import LEAST_SHRINKAGE, predict_posterior
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.zero_points import measure_offsets

ERROR, FAR = 0.01, 0.045  # of redshift


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mocks", type=int, default=500)
    n = parser.parse_args().mocks
    galaxy, noise = load_model("galaxy"), NoiseModel.default()
    drawn = prior_of(galaxy.card).draw(n, seed=77, held_out=True)
    true = drawn.redshift.astype(float)
    for magnitude in (17.0, 18.0, 19.0, 20.0, 21.0, 22.0):
        rng = np.random.default_rng(int(magnitude))
        flux, error = noise.add(drawn.flux.astype(float), np.full(n, magnitude), rng)
        one = np.clip(true + ERROR * rng.choice([-1, 1], n), 0, 0.1)
        far = np.where(true > 0.05, true - FAR, true + FAR)
        shares = {}
        for name, z in {"true": true, "1 σ off": one, f"{FAR} off": far}.items():
            table = predict_posterior(galaxy, flux, error, z, np.full(n, ERROR))
            count = flags.count(table["pred_flag"]).get("redshift-contradicted", 0)
            shares[name] = round(count / n, 3)
        table = predict_posterior(galaxy, flux, error, true)
        for name in PARAMETERS:
            value = table[f"pred_{name}_shrinkage"]
            flagged = (value < LEAST_SHRINKAGE).mean()
            shares[name] = f"{value.mean():.2f} (flagged {flagged:.0%})"
        print(f"i = {magnitude}:", shares, flush=True)
    rng = np.random.default_rng(1)
    log_pivot = np.log(load_bands().pivot)
    tilt = 0.06 * (log_pivot - log_pivot.mean()) / np.ptp(log_pivot)
    offsets = rng.normal(0, 0.03, N_BANDS)
    cases = {"i = 17": (17, 17), "i = 18": (18, 18), "i = 19": (19, 19), "16 to 21": (16, 21)}
    for name, span in cases.items():
        flux, error = noise.add(drawn.flux.astype(float), rng.uniform(*span, n), rng)
        for kind, put in {"3 %": offsets, "tilt": tilt, "none": np.zeros(N_BANDS)}.items():
            factor = np.exp(put)
            found = measure_offsets(galaxy.likeness, flux * factor, error * factor)
            expected = -2.5 * np.log10(factor)
            off = found.offset - (expected - expected.mean())
            print(f"{name}, {kind}: found to {off.std():.4f} mag, error {found.error.mean():.4f}")


if __name__ == "__main__":
    main()
