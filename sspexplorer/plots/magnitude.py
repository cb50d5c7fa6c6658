"""Metrics against magnitude: how predictions fade with the light, and how methods compare.

Fig. 7 of Domínguez Sánchez et al. (2026); with a colour for each run, its Fig. A.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from html import escape
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import FixedTicker, HoverTool, LinearAxis, Span

from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.metrics import OUTLIER_LIMIT
from sspexplorer.mocks import PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.style import NEUTRAL, PARAMETER_COLOURS, figure_options
from sspexplorer.plots.view import set_view

METRICS = ("bias", "sigma_nmad", "outlier_fraction", "pearson")
METRIC_NAMES = {
    "bias": "Bias μ",
    "sigma_nmad": "σ\u00a0NMAD",
    "outlier_fraction": f"|Δ| > {OUTLIER_LIMIT}",
    "pearson": "Pearson",
    "r2": "R²",
}
_AXIS_UNITS = {
    "bias": " [dex or mag]",
    "sigma_nmad": " [dex or mag]",
    "outlier_fraction": " [% of mocks]",
    "pearson": " coefficient",
    "r2": "",
}

# What the paper prints, at i ≈ 17 (Sect. 7 and 5.1) and of the age's scatter at 21 (Sect. 4).
PUBLISHED_NETWORKS, PUBLISHED_CIGALE = "networks, as published", "CIGALE, as published"
_PUBLISHED = (
    (PUBLISHED_NETWORKS, "log_age", 17.0, 0.01, 0.23, 0.17, 0.98),
    (PUBLISHED_NETWORKS, "log_age", 17.0, np.nan, 0.13, np.nan, np.nan),
    (PUBLISHED_NETWORKS, "log_age", 21.0, np.nan, 0.46, np.nan, np.nan),
    (PUBLISHED_NETWORKS, "metallicity", 17.0, 0.00, 0.29, 0.24, 0.95),
    (PUBLISHED_NETWORKS, "ebv", 17.0, 0.00, 0.04, 0.01, 0.98),
    (PUBLISHED_CIGALE, "log_age", 17.0, 0.14, 0.30, 0.40, np.nan),
    (PUBLISHED_CIGALE, "metallicity", 17.0, 0.22, 0.40, 0.56, np.nan),
    (PUBLISHED_CIGALE, "ebv", 17.0, -0.02, 0.06, 0.04, np.nan),
)

_X_LIMITS = (15.7, 22.3)
_TICKS = [16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0]
# Dash patterns, and how they are drawn in a legend of 26 px.
_DASHES = {"solid": [], "dashed": [7, 4], "dotted": [2, 3], "dashdot": [8, 3, 2, 3]}
_FAINT = 0.55
# Drawn aside of each other, so that the error bars of three parameters are all seen.
_ASIDE = {"log_age": -0.05, "metallicity": 0.0, "ebv": 0.05}


@dataclass(frozen=True)
class Look:
    """How a run is drawn.

    Attributes
    ----------
    dash : {"solid", "dashed", "dotted", "dashdot", ""}
        Of its lines; "" for rings and no lines.
    colour : str or None
        One for all its parameters; None for that of each parameter.
    """

    dash: str = "solid"
    colour: str | None = None


_PAPER_LOOK = Look("")


@dataclass(frozen=True)
class Curves:
    """What a picture of metrics against magnitude is made of.

    Attributes
    ----------
    table : DataFrame
        As of :func:`~sspexplorer.analysis.by_magnitude.metrics_by_magnitude`, of any number of
        runs.
    parameters : sequence of str
        Those to draw.
    looks : dict
        {run: Look}; runs that are not in it take the next dash in the order of the table.
    published : bool
        Whether to draw the numbers of the paper, faintly.
    errors : bool
        Whether to draw error bars where the table has errors.
    noise : NoiseModel or None
        For the signal-to-noise ratios along the top; None for the default one.
    """

    table: pd.DataFrame
    parameters: Sequence[str] = PARAMETERS
    looks: Mapping[str, Look] = field(default_factory=dict)
    published: bool = True
    errors: bool = True
    noise: NoiseModel | None = None

    def look(self, run: str) -> Look:
        """How a run is drawn."""
        if run in self.looks:
            return self.looks[run]
        others = [name for name in self.table["run"].unique() if name not in self.looks]
        dashes = list(_DASHES)
        return Look(dashes[others.index(run) % len(dashes)])


def published_table() -> pd.DataFrame:
    """What the paper prints of its metrics, as a table of runs."""
    return pd.DataFrame(_PUBLISHED, columns=["run", "parameter", "magnitude", *METRICS])


def metric_curves(
    table: pd.DataFrame | hv.streams.Pipe,
    *,
    metrics: Sequence[str] = METRICS,
    parameters: Sequence[str] = PARAMETERS,
    published: bool = True,
    looks: Mapping[str, Look] | None = None,
    noise: NoiseModel | None = None,
) -> dict[str, hv.DynamicMap]:
    """Draw metrics against i magnitude, one figure for each metric.

    With the colours of the parameters and a dash for each run, as Fig. 7 of the paper, or, where
    ``looks`` gives runs colours of their own, as a row of Fig. A.1: then draw one parameter.

    Parameters
    ----------
    table : DataFrame, or Pipe of Curves
        ``run``, ``parameter``, ``magnitude``, ``bias``, ``sigma_nmad``, ``outlier_fraction``,
        ``pearson``, ``r2``, ``n``, and, for error bars, these names and ``_err``: see
        :func:`~sspexplorer.analysis.by_magnitude.metrics_by_magnitude`. Rows of one run and
        parameter are in
        order of magnitude. A ``holoviews.streams.Pipe`` of :class:`Curves` gives live figures;
        what is drawn is then as they say, and ``parameters``, ``published`` and ``looks`` count
        for nothing.
    metrics : sequence of str
        Any of ``bias``, ``sigma_nmad``, ``outlier_fraction``, ``pearson`` and ``r2``.
    parameters : sequence of str
    published : bool
        Draw the numbers of the paper as well, faintly.
    looks : dict, optional
        {run: :class:`Look`}. By default the first run is solid, the others are dashed.
    noise : NoiseModel, optional
        For the signal-to-noise ratios along the top; the default one unless given.

    Returns
    -------
    dict
        {metric: figure}, for a grid of panes or ``hv.Layout(list(figures.values()))``. What the
        marks mean is in :func:`legend_html`.
    """
    if isinstance(table, hv.streams.Pipe):
        pipe = table
    else:
        curves = Curves(table, tuple(parameters), looks or {}, published, noise=noise)
        pipe = hv.streams.Pipe(data=curves)
    return {metric: _figure(pipe, metric) for metric in metrics}


def _figure(pipe: hv.streams.Pipe, metric: str) -> hv.DynamicMap:
    def draw(data: Curves) -> hv.Overlay:
        points = _drawn(data, metric)
        lines = _lines(points)
        if data.errors:
            lines = pd.concat([_bars(points), lines])
        # Two elements and no more: each costs time at every change.
        return hv.Segments(lines, ["from", "value", "to", "next"], _STROKE) * hv.Points(
            points.merge(_MARKERS, on="kind"), ["place", "value"], [*_DETAILS, *_MARKERS.columns]
        )

    stroke = {"color": "colour", "line_width": "width", "line_alpha": "alpha", "line_dash": "dash"}
    mark = {"marker": "marker", "size": "size", "fill_alpha": "fill", "line_alpha": "alpha"}
    return hv.DynamicMap(draw, streams=[pipe]).opts(
        hv.opts.Segments(apply_ranges=False, **stroke),
        hv.opts.Points(
            color="colour", line_width=1.6, apply_ranges=False, tools=[_hover()], **mark
        ),
        hv.opts.Overlay(
            **figure_options(
                partial(_axes, pipe=pipe, metric=metric),
                xlabel="i magnitude [AB]",
                ylabel=METRIC_NAMES[metric] + _AXIS_UNITS[metric],
                xlim=_X_LIMITS,
                show_legend=False,
            )
        ),
    )


_DETAILS = ["run", "name", "magnitude", "says", "mocks", "colour"]
_STROKE = ["colour", "width", "alpha", "dash"]
_MARKERS = pd.DataFrame(
    [
        ("dot", "circle", 6, 1.0, 1.0),
        ("ring", "circle", 8, 0.0, 1.0),
        (PUBLISHED_NETWORKS, "diamond", 14, 0.0, _FAINT),
        (PUBLISHED_CIGALE, "square", 9, 0.0, _FAINT),
    ],
    columns=["kind", "marker", "size", "fill", "alpha"],
)


def _drawn(data: Curves, metric: str) -> pd.DataFrame:
    """One row for each mark: where it is, how it looks and what it says under the pointer."""
    table = data.table.assign(paper=False)
    if data.published and metric in METRICS:
        table = pd.concat([table, published_table().assign(paper=True)], ignore_index=True)
    table = table[table["parameter"].isin(list(data.parameters))]
    if metric not in table:
        table = table.assign(**{metric: np.nan})
    table = table[table[metric].notna()]
    known = {run: data.look(run) for run in table.loc[~table["paper"], "run"].unique()}
    looks = [known.get(run, _PAPER_LOOK) for run in table["run"]]
    kinds = ["dot" if look.dash else "ring" for look in looks]
    scale = 100.0 if metric == "outlier_fraction" else 1.0
    error = table.get(f"{metric}_err", pd.Series(np.nan, table.index))
    drawn = pd.DataFrame(
        {
            "run": table["run"].to_numpy(),
            "name": [PARAMETER_NAMES[name] for name in table["parameter"]],
            "magnitude": table["magnitude"].to_numpy(float),
            "value": scale * table[metric].to_numpy(float),
            "error": scale * error.to_numpy(float),
            "kind": np.where(table["paper"], table["run"], kinds),
            "dash": [look.dash for look in looks],
            "colour": [
                look.colour or PARAMETER_COLOURS[name]
                for look, name in zip(looks, table["parameter"], strict=True)
            ],
        }
    )
    several = len(data.parameters) > 1
    aside = table["parameter"].map(_ASIDE).to_numpy(float) if several else 0.0
    drawn["place"] = drawn["magnitude"] + aside
    units = [PARAMETER_UNITS[name] for name in table["parameter"]]
    counts = table["n"] if "n" in table else pd.Series(np.nan, table.index)
    drawn["says"] = [
        _words(metric, value, err, unit)
        for value, err, unit in zip(drawn["value"], drawn["error"], units, strict=True)
    ]
    drawn["mocks"] = ["–" if np.isnan(n) else f"{n:,.0f}" for n in counts.to_numpy(float)]
    return drawn


def _words(metric: str, value: float, error: float, unit: str) -> str:
    digits, unit = (1, "%") if metric == "outlier_fraction" else (3, unit)
    text = f"{value:{'+' if metric == 'bias' else ''}.{digits}f}".replace("-", "−")
    text += "" if np.isnan(error) else f" ± {error:.{digits}f}"
    return text if metric in ("pearson", "r2") else f"{text} {unit}"


def _lines(points: pd.DataFrame) -> pd.DataFrame:
    """Join the dots of each run and parameter."""
    dots = points[points["kind"] == "dot"]
    after = dots.groupby(["run", "name"], sort=False)[["place", "value"]].shift(-1)
    pieces = {
        "from": dots["place"],
        "value": dots["value"],
        "to": after["place"],
        "next": after["value"],
        "colour": dots["colour"],
        "width": 1.7,
        "alpha": 1.0,
        "dash": dots["dash"],
    }
    return pd.DataFrame(pieces).dropna()


def _bars(points: pd.DataFrame) -> pd.DataFrame:
    known = points[points["error"].notna()]
    pieces = {
        "from": known["place"],
        "value": known["value"] - known["error"],
        "to": known["place"],
        "next": known["value"] + known["error"],
        "colour": known["colour"],
        "width": 3.0,
        "alpha": 0.35,
        "dash": "solid",
    }
    return pd.DataFrame(pieces)


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("", "@run, @name"),
            ("i", "@magnitude{0.0}"),
            ("Value", "@says"),
            ("Mocks", "@mocks"),
        ],
        visible=False,
    )


def _axes(plot: Any, overlay: hv.Overlay, *, pipe: hv.streams.Pipe, metric: str) -> None:
    """HoloViews hook: the vertical range, the line of no bias, and S/N along the top."""
    handles, data = plot.handles, pipe.data
    low, high = _limits(metric, _drawn(data, metric)["value"].to_numpy())
    if handles.get("limits") != (low, high):
        handles["limits"] = (low, high)
        set_view(handles["y_range"], low, high)
    if "snr" not in handles:
        ticker = FixedTicker(ticks=_TICKS)
        handles["snr"] = LinearAxis(
            axis_label="S/N of the narrow bands", axis_label_standoff=4, ticker=ticker
        )
        plot.state.xaxis[0].axis_label_standoff = 4
        plot.state.xaxis[0].ticker = ticker
        plot.state.add_layout(handles["snr"], "above")
        if metric == "bias":
            line = {"line_color": NEUTRAL, "line_width": 1.2, "level": "underlay"}
            plot.state.add_layout(Span(location=0, dimension="width", **line))
    noise = data.noise or NoiseModel.default()
    snr = noise.typical_snr(np.array(_TICKS))
    handles["snr"].major_label_overrides = dict(zip(_TICKS, map(snr_text, snr), strict=True))


def snr_text(value: float) -> str:
    """Signal-to-noise ratio with two digits."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def _limits(metric: str, values: np.ndarray) -> tuple[float, float]:
    """Vertical range in which all values are seen; it changes in steps, so that it seldom does."""
    reach = float(np.abs(values).max()) if len(values) else 0.0
    if metric == "bias":
        top = _step_up(max(1.15 * reach, 0.01), 0.05)
        return -top, top
    if metric == "sigma_nmad":
        return 0.0, _step_up(max(1.05 * reach, 0.01), 0.1)
    if metric == "outlier_fraction":
        return 0.0, min(102.0, _step_up(max(1.05 * reach, 1.0), 10.0))
    lowest = float(values.min()) if len(values) else 0.5
    return min(0.9, -_step_up(0.02 - lowest, 0.1)), 1.02


