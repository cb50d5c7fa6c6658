"""Galaxies on the map of SEDs: their table, which of them are marked, and what is said of them."""

from html import escape

import numpy as np
import pandas as pd
import panel as pn
import param
from bokeh.models.widgets.tables import NumberFormatter

from sspexplorer.analysis.regions import inside
from sspexplorer.analysis.sed_map import MapGalaxies, nearest_text
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import css
from sspexplorer.labels import LIBRARY_LABELS
from sspexplorer.plots.embedding import MAX_PICKED, NO_OUTLINE, Marks
from sspexplorer.plots.sed import SED_COLOURS

_TITLES = {
    "name": "galaxy",
    "log_age": "log age [yr]",
    "log_age_err": "±",
    "metallicity": "[M/H] [dex]",
    "metallicity_err": "±",
    "ebv": "E(B−V) [mag]",
    "ebv_err": "±",
    "percent": "distance [%]",
    "of": "nearest library",
    "nearer_percent": "nearer mocks [%]",
    "compared": "mocks at i",
}
_FORMATS = {
    "log_age": "0.00",
    "log_age_err": "0.00",
    "metallicity": "0.00",
    "metallicity_err": "0.00",
    "ebv": "0.000",
    "ebv_err": "0.000",
    "percent": "0.0",
    "nearer_percent": "0.0",
    "compared": "0.0",
}
_HELP = (
    f"Choose up to {MAX_PICKED} to mark them on the map. Distance: how far the SED is from the "
    "nearest of the training. Nearer mocks: how many held-out mocks of the same S/N, so of the "
    "magnitude beside it, are nearer than that (of the sidebar’s magnitude where a galaxy has no "
    "errors)."
)
_ROWS_ON_A_PAGE = 8
_NARROWEST = 68  # pixels of a column
_REACH = 0.02  # of the map: how near to a galaxy a click must be


