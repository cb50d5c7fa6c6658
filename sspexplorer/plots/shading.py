"""Means of any number of points in the cells of a picture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

# Colour of cells without points.
CLEAR = {"NaN": (0, 0, 0, 0)}


def mean_cells(
    points: pd.DataFrame,
    columns: Sequence[str],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    shape: tuple[int, int],
) -> np.ndarray:
    """Average a column over cells.

    Parameters
    ----------
    points : DataFrame, n rows
    columns : sequence of str
        Names of the columns for x, y and the value.
    x_range, y_range : tuple of float
    shape : tuple of int
        Rows by columns.

    Returns
    -------
    ndarray, shape ``shape``
        The lowest row first; NaN where there are no points.
    """
    # Imports numba, which takes two seconds that the rest of the app should not wait for.
    import datashader

    x, y, value = columns
    if not len(points):
        return np.full(shape, np.nan)
    canvas = datashader.Canvas(shape[1], shape[0], x_range, y_range)
    return canvas.points(points[[x, y, value]], x, y, datashader.mean(value)).values


def compile_means() -> None:
    """Average two points, once per process: the first time takes a second or two."""
    points = pd.DataFrame({"x": [0.25, 0.75], "y": [0.25, 0.75], "value": [1.0, 2.0]})
    mean_cells(points, ["x", "y", "value"], (0.0, 1.0), (0.0, 1.0), (2, 2))
