"""Predictions for a catalogue: all in a picture and a table, and one galaxy at a time."""

from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer import flags
from sspexplorer.analysis.catalogue import ALL, SELECTED, Answers
from sspexplorer.analysis.galaxy import Galaxy
from sspexplorer.analysis.regions import corners_of, inside, simple_outline
from sspexplorer.analysis.sky import SKY
from sspexplorer.app.apply.kept import KeptSelections, name_of, title_of
from sspexplorer.app.apply.legend import flag_legend
from sspexplorer.app.apply.medians import medians_height, medians_text, medians_view
from sspexplorer.app.apply.one_galaxy import BOTH_HEIGHT, PICTURE_HEIGHT, OneGalaxyView
from sspexplorer.app.apply.result_table import ResultTable
from sspexplorer.app.apply.words import picture_text, sky_text
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.plots.catalogue import (
    FLAG,
    MAX_POINTS,
    PART,
    population_picture,
)
from sspexplorer.plots.sky import AXES as SKY_AXES
from sspexplorer.plots.sky import sky_columns, sky_picture

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
    row, group, colour, across, up, mixed, search, columns, outline
        What to start with, as far as it exists in these answers; see the parameters.
    selections : KeptSelections, optional
        Of the answers before, for the same rows.

    Attributes
    ----------
    strip : RadioButtonGroup
        Which group of rows is in sight.
    selections : KeptSelections
        What is named, kept and compared.
    list : ResultTable
        A row for each galaxy in sight.
    tap, lasso, box : Stream
        Clicks on the map, and regions that are drawn on it.
    """

    row = param.Integer(default=0, bounds=(0, None), doc="Row in sight, counted from 0.")
    group = param.Selector(default=ALL, objects=[ALL], doc="Which rows are shown.")
    colour = param.Selector(default="ebv", objects=["ebv", FLAG], doc="What colours tell.")
    across = param.Selector(default="log_age", objects=["log_age"], doc="Along the lower axis.")
    up = param.Selector(default="metallicity", objects=["metallicity"], doc="Along the left axis.")
    search = param.String(default="", doc="What the words of a row must have.")
    rows = param.Array(default=np.arange(0), doc="Rows that are listed, counted from 0.")
    outline = param.Parameter(doc="Corners of what is drawn around those selected, or None.")
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
    ) -> None:
        super().__init__(mixed=mixed and answers.has_errors, search=search)
        self.answers, self.state = answers, state
        self.selections = KeptSelections(
            len(answers.table), self._show_group, self._compare, selections
        )
        self._by_hand: dict[str, np.ndarray] = {}
        self.param.group.objects = list(self._groups)
        self.group = group if group in self._groups else ALL
        sky = answers.sky
        self._table = answers.table if sky is None else answers.table.assign(**sky_columns(sky))
        maps = [] if sky is None else [SKY]
        for name, value, more in (("across", across, maps), ("up", up, [])):
            self.param[name].objects = [*answers.axes, *more]
            if value in self.param[name].objects:
                setattr(self, name, value)
        self.param.colour.objects = [*answers.axes, FLAG]
        self.colour = colour if colour in self.param.colour.objects else "ebv"
        self.row = min(row, len(answers.table) - 1)
        self._mark = hv.streams.Pipe(data=self._marked())
        self.tap = hv.streams.SingleTap(x=None, y=None)
        self.tap.add_subscriber(self._tapped)
        self.lasso, self.box = hv.streams.Lasso(), hv.streams.BoundsXY(bounds=None)
        self.lasso.add_subscriber(self._lassoed)
        self.box.add_subscriber(self._boxed)
        self._bright = hv.streams.Pipe(data=None)
        self.strip = pn.widgets.RadioButtonGroup(
            sizing_mode="stretch_width", stylesheets=[css("strip")], margin=0
        )
        self._legend = pn.Column(sizing_mode="stretch_width", margin=0)
        self._one = OneGalaxyView(answers, state, self._step)
        self._map = pn.Column(sizing_mode="stretch_width", margin=0, styles={"gap": "8px"})
        self._map_pane = pn.pane.HoloViews(None, linked_axes=False)
        self.list = ResultTable(answers, self._chosen, columns)
        self._drawn = np.arange(0)
        self.strip.param.watch(lambda event: self.param.update(group=event.new), "value")
        self._regroup()
        self.follow_libraries()
        self.param.watch(self._go, "row")
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
        return self._map_pane.object

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
            self._map,
            self._one.pictures,
            parts.stack(self._legend, parts.caption(_CAPTION), self._one.caption, gap=8),
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

    def _marked(self) -> pd.DataFrame:
        on_sky = [] if self.answers.sky is None else SKY_AXES
        return self._table.loc[[self.row], [*self.answers.axes, *on_sky]]

    @property
    def _axes(self) -> tuple[str, str]:
        """Columns along the axes of the picture."""
        return SKY_AXES if self.across == SKY else (self.across, self.up)

    def _go(self, *events: Any) -> None:
        self._one.show(self.row, mixed=self.mixed)
        self._mark.send(self._marked())
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
        if name_of(self.group):
            self._drawn = np.arange(len(wanted))
            self._redraw_map()
        if name_of(self.group) or self.group == SELECTED:
            # What was not selected stays in the picture, faint.
            self._bright.send(self.rows)
        else:
            self._drawn = self.rows
            self._bright.update(data=None)
            self._redraw_map()
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

    def _lassoed(self, geometry: np.ndarray | None) -> None:
        """Select what is inside the outline of a lasso."""
        if geometry is not None and len(geometry) > 2:
            self._soon(np.asarray(geometry, dtype=float))

    def _boxed(self, bounds: tuple[float, float, float, float] | None) -> None:
        """Select what is inside a box."""
        if bounds:
            self._soon(corners_of(bounds))

    def _soon(self, outline: np.ndarray) -> None:
        # What is drawn on a picture comes without the document's lock, which an answer needs.
        pn.state.execute(partial(self.select, outline), schedule=True)

    def select(self, outline: np.ndarray) -> None:
        """Select the galaxies of the picture that are inside an outline, if there are any.

        Parameters
        ----------
        outline : ndarray, shape (m, 2)
            Corners on the two axes.
        """
        outline = simple_outline(outline)
        table, rows = self._table, self._drawn[self.answers.predicted[self._drawn]]
        places = table[list(self._axes)].to_numpy(float)[rows]
        chosen = np.zeros(len(table), dtype=bool)
        chosen[rows[inside(places, outline)]] = True
        if not chosen.any():
            return
        self._by_hand = {SELECTED: chosen}
        self.param.group.objects = list(self._groups)
        if self.group == SELECTED:
            self._regroup()
        else:
            self.group = SELECTED
        if len(self._drawn) == len(table):
            self.outline = tuple(map(tuple, outline.tolist()))

    def _unselected(self, *events: Any) -> None:
        """What was drawn says no more what is listed."""
        self.outline = None

    def _redraw_map(self, *events: Any) -> None:
        if self.across == self.up:
            self._map[:] = [parts.empty_state("Choose two different things for the two axes.")]
            return
        rows = self._drawn[self.answers.predicted[self._drawn]]
        predicted = self._table.iloc[rows]
        table = predicted.dropna(subset=list(self._axes))
        table = table.assign(reason=self.answers.reasons[table.index])
        if table.empty:
            self._legend[:] = []
            self._map[:] = [parts.empty_state(self._why_nothing())]
            return
        compared = self.selections.compared
        self.comparing = compared is not None
        if compared is not None:
            index = compared.index[table.index]
            table = table.assign(part_index=index, part=pd.Series(index).map(compared.titles).array)
            # The rest lies below.
            table = table.sort_values("part_index", kind="stable")
        colour = self.colour if compared is None else PART
        streams = self._mark, self._bright, (self.tap, self.lasso, self.box)
        if self.across == SKY:
            self._map_pane.object = sky_picture(table, self.answers.sky, *streams, colour=colour)
        else:
            self._map_pane.object = population_picture(
                table, *streams, axes=self._axes, colour=colour
            )
        height = BOTH_HEIGHT if self.mixed else PICTURE_HEIGHT
        if compared is None:
            self._map[:] = [parts.picture_pane(self._map_pane, height=height)]
        else:
            left = f"max(260px, calc({height} - {medians_height(self.answers)}px))"
            self._map[:] = [
                parts.picture_pane(self._map_pane, height=left),
                medians_view(compared, self.answers),
            ]
        by_flag = self.colour == FLAG and compared is None and len(table) <= MAX_POINTS
        undrawn = len(predicted) - len(table)
        words = (
            sky_text(self.answers.sky, undrawn)
            if self.across == SKY
            else picture_text(table, self.across, self.up, undrawn)
        )
        self._legend[:] = [
            *([flag_legend(self.answers.legend)] if by_flag else []),
            *([parts.caption(medians_text(self.answers))] if compared is not None else []),
            *([parts.caption(words)] if words else []),
        ]

    def _why_nothing(self) -> str:
        """Why there is nothing to draw."""
        if self.search.strip() and not len(self._drawn):
            return f"No row has “{self.search.strip()}” in its names or its flag."
        return "None of these rows has a prediction to draw."

    def _tapped(self, x: float | None, y: float | None) -> None:
        """Go to the galaxy nearest to a click."""
        rows = self._drawn[self.answers.predicted[self._drawn]]
        if x is None or y is None or not len(rows):
            return
        places = [self._table[name].to_numpy()[rows] for name in self._axes]
        if self.across == SKY:
            widths = [1.0, 1.0]
        else:
            widths = [max(np.nanmax(values) - np.nanmin(values), 0.1) for values in places]
        parts_of = zip(places, (x, y), widths, strict=True)
        distance = sum(((values - at) / width) ** 2 for values, at, width in parts_of)
        if np.isfinite(distance).any():
            self.row = int(rows[np.nanargmin(distance)])

    def _step(self, by: int) -> None:
        """Go on to the galaxy that is listed next, or before."""
        row = self.list.beside(self.row, by)
        if row is not None:
            self.row = row

    def _chosen(self, row: int) -> None:
        self.row = row
        self.list.mark(row)
