"""Errors against the truth, library by library.

Fig. 9 of Domínguez Sánchez et al. (2026).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import CustomJS, HoverTool, Label, Slope

from sspexplorer.analysis.held_out import medians_table
from sspexplorer.labels import PARAMETER_LABELS, PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.metrics import Summary, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.density import LIMITS
from sspexplorer.plots.shading import CLEAR, RIM, mean_cells
from sspexplorer.plots.style import NEUTRAL, figure_options, library_colour

ERROR_LIMITS = {"log_age": (-2.0, 2.0), "metallicity": (-2.9, 2.9), "ebv": (-0.4, 0.4)}

# From the brightest mocks to the faintest; below this they would sink into the page.
_OPACITY = (1.0, 0.35)
_CELL_SIZE = 3
_NO_MEDIANS = pd.DataFrame(columns=["centre", "p25", "p50", "p75", "n"], dtype=float)


@dataclass(frozen=True, eq=False)
class Part:
    """Mocks of one library, and one parameter of them.

    Attributes
    ----------
    mocks : DataFrame
        ``true`` (moved a little, to be drawn), ``error`` (predicted − true) and ``magnitude``.
    medians : DataFrame
        See :func:`~sspexplorer.analysis.held_out.medians_table`; not drawn if empty.
    summary : Summary or None
    """

    mocks: pd.DataFrame
    medians: pd.DataFrame
    summary: Summary | None


_NO_MOCKS = Part(
    pd.DataFrame(columns=["true", "error", "magnitude"], dtype=float), _NO_MEDIANS, None
)


@dataclass(frozen=True, eq=False)
class Residuals:
    """What the panels are made of.

    Attributes
    ----------
    parts : dict
        {(library, parameter): Part}
    magnitudes : tuple of float
        Brightest and faintest, for the colours.
    """

    parts: dict[tuple[str, str], Part] = field(default_factory=dict)
    magnitudes: tuple[float, float] = (16.0, 19.0)

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Residuals":
        """Take rows of a :func:`~sspexplorer.analysis.held_out.density_table`."""
        parts = {}
        for library, rows in table.groupby("library", observed=True):
            for name in PARAMETERS:
                predicted, true = rows[f"pred_{name}"].to_numpy(), rows[name].to_numpy()
                mocks = pd.DataFrame(
                    {
                        "true": rows[f"shown_{name}"].to_numpy(),
                        "error": predicted - true,
                        "magnitude": rows["magnitude"].to_numpy(),
                    }
                )
                medians = medians_table(rows, name, residual=True)
                parts[library, name] = Part(mocks, medians, summary(predicted, true))
        magnitude = table["magnitude"]
        return cls(parts, (float(magnitude.min()), float(magnitude.max())))

    def part(self, library: str, parameter: str) -> Part:
        """One panel's; empty if there are no mocks of the library."""
        return self.parts.get((library, parameter), _NO_MOCKS)

    def without_medians(self) -> "Residuals":
        """The same, of which medians and quartiles are not drawn."""
        bare = {key: Part(p.mocks, _NO_MEDIANS, p.summary) for key, p in self.parts.items()}
        return Residuals(bare, self.magnitudes)


def summary_text(parameter: str, found: Summary | None) -> str:
    """What is written into a panel: μ and σ_NMAD."""
    if found is None:
        return ""
    # Adding 0.0 takes the sign off a bias that is zero in the digits that are shown.
    bias = f"{round(found['bias'], 3) + 0.0:+.3f}".replace("-", "−")
    return f"μ {bias}  σ {found['sigma_nmad']:.3f} {PARAMETER_UNITS[parameter]}"


def magnitude_colours(library: str, n: int = 32) -> list[str]:
    """Colours of a library from its full one, for the brightest mocks, to a faint one."""
    opacity = np.rint(255 * np.linspace(*_OPACITY, n)).astype(int)
    return [f"{library_colour(library)}{value:02X}" for value in opacity]


