"""Posteriors of age, metallicity and dust drawn in a corner: every pair, and every margin."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.plotting.contour import contour_data
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from sspexplorer.labels import PARAMETER_LABELS
from sspexplorer.metrics import containment_levels
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.style import NEUTRAL, figure_options
from sspexplorer.plots.view import set_view

# One for each posterior of a corner; the first is the one that matters.
CORNER_COLOURS = ("#C026A3", "#0AA5C2", "#B8860B")
FRACTIONS = (0.68, 0.95)
PRIOR_COLOUR = "#7C8F5A"

_N_BINS = 64
_SMOOTHING = 1.8  # bins
_TAIL = 0.002  # of the probability may lie out of sight on each side
_LEAST = {"log_age": 0.1, "metallicity": 0.1, "ebv": 0.02}  # width of an axis
_LEFT = 62  # px; panels without numbers on the left are as wide as those that have them
_TRUTH, _PRIOR = -1, -2  # in the place of a posterior's number
_COLUMNS = ["x0", "y0", "x1", "y1"]


@dataclass(frozen=True, eq=False)
class Corner:
    """What a corner is drawn of.

    Attributes
    ----------
    tables : dict
        By name, each a table with ``log_age`` (log10 yr), ``metallicity`` (dex), ``ebv`` (mag)
        and ``weight``: draws from a posterior, or models with their probability.
    truth : dict or None
        Parameters to mark.
    prior : DataFrame or None
        Draws from the prior of the first of them, a table like those. It is drawn under the
        margins, to the scale of the first posterior: where the two are alike, the data say
        nothing.
    """

    tables: Mapping[str, pd.DataFrame]
    truth: Mapping[str, float] | None = None
    prior: pd.DataFrame | None = None

    def limits(self, parameter: str) -> tuple[float, float]:
        """Range of an axis: all of every posterior but the last of its tails, and the truth."""
        ends = [_quantiles(t[parameter], t["weight"], (_TAIL, 1 - _TAIL)) for t in self._drawn]
        if self.truth:
            ends.append(np.full(2, self.truth[parameter]))
        if not ends:
            return 0.0, 1.0
        low, high = float(np.min(ends)), float(np.max(ends))
        air = max(0.06 * (high - low), (_LEAST[parameter] - (high - low)) / 2)
        # There is no less than no dust: a posterior that leans on this edge is cut off by it.
        lowest = 0.0 if parameter == "ebv" else -np.inf
        return max(low - air, lowest), high + air

    @property
    def _drawn(self) -> list[pd.DataFrame]:
        return [table for table in self.tables.values() if len(table)]


def corner_panels(
    data: Corner | hv.streams.Stream,
) -> dict[tuple[int, int], hv.Element | hv.DynamicMap]:
    """Draw margins along the diagonal, and contours of 68 and 95 % for every pair below.

    Posteriors have the colours of :data:`CORNER_COLOURS`, in their order; those that are not
    known yet are empty tables. The colours are seen on both themes.

    Parameters
    ----------
    data : Corner, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture.

    Returns
    -------
    dict
        By row and column, from 0.
    """
    return {
        (row, column): _panel(data, x, y)
        for row, y in enumerate(PARAMETERS)
        for column, x in enumerate(PARAMETERS[: row + 1])
    }


def corner(data: Corner | hv.streams.Stream) -> hv.Layout:
    """Put :func:`corner_panels` three by three, with nothing above the diagonal."""
    panels, places = corner_panels(data), range(len(PARAMETERS))
    grid = [panels.get((row, column), hv.Empty()) for row in places for column in places]
    return hv.Layout(grid).opts(shared_axes=False).cols(len(PARAMETERS))


def _panel(data: Corner | hv.streams.Stream, x: str, y: str) -> hv.Element | hv.DynamicMap:
    make = partial(_margins, name=x) if x == y else partial(_contours, x=x, y=y)
    live = isinstance(data, hv.streams.Stream)
    element = hv.DynamicMap(make, streams=[data]) if live else make(data)

    def hold_axes(plot: Any, drawn: Any) -> None:
        plot.state.min_border_left = _LEFT
        stream: Any = data
        shown = stream.contents["data"] if live else data
        ranges = {"x_range": shown.limits(x), "y_range": (0, 1.1) if x == y else shown.limits(y)}
        for name, (start, end) in ranges.items():
            set_view(plot.handles[name], start, end)

    axes = {"yaxis": "bare", "ylabel": ""} if x == y else {"ylabel": PARAMETER_LABELS[y]}
    axes |= {"xlabel": PARAMETER_LABELS[x]} if y == PARAMETERS[-1] else {"xlabel": " "}
    return element.opts(
        color="which",
        cmap=[PRIOR_COLOUR, NEUTRAL, *CORNER_COLOURS],
        clim=(_PRIOR - 0.5, len(CORNER_COLOURS) - 0.5),
        line_width="width",
        **figure_options(hold_axes, xticks=4, yticks=4, show_legend=False, **axes),
    )


def _segments(pieces: list[tuple[np.ndarray, np.ndarray, int, float]]) -> hv.Segments:
    """Lines as one table of short segments; NaN interrupts a line."""
    frames = [pd.DataFrame(columns=[*_COLUMNS, "which", "width"], dtype=float)]
    for px, py, which, width in pieces:
        ends = np.stack([px[:-1], py[:-1], px[1:], py[1:]], axis=1)
        frame = pd.DataFrame(ends[np.isfinite(ends).all(axis=1)], columns=_COLUMNS)
        frames.append(frame.assign(which=float(which), width=width))
    return hv.Segments(pd.concat(frames, ignore_index=True), _COLUMNS, ["which", "width"])


def _margins(data: Corner, name: str) -> hv.Segments:
    """Probability along one parameter, its highest place at 1; the prior as the first of them."""
    limits, pieces = data.limits(name), []
    first = next(iter(data.tables.values()), None)
    if data.prior is not None and first is not None and len(first):
        centres, prior = _density(data.prior, name, limits)
        scale = max(_density(first, name, limits)[1].max(), 1e-300)
        pieces.append((centres, np.minimum(prior / scale, 1.1), _PRIOR, 1.5))
    for which, table in enumerate(data.tables.values()):
        if not len(table):
            continue
        centres, height = _density(table, name, limits)
        pieces.append((centres, height / max(height.max(), 1e-300), which, 2.0))
    if data.truth:
        pieces.append((np.full(2, data.truth[name]), np.array([0.0, 1.1]), _TRUTH, 1.5))
    return _segments(pieces)


def _density(
    table: pd.DataFrame, name: str, limits: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Centres of the bins of an axis, and the share of all draws that lies in each, smoothed."""
    counts, edges = np.histogram(table[name], bins=_N_BINS, range=limits, weights=table["weight"])
    height = gaussian_filter1d(counts / table["weight"].sum(), _SMOOTHING, mode="reflect")
    return (edges[1:] + edges[:-1]) / 2, height


