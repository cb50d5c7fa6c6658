"""What posteriors add to a catalogue: the corner of one galaxy, and how well all are matched."""

import numpy as np
import panel as pn

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.corner import LINES, SED_FIT, CornerView, fit_models
from sspexplorer.models import load_model
from sspexplorer.plots.corner import Corner
from sspexplorer.plots.fit_quality import fit_quality_pictures

_AGREES = {
    "ssp": "The model should be near it.",
    "galaxy": "It knows single populations only: of a mixture it says which one looks alike, and "
    "it is too sure of that.",
}
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
        super().__init__()
        self._answers = answers
        self.show(row)

    def show(self, row: int) -> None:
        """Draw the posterior of a row, counted from 0."""
        if not self._answers.predicted[row]:
            self.clear("This row has no prediction, and no posterior.")
            return
        self.ask(row, lambda: self._look(row), f"{LINES} {_FIT} {_AGREES[self._answers.model]}")

    def _look(self, row: int) -> Corner:
        predictions, galaxy = self._answers.predictions, self._answers.one(row)
        # Where no redshift is given, the SED fit is that at the redshift of the colours.
        redshift = galaxy.redshift
        if not np.isfinite(redshift):
            redshift = predictions["pred_photoz"].iloc[row]
        model, estimator = self._answers.model, load_model(self._answers.model)
        tables = {
            model: galaxy.draws(estimator),
            SED_FIT: galaxy.fitted(fit_models(redshift)),
        }
        return Corner(tables, prior=estimator.prior.table)


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
