"""Pictures of composite populations through time: what networks of single ones make of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool, Span

from sspexplorer.analysis.histories import SSPEquivalent
from sspexplorer.bands import load_bands
from sspexplorer.histories import Member
from sspexplorer.histories.tables import KINDS, rate_table
from sspexplorer.labels import PARAMETER_LABELS
from sspexplorer.plots.sed import SED_COLOURS, WAVELENGTH_RANGE, photometry_table, scale_flux_axis
from sspexplorer.plots.style import NEUTRAL, by_number, figure_options
from sspexplorer.plots.view import set_view

# One for each member of a family; the last one for what belongs to none.
MEMBER_COLOURS: tuple[str, ...] = SED_COLOURS
MAX_MEMBERS = len(MEMBER_COLOURS)
TIME_LABEL = "Time elapsed [Gyr]"
TIME_RANGE = (0.0, 14.0)  # Gyr
AGE_LABEL = "Age [Gyr]"

# Shown at least; further where the curves go further, by whole steps.
_LIMITS = {"log_age": (8.5, 10.5), "age": (0.0, 15.0), "metallicity": (-1.0, 0.5)}
_LIMITS |= {"ebv": (-0.1, 0.3)}
_DIGITS = {"log_age": "0.00", "age": "0.0", "metallicity": "0.00", "ebv": "0.000"}
_STEPS = {"log_age": 0.5, "age": 5.0, "metallicity": 0.5, "ebv": 0.1}
_COLOURS = by_number("member", (*MEMBER_COLOURS, NEUTRAL), first=1)
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
    rates: pd.DataFrame = field(default_factory=lambda: rate_table(()))

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


class TimeMark:
    """An upright line at the chosen time in several pictures, moved without redrawing them.

    Parameters
    ----------
    time : float
        Gyr.
    """

    def __init__(self, time: float) -> None:
        self.time = time
        # Figures of visitors who left take their lines with them.
        self._spans: WeakSet[Span] = WeakSet()

    def move(self, time: float) -> None:
        """Move the line to another time."""
        self.time = time
        for span in self._spans:
            span.location = time

    def hook(self, plot: Any, element: Any) -> None:
        """HoloViews hook: draw the line."""
        if "time_mark" not in plot.handles:
            span = Span(location=self.time, dimension="height", line_color=NEUTRAL, line_width=1.4)
            plot.handles["time_mark"] = span
            plot.state.add_layout(span)
            self._spans.add(span)


def evolution_picture(
    histories: hv.streams.Pipe,
    name: str,
    mark: TimeMark,
    *,
    gyr: bool = False,
    tap: hv.streams.SingleTap | None = None,
) -> hv.DynamicMap:
    """Draw what is predicted of one parameter against time, beside the truth.

    Solid lines are predictions, with bands that hold 68 % of them under noise if there is any;
    dashed the light-weighted and dotted the mass-weighted truth. Dashed upright lines: the start
    of later bursts.

    Parameters
    ----------
    histories : Pipe of Histories
        The picture follows what is sent through it.
    name : str
        log_age, metallicity or ebv.
    mark : TimeMark
        Of the chosen time.
    gyr : bool
        Show ages in Gyr and not as log age.
    tap : SingleTap, optional
        Gets where the picture is clicked.
    """
    shown = "age" if gyr and name == "log_age" else name
    label = AGE_LABEL if shown == "age" else PARAMETER_LABELS[name]

    def draw(plot: Any, element: Any) -> None:
        data = histories.data
        limits = _limits(data, name, shown)
        _hold_limits(plot, limits)
        lines = {kind: _lines(data.table, f"{kind}_{name}", shown) for kind in ("light", "mass")}
        starts = [(MEMBER_COLOURS[member - 1], start) for member, start in data.starts]
        marks = {
            "xs": [[start, start] for _, start in starts],
            "ys": [list(limits) for _ in starts],
            "colour": [colour for colour, _ in starts],
        }
        _draw_under(plot, "bands", _fill, _band(data.table, name, shown))
        _draw_under(plot, "starts", _line("dashed", 1, 0.55), marks)
        _draw_under(plot, "mass", _line("dotted", 1.4, 0.9), lines["mass"])
        _draw_under(plot, "light", _line("dashed", 1.6, 1), lines["light"])

    live = _live(histories)
    lines = live(lambda data: _segments(data.table, f"pred_{name}", shown))
    lines = lines.opts(**_COLOURS, line_width=2.2)
    if tap:
        # A click reaches a layer, never an overlay of layers.
        tap.source = lines
    targets = live(lambda data: _targets(data.table, name, shown))
    targets = targets.opts(color=NEUTRAL, size=7, alpha=0, tools=[_hover(label, _DIGITS[shown])])
    return (lines * targets).opts(**_time_options(draw, mark.hook, ylabel=label))


def rate_picture(histories: hv.streams.Pipe, mark: TimeMark) -> hv.DynamicMap:
    """Draw the star-formation rate of each member against time, see :func:`evolution_picture`."""

    def draw(plot: Any, element: Any) -> None:
        rates = histories.data.rates
        top = float(rates["rate"].max()) if len(rates) else 1.0
        _hold_limits(plot, (0.0, top * 1.12))
        _draw_under(plot, "areas", _fill, _areas(rates))

    live = _live(histories)
    return (
        live(lambda data: _segments(data.rates, "rate", "rate")).opts(**_COLOURS, line_width=1.6)
        * live(lambda data: hv.Points(data.rates, ["time", "rate"])).opts(
            color=NEUTRAL, size=7, alpha=0, tools=[_hover("SFR", "0.000", ("rate",))]
        )
    ).opts(**_time_options(draw, mark.hook, ylabel="SFR [total mass / Gyr]"))


def _time_options(*hooks: Callable[[Any, Any], None], ylabel: str) -> dict[str, Any]:
    return figure_options(
        *hooks,
        xlabel=TIME_LABEL,
        ylabel=ylabel,
        xlim=TIME_RANGE,
        ylim=(0.0, 1.0),
        show_legend=False,
        apply_ranges=False,
    )


def likeness_picture(likeness: hv.streams.Pipe) -> hv.Overlay:
    """Draw a composite population in its colour, and the SSP it is taken for in grey.

    Parameters
    ----------
    likeness : Pipe of SSPEquivalent or None
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


