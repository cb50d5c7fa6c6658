"""Networks trained on one library or on all, tested on each: a table, and the picture of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.labels import LIBRARY_LABELS, PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.metrics import OUTLIER_LIMIT, Summary, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.shading import RIM, line_options, rimmed_lines
from sspexplorer.plots.style import PARAMETER_COLOURS, figure_options

# What a network was trained on, and how its row is called.
TRAINED_LABELS = LIBRARY_LABELS | {"all": "all", "paper": "paper's recipe"}

METRIC_NAMES = {
    "sigma_nmad": "σ\u00a0NMAD",
    "bias": "Bias μ",
    "outlier_fraction": f"|Δ| > {OUTLIER_LIMIT}",
    "pearson": "Pearson",
    "r2": "R²",
    "rmse": "RMSE",
}
_FORMATS = dict.fromkeys(METRIC_NAMES, "{:.3f}") | {"bias": "{:+.3f}", "outlier_fraction": "{:.1%}"}
_WITHOUT_UNIT = ("outlier_fraction", "pearson", "r2")
# The best there can be of a metric, 0 unless said, and how far from it is as bad as any.
_BEST = {"pearson": 1.0, "r2": 1.0}
_FAR = {"pearson": 1.0, "r2": 1.0}

_WHITE = 0.88  # share of it in the colour of the best
_DEEP = 0.6  # colours beyond are written on in white


def cross_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Metrics of every network on every library.

    Parameters
    ----------
    tables : mapping
        {what a network was trained on: rows of a
        :func:`~sspexplorer.analysis.held_out.density_table`}.

    Returns
    -------
    DataFrame
        ``trained``, ``tested`` (a library), ``parameter``, and the metrics of
        :class:`~sspexplorer.metrics.Summary`.
    """
    rows = []
    for trained, table in tables.items():
        for tested, group in table.groupby("library", observed=True):
            for name in PARAMETERS:
                found = summary(group[f"pred_{name}"].to_numpy(), group[name].to_numpy())
                rows.append({"trained": trained, "tested": tested, "parameter": name} | found)
    # Without rows, too, it has numbers in its columns.
    columns = dict.fromkeys(Summary.__annotations__, float)
    return pd.DataFrame(rows, columns=["trained", "tested", "parameter", *columns]).astype(columns)


def metric_text(metric: str, value: float) -> str:
    """Write one value of a metric."""
    if not np.isfinite(value):
        return "–"
    # Adding 0.0 takes the sign off a bias that is zero in the digits that are shown.
    return _FORMATS[metric].format(round(value, 3) + 0.0).replace("-", "−")


def metric_title(metric: str, parameter: str) -> str:
    """A parameter, over the name of a metric with its unit."""
    unit = "" if metric in _WITHOUT_UNIT else f" [{PARAMETER_UNITS[parameter]}]"
    return f"{PARAMETER_NAMES[parameter]}\n{METRIC_NAMES[metric]}{unit}"


@dataclass(frozen=True, eq=False)
class Crossed:
    """What the pictures are made of.

    Attributes
    ----------
    scores : DataFrame
        See :func:`cross_table`.
    metric : str
        One of :data:`METRIC_NAMES`.
    chosen : tuple of str
        (trained, tested) of the cell that is marked.
    """

    scores: pd.DataFrame
    metric: str = "sigma_nmad"
    chosen: tuple[str, str] = ("", "")


def crossed_picture(
    crossed: Crossed | hv.streams.Pipe,
    parameter: str,
    tap: hv.streams.SingleTap | None = None,
) -> hv.Overlay:
    """Draw a metric of one parameter: networks by rows, the library they are tested on by columns.

    The paler a cell, the better: colours run from the best value there can be to the worst one
    of the table.

    Parameters
    ----------
    crossed : Crossed, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture, which follows what is sent through it.
    parameter : str
    tap : SingleTap, optional
        Gets the place of a click.
    """
    pipe = crossed if isinstance(crossed, hv.streams.Pipe) else hv.streams.Pipe(data=crossed)
    figure = figure_options(
        partial(_title, pipe=pipe, parameter=parameter),
        xlabel="tested on",
        ylabel="trained on",
        title=" ",
        show_legend=False,
        show_grid=False,
        xlim=(-0.5, len(LIBRARY_LABELS) - 0.5),
        ylim=(min(_PLACES.values()) - 0.45, 0.5),
        xticks=list(enumerate(LIBRARY_LABELS.values())),
        yticks=[(_PLACES[name], label) for name, label in TRAINED_LABELS.items()],
        default_tools=["tap"],
        active_tools=[],
    )

    def layer(make: Callable[[pd.DataFrame, Crossed], hv.Element]) -> hv.DynamicMap:
        return hv.DynamicMap(lambda data: make(_cells(data, parameter), data), streams=[pipe])

    cells = layer(_rectangles).opts(
        color="badness",
        cmap=_colours(parameter),
        clim=(0, 1),
        line_color=None,
        tools=[_hover()],
        nonselection_alpha=1,
    )
    if tap is not None:
        # A click reaches a layer, never an overlay of layers.
        tap.source = cells
    texts = layer(lambda table, data: hv.Labels(table, ["x", "y"], ["text", "ink"]))
    texts = texts.opts(text_color="ink", text_font_size="13px")
    layers = cells * texts * layer(_outline).opts(*line_options())
    return layers.opts(hv.opts.Overlay(**figure))


