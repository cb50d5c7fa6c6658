"""Pictures of models held against libraries that their training did not see."""

import holoviews as hv
import pandas as pd

from sspexplorer.labels import PARAMETER_NAMES, library_label
from sspexplorer.plots.style import NEUTRAL, figure_options, library_colour

# Intervals that hold this share of the truths, of stars never seen, are honest enough.
LIMITS_68 = (0.60, 0.76)


def left_out_picture(table: pd.DataFrame, sample: str, parameter: str) -> hv.Overlay:
    """Draw the share of truths inside the 68 % interval of one parameter against magnitude.

    Solid with the model's own error, dashed with the error of the other libraries joined to it.

    Parameters
    ----------
    table : DataFrame
        See :func:`sspexplorer.posterior.validation.left_out.tabulated`.
    sample : {"SSPs", "composites"}
    parameter : str
    """
    rows = table[(table["sample"] == sample) & (table["parameter"] == parameter)]
    x = hv.Dimension("magnitude", label="i [mag, AB]")
    y = hv.Dimension("share", label=f"{sample}: {PARAMETER_NAMES[parameter]} inside 68 %")
    layers = [
        hv.HSpan(*LIMITS_68).opts(color=NEUTRAL, alpha=0.16, line_alpha=0),
        hv.HLine(0.68).opts(color=NEUTRAL, line_dash="dashed", line_width=1.2),
    ]
    for name, one in rows.groupby("library", sort=False):
        label, colour = library_label(str(name)), library_colour(str(name))
        for column, dash in (("coverage_68", "solid"), ("with_library_68", "dashed")):
            shown = one.assign(share=one[column], library=label)
            line = hv.Curve(shown, x, y, label=label)
            layers.append(line.opts(color=colour, line_width=2, line_dash=dash))
        dots = hv.Scatter(
            one.assign(share=one["coverage_68"], library=label),
            x,
            [y, "library", "with_library_68", "bias", "err", "library_err", "n"],
        )
        layers.append(dots.opts(color=colour, size=6, tools=["hover"]))
    return hv.Overlay(layers).opts(
        **figure_options(
            ylim=(min(0.3, float(rows["coverage_68"].min()) - 0.05), 1.0),
            xlim=(rows["magnitude"].min() - 0.3, rows["magnitude"].max() + 0.3),
            legend_position="top_left",
            legend_cols=3,
            xlabel=x.label,
            ylabel=y.label,
        )
    )
