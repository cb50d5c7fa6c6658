"""Zero points: what all galaxies of the open catalogue are off by in each band."""

from typing import Any, BinaryIO

import holoviews as hv
import panel as pn
import param

from sspexplorer.analysis.zero_points import ALL, ZeroPoints, tile_columns
from sspexplorer.app import cache
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.download import Download
from sspexplorer.app.kit.page import Page
from sspexplorer.catalogue import Catalogue
from sspexplorer.plots.zero_points import offset_picture
from sspexplorer.posterior.zero_points import BandOffsets
from sspexplorer.progress import Progress
from sspexplorer.shipped import DEFAULT_MODEL

TOGETHER = "all together"
_EMPTY = (
    "Zero points are measured from the galaxies of a catalogue, at least 20 of them: open one in "
    "“Your catalogue”, and come back."
)
_CAPTION = (
    "{n:,} galaxies against their closest mixtures of training SEDs, rms {rms:.3f} mag: a band "
    "that stands off by several of its errors is off in all galaxies alike. A factor that all "
    "bands share cannot be found, nor can what is smooth in wavelength, which looks like dust or "
    "age."
)


class ZeroPointsPage(Page):
    """Offsets of the bands that the galaxies of a catalogue have in common.

    Parameters
    ----------
    state : SharedState, optional
        The open catalogue, and the zero points that its predictions are corrected for; a fresh
        one unless given.

    Attributes
    ----------
    points : ZeroPoints or None
        What was measured last.
    """

    ASKS, FOLLOWS = ("by",), ("catalogue",)
    BUSY = "Comparing galaxies with training SEDs …"

    by = param.Selector(default="", objects={TOGETHER: ""}, doc="Column that names the tiles.")
    tile = param.Selector(default=ALL, objects=[ALL], doc="Tile in the picture.")

    def make(self) -> None:
        """Make picture, controls and words."""
        self.points: ZeroPoints | None = None
        self._catalogue: Catalogue | None = None
        self._pipe = hv.streams.Pipe(data=None)
        self._words, self._few = parts.caption(""), parts.note("")
        self._by = controls.select("Measured", self.param.by)
        self._tile = controls.select("Tile", self.param.tile, visible=False)
        self._correct = pn.widgets.Button(
            label="Correct the catalogue", color="primary", sizing_mode="stretch_width"
        )
        self._correct.on_click(self._correct_clicked)
        self._undo = pn.widgets.Button(label="Undo the correction", sizing_mode="stretch_width")
        self._undo.on_click(lambda event: self.state.param.update(zero_points=None))
        self._in_use = parts.note("")
        self.download = Download(self._write, "zero_points.ecsv", color="default")
        self._open = pn.widgets.Button(label="Open a catalogue", color="primary")
        self._open.on_click(lambda event: self.state.go("catalogue"))
        self.param.watch(self._show_tile, "tile")
        self.follow(self._show_in_use, "zero_points")

    def controls(self) -> list[parts.Part]:
        """How they are measured, and what is done with them."""
        # What comes and goes is below what is clicked on, which stays where it is.
        buttons = (self._correct, self._undo, self.download)
        return [self._by, self._tile, *buttons, self._in_use, self.busy]

    def picture(self) -> parts.Part:
        """Offsets against wavelength."""
        return parts.picture_pane(parts.figure(offset_picture(self._pipe)))

    def below(self) -> list[parts.Part]:
        """What to notice."""
        return [self._words, self._few]

    def question(self) -> tuple[Catalogue, str] | None:
        """The catalogue, and the column of its tiles; None without a catalogue."""
        catalogue = self.state.catalogue
        if catalogue is not self._catalogue:
            self._catalogue, self.points = catalogue, None
            named = () if catalogue is None else tile_columns(catalogue)
            offered = {TOGETHER: ""} | {f"by {name}": name for name in named}
            self.param.by.objects = offered
            if self.by not in named:
                with param.discard_events(self):
                    self.by = ""
            self._by.param.update(options=offered, value=self.by)
        self._show_in_use()
        if catalogue is None:
            self.worker.cancel()
            self.tell_instead(parts.empty_state(_EMPTY, self._open))
            return None
        return catalogue, self.by

    def answer(self, question: tuple[Catalogue, str], progress: Progress) -> ZeroPoints:
        """Measure them."""
        catalogue, column = question
        estimator = cache.model(DEFAULT_MODEL)
        likeness = estimator.compared_together(catalogue.redshift, catalogue.redshift_err)
        return ZeroPoints.measure(catalogue, likeness, column, progress=progress)

    def show(self, question: tuple[Catalogue, str], answer: ZeroPoints) -> None:
        """Show the first tile."""
        self.points = answer
        tiles = list(answer.tiles)
        with param.discard_events(self):
            self.param.tile.objects = tiles
            self.tile = tiles[0]
        self._tile.param.update(options=tiles, value=tiles[0])
        self._tile.visible = bool(answer.column)
        few = ", ".join(f"{name} ({n})" for name, n in (answer.too_few or {}).items())
        said = f"Too few galaxies to be measured: {few}." if few else ""
        self._few.object = parts.note(said).object
        self._show_tile()
        self._show_in_use()

    @property
    def shown(self) -> BandOffsets | None:
        """Offsets in the picture."""
        return None if self.points is None else self.points.tiles.get(self.tile)

    def _show_tile(self, *events: Any) -> None:
        shown = self.shown
        if shown is None:
            return
        self._pipe.send(shown)
        words = _CAPTION.format(n=int(shown.n.max()), rms=shown.rms)
        self._words.object = parts.caption(words).object

    def _show_in_use(self) -> None:
        used = self.state.zero_points
        self._correct.disabled = self.points is None or used is self.points
        self.download.disabled = self.points is None
        self._undo.disabled = used is None
        text = "Predictions of your catalogue are corrected for zero points." if used else ""
        self._in_use.object = parts.note(text).object

    def _correct_clicked(self, event: Any) -> None:
        self.state.zero_points = self.points

    def _write(self, file: BinaryIO) -> None:
        self.points.save(file)
