"""Errors that are given as two columns: one for each side, or the bounds of an interval."""

import numpy as np

from sspexplorer.catalogue.limits import is_sentinel

SIDES, BOUNDS = "sides", "bounds"
MOST_BETWEEN = 0.9  # of the values lie between bounds; a 68 % interval is drawn about its own value


def sigma(lower: np.ndarray, upper: np.ndarray, kind: str) -> np.ndarray:
    """1σ errors of two columns, NaN where neither says any.

    Parameters
    ----------
    lower, upper : ndarray
    kind : str
        :data:`SIDES`, the error on each side, of either sign: their mean, or the one that is
        there. :data:`BOUNDS`, the 16th and 84th percentiles or the like: half their distance.
    """
    lower, upper = (np.where(is_sentinel(x), np.nan, x) for x in (lower, upper))
    if kind == BOUNDS:
        return np.abs(upper - lower) / 2
    lower, upper = np.abs(lower), np.abs(upper)
    mean = (lower + upper) / 2
    return np.where(np.isnan(mean), np.fmax(lower, upper), mean)


def kind_of(values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> str:
    """What two columns are whose names do not say: bounds, if nine in ten values lie between."""
    inside, known = between(values, lower, upper)
    return BOUNDS if known and inside >= MOST_BETWEEN * known else SIDES


def between(values: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> tuple[int, int]:
    """How many values lie between two others, and how many have both."""
    known = np.isfinite(values) & np.isfinite(lower) & np.isfinite(upper) & ~is_sentinel(values)
    values, lower, upper = values[known], lower[known], upper[known]
    inside = (np.minimum(lower, upper) <= values) & (values <= np.maximum(lower, upper))
    return int(inside.sum()), int(known.sum())
