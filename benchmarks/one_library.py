"""Networks trained on one library or on all, each tested on every library.

    python benchmarks/one_library.py

Every metric of the same held-out mocks, as on the page "One library or all".
"""

import numpy as np

from sspexplorer.app import cache
from sspexplorer.app.trust.one_library import MODELS
from sspexplorer.plots.one_library import cross_table

_METRICS = ("bias", "sigma_nmad", "outlier_fraction", "pearson", "r2", "rmse")


def main() -> None:
    """Measure and print."""
    tables = {trained: cache.all_libraries_table(model) for trained, model in MODELS.items()}
    scores = cross_table(tables)
    for metric in _METRICS:
        wide = scores.pivot_table(
            metric, ["parameter", "trained"], "tested", sort=False, observed=True
        )
        print(f"\n{metric}\n{wide.map(lambda value: np.round(value, 3)).to_string()}")


if __name__ == "__main__":
    main()
