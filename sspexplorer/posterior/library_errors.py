"""How far answers are off for stars of another library, beyond what their errors say.

Models trained without a library are tested on it, see :mod:`.validation.left_out`. What their
errors lack there is an error of its own: it does not shrink with more light, and it is given beside
the statistical one, never hidden in it.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer import artifact

FILE = "libraries.json"
# Of what was tested, that which predictions tell the error of libraries of.
TOLD = ("log_age", "metallicity", "ebv", "log_mass_to_light")


@dataclass(frozen=True, eq=False)
class LibraryErrors:
    """Errors that libraries add, by signal-to-noise ratio.

    Attributes
    ----------
    snr : ndarray, shape (n,)
        Median signal-to-noise ratio of the bands, increasing.
    errors : dict of str to ndarray, shape (n,)
        σ of each parameter, in its unit: root mean square over the libraries.
    """

    snr: np.ndarray
    errors: dict[str, np.ndarray]

    @classmethod
    def of(cls, table: pd.DataFrame) -> "LibraryErrors":
        """Sum up a table of :func:`.left_out.tabulated`, of libraries that training did not see.

        Galaxies are mixtures: single populations count only where nothing else was tested. Nearby
        and far ones count alike.
        """
        unseen = table[~table["seen"].astype(bool)]
        mixed = unseen["sample"].str.startswith("composites")
        unseen = unseen[mixed] if mixed.any() else unseen
        squared = unseen.assign(square=unseen["library_err"] ** 2)
        groups = squared.groupby(["parameter", "magnitude"], sort=False)
        errors = {}
        for name, rows in groups[["square", "snr"]].mean().groupby(level="parameter", sort=False):
            ordered = rows.sort_values("snr")
            errors[str(name)] = np.sqrt(ordered["square"].to_numpy())
            snr = ordered["snr"].to_numpy()
        return cls(snr, errors)

    def at(self, name: str, snr: np.ndarray) -> np.ndarray:
        """σ that libraries add to a parameter, shape (n,); beyond those measured, as at the end."""
        return np.interp(np.log(snr), np.log(self.snr), self.errors[name])

    @classmethod
    def load(cls, folder: Path) -> "LibraryErrors | None":
        """Read those of :data:`TOLD` that ``scripts/leave_one_out.py`` wrote; None without a test.

        Raises
        ------
        InputError
            If the file cannot be read.
        """
        table = left_out_table(folder)
        return None if table is None else cls.of(table[table["parameter"].isin(TOLD)])


def left_out_table(folder: Path) -> pd.DataFrame | None:
    """Read how a model did on libraries left out, see :func:`.left_out.tabulated`; None if unknown.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    with artifact.readable(folder, "model with error bars"):
        return pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["table"])
