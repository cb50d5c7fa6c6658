"""Predictions against the catalogue's own columns: another code's ages, metallicities, dust."""

from dataclasses import dataclass
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_words import age_words
from sspexplorer.app.kit.theme import css
from sspexplorer.catalogue import Catalogue
from sspexplorer.catalogue.comparison import (
    CONVERSIONS,
    Reading,
    convert,
    guesses,
    other_columns,
)
from sspexplorer.labels import PARAMETER_LABELS, PARAMETER_NAMES, PARAMETER_UNITS, model_title
from sspexplorer.metrics import OUTLIER_LIMIT, Summary, summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.catalogue import MAX_POINTS
from sspexplorer.plots.catalogue_compare import Colouring, comparison_picture, comparison_table

_NONE = ""
_AS_IN_THE_PAPER = "As in the paper"
# Domínguez Sánchez et al. (2026), Fig. 11.
_PAPER_COLOURS = {"log_age": "metallicity", "metallicity": "log_age", "ebv": "log_age"}


@dataclass(frozen=True, eq=False)
class OwnNumbers:
    """Numeric columns of a catalogue besides its bands, and what they seem to hold.

    Attributes
    ----------
    columns : dict
        See :func:`~sspexplorer.catalogue.comparison.other_columns`.
    readings : dict
        See :func:`~sspexplorer.catalogue.comparison.guesses`.
    """

    columns: dict[str, np.ndarray]
    readings: dict[str, list[Reading]]

    @classmethod
    def of(cls, catalogue: Catalogue) -> "OwnNumbers":
        """Read them; takes a second for a million rows."""
        columns = other_columns(catalogue)
        return cls(columns, guesses(catalogue, columns))


class _Panel(pn.viewable.Viewer):
    """One parameter: which column, read as what, and the picture of it."""

    column = param.Selector(default=_NONE, objects=[_NONE])
    conversion = param.Selector(default=_NONE, objects=[_NONE])

    def __init__(
        self, parameter: str, owner: "CatalogueComparison", like: "_Panel | None" = None
    ) -> None:
        super().__init__()
        self.parameter, self.owner = parameter, owner
        numbers = owner.numbers
        readings = numbers.readings[parameter]
        conversions = list(CONVERSIONS[parameter])
        self.param.column.objects = [_NONE, *numbers.columns]
        self.param.conversion.objects = conversions
        if like and like.column in self.param.column.objects:
            self.column, self.conversion = like.column, like.conversion
        elif readings:
            self.column, self.conversion = readings[0].column, readings[0].conversion
        else:
            self.conversion = conversions[0]
        self.score: Summary | None = None
        self._theirs = np.full(len(owner.answers.table), np.nan)
        self._tap = hv.streams.SingleTap()
        self._tap.param.watch(self._tapped, ["x", "y"])
        self._chosen = hv.streams.Pipe(data=pd.DataFrame({"theirs": [np.nan], "ours": [np.nan]}))
        self._pane = pn.pane.HoloViews(linked_axes=False, sizing_mode="stretch_both", margin=0)
        self._picture = pn.Column(sizing_mode="stretch_width", margin=0)
        self._words = parts.caption("")
        self.param.watch(self._column_changed, "column")
        self.param.watch(self.draw, "conversion")
        self.draw()

    def __panel__(self) -> pn.Column:
        """Choices over the picture, figures below."""
        titles = {"no column": _NONE} | {name: name for name in self.owner.numbers.columns}
        column = pn.widgets.Select.from_param(
            self.param.column,
            label=f"{PARAMETER_NAMES[self.parameter]} against",
            options=titles,
            sizing_mode="stretch_width",
            margin=0,
        )
        conversion = pn.widgets.Select.from_param(
            self.param.conversion, label="read as", sizing_mode="stretch_width", margin=0
        )
        choices = pn.Row(
            column, conversion, sizing_mode="stretch_width", margin=0, styles={"gap": "8px"}
        )
        return parts.stack(choices, self._picture, self._words, gap=8)

    def draw(self, *events: Any) -> None:
        """Bring picture and figures up to date."""
        if not self.column:
            self.score = None
            name = PARAMETER_NAMES[self.parameter]
            self._say(f"Choose a column to compare the predicted {name} with.")
            self._words.object = parts.caption("").object
            return
        values = self.owner.numbers.columns[self.column]
        self._theirs = convert(values, self.parameter, self.conversion)
        ours = self.owner.answers.table[self.parameter].to_numpy(float)
        colouring = self.owner.colouring(self.parameter)
        table = comparison_table(self._theirs, ours, colouring, self.owner.answers.table["name"])
        self.score = summary(ours, self._theirs)
        self._words.object = parts.caption(self._sentence(len(values), table)).object
        if table.empty:
            self._say("No galaxy has both a prediction and a value.")
            return
        self._pane.object = comparison_picture(
            table, self.parameter, self.column, colouring.label, self._tap, self._chosen
        )
        self._picture.styles = {"aspect-ratio": "0.86"}
        self._picture[:] = [self._pane]
        self.mark(self.owner.row)

    def _say(self, words: str) -> None:
        """Have a sentence in place of the picture."""
        self._picture.styles = {}
        self._picture[:] = [parts.empty_state(words)]

    def mark(self, row: int) -> None:
        """Mark the galaxy that is in sight elsewhere on the page."""
        ours = self.owner.answers.table[self.parameter].to_numpy(float)
        self._chosen.send(pd.DataFrame({"theirs": [self._theirs[row]], "ours": [ours[row]]}))

    def _column_changed(self, event: Any) -> None:
        known = {r.column: r for r in self.owner.numbers.readings[self.parameter]}
        reading = known.get(self.column)
        if reading and reading.conversion != self.conversion:
            self.conversion = reading.conversion
        else:
            self.draw()

    def _sentence(self, n: int, table: pd.DataFrame) -> str:
        """Figures of merit, how many galaxies they are of, and how the column was read."""
        score, unit, used = self.score, PARAMETER_UNITS[self.parameter], len(table)
        known = {r.column: r for r in self.owner.numbers.readings[self.parameter]}
        reading = known.get(self.column)
        why = ""
        if reading and reading.conversion == self.conversion:
            why = f" Read as {self.conversion}: {reading.reason}."
        if not used:
            return f"None of {n:,} galaxies.{why}"
        left = f" {n - used:,} without both are left out." if used < n else ""
        grey = int(table["colour"].isna().sum())
        if grey:
            left += f" {grey:,} have no colour: {'not drawn' if used > MAX_POINTS else 'grey'}."
        figures = (
            f"{used:,} galaxies: predicted − column has median {score['bias']:+.2f} {unit} and "
            f"σ\u00a0NMAD {score['sigma_nmad']:.2f} {unit}; {score['outlier_fraction']:.0%} differ "
            f"by more than {OUTLIER_LIMIT}; Pearson {score['pearson']:.2f}."
        )
        return f"{figures}{left}{why}".replace("-", "−")

    def _tapped(self, *events: Any) -> None:
        x, y = self._tap.x, self._tap.y
        ours = self.owner.answers.table[self.parameter].to_numpy(float)
        distance = (self._theirs - (x or 0)) ** 2 + (ours - (y or 0)) ** 2
        if x is not None and np.isfinite(distance).any():
            self.owner.row = int(np.nanargmin(distance))


