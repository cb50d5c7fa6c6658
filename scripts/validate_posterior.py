"""Learn how like its training a galaxy must be, and test all that a posterior model promises.

    python scripts/validate_posterior.py ssp|galaxy [--folder FOLDER] [--mocks N]
        [--only likeness|growth]

Writes likeness.safetensors and trust.json beside the weights in data/models/NAME, and for a model
that reaches far likeness_nearby.safetensors, of the galaxies that are nearby. What likeness there
is already is kept.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer.galaxies import EVEN
from sspexplorer.noise import NoiseModel
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.posterior import likeness
from sspexplorer.posterior.growth import tells_growth
from sspexplorer.posterior.likeness import Likeness, learn_likeness
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.training import Prior
from sspexplorer.posterior.validation import comparisons
from sspexplorer.posterior.validation.calibration import (
    CURVE_LEVELS,
    expected_coverage,
    ranks,
    tarp,
)
from sspexplorer.posterior.validation.growth import measure_growth
from sspexplorer.posterior.validation.outliers import MAGNITUDE, measure_outliers
from sspexplorer.posterior.validation.trust import (
    N_RANK_BINS,
    SEED,
    Trust,
    answers,
    held_out,
    measure_derived,
    measure_distances,
    measure_gaps,
    measure_magnitudes,
    measure_photoz,
    measure_redshifts,
)
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path
from sspexplorer.shipped import posterior_names

TEMPLATES = {"ssp": 20_000, "galaxy": 40_000}
MOCKS = {"ssp": 26_000, "galaxy": 13_000}
N_SCORED = 15_000  # held-out populations that p-values are learnt from
P_BINS = np.array([0, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])


def likeness_of(
    folder: Path, name: str, card: dict, *, nearby: bool = False, say: Callable[[str], None]
) -> Likeness:
    """Likeness that a folder has; else from populations of the training and held-out ones."""
    file = likeness.NEARBY if nearby else likeness.FILE
    if not (folder / file).is_file():
        say(f"learning {file}")
        prior = prior_of(card)
        if nearby:
            prior = replace(prior, max_redshift=MAX_REDSHIFT)
        learned(name, prior, NoiseModel.from_dict(card["noise"])).save(folder, file)
    return Likeness.load(folder, file)


def learned(name: str, prior: Prior, noise: NoiseModel) -> Likeness:
    """Likeness from the first populations of a prior and held-out ones."""
    training = prior.draw(TEMPLATES[name], seed=SEED + 1)
    return learn_likeness(
        training,
        prior.draw(N_SCORED, seed=SEED + 2, held_out=True),
        noise,
        n_templates=len(training),
    )


def rank_table(rank: np.ndarray, names: tuple[str, ...]) -> pd.DataFrame:
    """Histogram of ranks."""
    edges = np.linspace(0, 1, N_RANK_BINS + 1)
    rows = [
        (name, (low + high) / 2, int(count))
        for k, name in enumerate(names)
        for low, high, count in zip(
            edges[:-1], edges[1:], np.histogram(rank[:, k], edges)[0], strict=True
        )
    ]
    return pd.DataFrame(rows, columns=["parameter", "rank", "count"])


def p_table(p_values: dict[str, list[float]]) -> pd.DataFrame:
    """Histogram of the p-values of each kind."""
    rows = [
        (kind, float(low), float(high), float(count) / len(p))
        for kind, p in p_values.items()
        for low, high, count in zip(
            P_BINS[:-1], P_BINS[1:], np.histogram(p, P_BINS)[0], strict=True
        )
    ]
    table = pd.DataFrame(rows, columns=["kind", "p_low", "p_high", "share"])
    return table.assign(p=(table["p_low"] + table["p_high"]) / 2)


def main() -> None:
    """Test and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=posterior_names())
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--mocks", type=int, help="how many, else of each model's own number")
    parser.add_argument("--only", choices=("likeness", "growth"))
    options = parser.parse_args()
    name, n = options.name, options.mocks or MOCKS[options.name]
    folder = options.folder or data_path("models", name)
    model = PosteriorModel.load(folder)
    prior = prior_of(model.card)
    if options.only == "growth":
        replace(Trust.load(folder), growth=measure_growth(model, n)).save(folder)
        return
    noise = NoiseModel.from_dict(model.card["noise"])
    say = lambda words: print(words, flush=True)  # noqa: E731
    alike = [(prior, likeness_of(folder, name, model.card, say=say))]
    if model.reach.far:
        near = replace(prior, max_redshift=MAX_REDSHIFT)
        alike.insert(0, (near, likeness_of(folder, name, model.card, nearby=True, say=say)))
    if options.only:
        return
    tables = []
    for of, own in alike:
        say(f"outliers to redshift {of.max_redshift:g}")
        bright = held_out(model, of, 2000, magnitudes=(MAGNITUDE,), seed=SEED + 3)
        tables.append(
            measure_outliers(own, bright, noise, progress=Progress(lambda _, kind: say(kind)))
        )
    outliers = pd.concat(
        [
            table.assign(to=of.max_redshift)
            for (of, _), (table, _) in zip(alike, tables, strict=True)
        ]
    )
    p_values = tables[0][1]
    say("magnitudes")
    mocks = held_out(model, prior, n)
    mixture = answers(model, mocks)
    magnitudes = measure_magnitudes(model, mocks)
    say("gaps")
    gaps = measure_gaps(model, mocks)
    say("redshifts")
    redshifts, photoz = measure_redshifts(model, mocks), measure_photoz(model, mocks)
    far = pd.DataFrame()
    if model.reach.far:
        say("distances")
        # As many at each redshift.
        even = held_out(model, replace(prior, pivot=EVEN), 3 * n, seed=SEED + 4)
        far = measure_distances(model, even)
    say("comparisons")
    others = {
        other: PosteriorModel.load(folder if other == name else data_path("models", other))
        for other in posterior_names()
        if other == name or data_path("models", other).is_dir()
    }
    fractions = tarp(mixture.rows(slice(0, 8000)), mocks.true[:8000])
    trust = Trust(
        model=name,
        magnitudes=magnitudes,
        gaps=gaps,
        redshifts=redshifts,
        photoz=photoz,
        outliers=outliers,
        exact=comparisons.measure_exact(model) if name == "ssp" else pd.DataFrame(),
        lines=comparisons.measure_lines(others),
        singles=comparisons.measure_singles(others),
        ranks=rank_table(ranks(mixture, mocks.true), mixture.bounds.names),
        tarp=pd.DataFrame({"level": CURVE_LEVELS, "coverage": expected_coverage(fractions)}),
        p_values=p_table(p_values),
        n_mocks=len(mocks),
        command=f"python scripts/validate_posterior.py {name}",
        distances=far,
        derived=measure_derived(model, mocks) if name == "galaxy" else pd.DataFrame(),
        growth=measure_growth(model, n) if tells_growth(model) else pd.DataFrame(),
    )
    trust.save(folder)
    for table in (
        "outliers",
        "magnitudes",
        "gaps",
        "redshifts",
        "photoz",
        "distances",
        "derived",
        "growth",
        "exact",
        "lines",
        "singles",
    ):
        print(f"\n{table}\n{getattr(trust, table).round(3).to_string(index=False)}")


if __name__ == "__main__":
    main()
