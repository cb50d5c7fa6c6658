"""How well the closest SEDs of a model's training fit a whole catalogue."""

import holoviews as hv
import numpy as np
from bokeh.models import Span

from sspexplorer.plots.style import NEUTRAL, figure_options

N_BINS = 24
_HIGHEST = 6.0  # reduced χ²; all beyond is in the last bin
_BARS = {"fill_color": "#0AA5C2", "fill_alpha": 0.55, "line_color": None, "tools": ["hover"]}


def chi2_counts(chi2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (24,) and edges (25,) of reduced χ² from 0 to 6; the last bin has all beyond."""
    known = chi2[np.isfinite(chi2)]
    return np.histogram(np.minimum(known, _HIGHEST), N_BINS, (0.0, _HIGHEST))


def p_counts(p_value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts (24,) and edges (25,) of p-values from 0 to 1."""
    return np.histogram(p_value[np.isfinite(p_value)], N_BINS, (0.0, 1.0))


def fit_quality_pictures(chi2: np.ndarray, p_value: np.ndarray) -> tuple[hv.Histogram, ...]:
    """Draw histograms of reduced χ² and of p-values, each with what to expect as a line.

    Parameters
    ----------
    chi2, p_value : ndarray, shape (n,)
        NaN for galaxies without a prediction.
    """
    counts, edges = p_counts(p_value)
    even = counts.sum() / N_BINS
    return (
        _bars(*chi2_counts(chi2), f"reduced χ² (last bar: {_HIGHEST:g} and more)", 1.0, "height"),
        _bars(counts, edges, "p-value", even, "width"),
    )


def _bars(
    counts: np.ndarray, edges: np.ndarray, label: str, expected: float, along: str
) -> hv.Histogram:
    def mark(plot, element) -> None:
        line = Span(location=expected, dimension=along, line_color=NEUTRAL, line_dash=[4, 4])
        plot.state.add_layout(line)

    # A name of its own for each: axes of the same name would be one.
    bars = hv.Histogram((edges, counts), kdims=label.split(" (")[0], vdims=f"galaxies, {label[:1]}")
    return bars.opts(
        **_BARS,
        **figure_options(mark, xlabel=label, ylabel="galaxies", xlim=(edges[0], edges[-1])),
    )
