"""Which mocks to compare with their predictions, and the numbers and words that come of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer.app.sidebar import MODEL_TITLES
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.metrics import OUTLIER_LIMIT, Summary, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.density import medians_table
from sspexplorer.plots.style import LIBRARY_LABELS, PARAMETER_NAMES, PARAMETER_UNITS

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
class Selection:
    """Which mocks to draw, and what of them.

    Attributes
    ----------
    model : str
        Name of a shipped model.
    split : str
        See :func:`~sspexplorer.metrics.held_out_mocks`.
    libraries : tuple of str
    magnitudes : tuple of float
        The magnitudes of the mocks; next to each other in the grid.
    residual : bool
        Predicted − true, and not the prediction itself.
    """

    model: str
    split: str
    libraries: tuple[str, ...]
    magnitudes: tuple[float, ...]
    residual: bool

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of a :func:`~sspexplorer.plots.density.density_table` that are meant."""
        if not self.magnitudes:
            return table.iloc[:0]
        known = table["library"].cat.categories
        mask = np.isin(known, self.libraries)[table["library"].cat.codes]
        mask &= table["magnitude"].between(self.magnitudes[0], self.magnitudes[-1]).to_numpy()
        return table if mask.all() else table[mask]


@dataclass(frozen=True)
class Scores:
    """What is written and marked beside the densities.

    Attributes
    ----------
    overall : dict
        {parameter: Summary}.
    by_library : dict
        {library: {parameter: Summary}}.
    medians : dict
        {parameter: DataFrame}, see :func:`~sspexplorer.plots.density.medians_table`.
    n_ssp : int
        How many SSPs the mocks are of.
    """

    overall: dict[str, Summary]
    by_library: dict[str, dict[str, Summary]]
    medians: dict[str, pd.DataFrame]
    n_ssp: int

    @classmethod
    def of(cls, table: pd.DataFrame, residual: bool) -> "Scores":
        """Measure the rows of a :func:`~sspexplorer.plots.density.density_table`."""
        groups = dict(list(table.groupby("library", observed=True)))
        return cls(
            overall=_summaries(table),
            by_library={k: _summaries(groups[k]) for k in LIBRARY_NAMES if k in groups},
            medians={name: medians_table(table, name, residual=residual) for name in PARAMETERS},
            n_ssp=np.count_nonzero(np.bincount(table["ssp"].cat.codes)),
        )


def _summaries(table: pd.DataFrame) -> dict[str, Summary]:
    return {
        name: summary(table[f"pred_{name}"].to_numpy(), table[name].to_numpy())
        for name in PARAMETERS
    }


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


def score_table(scores: Scores) -> pd.DataFrame:
    """Metrics of each parameter: of all mocks, of those of each library, and in the paper."""
    names, rows = [], []
    libraries = scores.by_library if len(scores.by_library) > 1 else {}
    for parameter in PARAMETERS:
        names += [with_unit(parameter), *map(LIBRARY_LABELS.get, libraries), PUBLISHED_ROW]
        found = [scores.overall[parameter], *(found[parameter] for found in libraries.values())]
        # Adding 0.0 takes the sign off a bias that is zero in the digits that are shown.
        rows += [row | {"bias": round(row["bias"], 3) + 0.0} for row in found]
        rows.append(PUBLISHED[parameter])
    return pd.DataFrame(rows, index=names, columns=list(_COLUMNS)).rename(columns=_COLUMNS)


def run_title(name: str) -> str:
    """Name of a model where several are side by side."""
    return "Paper's recipe" if name == "paper" else MODEL_TITLES.get(name, name)


def with_unit(name: str) -> str:
    """Name of a parameter, and the unit of differences in it."""
    return f"{PARAMETER_NAMES[name]} [{PARAMETER_UNITS[name]}]"


def caption_text(selection: Selection, scores: Scores, medians: bool = True) -> str:
    """What to notice: how many mocks, how well they are read back, and what is drawn how."""
    seen = "that the networks never saw" if selection.split == "ssp" else "seen under other noise"
    found = scores.overall
    sigma = [
        f"{found[name]['sigma_nmad']:.2f} {PARAMETER_UNITS[name]} in {PARAMETER_NAMES[name]}"
        for name in PARAMETERS
    ]
    marks = "Circles are medians, bars quartiles. " if medians else ""
    outliers = [f"{found[name]['outlier_fraction']:.0%}" for name in PARAMETERS]
    return (
        f"{found['log_age']['n']:,} mocks of {scores.n_ssp:,} SSPs {seen}: σ\u00a0NMAD is "
        f"{sigma[0]}, {sigma[1]} and {sigma[2]}; {outliers[0]}, {outliers[1]} and {outliers[2]} "
        f"are off by more than {OUTLIER_LIMIT} (dashes). {marks}"
        "True values lie on grids, drawn as narrow columns for the eye only."
    )
