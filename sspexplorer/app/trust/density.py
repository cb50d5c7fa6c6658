"""Predicted against true: where the networks read the parameters back, and where they fail."""

from collections.abc import Sequence
from functools import partial
from itertools import repeat
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import ONLY_RANDOM, SPLIT_NOTES, SPLITS, density_table
from sspexplorer.analysis.scores import (
    Panel,
    Scores,
    Selection,
    chosen_magnitudes,
    panel_magnitudes,
)
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.background import Background
from sspexplorer.app.state import SharedState
from sspexplorer.app.trust.density_words import (
    FORMATS,
    PUBLISHED_NOTE,
    caption_text,
    corner_text,
    score_table,
)
from sspexplorer.labels import PARAMETER_NAMES, with_unit
from sspexplorer.metrics import Summary
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots.density import Compared, common_view, density_picture
from sspexplorer.plots.style import PARAMETER_COLOURS, library_dots
from sspexplorer.shipped import compared_networks, network_names

LAYOUTS = {"Parameters": "parameters", "Magnitudes": "magnitudes"}
MAGNITUDE_CHOICES = {"All": "all", "Brighter than": "brighter", "At": "at"}
QUANTITIES = {"Predicted": "predicted", "Residual": "residual"}

_MARKS = "Medians and quartiles"
# More mocks than this are drawn first and measured then.
_MANY = 200_000
_DOTS = {with_unit(name): colour for name, colour in PARAMETER_COLOURS.items()}

# Panels side by side; fewer on a narrow page, and the words where the next would be.
_GRID_CSS = """
:host { display: grid; gap: 8px 16px; grid-template-columns: repeat(3, minmax(0, 1fr)); }
@media (max-width: 1100px) { :host { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
/* Every column has one, which would take the place of a panel. */
.scroll-button { display: none; }
"""
# As high as the longest caption, so that the tables stay where they are.
_WORDS_CSS = """
:host { grid-column: 1 / -1; min-height: 60px; order: 1; }
@media (max-width: 1100px) { :host { align-self: center; grid-column: auto; padding-left: 16px; } }
"""
_WORDS_AS_PANEL = {"align-self": "center", "grid-column": "auto", "padding-left": "16px"}

_NO_MOCKS = density_table(
    pd.DataFrame(columns=["magnitude", "library", "ssp", *PARAMETERS]), np.empty((0, 3))
)


class _Panels:
    """The pictures of one layout, alive."""

    def __init__(self, selection: Selection, compared: Sequence[Compared]) -> None:
        self.pipes = [hv.streams.Pipe(data=data) for data in compared]
        views = repeat(None)
        if selection.by_magnitude:
            first = selection.panels[0].parameter
            views = repeat(common_view(first, residual=selection.residual))
        self.cells = [
            _cell(
                density_picture(
                    pipe, panel.parameter, residual=selection.residual, shared_view=view
                )
            )
            for pipe, panel, view in zip(self.pipes, selection.panels, views, strict=False)
        ]

    def send(self, compared: Sequence[Compared]) -> None:
        for pipe, data in zip(self.pipes, compared, strict=True):
            pipe.send(data)


def _cell(picture: hv.DynamicMap) -> pn.Column:
    pane = pn.pane.HoloViews(picture, linked_axes=False, sizing_mode="stretch_both", margin=0)
    shape = {"aspect-ratio": "0.88"}
    return pn.Column(pane, sizing_mode="stretch_width", styles=shape, margin=0)