class CatalogueComparison(pn.viewable.Viewer):
    """Predictions against other numbers in the same catalogue, one panel for each parameter.

    Parameters
    ----------
    answers : Answers
    numbers : OwnNumbers
    like : CatalogueComparison, optional
        Whose choices to begin with, as far as they exist here.
    """

    row = param.Integer(default=0, bounds=(0, None), doc="Galaxy to mark, counted from 0.")
    colour_by = param.Selector(default=_AS_IN_THE_PAPER, objects=[_AS_IN_THE_PAPER])

    def __init__(
        self,
        answers: Answers,
        numbers: OwnNumbers,
        *,
        like: "CatalogueComparison | None" = None,
        **params: Any,
    ) -> None:
        self.answers, self.numbers = answers, numbers
        super().__init__(**params)
        choices = (_AS_IN_THE_PAPER, *PARAMETERS, *numbers.columns)
        self.param.colour_by.objects = list(dict.fromkeys(choices))
        if like and like.colour_by in self.param.colour_by.objects:
            self.colour_by = like.colour_by
        last = {panel.parameter: panel for panel in like.panels} if like else {}
        names = PARAMETERS if numbers.columns else ()
        self.panels = [_Panel(name, self, last.get(name)) for name in names]
        self.param.watch(self._mark, "row")
        self.param.watch(lambda event: [panel.draw() for panel in self.panels], "colour_by")

    def __panel__(self) -> pn.Column:
        """The panels side by side, or a sentence where there is nothing to compare with."""
        if not self.panels:
            return parts.stack(
                parts.note(
                    "The catalogue has no other numeric columns to compare the predictions with; "
                    "add another code's ages, say, as a column."
                )
            )
        predicted = {f"predicted {PARAMETER_LABELS[name]}": name for name in PARAMETERS}
        own = {name: name for name in self.numbers.columns if name not in PARAMETERS}
        colour = pn.widgets.Select.from_param(
            self.param.colour_by,
            label="Colour",
            options={_AS_IN_THE_PAPER: _AS_IN_THE_PAPER, **predicted, **own},
            width=232,
            margin=0,
        )
        grid = pn.Column(
            *self.panels,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[css("grid-own-columns")],
        )
        caption = parts.caption(
            f"{self._drawn()} as predicted, against what the catalogue says; on the line both say "
            "the same. Mind what a column is: an age weighted by mass is usually older than one "
            f"weighted by light; that of “{model_title(self.answers.model)}” is "
            f"{age_words(cache.model_card(self.answers.model))}."
        )
        return parts.stack(colour, grid, caption)

    def _drawn(self) -> str:
        many = len(self.answers.table) > MAX_POINTS
        return "Cells of galaxies, each with their mean colour," if many else "Each galaxy"

    def colouring(self, parameter: str) -> Colouring:
        """What the points of a parameter are coloured by."""
        by = _PAPER_COLOURS[parameter] if self.colour_by == _AS_IN_THE_PAPER else self.colour_by
        if by in PARAMETERS:
            values = self.answers.table[by].to_numpy(float)
            return Colouring(f"predicted {PARAMETER_LABELS[by]}", values)
        return Colouring(by, self.numbers.columns[by])

    def _mark(self, event: Any) -> None:
        for panel in self.panels:
            if panel.column:
                panel.mark(self.row)