def likeness_table(likeness: SSPEquivalent) -> pd.DataFrame:
    """Photometry of both: see :func:`~sspexplorer.plots.sed.photometry_table`, and ``what``."""
    table = photometry_table([likeness.composite, likeness.ssp])
    table["what"] = np.where(table["sed"] == 1, "composite population", "SSP it is taken for")
    return table


# Elements.


def _live(pipe: hv.streams.Pipe) -> Callable[[Callable[[Any], hv.Element]], hv.DynamicMap]:
    return lambda make: hv.DynamicMap(lambda data: make(data), streams=[pipe])


def _shown(values: pd.Series, shown: str) -> np.ndarray:
    return 10 ** (values.to_numpy() - 9) if shown == "age" else values.to_numpy()


def _segments(table: pd.DataFrame, column: str, shown: str) -> hv.Segments:
    """Lines of all members as one table of short segments: quick to send and to redraw."""
    member = table["member"].to_numpy(float)
    value = _shown(table[column].astype(float), shown)
    time = table["time"].to_numpy(float)
    joined = np.flatnonzero(member[1:] == member[:-1])
    columns = {
        "time": time[joined],
        column: value[joined],
        "to_time": time[joined + 1],
        f"to_{column}": value[joined + 1],
        "member": member[joined],
    }
    kdims = ["time", column, "to_time", f"to_{column}"]
    return hv.Segments(pd.DataFrame(columns), kdims, ["member"])


def _targets(table: pd.DataFrame, name: str, shown: str) -> hv.Points:
    """What the pointer finds: each time of each history, with prediction and truth."""
    kinds = {kind: _shown(table[f"{kind}_{name}"].astype(float), shown) for kind in KINDS}
    columns = {"time": table["time"].astype(float), "label": table["label"], **kinds}
    return hv.Points(pd.DataFrame(columns), ["time", "pred"], ["label", "light", "mass"])


