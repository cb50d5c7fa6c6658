"""Regions that are drawn on a picture, and which points are inside."""

from collections.abc import Sequence

import numpy as np

MAX_CORNERS = 60
DIGITS = 6


def corners_of(bounds: Sequence[float]) -> np.ndarray:
    """Corners (4, 2) of a box, in order, from its left, lower, right and upper end."""
    x0, y0, x1, y1 = bounds
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=float)


def simple_outline(outline: np.ndarray) -> np.ndarray:
    """Outline that is short enough to be written down, and stays what it is when it is read.

    Parameters
    ----------
    outline : ndarray, shape (m, 2)

    Returns
    -------
    ndarray, shape (at most :data:`MAX_CORNERS`, 2)
        Corners evenly chosen of the others, with :data:`DIGITS` significant digits.
    """
    few = np.unique(np.linspace(0, len(outline) - 1, min(len(outline), MAX_CORNERS)).round())
    return np.array([[float(f"{v:.{DIGITS}g}") for v in outline[int(k)]] for k in few])


def inside(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Tell which points of the plane lie within a closed outline.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        NaN is outside.
    outline : ndarray, shape (m, 2)
        Corners in order; it may cross itself (even-odd rule).

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    result = np.zeros(len(points), bool)
    low, high = outline.min(axis=0), outline.max(axis=0)
    near = np.flatnonzero(((points >= low) & (points <= high)).all(axis=1))
    x, y = points[near].T
    odd = np.zeros(len(near), bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:
            odd ^= ((y0 > y) != (y1 > y)) & (x < x0 + (x1 - x0) * (y - y0) / (y1 - y0))
    result[near] = odd
    return result
