"""Which mocks to compare with their predictions, and the numbers and words that come of it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sspexplorer.analysis.held_out import range_limits
from sspexplorer.analysis.scores import Panel, Scores, Selection, _in_words
from sspexplorer.labels import (
    PARAMETER_NAMES,
    PARAMETER_UNITS,
    library_label,
    listed,
    run_title,
    with_unit,
)
from sspexplorer.metrics import OUTLIER_LIMIT, Summary
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.magnitude import snr_text

# Domínguez Sánchez et al. (2026), Sect. 7, with the digits that are printed there.
_PUBLISHED_KEYS = ("bias", "sigma_nmad", "outlier_fraction", "pearson")
PUBLISHED = {
    "log_age": dict(zip(_PUBLISHED_KEYS, ("0.01", "0.23", "17%", "0.98"), strict=True)),
    "metallicity": dict(zip(_PUBLISHED_KEYS, ("0.00", "0.29", "24%", "0.95"), strict=True)),
    "ebv": dict(zip(_PUBLISHED_KEYS, ("0.00", "0.04", "1%", "0.98"), strict=True)),
}
PUBLISHED_ROW = "as published"
PUBLISHED_NOTE = (
    "As published: Domínguez Sánchez et al. (2026, A&A 705, A219), Sect. 7, for mocks of E-MILES, "
    "CB19 and XSL split at random, so of SSPs seen under other noise."
)


_OUTLIERS = f"|Δ| > {OUTLIER_LIMIT}"
_COLUMNS = {
    "bias": "Bias μ",
    "sigma_nmad": "σ\u00a0NMAD",
    "outlier_fraction": _OUTLIERS,
    "pearson": "Pearson",
    "rmse": "RMSE",
    "n": "n",
}
FORMATS = {
    "Bias μ": "{:+.3f}",
    "σ\u00a0NMAD": "{:.3f}",
    _OUTLIERS: "{:.1%}",
    "Pearson": "{:.3f}",
    "RMSE": "{:.3f}",
    "n": "{:,.0f}",
}


def corner_text(panel: Panel, noise: NoiseModel, scores: Scores | None) -> str:
    """What to write into the corner of a picture: magnitudes, typical S/N, bias and scatter."""
    snr = [snr_text(float(noise.typical_snr(np.float64(m)))) for m in panel.magnitudes]
    ends = snr[0] if len(snr) == 1 else f"{snr[0]}–{snr[-1]}"
    text = f"{panel.title}, S/N {ends}"
    if scores is None:
        return text
    words = _in_words(scores.overall, f" {PARAMETER_UNITS[panel.parameter]}")
    return f"{text}\n{words}".replace("\nσ", ", σ")


def score_table(
    selection: Selection,
    scores: Sequence[Scores],
    others: Mapping[str, Sequence[Summary] | None],
) -> pd.DataFrame:
    """Metrics of each panel: of the chosen model, of others on the same mocks, of the paper.

    Parameters
    ----------
    selection : Selection
    scores : sequence of Scores
        One for each panel.
    others : dict
        {model: its summaries for each panel}, or None while they are not known.

    Returns
    -------
    DataFrame
        The libraries, where there are several, and the ranges of the age have rows of their own
        if the panels are of different parameters.
    """
    names: list[str] = []
    rows: list[Mapping[str, Any]] = []
    for number, (panel, found) in enumerate(zip(selection.panels, scores, strict=True)):
        parts = {} if selection.by_magnitude else _parts(panel.parameter, found)
        title = panel.title if selection.by_magnitude else with_unit(panel.parameter)
        names += [title, *parts, *map(run_title, others)]
        rows += [found.overall, *parts.values()]
        rows += [_UNKNOWN if known is None else known[number] for known in others.values()]
        if number == 0 or not selection.by_magnitude:
            names.append(PUBLISHED_ROW)
            rows.append(PUBLISHED[panel.parameter])
    # Adding 0.0 takes the sign off a bias that is zero in the digits that are shown.
    signed = [
        row if isinstance(row["bias"], str) else {**row, "bias": round(row["bias"], 3) + 0.0}
        for row in rows
    ]
    return pd.DataFrame(signed, index=names, columns=list(_COLUMNS)).rename(columns=_COLUMNS)


_UNKNOWN = dict.fromkeys(_COLUMNS, float("nan"))


def _parts(parameter: str, found: Scores) -> dict[str, Summary]:
    """Metrics of the ranges of a parameter and of the libraries, by name."""
    parts = {}
    for (low, high), of_range in zip(range_limits(parameter), found.by_range, strict=True):
        if of_range["n"]:
            parts[_range_title(low, high)] = of_range
    if len(found.by_library) > 1:
        parts |= {library_label(name): known for name, known in found.by_library.items()}
    return parts


def _range_title(low: float, high: float) -> str:
    if np.isinf(low):
        return f"younger than {high}"
    return f"older than {low}" if np.isinf(high) else f"{low} to {high}"


def caption_text(selection: Selection, scores: Sequence[Scores], medians: bool = True) -> str:
    """What to notice: how many mocks, how well they are read back, and what is drawn how."""
    seen = "that the networks never saw" if selection.split == "ssp" else "seen under other noise"
    first = scores[0]
    mocks = f"{first.overall['n']:,} mocks of {first.n_ssp:,} SSPs {seen}: "
    marks = "Circles are medians, bars quartiles. " if medians else ""
    told = _of_magnitudes if selection.by_magnitude else _of_parameters
    return (
        f"{mocks}{told(selection.panels, scores)} {marks}"
        "True values lie on grids, drawn as narrow columns for the eye only."
    )


def _of_parameters(panels: Sequence[Panel], scores: Sequence[Scores]) -> str:
    sigma = [
        f"{found.overall['sigma_nmad']:.2f} {PARAMETER_UNITS[panel.parameter]} in "
        f"{PARAMETER_NAMES[panel.parameter]}"
        for panel, found in zip(panels, scores, strict=True)
    ]
    outliers = [f"{found.overall['outlier_fraction']:.0%}" for found in scores]
    return (
        f"σ\u00a0NMAD is {listed(sigma)}; {listed(outliers)} are off by more than "
        f"{OUTLIER_LIMIT} (dashes)."
    )


def _of_magnitudes(panels: Sequence[Panel], scores: Sequence[Scores]) -> str:
    unit, name = PARAMETER_UNITS[panels[0].parameter], PARAMETER_NAMES[panels[0].parameter]
    single = sorted(
        (panel.magnitudes[0], found.overall)
        for panel, found in zip(panels, scores, strict=True)
        if len(panel.magnitudes) == 1
    )
    sigma = [f"{found['sigma_nmad']:.2f} at i = {magnitude:g}" for magnitude, found in single]
    low, high = (f"{single[end][1]['outlier_fraction']:.0%}" for end in (0, -1))
    return (
        f"σ\u00a0NMAD of {name} is {listed(sigma)} {unit}; mocks off by more than "
        f"{OUTLIER_LIMIT} (dashes) go from {low} to {high}."
    )