def _step_up(value: float, step: float) -> float:
    return float(np.ceil(round(value / step, 6)) * step)


def legend_html(curves: Curves) -> str:
    """What the marks of :func:`metric_curves` mean, as a line of HTML."""
    looks = {run: curves.look(run) for run in curves.table["run"].unique()}
    items = [_key(run, _stroke(look), look.colour or NEUTRAL) for run, look in looks.items()]
    if curves.published:
        items += [
            _key(PUBLISHED_NETWORKS, '<path d="M13 1l4 5-4 5-4-5z"/>', NEUTRAL),
            _key(PUBLISHED_CIGALE, '<path d="M9 2h8v8h-8z"/>', NEUTRAL),
        ]
    if not any(look.colour for look in looks.values()):
        disc = '<circle cx="13" cy="6" r="4.5" fill="currentColor" stroke="none"/>'
        colours = [
            _key(PARAMETER_NAMES[name], disc, PARAMETER_COLOURS[name]) for name in curves.parameters
        ]
        items = colours + items
    style = "display:flex;flex-wrap:wrap;gap:4px 18px;font-size:12.5px"
    return f'<div style="{style}">{"".join(items)}</div>'


def _stroke(look: Look) -> str:
    if look.dash == "":
        return '<circle cx="13" cy="6" r="4"/>'
    dashes = " ".join(map(str, _DASHES[look.dash]))
    return (
        f'<path d="M0 6h26" stroke-dasharray="{dashes}"/>'
        '<circle cx="13" cy="6" r="3" fill="currentColor" stroke="none"/>'
    )


def _key(name: str, shape: str, colour: str) -> str:
    return (
        '<span style="align-items:center;display:inline-flex;gap:6px;white-space:nowrap">'
        f'<svg width="26" height="12" fill="none" stroke="currentColor" stroke-width="1.7" '
        f'style="color:{colour}">{shape}</svg>{escape(name)}</span>'
    )
