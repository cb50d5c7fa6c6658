"""Which mocks to compare with their predictions, and the numbers and words that come of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sspexplorer.app import cache
from sspexplorer.app.frame.sidebar import MODEL_TITLES
from sspexplorer.libraries import in_order
from sspexplorer.metrics import OUTLIER_LIMIT, Summary, summary
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.density import medians_table, range_limits
from sspexplorer.plots.magnitude import snr_text
from sspexplorer.plots.style import PARAMETER_NAMES, PARAMETER_UNITS, library_label

SPLITS = {"SSPs never seen": "ssp", "SSPs seen, other noise": "random"}
SPLIT_NOTES = {
    "ssp": "Whole SSPs were held out of the training: the stricter test.",
    "random": "SSPs of the training under noise that was not: the test of the paper.",
}
ONLY_RANDOM = "This network was trained on mocks split at random: it has seen every SSP."

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

# Of the panels in Fig. 5 of the paper, besides that of all mocks.
PAPER_MAGNITUDES = (16.0, 18.0, 20.0)

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


@dataclass(frozen=True)
class Panel:
    """One picture: a parameter, and the magnitudes of its mocks.

    Attributes
    ----------
    parameter : str
    magnitudes : tuple of float
        Next to each other in the grid of the mocks.
    """

    parameter: str
    magnitudes: tuple[float, ...]

    @property
    def title(self) -> str:
        """Magnitudes in words."""
        first, *others = self.magnitudes
        return f"{first:.0f} ≤ i ≤ {others[-1]:.0f}" if others else f"i = {first:.1f}"


@dataclass(frozen=True)
class Selection:
    """Which mocks to draw, and what of them.

    Attributes
    ----------
    model : str
        Name of a model.
    split : str
        See :func:`~sspexplorer.metrics.held_out_mocks`.
    libraries : tuple of str
    panels : tuple of Panel
        Those of one parameter each, or those of one parameter at several magnitudes.
    residual : bool
        Predicted − true, and not the prediction itself.
    """

    model: str
    split: str
    libraries: tuple[str, ...]
    panels: tuple[Panel, ...]
    residual: bool

    @property
    def by_magnitude(self) -> bool:
        """Whether the panels are of one parameter."""
        return self.panels[0].parameter == self.panels[-1].parameter

    def rows(self, table: pd.DataFrame) -> list[pd.DataFrame]:
        """Rows of a :func:`~sspexplorer.plots.density.density_table` that each panel is of."""
        known = table["library"].cat.categories
        mask = np.isin(known, self.libraries)[table["library"].cat.codes]
        magnitude = table["magnitude"].to_numpy()
        found: dict[tuple[float, ...], pd.DataFrame] = {}
        for wanted in {panel.magnitudes for panel in self.panels}:
            inside = np.zeros(len(table), bool)
            if wanted:
                inside = mask & (magnitude >= wanted[0]) & (magnitude <= wanted[-1])
            found[wanted] = table if inside.all() else table[inside]
        return [found[panel.magnitudes] for panel in self.panels]

    def measure(self, rows: Sequence[pd.DataFrame]) -> list["Scores"]:
        """Measure what :meth:`rows` found."""
        return [
            Scores.of(table, panel.parameter, self.residual)
            for panel, table in zip(self.panels, rows, strict=True)
        ]

    def summaries(self, model: str) -> list[Summary]:
        """Metrics of another model on the same mocks, one for each panel."""
        rows = self.rows(cache.held_out_table(model, self.split))
        return [_summary(table, p.parameter) for p, table in zip(self.panels, rows, strict=True)]


@dataclass(frozen=True)
class Scores:
    """What is written and marked in a panel, and in the table below.

    Attributes
    ----------
    overall : Summary
    by_library : dict
        {library: Summary}.
    by_range : tuple of Summary
        For each of the :func:`~sspexplorer.plots.density.range_limits` of the parameter.
    medians : DataFrame
        See :func:`~sspexplorer.plots.density.medians_table`.
    n_ssp : int
        How many SSPs the mocks are of.
    """

    overall: Summary
    by_library: dict[str, Summary]
    by_range: tuple[Summary, ...]
    medians: pd.DataFrame
    n_ssp: int

    @classmethod
    def of(cls, table: pd.DataFrame, parameter: str, residual: bool) -> "Scores":
        """Measure the rows of a :func:`~sspexplorer.plots.density.density_table`."""
        groups = dict(list(table.groupby("library", observed=True)))
        true = table[parameter]
        return cls(
            overall=_summary(table, parameter),
            by_library={k: _summary(groups[k], parameter) for k in in_order(groups)},
            by_range=tuple(
                _summary(table[true.between(low, high, inclusive="left")], parameter)
                for low, high in range_limits(parameter)
            ),
            medians=medians_table(table, parameter, residual=residual),
            n_ssp=np.count_nonzero(np.bincount(table["ssp"].cat.codes)),
        )

    def range_texts(self) -> list[str]:
        """What to write into the ranges of a picture."""
        return [_in_words(found) for found in self.by_range]


def _summary(table: pd.DataFrame, parameter: str) -> Summary:
    return summary(table[f"pred_{parameter}"].to_numpy(), table[parameter].to_numpy())


def _in_words(found: Summary, unit: str = "") -> str:
    if not found["n"]:
        return ""
    bias = f"{round(found['bias'], 2) + 0.0:+.2f}".replace("-", "−")
    return f"μ {bias}\nσ {found['sigma_nmad']:.2f}{unit}"


def corner_text(panel: Panel, noise: NoiseModel, scores: Scores | None) -> str:
    """What to write into the corner of a picture: magnitudes, typical S/N, bias and scatter."""
    snr = [snr_text(float(noise.typical_snr(np.float64(m)))) for m in panel.magnitudes]
    ends = snr[0] if len(snr) == 1 else f"{snr[0]}–{snr[-1]}"
    text = f"{panel.title}, S/N {ends}"
    if scores is None:
        return text
    words = _in_words(scores.overall, f" {PARAMETER_UNITS[panel.parameter]}")
    return f"{text}\n{words}".replace("\nσ", ", σ")


def chosen_magnitudes(
    choice: str, magnitude: float, grid: Sequence[float]
) -> tuple[tuple[float, ...], str]:
    """Magnitudes of a grid that a choice means, and the sentence that says so.

    Parameters
    ----------
    choice : {"all", "brighter", "at"}
    magnitude : float
    grid : sequence of float
        Magnitudes of the mocks, in order.
    """
    if choice == "all":
        return tuple(grid), f"All {len(grid)} magnitudes, i = {grid[0]:.1f} to {grid[-1]:.1f}."
    if choice == "at":
        nearest = min(grid, key=lambda m: abs(m - magnitude))
        if np.isclose(nearest, magnitude):
            return (nearest,), f"Mocks at i = {nearest:.1f}."
        return (nearest,), f"Mocks at i = {nearest:.1f}, the bin nearest to {magnitude:.1f}."
    brighter = tuple(m for m in grid if m < magnitude - 1e-6)
    if not brighter:
        return (), f"No mocks are brighter than i = {magnitude:.1f}."
    if len(brighter) == 1:
        return brighter, f"Mocks with i < {magnitude:.1f}: only those at {brighter[0]:.1f}."
    return brighter, f"Mocks with i < {magnitude:.1f}: {brighter[0]:.1f} to {brighter[-1]:.1f}."


def panel_magnitudes(magnitude: float, grid: Sequence[float]) -> list[tuple[float, ...]]:
    """Magnitudes of the panels of one parameter: all, those of the paper's Fig. 5, and one more.

    The one more is the nearest to ``magnitude``, or the faintest if that is among them.
    """
    wanted = (*PAPER_MAGNITUDES, magnitude, grid[-1])
    nearest = [min(grid, key=lambda m: abs(m - value)) for value in wanted]
    single = list(dict.fromkeys(nearest))[: len(PAPER_MAGNITUDES) + 1]
    return [tuple(grid), *((m,) for m in single)]


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


def run_title(name: str) -> str:
    """Name of a model where several are side by side."""
    return "Paper's recipe" if name == "paper" else MODEL_TITLES.get(name, name)


def with_unit(name: str) -> str:
    """Name of a parameter, and the unit of differences in it."""
    return f"{PARAMETER_NAMES[name]} [{PARAMETER_UNITS[name]}]"


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


def listed(items: Sequence[str]) -> str:
    """Items as a list in words."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