class GalaxyList(pn.viewable.Viewer):
    """Table of the galaxies on the map, or of those in a region.

    Attributes
    ----------
    placed : MapGalaxies or None
    table : DataFrame
        See :meth:`~sspexplorer.analysis.sed_map.MapGalaxies.judged`; empty without galaxies.
    words : Panel pane
        A sentence on each galaxy in colour.
    """

    picked = param.List(default=[], item_type=int, doc="Galaxies that are marked: rows from 0.")

    def __init__(self) -> None:
        super().__init__()
        self.placed: MapGalaxies | None = None
        self.table = pd.DataFrame()
        self.words, self._title = (parts.html("", "map-words") for _ in range(2))
        self._outline, self._listed = NO_OUTLINE, np.arange(0)
        self._grid = self._make_grid()
        self._area = parts.stack(self._title, self._grid, gap=8)
        self._area.visible = False
        self.param.watch(self._show_picked, "picked")

    def __panel__(self) -> pn.Column:
        """Heading over the table; nothing without galaxies."""
        return self._area

    def _make_grid(self) -> pn.widgets.Tabulator:
        formatters = {k: NumberFormatter(format=f, nan_format="–") for k, f in _FORMATS.items()}
        grid = pn.widgets.Tabulator(
            pd.DataFrame(columns=list(_TITLES)),
            titles=_TITLES,
            formatters=formatters,
            text_align=dict.fromkeys(_FORMATS, "right"),
            header_align=dict.fromkeys(_FORMATS, "right"),
            # Where they have no room the table is scrolled.
            configuration={"columnDefaults": {"minWidth": _NARROWEST}},
            layout="fit_columns",
            pagination="remote",
            page_size=_ROWS_ON_A_PAGE,
            selectable=MAX_PICKED,
            disabled=True,
            show_index=False,
            sizing_mode="stretch_width",
            stylesheets=[css("table-sorted")],
            margin=0,
        )
        grid.param.watch(self._grid_selected, "selection")
        return grid

    def show(self, placed: MapGalaxies | None, magnitude: float) -> None:
        """Take other galaxies, or another magnitude to compare those without errors with."""
        same = placed and self.placed and placed.name == self.placed.name
        self.placed = placed
        self.table = pd.DataFrame()
        if placed is not None:
            judged = placed.judged(magnitude)
            self.table = judged.assign(
                percent=100 * judged["distance"],
                nearer_percent=100 * judged["nearer"],
                of=judged["of"].map(LIBRARY_LABELS).fillna("–"),
            )
        if not same:
            self.picked = []
        self.restrict(self._outline)

    def restrict(self, outline: np.ndarray) -> None:
        """List the galaxies in a region, or all if it has no corners."""
        self._outline = outline
        self._area.visible = self.placed is not None
        self._listed = np.arange(0)
        if self.placed is None:
            self._speak()
            return
        on_map = np.flatnonzero(self.placed.placed)
        self._listed = on_map
        heading = f"{len(on_map):,} galaxies on the map"
        if len(outline):
            places = self.table[["x", "y"]].to_numpy()[on_map]
            self._listed = on_map[inside(places, outline)]
            heading = f"{len(self._listed):,} of {len(on_map):,} galaxies are in the region"
        self._title.object = f"<h2>{heading}</h2><span class='muted'>{escape(_HELP)}</span>"
        self._grid.param.update(
            value=self.table.iloc[self._listed][[name for name in _TITLES if name in self.table]],
            page=1,
            selection=self._selection(),
        )
        self._speak()

    def in_colour(self) -> list[int]:
        """Galaxies that are shown in colour: those marked, else the first of the region."""
        if self.picked or not len(self._outline):
            return self.picked
        return self._listed[:MAX_PICKED].tolist()

    def marks(self) -> Marks:
        """What lies over the mocks of the map."""
        if self.placed is None:
            return Marks(outline=self._outline)
        table = self.table.assign(distance=self.table["percent"])
        return Marks(table, tuple(self.in_colour()), self._outline)

    def tapped(self, x: float, y: float, size: np.ndarray) -> None:
        """Mark the galaxy under a click, or take its mark away.

        Parameters
        ----------
        x, y : float
            Place on the map.
        size : ndarray, shape (2,)
            Of the map.
        """
        if self.placed is None or not self.placed.placed.any():
            return
        away = np.hypot(*((self.table[["x", "y"]].to_numpy() - (x, y)) / size).T)
        nearest = int(np.nanargmin(away))
        if away[nearest] > _REACH:
            return
        others = [row for row in self.picked if row != nearest]
        marked = len(others) < len(self.picked)
        self.picked = others if marked else [*others, nearest][-MAX_PICKED:]

    def _selection(self) -> list[int]:
        """Places of the marked galaxies in the table."""
        return [int(k) for k in np.flatnonzero(np.isin(self._listed, self.picked))]

    def _grid_selected(self, event: param.parameterized.Event) -> None:
        if sorted(event.new) == self._selection():
            return
        chosen = [int(self._listed[k]) for k in event.new]
        kept = [row for row in self.picked if row in chosen or row not in self._listed]
        self.picked = (kept + [row for row in chosen if row not in kept])[-MAX_PICKED:]

    def _show_picked(self, *events: param.parameterized.Event) -> None:
        if self._selection() != sorted(self._grid.selection):
            self._grid.selection = self._selection()
        self._speak()

    def _speak(self) -> None:
        items = [self._sentence(k, row) for k, row in enumerate(self.in_colour())]
        self.words.object = f"<ul>{''.join(items)}</ul>" if items else ""

    def _sentence(self, k: int, row: int) -> str:
        line = self.table.iloc[row]
        about = line["verdict"]
        if line["nearest"] >= 0:
            about = (
                f"{line['percent']:.1f}\u00a0% from {nearest_text(int(line['nearest']))}; {about}."
            )
        dot = f'<i class="dot" style="background:{SED_COLOURS[k]}"></i>'
        name = escape(str(line["name"]))
        return f"<li>{dot}<b>{name}</b>: <span class='muted'>{escape(about)}</span></li>"
