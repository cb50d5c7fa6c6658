"""By library: errors against the truth, for each library and parameter."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import holoviews as hv
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import CUTS, SPLITS, Trial, cut_name
from sspexplorer.app import cache
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.app.kit.work import Worker
from sspexplorer.app.trust.split import warm_compared
from sspexplorer.errors import InputError
from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS, library_label
from sspexplorer.libraries import LIBRARY_NAMES, in_order
from sspexplorer.metrics import Summary, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.residuals import Residuals, magnitude_colours, residual_picture
from sspexplorer.plots.style import library_colour
from sspexplorer.progress import Progress
from sspexplorer.shipped import compared_networks

# The caption passes over medians of fewer mocks.
_ENOUGH = 50

_PANEL_HEIGHT = "max(200px, calc((100vh - 230px) / 3))"
_TABLE_NOTE = (
    "μ: median Δ = predicted − true; σ: σ\u00a0NMAD of Δ; f: fraction with |Δ| > 0.25 dex or mag. "
    "The paper's Fig. 9 shows mocks with i < 19.5 of E-MILES, CB19 and XSL, split at random; it "
    "gives no numbers by library."
)

Scores = dict[tuple[str, str], Summary]


@dataclass(frozen=True)
class Question:
    """What is asked for: a trial, and a limit in magnitude."""

    trial: Trial
    limit: float


class ResidualsByLibrary(Page):
    """Errors in each parameter against its true value, one panel for each library.

    Parameters
    ----------
    state : SharedState, optional
        Model and libraries; a fresh one unless given.

    Attributes
    ----------
    residuals : Residuals
        What is drawn.
    scores : dict
        {model: {(library, parameter): Summary}}, of the model and of the shipped recipes.
    """

    SIDEBAR = ("libraries",)
    QUERY: ClassVar[dict[str, str]] = {"limit": "limit", "split": "split"}
    ASKS, FOLLOWS = ("limit", "split"), ("model", "libraries")
    BUSY = "Predicting the held-out mocks …"

    limit = param.Selector(default=19.5, objects=CUTS, doc="Limit in i.")
    split = param.Selector(default="ssp", objects=SPLITS, doc="Which mocks to test on.")
    medians = param.Boolean(default=True, doc="Draw medians and quartiles.")

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        warm_compared()

    def make(self) -> None:
        """Make the words and the place of the panels."""
        self.residuals = Residuals()
        self.scores: dict[str, Scores] = {}
        self._pipe = hv.streams.Pipe(data=self.residuals)
        self._others = Worker(on_trouble=self.fail)
        self._split_note, self._caption = parts.note(""), parts.caption("")
        self._table = parts.note("")
        self._scales, self._columns = {}, {}
        self._grid = pn.Column(
            sizing_mode="stretch_width", margin=0, stylesheets=[css("grid-columns")]
        )
        self._add_columns(LIBRARY_NAMES)
        self.param.watch(self._send, "medians")

    def controls(self) -> list[parts.Part]:
        """Which mocks, and what is drawn of them."""
        tested_on = controls.select("Tested on", self.param.split)
        return [
            ModelChoice(self, tested=True),
            controls.select("Magnitudes", self.param.limit),
            parts.stack(tested_on, self._split_note, gap=6),
            controls.tick("Medians and quartiles", self.param.medians),
            self.busy,
        ]

    def picture(self) -> parts.Part:
        """A column of panels for each library."""
        return self._grid

    def below(self) -> list[parts.Part]:
        """What to notice, and the numbers."""
        return [parts.stack(self._caption, self._table, parts.note(_TABLE_NOTE))]

    def _add_columns(self, libraries: Iterable[str]) -> None:
        for name in libraries:
            if name not in self._columns:
                self._scales[name] = parts.note("")
                self._columns[name] = self._column(name)
                self._grid.append(self._columns[name])

    def _column(self, library: str) -> pn.Column:
        # Panels of one parameter zoom together.
        cells = [
            parts.picture_pane(
                pn.pane.HoloViews(residual_picture(self._pipe, library, name), linked_axes=True),
                height=_PANEL_HEIGHT,
            )
            for name in PARAMETERS
        ]
        return parts.stack(self._scales[library], *cells, gap=2)

    def question(self) -> Question:
        """Trial and limit."""
        trial = cache.trial(self.state.model, self.split, self.state.libraries)
        self._split_note.object = parts.note(trial.split_note(self.split)).object
        return Question(trial, self.limit)

    def answer(self, question: Question, progress: Progress) -> Residuals:
        """Measure the mocks that are meant."""
        return Residuals.of(cache.trial_rows(question.trial, question.limit))

    def show(self, question: Question, answer: Residuals) -> None:
        """Draw them, and have the shipped recipes measured beside."""
        self.residuals = answer
        own = {key: part.summary for key, part in answer.parts.items()}
        self.scores = {question.trial.model: own}
        self._add_columns(dict.fromkeys(library for library, _ in answer.parts))
        for name, column in self._columns.items():
            column.visible = (name, PARAMETERS[0]) in answer.parts
            self._scales[name].object = _scale(name, answer)
        self._send()
        self._caption.object = parts.caption(caption_text(question, answer)).object
        self._write_table()
        self._others.ask(question, partial(_of_others, question), self._add)

    def _add(self, others: dict[str, Scores]) -> None:
        self.scores |= others
        self._write_table()

    def _send(self, *events: Any) -> None:
        shown = self.residuals if self.medians else self.residuals.without_medians()
        self._pipe.send(shown)

    def _write_table(self) -> None:
        table, dots = score_table(self.scores)
        self._table.object = parts.metric_table(
            table, formats=_formats(self.scores), colours=dots
        ).object


def _of_others(question: Question, progress: Progress) -> dict[str, Scores]:
    """Metrics of the shipped recipes, for comparison."""
    found = {}
    for name in compared_networks(question.trial.model):
        if name == question.trial.model:
            continue
        progress.check()
        trial = cache.trial(name, question.trial.split, question.trial.libraries)
        try:
            rows = cache.trial_rows(trial, question.limit)
        except InputError:
            # The page is about the network that was chosen; these can be missing.
            continue
        found[name] = {
            (library, parameter): summary(
                group[f"pred_{parameter}"].to_numpy(), group[parameter].to_numpy()
            )
            for library, group in rows.groupby("library", observed=True)
            for parameter in PARAMETERS
        }
    return found


def _scale(library: str, residuals: Residuals) -> str:
    """Name of a library over what its colours mean."""
    bright, faint = residuals.magnitudes
    colours = ", ".join(magnitude_colours(library, 5))
    bar = (
        "display: inline-block; height: 7px; margin: 0 5px; vertical-align: 1px; width: 40px; "
        f"background: linear-gradient(to right, {colours})"
    )
    n = len(residuals.part(library, PARAMETERS[0]).mocks)
    return (
        f'<div class="note">{library_label(library)}, {n:,} mocks, '
        f'i = {bright:g}<i style="{bar}"></i>{faint:g}</div>'
    )


_COLUMNS = {"bias": "μ", "sigma_nmad": "σ", "outlier_fraction": "f"}
_PATTERNS = {"bias": "{:+.3f}", "sigma_nmad": "{:.3f}", "outlier_fraction": "{:.1%}"}


def score_table(scores: dict[str, Scores]) -> tuple[pd.DataFrame, dict[str, str]]:
    """Metrics of each parameter and library, of each model; and the dots before the rows."""
    names, rows, dots = [], [], {}
    for parameter in PARAMETERS:
        for library in in_order(name for found in scores.values() for name, _ in found):
            found = {
                m: s[library, parameter] for m, s in scores.items() if (library, parameter) in s
            }
            if not found:
                continue
            unit = PARAMETER_UNITS[parameter]
            names.append(f"{PARAMETER_NAMES[parameter]} [{unit}], {library_label(library)}")
            dots[names[-1]] = library_colour(library)
            row = {
                f"{model}: {title}": round(value[key], 4) + 0.0
                for model, value in found.items()
                for key, title in _COLUMNS.items()
            }
            rows.append(row | {"n": next(iter(found.values()))["n"]})
    return pd.DataFrame(rows, index=names), dots


def _formats(scores: dict[str, Scores]) -> dict[str, str]:
    return {"n": "{:,.0f}"} | {
        f"{model}: {title}": _PATTERNS[key] for model in scores for key, title in _COLUMNS.items()
    }


def caption_text(question: Question, residuals: Residuals) -> str:
    """What to notice: where the medians are furthest off."""
    sentences = [
        f"Mocks of SSPs {question.trial.words()}, {cut_name(question.limit)}; full colour: bright, "
        "weak: faint."
    ]
    worst = []
    for parameter in PARAMETERS:
        offsets = [
            (abs(row["p50"]), row["p50"], row["centre"], library)
            for (library, name), part in residuals.parts.items()
            if name == parameter
            for _, row in part.medians[part.medians["n"] >= _ENOUGH].iterrows()
        ]
        if offsets:
            _, offset, true, library = max(offsets)
            numbers = [f"{offset:+.2f}".replace("-", "−"), f"{true:.2f}".replace("-", "−")]
            worst.append(
                f"{numbers[0]} {PARAMETER_UNITS[parameter]} in {PARAMETER_NAMES[parameter]} "
                f"({library_label(library)} at {numbers[1]})"
            )
    if worst:
        sentences.append(f"The medians furthest from zero: {', '.join(worst)}.")
    scatter = {
        library: part.summary["sigma_nmad"]
        for (library, name), part in residuals.parts.items()
        if name == "log_age"
    }
    if len(scatter) > 1:
        best, last = min(scatter, key=scatter.get), max(scatter, key=scatter.get)
        sentences.append(
            f"Ages scatter least in {library_label(best)} (σ {scatter[best]:.2f} dex) and most in "
            f"{library_label(last)} ({scatter[last]:.2f} dex)."
        )
    return " ".join(sentences)
