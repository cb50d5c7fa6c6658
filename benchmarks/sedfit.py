"""Time, memory and scatter of the Bayesian SED fit.

    python benchmarks/sedfit.py [--mocks N]

First 1000 galaxies × 16 000 models; then, on N held-out mocks of each magnitude, the fit beside the
shipped networks at every magnitude, the effect of CIGALE's added error, and fits of each library
with each other's models.
"""

import argparse
import resource
import time

import numpy as np

from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import EBV_GRID, PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.sedfit import (
    CIGALE_FLOOR,
    MEAN_COLUMNS,
    fit,
    fit_mocks,
    make_grid,
    some_of_each_magnitude,
)


def cells(group: dict) -> str:
    """Bias, scatter and outliers of each parameter."""
    return "  ".join(
        f"{group[p]['bias']:+.3f} {group[p]['sigma_nmad']:.3f} {group[p]['outlier_fraction']:4.0%}"
        for p in PARAMETERS
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mocks", type=int, default=300, help="of each magnitude")
    number = parser.parse_args().mocks
    test = held_out_mocks(load_model("default"), "ssp")

    finer = make_grid(ebv=[*EBV_GRID, 0.5])
    models = finer.select(np.arange(len(finer)) < 16_000)
    thousand = test.rows(np.arange(len(test)) % (len(test) // 1000) == 0)
    thousand = thousand.rows(np.arange(len(thousand)) < 1000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    begun = time.perf_counter()
    fit(models, thousand.flux, thousand.flux_err)
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{len(thousand)} galaxies × {len(models)} models: {seconds:.2f} s; "
        f"peak of the process {peak:.2f} GiB, of which {before:.2f} before the fit"
    )

    mocks, grid = some_of_each_magnitude(test, number), make_grid()

    def measured(**options: object) -> dict:
        found = fit_mocks(grid, mocks, **options)
        return evaluate(found[list(MEAN_COLUMNS)].to_numpy(), mocks.labels)

    results = {
        "fit": measured(),
        "fit, SSP not in grid": measured(itself=False),
        "fit, other libraries": measured(models="others"),
        f"fit, {CIGALE_FLOOR:.0%} added": measured(floor=CIGALE_FLOOR),
    }
    for name in ("default", "paper"):
        results[name] = evaluate(load_model(name).predict(mocks.flux), mocks.labels)
    print(f"\n{len(mocks)} mocks; μ, σ_NMAD, f_o of log age, [M/H], E(B−V)")
    for key in ("all", *results["fit"]["by_magnitude"]):
        for name, result in results.items():
            group = result["overall"] if key == "all" else result["by_magnitude"][key]
            print(f"{key:5} {name:22} {cells(group)}")

    print("\nσ_NMAD of log age, [M/H], E(B−V): mocks of one library (rows) fitted with one")
    for name in LIBRARY_NAMES:
        fits = {other: measured(models=other)["by_library"][name] for other in LIBRARY_NAMES}
        figures = [
            f"{other}: " + " ".join(f"{found[p]['sigma_nmad']:.3f}" for p in PARAMETERS)
            for other, found in fits.items()
        ]
        print(f"{name:8} {'   '.join(figures)}")


if __name__ == "__main__":
    main()
