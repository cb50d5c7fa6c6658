"""The paper's libraries at their full size, by stand-ins: mocks, pictures and, if asked, training.

    python benchmarks/full_size.py [--train]

The authors' files are not needed: stand-ins have as many SSPs, 2958 + 3300 + 1104. Their spectra
are those of BC03, interpolated in age and [M/H] (log flux, linear) on the grids of the real
libraries, and tilted by a few per cent for each pair of IMF and isochrones, so that no two are the
same. They show time and memory, and nothing of the real libraries' physics. For XSL, whose 1104 are
not tabulated in the paper, 46 ages × 6 [M/H] stand for each of its four pairs.

Each part runs in a process of its own, whose peak memory is what the system says of it. With
--train, recipe `default` is trained on all of them, which takes long.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np

from sspexplorer.libraries import SSPLibrary, load_library
from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import EBV_GRID, PARAMETERS, MockSample, make_mocks

NINTH_EBV = 0.19  # any: the paper prints eight of nine
# Domínguez Sánchez et al. (2026), Sect. 2.1; ages as log10 yr.
PADOVA = (
    np.linspace(7.8, 10.25, 50),
    np.array([-2.32, -1.71, -1.31, -0.71, -0.40, 0.0, 0.22]),
)
BASTI = (
    np.log10(np.geomspace(0.03e9, 14e9, 53)),
    np.array([-2.27, -1.79, -1.49, -1.26, -0.96, -0.66, -0.35, -0.25, 0.06, 0.15, 0.26, 0.40]),
)
Z_CB19 = np.array([1, 2, 5, 10, 20, 40, 60, 80, 100, 140, 170, 200, 300, 400, 600]) * 1e-4
XSL = (np.linspace(7.7, 10.2, 46), np.array([-2.2, -1.6, -1.2, -0.8, -0.4, 0.1]))
GRIDS: dict[str, dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]] = {
    "emiles-full": {
        (imf, isochrone): grid
        for imf in ("Chabrier", "Kroupa", "unimodal 1.30")
        for isochrone, grid in (("Padova00", PADOVA), ("BaSTI", BASTI))
    },
    "cb19": {
        ("Chabrier", "PARSEC"): (
            load_library("bc03", None).ages,
            np.log10(Z_CB19 / 0.017),
        )
    },
    "xsl": {pair: XSL for pair in product(("Salpeter", "Kroupa"), ("PARSEC", "Padova00"))},
}


def stand_in(name: str) -> SSPLibrary:
    """Library of as many SSPs as the real one has; see above."""
    ours = load_library("bc03", None)
    ages, metals = ours.ages, ours.metallicities
    order = np.lexsort((ours.log_age, ours.metallicity))
    log_flux = np.log(ours.spectra[order]).reshape(len(metals), len(ages), -1)
    parts = []
    for number, ((imf, isochrone), (log_age, metallicity)) in enumerate(GRIDS[name].items()):
        tilt = (ours.wavelength / 6000) ** (0.02 * (number + 1))
        for metal, age in product(metallicity, log_age):
            y, i = _place(metals, metal)
            x, j = _place(ages, age)
            low = (1 - x) * log_flux[i, j] + x * log_flux[i, j + 1]
            high = (1 - x) * log_flux[i + 1, j] + x * log_flux[i + 1, j + 1]
            spectrum = tilt * np.exp((1 - y) * low + y * high)
            parts.append((spectrum.astype(np.float32), age, metal, imf, isochrone))
    spectra, log_age, metallicity, imf, isochrone = zip(*parts, strict=True)
    return SSPLibrary.from_arrays(
        name,
        ours.wavelength,
        np.stack(spectra),
        log_age,
        metallicity,
        imf=imf,
        isochrone=isochrone,
        title=f"stand-in for {name}",
    )


def _place(grid: np.ndarray, value: float) -> tuple[float, int]:
    """Fraction of the way from one value of a grid to the next, and the number of that one."""
    left = int(np.clip(np.searchsorted(grid, value) - 1, 0, len(grid) - 2))
    return float(np.clip((value - grid[left]) / (grid[left + 1] - grid[left]), 0, 1)), left


def stand_ins() -> list[SSPLibrary]:
    """The three of them."""
    return [stand_in(name) for name in GRIDS]


def timed(task: Callable[[], object]) -> tuple[float, object]:
    """Wall time in seconds, and what came of it."""
    begun = time.perf_counter()
    result = task()
    return time.perf_counter() - begun, result


def peak() -> float:
    """Peak memory of this process in GiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def mocks(ebv_grid: list[float], **options: object) -> dict:
    """Rows, time and memory of a mock sample."""
    libraries = stand_ins()
    before = peak()
    seconds, sample = timed(lambda: make_mocks(libraries, ebv_grid=ebv_grid, **options))
    counts = {library.name: len(library) for library in libraries}
    return {
        "ssps": counts,
        "rows": len(sample),
        "seconds": seconds,
        "gib": peak(),
        "before": before,
    }


