"""Pictures and tables of a mock sample: its labels in training, validation and test."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import HoverTool

from sspexplorer.labels import PARAMETER_LABELS, PARAMETER_NAMES
from sspexplorer.libraries import SSPLibrary
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, PARAMETERS, SPLIT_FRACTIONS, split_of
from sspexplorer.plots.sed import SED_COLOURS
from sspexplorer.plots.style import NEUTRAL, by_number, figure_options

SPLITS = {"by_ssp": "Whole SSPs", "at_random": "At random"}
PARTS = {"train": "Training", "validation": "Validation", "test": "Test"}
PART_COLOURS = {"train": SED_COLOURS[1], "validation": NEUTRAL, "test": SED_COLOURS[0]}
# Where they agree, all three lines are still seen.
_WIDTHS = {"train": 5.0, "validation": 2.5, "test": 1.2}

# Domínguez Sánchez et al. (2026), Sect. 3, as printed there.
PAPER_COUNTS = {"train": 551_253, "validation": 172_263, "test": 137_838}
PAPER_ROWS = tuple(f"{name}, at random, in the paper" for name in PARTS.values())

# Every value of E(B−V) has a bin of its own, and metallicities that are the same in several
# libraries but for rounding share one.
_BINS = {
    "log_age": np.arange(6.0, 10.51, 0.25),
    "metallicity": np.arange(-2.45, 0.96, 0.2),
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

    def values(self, split: str, name: str, label: str) -> np.ndarray:
        """One label of one part; SSPs as numbers."""
        column = self.labels[label]
        whole = column.cat.codes if label == "ssp" else column
        return whole.to_numpy()[self.parts[split] == name]

    def n_ssps(self, split: str, name: str) -> int:
        """Count the different SSPs of a part."""
        return len(np.unique(self.values(split, name, "ssp")))

    def difference(self, split: str, parameter: str, name: str) -> float:
        """Largest difference between the cumulative distributions of a part and of training.

        The statistic of Kolmogorov and Smirnov, 0 to 1.
        """
        return max_difference(*(self.values(split, n, parameter) for n in (name, "train")))

    def chance(self, split: str, name: str) -> float:
        """What :meth:`difference` exceeds in 5 % of splits, if all is chance.

        1.36 √(1/n + 1/m), with n and m what was drawn independently: SSPs, or mocks. Few values
        that many mocks share make it smaller still.
        """
        sizes = [
            self.n_ssps(split, n) if split == "by_ssp" else (self.parts[split] == n).sum()
            for n in (name, "train")
        ]
        return _CHANCE * float(np.sqrt(sum(1 / max(1, size) for size in sizes)))

    def seen(self, split: str, name: str) -> float:
        """Fraction of the SSPs of a part that training has as well."""
        own, trained = (np.unique(self.values(split, n, "ssp")) for n in (name, "train"))
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
        n_mocks = int((split.parts[key] == name).sum())
        rows[row_name(key, name)] = {
            "SSPs": split.n_ssps(key, name),
            "mocks": n_mocks,
            "share": f"{n_mocks / len(split.labels):.1%}",
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
        counts, _ = np.histogram(split.values(key, name, parameter), edges)
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

    def layer(make: Callable[[pd.DataFrame], hv.Element]) -> hv.Element | hv.DynamicMap:
        def draw(data: Split) -> hv.Element:
            return make(histogram_table(data, key, parameter))

        if isinstance(split, hv.streams.Pipe):
            return hv.DynamicMap(lambda data: draw(data), streams=[split])
        return draw(split)

    # As few layers as can be: each takes its time to be set up.
    bars = layer(_bars).opts(color=PART_COLOURS["train"], tools=[_hover()], **_BAR_STYLE)
    steps = layer(_steps).opts(line_width="width", framewise=True, **_BY_PART)
    layers = bars * steps
    if parameter == "ebv":
        # In the panel whose height is known, and has room for it.
        names = hv.Labels(_LEGEND, ["value", "fraction"], ["text", "part"])
        layers = layers * names.opts(**_LEGEND_STYLE)
    return layers.opts(
        **figure_options(
            title=f"{SPLITS[key]}: {PARAMETER_NAMES[parameter]}",
            xlabel=PARAMETER_LABELS[parameter],
            ylabel="Fraction of the part",
            ylim=(0, 0.22 if parameter == "ebv" else None),
            yticks=4,
            show_legend=False,
            framewise=True,
        )
    )


def _bars(table: pd.DataFrame) -> hv.Rectangles:
    bars = table.assign(x0=table["low"], x1=table["high"], y0=0.0, y1=table["train"])
    return hv.Rectangles(bars, ["x0", "y0", "x1", "y1"], ["low", "high", "mocks", *PARTS])


def _steps(table: pd.DataFrame) -> hv.Segments:
    """Outlines of the histograms, the widest first."""
    pieces = []
    for number, name in enumerate(PARTS):
        x = np.repeat([*table["low"], table["high"].iloc[-1]], 2)
        y = np.pad(np.repeat(table[name], 2), 1)
        style = [np.full(len(x) - 1, value) for value in (float(number), _WIDTHS[name])]
        pieces.append(np.column_stack([x[:-1], y[:-1], x[1:], y[1:], *style]))
    return hv.Segments(np.concatenate(pieces), ["x0", "y0", "x1", "y1"], ["part", "width"])


_BAR_STYLE = {"alpha": 0.18, "line_color": None, "framewise": True}
_BY_PART = by_number("part", tuple(PART_COLOURS.values()))
_LEGEND = pd.DataFrame(
    {
        "value": 0.82,
        "fraction": [0.205, 0.183, 0.161],
        "text": list(PARTS.values()),
        "part": [0.0, 1.0, 2.0],
    }
)
_LEGEND_STYLE = by_number("part", tuple(PART_COLOURS.values()), style="text_color") | {
    "text_align": "right",
    "text_font_size": "12px",
}


def _hover() -> HoverTool:
    return HoverTool(
        tooltips=[
            ("From", "@low{0.00} to @high{0.00}"),
            *((title, f"@{name}{{0.0%}}") for name, title in PARTS.items()),
            ("Mocks", "@mocks{0,0}"),
        ],
        visible=False,
    )
