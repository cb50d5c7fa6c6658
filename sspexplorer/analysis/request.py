"""How a catalogue is predicted: by which model, with which choices."""

from dataclasses import dataclass, replace

from sspexplorer.analysis.recognition import Suspicion, suspicions
from sspexplorer.analysis.zero_points import ZeroPoints
from sspexplorer.catalogue import Catalogue
from sspexplorer.labels import model_title
from sspexplorer.models import AnyModel, Predictions, predict_rows
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.taken import Choices
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.shipped import DEFAULT_MODEL


def predict_catalogue(
    model: AnyModel,
    catalogue: Catalogue,
    choices: Choices | None = None,
    progress: Progress = NO_PROGRESS,
) -> Predictions:
    """Predict every row of a catalogue, with all that it says of its redshifts and its unit.

    Parameters
    ----------
    model : Model or Estimator
        See :func:`sspexplorer.load_model`.
    catalogue : Catalogue
        See :func:`sspexplorer.read_catalogue`.
    choices : Choices, optional
        Of no effect on networks.
    progress : Progress, optional

    Returns
    -------
    Predictions
        As of :func:`sspexplorer.predict_rows`.

    Raises
    ------
    InputError
        See :func:`~sspexplorer.models.predict_rows`.
    Cancelled
        If ``progress`` said so.
    """
    return predict_rows(
        model,
        catalogue.flux,
        catalogue.flux_err,
        catalogue.redshift,
        catalogue.redshift_err,
        redshift_pdf=catalogue.redshift_pdf,
        absolute=catalogue.decision.absolute,
        choices=choices,
        progress=progress,
    )


@dataclass(frozen=True)
class PredictionRequest:
    """How a catalogue is to be predicted: what was chosen when it began.

    Attributes
    ----------
    model : str
        Name of the model that predicts.
    network : str
        Name of the network that stands beside it, which may be the same.
    choices : Choices
        Of no effect on networks.
    zero_points : ZeroPoints or None
        What to correct the photometry for.
    """

    model: str
    network: str
    choices: Choices
    zero_points: ZeroPoints | None = None

    def corrected(self, catalogue: Catalogue) -> Catalogue:
        """The catalogue with the photometry that is predicted.

        Raises
        ------
        InputError
            If the zero points are those of another catalogue's tiles.
        """
        return catalogue if self.zero_points is None else self.zero_points.corrected(catalogue)[0]

    def suspicions(self, catalogue: Catalogue, model: AnyModel) -> tuple[Suspicion, ...]:
        """What its galaxies say together of how it should be taken; nothing to a network."""
        if not isinstance(model, Estimator):
            return ()
        corrected = self.zero_points is not None
        return suspicions(self.corrected(catalogue), model, self.choices, corrected=corrected)

    def predict(
        self, catalogue: Catalogue, model: AnyModel, progress: Progress = NO_PROGRESS
    ) -> Predictions:
        """Predict a catalogue with the model that is named.

        Raises
        ------
        InputError
            If the zero points are those of another catalogue's tiles.
        Cancelled
            If ``progress`` said so.
        """
        said: tuple[str, ...] = ()
        if self.zero_points is not None:
            catalogue, said = self.zero_points.corrected(catalogue)
        found = predict_catalogue(model, catalogue, self.choices, progress)
        return replace(found, remarks=(*found.remarks, *said))

    @property
    def about(self) -> dict[str, str | float | bool]:
        """What a file says of it, by keywords of FITS."""
        return {
            "SSPMODEL": self.model,
            "SSPFLOOR": self.choices.floor,
            "SSPZAS": self.choices.redshift_as,
            "SSPALL": self.choices.use_all,
            "SSPZEROP": self.zero_points is not None,
            "SSPH0": self.choices.cosmology.h0,
            "SSPOMEGA": self.choices.cosmology.omega_m,
        }

    @property
    def hint(self) -> str:
        """What to mind of a model without error bars; "" of others."""
        if self.model != self.network:
            return ""
        return (
            f"“{model_title(self.model)}” has no error bars: it is for teaching and comparison, "
            f"“{DEFAULT_MODEL}” is for galaxies."
        )
