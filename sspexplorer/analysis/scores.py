"""Metrics of held-out mocks, panel by panel: what stands in pictures of predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer.analysis.held_out import medians_table, range_limits
from sspexplorer.libraries import in_order
from sspexplorer.metrics import Summary, summary

# Of the panels in Fig. 5 of the paper, besides that of all mocks.
PAPER_MAGNITUDES = (16.0, 18.0, 20.0)


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
        """Rows of a :func:`~sspexplorer.analysis.held_out.density_table` that each panel is of."""
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

    def summaries(self, table: pd.DataFrame) -> list[Summary]:
        """Metrics of another model's :func:`held_out_table`, one for each panel."""
        rows = self.rows(table)
        return [_summary(part, p.parameter) for p, part in zip(self.panels, rows, strict=True)]


@dataclass(frozen=True)
class Scores:
    """What is written and marked in a panel, and in the table below.

    Attributes
    ----------
    overall : Summary
    by_library : dict
        {library: Summary}.
    by_range : tuple of Summary
        For each of the :func:`~sspexplorer.analysis.held_out.range_limits` of the parameter.
    medians : DataFrame
        See :func:`~sspexplorer.analysis.held_out.medians_table`.
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
        """Measure the rows of a :func:`~sspexplorer.analysis.held_out.density_table`."""
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
            n_ssp=int(np.count_nonzero(np.bincount(table["ssp"].cat.codes))),
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
