"""Scores of likeness: what is usual at a signal-to-noise ratio, with lines as strong."""

from functools import cache

import numpy as np

from sspexplorer.bands import load_bands
from sspexplorer.gaps import row_median

SNR_EDGES = np.linspace(np.log10(1.5), np.log10(80), 15)
# Roughness of a mixture, see :func:`roughness`: between kinds, and typical of each: as good as no
# lines, some, strong ones.
_FEWEST = 50  # mocks that quantiles are taken of
_NARROW, _FAINTEST = 250.0, 1e-3  # Å, and a part of the brightest band
KIND_EDGES, KINDS = (0.045, 0.11), (0.028, 0.07, 0.2)
LEVELS = np.concatenate([np.linspace(0, 0.99, 100), 1 - np.logspace(-2.1, -4, 40)])


def quantile(
    table: np.ndarray, beside: list[tuple[np.ndarray, np.ndarray]], level: np.ndarray | int
) -> np.ndarray:
    """A quantile of each galaxy, (n,), between those of the rows that it lies between."""
    rows = table.reshape(-1, len(LEVELS))
    return sum((share * rows[row, level] for row, share in beside), np.zeros(1))


def level_of(
    table: np.ndarray, score: np.ndarray, beside: list[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Levels at which the quantiles of each row reach its score, between them linear."""
    # The last quantile that is not above the score, found by halving.
    first, beyond = np.zeros(len(score), dtype=int), np.full(len(score), len(LEVELS))
    for _ in range(len(LEVELS).bit_length()):
        middle = (first + beyond) // 2
        above = quantile(table, beside, np.minimum(middle, len(LEVELS) - 1)) > score
        first, beyond = np.where(above, first, middle), np.where(above, middle, beyond)
    first = np.minimum(first, len(LEVELS) - 2)
    ends = [quantile(table, beside, first + side) for side in (0, 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        way = np.where(ends[1] > ends[0], (score - ends[0]) / (ends[1] - ends[0]), 1.0)
    return LEVELS[first] + np.clip(way, 0, 1) * (LEVELS[first + 1] - LEVELS[first])


def typical_snr(flux: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Median signal-to-noise ratio of the bands that are there, shape (n,), at least 0.1."""
    with np.errstate(all="ignore"):
        ratio = row_median(flux / np.where(error > 0, error, np.nan))
    return np.maximum(np.nan_to_num(ratio, nan=0.1), 0.1)


def roughness(flux: np.ndarray) -> np.ndarray:
    """How far narrow bands stand out of the mean of their neighbours, in ln F_ν, shape (n,).

    A few hundredths by the absorption lines of stars, far more by emission lines.

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        Noise-free F_ν, on any scale.
    """
    narrow = flux[:, _narrow_bands()]
    faintest = _FAINTEST * np.abs(narrow).max(axis=1, keepdims=True)
    logs = np.log(np.maximum(narrow, np.maximum(faintest, np.finfo(float).tiny)))
    out = logs[:, 1:-1] - (logs[:, 2:] + logs[:, :-2]) / 2
    return np.maximum(np.sqrt(np.square(out).mean(axis=1)), 1e-6)


@cache
def _narrow_bands() -> np.ndarray:
    bands = load_bands()
    order = np.argsort(bands.pivot)
    widths = np.array([np.ptp(grid[values > values.max() / 2]) for grid, values in bands.curves])
    return order[widths[order] < _NARROW]


def quantiles_of(score: np.ndarray, snr: np.ndarray, rough: np.ndarray) -> np.ndarray:
    """Quantiles of scores by kind and signal-to-noise ratio, shape (n_kinds, 14, 140)."""
    n_bins = len(SNR_EDGES) - 1
    index = np.clip(np.digitize(np.log10(snr), SNR_EDGES) - 1, 0, n_bins - 1)
    kind = np.digitize(rough, KIND_EDGES)
    quantiles = np.empty((len(KINDS), n_bins, len(LEVELS)), dtype=np.float32)
    for k, place in np.ndindex(len(KINDS), n_bins):
        here = index == place
        alike = here & (kind == k)
        quantiles[k, place] = np.quantile(score[alike if alike.sum() > _FEWEST else here], LEVELS)
    return quantiles
