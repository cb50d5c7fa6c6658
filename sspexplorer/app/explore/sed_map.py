"""Map of SEDs: which libraries and parameters make which colours, and whether galaxies do."""

from functools import partial
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.regions import corners_of
from sspexplorer.analysis.scores import chosen_magnitudes
from sspexplorer.analysis.sed_map import MapGalaxies, MapMocks, Region, RegionParameters
from sspexplorer.app import cache
from sspexplorer.app.choices import ANSWERED_BY, NETWORK, Zoom
from sspexplorer.app.explore.live_map import MAP_HEIGHT, LiveMap
from sspexplorer.app.explore.map_galaxies import GalaxyList
from sspexplorer.app.explore.map_words import (
    faithful_card,
    galaxies_note,
    library_numbers,
    map_caption,
    region_caption,
    region_numbers,
)
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.app.kit.work import Worker, sentence_of
from sspexplorer.app.state import SharedState
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.plots.embedding import LIBRARY, NO_OUTLINE, map_limits
from sspexplorer.plots.map_region import RegionSEDs, prediction_histogram, region_seds
from sspexplorer.plots.view import View
from sspexplorer.progress import Progress
from sspexplorer.shipped import DEFAULT_MODEL, compared_networks, network_names

COLOURS = {
    "Library": LIBRARY,
    "log age": "log_age",
    "[M/H]": "metallicity",
    "E(B−V)": "ebv",
    "i magnitude": "magnitude",
}
NONE, OWN = "none", "own"
GALAXIES = {
    "None": NONE,
    "Simulated galaxies": "simulated",
    "Three real galaxies": "real",
    "Your catalogue": OWN,
}

_NO_CATALOGUE = "No catalogue is open yet: open one on the page “Your catalogue”."
_HINT = (
    "Drag around a region of the map, or take the box from its toolbar. Click a galaxy to mark it."
)
_SED_HEIGHT, _HISTOGRAM_HEIGHT = "270px", "230px"
_CORNERS = 200  # of an outline that was drawn by hand