def pictures() -> dict:
    """Time to draw the three densities of a page: all, and the part that is tested on."""
    import holoviews as hv

    from sspexplorer.analysis.held_out import density_table
    from sspexplorer.models import load_model
    from sspexplorer.plots.density import Compared, density_picture

    hv.extension("bokeh")
    model = load_model("default")
    full = make_mocks(stand_ins(), ebv_grid=sorted([*EBV_GRID, NINTH_EBV]))
    held_out = (full.labels["split"] == "test").to_numpy()
    samples = {
        "embedded, held out": held_out_mocks(model, "ssp"),
        "full size, held out": full.rows(held_out),
        "full size, all": full,
    }

    def draw(sample: MockSample) -> Iterator[float]:
        table = density_table(sample.labels, model.predict(sample.flux))
        for _ in range(6):
            panels = [density_picture(Compared(table), name) for name in PARAMETERS]
            yield timed(lambda panels=panels: [hv.render(p) for p in panels])[0]

    found = {}
    for name, sample in samples.items():
        found[name] = {"rows": len(sample), "seconds": statistics.median(list(draw(sample))[1:])}
    return found


def training() -> dict:
    """Time and metrics of recipe `default` on all of them."""
    from sspexplorer.networks.training import get_recipe, train

    sample = make_mocks(stand_ins(), continuous_ebv=True)
    seconds, model = timed(lambda: train(sample, get_recipe("default")))
    test = sample.part("test")
    result = evaluate(model.predict(test.flux), test.labels)
    return {"seconds": seconds, "gib": peak(), "rows": len(sample), **result}


PARTS: dict[str, Callable[[], dict]] = {
    "eight": lambda: mocks(list(EBV_GRID)),
    "nine": lambda: mocks(sorted([*EBV_GRID, NINTH_EBV])),
    "continuous": lambda: mocks(list(EBV_GRID), continuous_ebv=True),
    "pictures": pictures,
    "training": training,
}


def measured(part: str) -> dict:
    """What a part finds, in a process of its own."""
    command = [sys.executable, __file__, "--part", part]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", action="store_true", help="also train recipe default")
    parser.add_argument("--part", choices=PARTS, help="print one part as JSON")
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part]()))
        return
    for part, words in (
        ("eight", "eight printed E(B−V)"),
        ("nine", "with a ninth"),
        ("continuous", "eight cells, E(B−V) drawn within"),
    ):
        found = measured(part)
        counts = " + ".join(map(str, found["ssps"].values()))
        print(
            f"{counts} SSPs, {words}: {found['rows']} mocks in {found['seconds']:.1f} s; peak "
            f"{found['gib']:.2f} GiB, of which {found['before']:.2f} before"
        )
    found = measured("pictures")
    first = next(iter(found.values()))["seconds"]
    for name, value in found.items():
        print(
            f"three densities, {name}: {value['rows']} mocks, {value['seconds'] * 1e3:.0f} ms, "
            f"{value['seconds'] / first:.2f} times the first"
        )
    if options.train:
        found = measured("training")
        print(
            f"recipe default on {found['rows']} mocks: {found['seconds'] / 60:.1f} min; peak "
            f"{found['gib']:.2f} GiB"
        )
        for name in PARAMETERS:
            group = found["overall"][name]
            print(
                f"  {name}: μ {group['bias']:+.3f}, σ_NMAD {group['sigma_nmad']:.3f}, "
                f"f_o {group['outlier_fraction']:.1%}, n {group['n']}"
            )


if __name__ == "__main__":
    main()
