"""What stands on a density of predictions besides the mocks: lines and words."""

from collections.abc import Sequence
from typing import Any

import holoviews as hv
from bokeh.models import Label, Node, Slope, Span

from sspexplorer.analysis.held_out import RANGE_EDGES
from sspexplorer.metrics import OUTLIER_LIMIT
from sspexplorer.plots.style import NEUTRAL

# Over points, so on a background that lets some of them through.
_TEXT = {
    "background_fill_alpha": 0.75,
    "level": "overlay",
    "padding": 2,
    "border_radius": 3,
    "text_font_size": "11px",
    "text_line_height": 1.25,
}


def reference_lines(plot: Any, element: hv.Overlay, *, parameter: str, residual: bool) -> None:
    """HoloViews hook: where the prediction is the truth, where outliers begin, and ranges.

    Annotations of the figure and not elements, of which each costs time at every change.
    """
    if "reference" in plot.handles:
        return
    figure = plot.handles["reference"] = plot.state
    line = {"gradient": 0 if residual else 1, "line_color": NEUTRAL, "level": "glyph"}
    figure.add_layout(Slope(y_intercept=0, line_width=1.2, **line))
    for limit in (-OUTLIER_LIMIT, OUTLIER_LIMIT):
        figure.add_layout(Slope(y_intercept=limit, line_dash=[4, 4], **line))
    for edge in RANGE_EDGES.get(parameter, ()):
        style = {"line_color": NEUTRAL, "line_dash": [2, 4], "level": "glyph"}
        figure.add_layout(Span(location=edge, dimension="height", **style))


def write_words(
    plot: Any,
    corner: str,
    ranges: Sequence[str],
    edges: Sequence[float],
    *,
    residual: bool,
) -> None:
    """For HoloViews hooks: write into the corner of a figure, and into its ranges.

    Parameters
    ----------
    plot
        The HoloViews plot.
    corner : str
        For the upper left corner.
    ranges : sequence of str
        One for each range of the truth, or none.
    edges : sequence of float
        Left edges of the ranges.
    residual : bool
        Whether the picture is of residuals: then mocks stand about the middle of its height.
    """
    labels = plot.handles.get("words")
    if labels is None:
        left, top = (_at(side, offset) for side, offset in (("left", 6), ("top", 5)))
        labels = [Label(x=left, y=top, text_baseline="top", **_TEXT)]
        for number, edge in enumerate(edges):
            # Below the diagonal there is room, but none for those that are youngest.
            high = number == 0 and not residual
            y = _at("top", 5 + 3 * 16) if high else _at("bottom", -4)
            at: dict[str, Any] = {"x": edge, "x_offset": 4}
            if number == 0:
                at = {"x": _at("left", 6)}
            elif number == len(edges) - 1:
                # The last range is the narrowest: its words end where it ends.
                at = {"x": _at("right", -2), "text_align": "right"}
            baseline = "top" if high else "bottom"
            labels.append(Label(y=y, text_baseline=baseline, **at, **_TEXT))
        plot.handles["words"] = labels
        for label in labels:
            plot.state.add_layout(label)
    texts = [corner, *(ranges or [""] * len(edges))]
    x_range = plot.handles["x_range"]
    places = (None, None, *edges[1:])
    for label, text, place in zip(labels, texts, places, strict=False):
        # What is out of view would be written over the axes.
        in_view = place is None or x_range.start <= place < x_range.end
        label.update(text=text, visible=bool(text) and in_view)


def _at(side: str, offset: int) -> Node:
    return Node(target="frame", symbol=side, offset=offset)
