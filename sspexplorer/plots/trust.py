"""Pictures of how well posteriors keep their promises: functions of the tables of a Trust."""

from collections.abc import Iterable

import holoviews as hv
import numpy as np
import pandas as pd
from scipy.stats import binom

from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.style import NEUTRAL, PARAMETER_COLOURS, figure_options

_BAND = {"color": NEUTRAL, "alpha": 0.16, "line_alpha": 0}
_SHOWN = np.arange(17.0, 23.0)  # magnitudes that have a line each
_REFERENCE = {"color": NEUTRAL, "line_dash": "dashed", "line_width": 1.2}


def _curve(
    table: pd.DataFrame, x: hv.Dimension, y: hv.Dimension, name: str, **options: object
) -> hv.Overlay:
    colour = PARAMETER_COLOURS.get(name, NEUTRAL)
    label = PARAMETER_NAMES.get(name, name)
    line = hv.Curve(table, x, y, label=label).opts(color=colour, line_width=2, **options)
    dots = hv.Scatter(table, x, [y, *[c for c in ("n",) if c in table]]).opts(
        color=colour, size=6, tools=["hover"]
    )
    return line * dots


def _overlay(layers: Iterable[hv.Element], **options: object) -> hv.Overlay:
    return hv.Overlay(list(layers)).collate().opts(**figure_options(**options))


def _about(level: float, least: float, shares: pd.Series) -> tuple[float, float]:
    """Range of an axis of shares about the probability of an interval: at least so far."""
    spread = max(least, float(np.abs(shares - level).max()) * 1.15)
    return level - spread, min(1.0, level + spread)


def coverage_picture(
    magnitudes: pd.DataFrame, column: str, level: float, limits: tuple[float, float]
) -> hv.Overlay:
    """Draw the share of truths inside an interval against magnitude.

    Parameters
    ----------
    magnitudes : DataFrame
        See :class:`~sspexplorer.posterior.validation.trust.Trust`.
    column : {"coverage_68", "coverage_95"}
    level : float
        Probability of the interval.
    limits : tuple of float
        What was promised at every magnitude; drawn as a grey band.
    """
    table = magnitudes.dropna(subset="magnitude")
    x = hv.Dimension("magnitude", label="i [mag, AB]")
    y = hv.Dimension(column, label=f"truths inside the {level:.0%} interval")
    layers = [hv.HSpan(*limits).opts(**_BAND), hv.HLine(level).opts(**_REFERENCE)]
    layers += [_curve(table[table["parameter"] == p], x, y, p) for p in PARAMETERS]
    return _overlay(
        layers,
        ylim=_about(level, 0.1 if level < 0.9 else 0.06, table[column]),
        legend_position="bottom_left",
        legend_cols=3,
        xlabel=x.label,
        ylabel=y.label,
    )


def rank_picture(ranks: pd.DataFrame) -> hv.Overlay:
    """Draw how often the truth lies at each rank of its posterior.

    Flat within the grey band (95 % of a binomial distribution) if calibrated; high at both ends
    if posteriors are too narrow, high in the middle if too wide.
    """
    counts = ranks.groupby("parameter")["count"].sum()
    n_bins = ranks["rank"].nunique()
    total = int(counts.iloc[0])
    low, high = binom.ppf([0.025, 0.975], total, 1 / n_bins) * n_bins / total
    x = hv.Dimension("rank", label="posterior probability below the truth")
    y = hv.Dimension("share", label="mocks, relative to an even share")
    layers = [hv.HSpan(low, high).opts(**_BAND), hv.HLine(1).opts(**_REFERENCE)]
    for name in PARAMETERS:
        rows = ranks[ranks["parameter"] == name]
        shares = pd.DataFrame(
            {"rank": rows["rank"], "share": rows["count"] * n_bins / counts[name]}
        )
        steps = hv.Curve(shares, x, y, label=PARAMETER_NAMES[name])
        layers.append(
            steps.opts(color=PARAMETER_COLOURS[name], line_width=2, interpolation="steps-mid")
        )
    return _overlay(
        layers,
        xlim=(0, 1),
        ylim=(0.5, 1.5),
        legend_position="top_left",
        legend_cols=3,
        xlabel=x.label,
        ylabel=y.label,
    )


def tarp_picture(tarp: pd.DataFrame) -> hv.Overlay:
    """Draw the expected coverage of the joint posterior against its credibility level."""
    x = hv.Dimension("level", label="credibility level")
    y = hv.Dimension("coverage", label="mocks within (TARP)")
    diagonal = hv.Curve([(0, 0), (1, 1)], x, y).opts(**_REFERENCE)
    found = hv.Curve(tarp, x, y).opts(color="#3B93EA", line_width=2.5, tools=["hover"])
    return _overlay([diagonal, found], xlim=(0, 1), ylim=(0, 1), xlabel=x.label, ylabel=y.label)


def redshift_picture(redshifts: pd.DataFrame, parameter: str) -> hv.Overlay:
    """Draw the scatter of one parameter against redshift, given and unknown."""
    unit = PARAMETER_UNITS[parameter]
    x = hv.Dimension("redshift", label="redshift")
    y = hv.Dimension("sigma_nmad", label=f"σ_NMAD of {PARAMETER_NAMES[parameter]} [{unit}]")
    rows = redshifts[redshifts["parameter"] == parameter]
    layers = []
    for known, dash in (("given", "solid"), ("unknown", "dashed")):
        table = rows[rows["known"] == known]
        line = hv.Curve(table, x, y, label=f"redshift {known}")
        layers.append(line.opts(color=PARAMETER_COLOURS[parameter], line_width=2, line_dash=dash))
        dots = hv.Scatter(table, x, [y, "coverage_68", "n"])
        layers.append(dots.opts(color=PARAMETER_COLOURS[parameter], size=6, tools=["hover"]))
    return _overlay(
        layers,
        ylim=(0, 1.35 * float(rows["sigma_nmad"].max())),
        legend_position="top_right",
        xlabel=x.label,
        ylabel=y.label,
    )


