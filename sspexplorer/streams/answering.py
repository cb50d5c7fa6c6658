"""What catalogues are answered with: predictions, or the SED fit."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sspexplorer.analysis.request import PredictionRequest, predict_catalogue
from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue.held import Catalogue
from sspexplorer.models import AnyModel, load_model, predict_rows
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.prediction import on_masses, on_redshifts
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.sedfit import fit_at_redshifts
from sspexplorer.shipped import model_folder
from sspexplorer.streams.counted import Counted


@lru_cache(maxsize=4)
def loaded_once(model: str | Path) -> AnyModel:
    """A model by name or folder, which a process loads once; nothing may change it.

    Raises
    ------
    InputError
        If there is no such model.
    """
    return load_model(model)


@dataclass(frozen=True)
class Predicting:
    """Predictions with a model, see :class:`~sspexplorer.analysis.catalogue.PredictionRequest`."""

    request: PredictionRequest
    prefix: str = "pred"

    @property
    def model(self) -> AnyModel:
        """The model, which a process loads once."""
        return loaded_once(self.request.model)

    def answers(
        self, catalogue: Catalogue, progress: Progress = NO_PROGRESS
    ) -> tuple[pd.DataFrame, int]:
        """Predictions for all rows."""
        corrected = 0
        if self.request.zero_points is not None:
            catalogue, done = self.request.zero_points.applied(catalogue)
            corrected = int(done.sum())
        found = predict_catalogue(self.model, catalogue, self.request.choices, progress)
        return found.table, corrected

    def no_rows(self) -> pd.DataFrame:
        """A table of predictions without rows."""
        nothing = np.full((1, N_BANDS), np.nan)
        choices = self.request.choices
        return predict_rows(self.model, nothing, nothing, choices=choices).table.iloc[:0]

    def remarks(self, counted: Counted, absolute: bool) -> tuple[str, ...]:
        """Sentences on the whole, whose fluxes are in physical units or not."""
        said: list[str] = []
        if isinstance(self.model, Estimator):
            model, choices, n = self.model.model, self.request.choices, counted.answered
            said += on_redshifts(model, counted.without_redshift, n, choices)
            said += on_masses(model, n, absolute, choices)
        if (points := self.request.zero_points) is not None:
            there = np.array(counted.absent) < counted.rows
            said += points.said(counted.corrected, counted.rows, there)
        return tuple(said)

    def key(self) -> dict[str, Any]:
        """The model, what was chosen, and zero points."""
        points = self.request.zero_points
        folder = model_folder(self.request.model)
        return {
            "model": self.request.model,
            "model folder": [
                [p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in sorted(folder.iterdir())
            ],
            "choice": asdict(self.request.choices),
            "zero points": None if points is None else points.table.to_csv(),
        }


@dataclass(frozen=True)
class Fitting:
    """The Bayesian SED fit, see :func:`~sspexplorer.sedfit.fit_at_redshifts`."""

    libraries: tuple[str, ...]
    floor: float
    prefix: str = "fit"

    def answers(
        self, catalogue: Catalogue, progress: Progress = NO_PROGRESS
    ) -> tuple[pd.DataFrame, int]:
        """Fits of all rows."""
        found = fit_at_redshifts(
            self.libraries,
            catalogue.flux,
            catalogue.flux_err,
            catalogue.redshift,
            catalogue.redshift_err,
            floor=self.floor,
            progress=progress,
        )
        return found, 0

    def no_rows(self) -> pd.DataFrame:
        """A table of fits without rows."""
        nothing = np.full((1, N_BANDS), np.nan)
        return fit_at_redshifts(self.libraries, nothing, nothing, floor=self.floor).iloc[:0]

    def remarks(self, counted: Counted, absolute: bool) -> tuple[str, ...]:
        """Nothing is to be said."""
        return ()

    def key(self) -> dict[str, Any]:
        """Libraries and the error that is added."""
        return {"libraries": list(self.libraries), "floor": self.floor}
