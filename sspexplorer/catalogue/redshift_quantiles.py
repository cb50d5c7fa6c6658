"""A full p(z) as quantiles in columns: which they are by their names, and what rows make of them.

Between the quantiles that a table has, the redshift is taken as linear in the normal score Φ⁻¹(p),
which is exact for a normal distribution and follows one that is skew or has two peaks.
"""

import re
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

# Redshifts that stand for a p(z), all as likely.
N_NODES = 12
# With fewer there is only a width, which an error says as well.
LEAST_QUANTILES = 3
_BODY = (0.25, 0.75)  # a p(z) has quantiles on both sides of these

_LEVEL = r"_?(?:pdf_?)?(?:[pq]_?(\d{1,3})|(\d{3}))"
_MIDDLE = r"_?(pdf_?)?([pq]_?)?(50|500|median|med|best|ml|mode|peak|mean)$"


def quantile_columns(simple: dict[str, str], redshift: str) -> tuple[tuple[float, str], ...]:
    """Columns with quantiles of a redshift, and their probabilities, in order; () without.

    Parameters
    ----------
    simple : dict of str to str
        Simplified names of columns by their names.
    redshift : str
        One of them.

    Examples
    --------
    >>> names = ["photoz", "photoz_p05", "photoz_p50", "photoz_p95"]
    >>> quantile_columns(dict(zip(names, names)), "photoz")
    ((0.05, 'photoz_p05'), (0.5, 'photoz_p50'), (0.95, 'photoz_p95'))
    """
    stem = re.escape(re.sub(_MIDDLE, "", simple[redshift]))
    found: dict[float, str] = {}
    for name, plain in simple.items():
        if match := re.fullmatch(stem + _LEVEL, plain):
            digits = match[1] or match[2]
            level = int(digits) / (1000 if len(digits) == 3 else 100)
            if 0 < level < 1:
                found.setdefault(level, name)
    levels = sorted(found)
    if len(levels) < LEAST_QUANTILES or levels[0] > _BODY[0] or levels[-1] < _BODY[1]:
        return ()
    return tuple((level, found[level]) for level in levels)


def nodes(levels: Sequence[float], values: np.ndarray) -> np.ndarray:
    """Redshifts that stand for each p(z), all as likely, shape (n, 12).

    Parameters
    ----------
    levels : sequence of float
        Probabilities, rising.
    values : ndarray, shape (n, n_levels)
        Redshifts that are exceeded by one less that.

    Returns
    -------
    ndarray
        NaN where a quantile is missing, or they do not rise.
    """
    known = np.isfinite(values).all(axis=1) & (np.diff(values, axis=1) >= 0).all(axis=1)
    scores = ndtri(np.asarray(levels))
    wanted = ndtri((np.arange(N_NODES) + 0.5) / N_NODES)
    # Beyond the first and the last quantile it goes on as between the two next to it.
    left = np.clip(np.searchsorted(scores, wanted) - 1, 0, len(scores) - 2)
    share = (wanted - scores[left]) / (scores[left + 1] - scores[left])
    found = values[:, left] * (1 - share) + values[:, left + 1] * share
    return np.where(known[:, None], found, np.nan)
