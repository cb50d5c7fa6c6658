"""Pictures of when the stars of a galaxy formed."""

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.galaxies.growth import Growth
from sspexplorer.plots.style import NEUTRAL, figure_options

GROWTH_COLOUR = "#C026A3"
_TIME = hv.Dimension("lookback", label="Time before the light was sent [Gyr]")
_SHARE = hv.Dimension("formed", label="Share of stars formed")
_FIRST, _LAST = 14.0, 0.02  # Gyr
_AGES = [(part, f"{part:g}") for part in (1, 0.1, 0.01, 0.001)]
_TICKS = [(gyr, f"{gyr:g}") for gyr in (10, 3, 1, 0.3, 0.1, 0.03)]


def growth_picture(growth: hv.streams.Stream) -> hv.Overlay:
    """Draw the share of a galaxy's stars that had formed against time, past on the left.

    Parameters
    ----------
    growth : Pipe of Growth or None
    """
    hover = HoverTool(
        tooltips=[
            ("Before the light was sent", "@lookback{0.00} Gyr"),
            ("Formed by then", "@formed{0%} (68 %: @low{0%} to @high{0%})"),
        ],
        mode="vline",
    )
    shade = hv.DynamicMap(_shade, streams=[growth]).opts(
        color=GROWTH_COLOUR, fill_alpha=0.2, line_alpha=0
    )
    line = hv.DynamicMap(_line, streams=[growth]).opts(
        color=GROWTH_COLOUR, line_width=2, tools=[hover]
    )
    half = hv.HLine(0.5).opts(color=NEUTRAL, line_width=1, line_dash="dotted")
    return (half * shade * line).opts(
        **figure_options(
            logx=True,
            xlim=(_LAST, _FIRST),
            ylim=(0.0, 1.02),
            invert_xaxis=True,
            xticks=_TICKS,
            xlabel=_TIME.label,
            ylabel=_SHARE.label,
            show_legend=False,
        )
    )


def _table(data: Growth | None) -> pd.DataFrame:
    if data is None:
        return pd.DataFrame(columns=["lookback", "formed", "low", "high"], dtype=float)
    table = pd.DataFrame(
        {
            "lookback": data.lookback / 1e9,
            "formed": data.median,
            "low": data.low,
            "high": data.high,
        }
    )
    return table[table["lookback"] >= _LAST * 0.9]


def _shade(data: Growth | None) -> hv.Area:
    return hv.Area(_table(data), _TIME, ["low", "high"])


def _line(data: Growth | None) -> hv.Curve:
    return hv.Curve(_table(data), _TIME, [_SHARE, "low", "high"])


def growth_coverage_picture(growth: pd.DataFrame) -> hv.Overlay:
    """Draw how often the true share lay in its intervals, against time.

    Parameters
    ----------
    growth : DataFrame
        See :func:`sspexplorer.posterior.validation.growth.measure_growth`.
    """
    layers: list[Any] = []
    x = hv.Dimension("time", label="time before the light was sent / age of the universe")
    for column, level in (("coverage_68", 0.68), ("coverage_95", 0.95)):
        y = hv.Dimension(column, label="truths inside")
        table = growth.assign(inside=growth[column])
        line = hv.Curve(table, x, y).opts(color=GROWTH_COLOUR, line_width=2)
        dots = hv.Scatter(table, x, [y, "width", "n"]).opts(
            color=GROWTH_COLOUR, size=6, tools=["hover"]
        )
        layers += [hv.HLine(level).opts(color=NEUTRAL, line_dash="dashed", line_width=1.2)]
        layers += [line, dots]
    return hv.Overlay(layers).opts(
        **figure_options(
            logx=True,
            xlim=(float(np.min(growth["time"])) * 0.9, 1.1),
            ylim=(0.55, 1.0),
            invert_xaxis=True,
            show_legend=False,
            xticks=_AGES,
            xlabel=x.label,
            ylabel="truths inside the 68 % and the 95 % interval",
        )
    )
