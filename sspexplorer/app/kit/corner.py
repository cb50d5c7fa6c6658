"""Joint posteriors of one SED over their caption, worked out beside the server's event loop."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import holoviews as hv
import numpy as np
import panel as pn

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import css
from sspexplorer.app.kit.work import Worker, sentence_of
from sspexplorer.bands import N_BANDS
from sspexplorer.mocks import PARAMETERS, Observation
from sspexplorer.models import load_model
from sspexplorer.photometry import FARTHEST_REDSHIFT
from sspexplorer.plots.corner import CORNER_COLOURS, PRIOR_COLOUR, Corner, corner_panels
from sspexplorer.posterior.one import OneGalaxy
from sspexplorer.sedfit import ModelGrid
from sspexplorer.shipped import posterior_names

EXACT = "exact, one population"
SED_FIT = "SED fit, one population"
LINES = (
    "Lines hold 68 and 95 % of the probability. Where a margin is no narrower than the prior of "
    "the model, which is drawn under it to the same scale, the data do not decide."
)
PANEL_HEIGHT = "225px"
T = TypeVar("T")
# SED fits are worked out at redshifts so far apart: a few hundredths of a band.
_REDSHIFT_STEP = 0.005


def exact_models(redshift: float) -> ModelGrid:
    """Models of the exact posterior at a redshift."""
    return cache.exact_models(float(round(np.clip(redshift, 0, FARTHEST_REDSHIFT), 4)))


def fit_models(redshift: float) -> ModelGrid:
    """Models of the SED fit at about a redshift."""
    return exact_models(np.rint(redshift / _REDSHIFT_STEP) * _REDSHIFT_STEP)


class CornerView(pn.viewable.Viewer):
    """Corner of several posteriors, and which colour is which.

    Parameters
    ----------
    beside : Viewable, optional
        Fills what a corner leaves empty.
    """

    def __init__(self, beside: pn.viewable.Viewable | None = None) -> None:
        super().__init__()
        self._pipe = hv.streams.Pipe(data=Corner({}))
        self._words, self._busy = parts.caption(""), parts.note("")
        self._work = Worker(self._tell_busy, self._fail)
        grid = pn.Column(
            *(self._panel(*place) for place in corner_panels(self._pipe).items()),
            *([] if beside is None else [beside]),
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[css("grid-corner")],
        )
        self._layout = parts.stack(self._busy, grid, self._words, gap=6)

    def __panel__(self) -> pn.Column:
        """Corner over its caption."""
        return self._layout

    @property
    def drawn(self) -> Corner:
        """What is drawn."""
        return self._pipe.data

    def ask(self, question: Any, work: Callable[[], T], show: Callable[[T], None]) -> None:
        """Have a corner, and what goes with it, worked out and shown.

        Parameters
        ----------
        question : object
            What it is of, comparable with ``==``.
        work : callable
            Works it out, in a thread.
        show : callable
            Is given it, to :meth:`draw`.
        """
        self._work.ask(question, lambda progress: work(), show)

    def draw(self, corner: Corner, words: str) -> None:
        """Draw a corner, with words below it."""
        self._pipe.send(corner)
        self._say(words)

    def clear(self, sentence: str) -> None:
        """Draw nothing, and say why."""
        self._work.cancel()
        self._pipe.send(Corner({}))
        self._say(sentence)

    @staticmethod
    def _panel(place: tuple[int, int], picture: hv.DynamicMap) -> pn.Column:
        pane = pn.pane.HoloViews(picture, linked_axes=False)
        framed = parts.picture_pane(pane, height=PANEL_HEIGHT)
        row, column = place
        framed.styles = framed.styles | {"grid-area": f"{row + 1} / {column + 1}"}
        return framed

    def _say(self, text: str) -> None:
        named = list(zip(self.drawn.tables, CORNER_COLOURS, strict=False))
        if self.drawn.prior is not None:
            named.append((f"prior of {named[0][0]}", PRIOR_COLOUR))
        dots = " ".join(
            f'<i class="dot" style="background:{colour}"></i>{name}&emsp;' for name, colour in named
        )
        self._words.object = f"{dots}{parts.caption(text).object}"

    def _tell_busy(self, busy: bool) -> None:
        self._busy.object = parts.note("Weighing every SSP …" if busy else "").object

    def _fail(self, error: Exception) -> None:
        self._work.cancel()
        self._say(sentence_of(error))


class SEDPosterior(CornerView):
    """What the models with error bars say of an SED whose redshift they are given."""

    def show(self, number: int, observation: Observation) -> None:
        """Draw the posteriors of an SED, beside the exact one and its true parameters.

        Parameters
        ----------
        number : int
            Of the SED, from 1.
        observation : Observation
        """
        question = (observation.flux.tobytes(), observation.redshift, observation.magnitude)
        words = (
            f"What the colours of SED {number} leave open; grey lines: the truth. {LINES} The "
            "exact posterior weighs every SSP behind every dust by its likelihood under this "
            "noise. “ssp” answers the same question: the nearer to it, the better the network. "
            "“galaxy” thinks of mixtures, too."
        )
        self.ask(question, lambda: _look(observation), partial(self.draw, words=words))


def _look(observation: Observation) -> Corner:
    known = float(observation.redshift)
    nothing = np.zeros(N_BANDS, dtype=bool)
    galaxy = OneGalaxy(observation.flux, observation.flux_err, nothing, known, np.nan)
    tables = {name: galaxy.draws(load_model(name)) for name in posterior_names()}
    relative = observation.flux_err / observation.noise_free
    tables[EXACT] = galaxy.exact(exact_models(known), relative)
    truth = {name: float(getattr(observation, name)) for name in PARAMETERS}
    return Corner(tables, truth, load_model(next(iter(tables))).prior.table)
