"""What a posterior model has promised, and whether its tests say that it was kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer.mocks import PARAMETERS
from sspexplorer.posterior.validation.trust import Trust

OVERALL_68 = (0.66, 0.70)
EVERY_68 = (0.63, 0.73)
EVERY_95 = (0.93, 0.97)
EXACT_RATIO = 1.10
GAP_GROWTH = {"10 at random": 0.15, "as in SDSS spectra": 0.25}
REDSHIFT_RATIO = 1.15
LEAST_AUC = 0.95
# Of the promises at each redshift.
DISTANT_MAGNITUDES = (17.0, 22.0)


@dataclass(frozen=True)
class Promise:
    """One promise and its test.

    Attributes
    ----------
    what : str
        What was promised, with its limit.
    found : str
        The figures that were measured.
    kept : bool
    """

    what: str
    found: str
    kept: bool


def promises(trust: Trust) -> list[Promise]:
    """Every promise of a model, in the order of its tests."""
    return [*_coverage(trust), *_exact(trust), *_gaps(trust), *_redshift(trust), *_outliers(trust)]


def _in_order(table: pd.DataFrame, column: str) -> np.ndarray:
    return table.set_index("parameter")[column][list(PARAMETERS)].to_numpy(float)


def _three(values: np.ndarray, form: str) -> str:
    return ", ".join(format(value, form) for value in values).replace("-", "−")


def _within(values: np.ndarray, limits: tuple[float, float]) -> bool:
    return bool((values >= limits[0]).all() and (values <= limits[1]).all())


def _coverage(trust: Trust) -> Iterator[Promise]:
    table = trust.magnitudes
    whole, bins = table[table["magnitude"].isna()], table[table["magnitude"].notna()]
    for column, level, overall, every in (
        ("coverage_68", "68 %", OVERALL_68, EVERY_68),
        ("coverage_95", "95 %", EVERY_95, EVERY_95),
    ):
        values = _in_order(whole, column)
        yield Promise(
            f"The {level} interval holds {overall[0]:.0%} to {overall[1]:.0%} of the truths",
            _three(values, ".1%"),
            _within(values, overall),
        )
        values = bins[column].to_numpy(float)
        inside = ((values >= every[0]) & (values <= every[1])).sum()
        yield Promise(
            f"… and {every[0]:.0%} to {every[1]:.0%} at every magnitude",
            f"{values.min():.1%} to {values.max():.1%}; {inside} of {len(values)} within",
            _within(values, every),
        )


def _exact(trust: Trust) -> Iterator[Promise]:
    if len(trust.exact):
        ratios = trust.exact["ratio"]
        yield Promise(
            f"RMSE at most {EXACT_RATIO:.2f} × that of the exact posterior (z = 0, i = 20, 21, 22)",
            f"{ratios.min():.3f} to {ratios.max():.3f}",
            bool((ratios <= EXACT_RATIO).all()),
        )


def _gaps(trust: Trust) -> Iterator[Promise]:
    for gap, limit in GAP_GROWTH.items():
        table = trust.gaps[trust.gaps["gap"] == gap]
        growth, coverage = _in_order(table, "growth"), _in_order(table, "coverage_68")
        yield Promise(
            f"Bands missing, {gap}: at most {limit:+.0%} scatter",
            _three(growth, "+.0%"),
            bool((growth <= limit).all()),
        )
        yield Promise(
            f"… and the 68 % interval holds {EVERY_68[0]:.0%} to {EVERY_68[1]:.0%}",
            _three(coverage, ".1%"),
            _within(coverage, EVERY_68),
        )


def _redshift(trust: Trust) -> Iterator[Promise]:
    if len(trust.distances):
        yield from _distances(trust.distances)
        return
    given = trust.redshifts[trust.redshifts["known"] == "given"]
    worst = given.groupby("parameter")["ratio"].max()[list(PARAMETERS)].to_numpy(float)
    yield Promise(
        f"Redshift given: scatter at any at most {REDSHIFT_RATIO:.2f} × that at 0",
        _three(worst, ".2f"),
        bool((worst <= REDSHIFT_RATIO).all()),
    )


def _distances(table: pd.DataFrame) -> Iterator[Promise]:
    """Of a model that reaches far: its scatter grows with redshift, but intervals may hold."""
    table = table[table["magnitude"].between(*DISTANT_MAGNITUDES)]
    for column, overall, every in (
        ("coverage_68", OVERALL_68, EVERY_68),
        ("coverage_95", EVERY_95, EVERY_95),
    ):
        level = f"{column[-2:]} %"
        weighed = table.assign(held=table[column] * table["n"])
        fifths = weighed.groupby(["redshift", "parameter"])[["held", "n"]].sum()
        found = (fifths["held"] / fifths["n"]).to_numpy(float)
        yield Promise(
            f"The {level} interval holds {overall[0]:.0%} to {overall[1]:.0%} in each fifth of the "
            "redshifts",
            f"{found.min():.1%} to {found.max():.1%}",
            _within(found, overall),
        )
        cells = table[column].to_numpy(float)
        inside = int(((cells >= every[0]) & (cells <= every[1])).sum())
        yield Promise(
            f"… and {every[0]:.0%} to {every[1]:.0%} in each at each magnitude "
            f"{DISTANT_MAGNITUDES[0]:g} to {DISTANT_MAGNITUDES[1]:g}",
            f"{cells.min():.1%} to {cells.max():.1%}; {inside} of {len(cells)} within",
            _within(cells, every),
        )


def _among(row: dict) -> str:
    return f", redshifts to {row['to']:g}" if "to" in row else ""


def _outliers(trust: Trust) -> Iterator[Promise]:
    for row in trust.outliers.to_dict("records"):
        extra = ""
        if row["named"] is not None and np.isfinite(row["named"]):
            extra = f" ({row['named']:.1%} named)"
        yield Promise(
            f"AUC at least {LEAST_AUC:.2f} at i = 18{_among(row)}: {row['kind']}",
            f"{row['auc']:.3f}{extra}",
            row["auc"] >= LEAST_AUC,
        )
