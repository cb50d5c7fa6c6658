"""Densities of predicted against true parameters, for any number of mocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import CustomJS, FixedTicker, HoverTool

from sspexplorer.analysis.held_out import range_limits
from sspexplorer.labels import PARAMETER_LABELS, PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.plots.density_marks import reference_lines, write_words
from sspexplorer.plots.shading import canvas_of
from sspexplorer.plots.style import COLOUR_BAR, DENSITY_COLOURS, figure_options
from sspexplorer.plots.view import Ends, View

# Axis limits: all true values, and room for predictions beyond them.
LIMITS = {"log_age": (5.9, 10.6), "metallicity": (-2.7, 1.1), "ebv": (-0.12, 0.95)}
RESIDUAL_LIMITS = {"log_age": (-1.6, 1.6), "metallicity": (-1.6, 1.6), "ebv": (-0.32, 0.32)}


# Cells of two by two pixels: single mocks are still seen, and counts are counts.
_CELL_SIZE = 2
_RIM = "#111318"
_WRITTEN = ("corner", "ranges")
_NO_MEDIANS = pd.DataFrame(columns=["centre", "p25", "p50", "p75", "n"], dtype=float)


@dataclass(frozen=True)
class Compared:
    """What a picture is made of.

    Attributes
    ----------
    mocks : DataFrame
        See :func:`density_table`.
    medians : dict
        {parameter: DataFrame}, see :func:`medians_table`; none are drawn where there are none.
    corner : dict
        {parameter: what to write in the corner of its picture}.
    ranges : dict
        {parameter: what to write into each of its ranges}, see :func:`range_limits`.
    """

    mocks: pd.DataFrame
    medians: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    corner: Mapping[str, str] = field(default_factory=dict)
    ranges: Mapping[str, Sequence[str]] = field(default_factory=dict)


def density_picture(
    compared: Compared | hv.streams.Pipe,
    parameter: str,
    *,
    residual: bool = False,
    view: View | None = None,
) -> hv.DynamicMap:
    """Draw predicted against true as a density that is shaded anew at every zoom.

    Cells are coloured by the logarithm of the number of mocks in them. The line is where the
    prediction is the truth, and the dashes are at ±0.25, beyond which a mock is an outlier.

    Parameters
    ----------
    compared : Compared, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture, which follows what is sent through it.
    parameter : str
        One of :data:`~sspexplorer.mocks.PARAMETERS`.
    residual : bool
        Draw predicted − true and not the prediction itself. The medians must be of the same.
    view : View, optional
        Of it, and of others in common, see :func:`limits_of`.
    """
    pipe = compared if isinstance(compared, hv.streams.Pipe) else hv.streams.Pipe(data=compared)
    view = view or View(*limits_of(parameter, residual=residual))

    def draw(
        data: Compared,
        x_range: tuple[float, float] | None,
        y_range: tuple[float, float] | None,
        width: int | None,
        height: int | None,
        scale: float,
    ) -> hv.Overlay:
        shape = (_n_cells(height), _n_cells(width))
        x, y = _coordinates(data.mocks, parameter, residual)
        cells = _cells(x, y, x_range or view.ranges[0], y_range or view.ranges[1], shape)
        return cells * _medians(data.medians.get(parameter, _NO_MEDIANS))

    # The cells have these limits from the start, and the axes take them from the cells. Given as
    # xlim and ylim they would have everything drawn twice.
    ranges = view.stream()

    def write(plot: Any, element: hv.Overlay) -> None:
        view.attach(plot, ranges)
        corner, in_ranges = (getattr(pipe.data, what).get(parameter, "") for what in _WRITTEN)
        edges = [low for low, _ in range_limits(parameter)]
        write_words(plot, corner, in_ranges, edges, residual=residual)

    figure = figure_options(
        partial(reference_lines, parameter=parameter, residual=residual),
        write,
        xlabel=f"True {PARAMETER_LABELS[parameter]}",
        ylabel=_vertical_label(parameter, residual),
        show_legend=False,
        xticks=5,
        yticks=5,
    )
    return hv.DynamicMap(draw, streams=[pipe, ranges, hv.streams.PlotSize()]).opts(
        hv.opts.Image(tools=[_cell_hover(residual)], colorbar_opts=_colour_bar(), **_CELL_STYLE),
        hv.opts.Segments(color="colour", line_width="width", apply_ranges=False),
        hv.opts.Points(tools=[_median_hover()], **_MEDIAN_STYLE),
        hv.opts.Overlay(**figure),
    )


def limits_of(parameter: str, *, residual: bool = False) -> tuple[Ends, Ends]:
    """Ends of the axes of a picture: all of it is in view."""
    limits = LIMITS[parameter]
    return limits, RESIDUAL_LIMITS[parameter] if residual else limits


def compile_shading() -> None:
    """Shade two points, once per process: the first time takes a second or two."""
    _cells(np.array([0.25, 0.75]), np.array([0.25, 0.75]), (0.0, 1.0), (0.0, 1.0), (2, 2))


def _n_cells(pixels: int | None) -> int:
    """Cells along an axis; a browser has not told the size of a picture not yet seen."""
    return max(1, (pixels or 400) // _CELL_SIZE)


def _coordinates(
    mocks: pd.DataFrame, parameter: str, residual: bool
) -> tuple[np.ndarray, np.ndarray]:
    drawn = mocks[f"pred_{parameter}"].to_numpy()
    if residual:
        drawn = drawn - mocks[parameter].to_numpy()
    return mocks[f"shown_{parameter}"].to_numpy(), drawn


def _cells(
    x: np.ndarray,
    y: np.ndarray,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    shape: tuple[int, int],
) -> hv.Image:
    """Count points in cells. ``shape`` is rows by columns."""
    counts = np.zeros(shape, np.uint32)
    if len(x):
        points = pd.DataFrame({"x": x, "y": y}, copy=False)
        counts = canvas_of(x_range, y_range, shape).points(points, "x", "y").values
    bounds = (x_range[0], y_range[0], x_range[1], y_range[1])
    # Colours begin at one mock; a scale needs an end even where there are none.
    mocks = hv.Dimension("mocks", range=(1, max(2, int(counts.max()))))
    return hv.Image(counts[::-1], ["true", "drawn"], mocks, bounds=bounds)


def _vertical_label(parameter: str, residual: bool) -> str:
    if residual:
        return f"Predicted − true {PARAMETER_NAMES[parameter]} [{PARAMETER_UNITS[parameter]}]"
    return f"Predicted {PARAMETER_LABELS[parameter]}"


def _medians(table: pd.DataFrame) -> hv.Overlay:
    x, low, high = (table[column].to_numpy() for column in ("centre", "p25", "p75"))
    # Dark on white, so that they are seen on every colour and on both themes.
    style = [np.repeat(values, len(x)) for values in (["#FFFFFF", _RIM], [4.0, 1.6])]
    ends = [np.tile(values, 2) for values in (x, low, x, high)]
    bars = hv.Segments((*ends, *style), ["true", "p25", "same", "p75"], ["colour", "width"])
    return bars * hv.Points(table, ["centre", "p50"], ["p25", "p75", "n"])


_CELL_STYLE = {
    "cmap": list(DENSITY_COLOURS),
    "cnorm": "log",
    "clipping_colors": {"min": (0, 0, 0, 0)},
    "colorbar": True,
    "colorbar_position": "top",
    "clabel": "mocks per cell",
    "cformatter": "%d",
}
_MEDIAN_STYLE = {
    "color": "#FFFFFF",
    "line_color": _RIM,
    "line_width": 1.4,
    "size": 6,
    "apply_ranges": False,
}


def _colour_bar() -> dict[str, Any]:
    ticker = FixedTicker(ticks=[1, 3, *(10**k for k in range(1, 9))])
    size = {"height": 5, "width": 110, "padding": 2, "label_standoff": 3}
    return COLOUR_BAR | size | {"ticker": ticker}


def _cell_hover(residual: bool) -> HoverTool:
    drawn = "Predicted − true" if residual else "Predicted"
    return HoverTool(
        tooltips=[("True", "$x{0.00}"), (drawn, "$y{0.00}"), ("Mocks here", "@image{0,0}")],
        filters={"@image": CustomJS(code="export default (args, tool, {value}) => value > 0")},
        visible=False,
    )


def _median_hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Median", "@p50{0.00}"),
            ("Quartiles", "@p25{0.00} to @p75{0.00}"),
            ("True", "@centre{0.00}"),
            ("Mocks", "@n{0,0}"),
        ],
        visible=False,
    )
