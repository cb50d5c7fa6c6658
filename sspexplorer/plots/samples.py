"""Pictures and tables of a mock sample: its labels in training, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.libraries import SSPLibrary
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, PARAMETERS, SPLIT_FRACTIONS, split_of
from sspexplorer.plots.sed import SED_COLOURS
from sspexplorer.plots.style import NEUTRAL, PARAMETER_LABELS, PARAMETER_NAMES, figure_options

SPLITS = {"by_ssp": "Whole SSPs", "at_random": "At random"}
PARTS = {"train": "Training", "validation": "Validation", "test": "Test"}
PART_COLOURS = {"train": SED_COLOURS[1], "validation": NEUTRAL, "test": SED_COLOURS[0]}
# Where they agree, all three lines are still seen.
_WIDTHS = {"train": 5.0, "validation": 2.5, "test": 1.2}

# Domínguez Sánchez et al. (2026), Sect. 3, as printed there.
PAPER_COUNTS = {"train": 551_253, "validation": 172_263, "test": 137_838}
PAPER_ROWS = tuple(f"{name}, at random, in the paper" for name in PARTS.values())

# Every value of E(B−V) has a bin of its own.
_BINS = {
    "log_age": np.arange(6.0, 10.51, 0.25),
    "metallicity": np.arange(-2.5, 0.91, 0.2),
    "ebv": np.arange(-0.015, 0.831, 0.03),
}
# Kolmogorov and Smirnov: exceeded by chance in 5 % of cases.
_CHANCE = 1.358


def label_table(libraries: Sequence[SSPLibrary]) -> pd.DataFrame:
    """Labels of every mock of some libraries: every SSP × E(B−V) × magnitude.

    Returns
    -------
    DataFrame
        ``library`` and ``ssp`` (categorical), ``log_age`` (log10 yr), ``metallicity`` (dex),
        ``ebv`` (mag) and ``magnitude`` (i, AB).
    """
    ssps = pd.concat(
        [
            pd.DataFrame(
                {
                    "library": library.name,
                    "ssp": library.ids,
                    "log_age": library.log_age,
                    "metallicity": library.metallicity,
                }
            )
            for library in libraries
        ],
        ignore_index=True,
    ).astype({"library": "category", "ssp": "category"})
    grid = pd.MultiIndex.from_product([EBV_GRID, MAGNITUDES], names=["ebv", "magnitude"])
    return ssps.merge(grid.to_frame(index=False), how="cross")


@dataclass(frozen=True, eq=False)
class Split:
    """A mock sample, divided in two ways.

    Attributes
    ----------
    labels : DataFrame, n rows
        See :func:`label_table`.
    parts : dict of str to Categorical, n values
        "train", "validation" or "test" for each mock, by key of :data:`SPLITS`.
    """

    labels: pd.DataFrame
    parts: dict[str, pd.Categorical]

    @classmethod
    def draw(cls, labels: pd.DataFrame, seed: int = 0) -> "Split":
        """Divide by whole SSPs and at random; seed 0 holds out the SSPs that the networks' did."""
        ids = labels["ssp"].cat.categories
        of_id = pd.Categorical(split_of(ids, seed), categories=list(SPLIT_FRACTIONS))
        drawn = np.random.default_rng(seed).choice(
            len(SPLIT_FRACTIONS), len(labels), p=list(SPLIT_FRACTIONS.values())
        )
        parts = {
            "by_ssp": of_id[labels["ssp"].cat.codes],
            "at_random": pd.Categorical.from_codes(drawn, list(SPLIT_FRACTIONS)),
        }
        return cls(labels, parts)

    def part(self, split: str, name: str) -> pd.DataFrame:
        """Labels of one part."""
        return self.labels[self.parts[split] == name]

    def difference(self, split: str, parameter: str, name: str) -> float:
        """Largest difference between the cumulative distributions of a part and of training.

        The statistic of Kolmogorov and Smirnov, 0 to 1.
        """
        one, other = (self.part(split, n)[parameter].to_numpy() for n in (name, "train"))
        return max_difference(one, other)

    def chance(self, split: str, name: str) -> float:
        """What :meth:`difference` exceeds in 5 % of splits, if all is chance.

        1.36 √(1/n + 1/m), with n and m what was drawn independently: SSPs, or mocks. Few values
        that many mocks share make it smaller still.
        """
        sizes = [
            self.part(split, n)["ssp"].nunique() if split == "by_ssp" else len(self.part(split, n))
            for n in (name, "train")
        ]
        return _CHANCE * float(np.sqrt(sum(1 / max(1, size) for size in sizes)))

    def seen(self, split: str, name: str) -> float:
        """Fraction of the SSPs of a part that training has as well."""
        own = self.part(split, name)["ssp"].unique()
        trained = self.part(split, "train")["ssp"].unique()
        return float(np.isin(own, trained).mean()) if len(own) else np.nan


