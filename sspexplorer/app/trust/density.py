"""Predicted against true: where the networks read the parameters back, and where they fail."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import SPLITS, density_table
from sspexplorer.analysis.scores import (
    Panel,
    Scores,
    Selection,
    chosen_magnitudes,
    panel_magnitudes,
)
from sspexplorer.app import cache
from sspexplorer.app.choices import Zoom
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.app.kit.work import Worker
from sspexplorer.app.trust.density_words import (
    FORMATS,
    PUBLISHED_NOTE,
    caption_text,
    corner_text,
    score_table,
)
from sspexplorer.app.trust.split import SplitChoice
from sspexplorer.errors import InputError
from sspexplorer.labels import PARAMETER_NAMES, with_unit
from sspexplorer.metrics import Summary
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.plots import view
from sspexplorer.plots.density import Compared, density_picture, limits_of
from sspexplorer.plots.style import PARAMETER_COLOURS, library_dots
from sspexplorer.progress import Progress
from sspexplorer.shipped import compared_networks, network_names

LAYOUTS = {"Parameters": "parameters", "Magnitudes": "magnitudes"}
QUANTITIES = {"Predicted": "predicted", "Residual": "residual"}

# More mocks than this are drawn first and measured then.
_MANY = 200_000
_DOTS = {with_unit(name): colour for name, colour in PARAMETER_COLOURS.items()}

_WORDS_AS_PANEL = {"align-self": "center", "grid-column": "auto", "padding-left": "16px"}

_NO_MOCKS = density_table(
    pd.DataFrame(columns=["magnitude", "library", "ssp", *PARAMETERS]), np.empty((0, 3))
)


class _Panels:
    """The pictures of one layout, alive."""

    def __init__(
        self,
        selection: Selection,
        compared: Sequence[Compared],
        on_zoom: Callable[[view.Zoom], None],
    ) -> None:
        self.pipes = [hv.streams.Pipe(data=data) for data in compared]
        residual, names = selection.residual, [panel.parameter for panel in selection.panels]
        # Panels of one parameter are seen alike.
        own = names[:1] if selection.by_magnitude else names
        self._views = [
            view.View(*limits_of(name, residual=residual), on_zoom=lambda zoom: on_zoom(self.zoom))
            for name in own
        ]
        views = self._views * (len(names) // len(own))
        self.cells = [
            parts.panel(density_picture(pipe, name, residual=residual, view=seen), shape="0.88")
            for pipe, name, seen in zip(self.pipes, names, views, strict=True)
        ]

    @property
    def zoom(self) -> view.Zoom:
        return view.joined(seen.zoom for seen in self._views)

    def look(self, zoom: view.Zoom) -> None:
        for seen, part in zip(self._views, view.parted(zoom, len(self._views)), strict=True):
            seen.look(part)

    def send(self, compared: Sequence[Compared]) -> None:
        for pipe, data in zip(self.pipes, compared, strict=True):
            pipe.send(data)


class PredictedVsTrue(Page):
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

    SIDEBAR = ("libraries", "magnitude")
    QUERY: ClassVar[dict[str, str]] = {
        "layout": "layout",
        "parameter": "parameter",
        "magnitudes": "magnitudes",
        "split": "split",
        "quantity": "axis",
        "zoom": "zoom",
    }
    ASKS = ("layout", "parameter", "magnitudes", "split", "quantity")
    FOLLOWS = ("model", "libraries", "magnitude")
    BUSY = "Predicting the parameters of the held-out mocks …"

    layout = param.Selector(default="parameters", objects=LAYOUTS)
    parameter = param.Selector(default="log_age", objects=list(PARAMETERS))
    magnitudes = param.Selector(default="all", objects=controls.MAGNITUDE_CHOICES)
    split = param.Selector(default="ssp", objects=SPLITS)
    quantity = param.Selector(default="predicted", objects=QUANTITIES)
    medians = param.Boolean(default=True)
    zoom = Zoom(default=None, doc="What is in view of the panels.")

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        for name in compared_networks(network_names()[0]):
            cache.held_out_table(name, "ssp")

    def make(self) -> None:
        """Make the places of pictures, words and numbers."""
        self.selection: Selection | None = None
        self.rows: list[pd.DataFrame] = []
        self.scores: list[Scores] = []
        self.others: dict[str, list[Summary] | None] = {}
        self._panels: dict[tuple, _Panels] = {}
        self._measuring = Worker(on_trouble=self.fail)
        self._comparing = Worker(on_trouble=self.fail)
        self._magnitude_note, self._caption = parts.note(""), parts.caption("")
        self.tested_on = SplitChoice(self)
        self._busy = controls.spinner(self.BUSY)
        # As high as the longest caption, so that the tables stay where they are.
        self._words = pn.Column(
            self._busy,
            self._caption,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[css("grid-words")],
        )
        self._grid = parts.grid(self._words, narrow=2)
        self._table = parts.note("")
        self._numbers = parts.stack(self._table, parts.note(PUBLISHED_NOTE), gap=6)
        self._numbers.visible = False
        names = {PARAMETER_NAMES[name]: name for name in PARAMETERS}
        self._which_magnitudes = controls.buttons(
            "Magnitudes", self.param.magnitudes, self._magnitude_note
        )
        self._which_parameter = controls.buttons("Parameter", self.param.parameter, options=names)
        self.param.watch(self._look, ["layout", "parameter", "quantity", "zoom"])
        self.param.watch(self._send, "medians")

    def controls(self) -> list[parts.Part]:
        """Which panels, which mocks, and what of them."""
        return [
            ModelChoice(self, tested=True),
            controls.buttons("A panel for each of the", self.param.layout),
            self._which_magnitudes,
            self._which_parameter,
            self.tested_on,
            controls.buttons("Vertical axis", self.param.quantity),
        ]

    def more(self) -> list[parts.Part]:
        """What is drawn over the mocks."""
        return [controls.tick("Medians and quartiles", self.param.medians)]

    def picture(self) -> parts.Part:
        """Panels side by side, and the words where the next would be."""
        return self._grid

    def below(self) -> list[parts.Part]:
        """Metrics."""
        return [self._numbers]

    # What is asked for.

    def question(self) -> Selection:
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
        return Selection(
            model=self.state.model,
            split=self.tested_on.of(self.state.model),
            libraries=tuple(self.state.libraries),
            panels=panels,
            residual=self.quantity == "residual",
        )

    def answer(
        self, question: Selection, progress: Progress
    ) -> tuple[list[pd.DataFrame], list[Scores] | None]:
        """Mocks of each panel, and their metrics unless they are very many."""
        rows = question.rows(cache.held_out_table(question.model, question.split))
        if not len(rows[0]):
            raise InputError(_why_empty(question))
        return rows, None if len(rows[0]) > _MANY else question.measure(rows)

    # What is shown.

    def show(
        self, question: Selection, answer: tuple[list[pd.DataFrame], list[Scores] | None]
    ) -> None:
        """Draw the mocks; have them measured if they are not yet, and others beside them."""
        rows, scores = answer
        self.selection, self.rows, self.scores = question, rows, scores or []
        names = compared_networks(question.model)
        self.others = dict.fromkeys(name for name in names if name != question.model)
        self._send()
        self.zoom = self._in_sight.zoom
        if scores is None:
            self._measuring.ask(
                question,
                lambda progress: question.measure(rows),
                partial(self._take_scores, question),
            )
        else:
            self._take_scores(question, scores)

    def _take_scores(self, selection: Selection, scores: list[Scores]) -> None:
        if selection != self.selection:
            return
        if not self.scores:
            self.scores = scores
            self._send()
        self._numbers.visible = True
        self._fill_table()
        self._comparing.cancel()
        self._comparing.ask(
            selection,
            partial(_compare, selection, tuple(self.others)),
            partial(self._take_others, selection),
        )

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

    @property
    def _in_sight(self) -> _Panels | None:
        return self._panels.get(self._key)

    @property
    def _key(self) -> tuple:
        """What tells panels apart that have other axes, or are more or fewer."""
        chosen = self.selection
        if chosen is None:
            return ()
        return chosen.by_magnitude, chosen.panels[0].parameter, chosen.residual, len(chosen.panels)

    def _look(self, *events: param.parameterized.Event) -> None:
        """Bring a part of the panels into view; other axes are seen whole."""
        if all(event.name != "zoom" for event in events):
            self.zoom = None
        elif self._in_sight is not None:
            self._in_sight.look(self.zoom)

    def _send(self, *events: param.parameterized.Event) -> None:
        """Bring the picture up to date."""
        selection, compared = self.selection, self._compared()
        panels = self._in_sight
        if panels is not None:
            panels.send(compared)
            panels.look(self.zoom)
        else:
            panels = _Panels(selection, compared, lambda zoom: self.param.update(zoom=zoom))
            # Before they are in the document: a browser gets each of them once.
            panels.look(self.zoom)
            self._panels[self._key] = panels
            self._grid.extend(panels.cells)
        for other in self._panels.values():
            for cell in other.cells:
                cell.visible = other is panels
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

    def show_busy(self, busy: bool) -> None:
        """Say so in place of the caption."""
        if busy and not self._panels:
            # Empty axes hold the place, so that nothing moves when the mocks come.
            self.selection = self.worker.question
            self.rows = [_NO_MOCKS] * len(self.selection.panels)
            self._send()
        self._busy.visible, self._caption.visible = busy, not busy

    def tell_instead(self, message: pn.viewable.Viewable) -> None:
        """Show a message in place of the panels, of which nothing is kept."""
        self.rows, self.scores = [_NO_MOCKS] * len(self.rows), []
        super().tell_instead(message)


def _compare(
    selection: Selection, names: Sequence[str], progress: Progress
) -> dict[str, list[Summary]]:
    return {
        name: selection.summaries(cache.held_out_table(name, selection.split)) for name in names
    }


def _why_empty(selection: Selection) -> str:
    if not selection.panels[0].magnitudes:
        return "No mocks are that bright. Move the magnitude in the sidebar, or choose All."
    return "There are no mocks of these libraries: the network was not trained on them."
