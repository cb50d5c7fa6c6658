"""A posterior model with what it needs to judge how far its answers can be trusted."""

from dataclasses import dataclass
from pathlib import Path

from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.likeness import Likeness
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.prior import PriorDraws


@dataclass(frozen=True)
class Estimator:
    """A posterior model with what it needs to judge how far its answers can be trusted.

    Attributes
    ----------
    model : PosteriorModel
    likeness : Likeness
        How like its training a galaxy is.
    prior : PriorDraws
        What it would answer without any data.
    libraries : LibraryErrors, optional
        What its errors lack for stars of libraries that it has not seen, if that is known.
    """

    model: PosteriorModel
    likeness: Likeness
    prior: PriorDraws
    libraries: LibraryErrors | None = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.card["name"]

    @property
    def card(self) -> dict:
        """What the model is."""
        return self.model.card

    @classmethod
    def load(cls, folder: Path) -> "Estimator":
        """Read the folder of a model.

        Raises
        ------
        InputError
            If it does not hold the first three.
        """
        return cls(
            PosteriorModel.load(folder),
            Likeness.load(folder),
            PriorDraws.load(folder),
            LibraryErrors.load(folder),
        )