def _contours(data: Corner, x: str, y: str) -> hv.Segments:
    """Lines around the fullest regions that hold :data:`FRACTIONS`, the inner one thick."""
    limits, pieces = [data.limits(name) for name in (y, x)], []
    for which, table in enumerate(data.tables.values()):
        if not len(table):
            continue
        counts, y_edges, x_edges = np.histogram2d(
            table[y], table[x], bins=_N_BINS, range=limits, weights=table["weight"]
        )
        # Not spread beyond the limits: a posterior often leans on the edge of its prior.
        density = gaussian_filter(counts, _SMOOTHING, mode="reflect")
        at_x, at_y = ((edges[1:] + edges[:-1]) / 2 for edges in (x_edges, y_edges))
        for fraction, width in zip(FRACTIONS, (2.2, 1.0), strict=True):
            px, py = _line(at_x, at_y, density, fraction)
            pieces.append((px, py, which, width))
    if data.truth:
        (low, high), (left, right) = limits
        true_x, true_y = (np.full(2, data.truth[name]) for name in (x, y))
        pieces.append((true_x, np.array([low, high]), _TRUTH, 1.5))
        pieces.append((np.array([left, right]), true_y, _TRUTH, 1.5))
    return _segments(pieces)


def _line(
    x: np.ndarray, y: np.ndarray, density: np.ndarray, fraction: float
) -> tuple[np.ndarray, np.ndarray]:
    """Contour that holds a fraction of a density, its pieces with NaN between them."""
    level = containment_levels(density, [fraction])
    empty = np.empty(0)
    if not np.isfinite(level).all() or level[0] <= 0:
        return empty, empty
    found = contour_data(x, y, density, level, want_fill=False).line_data
    px, py = (empty if part[0] is None else np.asarray(part[0]) for part in (found.xs, found.ys))
    return px, py


def _quantiles(values: pd.Series, weights: pd.Series, wanted: tuple[float, ...]) -> np.ndarray:
    order = np.argsort(values.to_numpy())
    held = np.cumsum(weights.to_numpy()[order])
    place = np.searchsorted(held, np.array(wanted) * held[-1])
    return values.to_numpy()[order][np.minimum(place, len(order) - 1)]