def _lines(table: pd.DataFrame, column: str, shown: str) -> dict[str, list]:
    """Data of a multi-line: one line for each member."""
    groups = [rows for _, rows in table.groupby("member")]
    return {
        "xs": [rows["time"].to_numpy() for rows in groups],
        "ys": [_shown(rows[column], shown) for rows in groups],
        "colour": [MEMBER_COLOURS[int(rows["member"].iloc[0]) - 1] for rows in groups],
        "label": [rows["label"].iloc[0] for rows in groups],
    }


def _band(table: pd.DataFrame, name: str, shown: str) -> dict[str, list]:
    """Data of patches: one from the 16 to the 84 % quantile for each member."""
    low, high = f"p16_{name}", f"p84_{name}"
    data: dict[str, list] = {"xs": [], "ys": [], "colour": []}
    for member, rows in table.groupby("member") if low in table else ():
        time = rows["time"].to_numpy()
        edges = _shown(rows[low], shown), _shown(rows[high], shown)[::-1]
        data["xs"].append(np.append(time, time[::-1]))
        data["ys"].append(np.concatenate(edges))
        data["colour"].append(MEMBER_COLOURS[member - 1])
    return data


def _areas(rates: pd.DataFrame) -> dict[str, list]:
    """Data of patches: the mass that each member forms."""
    data: dict[str, list] = {"xs": [], "ys": [], "colour": []}
    for member, rows in rates.groupby("member"):
        time = rows["time"].to_numpy()
        data["xs"].append(np.concatenate([time[:1], time, time[-1:]]))
        data["ys"].append(np.pad(rows["rate"].to_numpy(), 1))
        data["colour"].append(MEMBER_COLOURS[member - 1])
    return data


def _draw_under(
    plot: Any, name: str, draw: Callable[[Any, ColumnDataSource], None], data: dict[str, list]
) -> None:
    """Draw something below what there is in a figure, or bring it up to date.

    Elements of HoloViews would take ten times as long to change.
    """
    if name in plot.handles:
        plot.handles[name].data = data
        return
    before = list(plot.state.renderers)
    plot.handles[name] = ColumnDataSource(data)
    draw(plot.state, plot.handles[name])
    added = [renderer for renderer in plot.state.renderers if renderer not in before]
    # What is drawn first lies lowest: each goes over those added before it.
    depth = plot.handles.setdefault("under", [])
    rest = [renderer for renderer in before if renderer not in depth]
    depth += added
    plot.state.renderers = [*depth, *rest]


def _line(dash: str, width: float, alpha: float) -> Callable[[Any, ColumnDataSource], None]:
    def draw(figure: Any, source: ColumnDataSource) -> None:
        figure.multi_line(
            "xs",
            "ys",
            source=source,
            line_color="colour",
            line_dash=dash,
            line_width=width,
            line_alpha=alpha,
        )

    return draw


def _fill(figure: Any, source: ColumnDataSource) -> None:
    figure.patches("xs", "ys", source=source, fill_color="colour", fill_alpha=0.16, line_alpha=0)


def _spectra(likeness: SSPEquivalent | None) -> hv.Segments:
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


def _points(likeness: SSPEquivalent | None) -> hv.Points:
    details = ["member", "what", "band", "noise_free"]
    if likeness is None:
        # Numbers, even if there are none: a column of objects would not be mapped to colours.
        nothing = pd.DataFrame(columns=["wavelength", "flux", *details], dtype=float)
        return hv.Points(nothing, ["wavelength", "flux"], details)
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


def _hold_limits(plot: Any, limits: tuple[float, float]) -> None:
    """Keep the vertical axis of a picture at the limits of its data."""
    # Where somebody zoomed in, only other limits take him out.
    if plot.handles.get("held_limits") != limits:
        plot.handles["held_limits"] = limits
        low, high = limits
        set_view(plot.handles["y_range"], low, high)


def _hover(
    label: str, digits: str, columns: Sequence[str] = ("pred", "light", "mass")
) -> HoverTool:
    """Tooltips in which a history is told apart if it has several columns."""
    words = {"pred": "Predicted", "light": "By light", "mass": "By mass", "rate": label}
    several = len(columns) > 1
    return HoverTool(
        tooltips=[
            *([("", f"@label: {label}")] if several else []),
            ("Time", "@time{0.0} Gyr"),
            *((words[column], f"@{column}{{{digits}}}") for column in columns),
        ],
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
