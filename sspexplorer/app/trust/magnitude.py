"""Metrics against magnitude: how predictions fade with the light, and how methods compare."""

import io
from dataclasses import dataclass
from typing import Any, ClassVar

import holoviews as hv
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import ONLY_RANDOM, SPLIT_NOTES, SPLITS
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.background import Background
from sspexplorer.app.kit.theme import static_text
from sspexplorer.app.state import CommaList, SharedState
from sspexplorer.app.trust.magnitude_numbers import NUMBERS_CSS, caption_text, numbers_html
from sspexplorer.labels import PARAMETER_NAMES, run_title
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.mocks import PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.magnitude import (
    METRICS,
    Curves,
    Look,
    legend_html,
    metric_curves,
)
from sspexplorer.plots.style import PARAMETER_COLOURS
from sspexplorer.shipped import RECIPE_MODELS, compared_networks, network_names

SEDFIT, PUBLISHED = "sedfit", "published"
# What to compare with, apart from the chosen model.
OTHERS = {
    **{run_title(name): name for name in RECIPE_MODELS},
    "SED fit": SEDFIT,
    "Published": PUBLISHED,
}
CORRELATIONS = {"Pearson": "pearson", "R²": "r2"}

_TITLES = {name: title for title, name in OTHERS.items()}
_DASHES = ("solid", "dashed", "dotted")
_BARS = "Error bars"
_NOTHING = pd.DataFrame(columns=["run", "parameter", "magnitude", *METRICS, "r2", "n"])
_NOTE = (
    "Outliers are off by more than 0.25 (dex or mag). Bars are ±1σ, from drawing whole SSPs anew, "
    "since mocks of one SSP are not independent. The "
    "SED fit knows the noise and has every SSP of the mocks in its grid, the held-out ones too: "
    "nearly the least scatter there can be. Published: Domínguez Sánchez et al. (2026), on their "
    "own mocks and split at random. Sect. 7 puts its numbers at i ≈ 17; Sect. 4 gives the same "
    "scatter for all magnitudes, and for age 0.13 dex at i = 17 and 0.46 dex at 21. CIGALE: "
    "Sect. 5.1."
)
_GRID_CSS = """
:host { display: grid; gap: 10px 20px; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.scroll-button { display: none; }
"""
_CHIP_COLOURS = "".join(
    f".bk-input-group > label:nth-of-type({place}) {{ --chip: {PARAMETER_COLOURS[name]}; }}"
    for place, name in enumerate(PARAMETERS, start=1)
)


class OptionalList(CommaList):
    """A list of choices as :class:`CommaList`, but it may be empty."""

    def _validate(self, val: Any) -> None:
        param.ListSelector._validate(self, val)


@dataclass(frozen=True)
class Question:
    """What is asked for.

    Attributes
    ----------
    models : tuple of str
        The mocks are held out from the training of the first.
    split : str
        See :func:`~sspexplorer.metrics.held_out_mocks`.
    libraries : tuple of str
        Of the mocks.
    fit : bool
        Whether to fit some of the mocks as well.
    """

    models: tuple[str, ...]
    split: str
    libraries: tuple[str, ...]
    fit: bool

    def answer(self) -> pd.DataFrame:
        """Metrics of all models one after the other, and of the fit."""
        tables = [cache.magnitude_metrics(m, self.split, self.libraries) for m in self.models]
        if self.fit:
            tables.append(cache.sedfit_metrics(self.models[0], self.split, self.libraries))
        return pd.concat(tables, ignore_index=True)


