"""How long the things take that a visitor waits for.

    python benchmarks/speed.py

Prints the median of several runs, after one that does not count. Machines differ: compare two
versions of the code on one machine, in turn.
"""

import statistics
import time
from collections.abc import Callable

import holoviews as hv
import numpy as np

from sspexplorer.app.explore.sed import SEDExplorer
from sspexplorer.embedding import load_embedding
from sspexplorer.libraries import LIBRARY_NAMES, read_library
from sspexplorer.mocks import make_mocks
from sspexplorer.models import load_model, predict_rows
from sspexplorer.networks.prediction import predict
from sspexplorer.photometry import band_matrix
from sspexplorer.resources import data_path
from sspexplorer.sedfit import fit, make_grid


def median_time(task: Callable[[], object], runs: int = 5) -> float:
    """Median wall time of ``task`` in seconds."""
    task()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def explorer() -> Callable[[], None]:
    """Move the noise slider of a page that is drawn in full, as its server does."""
    hv.extension("bokeh")
    page = SEDExplorer()
    document = page.__panel__().get_root()
    assert document is not None
    magnitudes = iter(np.linspace(16, 22, 1000))

    def move() -> None:
        page.state.magnitude = float(next(magnitudes))

    return move


def main() -> None:
    """Measure and print."""
    for name in LIBRARY_NAMES:
        path = data_path("libraries", f"{name}.h5")
        print(
            f"library {name} from disk: {1e3 * median_time(lambda p=path: read_library(p)):.0f} ms"
        )
    wavelength = read_library(data_path("libraries", "bc03.h5")).wavelength
    redshifts = iter(np.linspace(0, 0.1, 1000))
    print(
        f"band matrix: {1e3 * median_time(lambda: band_matrix(wavelength, next(redshifts))):.0f} ms"
    )
    mocks = make_mocks()
    print(f"{len(mocks)} mocks: {median_time(make_mocks, 3):.1f} s")
    model, flux = load_model("default"), mocks.flux[:100_000].astype(float)
    seconds = median_time(lambda: predict(model, flux), 3)
    print(f"prediction, whole rows: {len(flux) / seconds:,.0f} /s")
    flux[:, [0, 1, 54, 55]] = np.nan
    few = flux[:5000]
    seconds = median_time(lambda: predict(model, few), 3)
    print(f"prediction, ends missing: {len(few) / seconds:,.0f} /s")
    some, errors = mocks.flux[:4000].astype(float), mocks.flux_err[:4000].astype(float)
    for name in ("galaxy", "ssp"):
        seconds = median_time(lambda n=name: predict_rows(n, some, errors), 3)
        print(f"posteriors of {name}, with p-values: {len(some) / seconds:,.0f} /s")
    grid = make_grid()
    seconds = median_time(lambda: fit(grid, some, errors), 3)
    print(f"SED fits with {len(grid)} models: {len(some) / seconds:,.0f} /s")
    galaxies, embedding = mocks.flux[:1500].astype(float), load_embedding()
    seconds = median_time(lambda: embedding.place(galaxies), 3)
    print(f"1500 galaxies placed on the map: {1e3 * seconds:.0f} ms")
    seconds = median_time(lambda: embedding.distance(galaxies), 3)
    print(f"their distances from the training set: {1e3 * seconds:.0f} ms")
    print(f"noise slider to new picture: {1e3 * median_time(explorer(), 20):.0f} ms")


if __name__ == "__main__":
    main()