class PredictedVsTrue(pn.viewable.Viewer):
    """Densities of predicted against true parameters of every held-out mock.

    Parameters
    ----------
    state : SharedState, optional
        Model, libraries and magnitude; a fresh one unless given.

    Attributes
    ----------
    selection : Selection or None
        What is in sight.
    rows : list of DataFrame
        The mocks of each panel, as of :func:`~sspexplorer.analysis.held_out.density_table`.
    scores : list of Scores
        Their metrics; empty until they are measured.
    others : dict
        {model: Summary of each panel} of the models to compare with, on the same mocks; None
        until they are measured.
    """

    QUERY: ClassVar[dict[str, str]] = {
        "layout": "layout",
        "parameter": "parameter",
        "magnitudes": "magnitudes",
        "split": "split",
        "quantity": "axis",
    }

    layout = param.Selector(default="parameters", objects=LAYOUTS)
    parameter = param.Selector(default="log_age", objects=list(PARAMETERS))
    magnitudes = param.Selector(default="all", objects=MAGNITUDE_CHOICES)
    split = param.Selector(default="ssp", objects=SPLITS)
    quantity = param.Selector(default="predicted", objects=QUANTITIES)
    medians = param.Boolean(default=True)

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self.selection: Selection | None = None
        self.rows: list[pd.DataFrame] = []
        self.scores: list[Scores] = []
        self.others: dict[str, list[Summary] | None] = {}
        self._panels: dict[tuple, _Panels] = {}
        self._make_parts()
        self._drawing = Background(self._show_busy, self._fail)
        self._measuring = Background(_leave, self._fail)
        self._comparing = Background(_leave, self._fail)
        self.state.param.watch(self._update, ["model", "libraries", "magnitude"])
        choices = ["layout", "parameter", "magnitudes", "split", "quantity"]
        self.param.watch(self._update, choices)
        self.param.watch(self._send, "medians")
        self._update()

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        for name in compared_networks(network_names()[0]):
            cache.held_out_table(name, "ssp")

    def __panel__(self) -> pn.Row:
        """Controls beside the densities, metrics below."""
        return self._layout

    def _make_parts(self) -> None:
        self._magnitude_note, self._split_note = parts.note(""), parts.note("")
        self._split = pn.widgets.Select(
            label="Tested on",
            options=SPLITS,
            value=self.split,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._split.param.watch(self._take_split, "value")
        # Unlike a single checkbox, one of a group answers to a click on its words, too.
        self._marks = pn.widgets.CheckBoxGroup(
            value=[_MARKS] if self.medians else [], options=[_MARKS], margin=0
        )
        self._marks.param.watch(lambda event: self.param.update(medians=bool(event.new)), "value")
        self._caption = parts.caption("")
        self._busy = pn.Row(
            pn.indicators.LoadingSpinner(value=True, size=18, margin=0),
            parts.caption("Predicting the parameters of the held-out mocks …"),
            margin=0,
            styles={"gap": "10px"},
            visible=False,
        )
        self._words = pn.Column(
            self._busy,
            self._caption,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[_WORDS_CSS],
        )
        self._grid = pn.Column(
            self._words, sizing_mode="stretch_width", margin=0, stylesheets=[_GRID_CSS]
        )
        # A grid cannot be hidden: its style has the last word on how it is displayed.
        self._picture = parts.stack(self._grid)
        self._table = parts.note("")
        self._numbers = parts.stack(self._table, parts.note(PUBLISHED_NOTE), gap=6)
        self._numbers.visible = False
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=0, visible=False)
        names = {PARAMETER_NAMES[name]: name for name in PARAMETERS}
        self._which_magnitudes = _choice("Magnitudes", self.param.magnitudes, self._magnitude_note)
        self._which_parameter = _choice("Parameter", self.param.parameter, options=names)
        self._layout = parts.page_layout(
            [
                _choice("A panel for each of the", self.param.layout),
                self._which_magnitudes,
                self._which_parameter,
                parts.stack(self._split, self._split_note, gap=6),
                _choice("Vertical axis", self.param.quantity),
            ],
            parts.stack(self._trouble, self._picture),
            more=[self._marks],
            below=[self._numbers],
        )

    # What is asked for.

    def _choose(self) -> Selection:
        """Take all choices together, and write beside the controls what they mean."""
        sample = cache.model_card(self.state.model).get("sample", {})
        grid = sample.get("magnitudes", MAGNITUDES)
        by_magnitude = self.layout == "magnitudes"
        if by_magnitude:
            chosen = panel_magnitudes(self.state.magnitude, grid)
            panels = tuple(Panel(self.parameter, magnitudes) for magnitudes in chosen)
        else:
            magnitudes, sentence = chosen_magnitudes(self.magnitudes, self.state.magnitude, grid)
            panels = tuple(Panel(name, magnitudes) for name in PARAMETERS)
            self._magnitude_note.object = parts.note(sentence).object
        self._which_magnitudes.visible = not by_magnitude
        self._which_parameter.visible = by_magnitude
        only_random = sample.get("split") == "random"
        split = "random" if only_random else self.split
        split_note = ONLY_RANDOM if only_random else SPLIT_NOTES[split]
        self._split_note.object = parts.note(split_note).object
        self._split.param.update(value=split, disabled=only_random)
        return Selection(
            model=self.state.model,
            split=split,
            libraries=tuple(self.state.libraries),
            panels=panels,
            residual=self.quantity == "residual",
        )

    def _take_split(self, event: param.parameterized.Event) -> None:
        # What a network forces upon the widget is not what was chosen.
        if not self._split.disabled:
            self.split = event.new

    def _update(self, *events: param.parameterized.Event) -> None:
        selection = self._choose()
        self._drawing.ask(selection, partial(_collect, selection), partial(self._draw, selection))

    # What is shown.

    def _draw(
        self, selection: Selection, found: tuple[list[pd.DataFrame], list[Scores] | None]
    ) -> None:
        rows, scores = found
        if not len(rows[0]):
            self._stop(parts.empty_state(_why_empty(selection)))
            return
        self.selection, self.rows, self.scores = selection, rows, scores or []
        names = compared_networks(selection.model)
        self.others = dict.fromkeys(name for name in names if name != selection.model)
        self._trouble.visible, self._picture.visible = False, True
        self._send()
        if scores is None:
            work = partial(selection.measure, rows)
            self._measuring.ask(selection, work, partial(self._take_scores, selection))
        else:
            self._take_scores(selection, scores)

    def _take_scores(self, selection: Selection, scores: list[Scores]) -> None:
        if selection != self.selection:
            return
        if not self.scores:
            self.scores = scores
            self._send()
        self._numbers.visible = True
        self._fill_table()
        self._comparing.forget()
        work = partial(_compare, selection, tuple(self.others))
        self._comparing.ask(selection, work, partial(self._take_others, selection))

    def _take_others(self, selection: Selection, others: dict[str, list[Summary]]) -> None:
        if selection == self.selection:
            self.others = others
            self._fill_table()

    def _fill_table(self) -> None:
        table = score_table(self.selection, self.scores, self.others)
        firsts = {with_unit(name) for name in PARAMETERS} | {p.title for p in self.selection.panels}
        dots = _DOTS | library_dots(self.selection.libraries)
        self._table.object = parts.metric_table(
            table, formats=FORMATS, colours=dots, faint=set(table.index) - firsts
        ).object

    def _send(self, *events: param.parameterized.Event) -> None:
        """Bring the picture up to date."""
        selection, compared = self.selection, self._compared()
        key = (selection.by_magnitude, selection.panels[0].parameter, selection.residual)
        key += (len(selection.panels),)
        if key in self._panels:
            self._panels[key].send(compared)
        else:
            self._panels[key] = _Panels(selection, compared)
            self._grid.extend(self._panels[key].cells)
        for other, panels in self._panels.items():
            for cell in panels.cells:
                cell.visible = other == key
        self._words.styles = _WORDS_AS_PANEL if selection.by_magnitude else {}
        if self.scores:
            text = caption_text(selection, self.scores, self.medians)
            self._caption.object = parts.caption(text).object

    def _compared(self) -> list[Compared]:
        sample = cache.model_card(self.selection.model).get("sample", {})
        noise = NoiseModel.from_dict(sample["noise"]) if "noise" in sample else None
        noise = noise or NoiseModel.default()
        compared = []
        scores = self.scores or repeat(None)
        for panel, rows, found in zip(self.selection.panels, self.rows, scores, strict=False):
            name = panel.parameter
            compared.append(
                Compared(
                    rows,
                    {name: found.medians} if found and self.medians else {},
                    {name: corner_text(panel, noise, found)},
                    {name: found.range_texts() if found else []},
                )
            )
        return compared

    def _show_busy(self, busy: bool) -> None:
        if busy and not self._panels:
            # Empty axes hold the place, so that nothing moves when the mocks come.
            self.selection = self._drawing.question
            self.rows = [_NO_MOCKS] * len(self.selection.panels)
            self._send()
        self._busy.visible, self._caption.visible = busy, not busy

    def _fail(self, sentence: str) -> None:
        self._stop(parts.problem(sentence))

    def _stop(self, message: pn.viewable.Viewable) -> None:
        """Say why there is nothing to see."""
        self.rows, self.scores = [_NO_MOCKS] * len(self.rows), []
        self._trouble[:] = [message]
        self._trouble.visible, self._picture.visible, self._numbers.visible = True, False, False


def _collect(selection: Selection) -> tuple[list[pd.DataFrame], list[Scores] | None]:
    """Mocks of each panel, and their metrics unless they are very many."""
    rows = selection.rows(cache.held_out_table(selection.model, selection.split))
    if not len(rows[0]):
        return rows, []
    return rows, None if len(rows[0]) > _MANY else selection.measure(rows)


def _compare(selection: Selection, names: Sequence[str]) -> dict[str, list[Summary]]:
    return {
        name: selection.summaries(cache.held_out_table(name, selection.split)) for name in names
    }


def _leave(busy: bool) -> None:
    """Say nothing: the picture is there already."""


def _choice(
    name: str, parameter: param.Parameter, *notes: pn.viewable.Viewable, **options: Any
) -> pn.Column:
    buttons = pn.widgets.RadioButtonGroup.from_param(
        parameter, sizing_mode="stretch_width", margin=0, **options
    )
    return parts.stack(parts.label(name), buttons, *notes, gap=4)


def _why_empty(selection: Selection) -> str:
    if not selection.panels[0].magnitudes:
        return "No mocks are that bright. Move the magnitude in the sidebar, or choose All."
    return "There are no mocks of these libraries: the network was not trained on them."
