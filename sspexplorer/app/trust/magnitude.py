"""Metrics against magnitude: how predictions fade with the light, and how methods compare."""

import io
from dataclasses import dataclass
from typing import ClassVar

import holoviews as hv
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.full_size import full_size
from sspexplorer.analysis.held_out import SPLITS
from sspexplorer.app import cache
from sspexplorer.app.choices import CommaList, OptionalList
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.app.trust.magnitude_numbers import caption_text, full_size_words, numbers_html
from sspexplorer.app.trust.split import SplitChoice
from sspexplorer.errors import InputError
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
from sspexplorer.progress import Progress
from sspexplorer.shipped import RECIPE_MODELS, compared_networks, network_names

SEDFIT, FULL_SIZE, PUBLISHED = "sedfit", "full-size", "published"
# What to compare with, apart from the chosen model; the paper's size if it was trained.
OTHERS = {
    **{run_title(name): name for name in RECIPE_MODELS},
    "SED fit": SEDFIT,
    **({"Paper's size, stand-ins": FULL_SIZE} if full_size() else {}),
    "Published": PUBLISHED,
}
CORRELATIONS = {"Pearson": "pearson", "R²": "r2"}

_TITLES = {name: title for title, name in OTHERS.items()}
_DASHES = ("solid", "dashed", "dotted", "dashdot")
_SHAPE, _NARROW = "1.34", "2.1"
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
_CHIP_COLOURS = "".join(
    f".bk-input-group > label:nth-of-type({place}) {{ --chip: {PARAMETER_COLOURS[name]}; }}"
    for place, name in enumerate(PARAMETERS, start=1)
)


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
    full : bool
        Whether to show the training at the paper's size, on mocks of its own.
    """

    models: tuple[str, ...]
    split: str
    libraries: tuple[str, ...]
    fit: bool
    full: bool = False

    def answer(self) -> pd.DataFrame:
        """Metrics of all models one after the other, of the fit and of the paper's size."""
        tables = [cache.magnitude_metrics(m, self.split, self.libraries) for m in self.models]
        if self.fit:
            tables.append(cache.sedfit_metrics(self.models[0], self.split, self.libraries))
        if self.full and (trained := full_size()):
            tables.append(trained.by_magnitude.assign(run=FULL_SIZE))
        return pd.concat(tables, ignore_index=True)


