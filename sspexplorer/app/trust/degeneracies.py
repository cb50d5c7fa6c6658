"""Degeneracies: whether an error in one parameter comes with an error in another."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import CUTS, SPLITS, Trial, cut_name
from sspexplorer.app import cache
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.work import Worker
from sspexplorer.app.trust.split import warm_compared
from sspexplorer.errors import InputError
from sspexplorer.labels import PARAMETER_LABELS, PARAMETER_NAMES, library_label
from sspexplorer.libraries import in_order
from sspexplorer.metrics import Correlation, correlation
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.degeneracies import (
    PAIRS,
    Errors,
    Pair,
    Region,
    degeneracy_picture,
    error_table,
)
from sspexplorer.progress import Progress
from sspexplorer.shipped import compared_networks

# Beyond this many of its standard errors a coefficient is called one.
_CLEARLY = 3.0

_ROW_HEIGHT = "max(280px, calc((100vh - 230px) / 2))"
_ERRORS_NOTE = (
    "± is the standard error, from drawing whole SSPs anew: mocks of one SSP share their errors. "
    "Pearson's r is of the errors themselves, Spearman's ρ of their ranks, so that a few far-off "
    "mocks do not decide. The paper gives no coefficients, and sees no degeneracies in its Fig. 8."
)
_HOW = (
    "Draw a box, or a lasso from the toolbar, in any panel: its mocks keep their colours in all "
    "three of the row."
)
_NO_ERRORS = Errors(
    pd.DataFrame(
        columns=["library", *PARAMETERS, *(f"error_{name}" for name in PARAMETERS)], dtype=float
    )
)

Coefficients = dict[Pair, Correlation]


@dataclass(frozen=True)
class Question:
    """What is asked for: a trial, and the two limits in magnitude."""

    trial: Trial
    limits: tuple[float, float]


class _Row:
    """Three panels of the mocks brighter than one limit, whose selections are linked."""

    def __init__(self, on_select: Any) -> None:
        self.pipe = hv.streams.Pipe(data=_NO_ERRORS)
        self.title = parts.label("")
        self._on_select = on_select
        cells = [self._cell(pair) for pair in PAIRS]
        grid = parts.grid(*cells, narrow=2, gap="4px 12px")
        self.view = parts.stack(self.title, grid, gap=2)

    @property
    def errors(self) -> Errors:
        """What is drawn, with the region that is selected."""
        return self.pipe.data

    def _cell(self, pair: Pair) -> pn.Column:
        box, lasso = hv.streams.BoundsXY(bounds=None), hv.streams.Lasso()
        box.add_subscriber(partial(self._boxed, pair))
        lasso.add_subscriber(partial(self._lassoed, pair))
        picture = degeneracy_picture(self.pipe, pair, (box, lasso))
        # Panels of one parameter zoom together.
        pane = pn.pane.HoloViews(picture, linked_axes=True)
        return parts.picture_pane(pane, height=_ROW_HEIGHT)

    def _boxed(self, pair: Pair, bounds: tuple[float, ...] | None = None) -> None:
        if bounds:
            self._soon(Region.box(pair, bounds))

    def _lassoed(self, pair: Pair, geometry: np.ndarray | None = None) -> None:
        if geometry is not None and len(geometry) > 2:
            self._soon(Region(pair, tuple(geometry[:, 0]), tuple(geometry[:, 1])))

    def _soon(self, region: Region) -> None:
        # What is drawn on a picture comes without the document's lock, which an answer needs.
        pn.state.execute(partial(self.select, region), schedule=True)

    def select(self, region: Region | None) -> None:
        """Colour the mocks of a region in all three panels; None for all mocks."""
        if region != self.errors.region:
            self.pipe.send(replace(self.errors, region=region))
            self._on_select()


class Degeneracies(Page):
    """Errors of each parameter against errors of the others, of bright mocks and of faint ones.

    Parameters
    ----------
    state : SharedState, optional
        Model and libraries; a fresh one unless given.

    Attributes
    ----------
    coefficients : dict
        {model: [{Pair: Correlation} for each limit]}, of the model and of the shipped recipes.
    """

    SIDEBAR = ("libraries",)
    QUERY: ClassVar[dict[str, str]] = {"upper": "upper", "lower": "lower", "split": "split"}
    ASKS, FOLLOWS = ("upper", "lower", "split"), ("model", "libraries")
    BUSY = "Predicting the held-out mocks …"

    upper = param.Selector(default=20.5, objects=CUTS, doc="Limit in i of the upper row.")
    lower = param.Selector(default=17.0, objects=CUTS, doc="Limit in i of the lower row.")
    split = param.Selector(default="ssp", objects=SPLITS, doc="Which mocks to test on.")
    contours = param.Boolean(default=True, doc="Draw the contours.")

    @property
    def rows(self) -> list[Errors]:
        """What is drawn in the upper and in the lower row."""
        return [row.errors for row in self._rows]

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        warm_compared()

    def select(self, row: int, region: Region | None) -> None:
        """Follow the mocks of a region in row 0 or 1 to its other panels; None for all mocks."""
        self._rows[row].select(region)

    def make(self) -> None:
        """Make the two rows and the words."""
        self.coefficients: dict[str, list[Coefficients]] = {}
        self._drawn: list[Errors] = []
        self._rows = [_Row(self._write_selection), _Row(self._write_selection)]
        self._others = Worker(on_trouble=self.fail)
        self._split_note, self._caption = parts.note(""), parts.caption("")
        self._selected, self._table = parts.note(""), parts.note("")
        self._clear = pn.widgets.Button(label="Clear the selection", disabled=True)
        self._clear.on_click(lambda event: [row.select(None) for row in self._rows])
        self.param.watch(self._send, "contours")

    def controls(self) -> list[parts.Part]:
        """Which mocks are in which row, and the selection."""
        tested_on = controls.select("Tested on", self.param.split)
        return [
            ModelChoice(self, tested=True),
            controls.select("Upper row", self.param.upper),
            controls.select("Lower row", self.param.lower),
            parts.stack(tested_on, self._split_note, gap=6),
            parts.stack(self._clear, parts.note(_HOW), self.busy, gap=6),
        ]

    def more(self) -> list[parts.Part]:
        """What is drawn over the mocks."""
        return [controls.tick("Contours", self.param.contours)]

    def picture(self) -> parts.Part:
        """Two rows of three panels."""
        return parts.stack(*(row.view for row in self._rows), gap=10)

    def below(self) -> list[parts.Part]:
        """What to notice, who is selected, and the coefficients."""
        return [parts.stack(self._caption, self._selected, self._table, parts.note(_ERRORS_NOTE))]

    def question(self) -> Question:
        """Trial and limits."""
        trial = cache.trial(self.state.model, self.split, self.state.libraries)
        self._split_note.object = parts.note(trial.split_note(self.split)).object
        return Question(trial, (self.upper, self.lower))

    def answer(
        self, question: Question, progress: Progress
    ) -> tuple[list[Errors], list[Coefficients]]:
        """Errors of the mocks of each row, and how they are correlated."""
        tables = [error_table(cache.trial_rows(question.trial, limit)) for limit in question.limits]
        return [Errors.of(table) for table in tables], [coefficients_of(table) for table in tables]

    def show(self, question: Question, answer: tuple[list[Errors], list[Coefficients]]) -> None:
        """Draw them, and have the shipped recipes worked out beside."""
        self._drawn, coefficients = answer
        self.coefficients = {question.trial.model: coefficients}
        for row, limit, errors in zip(self._rows, question.limits, self._drawn, strict=True):
            title = (
                f"{cut_name(limit)}: {len(errors.table):,} mocks of SSPs {question.trial.words()}"
            )
            row.title.object = parts.label(title).object
        self._send()
        self._write_coefficients(question)
        self._others.ask(question, partial(_of_others, question), partial(self._add, question))

    def _add(self, question: Question, others: dict[str, list[Coefficients]]) -> None:
        self.coefficients |= others
        self._write_coefficients(question)

    def _send(self, *events: Any) -> None:
        """Bring the pictures up to date; a selection does not survive other mocks."""
        for row, errors in zip(self._rows, self._drawn, strict=False):
            same = row.errors.table is errors.table
            row.pipe.send(
                replace(
                    errors,
                    contours=errors.contours if self.contours else {},
                    region=row.errors.region if same else None,
                )
            )
        self._write_selection()

    def _write_selection(self) -> None:
        limits = (self.upper, self.lower)
        table = selection_table(
            [(cut_name(limit), row.errors) for limit, row in zip(limits, self._rows, strict=True)]
        )
        self._selected.object = parts.metric_table(
            table, formats=selection_formats(table), faint=[_SELECTED]
        ).object
        self._clear.disabled = all(row.errors.region is None for row in self._rows)

    def _write_coefficients(self, question: Question) -> None:
        own = self.coefficients[question.trial.model]
        self._caption.object = parts.caption(caption_text(own, question.limits)).object
        table = coefficient_table(self.coefficients, question.limits)
        self._table.object = parts.metric_table(table).object


def _of_others(question: Question, progress: Progress) -> dict[str, list[Coefficients]]:
    """Coefficients of the shipped recipes, for comparison."""
    found = {}
    for name in compared_networks(question.trial.model):
        if name == question.trial.model:
            continue
        progress.check()
        trial = cache.trial(name, question.trial.split, question.trial.libraries)
        try:
            tables = [error_table(cache.trial_rows(trial, limit)) for limit in question.limits]
        except InputError:
            # The page is about the network that was chosen; these can be missing.
            continue
        found[name] = [coefficients_of(table) for table in tables]
    return found


def coefficients_of(table: pd.DataFrame) -> Coefficients:
    """Correlation of the errors of each pair of parameters in an ``error_table``."""
    ssp = table["ssp"].cat.codes.to_numpy()
    errors = {name: table[f"error_{name}"].to_numpy() for name in PARAMETERS}
    return {pair: correlation(errors[pair.x], errors[pair.y], ssp) for pair in PAIRS}


def coefficient_table(
    coefficients: dict[str, list[Coefficients]], limits: Iterable[float]
) -> pd.DataFrame:
    """One row for each pair and limit, two columns for each model."""
    names, rows = [], []
    for k, limit in enumerate(limits):
        for pair in PAIRS:
            names.append(
                f"Δ {PARAMETER_NAMES[pair.y]} and Δ {PARAMETER_NAMES[pair.x]}, {cut_name(limit)}"
            )
            rows.append({})
            for model, found in coefficients.items():
                value = found[k][pair]
                rows[-1][f"{model}: r"] = with_error(value.pearson, value.pearson_err)
                rows[-1][f"{model}: ρ"] = with_error(value.spearman, value.spearman_err)
    return pd.DataFrame(rows, index=names)


def with_error(value: float, error: float) -> str:
    """Write a coefficient, such as −0.37 ± 0.03."""
    if not np.isfinite(value):
        return "–"
    return f"{round(value, 2) + 0.0:+.2f} ± {error:.2f}".replace("-", "−")


_SELECTED = "selected"
_MEDIANS = {name: f"median {PARAMETER_LABELS[name]}" for name in PARAMETERS}
_SELECTION_FORMATS = {"mocks": "{:,.0f}", "median i": "{:.1f}"} | dict.fromkeys(
    _MEDIANS.values(), "{:.2f}"
)


def selection_formats(table: pd.DataFrame) -> dict[str, str]:
    """Formats of the columns of a :func:`selection_table`; what is in no other is a share."""
    return dict.fromkeys(table.columns, "{:.0%}") | _SELECTION_FORMATS


def _share(library: str) -> str:
    return f"{library_label(library)} share"


def selection_table(rows: list[tuple[str, Errors]]) -> pd.DataFrame:
    """Who is in each row of panels, and who of them is selected."""
    libraries = in_order(n for _, errors in rows for n in errors.table["library"].unique())
    names, found = [], []
    for name, errors in rows:
        names += [name, _SELECTED]
        found.append(_who(errors.table, libraries))
        found.append(_who(errors.chosen, libraries) if errors.region else {})
    columns = ["mocks", *_MEDIANS.values(), "median i", *map(_share, libraries)]
    return pd.DataFrame(found, index=names, columns=columns)


def _who(table: pd.DataFrame, libraries: list[str]) -> dict[str, float]:
    if not len(table):
        return {"mocks": 0}
    share = table["library"].value_counts(normalize=True)
    return (
        {"mocks": len(table), "median i": table["magnitude"].median()}
        | {column: table[name].median() for name, column in _MEDIANS.items()}
        | {_share(name): float(share.get(name, 0.0)) for name in libraries}
    )


def caption_text(coefficients: list[Coefficients], limits: Iterable[float]) -> str:
    """What to notice: which errors come together, and how much."""
    names = [cut_name(limit) for limit in limits]
    sentences = ["Contours hold 68.3, 95.4 and 99.7 % of the mocks."]
    unrelated = []
    for pair in PAIRS:
        found = [row[pair] for row in coefficients]
        x, y = PARAMETER_NAMES[pair.x], PARAMETER_NAMES[pair.y]
        if not any(abs(c.spearman) > _CLEARLY * c.spearman_err for c in found):
            unrelated.append(f"{x} and {y}")
            continue
        low = "low" if found[0].spearman < 0 else "high"
        values = " and ".join(
            f"{with_error(c.spearman, c.spearman_err)} at {name}"
            for c, name in zip(found, names, strict=True)
        )
        sentences.append(f"Where {x} comes out too high, {y} tends to be too {low}: ρ = {values}.")
    if unrelated:
        sentences.append(f"Errors in {', and in '.join(unrelated)} are not clearly related.")
    return " ".join(sentences)
