"""Metrics against magnitude with their errors: how predictions fade with the light."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sspexplorer.metrics import NMAD_TO_SIGMA, OUTLIER_LIMIT, summary
from sspexplorer.mocks import PARAMETERS

_COLUMNS = ["run", "parameter", "magnitude", "bias", "sigma_nmad", "outlier_fraction"]
_COLUMNS += ["pearson", "r2", "rmse", "n"]


def metrics_by_magnitude(table: pd.DataFrame, run: str, *, n_draws: int = 100) -> pd.DataFrame:
    """Metrics of each parameter at each magnitude, with their standard errors.

    Mocks of one SSP share what a network gets wrong about it, so errors are those of drawing
    whole SSPs anew (bootstrap), and larger than if mocks were independent.

    Parameters
    ----------
    table : DataFrame
        As of :func:`~sspexplorer.analysis.held_out.density_table`.
    run : str
        What to call it: a model, or a method.
    n_draws : int
        Bootstrap samples.

    Returns
    -------
    DataFrame
        A row for each magnitude and parameter: ``run``, ``parameter``, ``magnitude``, the keys of
        :class:`~sspexplorer.metrics.Summary`, and ``…_err`` for each of ``bias``, ``sigma_nmad``,
        ``outlier_fraction``, ``pearson`` and ``r2``.
    """
    rows = []
    for magnitude, mocks in table.groupby("magnitude"):
        groups = np.unique(mocks["ssp"].cat.codes.to_numpy(), return_inverse=True)[1]
        for name in PARAMETERS:
            predicted, true = mocks[f"pred_{name}"].to_numpy(), mocks[name].to_numpy()
            row = {"run": run, "parameter": name, "magnitude": float(magnitude)}
            errors = _bootstrap_errors(predicted, true, groups, n_draws)
            rows.append(row | summary(predicted, true) | errors)
    return pd.DataFrame(rows, columns=None if rows else _COLUMNS)


def metrics_of_card(card: Mapping[str, Any], split: str, run: str) -> pd.DataFrame:
    """Metrics by magnitude that are on the card of a model, as :func:`metrics_by_magnitude`.

    Without errors; empty if the card has none of this split.
    """
    found = card.get("metrics", {}).get(split, {}).get("by_magnitude", {})
    rows = [
        {"run": run, "parameter": name, "magnitude": float(magnitude), **of_parameter[name]}
        for magnitude, of_parameter in found.items()
        for name in PARAMETERS
    ]
    return pd.DataFrame(rows, columns=None if rows else _COLUMNS)


def _bootstrap_errors(
    predicted: np.ndarray, true: np.ndarray, groups: np.ndarray, n_draws: int
) -> dict[str, float]:
    """Standard errors of metrics, from drawing whole groups anew."""
    ok = np.isfinite(predicted) & np.isfinite(true)
    predicted, true, groups = predicted[ok], true[ok], groups[ok]
    if not len(true):
        return {}
    n_groups = groups.max() + 1
    rng = np.random.default_rng(0)
    weights = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_draws)
    delta = predicted - true
    # The centre is held: the scatter about it changes only in second order with it.
    from_centre = np.abs(delta - np.median(delta))
    draws = {
        "bias": _weighted_medians(delta, groups, weights),
        "sigma_nmad": NMAD_TO_SIGMA * _weighted_medians(from_centre, groups, weights),
    }
    x, y = predicted - predicted.mean(), true - true.mean()
    products = (np.ones(len(x)), x, y, x * x, y * y, x * y, np.abs(delta) > OUTLIER_LIMIT, delta**2)
    n, sx, sy, sxx, syy, sxy, outliers, squares = (
        weights @ np.bincount(groups, values, n_groups) for values in products
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = syy - sy**2 / n
        draws["outlier_fraction"] = outliers / n
        draws["pearson"] = (sxy - sx * sy / n) / np.sqrt((sxx - sx**2 / n) * spread)
        draws["r2"] = 1 - squares / spread
    return {f"{name}_err": float(np.std(values)) for name, values in draws.items()}


def _weighted_medians(values: np.ndarray, groups: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Median of values for each row of ``weights``, how often each group is taken."""
    order = np.argsort(values)
    taken = np.cumsum(weights[:, groups[order]], axis=1, dtype=np.int32)
    middle = np.argmax(2 * taken >= taken[:, -1:], axis=1)
    return values[order][middle]