def distance_picture(
    distances: pd.DataFrame, parameter: str, column: str, level: float, limits: tuple[float, float]
) -> hv.Overlay:
    """Draw the share of truths inside an interval against redshift, a line for each magnitude.

    Parameters
    ----------
    distances : DataFrame
        See :func:`~sspexplorer.posterior.validation.trust.measure_distances`.
    parameter : str
    column : {"coverage_68", "coverage_95"}
    level : float
        Probability of the interval.
    limits : tuple of float
        What was promised; drawn as a grey band.
    """
    rows = distances[distances["parameter"] == parameter]
    name = PARAMETER_NAMES[parameter]
    x = hv.Dimension("redshift", label="redshift (middle of a fifth)")
    y = hv.Dimension(column, label=f"{name}: truths inside the {level:.0%} interval")
    details = [y, "magnitude", "sigma_nmad", "n"]
    rows = rows[rows["magnitude"].isin(_SHOWN)]
    magnitudes = np.unique(rows["magnitude"])
    layers = [hv.HSpan(*limits).opts(**_BAND), hv.HLine(level).opts(**_REFERENCE)]
    for magnitude, alpha in zip(magnitudes, np.linspace(1.0, 0.3, len(magnitudes)), strict=True):
        table = rows[rows["magnitude"] == magnitude]
        style = {"color": PARAMETER_COLOURS[parameter], "alpha": float(alpha)}
        line = hv.Curve(table, x, y, label=f"i = {magnitude:g}")
        dots = hv.Scatter(table, x, details)
        layers += [line.opts(line_width=2, **style), dots.opts(size=6, tools=["hover"], **style)]
    return _overlay(
        layers,
        ylim=_about(level, 0.16 if level < 0.9 else 0.06, rows[column]),
        legend_position="bottom_left",
        legend_cols=3,
        xlabel=x.label,
        ylabel=y.label,
    )


def photoz_picture(photoz: pd.DataFrame) -> hv.Overlay:
    """Draw the scatter of redshifts from colours alone against magnitude."""
    table = photoz.dropna(subset="magnitude")
    x = hv.Dimension("magnitude", label="i [mag, AB]")
    y = hv.Dimension("sigma_nmad", label="σ_NMAD of Δz/(1 + z)")
    return _overlay(
        [_curve(table, x, y, "colours alone")],
        ylim=(0, 1.1 * float(table["sigma_nmad"].max())),
        show_legend=False,
        xlabel=x.label,
        ylabel=y.label,
    )


def gap_picture(gaps: pd.DataFrame, parameter: str) -> hv.Overlay:
    """Draw the scatter of one parameter with all bands and with some missing, as bars."""
    unit = PARAMETER_UNITS[parameter]
    rows = gaps[gaps["parameter"] == parameter]
    table = rows[["gap", "sigma_nmad", "growth", "coverage_68", "n"]].replace(
        {
            "gap": {
                "none": "all bands",
                "as in SDSS spectra": "SDSS range",
                "10 at random": "10 gone",
            }
        }
    )
    bars = hv.Bars(table, "gap", ["sigma_nmad", "growth", "coverage_68", "n"]).opts(
        color=PARAMETER_COLOURS[parameter], line_alpha=0, tools=["hover"], bar_width=0.6
    )
    return bars.opts(
        **figure_options(
            xlabel="bands",
            ylabel=f"σ_NMAD of {PARAMETER_NAMES[parameter]} [{unit}]",
            ylim=(0, 1.15 * float(table["sigma_nmad"].max())),
        )
    )


def exact_picture(exact: pd.DataFrame, limit: float) -> hv.Overlay:
    """Draw the RMSE of posterior means over that of the exact posterior against magnitude."""
    x = hv.Dimension("magnitude", label="i [mag, AB]")
    y = hv.Dimension("ratio", label="RMSE ÷ that of the exact posterior")
    layers = [hv.HLine(1).opts(**_REFERENCE), hv.HLine(limit).opts(color=NEUTRAL, line_width=1)]
    layers += [_curve(exact[exact["parameter"] == p], x, y, p) for p in PARAMETERS]
    top = max(limit, float(exact["ratio"].max())) + 0.03
    return _overlay(
        layers,
        ylim=(0.96, top),
        legend_position="bottom_left",
        legend_cols=3,
        xlabel=x.label,
        ylabel=y.label,
    )


def p_value_picture(p_values: pd.DataFrame) -> hv.Overlay:
    """Draw, for each kind, the share with a p-value below each value."""
    x = hv.Dimension("p_high", label="p-value")
    y = hv.Dimension("below", label="share with a smaller p-value")
    kinds = p_values["kind"].unique()
    colours = dict(zip(kinds, (NEUTRAL, *_KIND_COLOURS), strict=False))
    layers = []
    for kind in kinds:
        rows = p_values[p_values["kind"] == kind]
        table = pd.DataFrame({"p_high": rows["p_high"], "below": rows["share"].cumsum()})
        line = hv.Curve(table[table["p_high"] > 0], x, y, label=kind)
        layers.append(line.opts(color=colours[kind], line_width=2, tools=["hover"]))
    return _overlay(
        layers,
        logx=True,
        xlim=(1e-6, 1),
        ylim=(0, 1.02),
        legend_position="right",
        xlabel=x.label,
        ylabel=y.label,
    )


_KIND_COLOURS = ("#E58000", "#3B93EA", "#1F7F45", "#D6324A", "#5F5FD3", "#12A594")
