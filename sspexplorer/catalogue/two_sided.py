"""Errors that are given as two columns: one for each side, or the bounds of an interval."""

import numpy as np

from sspexplorer.catalogue.limits import is_sentinel

SIDES, BOUNDS = "sides", "bounds"
_MOST = 0.9  # of the values lie between bounds; a 68 % interval is drawn about its own value


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
    known = np.isfinite(values) & np.isfinite(lower) & np.isfinite(upper) & ~is_sentinel(values)
    if not known.any():
        return SIDES
    values, lower, upper = values[known], lower[known], upper[known]
    between = (np.minimum(lower, upper) <= values) & (values <= np.maximum(lower, upper))
    return BOUNDS if between.mean() >= _MOST else SIDES
