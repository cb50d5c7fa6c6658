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
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.background import Background
from sspexplorer.app.state import SharedState
from sspexplorer.errors import InputError
from sspexplorer.labels import PARAMETER_NAMES, PARAMETER_UNITS, library_label
from sspexplorer.libraries import LIBRARY_NAMES, in_order
from sspexplorer.metrics import Summary, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.residuals import Residuals, magnitude_colours, residual_picture
from sspexplorer.plots.shading import compile_means
from sspexplorer.plots.style import library_colour
from sspexplorer.shipped import compared_networks, network_names

_MARKS = "Medians and quartiles"
# A median of fewer mocks is not worth a word.
_ENOUGH = 50

_COLUMNS_CSS = """
:host { display: grid; gap: 4px 14px; grid-auto-columns: minmax(0, 1fr); grid-auto-flow: column; }
.scroll-button { display: none; }
"""
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


class ResidualsByLibrary(pn.viewable.Viewer):
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

    QUERY: ClassVar[dict[str, str]] = {"limit": "limit", "split": "split"}

    limit = param.Selector(default=19.5, objects=CUTS, doc="Limit in i.")
    split = param.Selector(default="ssp", objects=SPLITS, doc="Which mocks to test on.")
    medians = param.Boolean(default=True, doc="Draw medians and quartiles.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self.residuals = Residuals()
        self.scores: dict[str, Scores] = {}
        self._pipe = hv.streams.Pipe(data=self.residuals)
        self._make_parts()
        self._picture_work = Background(self._tell_busy, self._stop)
        self._table_work = Background(lambda busy: None, self._stop)
        self.state.param.watch(self._update, ["model", "libraries"])
        self.param.watch(self._update, ["limit", "split"])
        self.param.watch(self._send, "medians")
        self._update()

    def __panel__(self) -> pn.Row:
        """Controls beside a column of panels for each library; numbers below."""
        return self._layout

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        compile_means()
        for name in compared_networks(network_names()[0]):
            cache.held_out_table(name, cache.fair_split(name, "ssp"))

    def _make_parts(self) -> None:
        self._split_note, self._caption = parts.note(""), parts.caption("")
        self._busy, self._table = parts.note(""), parts.note("")
        self._scales, self._columns = {}, {}
        self._grid = pn.Column(sizing_mode="stretch_width", margin=0, stylesheets=[_COLUMNS_CSS])
        self._add_columns(LIBRARY_NAMES)
        marks = pn.widgets.CheckBoxGroup(
            value=[_MARKS] if self.medians else [], options=[_MARKS], margin=0
        )
        marks.param.watch(lambda event: self.param.update(medians=bool(event.new)), "value")
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=0, visible=False)
        self._picture = parts.stack(self._grid)
        self._numbers = parts.stack(self._caption, self._table, parts.note(_TABLE_NOTE))
        self._layout = parts.page_layout(
            [
                pn.widgets.Select.from_param(self.param.limit, name="Magnitudes"),
                parts.stack(
                    pn.widgets.Select.from_param(
                        self.param.split,
                        name="Tested on",
                        sizing_mode="stretch_width",
                        margin=0,
                    ),
                    self._split_note,
                    gap=6,
                ),
                marks,
                self._busy,
            ],
            parts.stack(self._trouble, self._picture),
            below=[self._numbers],
        )

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

    def _update(self, *events: Any) -> None:
        trial = cache.trial(self.state.model, self.split, self.state.libraries)
        self._split_note.object = parts.note(trial.split_note(self.split)).object
        question = Question(trial, self.limit)
        self._picture_work.ask(question, partial(_measure, question), partial(self._draw, question))

    def _draw(self, question: Question, residuals: Residuals) -> None:
        self.residuals = residuals
        own = {key: part.summary for key, part in residuals.parts.items()}
        self.scores = {question.trial.model: own}
        self._trouble.visible, self._picture.visible, self._numbers.visible = False, True, True
        self._add_columns(dict.fromkeys(library for library, _ in residuals.parts))
        for name, column in self._columns.items():
            column.visible = (name, PARAMETERS[0]) in residuals.parts
            self._scales[name].object = _scale(name, residuals)
        self._send()
        self._caption.object = parts.caption(caption_text(question, residuals)).object
        self._write_table()
        self._table_work.ask(question, partial(_others, question), self._add)

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

    def _tell_busy(self, busy: bool) -> None:
        self._busy.object = parts.note("Predicting the held-out mocks …" if busy else "").object

    def _stop(self, sentence: str) -> None:
        """Say why there is nothing to see."""
        self._picture_work.forget()
        self._tell_busy(False)
        self._trouble[:] = [parts.empty_state(sentence)]
        self._trouble.visible, self._picture.visible, self._numbers.visible = True, False, False


def _measure(question: Question) -> Residuals:
    return Residuals.of(cache.trial_rows(question.trial, question.limit))


def _others(question: Question) -> dict[str, Scores]:
    """Metrics of the shipped recipes, for comparison."""
    found = {}
    for name in compared_networks(question.trial.model):
        if name == question.trial.model:
            continue
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
