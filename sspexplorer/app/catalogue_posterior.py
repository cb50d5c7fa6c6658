"""What posteriors add to a catalogue: the corner of one galaxy, and how well all are matched."""

import holoviews as hv
import numpy as np
import panel as pn

from sspexplorer.app import parts, shared
from sspexplorer.app.background import Background
from sspexplorer.app.catalogue_table import Answers
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.plots.corner import CORNER_COLOURS, Corner, corner
from sspexplorer.plots.fit_quality import fit_quality_pictures
from sspexplorer.posterior.one import OneGalaxy
from sspexplorer.posterior.prediction import load_estimator

_HEIGHT = "620px"
_EXACT = "exact, one population"
# The exact posterior is worked out at redshifts so far apart: a few hundredths of a band.
_REDSHIFT_STEP = 0.005


class PosteriorView(pn.viewable.Viewer):
    """Joint posterior of one galaxy, beside the exact one of single populations.

    Parameters
    ----------
    answers : Answers
        Of a model that answers with posteriors.
    row : int
        What to start with, counted from 0.
    """

    def __init__(self, answers: Answers, row: int = 0) -> None:
        super().__init__()
        self._answers = answers
        self._pipe = hv.streams.Pipe(data=Corner({}))
        self._words, self._busy = parts.caption(""), parts.note("")
        self._work = Background(self._tell_busy, self._stop)
        pane = pn.pane.HoloViews(corner(self._pipe), linked_axes=False)
        self._layout = parts.stack(
            self._busy, parts.picture_pane(pane, height=_HEIGHT), self._words, gap=6
        )
        self.show(row)

    def __panel__(self) -> pn.Column:
        """Corner over its caption."""
        return self._layout

    @property
    def drawn(self) -> Corner:
        """What is drawn."""
        return self._pipe.data

    def show(self, row: int) -> None:
        """Draw the posterior of a row, counted from 0."""
        if not self._answers.predicted[row]:
            self._draw(Corner({}))
            self._say("This row has no prediction, and no posterior.")
            return
        self._work.ask(row, lambda: self._look(row), self._draw)

    def _look(self, row: int) -> Corner:
        catalogue, predictions = self._answers.catalogue, self._answers.predictions
        galaxy = OneGalaxy.of_row(
            catalogue.flux[row],
            catalogue.flux_err[row],
            _value(catalogue.redshift, row),
            _value(catalogue.redshift_err, row),
            predictions["pred_set_aside"].iloc[row],
            self._answers.asked.choices,
        )
        # Where no redshift is given, the exact posterior is that at the redshift of the colours.
        redshift = galaxy.redshift
        if not np.isfinite(redshift):
            redshift = predictions["pred_photoz"].iloc[row]
        step = np.clip(np.rint(redshift / _REDSHIFT_STEP) * _REDSHIFT_STEP, 0, MAX_REDSHIFT)
        models = shared.exact_models(float(round(step, 3)))
        estimator = load_estimator(self._answers.model)
        return Corner({self._answers.model: galaxy.draws(estimator), _EXACT: galaxy.exact(models)})

    def _draw(self, data: Corner) -> None:
        self._pipe.send(data)
        if data.tables:
            self._say(
                "Lines hold 68 and 95 % of the probability. The exact posterior is χ² of every "
                "SSP behind every dust, at one redshift. "
                + (
                    "The model should agree with it."
                    if self._answers.model == "ssp"
                    else "It knows single populations only: of a mixture it says which one looks "
                    "alike, and it is too sure of that."
                )
            )

    def _say(self, text: str) -> None:
        dots = " ".join(
            f'<i class="dot" style="background:{colour}"></i>{name}&emsp;'
            for name, colour in zip(self.drawn.tables, CORNER_COLOURS, strict=False)
        )
        self._words.object = f"{dots}{parts.caption(text).object}"

    def _tell_busy(self, busy: bool) -> None:
        self._busy.object = parts.note("Weighing every SSP …" if busy else "").object

    def _stop(self, sentence: str) -> None:
        self._tell_busy(False)
        self._say(sentence)


class FitQuality(pn.viewable.Viewer):
    """How well the training matches all galaxies of a catalogue.

    Parameters
    ----------
    answers : Answers
        Of a model that answers with posteriors.
    """

    def __init__(self, answers: Answers) -> None:
        super().__init__()
        table = answers.predictions
        chi2, p_value = (table[f"pred_{name}"].to_numpy(float) for name in ("chi2", "p_value"))
        panes = [
            parts.picture_pane(pn.pane.HoloViews(picture, linked_axes=False), height="260px")
            for picture in fit_quality_pictures(chi2, p_value)
        ]
        median = np.nanmedian(chi2) if np.isfinite(chi2).any() else np.nan
        self._layout = parts.stack(
            pn.Row(*panes, sizing_mode="stretch_width", margin=0),
            parts.caption(
                f"Median reduced χ²: {median:.2f}. Galaxies like those of the training have even "
                "p-values; a heap at 0 is of galaxies that nothing in it resembles, a heap at 1 of "
                "errors that are given too large."
            ),
        )

    def __panel__(self) -> pn.Column:
        """Two histograms over their caption."""
        return self._layout


def _value(values: np.ndarray | None, row: int) -> float:
    return float("nan") if values is None else float(values[row])
