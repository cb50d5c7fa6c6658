"""Means of any number of points in the cells of a picture, and lines seen on top of them."""

from collections.abc import Hashable, Iterable, Sequence
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
    columns: Sequence[Hashable],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    shape: tuple[int, int],
) -> np.ndarray:
    """Average a column over cells.

    Parameters
    ----------
    points : DataFrame, n rows
    columns : sequence
        Names of the columns for x, y and the value.
    x_range, y_range : tuple of float
    shape : tuple of int
        Rows by columns.

    Returns
    -------
    ndarray, shape ``shape``
        The lowest row first; NaN where there are no points.
    """
    if not len(points):
        return np.full(shape, np.nan)
    # Imports numba, which takes two seconds that the rest of the app should not wait for.
    import datashader

    # As it was compiled for, names included: for others a picture would wait a third of a second.
    drawn = {
        as_compiled: np.ascontiguousarray(points[name], dtype=float)
        for as_compiled, name in zip(("x", "y", "value"), columns, strict=True)
    }
    frame, canvas = pd.DataFrame(drawn, copy=False), canvas_of(x_range, y_range, shape)
    return canvas.points(frame, "x", "y", datashader.mean("value")).values


def canvas_of(
    x_range: tuple[float, float], y_range: tuple[float, float], shape: tuple[int, int]
) -> Any:
    """Datashader's canvas of ``shape`` (rows by columns), on which nothing is compiled anew.

    A browser says a whole number of the end of an axis, and for whole numbers all would be compiled
    once more.
    """
    import datashader

    ends = [tuple(map(float, axis)) for axis in (x_range, y_range)]
    return datashader.Canvas(shape[1], shape[0], *ends)


def compile_means() -> None:
    """Average two points, once per process: the first time takes a second or two."""
    points = pd.DataFrame({"x": [0.25, 0.75], "y": [0.25, 0.75], "value": [1.0, 2.0]})
    mean_cells(points, ["x", "y", "value"], (0.0, 1.0), (0.0, 1.0), (2, 2))


def shaded_means(
    points: pd.DataFrame,
    dimensions: Sequence[hv.Dimension | str],
    limits: tuple[tuple[float, float], tuple[float, float]],
    bright: hv.streams.Stream | None = None,
) -> hv.DynamicMap:
    """Draw the mean of a column in cells, made anew at every zoom; lone cells are made larger.

    Parameters
    ----------
    points : DataFrame
        Three columns: x, y and the value.
    dimensions : sequence
        Of the image: x, y and the value.
    limits : tuple
        Of both axes, at first.
    bright : Pipe, optional
        Index of the rows that are drawn, None for all.
    """
    from holoviews.operation.datashader import dynspread

    columns = [np.ascontiguousarray(points.iloc[:, i], dtype=float) for i in range(3)]

    def draw(
        x_range: tuple[float, float] | None,
        y_range: tuple[float, float] | None,
        width: int | None,
        height: int | None,
        scale: float,
        data: np.ndarray | None = None,
    ) -> hv.Image:
        rows = slice(None) if data is None else points.index.isin(data)
        seen = pd.DataFrame({i: column[rows] for i, column in enumerate(columns)}, copy=False)
        across, up = x_range or limits[0], y_range or limits[1]
        cells = mean_cells(seen, (0, 1, 2), across, up, (height or 400, width or 400))
        bounds = (across[0], up[0], across[1], up[1])
        return hv.Image(cells[::-1], list(dimensions[:2]), dimensions[2], bounds=bounds)

    view = hv.streams.RangeXY(x_range=limits[0], y_range=limits[1])
    streams = [view, hv.streams.PlotSize(), *([] if bright is None else [bright])]
    return dynspread(hv.DynamicMap(draw, streams=streams), threshold=0.6, max_px=2)


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
