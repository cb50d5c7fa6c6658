"""A posterior model against Bagpipes, a nested sampler, on galaxies that Bagpipes made.

    python benchmarks/against_bagpipes.py [--folder MODEL] [--keep FOLDER] [--docs]

Twenty galaxies at z = 0.02 to 0.8 and i = 18 to 21: Bagpipes' BC03, delayed and double-power-law
histories, Calzetti dust, gas, and noise of the survey. Each is fitted with the history and the laws
that made it, priors being as like those of the model as Bagpipes has them: by Bagpipes' likelihood,
tabulated (``bagpipes_tabulated.py``), and its sampler, nautilus, with points enough. Each third is
fitted again with what the training of the model doubts, zero points and stars; and some
(``--alone``) by Bagpipes as it comes, for the time that it takes. A fit takes minutes: those in the
folder of ``--keep`` are not done again. ``--docs`` writes the tables into docs/comparison.md.

Bagpipes is no dependency of ours, as its grids are 250 MB: ``pip install bagpipes==1.3.6``.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
import torch
from bagpipes_fits import LEVELS, QUANTITIES, RESOLUTION, at_work, fit_of, made

from sspexplorer.constants import MAG_TO_RELATIVE
from sspexplorer.labels import minus
from sspexplorer.masses import Cosmology
from sspexplorer.models import load_model, predict_rows
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.observing import Observing
from sspexplorer.posterior.taken import Choices

PAGE = Path(__file__).resolve().parents[1] / "docs" / "comparison.md"
RUNS = {
    "own": "Bagpipes sure of its stars and zero points",
    "doubts": "Bagpipes with the doubts of `galaxy`",
}
# Bagpipes' cosmology (utils.py), and its unit of flux in erg s⁻¹ cm⁻² Hz⁻¹.
COSMOLOGY, MICROJANSKY = Cosmology(70.0, 0.3), 1e-29
SOME = 3  # each third galaxy is fitted again, with doubts
_TIMED_ROWS = 2000


def doubts_of(estimator: Estimator) -> np.ndarray:
    """Covariance (57, 57) of what the training of a model has the logs of fluxes off by."""
    observer = Observing.of(estimator.card).observer(1, estimator.model.reach)
    return np.cov(MAG_TO_RELATIVE * observer.off(64_000).numpy().T)


def ours(estimator: Estimator, mocks: list) -> tuple[dict[str, np.ndarray], pd.DataFrame, float]:
    """Quantiles (n, 3) of :data:`QUANTITIES`, the whole table, and seconds for a galaxy."""
    flux, error = (MICROJANSKY * np.array([m[k] for m in mocks]) for k in ("flux", "error"))
    redshift = np.array([mock["redshift"] for mock in mocks])
    choices = Choices(floor=0.0, cosmology=COSMOLOGY)

    def predicted(times: int) -> pd.DataFrame:
        many = [np.concatenate([one] * times) for one in (flux, error, redshift)]
        return predict_rows(estimator, *many, absolute=True, choices=choices).table

    table, times = predicted(1), -(-_TIMED_ROWS // len(mocks))
    begun = time.process_time()
    predicted(times)
    seconds = (time.process_time() - begun) / (times * len(mocks))
    labels = [f"p{100 * level:.0f}" for level in LEVELS]
    found = {q: table[[f"pred_{q}_{label}" for label in labels]].to_numpy() for q in QUANTITIES}
    return found, table, seconds


def compared(mocks: list, fits: Mapping[int, dict], own: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What the table says of each quantity, of the galaxies with fits."""
    rows, which = {}, list(fits)
    for name in QUANTITIES:
        theirs = np.array([fits[i]["quantiles"][name] for i in which])
        true = np.array([mocks[i]["truth"][name] for i in which])
        mine = own[name][which]
        known = np.isfinite(mine[:, 1])
        a, b, true = mine[known], theirs[known], true[known]
        width_a, width_b = ((one[:, 2] - one[:, 0]) / 2 for one in (a, b))
        off = a[:, 1] - b[:, 1]
        pull = np.abs(off) / np.hypot(width_a, width_b)
        row = {"n": int(known.sum()), "difference": np.median(off)}
        row |= {f"within {k}": np.mean(pull < k) for k in (1, 2)}
        row["ratio"] = np.median(width_a / width_b)
        for who, one in (("ours", a), ("theirs", b)):
            row[f"scatter {who}"] = 1.4826 * np.median(np.abs(one[:, 1] - true))
            row[f"width {who}"] = np.median((one[:, 2] - one[:, 0]) / 2)
            row[f"covered {who}"] = np.mean((one[:, 0] <= true) & (true <= one[:, 2]))
        rows[name] = row
    return pd.DataFrame(rows).T