class SEDMap(Page):
    """UMAP of the SEDs of mocks, with galaxies on top and regions to look into.

    In a notebook it needs ``pn.extension("tabulator", "filedropper",
    respect_explicit_sizing=True)`` before it.

    Parameters
    ----------
    state : SharedState, optional
        Model, libraries, magnitude and catalogue; a fresh one unless given.

    Attributes
    ----------
    region : Region or None
        What is in the region, or in all of the map; None until it is known.
    listed : GalaxyList
        The galaxies on top, and which of them are marked.
    outline : ndarray, shape (m, 2)
        Corners of the region; empty without one.
    limits : tuple
        Range of each axis.
    """

    SIDEBAR = ("libraries", "magnitude")
    QUERY: ClassVar[dict[str, str]] = {
        "colour": "colour",
        "magnitudes": "magnitudes",
        "galaxies": "galaxies",
        "by": "by",
        "zoom": "zoom",
    }

    colour = param.Selector(default=LIBRARY, objects=COLOURS, doc="What colours tell.")
    magnitudes = param.Selector(
        default="all", objects=controls.MAGNITUDE_CHOICES, doc="Which mocks."
    )
    galaxies = param.Selector(default="simulated", objects=GALAXIES, doc="What lies on top.")
    by = param.Selector(default=DEFAULT_MODEL, objects=ANSWERED_BY, doc="Predicts the galaxies.")
    zoom = Zoom(default=None, doc="What is in view of the map.")

    ASKS, FOLLOWS = ("magnitudes",), ("libraries", "magnitude")
    BUSY = "Placing the mocks …"

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        if state is not None and state.catalogue is not None:
            params = {"galaxies": OWN} | params
        super().__init__(state, **params)
        self.param.watch(self._draw, "colour")
        self.param.watch(self._look, "zoom")
        self.param.watch(self._update_galaxies, ["galaxies", "by"])
        self.follow(self._show_galaxies_anew, "magnitude")
        self.follow(self._follow_model, "model")
        self.follow(self._follow_catalogue, "catalogue")
        # At once, in sight or not: what was closed is not held.
        self.state.param.watch(self._let_go, "catalogue")
        self._update_galaxies()

    def make(self) -> None:
        """Make the table of galaxies, and the places of maps and words."""
        self.region: Region | None = None
        self.listed = GalaxyList()
        self.listed.param.watch(self._show_marks, "picked")
        self.outline, self.limits = NO_OUTLINE, ((0.0, 1.0), (0.0, 1.0))
        self._mocks: MapMocks | None = None
        self._shown, self._rows = pd.DataFrame(), np.arange(0)
        self._maps: dict[str, LiveMap] = {}
        self._seds = hv.streams.Pipe(data=RegionSEDs())
        self._parameters = hv.streams.Pipe(data=RegionParameters())
        self._region_worker, self._galaxy_worker = (
            Worker(partial(self._say_busy, words), self.fail)
            for words in ("Looking into the region …", "Placing and predicting the galaxies …")
        )
        self._magnitude_note, self._galaxy_note = parts.note(""), parts.note("")
        self._caption, self._region_caption = parts.caption(""), parts.caption("")
        self._library_numbers, self._region_numbers = parts.note(""), parts.note("")
        self._clear = pn.widgets.Button(label="Clear region and marks", disabled=True)
        self._clear.on_click(lambda event: self.clear())
        waiting = parts.picture_pane(parts.caption("Placing the mocks on the map …"), MAP_HEIGHT)
        self._place = parts.stack(waiting)
        self._three = _grid([], "grid-histograms")

    def controls(self) -> list[parts.Part]:
        """What colours tell, which mocks, and which galaxies lie on top."""
        galaxies = controls.select("Galaxies", self.param.galaxies)
        return [
            controls.select("Colour by", self.param.colour),
            controls.buttons("Magnitudes", self.param.magnitudes, self._magnitude_note),
            parts.stack(galaxies, self._galaxy_note, gap=6),
            ModelChoice(self, self.param.by, label="Galaxies predicted by"),
            parts.stack(self._clear, parts.note(_HINT), self.busy, gap=6),
        ]

    def more(self) -> list[parts.Part]:
        """Whose predictions of mocks are shown."""
        return [ModelChoice(self, label="Mocks predicted by")]

    def picture(self) -> parts.Part:
        """The map beside what it is asked about."""
        side = parts.stack(
            _figure(region_seds(self._seds), _SED_HEIGHT),
            self.listed.words,
            self._library_numbers,
            gap=10,
        )
        return _grid([parts.stack(self._place, self._caption, gap=10), side], "grid-map")

    def below(self) -> list[parts.Part]:
        """What is in the region, the galaxies, and how faithful the map is."""
        return [
            self._three,
            self._region_caption,
            self._region_numbers,
            self.listed,
            faithful_card(),
        ]

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        cache.map_mocks()
        for name in compared_networks(network_names()[0]):
            cache.model(name)
        cache.map_galaxies("simulated", DEFAULT_MODEL)

    def show_busy(self, busy: bool) -> None:
        """Say so beside the controls."""
        self._say_busy(self.BUSY, busy)

    def _say_busy(self, words: str, busy: bool) -> None:
        self.busy.object = parts.note(words if busy else "").object
        # Whatever went wrong before: something else is being done now.
        self.untell()

    def fail(self, error: Exception) -> None:
        """Say over the map, which stays, what went wrong."""
        self.tell(parts.problem(sentence_of(error)))

    # Mocks.

    def question(self) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Libraries and magnitudes of the mocks."""
        chosen, sentence = chosen_magnitudes(self.magnitudes, self.state.magnitude, MAGNITUDES)
        self._magnitude_note.object = parts.note(sentence).object
        return tuple(self.state.libraries), chosen

    def answer(
        self, question: tuple[tuple[str, ...], tuple[float, ...]], progress: Progress
    ) -> tuple[MapMocks, np.ndarray]:
        """All mocks on the map, and which of them are meant."""
        libraries, chosen = question
        mocks = cache.map_mocks(libraries)
        return mocks, mocks.chosen(libraries, chosen)

    def show(self, question: object, answer: tuple[MapMocks, np.ndarray]) -> None:
        """Draw them, and look into the region."""
        self._mocks, self._rows = answer
        table = self._mocks.table
        self._shown = table if len(self._rows) == len(table) else table.iloc[self._rows]
        if not self._maps:
            self.limits = map_limits(table)
        self._draw()
        self._update_region()

    def _show_galaxies_anew(self) -> None:
        if self.listed.placed is not None:
            self._show_galaxies(self.listed.placed)

    def _follow_model(self) -> None:
        self._update_region()
        if self.by == NETWORK:
            self._update_galaxies()

    def _draw(self, *events: Any) -> None:
        """Bring the map in sight up to date, and hide the others."""
        if self._mocks is None:
            return
        current = self._maps.get(self.colour)
        if current is None:
            current = self._maps[self.colour] = self._new_map()
            self._place[:] = [made.area for made in self._maps.values()]
        else:
            if current.mocks.data is not self._shown:
                current.mocks.send(self._shown)
            current.marks.send(self.listed.marks())
        for made in self._maps.values():
            made.area.visible = made is current
        self._look()
        self._write_caption()

    def _new_map(self) -> LiveMap:
        return LiveMap(
            self._shown,
            self.listed.marks(),
            View(*self.limits, self.zoom, lambda zoom: self.param.update(zoom=zoom)),
            colour=self.colour,
            libraries=self.state.library_choices,
            on_lasso=self.lassoed,
            on_box=self.boxed,
            on_tap=self.tapped,
        )

    def _look(self, *events: Any) -> None:
        """Bring a part of the map in sight into view."""
        if self.colour in self._maps:
            view = self._maps[self.colour].view
            view.look(self.zoom)
            self.zoom = view.zoom

    def _write_caption(self) -> None:
        if self._mocks is not None:
            text = map_caption(len(self._rows), self.colour, self.listed.placed)
            self._caption.object = parts.caption(text).object

    # The region.

    def lassoed(self, geometry: np.ndarray | None) -> None:
        """Take the outline of a lasso."""
        if geometry is not None and len(geometry) > 2:
            step = -(-len(geometry) // _CORNERS)
            self.select(np.asarray(geometry, dtype=float)[::step])

    def boxed(self, bounds: tuple[float, float, float, float] | None) -> None:
        """Take the corners of a box."""
        if bounds:
            self.select(corners_of(bounds))

    def tapped(self, x: float | None, y: float | None) -> None:
        """Mark the galaxy under a click, or take its mark away."""
        if x is not None and y is not None:
            self.listed.tapped(x, y, np.ptp(self.limits, axis=1))

    def select(self, outline: np.ndarray) -> None:
        """Look into a region.

        Parameters
        ----------
        outline : ndarray, shape (m, 2)
            Corners on the map; none for all of it.
        """
        self.outline = outline
        self.listed.restrict(outline)
        self._show_marks()
        self._update_region()

    def clear(self) -> None:
        """Forget the region and all marks."""
        self.listed.picked = []
        self.select(NO_OUTLINE)

    def _update_region(self, *events: Any) -> None:
        if self._mocks is None:
            return
        mocks, rows, outline, name = self._mocks, self._rows, self.outline, self.state.model

        def look(progress: Progress) -> Region:
            models = {key: cache.model(key) for key in compared_networks(name)}
            return Region.of(mocks, rows, outline, models)

        question = (self.worker.question, outline.tobytes(), name)
        self._region_worker.ask(question, look, self._show_region)

    def _show_region(self, region: Region) -> None:
        self.region = region
        self._parameters.send(region.parameters)
        self._send_seds()
        self._library_numbers.object = library_numbers(region).object
        self._region_numbers.object = region_numbers(region).object
        self._region_caption.object = parts.caption(region_caption(region)).object
        if not self._three.objects:
            # Only now, so that the map, which is above them, does not wait for them.
            self._three[:] = [
                _figure(prediction_histogram(self._parameters, name), _HISTOGRAM_HEIGHT)
                for name in PARAMETERS
            ]

    def _send_seds(self) -> None:
        quantiles = RegionSEDs().quantiles if self.region is None else self.region.quantiles
        rows, placed = self.listed.in_colour(), self.listed.placed
        if placed is None or not rows:
            self._seds.send(RegionSEDs(quantiles))
            return
        names = tuple(map(str, self.listed.table["name"].iloc[rows]))
        self._seds.send(RegionSEDs(quantiles, placed.flux[rows], names))

    # Galaxies.

    def _let_go(self, event: Any) -> None:
        if self.galaxies == OWN:
            self._galaxy_worker.cancel()
            self.listed.show(None, self.state.magnitude)
            self._show_marks()

    def _follow_catalogue(self) -> None:
        if self.state.catalogue is not None and self.galaxies != OWN:
            self.galaxies = OWN
        elif self.galaxies == OWN:
            self._update_galaxies()

    def _update_galaxies(self, *events: Any) -> None:
        choice, catalogue = self.galaxies, self.state.catalogue
        name = self.state.model if self.by == NETWORK else self.by
        missing = choice == OWN and catalogue is None
        if choice == NONE or missing:
            self._galaxy_worker.cancel()
            self._galaxy_note.object = parts.note(_NO_CATALOGUE if missing else "").object
            self._show_galaxies(None)
            return

        question = (choice, name, id(catalogue) if choice == OWN else None)

        def place(progress: Progress) -> MapGalaxies:
            if choice != OWN:
                return cache.map_galaxies(choice, name)
            return MapGalaxies.place(catalogue, cache.model(name), progress=progress)

        self._galaxy_worker.ask(question, place, self._show_galaxies)

    def _show_galaxies(self, placed: MapGalaxies | None) -> None:
        if placed is not None:
            self._galaxy_note.object = parts.note(galaxies_note(placed)).object
        self.listed.show(placed, self.state.magnitude)
        self._show_marks()
        self._write_caption()

    def _show_marks(self, *events: Any) -> None:
        """Bring up to date what lies over the mocks."""
        if self.colour in self._maps:
            self._maps[self.colour].marks.send(self.listed.marks())
        self._clear.disabled = not (self.listed.picked or len(self.outline))
        self._send_seds()


def _figure(picture: hv.DynamicMap, height: str) -> pn.Column:
    return parts.picture_pane(parts.figure(picture), height=height)


def _grid(items: list[pn.viewable.Viewable], sheet: str) -> pn.Row:
    return pn.Row(*items, sizing_mode="stretch_width", stylesheets=[css(sheet)], margin=0)
