"""The paper's recipe at the paper's size: what was measured of trainings on stand-ins.

The paper trains on 2958 SSPs of E-MILES, 3300 of CB19 and 1104 of XSL; behind eight dust screens at
13 magnitudes that is 765 648 mocks. ``benchmarks/full_size.py`` trains on as many of stand-ins,
whose spectra are those of BC03, and writes what it measures on the mocks held out at random.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from sspexplorer.analysis.by_magnitude import metrics_of_card
from sspexplorer.metrics import Summary
from sspexplorer.resources import data_path

FILE = "full_size.json"
# The recipe that was trained to its end.
RECIPE = "paper-fast"
# Abstract of Domínguez Sánchez et al. (2026); with Sect. 4 the same for all magnitudes.
PUBLISHED_SCATTER = {"log_age": 0.23, "metallicity": 0.29, "ebv": 0.04}


@dataclass(frozen=True)
class FullSize:
    """A training at the paper's size.

    Attributes
    ----------
    recipe : str
    n_train, n_test : int
        Mocks that it learnt from, and that it was tested on.
    epochs : int
        That were finished.
    overall : dict
        {parameter: Summary} of all magnitudes.
    by_magnitude : DataFrame
        As of :func:`~sspexplorer.analysis.by_magnitude.metrics_by_magnitude`, without errors; its
        run is the recipe.
    """

    recipe: str
    n_train: int
    n_test: int
    epochs: int
    overall: dict[str, Summary]
    by_magnitude: pd.DataFrame

    def scatter(self, parameter: str, magnitude: float | None = None) -> float:
        """σ_NMAD of all magnitudes, or at one."""
        if magnitude is None:
            return self.overall[parameter]["sigma_nmad"]
        table = self.by_magnitude
        row = table[(table["parameter"] == parameter) & (table["magnitude"] == magnitude)]
        return float(row["sigma_nmad"].iloc[0])


def full_size(recipe: str = RECIPE, path: Path | None = None) -> FullSize | None:
    """Read a training at the paper's size; None if there was none.

    Parameters
    ----------
    recipe : str
    path : Path, optional
        File of trainings; the one that ships unless given.
    """
    found = _trainings(path or data_path(FILE)).get(recipe)
    if found is None:
        return None
    table = metrics_of_card({"metrics": {"random": found}}, "random", recipe)
    n_train, _, n_test = found["n"]
    return FullSize(recipe, n_train, n_test, found["epochs_done"], found["overall"], table)


@cache
def _trainings(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
