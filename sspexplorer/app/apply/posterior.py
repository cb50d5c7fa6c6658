"""What posteriors add to a catalogue: one galaxy's corner and history, and how all are matched."""

import holoviews as hv
import numpy as np
import panel as pn

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.corner import LINES, PANEL_HEIGHT, SED_FIT, CornerView, fit_models
from sspexplorer.galaxies.growth import Growth
from sspexplorer.plots.corner import Corner
from sspexplorer.plots.fit_quality import fit_quality_pictures
from sspexplorer.plots.growth import growth_picture
from sspexplorer.posterior.growth import growth_of, tells_growth

_AGREES = {
    "ssp": "The model should be near it.",
    "galaxy": "It knows single populations only: of a mixture it says which one looks alike, and "
    "it is too sure of that.",
}
_GROWTH = (
    "Upper right: the share of its stars that had formed, in a band that holds it with 68 %. The "
    "model tells when half of them and nine tenths had; between, it is as in the histories of its "
    "prior with the same two times. How far off it is for one kind of history: “Error bars”."
)
_PDF = "Of a full p(z), which the table takes whole, this takes the redshift and its error."
_FIT = (
    "The SED fit is χ² of every SSP behind every dust, at one redshift, with the errors of the "
    "catalogue: which noise they were drawn from is not known, so it is not exact."
)


class PosteriorView(CornerView):
    """Joint posterior of one galaxy, beside the SED fit of single populations.

    Parameters
    ----------
    answers : Answers
        Of a model that answers with posteriors.
    row : int
        What to start with, counted from 0.
    """

    def __init__(self, answers: Answers, row: int = 0) -> None:
        self._answers = answers
        self._estimator = cache.model(answers.model)
        self._growth = hv.streams.Pipe(data=None)
        super().__init__(self._history() if tells_growth(self._estimator.model) else None)
        self.show(row)

    @property
    def growth(self) -> Growth | None:
        """History of the galaxy in sight, where there is one and the model tells it."""
        return self._growth.data

    def _history(self) -> pn.Column:
        picture = pn.pane.HoloViews(growth_picture(self._growth), linked_axes=False)
        framed = parts.picture_pane(picture, height=PANEL_HEIGHT)
        framed.styles = framed.styles | {"grid-area": "1 / 2 / 2 / 4"}
        return framed

    def show(self, row: int) -> None:
        """Draw the posterior of a row, counted from 0."""
        if not self._answers.predicted[row]:
            self.clear("This row has no prediction, and no posterior.")
            self._growth.send(None)
            return
        self.ask(row, lambda: self._look(row), self._show_looked)

    def _show_looked(self, looked: tuple[Corner, Growth | None]) -> None:
        corner, growth = looked
        words = f"{LINES} {_FIT} {_AGREES[self._answers.model]}"
        if self._answers.catalogue.redshift_pdf is not None:
            words = f"{words} {_PDF}"
        self.draw(corner, words if growth is None else f"{_GROWTH} {words}")
        self._growth.send(growth)

    def _look(self, row: int) -> tuple[Corner, Growth | None]:
        predictions, galaxy = self._answers.predictions, self._answers.one(row)
        # Where no redshift is given, the SED fit is that at the redshift of the colours.
        redshift = galaxy.redshift
        if not np.isfinite(redshift):
            redshift = predictions["pred_photoz"].iloc[row]
        name, estimator = self._answers.model, self._estimator
        tables = {
            name: galaxy.draws(estimator),
            SED_FIT: galaxy.fitted(fit_models(redshift)),
        }
        growth = None
        if tells_growth(estimator.model):
            curves = cache.growth_curves(name)
            growth = growth_of(galaxy, estimator.model, curves, redshift)
        return Corner(tables, prior=estimator.prior.table), growth


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
            parts.grid(*panes, columns=2),
            parts.caption(
                f"Median reduced χ²: {median:.2f}. Galaxies like those of the training have even "
                "p-values; a heap at 0 is of galaxies that nothing in it resembles, a heap at 1 of "
                "errors that are given too large."
            ),
        )

    def __panel__(self) -> pn.Column:
        """Two histograms over their caption."""
        return self._layout
