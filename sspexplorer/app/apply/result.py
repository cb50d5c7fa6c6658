"""Predictions for a catalogue: all in a picture and a table, and one galaxy at a time."""

from collections.abc import Mapping
from html import escape
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn
import param

from sspexplorer import flags
from sspexplorer.analysis.catalogue import ALL, SELECTED, Answers
from sspexplorer.analysis.galaxy import Galaxy
from sspexplorer.analysis.regions import simple_outline
from sspexplorer.analysis.sky import SKY
from sspexplorer.app.apply.kept import KeptSelections, name_of, title_of
from sspexplorer.app.apply.one_galaxy import OneGalaxyView
from sspexplorer.app.apply.result_map import ResultMap
from sspexplorer.app.apply.result_table import ResultTable
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.plots.catalogue import FLAG
from sspexplorer.plots.view import Zoom

_CAPTION = (
    "Each galaxy where the model puts it; click on one, or on a row below, to see its SED; drag, "
    "or take the lasso of the toolbar, to select several."
)


class CatalogueResult(pn.viewable.Viewer):
    """Predictions of one model for one catalogue.

    Parameters
    ----------
    answers : Answers
    state : SharedState
        Its libraries are drawn through the chosen galaxy.
    row, group, colour, across, up, mixed, search, columns, outline, zoom
        What to start with, as far as it exists in these answers; see the parameters.
    selections : KeptSelections, optional
        Of the answers before, for the same rows.

    Attributes
    ----------
    strip : RadioButtonGroup
        Which group of rows is in sight.
    selections : KeptSelections
        What is named, kept and compared.
    map : ResultMap
        The galaxies on two axes.
    list : ResultTable
        A row for each galaxy in sight.
    """

    row = param.Integer(default=0, bounds=(0, None), doc="Row in sight, counted from 0.")
    group = param.Selector(default=ALL, objects=[ALL], doc="Which rows are shown.")
    colour = param.Selector(default="ebv", objects=["ebv", FLAG], doc="What colours tell.")
    across = param.Selector(default="log_age", objects=["log_age"], doc="Along the lower axis.")
    up = param.Selector(default="metallicity", objects=["metallicity"], doc="Along the left axis.")
    search = param.String(default="", doc="What the words of a row must have.")
    rows = param.Array(default=np.arange(0), doc="Rows that are listed, counted from 0.")
    outline = param.Parameter(doc="Corners of what is drawn around those selected, or None.")
    zoom = param.Parameter(doc="What is in view of the two axes; None for all.")
    comparing = param.Boolean(default=False, doc="Whether colours tell selections apart.")
    mixed = param.Boolean(default=True, doc="Whether the closest mixture is drawn, else SSPs.")

    def __init__(
        self,
        answers: Answers,
        state: SharedState,
        *,
        row: int = 0,
        group: str = ALL,
        colour: str = "ebv",
        across: str = "log_age",
        up: str = "metallicity",
        mixed: bool = True,
        search: str = "",
        columns: list[str] | None = None,
        selections: KeptSelections | None = None,
        outline: tuple | None = None,
        zoom: Zoom = None,
    ) -> None:
        super().__init__(mixed=mixed and answers.has_errors, search=search, zoom=zoom)
        self.answers, self.state = answers, state
        self.selections = KeptSelections(
            len(answers.table), self._show_group, self._compare, selections
        )
        self._by_hand: dict[str, np.ndarray] = {}
        self.param.group.objects = list(self._groups)
        self.group = group if group in self._groups else ALL
        maps = [] if answers.sky is None else [SKY]
        for name, value, more in (("across", across, maps), ("up", up, [])):
            self.param[name].objects = [*answers.axes, *more]
            if value in self.param[name].objects:
                setattr(self, name, value)
        self.param.colour.objects = [*answers.axes, FLAG]
        self.colour = colour if colour in self.param.colour.objects else "ebv"
        self.row = min(row, len(answers.table) - 1)
        self.map = ResultMap(answers, self._tapped, self.select, self._zoomed)
        self.map.mark(self.row)
        self.strip = pn.widgets.RadioButtonGroup(
            sizing_mode="stretch_width", stylesheets=[css("strip")], margin=0
        )
        self._one = OneGalaxyView(answers, state, self._step)
        self.list = ResultTable(answers, self._chosen, columns)
        self.strip.param.watch(lambda event: self.param.update(group=event.new), "value")
        self._regroup()
        self.follow_libraries()
        self.param.watch(self._go, "row")
        # Before those that draw anew.
        self.param.watch(self._seen_whole, ["group", "search", "across", "up"])
        self.param.watch(self._regroup, ["group", "search"])
        self.param.watch(self._redraw_map, ["colour", "across", "up", "mixed"])
        self.param.watch(lambda event: self.follow_libraries(), "mixed")
        self.param.watch(self._unselected, ["group", "across", "up"])
        if outline is not None:
            self.select(np.array(outline))

    @property
    def _groups(self) -> dict[str, np.ndarray]:
        """Rows, as a mask, of each group that can be listed."""
        return self.answers.groups | self._by_hand | self.selections.groups

    @property
    def galaxy(self) -> Galaxy:
        """The galaxy in sight."""
        return self._one.galaxy

    @property
    def picture(self) -> hv.DynamicMap:
        """Galaxies on the two axes."""
        return self.map.picture

    @property
    def controls(self) -> list[pn.widgets.Widget]:
        """Widgets that choose how it is shown; which rows are in :attr:`strip`."""
        titles = {label: name for name, label in self.answers.axes.items()}
        search = pn.widgets.TextInput.from_param(
            self.param.search, label="Search", placeholder="name or flag"
        )
        colour = pn.widgets.Select.from_param(
            self.param.colour, label="Colour", options=titles | {"Flag": FLAG}
        )
        maps = {} if self.answers.sky is None else {"Position on the sky": SKY}
        across, up = (
            pn.widgets.Select.from_param(choice, label=label, options=titles | more)
            for choice, label, more in (
                (self.param.across, "Across", maps),
                (self.param.up, "Up", {}),
            )
        )
        up.disabled = self.param.across.rx() == SKY
        colour.disabled = self.param.comparing.rx()
        for widget in (search, colour, across, up):
            widget.param.update(description=None, sizing_mode="stretch_width")
        return [search, colour, across, up]

    @property
    def more(self) -> list[pn.widgets.Widget]:
        """Widgets that are seldom needed."""
        if not self.answers.has_errors:
            return []
        titles = {"Closest mixture": True, "Nearest SSPs": False}
        return [controls.select("Through its points", self.param.mixed, options=titles)]

    def __panel__(self) -> pn.Row:
        """Lay out the two pictures; the table is :attr:`list`."""
        return pn.Row(
            self.map,
            self._one.pictures,
            parts.stack(self.map.legend, parts.caption(_CAPTION), self._one.caption, gap=8),
            self._one.words,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[css("grid-result")],
        )

    @property
    def meanings(self) -> list[parts.Part]:
        """What the numbers and each of the flags mean, folded."""
        folds = [parts.folded("What the numbers mean", parts.caption(self.answers.meaning))]
        if lines := flags.described(self.answers.flag_counts):
            items = "".join(f"<p>{escape(line)}</p>" for line in lines)
            folds.append(parts.folded("What the flags mean", parts.html(items, "taken-words")))
        return folds

    def follow_libraries(self) -> None:
        """Draw the SSPs of the libraries that are chosen now."""
        self._one.show(self.row, mixed=self.mixed)

    def _go(self, *events: Any) -> None:
        self._one.show(self.row, mixed=self.mixed)
        self.map.mark(self.row)
        self.list.mark(self.row)

    def _name_groups(self, groups: Mapping[str, np.ndarray]) -> dict[str, str]:
        """Offer the groups that there are, each with how many rows it has."""
        titles = {name: f"{title_of(name)} {int(rows.sum()):,}" for name, rows in groups.items()}
        self.param.group.objects = list(groups)
        options = {title: name for name, title in titles.items()}
        self.strip.param.update(options=options, value=self.group)
        return titles

    def _regroup(self, *events: Any) -> None:
        """Show the rows of the group in picture and table."""
        groups = self._groups
        titles = self._name_groups(groups)
        wanted = groups[self.group]
        if self.search.strip():
            wanted = wanted & self.answers.found(self.search)
        self.rows = np.flatnonzero(wanted)
        self.selections.follow(self.group, wanted, groups, titles)
        if name_of(self.group) or self.group == SELECTED:
            # What was not selected stays in the picture, faint.
            if name_of(self.group):
                self._draw(np.arange(len(wanted)))
            self.map.bright.send(self.rows)
        else:
            self.map.bright.update(data=None)
            self._draw(self.rows)
        self.list.show(self.rows, self.row)
        if len(self.rows) and self.row not in self.rows:
            self.row = int(self.rows[0])

    def _show_group(self, group: str) -> None:
        """List a group, after what is kept has changed."""
        if group != SELECTED:
            self._by_hand = {}
        self.param.group.objects = list(self._groups)
        if group == self.group:
            self._regroup()
        else:
            self.group = group

    def _compare(self) -> None:
        """Show what is compared, all of it."""
        if self.selections.compared is not None and self.group != ALL:
            self.group = ALL
        else:
            self._redraw_map()

    def select(self, outline: np.ndarray) -> None:
        """Select the galaxies of the picture that are inside an outline, if there are any.

        Parameters
        ----------
        outline : ndarray, shape (m, 2)
            Corners on the two axes.
        """
        outline = simple_outline(outline)
        chosen = self.map.within(outline)
        if not chosen.any():
            return
        self._show_selected(chosen)
        if len(self.map.drawn) == len(chosen):
            self.outline = tuple(map(tuple, outline.tolist()))

    def pick(self, rows: np.ndarray) -> None:
        """Select galaxies, wherever they are in the picture.

        Parameters
        ----------
        rows : ndarray of int
            Counted from 0.
        """
        chosen = np.zeros(len(self.answers.table), dtype=bool)
        chosen[rows] = True
        self.outline, self.search = None, ""
        if chosen[self.map.drawn].sum() < chosen.sum():
            self._draw(np.arange(len(chosen)))
        self._show_selected(chosen)

    def _show_selected(self, chosen: np.ndarray) -> None:
        """List rows that were selected by hand, given as a mask."""
        self._by_hand = {SELECTED: chosen}
        self.param.group.objects = list(self._groups)
        if self.group == SELECTED:
            self._regroup()
        else:
            self.group = SELECTED

    def _unselected(self, *events: Any) -> None:
        """What was drawn says no more what is listed."""
        self.outline = None

    def _seen_whole(self, *events: Any) -> None:
        """What was zoomed to says no more what is in view; a selection leaves it in view."""
        if self.group != SELECTED or any(event.name in ("across", "up") for event in events):
            self.zoom = None

    def _zoomed(self, zoom: Zoom) -> None:
        self.zoom = zoom

    def _draw(self, rows: np.ndarray) -> None:
        self.map.drawn = rows
        self._redraw_map()

    def _redraw_map(self, *events: Any) -> None:
        compared = self.selections.compared
        self.comparing = compared is not None
        self.map.draw(
            across=self.across,
            up=self.up,
            colour=self.colour,
            compared=compared,
            mixed=self.mixed,
            searched=self.search.strip(),
            zoom=self.zoom,
        )
        self.zoom = self.map.zoom

    def _tapped(self, row: int) -> None:
        self.row = row

    def _step(self, by: int) -> None:
        """Go on to the galaxy that is listed next, or before."""
        row = self.list.beside(self.row, by)
        if row is not None:
            self.row = row

    def _chosen(self, row: int) -> None:
        self.row = row
        self.list.mark(row)