class AgainstMagnitude(Page):
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

    SIDEBAR = ("libraries",)
    QUERY: ClassVar[dict[str, str]] = {
        "split": "split",
        "parameters": "parameters",
        "others": "with",
        "correlation": "correlation",
    }
    ASKS, FOLLOWS = ("split",), ("model", "libraries")
    BUSY = "Predicting and fitting the held-out mocks …"

    split = param.Selector(default="ssp", objects=SPLITS)
    parameters = CommaList(default=list(PARAMETERS), objects=list(PARAMETERS))
    others = OptionalList(default=list(OTHERS.values()), objects=list(OTHERS.values()))
    correlation = param.Selector(default="pearson", objects=CORRELATIONS)
    bars = param.Boolean(default=True)

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        first = network_names()[0]
        for name in compared_networks(first):
            cache.magnitude_metrics(name, "ssp", LIBRARY_NAMES)
        cache.sedfit_metrics(first, "ssp", LIBRARY_NAMES)

    # The parts of the page.

    def make(self) -> None:
        """Make the figures, the words, and the choices that have a say in each other."""
        self.table = _NOTHING
        self._pipe = hv.streams.Pipe(data=self._curves())
        self._caption = parts.caption("")
        self.tested_on = SplitChoice(self)
        self._chips = pn.widgets.CheckBoxGroup(
            value=list(self.parameters),
            options={PARAMETER_NAMES[name]: name for name in PARAMETERS},
            stylesheets=[css("chips"), _CHIP_COLOURS],
            margin=0,
        )
        self._chips.param.watch(self._take_parameters, "value")
        self.param.watch(lambda event: self._chips.param.update(value=event.new), "parameters")
        self._others = pn.widgets.CheckBoxGroup(margin=0)
        self._show_others()
        self._others.param.watch(self._tick_others, "value")
        self._legend = pn.pane.HTML(
            legend_html(self._pipe.data), sizing_mode="stretch_width", margin=0
        )
        self._busy = controls.spinner(self.BUSY)
        self._numbers = parts.note("")
        self._numbers.stylesheets = [*self._numbers.stylesheets, css("numbers")]
        figures = metric_curves(self._pipe, metrics=[m for m in METRICS if m != "pearson"])
        self._cells = {
            metric: parts.panel(figure, _SHAPE, _NARROW) for metric, figure in figures.items()
        }
        self._grid = parts.grid(*self._cells.values(), columns=2, narrow=1, gap="10px 20px")
        self.param.watch(self._take_others, "others")
        self.param.watch(self._send, ["parameters", "bars"])
        self.param.watch(self._show_correlation, "correlation")
        self._show_correlation()

    def controls(self) -> list[parts.Part]:
        """Which mocks, which parameters, what to compare with, and which correlation."""
        return [
            ModelChoice(self, tested=True),
            self.tested_on,
            parts.stack(parts.label("Parameters"), self._chips, gap=4),
            parts.stack(parts.label("Compare with"), self._others, gap=4),
            controls.buttons("Correlation", self.param.correlation),
        ]

    def more(self) -> list[parts.Part]:
        """Whether errors are drawn."""
        return [controls.tick("Error bars", self.param.bars)]

    def picture(self) -> parts.Part:
        """Four metrics under their legend."""
        return parts.stack(self._legend, self._grid, gap=8)

    def below(self) -> list[parts.Part]:
        """All numbers, and a way to take them along."""
        download = pn.widgets.FileDownload(
            callback=self._csv, filename="metrics-by-magnitude.csv", label="Download as CSV"
        )
        words = [_NOTE, full_size_words(found)] if (found := full_size()) else [_NOTE]
        return [parts.stack(*map(parts.note, words), self._numbers, pn.Row(download, margin=0))]

    def lay_out(self) -> pn.Row:
        """Words keep their place whether or not there is a picture."""
        words = pn.Column(
            self._busy,
            self._caption,
            sizing_mode="stretch_width",
            margin=0,
            styles={"min-height": "60px"},
        )
        return parts.page_layout(
            self.controls(),
            parts.stack(self._trouble, self._picture, words),
            more=self.more(),
            below=[self._below],
        )

    def _show_correlation(self, *events: param.parameterized.Event) -> None:
        """Show the figure of one of the coefficients, which is made when it is first asked for."""
        if self.correlation not in self._cells:
            figure = metric_curves(self._pipe, metrics=[self.correlation])[self.correlation]
            self._cells[self.correlation] = parts.panel(figure, _SHAPE, _NARROW)
            self._grid.append(self._cells[self.correlation])
        for metric in CORRELATIONS.values():
            if metric in self._cells:
                self._cells[metric].visible = metric == self.correlation
        if len(self.table):
            self._numbers.object = numbers_html(self._curves(), self.correlation)

    # What is asked for.

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

    def question(self) -> Question:
        """Take all choices together, and write beside the controls what they mean."""
        self._show_others()
        split = self.tested_on.of(self.state.model)
        known = cache.model_card(self.state.model).get("sample", {}).get("libraries")
        libraries = tuple(name for name in self.state.libraries if not known or name in known)
        if not libraries:
            raise InputError("There are no mocks of these libraries: the network never saw them.")
        others = [m for m in compared_networks(self.state.model) if m in self.others]
        models = (*dict.fromkeys((self.state.model, *others)),)
        fit, full = SEDFIT in self.others, FULL_SIZE in self.others
        return Question(models, split, libraries, fit=fit, full=full)

    def answer(self, question: Question, progress: Progress) -> pd.DataFrame:
        """Metrics of all that is compared."""
        return question.answer()

    def show(self, question: Question, answer: pd.DataFrame) -> None:
        """Draw them."""
        self.table = answer
        self._send()

    def _take_others(self, *events: param.parameterized.Event) -> None:
        before = self.worker.question
        self.update()
        if self.worker.question == before:
            # No other metrics are asked for, so none will come: only the paper's come or go.
            self._send()

    # What is shown.

    def _curves(self) -> Curves:
        """What is drawn at present."""
        table = self.table
        runs = list(table["run"].unique())
        networks = [run for run in runs if run != SEDFIT]
        looks = {_title(run): Look(dash) for run, dash in zip(networks, _DASHES, strict=False)} | {
            _TITLES[SEDFIT]: Look("")
        }
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

    def show_busy(self, busy: bool) -> None:
        """Say so in place of the caption."""
        self._busy.visible, self._caption.visible = busy, not busy

    def tell_instead(self, message: pn.viewable.Viewable) -> None:
        """Show a message in place of the figures, of which nothing is kept."""
        self.table = _NOTHING
        super().tell_instead(message)

    def _csv(self) -> io.StringIO:
        return io.StringIO(self.table.to_csv(index=False))


def _title(run: str) -> str:
    return _TITLES[run] if run in _TITLES else run_title(run)
