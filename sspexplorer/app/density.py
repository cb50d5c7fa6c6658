"""Predicted against true: where the networks read the parameters back, and where they fail."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.app import parts, shared
from sspexplorer.app.comparison import (
    FORMATS,
    ONLY_RANDOM,
    PUBLISHED_NOTE,
    PUBLISHED_ROW,
    SPLIT_NOTES,
    SPLITS,
    Scores,
    Selection,
    caption_text,
    chosen_magnitudes,
    score_table,
    with_unit,
)
from sspexplorer.app.state import SharedState
from sspexplorer.errors import InputError
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.plots.density import Compared, density_picture, density_table
from sspexplorer.plots.style import LIBRARY_COLOURS, LIBRARY_LABELS, PARAMETER_COLOURS

MAGNITUDE_CHOICES = {"All": "all", "Brighter than": "brighter", "At": "at"}
QUANTITIES = {"Predicted": "predicted", "Residual": "residual"}

_MARKS = "Medians and quartiles"
_BUSY_AFTER = 250  # ms; what is quicker than that needs no word
# More mocks than this are drawn first and measured then.
_MANY = 200_000
_DOTS = {with_unit(name): colour for name, colour in PARAMETER_COLOURS.items()} | {
    LIBRARY_LABELS[name]: colour for name, colour in LIBRARY_COLOURS.items()
}
_LESSER_ROWS = (PUBLISHED_ROW, *LIBRARY_LABELS.values())

# Three panels side by side; two on a narrow page, and the words where the fourth would be.
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

_NO_MOCKS = density_table(
    pd.DataFrame(columns=["magnitude", "library", "ssp", *PARAMETERS]), np.empty((0, 3))
)

logger = logging.getLogger(__name__)
# Tables are made here, so that the pages of other visitors go on meanwhile.
_WORKERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="density")


class _Panels:
    """The densities of one quantity, one for each parameter, alive."""

    def __init__(self, compared: Compared, residual: bool) -> None:
        self.pipe = hv.streams.Pipe(data=compared)
        self.cells = [self._cell(name, residual) for name in PARAMETERS]

    def _cell(self, name: str, residual: bool) -> pn.Column:
        picture = density_picture(self.pipe, name, residual=residual)
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
    selection : Selection
        What is asked for.
    rows : DataFrame
        The mocks that are drawn, as of :func:`~sspexplorer.plots.density.density_table`.
    scores : Scores or None
        Their metrics; None until they are measured.
    """

    magnitudes = param.Selector(default="all", objects=MAGNITUDE_CHOICES)
    split = param.Selector(default="ssp", objects=SPLITS)
    quantity = param.Selector(default="predicted", objects=QUANTITIES)
    medians = param.Boolean(default=True)

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self.selection: Selection | None = None
        self.rows = _NO_MOCKS
        self.scores: Scores | None = None
        self._answered: Selection | None = None
        self._document = pn.state.curdoc
        self._panels: dict[bool, _Panels] = {}
        self._make_parts()
        self.state.param.watch(self._update, ["model", "libraries", "magnitude"])
        self.param.watch(self._update, ["magnitudes", "split", "quantity"])
        self.param.watch(self._send, "medians")
        self._update()

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
        words = pn.Column(
            self._busy,
            self._caption,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[_WORDS_CSS],
        )
        self._grid = pn.Column(
            words, sizing_mode="stretch_width", margin=0, stylesheets=[_GRID_CSS]
        )
        # A grid cannot be hidden: its style has the last word on how it is displayed.
        self._picture = parts.stack(self._grid)
        self._table = parts.note("")
        self._numbers = parts.stack(self._table, parts.note(PUBLISHED_NOTE), gap=6)
        self._numbers.visible = False
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=0, visible=False)
        self._layout = parts.page_layout(
            [
                _choice("Magnitudes", self.param.magnitudes, self._magnitude_note),
                parts.stack(self._split, self._split_note, gap=6),
                _choice("Vertical axis", self.param.quantity),
            ],
            parts.stack(self._trouble, self._picture),
            more=[self._marks],
            below=[self._numbers],
        )

    def _choose(self) -> Selection:
        """Take all choices together, and write beside the controls what they mean."""
        sample = shared.model_card(self.state.model).get("sample", {})
        grid = sample.get("magnitudes", MAGNITUDES)
        magnitudes, sentence = chosen_magnitudes(self.magnitudes, self.state.magnitude, grid)
        only_random = sample.get("split") == "random"
        split = "random" if only_random else self.split
        self._magnitude_note.object = parts.note(sentence).object
        split_note = ONLY_RANDOM if only_random else SPLIT_NOTES[split]
        self._split_note.object = parts.note(split_note).object
        self._split.param.update(value=split, disabled=only_random)
        return Selection(
            model=self.state.model,
            split=split,
            libraries=tuple(self.state.libraries),
            magnitudes=magnitudes,
            residual=self.quantity == "residual",
        )

    def _take_split(self, event: param.parameterized.Event) -> None:
        # What a network forces upon the widget is not what was chosen.
        if not self._split.disabled:
            self.split = event.new

    def _update(self, *events: param.parameterized.Event) -> None:
        selection = self._choose()
        if selection == self.selection:
            return
        self.selection = selection
        if self._document is not None:
            if not self._panels:
                # Empty axes hold the place, so that nothing moves when the mocks come.
                self._send()
            self._document.add_timeout_callback(partial(self._wait, selection), _BUSY_AFTER)
        self._start(self._collect, selection)

    def _start(self, work: Callable[..., None], selection: Selection, *args: Any) -> None:
        """Let work be done beside the server, if there is one."""
        if self._document is None:
            self._do(work, selection, *args)
        else:
            _WORKERS.submit(self._do, work, selection, *args)

    def _do(self, work: Callable[..., None], selection: Selection, *args: Any) -> None:
        if selection != self.selection:
            return
        try:
            work(selection, *args)
        except InputError as error:
            self._then(self._stop, selection, parts.problem(str(error)))
        except Exception:
            logger.exception("Cannot compare predictions with the truth")
            text = "That did not work; the server's log says why."
            self._then(self._stop, selection, parts.problem(text))

    def _collect(self, selection: Selection) -> None:
        rows = selection.rows(shared.held_out_table(selection.model, selection.split))
        if not len(rows):
            self._then(self._stop, selection, parts.empty_state(_why_empty(selection)))
        elif len(rows) > _MANY:
            self._then(self._draw, selection, rows)
        else:
            self._measure(selection, rows)

    def _measure(self, selection: Selection, rows: pd.DataFrame) -> None:
        self._then(self._draw, selection, rows, Scores.of(rows, selection.residual))

    def _then(self, show: Callable[..., None], selection: Selection, *results: Any) -> None:
        """Show results, unless something else was asked for meanwhile."""

        def run() -> None:
            if selection == self.selection:
                # Picture and numbers change in one message, so at the same moment.
                with pn.io.hold(self._document):
                    show(selection, *results)

        if self._document is None:
            run()
        else:
            self._document.add_next_tick_callback(run)

    def _wait(self, selection: Selection) -> None:
        if selection == self.selection and selection != self._answered:
            self._busy.visible, self._caption.visible = True, False

    def _draw(self, selection: Selection, rows: pd.DataFrame, scores: Scores | None = None) -> None:
        self.rows, self.scores = rows, scores
        self._answer(selection)
        self._send()
        if scores is None:
            self._start(self._measure, selection, rows)
            return
        self._numbers.visible = True
        self._table.object = parts.metric_table(
            score_table(scores), formats=FORMATS, colours=_DOTS, faint=_LESSER_ROWS
        ).object

    def _send(self, *events: param.parameterized.Event) -> None:
        """Bring the picture up to date."""
        medians = self.scores.medians if self.scores and self.medians else {}
        compared = Compared(self.rows, medians)
        residual = (self._answered or self.selection).residual
        if residual in self._panels:
            self._panels[residual].pipe.send(compared)
        else:
            self._panels[residual] = _Panels(compared, residual)
            self._grid.extend(self._panels[residual].cells)
        for key, panels in self._panels.items():
            for cell in panels.cells:
                cell.visible = key == residual
        if self.scores:
            text = caption_text(self._answered, self.scores, self.medians)
            self._caption.object = parts.caption(text).object

    def _stop(self, selection: Selection, message: pn.viewable.Viewable) -> None:
        """Say why there is nothing to see."""
        self.rows, self.scores = _NO_MOCKS, None
        self._answer(selection)
        self._trouble[:] = [message]
        self._trouble.visible, self._picture.visible, self._numbers.visible = True, False, False

    def _answer(self, selection: Selection) -> None:
        self._answered = selection
        self._busy.visible, self._caption.visible = False, True
        self._trouble.visible, self._picture.visible = False, True


def _choice(name: str, parameter: param.Parameter, *notes: pn.viewable.Viewable) -> pn.Column:
    buttons = pn.widgets.RadioButtonGroup.from_param(
        parameter, sizing_mode="stretch_width", margin=0
    )
    return parts.stack(parts.label(name), buttons, *notes, gap=4)


def _why_empty(selection: Selection) -> str:
    if not selection.magnitudes:
        return "No mocks are that bright. Move the magnitude in the sidebar, or choose All."
    return "There are no mocks of these libraries: the network was not trained on them."