def max_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Largest difference between two cumulative distributions, 0 to 1; NaN without values."""
    if not len(one) or not len(other):
        return np.nan
    values = np.unique(np.concatenate([one, other]))
    shares = (
        np.cumsum(np.bincount(np.searchsorted(values, sample), minlength=len(values))) / len(sample)
        for sample in (one, other)
    )
    return float(np.abs(np.subtract(*shares)).max())


def counts_table(split: Split) -> pd.DataFrame:
    """SSPs and mocks of each part, and how many of its SSPs the training has seen.

    Returns
    -------
    DataFrame
        A row for each part of each split, and what the paper has of its own.
    """
    rows = {}
    for key, name in product(SPLITS, PARTS):
        part = split.part(key, name)
        rows[row_name(key, name)] = {
            "SSPs": part["ssp"].nunique(),
            "mocks": len(part),
            "share": f"{len(part) / len(split.labels):.1%}",
            "seen": "" if name == "train" else f"{split.seen(key, name):.0%}",
        }
    total = sum(PAPER_COUNTS.values())
    for row, count in zip(PAPER_ROWS, PAPER_COUNTS.values(), strict=True):
        rows[row] = {"mocks": count, "share": f"{count / total:.1%}"}
    # Of objects: a column with a gap would have its counts turned into decimals.
    return pd.DataFrame(list(rows.values()), index=list(rows), dtype=object)


def row_name(key: str, name: str) -> str:
    """Name of the row of a part in :func:`counts_table`."""
    return f"{SPLITS[key]}: {PARTS[name].lower()}"


def differences_table(split: Split) -> pd.DataFrame:
    """How much validation and test differ from training, for each parameter."""
    rows = {}
    for key, words in SPLITS.items():
        for parameter in PARAMETERS:
            row = {}
            for name in ("validation", "test"):
                row[f"{PARTS[name]} − training"] = split.difference(key, parameter, name)
                row[f"{PARTS[name]}: by chance up to"] = split.chance(key, name)
            rows[f"{words}: {PARAMETER_NAMES[parameter]}"] = row
    return pd.DataFrame.from_dict(rows, orient="index")


def histogram_table(split: Split, key: str, parameter: str) -> pd.DataFrame:
    """Fraction of each part in each bin: ``low``, ``high``, ``mocks`` and one column a part."""
    edges = _BINS[parameter]
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:]})
    table["mocks"], _ = np.histogram(split.labels[parameter], edges)
    for name in PARTS:
        counts, _ = np.histogram(split.part(key, name)[parameter], edges)
        table[name] = counts / max(1, counts.sum())
    return table


def label_picture(split: Split | hv.streams.Pipe, key: str, parameter: str) -> hv.Overlay:
    """Draw how a parameter is distributed in the three parts of a split.

    Parameters
    ----------
    split : Split, or Pipe of one
        A ``holoviews.streams.Pipe`` gives a live picture, which follows what is sent through it.
    key : str
        One of :data:`SPLITS`.
    parameter : str
        One of :data:`~sspexplorer.mocks.PARAMETERS`.
    """

    def layer(make: Any) -> Any:
        if isinstance(split, hv.streams.Pipe):
            return hv.DynamicMap(
                lambda data: make(histogram_table(data, key, parameter)), streams=[split]
            )
        return make(histogram_table(split, key, parameter))

    bars = layer(_bars).opts(
        color=PART_COLOURS["train"], alpha=0.18, line_color=None, tools=[_hover()], framewise=True
    )
    layers = [
        layer(_steps(name)).opts(color=PART_COLOURS[name], line_width=_WIDTHS[name], framewise=True)
        for name in PARTS
    ]
    return (
        hv.Overlay([bars, *layers])
        .collate()
        .opts(
            **figure_options(
                title=f"{SPLITS[key]}: {PARAMETER_NAMES[parameter]}",
                xlabel=PARAMETER_LABELS[parameter],
                ylabel="Fraction of the part",
                # Room for the legend, in the panel whose height is known.
                ylim=(0, 0.22 if parameter == "ebv" else None),
                yticks=4,
                show_legend=parameter == "ebv",
                legend_position="top_right",
                framewise=True,
            )
        )
    )


def _bars(table: pd.DataFrame) -> hv.Rectangles:
    bars = table.assign(x0=table["low"], x1=table["high"], y0=0.0, y1=table["train"])
    return hv.Rectangles(bars, ["x0", "y0", "x1", "y1"], ["low", "high", "mocks", *PARTS])


def _steps(name: str) -> Any:
    def make(table: pd.DataFrame) -> hv.Curve:
        x = np.column_stack([table["low"], table["high"]]).ravel()
        y = np.repeat(table[name].to_numpy(), 2)
        ends = np.concatenate([x[:1], x, x[-1:]]), np.pad(y, 1)
        return hv.Curve(ends, "value", "fraction", label=PARTS[name])

    return make


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("From", "@low{0.00} to @high{0.00}"),
            *((title, f"@{name}{{0.0%}}") for name, title in PARTS.items()),
            ("Mocks", "@mocks{0,0}"),
        ],
        visible=False,
    )
