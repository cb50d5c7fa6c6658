"""Pictures of composite populations through time: what networks of single ones make of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.bands import load_bands
from sspexplorer.histories import Member
from sspexplorer.histories.tables import KINDS, rate_table
from sspexplorer.mocks import Observation
from sspexplorer.plots.sed import SED_COLOURS, WAVELENGTH_RANGE, photometry_table, scale_flux_axis
from sspexplorer.plots.style import NEUTRAL, PARAMETER_LABELS, figure_options

# One for each member of a family; the last one for what belongs to none.
MEMBER_COLOURS: tuple[str, ...] = SED_COLOURS
MAX_MEMBERS = len(MEMBER_COLOURS)
TIME_LABEL = "Time since the beginning [Gyr]"
TIME_RANGE = (0.0, 14.0)  # Gyr
AGE_LABEL = "Age [Gyr]"

# Shown at least; further where the curves go further, by whole steps.
_LIMITS = {"log_age": (8.5, 10.5), "age": (0.0, 15.0), "metallicity": (-1.0, 0.5)}
_LIMITS |= {"ebv": (-0.1, 0.3)}
_STEPS = {"log_age": 0.5, "age": 5.0, "metallicity": 0.5, "ebv": 0.1}
_COLOURS = {
    "color": "member",
    "cmap": [*MEMBER_COLOURS, NEUTRAL],
    "clim": (0.5, MAX_MEMBERS + 1.5),
}
_OTHER = MAX_MEMBERS + 1.0


@dataclass(frozen=True, eq=False)
class Histories:
    """What the pictures against time are made of.

    Attributes
    ----------
    table : DataFrame
        See :func:`~sspexplorer.histories.tables.history_table`.
    starts : tuple of (int, float)
        Member and time (Gyr) of bursts to mark.
    rates : DataFrame
        See :func:`~sspexplorer.histories.tables.rate_table`.
    """

    table: pd.DataFrame
    starts: tuple[tuple[int, float], ...] = ()
    rates: pd.DataFrame | None = None

    @classmethod
    def of(cls, members: Sequence[Member], table: pd.DataFrame) -> "Histories":
        """Take a table of these members, with their rates and later bursts."""
        starts = tuple(
            (index, part.formation.start / 1e9)
            for index, member in enumerate(members, start=1)
            for part in member.history
            if part.formation.start > 0
        )
        return cls(table, starts, rate_table(members))


def evolution_picture(
    histories: hv.streams.Pipe, time: hv.streams.Pipe, name: str, *, gyr: bool = False
) -> hv.Overlay:
    """Draw what is predicted of one parameter against time, beside the truth.

    Solid lines are predictions, with bands that hold 68 % of them under noise if there is any;
    dashed the light-weighted and dotted the mass-weighted truth. Dashed upright lines: the start
    of later bursts. A line in grey: the chosen time.

    Parameters
    ----------
    histories : Pipe of Histories
    time : Pipe of float
        Chosen time, Gyr.
    name : str
        log_age, metallicity or ebv.
    gyr : bool
        Show ages in Gyr and not as log age.
    """
    shown = "age" if gyr and name == "log_age" else name
    live = _live(histories)

    def values(data: Histories, prefix: str) -> hv.Contours:
        return _lines(data.table, f"{prefix}_{name}", shown)

    def limits() -> tuple[float, float]:
        return _limits(histories.data, name, shown)

    label = AGE_LABEL if shown == "age" else PARAMETER_LABELS[name]
    return (
        live(lambda data: _band(data.table, name, shown)).opts(
            **_COLOURS, line_alpha=0, fill_alpha=0.18
        )
        * live(lambda data: _starts(data, _limits(data, name, shown))).opts(
            **_COLOURS, line_dash="dashed", line_width=1, line_alpha=0.55
        )
        * live(lambda data: values(data, "mass")).opts(
            **_COLOURS, line_dash="dotted", line_width=1.4, line_alpha=0.8
        )
        * live(lambda data: values(data, "light")).opts(
            **_COLOURS, line_dash="dashed", line_width=1.6
        )
        * live(lambda data: values(data, "pred")).opts(
            **_COLOURS, line_width=2.2, tools=[_line_hover(label)]
        )
        * _chosen_time(time)
    ).opts(
        **figure_options(
            _hold_limits(limits),
            xlabel=TIME_LABEL,
            ylabel=label,
            xlim=TIME_RANGE,
            ylim=limits(),
            show_legend=False,
            apply_ranges=False,
        )
    )


def rate_picture(histories: hv.streams.Pipe, time: hv.streams.Pipe) -> hv.Overlay:
    """Draw the star-formation rate of each member against time, see :func:`evolution_picture`."""
    live = _live(histories)

    def limits() -> tuple[float, float]:
        rates = histories.data.rates
        top = 1.0 if rates is None or not len(rates) else rates["rate"].max()
        return 0.0, float(top) * 1.12

    return (
        live(lambda data: _areas(data.rates)).opts(**_COLOURS, line_alpha=0, fill_alpha=0.14)
        * live(lambda data: _rate_lines(data.rates)).opts(**_COLOURS, line_width=1.6)
        * _chosen_time(time)
    ).opts(
        **figure_options(
            _hold_limits(limits),
            xlabel=TIME_LABEL,
            ylabel="SFR [all mass / Gyr]",
            xlim=TIME_RANGE,
            ylim=limits(),
            show_legend=False,
            apply_ranges=False,
        )
    )


@dataclass(frozen=True, eq=False)
class Likeness:
    """A composite population and the SSP that a prediction points at.

    Attributes
    ----------
    member : int
        Which member of the family it is, from 1.
    composite, ssp : Observation
    noisy : bool
        Whether the points of the composite are drawn with noise.
    """

    member: int
    composite: Observation
    ssp: Observation
    noisy: bool = False

    @property
    def rms(self) -> float:
        """Root mean square of the relative difference of the two over the bands, no noise."""
        return float(np.sqrt(np.mean((self.ssp.noise_free / self.composite.noise_free - 1) ** 2)))


def likeness_picture(likeness: hv.streams.Pipe) -> hv.Overlay:
    """Draw a composite population in its colour, and the SSP it is taken for in grey.

    Parameters
    ----------
    likeness : Pipe of Likeness or None
    """
    live = _live(likeness)

    def hold(plot: Any, element: Any) -> None:
        data = likeness.data
        top = max(data.composite.noise_free.max(), data.ssp.noise_free.max()) if data else 1.5
        scale_flux_axis(plot, 0.0, float(np.ceil(top * 1.15 * 4) / 4))

    return (
        live(_spectra).opts(**_COLOURS, line_width=1.1, line_alpha=0.7)
        * live(_points).opts(**_COLOURS, size=6, line_alpha=0, tools=[_point_hover()])
    ).opts(
        **figure_options(
            hold,
            xlabel="Wavelength [Å]",
            ylabel="Fν / median Fν",
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
            apply_ranges=False,
        )
    )


def likeness_table(likeness: Likeness) -> pd.DataFrame:
    """Photometry of both: see :func:`~sspexplorer.plots.sed.photometry_table`, and ``what``."""
    table = photometry_table([likeness.composite, likeness.ssp])
    table["what"] = np.where(table["sed"] == 1, "composite population", "SSP it is taken for")
    return table


# Elements.


def _live(pipe: hv.streams.Pipe) -> Callable[[Callable[[Any], hv.Element]], hv.DynamicMap]:
    return lambda make: hv.DynamicMap(lambda data: make(data), streams=[pipe])


def _shown(values: pd.Series, shown: str) -> np.ndarray:
    return 10 ** (values.to_numpy() - 9) if shown == "age" else values.to_numpy()


def _lines(table: pd.DataFrame, column: str, shown: str) -> hv.Contours:
    lines = [
        {
            "time": rows["time"].to_numpy(),
            "value": _shown(rows[column], shown),
            "member": float(member),
            "label": rows["label"].iloc[0],
        }
        for member, rows in table.groupby("member")
    ]
    return hv.Contours(lines, ["time", "value"], ["member", "label"])


def _band(table: pd.DataFrame, name: str, shown: str) -> hv.Polygons:
    bands = []
    for member, rows in table.groupby("member") if f"p16_{name}" in table else ():
        time = rows["time"].to_numpy()
        low, high = (_shown(rows[f"{level}_{name}"], shown) for level in ("p16", "p84"))
        edge = {"time": np.append(time, time[::-1]), "value": np.append(low, high[::-1])}
        bands.append(edge | {"member": float(member)})
    return hv.Polygons(bands, ["time", "value"], ["member"])


def _starts(data: Histories, limits: tuple[float, float]) -> hv.Segments:
    rows = [(start, limits[0], start, limits[1], float(member)) for member, start in data.starts]
    return hv.Segments(np.array(rows).reshape(-1, 5), ["x0", "y0", "x1", "y1"], "member")


def _rate_lines(rates: pd.DataFrame | None) -> hv.Contours:
    lines = [
        {"time": rows["time"].to_numpy(), "rate": rows["rate"].to_numpy(), "member": float(member)}
        for member, rows in (() if rates is None else rates.groupby("member"))
    ]
    return hv.Contours(lines, ["time", "rate"], ["member"])


def _areas(rates: pd.DataFrame | None) -> hv.Polygons:
    areas = [
        {
            "time": np.concatenate([rows["time"].iloc[:1], rows["time"], rows["time"].iloc[-1:]]),
            "rate": np.pad(rows["rate"].to_numpy(), 1),
            "member": float(member),
        }
        for member, rows in (() if rates is None else rates.groupby("member"))
    ]
    return hv.Polygons(areas, ["time", "rate"], ["member"])


def _chosen_time(time: hv.streams.Pipe) -> hv.DynamicMap:
    return hv.DynamicMap(lambda data: hv.VLine(data), streams=[time]).opts(
        color=NEUTRAL, line_width=1.4, line_alpha=0.9
    )


def _spectra(likeness: Likeness | None) -> hv.Segments:
    """Spectra and error bars, as one table of short segments: quick to send and to redraw."""
    pieces = [np.empty((0, 5))]
    both = ((_OTHER, likeness.ssp), (likeness.member, likeness.composite)) if likeness else ()
    for colour, seen in both:
        low, high = np.searchsorted(seen.wavelength, WAVELENGTH_RANGE)
        x, y = seen.wavelength[low:high:2], seen.spectrum[low:high:2]
        pieces.append(np.column_stack([x[:-1], y[:-1], x[1:], y[1:], np.full(len(x) - 1, colour)]))
    if likeness and likeness.noisy:
        seen, pivot = likeness.composite, load_bands().pivot
        ends = (pivot, seen.flux - seen.flux_err, pivot, seen.flux + seen.flux_err)
        pieces.append(np.column_stack([*ends, np.full(len(pivot), likeness.member)]))
    return hv.Segments(np.concatenate(pieces), ["x0", "y0", "x1", "y1"], "member")


def _points(likeness: Likeness | None) -> hv.Points:
    details = ["member", "what", "band", "noise_free"]
    if likeness is None:
        return hv.Points(pd.DataFrame(columns=["wavelength", "flux", *details]), vdims=details)
    table = likeness_table(likeness)
    table["member"] = np.where(table["sed"] == 1, float(likeness.member), _OTHER)
    # The composite is drawn last, over the SSP.
    table = table.sort_values("sed", ascending=False, kind="stable")
    return hv.Points(table, ["wavelength", "flux"], details)


def _limits(data: Histories, name: str, shown: str) -> tuple[float, float]:
    """Range of a vertical axis that holds all curves, in whole steps."""
    (low, high), step = _LIMITS[shown], _STEPS[shown]
    if len(data.table):
        values = _shown(data.table[[f"{prefix}_{name}" for prefix in KINDS]], shown)
        low = min(low, np.floor(values.min() / step) * step)
        high = max(high, np.ceil(values.max() / step) * step)
    return float(low), float(high)


def _hold_limits(limits: Callable[[], tuple[float, float]]) -> Callable[[Any, Any], None]:
    """HoloViews hook: keep the vertical axis at the limits of the data."""

    def hook(plot: Any, element: Any) -> None:
        low, high = limits()
        # Where somebody zoomed in, only other limits take him out.
        if plot.handles.get("held_limits") != (low, high):
            plot.handles["held_limits"] = (low, high)
            plot.handles["y_range"].update(start=low, end=high, reset_start=low, reset_end=high)

    return hook


def _line_hover(label: str) -> HoverTool:
    return HoverTool(
        tooltips=[
            ("History", "@label"),
            ("Time", "$snap_x{0.0} Gyr"),
            (f"Predicted {label}", "$snap_y{0.00}"),
        ],
        line_policy="nearest",
        visible=False,
    )


def _point_hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("", "@what"),
            ("Band", "@band, @wavelength{0} Å"),
            ("Fν", "@flux{0.000}"),
        ],
        visible=False,
    )