def _rectangles(table: pd.DataFrame, data: Crossed) -> hv.Rectangles:
    values = ["badness", "trained_on", "tested_on", "text", "n"]
    return hv.Rectangles(table, ["x0", "y0", "x1", "y1"], values)


def _outline(table: pd.DataFrame, data: Crossed) -> hv.Overlay:
    """Mark the chosen cell."""
    marked = table[(table["trained"] == data.chosen[0]) & (table["tested"] == data.chosen[1])]
    corners = [
        (np.array([x0, x1, x1, x0, x0]), np.array([y0, y0, y1, y1, y0]))
        for x0, y0, x1, y1 in marked[["x0", "y0", "x1", "y1"]].to_numpy()
    ]
    return rimmed_lines(corners, ["x", "y"])


def cell_at(x: float | None, y: float | None) -> tuple[str, str] | None:
    """Which cell is at a place in the picture: (trained, tested); None beside all of them."""
    if x is None or y is None:
        return None
    column = int(np.rint(x))
    trained = min(_PLACES, key=lambda name: abs(_PLACES[name] - y))
    if column not in range(len(LIBRARY_LABELS)) or abs(_PLACES[trained] - y) > _HALF:
        return None
    return trained, list(LIBRARY_LABELS)[column]


# The row of the paper's recipe stands apart, and is lower.
_PLACES = {name: -float(row) for row, name in enumerate(TRAINED_LABELS)} | {"paper": -4.1}
_HALF, _HALF_PAPER = 0.48, 0.36


def _cells(data: Crossed, parameter: str) -> pd.DataFrame:
    """Place, text and colour of each cell."""
    table = data.scores[data.scores["parameter"] == parameter].reset_index(drop=True)
    value = table[data.metric]
    distance = (value - _BEST.get(data.metric, 0.0)).abs()
    # Several times worse is as bad as it gets; a hopeless R² should not make all others alike.
    worst = min(distance.max(), _FAR.get(data.metric, np.inf))
    badness = (distance / (worst or 1.0)).clip(0, 1)
    columns = {name: float(k) for k, name in enumerate(LIBRARY_LABELS)}
    x = table["tested"].astype(str).map(columns).astype(float)
    y = table["trained"].astype(str).map(_PLACES).astype(float)
    half = np.where(table["trained"] == "paper", _HALF_PAPER, _HALF)
    return table.assign(
        x=x,
        y=y,
        x0=x - _HALF,
        x1=x + _HALF,
        y0=y - half,
        y1=y + half,
        badness=badness,
        text=[metric_text(data.metric, v) for v in value],
        ink=np.where(badness > _DEEP, "#FFFFFF", RIM),
        trained_on=table["trained"].map(TRAINED_LABELS),
        tested_on=table["tested"].astype(str).map(LIBRARY_LABELS),
    )


def _colours(parameter: str, n: int = 64) -> list[str]:
    """From nearly white to the colour of a parameter."""
    full = np.array([int(PARAMETER_COLOURS[parameter][k : k + 2], 16) for k in (1, 3, 5)])
    white = np.linspace(_WHITE, 0, n)[:, None]
    return [
        f"#{r:02X}{g:02X}{b:02X}"
        for r, g, b in np.rint(white * 255 + (1 - white) * full).astype(int)
    ]


def _title(plot: Any, element: hv.Overlay, *, pipe: hv.streams.Pipe, parameter: str) -> None:
    """HoloViews hook: which metric this is."""
    plot.state.title.text = metric_title(pipe.data.metric, parameter)


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Trained on", "@trained_on"),
            ("Tested on", "@tested_on"),
            ("Value", "@text"),
            ("Mocks", "@n{0,0}"),
        ],
        visible=False,
    )
