"""The paper's libraries at their full size, by stand-ins: mocks, pictures and, if asked, training.

    python benchmarks/full_size.py
    python benchmarks/full_size.py --train paper-fast [--minutes M] [--out data/full_size.json]

The authors' files are not needed: stand-ins have as many SSPs, 2958 + 3300 + 1104. Their spectra
are those of BC03, interpolated in age and [M/H] (log flux, linear) on the grids of the real
libraries, and tilted by a few per cent for each pair of IMF and isochrones, so that no two are the
same. They show time and memory, and nothing of the real libraries' physics. For XSL, whose 1104 are
not tabulated in the paper, 46 ages × 6 [M/H] stand for each of its four pairs.

Each part runs in a process of its own, whose peak memory is what the system says of it. With
--train, a recipe is trained on the 765 648 mocks of the eight printed E(B−V), split at random as in
the paper, and tested on those held out; after --minutes it is stopped, and what it has learnt by
then is tested. Its metrics go into a file of all such trainings, where the page "Against magnitude"
and docs/models.md find them.
"""

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from sspexplorer.libraries import SSPLibrary, load_library
from sspexplorer.metrics import evaluate, held_out_mocks
from sspexplorer.mocks import EBV_GRID, PARAMETERS, MockSample, make_mocks
from sspexplorer.networks.batches import AT_ONCE
from sspexplorer.networks.recipes import RECIPES, get_recipe
from sspexplorer.networks.training import TrainingState, train
from sspexplorer.on_demand import MocksOnDemand, mocks_on_demand
from sspexplorer.progress import Progress

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


def train_on_all(name: str, minutes: float, seed: int = 0) -> dict:
    """Train a recipe on all of them, and test it on the mocks held out at random."""
    mocks = mocks_on_demand(stand_ins(), split="random", seed=seed)
    begun, cpu = time.perf_counter(), time.process_time()

    def late() -> bool:
        return time.perf_counter() - begun > 60 * minutes

    def tell(state: TrainingState) -> None:
        if state.epoch > len(told):
            told.append(state.epoch)
            losses = ", ".join(f"{value**0.5:.3f}" for value in state.validation_loss)
            took, of_cpu = time.perf_counter() - begun, time.process_time() - cpu
            print(
                f"epoch {state.epoch}/{state.epochs}, {took:.0f} s ({of_cpu:.0f} s of CPU), "
                f"validation RMSE ({losses})",
                flush=True,
            )

    told: list[int] = []
    model = train(
        mocks, get_recipe(name), seed=seed, watch=tell, progress=Progress(is_cancelled=late)
    )
    spent = time.perf_counter() - begun, time.process_time() - cpu
    rows = mocks.rows_of("test")
    tested = [mocks.take(some) for some in np.split(rows, range(AT_ONCE, len(rows), AT_ONCE))]
    predicted = np.concatenate([model.predict(piece.flux) for piece in tested])
    card = model.card["training"]
    return {
        "recipe": model.card["recipe"],
        "seed": seed,
        "libraries": {library: int(n) for library, n in _counts(mocks).items()},
        "n": [len(mocks.rows_of(split)) for split in ("train", "validation", "test")],
        "epochs_done": card["epochs_done"],
        "best_epoch": card["best_epoch"],
        "stopped_early": card["stopped_early"],
        "seconds": round(spent[0]),
        "cpu_seconds": round(spent[1]),
        "threads": torch.get_num_threads(),
        "peak_gib": round(peak(), 2),
        **rounded(evaluate(predicted, pd.concat([piece.labels for piece in tested]))),
    }


def _counts(mocks: MocksOnDemand) -> pd.Series:
    """SSPs of each library."""
    return mocks.sed_labels.drop_duplicates("ssp")["library"].value_counts()


def rounded(value: object) -> Any:
    """With five digits of each number."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    return float(f"{value:.5g}") if isinstance(value, float) else value


def keep(found: dict, path: Path) -> None:
    """Write a training into the file of all of them, in the place of one of the same recipe."""
    trainings = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    trainings[found["recipe"]["name"]] = found
    path.write_text(json.dumps(trainings, separators=(",", ":")) + "\n", encoding="utf-8")


PARTS: dict[str, Callable[[], dict]] = {
    "eight": lambda: mocks(list(EBV_GRID)),
    "nine": lambda: mocks(sorted([*EBV_GRID, NINTH_EBV])),
    "continuous": lambda: mocks(list(EBV_GRID), continuous_ebv=True),
    "pictures": pictures,
}


def measured(part: str) -> dict:
    """What a part finds, in a process of its own."""
    command = [sys.executable, __file__, "--part", part]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", choices=RECIPES, metavar="RECIPE", help="train it on all")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    parser.add_argument("--out", type=Path, help="file of trainings to add it to")
    parser.add_argument("--part", choices=PARTS, help="print one part as JSON")
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part]()))
        return
    if options.train:
        found = train_on_all(options.train, options.minutes)
        show(found)
        if options.out:
            keep(found, options.out)
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


def show(found: dict) -> None:
    """Print what a training came to."""
    print(
        f"recipe {found['recipe']['name']} on {found['n'][0]} mocks: "
        f"{found['epochs_done']} epochs, "
        f"{found['seconds'] / 60:.1f} min, {found['cpu_seconds'] / 60:.1f} of CPU; peak "
        f"{found['peak_gib']:.2f} GiB"
    )
    groups = {"all": found["overall"]}
    groups |= {f"i = {key}": group for key, group in found["by_magnitude"].items()}
    for label, group in groups.items():
        for name in PARAMETERS:
            m = group[name]
            print(
                f"  {label}, {name}: μ {m['bias']:+.3f}, σ_NMAD {m['sigma_nmad']:.3f}, "
                f"f_o {m['outlier_fraction']:.1%}, n {m['n']}"
            )


if __name__ == "__main__":
    main()
