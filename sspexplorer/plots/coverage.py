"""Pictures and tables of which ages and metallicities each library covers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.labels import PARAMETER_LABELS, age_text, library_label
from sspexplorer.libraries import DEFAULT_AGE_RANGE, SSPLibrary
from sspexplorer.mocks import EBV_GRID, MAGNITUDES
from sspexplorer.plots.sed import SED_COLOURS
from sspexplorer.plots.style import NEUTRAL, by_number, figure_options, library_colour

# SSPs stand here; the histograms beside them, in strips of the same figure.
# The bins begin where none of them parts the metallicities that libraries share but for rounding.
AGE_LIMITS, METALLICITY_LIMITS = (4.85, 10.45), (-2.65, 0.9)
_AGE_STRIP, _METALLICITY_STRIP = (10.6, 11.55), (1.0, 1.6)
BIN_WIDTH = 0.2  # dex, in age and in metallicity

# Domínguez Sánchez et al. (2026), Sects. 2.1.1 to 2.1.3 and Table 1. Its counts with dust are of
# nine values of E(B−V), of which its footnote 1 prints eight.
_PAPER_DUST = 9
_PAPER = {
    "E-MILES": (2958, "50 and 53", "7 and 12", "Chabrier, Kroupa, unimodal 1.3"),
    "CB19": (3300, "220", "15", "Chabrier"),
    "XSL": (1104, "", "", "Salpeter, Kroupa"),
}
_PAPER_ISOCHRONES = {
    "E-MILES": "Padova00, BaSTI",
    "CB19": "PARSEC",
    "XSL": "PARSEC, Padova00",
}
TOTAL, PAPER_TOTAL = "All", "all in the paper"
_OF_PAPER = "{} in the paper"
PAPER_ROWS = (*(_OF_PAPER.format(name) for name in _PAPER), PAPER_TOTAL)


def ssp_table(libraries: Sequence[SSPLibrary]) -> pd.DataFrame:
    """One row for each SSP.

    Parameters
    ----------
    libraries : sequence of SSPLibrary
        As they are in their files, with all ages.

    Returns
    -------
    DataFrame
        ``library``, ``log_age`` (log10 yr), ``age`` (text), ``metallicity`` (dex), ``imf``,
        ``isochrone``, ``in_range``: whether the age is within
        :data:`~sspexplorer.libraries.DEFAULT_AGE_RANGE`.
    """
    frames = []
    for library in libraries:
        low, high = np.log10(DEFAULT_AGE_RANGE)
        age = library.log_age
        frames.append(
            pd.DataFrame(
                {
                    "library": library.name,
                    "log_age": age,
                    "age": [age_text(value) for value in age],
                    "metallicity": library.metallicity,
                    "imf": library.imf,
                    "isochrone": library.isochrone,
                    "in_range": (age >= low - 1e-6) & (age <= high + 1e-6),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True, eq=False)
class Coverage:
    """What the pictures are made of.

    Attributes
    ----------
    ssps : DataFrame
        See :func:`ssp_table`; of the libraries that are combined.
    whole : bool
        Take all ages of the files, and not only those in range.
    picked : DataFrame
        ``library``, ``log_age``, ``metallicity`` and ``number`` (from 1) of SSPs to mark.
    """

    ssps: pd.DataFrame
    whole: bool = False
    picked: pd.DataFrame | None = None

    @property
    def used(self) -> pd.DataFrame:
        """SSPs that are taken."""
        return self.ssps if self.whole else self.ssps[self.ssps["in_range"]]

    def nearest(self, library: str, log_age: float, metallicity: float) -> pd.Series | None:
        """SSP of a library nearest to a place in the picture; None for a place beside it."""
        rows = self.used[self.used["library"] == library]
        inside = log_age < AGE_LIMITS[1] and metallicity < METALLICITY_LIMITS[1]
        if not len(rows) or not inside:
            return None
        across = (rows["log_age"] - log_age) / np.ptp(AGE_LIMITS)
        upward = (rows["metallicity"] - metallicity) / np.ptp(METALLICITY_LIMITS)
        return rows.loc[(across**2 + upward**2).idxmin()]


def counts_table(coverage: Coverage) -> pd.DataFrame:
    """Table 1 of the paper for our libraries: SSPs, and the mocks that are made of them.

    Returns
    -------
    DataFrame
        A row for each library, their sum, and what the paper has of its own.
    """
    rows = {}
    for name, ssps in coverage.ssps.groupby("library", sort=False):
        used = coverage.used[coverage.used["library"] == name]
        rows[library_label(name)] = {
            **_products(len(used), len(EBV_GRID)),
            "Ages": used["log_age"].nunique(),
            "[M/H]": used["metallicity"].nunique(),
            "Not in range": int((~ssps["in_range"]).sum()),
            "IMF": ", ".join(used["imf"].unique()),
            "Isochrones": ", ".join(used["isochrone"].unique()),
        }
    if len(rows) > 1:
        outside = sum(row["Not in range"] for row in rows.values())
        rows[TOTAL] = _products(len(coverage.used), len(EBV_GRID)) | {"Not in range": outside}
    for name, (n_ssps, ages, metallicities, imf) in _PAPER.items():
        rows[_OF_PAPER.format(name)] = {
            **_products(n_ssps, _PAPER_DUST),
            "Ages": ages or np.nan,
            "[M/H]": metallicities or np.nan,
            "IMF": imf,
            "Isochrones": _PAPER_ISOCHRONES[name],
        }
    rows[PAPER_TOTAL] = _products(sum(row[0] for row in _PAPER.values()), _PAPER_DUST)
    # Of objects: a column with a gap would have its counts turned into decimals.
    return pd.DataFrame(list(rows.values()), index=list(rows), dtype=object)


def _products(n_ssps: int, n_dust: int) -> dict[str, int]:
    with_dust = n_ssps * n_dust
    return {"SSPs": n_ssps, "with dust": with_dust, "mocks": with_dust * len(MAGNITUDES)}


def coverage_picture(
    coverage: Coverage | hv.streams.Pipe,
    library: str,
    tap: hv.streams.Stream | None = None,
) -> hv.Overlay:
    """Draw the SSPs of one library over those of all, with histograms of both.

    Above: ages; at the right: metallicities; each histogram is the fraction of its own SSPs in
    bins of :data:`BIN_WIDTH`. Hollow marks are SSPs whose age is out of range.

    Parameters
    ----------
    coverage : Coverage, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture, which follows what is sent through it.
    library : str
    tap : SingleTap, optional
        Gets the place of a click; for a live picture.
    """
    colour = library_colour(library)
    live = isinstance(coverage, hv.streams.Pipe)

    def layer(make: Callable[[Coverage, str], hv.Element]) -> hv.Element | hv.DynamicMap:
        if live:
            return hv.DynamicMap(lambda data: make(data, library), streams=[coverage])
        return make(coverage, library)

    # As few layers as can be: each takes its time to be set up.
    ssps = layer(_points).opts(cmap=[NEUTRAL, colour], tools=[_ssp_hover()], **_POINT_STYLE)
    if tap is not None:
        tap.source = ssps
    bars = layer(_bars).opts(cmap=[NEUTRAL, colour], tools=[_bar_hover()], **_BAR_STYLE)
    layers = ssps * bars * layer(_marks).opts(**_MARK_STYLE)
    return layers.opts(
        **figure_options(
            title=library_label(library),
            xlabel=PARAMETER_LABELS["log_age"],
            ylabel=PARAMETER_LABELS["metallicity"],
            xlim=(AGE_LIMITS[0], _AGE_STRIP[1] + 0.05),
            ylim=(METALLICITY_LIMITS[0], _METALLICITY_STRIP[1] + 0.05),
            xticks=[5, 6, 7, 8, 9, 10],
            yticks=[-2.5, -2, -1.5, -1, -0.5, 0, 0.5],
            show_legend=False,
            apply_ranges=False,
        )
    )


def _points(data: Coverage, library: str) -> hv.Points:
    """All SSPs, then those of the library that are out of range, then its others."""
    used, ssps = data.used, data.ssps
    outside = ssps[(ssps["library"] == library) & ~ssps.index.isin(used.index)]
    own = used[used["library"] == library]
    table = pd.concat(
        [
            used[used["library"] != library].assign(own=0.0, fill=0.35, rim=0.0, size=3.5),
            outside.assign(own=1.0, fill=0.0, rim=0.45, size=4.0),
            own.assign(own=1.0, fill=1.0, rim=1.0, size=4.5),
        ],
        ignore_index=True,
    )
    labels = {name: library_label(name) for name in table["library"].unique()}
    table["library"] = table["library"].map(labels)
    details = ["own", "fill", "rim", "size", "library", "age", "imf", "isochrone"]
    return hv.Points(table, ["log_age", "metallicity"], details)


def _marks(data: Coverage, library: str) -> hv.Points:
    picked = data.picked
    if picked is None:
        picked = pd.DataFrame(columns=["library", "log_age", "metallicity", "number"])
    here = picked[picked["library"] == library].astype({"number": float})
    return hv.Points(here, ["log_age", "metallicity"], ["number"])


def _bars(data: Coverage, library: str) -> hv.Rectangles:
    """Histograms of both parameters, of all SSPs and of those of one library."""
    samples = {"all": data.used, library: data.used[data.used["library"] == library]}
    shares = {
        (name, parameter): histogram_table(ssps[parameter], limits)
        for name, ssps in samples.items()
        for parameter, limits in (("log_age", AGE_LIMITS), ("metallicity", METALLICITY_LIMITS))
    }
    tops = {
        parameter: max(s["fraction"].max() for (_, p), s in shares.items() if p == parameter) or 1.0
        for parameter in ("log_age", "metallicity")
    }
    pieces = []
    for (name, parameter), table in shares.items():
        bars = _placed(table[table["ssps"] > 0], parameter, tops[parameter])
        label = "all libraries" if name == "all" else library_label(name)
        pieces.append(bars.assign(of=label, own=float(name != "all")))
    return hv.Rectangles(
        pd.concat(pieces, ignore_index=True),
        ["x0", "y0", "x1", "y1"],
        ["of", "own", "ssps", "fraction", "low", "high"],
    )


def histogram_table(values: pd.Series, limits: tuple[float, float]) -> pd.DataFrame:
    """Count values in bins of :data:`BIN_WIDTH`: ``low``, ``high``, ``ssps`` and ``fraction``."""
    n_bins = int(np.ceil(np.ptp(limits) / BIN_WIDTH))
    edges = limits[0] + BIN_WIDTH * np.arange(n_bins + 1)
    counts, _ = np.histogram(values, edges)
    fraction = counts / max(1, counts.sum())
    return pd.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "ssps": counts, "fraction": fraction}
    )


def _placed(table: pd.DataFrame, parameter: str, top: float) -> pd.DataFrame:
    """Corners of the bars of a histogram in its strip."""
    upright = parameter == "log_age"
    strip = _METALLICITY_STRIP if upright else _AGE_STRIP
    start, end = strip[0], strip[0] + np.ptp(strip) * table["fraction"] / top
    if upright:
        return table.assign(x0=table["low"], x1=table["high"], y0=start, y1=end)
    return table.assign(x0=start, x1=end, y0=table["low"], y1=table["high"])


_POINT_STYLE = {
    "color": "own",
    "clim": (0, 1),
    "fill_alpha": "fill",
    "line_alpha": "rim",
    "line_width": 1,
    "size": "size",
}
_BAR_STYLE = {"color": "own", "clim": (0, 1), "alpha": 0.5, "line_color": None}
_MARK_STYLE = {
    **by_number("number", SED_COLOURS, first=1),
    "size": 13,
    "line_color": "#FFFFFF",
    "line_width": 2,
}


def _ssp_hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("Library", "@library"),
            ("Age", "@age"),
            ("[M/H]", "@metallicity{+0.00}"),
            ("IMF", "@imf"),
            ("Isochrones", "@isochrone"),
        ],
        visible=False,
    )


def _bar_hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("SSPs", "@ssps{0,0} (@fraction{0.0%}) of @of"),
            ("From", "@low{0.00} to @high{0.00}"),
        ],
        visible=False,
    )
