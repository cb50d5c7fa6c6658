"""Answers for real galaxies beside what is published of galaxies by their mass."""

import holoviews as hv
import numpy as np
import pandas as pd

from sspexplorer.labels import PARAMETER_LABELS
from sspexplorer.masses import DEFAULT_COSMOLOGY, MASS_AS_CHABRIER
from sspexplorer.plots.style import NEUTRAL, figure_options

# By log of the stellar mass (M☉), weighted by light. SDSS: Gallazzi et al. (2005), table 2;
# star-forming galaxies in SAMI: Fraser-McKelvie et al. (2021), means of two bins of mass.
GALLAZZI = pd.DataFrame(
    {"log_mass": [9.27, 9.68, 10.07, 10.47], "metallicity": [-0.65, -0.52, -0.23, -0.01]}
)
SAMI = pd.DataFrame(
    {"log_mass": [9.875, 10.125], "log_age": [9.16, 9.26], "metallicity": [-0.55, -0.43]}
)
_COLOUR = "#3B93EA"
# Heads of bars would be black on a black page, too.
_BARS = {"color": _COLOUR, "line_width": 1.5, "lower_head": None, "upper_head": None}
_DOTTED = {"color": NEUTRAL, "line_dash": "dotted", "line_width": 2.0}
_NAME = {"text_color": NEUTRAL, "text_font_size": "8.5pt"}
_MASSES = np.array([8.5, 11.5])
_SEQUENCES = (0.1, 0.5, 1.0)  # redshifts that the main sequence is drawn for


def main_sequence(log_mass: np.ndarray, redshift: float) -> np.ndarray:
    """Log of the rate (M☉/yr) at which galaxies of a mass (log M☉) form stars.

    Speagle et al. (2014), equation 28, by the age of the universe; their masses and rates are of a
    Kroupa IMF, those here of Chabrier's.
    """
    age = float(DEFAULT_COSMOLOGY.age(redshift)) / 1e9
    change = np.log10(MASS_AS_CHABRIER["Kroupa"])
    return (0.84 - 0.026 * age) * (log_mass - change) - (6.51 - 0.11 * age) + change


def relations(x: str, y: str) -> list[hv.Element]:
    """Draw what is published of two parameters, dotted; nothing of most pairs."""
    if (x, y) == ("log_mass", "metallicity"):
        points = GALLAZZI[["log_mass", "metallicity"]]
        return [hv.Curve(points, x, y).opts(**_DOTTED)]
    if (x, y) == ("log_mass", "log_sfr"):
        rates = [main_sequence(_MASSES, redshift) for redshift in _SEQUENCES]
        curves = [hv.Curve((_MASSES, rate), x, y).opts(**_DOTTED) for rate in rates]
        ends = pd.DataFrame({x: _MASSES[-1], y: [rate[-1] for rate in rates]})
        ends["text"] = [f" z = {redshift:g}" for redshift in _SEQUENCES]
        names = hv.Labels(ends, [x, y], "text")
        return [*curves, names.opts(**_NAME, text_align="left")]
    return []


def relation_words(x: str, y: str) -> str:
    """What :func:`relations` draws of two parameters, in a sentence; "" if nothing."""
    if (x, y) == ("log_mass", "metallicity"):
        return "Dotted: medians of SDSS galaxies by mass (Gallazzi et al. 2005)."
    if (x, y) == ("log_mass", "log_sfr"):
        return "Dotted: the main sequence of star formation (Speagle et al. 2014), by redshift."
    return ""


def published_picture(answers: pd.DataFrame) -> hv.Overlay:
    """Draw [M/H] against log age of galaxies with their errors, and what is published.

    Parameters
    ----------
    answers : DataFrame
        ``name`` and columns of :func:`sspexplorer.posterior.prediction.predict_posterior`.
    """
    x = hv.Dimension("log_age", label=PARAMETER_LABELS["log_age"])
    y = hv.Dimension("metallicity", label=PARAMETER_LABELS["metallicity"])
    galaxies = pd.DataFrame(
        {
            "log_age": answers["pred_log_age"],
            "metallicity": answers["pred_metallicity"],
            "age_err": answers["pred_log_age_err"],
            "metallicity_err": answers["pred_metallicity_err"],
            "name": answers["name"],
        }
    ).dropna(subset=["log_age", "metallicity"])
    ends = np.array([8.2, 10.2])
    layers: list[hv.Element] = []
    for row in GALLAZZI.itertuples():
        line = hv.Curve(
            (ends, [row.metallicity] * 2), x, y, label="SDSS, by log M (Gallazzi+ 2005)"
        )
        layers.append(line.opts(color=NEUTRAL, line_dash="dotted", line_width=1.4))
    # Side by side in turn: lines are closer than a line of text is high.
    places = np.where(np.arange(len(GALLAZZI)) % 2, 8.22, 9.9)
    words = GALLAZZI.assign(log_age=places, text=GALLAZZI["log_mass"].map("log M {:.2f}".format))
    layers.append(
        hv.Labels(words, [x, y], "text").opts(**_NAME, text_align="left", text_baseline="bottom")
    )
    sami = hv.Scatter(SAMI, x, [y, "log_mass"], label="SAMI, star-forming (Fraser-McKelvie+ 2021)")
    layers.append(sami.opts(color=NEUTRAL, marker="diamond", size=11, tools=["hover"]))
    across = hv.ErrorBars(galaxies, x, [y, "age_err"], horizontal=True)
    along = hv.ErrorBars(galaxies, x, [y, "metallicity_err"])
    layers += [bars.opts(**_BARS) for bars in (across, along)]
    dots = hv.Scatter(
        galaxies, x, [y, "name", "age_err", "metallicity_err"], label="answers, with 1 σ"
    )
    layers.append(dots.opts(color=_COLOUR, size=9, tools=["hover"]))
    return hv.Overlay(layers).opts(
        **figure_options(
            xlim=(8.2, 10.2),
            ylim=(-2.0, 0.6),
            legend_position="bottom_right",
            xlabel=x.label,
            ylabel=y.label,
        )
    )