def table_of(found: pd.DataFrame) -> str:
    """Markdown of :func:`compared`."""
    head = (
        "| | median difference | < 1σ, < 2σ | widths: `galaxy`, Bagpipes | ratio of widths "
        "| off the truth: `galaxy`, Bagpipes | truths in 68 %: `galaxy`, Bagpipes |"
    )
    rows = [head, "|---|---|---|---|---|---|---|"]
    for name, title in QUANTITIES.items():
        r = found.loc[name]
        few = f", {r['n']:.0f} of them" if r["n"] < found["n"].max() else ""
        shares = {k: f"{100 * r[k]:.0f} %" for k in r.index if k.startswith(("within", "covered"))}
        rows.append(
            f"| {title}{few} | {r['difference']:+.3f} | {shares['within 1']}, {shares['within 2']} "
            f"| {r['width ours']:.3f}, {r['width theirs']:.3f} | {r['ratio']:.2f} "
            f"| {r['scatter ours']:.3f}, {r['scatter theirs']:.3f} "
            f"| {shares['covered ours']}, {shares['covered theirs']} |"
        )
    return minus("\n".join(rows))


def ratios_of(found: Mapping[str, pd.DataFrame]) -> str:
    """Markdown of the ratios of widths of several runs."""
    rows = ["| ratio of widths | " + " | ".join(RUNS[run] for run in found) + " |"]
    rows.append("|---|" + "---|" * len(found))
    for name, title in QUANTITIES.items():
        cells = (f"{of.loc[name, 'ratio']:.2f}" for of in found.values())
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(rows)


def flags_of(mocks: list, table: pd.DataFrame) -> str:
    """What `galaxy` warns of."""
    limits = table["pred_log_sfr_p50"].isna().to_numpy()
    true = np.array([mock["truth"]["log_sfr"] for mock in mocks])
    held = (true <= table["pred_log_sfr"].to_numpy())[limits].sum()
    unlike = table["pred_flag"].str.contains("unlike-training").sum()
    return (
        f"The star-formation rates of {limits.sum()} galaxies that may form no stars are upper "
        f"limits of 95 % (`star-formation-limit`), and left out; the truth is below {held} of "
        f"them. As unlike the training `galaxy` flags {unlike} galaxies."
    )


def _thousands(number: float) -> str:
    """A number in two digits, its thousands apart."""
    return f"{float(f'{number:.2g}'):,.0f}".replace(",", " ")


def report(
    mocks: list, fits: Mapping[str, dict], alone: Mapping[int, dict], estimator: Estimator
) -> str:
    """All that goes into the documentation."""
    own, table, seconds = ours(estimator, mocks)
    parts = [
        f"{len(fits['own'])} galaxies:",
        table_of(compared(mocks, fits["own"], own)),
        flags_of([mocks[i] for i in fits["own"]], table.iloc[list(fits["own"])]),
    ]
    if fits["doubts"]:
        few = {"own": {i: fits["own"][i] for i in fits["doubts"]}, "doubts": fits["doubts"]}
        found = {run: compared(mocks, of, own) for run, of in few.items()}
        parts += [f"{len(few['own'])} of them, fitted in two ways:", ratios_of(found)]
    if alone:
        asked = np.mean([fit["seconds"] for fit in alone.values()])
        ratios = [
            np.ptp(fit["quantiles"][name]) / np.ptp(fits["own"][index]["quantiles"][name])
            for index, fit in alone.items()
            for name in QUANTITIES
        ]
        parts.append(
            f"Time for each on one core: `galaxy` {1e3 * seconds:.1f} ms, Bagpipes as it comes "
            f"(400 live points, measured on {len(alone)}) {asked:.0f} s, "
            f"{_thousands(asked / seconds)} times as long. Its widths there are "
            f"{np.median(ratios):.2f} times those of the tabulated likelihood (median of "
            f"{len(ratios)})."
        )
    return "\n\n".join(parts)


def filled(page: str, text: str) -> str:
    """Page with a text between the marks of this benchmark."""
    begin, end = "<!-- bagpipes:begin -->", "<!-- bagpipes:end -->"
    before, first, rest = page.partition(begin)
    _, last, after = rest.partition(end)
    if not (first and last):
        sys.exit(f"{PAGE.name} has lost its marks {begin} and {end}.")
    return f"{before}{begin}\n{text}\n{end}{after}"


def main() -> None:
    """Measure, print and, if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", default="galaxy", help="name or folder of the model")
    parser.add_argument("--keep", type=Path, default=Path("bagpipes_fits"), help="of the fits")
    parser.add_argument(
        "--alone", type=int, nargs="*", default=[6], help="which Bagpipes fits as it comes"
    )
    parser.add_argument("--live", type=int, default=200, help="live points of the sampler")
    parser.add_argument("--galaxies", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--docs", action="store_true", help="write docs/comparison.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    estimator = load_model(options.folder)
    covariance, keep = doubts_of(estimator), options.keep.resolve()
    keep.mkdir(parents=True, exist_ok=True)
    with at_work() as (bagpipes, curves):
        mocks = made(bagpipes, options.galaxies, options.seed, curves)

        def fitted(run: str, rows: Iterable[int]) -> dict[int, dict]:
            told = {"n_live": options.live, "resolution": RESOLUTION}
            return {
                i: fit_of(bagpipes, keep, i, run, {"mock": mocks[i]} | told, covariance, curves)
                for i in rows
            }

        number = range(options.galaxies)
        fits = {"own": fitted("own", number), "doubts": fitted("doubts", number[::SOME])}
        alone = fitted("alone", options.alone)
    text = report(mocks, fits, alone, estimator)
    print(text)
    if options.docs:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