class AgainstMagnitude(pn.viewable.Viewer):
    """Bias, scatter, outliers and correlation against i magnitude.

    Parameters
    ----------
    state : SharedState, optional
        Model and libraries; a fresh one unless given.

    Attributes
    ----------
    table : DataFrame
        Metrics of all that is drawn, as of
        :func:`sspexplorer.analysis.by_magnitude.metrics_by_magnitude`.
    """

    QUERY: ClassVar[dict[str, str]] = {
        "split": "split",
        "parameters": "parameters",
        "others": "with",
        "correlation": "correlation",
    }

    split = param.Selector(default="ssp", objects=SPLITS)
    parameters = CommaList(default=list(PARAMETERS), objects=list(PARAMETERS))
    others = OptionalList(default=list(OTHERS.values()), objects=list(OTHERS.values()))
    correlation = param.Selector(default="pearson", objects=CORRELATIONS)
    bars = param.Boolean(default=True)

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self.table = _NOTHING
        self._pipe = hv.streams.Pipe(data=self._curves())
        self._make_parts()
        self._work = Background(self._show_busy, self._fail)
        self.state.param.watch(self._update, ["model", "libraries"])
        self.param.watch(self._update, "split")
        self.param.watch(self._take_others, "others")
        self.param.watch(self._send, ["parameters", "bars"])
        self.param.watch(self._show_correlation, "correlation")
        self._show_correlation()
        self._update()

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        first = network_names()[0]
        for name in compared_networks(first):
            cache.magnitude_metrics(name, "ssp", LIBRARY_NAMES)
        cache.sedfit_metrics(first, "ssp", LIBRARY_NAMES)

    def __panel__(self) -> pn.Row:
        """Controls beside the four metrics, numbers below."""
        return self._layout

    # The parts of the page.

    def _make_parts(self) -> None:
        self._split_note = parts.note("")
        self._split = pn.widgets.Select(
            label="Tested on",
            options=SPLITS,
            value=self.split,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._split.param.watch(self._take_split, "value")
        self._chips = pn.widgets.CheckBoxGroup(
            value=list(self.parameters),
            options={PARAMETER_NAMES[name]: name for name in PARAMETERS},
            stylesheets=[static_text("chips.css"), _CHIP_COLOURS],
            margin=0,
        )
        self._chips.param.watch(self._take_parameters, "value")
        self.param.watch(lambda event: self._chips.param.update(value=event.new), "parameters")
        self._others = pn.widgets.CheckBoxGroup(margin=0)
        self._show_others()
        self._others.param.watch(self._tick_others, "value")
        correlation = pn.widgets.RadioButtonGroup.from_param(
            self.param.correlation, sizing_mode="stretch_width", margin=0
        )
        self._bars = pn.widgets.CheckBoxGroup(value=[_BARS], options=[_BARS], margin=0)
        self._bars.param.watch(lambda event: self.param.update(bars=bool(event.new)), "value")
        legend = legend_html(self._pipe.data)
        self._legend = pn.pane.HTML(legend, sizing_mode="stretch_width", margin=0)
        self._caption = parts.caption("")
        self._busy = _waiting("Predicting and fitting the held-out mocks …")
        self._numbers = parts.note("")
        self._numbers.stylesheets = [*self._numbers.stylesheets, NUMBERS_CSS]
        download = pn.widgets.FileDownload(
            callback=self._csv, filename="metrics-by-magnitude.csv", label="Download as CSV"
        )
        figures = metric_curves(self._pipe, metrics=[m for m in METRICS if m != "pearson"])
        self._cells = {metric: _cell(figure) for metric, figure in figures.items()}
        self._grid = pn.Column(
            *self._cells.values(), sizing_mode="stretch_width", margin=0, stylesheets=[_GRID_CSS]
        )
        self._picture = parts.stack(self._legend, self._grid, gap=8)
        self._below = parts.stack(parts.note(_NOTE), self._numbers, pn.Row(download, margin=0))
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=0, visible=False)
        words = pn.Column(
            self._busy,
            self._caption,
            sizing_mode="stretch_width",
            margin=0,
            styles={"min-height": "60px"},
        )
        self._layout = parts.page_layout(
            [
                parts.stack(self._split, self._split_note, gap=6),
                parts.stack(parts.label("Parameters"), self._chips, gap=4),
                parts.stack(parts.label("Compare with"), self._others, gap=4),
                parts.stack(parts.label("Correlation"), correlation, gap=4),
            ],
            parts.stack(self._trouble, self._picture, words),
            more=[self._bars],
            below=[self._below],
        )

    def _show_correlation(self, *events: param.parameterized.Event) -> None:
        """Show the figure of one of the coefficients, which is made when it is first asked for."""
        if self.correlation not in self._cells:
            figure = metric_curves(self._pipe, metrics=[self.correlation])[self.correlation]
            self._cells[self.correlation] = _cell(figure)
            self._grid.append(self._cells[self.correlation])
        for metric in CORRELATIONS.values():
            if metric in self._cells:
                self._cells[metric].visible = metric == self.correlation
        if len(self.table):
            self._numbers.object = numbers_html(self._curves(), self.correlation)

    # What is asked for.

    def _take_split(self, event: param.parameterized.Event) -> None:
        # What a network forces upon the widget is not what was chosen.
        if not self._split.disabled:
            self.split = event.new

    def _take_parameters(self, event: param.parameterized.Event) -> None:
        chosen = [name for name in PARAMETERS if name in event.new]
        if chosen:
            self.parameters = chosen
        else:
            self._chips.value = list(self.parameters)

    def _show_others(self) -> None:
        """Offer all but the chosen model, which is there anyway."""
        options = {title: name for title, name in OTHERS.items() if name != self.state.model}
        ticked = [name for name in options.values() if name in self.others]
        self._others.param.update(options=options, value=ticked)

    def _tick_others(self, event: param.parameterized.Event) -> None:
        hidden = {self.state.model} & set(self.others)
        self.others = [name for name in OTHERS.values() if name in hidden.union(event.new)]

    def _choose(self) -> Question:
        """Take all choices together, and write beside the controls what they mean."""
        sample = cache.model_card(self.state.model).get("sample", {})
        only_random = sample.get("split") == "random"
        split = "random" if only_random else self.split
        sentence = ONLY_RANDOM if only_random else SPLIT_NOTES[split]
        self._split_note.object = parts.note(sentence).object
        self._split.param.update(value=split, disabled=only_random)
        known = sample.get("libraries", self.state.libraries)
        libraries = tuple(name for name in self.state.libraries if name in known)
        others = [m for m in compared_networks(self.state.model) if m in self.others]
        models = (*dict.fromkeys((self.state.model, *others)),)
        return Question(models, split, libraries, fit=SEDFIT in self.others)

    def _update(self, *events: param.parameterized.Event) -> None:
        self._show_others()
        question = self._choose()
        if question.libraries:
            self._work.ask(question, question.answer, self._take)
        else:
            self._work.forget()
            sentence = "There are no mocks of these libraries: the network never saw them."
            self._stop(parts.empty_state(sentence))

    def _take_others(self, *events: param.parameterized.Event) -> None:
        before = self._work.question
        self._update()
        if self._work.question == before:
            # No other metrics are asked for, so none will come: only the paper's come or go.
            self._send()

    def _take(self, table: pd.DataFrame) -> None:
        self.table = table
        self._trouble.visible, self._picture.visible, self._below.visible = False, True, True
        self._send()

    # What is shown.

    def _curves(self) -> Curves:
        """What is drawn at present."""
        table = self.table
        runs = list(table["run"].unique())
        networks = [run for run in runs if run != SEDFIT]
        looks = {
            run_title(run): Look(dash) for run, dash in zip(networks, _DASHES, strict=False)
        } | {_TITLES[SEDFIT]: Look("")}
        sample = cache.model_card(self.state.model).get("sample", {})
        return Curves(
            table.assign(run=[_title(run) for run in table["run"]]),
            parameters=tuple(self.parameters),
            looks=looks,
            published=PUBLISHED in self.others,
            errors=self.bars,
            noise=NoiseModel.from_dict(sample["noise"]) if "noise" in sample else None,
        )

    def _send(self, *events: param.parameterized.Event) -> None:
        """Bring picture, words and numbers up to date."""
        curves = self._curves()
        self._pipe.send(curves)
        self._legend.object = legend_html(curves)
        if len(curves.table):
            self._caption.object = parts.caption(caption_text(curves, _TITLES[SEDFIT])).object
            self._numbers.object = numbers_html(curves, self.correlation)

    def _show_busy(self, busy: bool) -> None:
        self._busy.visible, self._caption.visible = busy, not busy

    def _fail(self, sentence: str) -> None:
        self._stop(parts.problem(sentence))

    def _stop(self, message: pn.viewable.Viewable) -> None:
        """Say why there is nothing to see."""
        self.table = _NOTHING
        self._trouble[:] = [message]
        self._trouble.visible, self._picture.visible, self._below.visible = True, False, False

    def _csv(self) -> io.StringIO:
        return io.StringIO(self.table.to_csv(index=False))


def _title(run: str) -> str:
    return _TITLES[run] if run in _TITLES else run_title(run)


def _cell(figure: hv.DynamicMap) -> pn.Column:
    pane = pn.pane.HoloViews(figure, linked_axes=False, sizing_mode="stretch_both", margin=0)
    styles = {"aspect-ratio": "1.34"}
    return pn.Column(pane, sizing_mode="stretch_width", styles=styles, margin=0)


def _waiting(text: str) -> pn.Row:
    spinner = pn.indicators.LoadingSpinner(value=True, size=18, margin=0)
    return pn.Row(spinner, parts.caption(text), margin=0, styles={"gap": "10px"}, visible=False)
