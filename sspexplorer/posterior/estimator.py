"""A posterior model with what it needs to judge how far its answers can be trusted."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sspexplorer.posterior import likeness
from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.likeness import Likeness
from sspexplorer.posterior.model import PosteriorModel, known_nearby
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
    nearby : Likeness, optional
        How like the nearby ones of its training a galaxy is, of a model that reaches far: against
        all, what is no galaxy may pass for a far one.
    """

    model: PosteriorModel
    likeness: Likeness
    prior: PriorDraws
    libraries: LibraryErrors | None = None
    nearby: Likeness | None = None

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.model.card["name"]

    @property
    def card(self) -> dict:
        """What the model is."""
        return self.model.card

    def compared(
        self, redshift: np.ndarray, redshift_err: np.ndarray
    ) -> list[tuple[Likeness, np.ndarray]]:
        """What galaxies are compared with, and which of them are with each.

        Parameters
        ----------
        redshift, redshift_err : ndarray, shape (n,)
            NaN where unknown.
        """
        near = known_nearby(redshift, redshift_err)
        if self.nearby is None or not near.any():
            return [(self.likeness, np.arange(len(near)))]
        parts = ((self.nearby, near), (self.likeness, ~near))
        return [(one, np.flatnonzero(rows)) for one, rows in parts if rows.any()]

    def compared_together(
        self, redshift: np.ndarray | None, redshift_err: np.ndarray | None
    ) -> Likeness:
        """What galaxies that are looked at together are compared with.

        Parameters
        ----------
        redshift, redshift_err : ndarray, shape (n,), optional
            NaN where unknown.
        """
        if redshift is None:
            return self.likeness
        unknown = np.full(len(redshift), np.nan)
        parts = self.compared(redshift, unknown if redshift_err is None else redshift_err)
        return parts[0][0] if len(parts) == 1 else self.likeness

    @classmethod
    def load(cls, folder: Path) -> "Estimator":
        """Read the folder of a model.

        Raises
        ------
        InputError
            If it does not hold the first three.
        """
        near = (folder / likeness.NEARBY).is_file()
        return cls(
            PosteriorModel.load(folder),
            Likeness.load(folder),
            PriorDraws.load(folder),
            LibraryErrors.load(folder),
            Likeness.load(folder, likeness.NEARBY) if near else None,
        )
