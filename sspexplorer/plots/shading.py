"""Means of any number of points in the cells of a picture, and lines seen on top of them."""

from collections.abc import Iterable, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

# Colour of cells without points.
CLEAR = {"NaN": (0, 0, 0, 0)}

# White on dark is seen on every colour, and on both themes.
RIM = "#111318"


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


def line_options() -> list[Any]:
    """Options for :func:`rimmed_lines`; a function, as they can only be made for a backend."""
    common = {"apply_ranges": False, "nonselection_alpha": 1}
    return [
        hv.opts.Curve("Rim", color=RIM, line_width=3.6, **common),
        hv.opts.Curve("Line", color="#FFFFFF", line_width=1.5, **common),
    ]


def rimmed_lines(
    pieces: Iterable[tuple[np.ndarray, np.ndarray]], dimensions: Sequence[hv.Dimension | str]
) -> hv.Overlay:
    """Lines that are seen on everything, with :data:`line_options`.

    They are drawn as one line with gaps: many would cost more than all else in a picture.

    Parameters
    ----------
    pieces : iterable of (x, y)
        Each a line.
    dimensions : sequence
        Of x and y.
    """
    gap = np.full((2, 1), np.nan)
    line = np.concatenate([gap, *(part for piece in pieces for part in (piece, gap))], axis=1)
    rim, core = (hv.Curve(tuple(line), *dimensions, group=group) for group in ("Rim", "Line"))
    return rim * core