def residual_picture(
    residuals: Residuals | hv.streams.Pipe, library: str, parameter: str
) -> hv.DynamicMap:
    """Draw predicted − true against true for one library, shaded anew at every zoom.

    The fuller the colour of a cell, the brighter its mocks are on average.

    Parameters
    ----------
    residuals : Residuals, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture, which follows what is sent through it.
    library, parameter : str
    """
    pipe = residuals if isinstance(residuals, hv.streams.Pipe) else hv.streams.Pipe(data=residuals)
    limits = LIMITS[parameter], ERROR_LIMITS[parameter]
    # Panels whose axes have the same names zoom together: those of a parameter.
    dimensions = [f"true_{parameter}_by_library", f"error_{parameter}_by_library"]

    def draw(
        data: Residuals,
        x_range: tuple[float, float] | None,
        y_range: tuple[float, float] | None,
        width: int | None,
        height: int | None,
        scale: float,
    ) -> hv.Overlay:
        part = data.part(library, parameter)
        rows, columns = (max(1, (pixels or 300) // _CELL_SIZE) for pixels in (height, width))
        ranges = x_range or limits[0], y_range or limits[1]
        cells = mean_cells(part.mocks, ["true", "error", "magnitude"], *ranges, (rows, columns))
        bounds = (ranges[0][0], ranges[1][0], ranges[0][1], ranges[1][1])
        low, high = data.magnitudes
        colour = hv.Dimension("magnitude", range=(low, max(high, low + 0.5)))
        image = hv.Image(cells[::-1], dimensions, colour, bounds=bounds)
        marks = part.medians
        points = hv.Points(marks, ["centre", "p50"], ["p25", "p75", "n"]).redim(
            centre=dimensions[0], p50=dimensions[1]
        )
        return image * _bars(marks) * points

    # The cells have these limits from the start, and the axes take them from the cells.
    view = hv.streams.RangeXY(x_range=limits[0], y_range=limits[1])
    figure = figure_options(
        partial(_write, pipe=pipe, library=library, parameter=parameter),
        xlabel=f"True {PARAMETER_LABELS[parameter]}",
        ylabel=f"Δ {PARAMETER_NAMES[parameter]} [{PARAMETER_UNITS[parameter]}]",
        show_legend=False,
        xticks=5,
        yticks=5,
    )
    return hv.DynamicMap(draw, streams=[pipe, view, hv.streams.PlotSize()]).opts(
        hv.opts.Image(
            cmap=magnitude_colours(library),
            clipping_colors=CLEAR,
            tools=[_cell_hover()],
        ),
        hv.opts.Segments(color="colour", line_width="width", apply_ranges=False),
        hv.opts.Points(
            color="#FFFFFF",
            line_color=RIM,
            line_width=1.3,
            size=5,
            apply_ranges=False,
            tools=[_median_hover(dimensions)],
        ),
        hv.opts.Overlay(**figure),
    )


def _bars(medians: pd.DataFrame) -> hv.Segments:
    """Upright lines from the lower quartile to the upper one, white on dark."""
    x, low, high = (medians[column].to_numpy() for column in ("centre", "p25", "p75"))
    style = [np.repeat(values, len(x)) for values in ([RIM, "#FFFFFF"], [3.6, 1.5])]
    ends = [np.tile(values, 2) for values in (x, low, x, high)]
    return hv.Segments((*ends, *style), ["true", "p25", "same", "p75"], ["colour", "width"])


def _write(
    plot: Any, element: hv.Overlay, *, pipe: hv.streams.Pipe, library: str, parameter: str
) -> None:
    """HoloViews hook: the numbers of the panel, and a line where there is no error.

    Annotations of the figure and not elements, of which each costs time at every change.
    """
    if "numbers" not in plot.handles:
        plot.state.add_layout(
            Slope(gradient=0, y_intercept=0, line_color=NEUTRAL, line_dash=[4, 4], level="underlay")
        )
        label = Label(x=6, y=4, x_units="screen", y_units="screen", text="")
        plot.handles["numbers"] = label
        plot.state.add_layout(label)
    found = pipe.data.part(library, parameter).summary
    plot.handles["numbers"].text = summary_text(parameter, found)


def _cell_hover() -> HoverTool:
    return HoverTool(
        tooltips=[("True", "$x{0.00}"), ("Δ", "$y{+0.00}"), ("Mean i", "@image{0.0}")],
        filters={"@image": CustomJS(code="export default (args, tool, {value}) => value == value")},
        visible=False,
    )


def _median_hover(dimensions: Sequence[str]) -> HoverTool:
    true, error = dimensions
    return HoverTool(
        tooltips=[
            ("Median Δ", f"@{error}{{+0.00}}"),
            ("Quartiles", "@p25{+0.00} to @p75{+0.00}"),
            ("True", f"@{true}{{0.00}}"),
            ("Mocks", "@n{0,0}"),
        ],
        visible=False,
    )
