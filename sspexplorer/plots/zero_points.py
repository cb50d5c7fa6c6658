"""Zero-point offsets of the bands against wavelength."""

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.plots.sed import WAVELENGTH_RANGE
from sspexplorer.plots.style import NEUTRAL, band_colours, by_number, figure_options
from sspexplorer.plots.view import set_view
from sspexplorer.posterior.zero_points import BandOffsets

_LEAST_RANGE = 0.02  # mag; so that what is within the errors does not look large


def offset_table(offsets: BandOffsets | None) -> pd.DataFrame:
    """A row for each band that has an offset: band, wavelength (Å), offset, error (mag), n."""
    if offsets is None:
        return pd.DataFrame(
            columns=["band", "wavelength", "offset", "error", "n", "index"], dtype=float
        )
    table = pd.DataFrame(
        {
            "band": BAND_NAMES,
            "wavelength": load_bands().pivot,
            "offset": offsets.offset,
            "error": offsets.error,
            "n": offsets.n,
            "index": np.arange(len(BAND_NAMES)),
        }
    )
    return table[np.isfinite(table["offset"])]


def offset_picture(offsets: hv.streams.Pipe) -> hv.Overlay:
    """Draw each band's offset with its error, in the band's colour of light.

    Parameters
    ----------
    offsets : Pipe of BandOffsets or None
        The picture follows what is sent through it.
    """
    bands = by_number("index", band_colours())
    details = [("Band", "@band"), ("Offset", "@offset{+0.0000} ± @error{0.0000} mag")]
    hover = HoverTool(tooltips=[*details, ("Galaxies", "@n{0,0}")])
    points = hv.DynamicMap(_points, streams=[offsets])
    bars = hv.DynamicMap(_bars, streams=[offsets])

    def hold_axis(plot, element) -> None:
        table = offset_table(offsets.contents["data"])
        far = (table["offset"].abs() + table["error"].fillna(0)).max() if len(table) else 0.0
        far = 1.1 * max(far, _LEAST_RANGE)
        set_view(plot.handles["y_range"], -far, far)

    zero = hv.HLine(0).opts(color=NEUTRAL, line_width=1, line_dash="dashed")
    return (
        zero
        * bars.opts(**bands, line_width=1.4)
        * points.opts(**bands, size=8, tools=[hover], line_color=NEUTRAL)
    ).opts(
        **figure_options(
            hold_axis,
            xlabel="Wavelength [Å]",
            ylabel="Catalogue − training SEDs [mag]",
            xlim=WAVELENGTH_RANGE,
            show_legend=False,
        )
    )


def _points(data: BandOffsets | None) -> hv.Points:
    return hv.Points(offset_table(data), ["wavelength", "offset"], ["index", "band", "error", "n"])


def _bars(data: BandOffsets | None) -> hv.Segments:
    table = offset_table(data)
    x, y, error = (table[name].to_numpy(float) for name in ("wavelength", "offset", "error"))
    error = np.nan_to_num(error)
    columns = (x, y - error, x, y + error, table["index"].to_numpy(float))
    return hv.Segments(columns, ["x0", "y0", "x1", "y1"], "index")
