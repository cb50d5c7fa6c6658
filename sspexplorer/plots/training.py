"""Loss curves: how a network learns, and when it begins to learn the noise.

Fig. B.1 of Domínguez Sánchez et al. (2026).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.style import NEUTRAL, PARAMETER_COLOURS, figure_options
from sspexplorer.plots.view import set_view

# Before there is anything to draw.
_FIRST_LIMITS = {"log_age": (0.1, 1.0), "metallicity": (0.3, 1.0), "ebv": (0.005, 0.1)}
_MARGIN = 1.12  # around the curves; a factor, for the axis is logarithmic
_STEP = 1.25  # limits change by this factor, so that they seldom do
_COLUMNS = ["epoch", "train", "validation", "rms"]


@dataclass(frozen=True)
class Losses:
    """What the picture of a training is made of.

    Attributes
    ----------
    train, validation : sequence of tuple
        Mean squared errors of log_age, metallicity and ebv (dex², dex², mag²) after each epoch.
    n_epochs : int
        Epochs that the training has in all.
    """

    train: Sequence[Sequence[float]] = ()
    validation: Sequence[Sequence[float]] = ()
    n_epochs: int = 1

    @classmethod
    def of_card(cls, card: dict) -> "Losses":
        """Losses that the card of a model tells of."""
        training = card.get("training", {})
        validation = training.get("validation", [])
        return cls(training.get("train", []), validation, max(1, len(validation)))

    def table(self, parameter: str) -> pd.DataFrame:
        """``epoch``, ``train`` and ``validation`` losses, and ``rms`` error in validation."""
        k = PARAMETERS.index(parameter)
        n = min(len(self.train), len(self.validation))
        train, validation = (
            np.array([row[k] for row in rows[:n]], float) for rows in (self.train, self.validation)
        )
        table = pd.DataFrame({"epoch": np.arange(1, n + 1), "train": train})
        return table.assign(validation=validation, rms=np.sqrt(validation))[_COLUMNS]

    def best_epoch(self, parameter: str) -> int | None:
        """Epoch of the least validation loss; None before the first, or if it is not a number."""
        loss = self.table(parameter)["validation"].to_numpy()
        return int(np.nanargmin(loss)) + 1 if np.isfinite(loss).any() else None

    def gap(self, parameter: str) -> float:
        """Over-fitting: validation over training loss − 1 in the best epoch; NaN before it."""
        best = self.best_epoch(parameter)
        if best is None:
            return float("nan")
        row = self.table(parameter).iloc[best - 1]
        return float(row["validation"] / row["train"] - 1)


def loss_curves(losses: Losses | hv.streams.Pipe) -> dict[str, hv.DynamicMap]:
    """Draw loss against epoch, one figure for each parameter.

    Parameters
    ----------
    losses : Losses, or Pipe of them
        A ``holoviews.streams.Pipe`` gives live figures, which follow what is sent through it.

    Returns
    -------
    dict
        {parameter: figure}. Dashes are the training mocks, the full line those of validation, the
        ring its least value.
    """
    pipe = losses if isinstance(losses, hv.streams.Pipe) else hv.streams.Pipe(data=losses)
    return {name: _figure(pipe, name) for name in PARAMETERS}


def _figure(pipe: hv.streams.Pipe, parameter: str) -> hv.DynamicMap:
    def draw(data: Losses) -> hv.Overlay:
        table = data.table(parameter)
        best = data.best_epoch(parameter)
        kept = table.iloc[[best - 1]] if best else table.iloc[:0]
        return hv.Overlay(
            [
                hv.Curve(table, "epoch", "train"),
                hv.Curve(table, "epoch", "validation", label="validation"),
                hv.Points(table, ["epoch", "validation"], ["train", "rms"], label="epochs"),
                hv.Points(kept, ["epoch", "validation"], label="best"),
            ]
        )

    colour, unit = PARAMETER_COLOURS[parameter], PARAMETER_UNITS[parameter]
    return hv.DynamicMap(draw, streams=[pipe]).opts(
        hv.opts.Curve(color=colour, line_width=2, apply_ranges=False),
        hv.opts.Curve("Curve", line_dash="dashed", line_width=1.5, color=NEUTRAL),
        hv.opts.Curve("Curve.Validation", line_dash="solid", line_width=2, color=colour),
        hv.opts.Points("Points.Epochs", color=colour, size=3, tools=[_hover(parameter)]),
        hv.opts.Points("Points.Best", fill_alpha=0, line_color=colour, line_width=2, size=12),
        hv.opts.Points(apply_ranges=False),
        hv.opts.Overlay(
            **figure_options(
                partial(_limits, pipe=pipe, parameter=parameter),
                xlabel="Epoch",
                ylabel=f"Loss: MSE of {PARAMETER_NAMES[parameter]} [{unit}²]",
                logy=True,
                xlim=(0.5, 1.5),
                ylim=_FIRST_LIMITS[parameter],
                show_legend=False,
            )
        ),
    )


def _hover(parameter: str) -> HoverTool:
    unit = PARAMETER_UNITS[parameter]
    return HoverTool(
        tooltips=[
            ("Epoch", "@epoch"),
            ("Validation", f"@validation{{0.0000}} {unit}²"),
            ("Its root", f"@rms{{0.000}} {unit}"),
            ("Training", f"@train{{0.0000}} {unit}²"),
        ],
        visible=False,
    )


def _limits(plot: Any, overlay: hv.Overlay, *, pipe: hv.streams.Pipe, parameter: str) -> None:
    """HoloViews hook: all epochs to come, and the losses so far with a little room."""
    data: Losses = pipe.data
    table = data.table(parameter)
    values = table[["train", "validation"]].to_numpy().ravel()
    values = values[np.isfinite(values) & (values > 0)]
    low, high = _FIRST_LIMITS[parameter]
    plot.state.xaxis[0].ticker.update(min_interval=1, num_minor_ticks=0)
    if len(values):
        low = _STEP ** np.floor(np.log(values.min() / _MARGIN) / np.log(_STEP))
        high = _STEP ** np.ceil(np.log(values.max() * _MARGIN) / np.log(_STEP))
    wanted = (low, high, data.n_epochs)
    if plot.handles.get("limits") == wanted:
        return
    plot.handles["limits"] = wanted
    set_view(plot.handles["y_range"], low, high)
    last = max(data.n_epochs, 2)
    room = 0.3 + 0.03 * last
    set_view(plot.handles["x_range"], 1 - room, last + room)
