"""What a picture of ten million points takes of a processor, as a whole and zoomed in.

    python benchmarks/shading.py [--points 10000000]

Printed is the least of three times on one thread, after all is compiled: of the cells alone, which
are what grows with the points, as the pages "Predicted vs true", "Degeneracies", "By library",
"Map of SEDs" and "Your catalogue" make them.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.plots.density import _cells, compile_shading
from sspexplorer.plots.embedding import _by_library, _by_mean, compile_map
from sspexplorer.plots.shading import compile_means, mean_cells

WHOLE, ZOOMED = (5.9, 10.6), (9.0, 9.3)
SHAPE = (250, 250)


def least(act: Callable[[], object]) -> float:
    """Least processor time of three (ms)."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        act()
        times.append(time.process_time() - begun)
    return 1000 * min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000_000)
    n = parser.parse_args().points
    compile_shading()
    compile_means()
    compile_map()
    rng = np.random.default_rng(0)
    x = rng.normal(9.0, 0.6, n)
    table = pd.DataFrame({"x": x, "y": x + rng.normal(0, 0.2, n), "ebv": rng.uniform(0, 0.5, n)})
    codes = rng.integers(0, len(LIBRARY_NAMES), n)
    table["library"] = pd.Categorical.from_codes(codes, list(LIBRARY_NAMES))
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    by_library, by_mean = _by_library(LIBRARY_NAMES), _by_mean("ebv")
    pictures: dict[str, Callable[[tuple[float, float]], object]] = {
        "counts": lambda view: _cells(x, y, view, view, SHAPE),
        "means": lambda view: mean_cells(table, ["x", "y", "ebv"], view, view, SHAPE),
        "map, by library": lambda view: by_library(table, view, view, SHAPE),
        "map, by a mean": lambda view: by_mean(table, view, view, SHAPE),
    }
    for name, draw in pictures.items():
        times = [least(lambda draw=draw, view=view: draw(view)) for view in (WHOLE, ZOOMED)]
        print(f"{name:16} whole {times[0]:4.0f} ms, zoomed {times[1]:4.0f} ms", flush=True)


if __name__ == "__main__":
    main()
