"""The picture of a result: its galaxies on two axes or on the sky, and what is done on them."""

from collections.abc import Callable
from functools import partial
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.regions import corners_of, inside
from sspexplorer.analysis.selections import Compared
from sspexplorer.analysis.sky import SKY
from sspexplorer.app.apply.legend import flag_legend
from sspexplorer.app.apply.medians import medians_height, medians_text, medians_view
from sspexplorer.app.apply.one_galaxy import BOTH_HEIGHT, PICTURE_HEIGHT
from sspexplorer.app.apply.words import picture_text, sky_text
from sspexplorer.app.kit import parts
from sspexplorer.plots.catalogue import (
    FLAG,
    MAX_POINTS,
    PART,
    population_limits,
    population_picture,
)
from sspexplorer.plots.sky import AXES as SKY_AXES
from sspexplorer.plots.sky import sky_columns, sky_limits, sky_picture
from sspexplorer.plots.view import View, Zoom


class ResultMap(pn.viewable.Viewer):
    """Galaxies of a result on two axes, or on the sky.

    Parameters
    ----------
    answers : Answers
    on_row : callable
        Is told which row was clicked on, counted from 0.
    on_outline : callable
        Is told what is drawn around galaxies: corners on the two axes, an array of (m, 2).
    on_zoom : callable
        Is told what a visitor has brought into view.

    Attributes
    ----------
    legend : Column
        Words on the picture.
    tap, lasso, box : Stream
        Clicks on the picture, and regions that are drawn on it.
    bright : Pipe
        Rows that are selected, all others being faint; None if nothing is.
    drawn : ndarray of int
        Rows of the picture, those without a prediction among them.
    """

    def __init__(
        self,
        answers: Answers,
        on_row: Callable[[int], Any],
        on_outline: Callable[[np.ndarray], Any],
        on_zoom: Callable[[Zoom], Any],
    ) -> None:
        super().__init__()
        self._answers, self._on_zoom = answers, on_zoom
        self._on_row, self._on_outline = on_row, on_outline
        sky = answers.sky
        self._table = answers.table if sky is None else answers.table.assign(**sky_columns(sky))
        self._axes = ("log_age", "metallicity")
        self._view: View | None = None
        self._mark = hv.streams.Pipe(data=self._marked(0))
        self.bright = hv.streams.Pipe(data=None)
        self.tap = hv.streams.SingleTap(x=None, y=None)
        self.tap.add_subscriber(self._tapped)
        self.lasso, self.box = hv.streams.Lasso(), hv.streams.BoundsXY(bounds=None)
        self.lasso.add_subscriber(self._lassoed)
        self.box.add_subscriber(self._boxed)
        self.drawn = np.arange(0)
        self.legend = pn.Column(sizing_mode="stretch_width", margin=0)
        self._place = pn.Column(sizing_mode="stretch_width", margin=0, styles={"gap": "8px"})
        self._pane = pn.pane.HoloViews(None, linked_axes=False)

    def __panel__(self) -> pn.Column:
        """Place of the picture; words on it are :attr:`legend`."""
        return self._place

    @property
    def picture(self) -> hv.DynamicMap:
        """Galaxies on the two axes."""
        return self._pane.object

    @property
    def zoom(self) -> Zoom:
        """What is in view."""
        return None if self._view is None else self._view.zoom

    def mark(self, row: int) -> None:
        """Mark the galaxy in sight."""
        self._mark.send(self._marked(row))

    def within(self, outline: np.ndarray) -> np.ndarray:
        """Tell which rows are galaxies of the picture inside an outline.

        Parameters
        ----------
        outline : ndarray, shape (m, 2)
            Corners on the two axes.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        rows = self._predicted
        places = self._table[list(self._axes)].to_numpy(float)[rows]
        chosen = np.zeros(len(self._table), dtype=bool)
        chosen[rows[inside(places, outline)]] = True
        return chosen

    def draw(
        self,
        *,
        across: str,
        up: str,
        colour: str,
        compared: Compared | None,
        mixed: bool,
        searched: str,
        zoom: Zoom,
    ) -> None:
        """Draw the galaxies of :attr:`drawn` anew.

        Parameters
        ----------
        across, up, colour, mixed
            As of a result.
        compared : Compared, optional
            Selections that colours tell apart, in place of ``colour``.
        searched : str
            What the words of these rows have.
        zoom : tuple, optional
            What to bring into view of the two axes.
        """
        self._axes, self._view = SKY_AXES if across == SKY else (across, up), None
        if across == up:
            self._place[:] = [parts.empty_state("Choose two different things for the two axes.")]
            return
        predicted = self._table.iloc[self._predicted]
        table = predicted.dropna(subset=list(self._axes))
        table = table.assign(reason=self._answers.reasons[table.index])
        if table.empty:
            self.legend[:] = []
            self._place[:] = [parts.empty_state(_why_nothing(searched, len(self.drawn)))]
            return
        if compared is not None:
            index = compared.index[table.index]
            table = table.assign(part_index=index, part=pd.Series(index).map(compared.titles).array)
            # The rest lies below.
            table = table.sort_values("part_index", kind="stable")
            colour = PART
        self._pane.object = self._picture(table, colour, zoom)
        height = BOTH_HEIGHT if mixed else PICTURE_HEIGHT
        beside = []
        if compared is not None:
            height = f"max(260px, calc({height} - {medians_height(self._answers)}px))"
            beside = [medians_view(compared, self._answers)]
        self._place[:] = [parts.picture_pane(self._pane, height=height), *beside]
        undrawn = len(predicted) - len(table)
        words = (
            sky_text(self._answers.sky, undrawn)
            if across == SKY
            else picture_text(table, across, up, undrawn)
        )
        by_flag = colour == FLAG and len(table) <= MAX_POINTS
        self.legend[:] = [
            *([flag_legend(self._answers.legend)] if by_flag else []),
            *([parts.caption(medians_text(self._answers))] if compared is not None else []),
            *([parts.caption(words)] if words else []),
        ]

    @property
    def _predicted(self) -> np.ndarray:
        """Rows of the picture that have a prediction."""
        return self.drawn[self._answers.predicted[self.drawn]]

    def _marked(self, row: int) -> pd.DataFrame:
        on_sky = [] if self._answers.sky is None else SKY_AXES
        return self._table.loc[[row], [*self._answers.axes, *on_sky]]

    def _picture(self, table: pd.DataFrame, colour: str, zoom: Zoom) -> hv.DynamicMap:
        sky, axes = self._answers.sky, self._axes
        on_sky = axes == SKY_AXES
        limits = sky_limits(sky) if on_sky else population_limits(table, axes)
        self._view = View(*limits, zoom, self._on_zoom)
        streams = self._mark, self.bright, (self.tap, self.lasso, self.box)
        if on_sky:
            return sky_picture(table, sky, *streams, colour=colour, view=self._view)
        return population_picture(table, *streams, axes=axes, colour=colour, view=self._view)

    def _lassoed(self, geometry: np.ndarray | None) -> None:
        """Tell what is inside the outline of a lasso."""
        if geometry is not None and len(geometry) > 2:
            self._soon(np.asarray(geometry, dtype=float))

    def _boxed(self, bounds: tuple[float, float, float, float] | None) -> None:
        """Tell what is inside a box."""
        if bounds:
            self._soon(corners_of(bounds))

    def _soon(self, outline: np.ndarray) -> None:
        # What is drawn on a picture comes without the document's lock, which an answer needs.
        pn.state.execute(partial(self._on_outline, outline), schedule=True)

    def _tapped(self, x: float | None, y: float | None) -> None:
        """Tell which galaxy is nearest to a click."""
        rows = self._predicted
        if x is None or y is None or not len(rows):
            return
        places = [self._table[name].to_numpy()[rows] for name in self._axes]
        if self._axes == SKY_AXES:
            widths = [1.0, 1.0]
        else:
            widths = [max(np.nanmax(values) - np.nanmin(values), 0.1) for values in places]
        parts_of = zip(places, (x, y), widths, strict=True)
        distance = sum(((values - at) / width) ** 2 for values, at, width in parts_of)
        if np.isfinite(distance).any():
            self._on_row(int(rows[np.nanargmin(distance)]))


def _why_nothing(searched: str, number: int) -> str:
    """Why there is nothing to draw."""
    if searched and not number:
        return f"No row has “{searched}” in its names or its flag."
    return "None of these rows has a prediction to draw."
