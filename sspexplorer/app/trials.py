"""On which mocks a network is tried out, as the pages about its errors ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer.app import cache
from sspexplorer.errors import InputError
from sspexplorer.mocks import MAGNITUDES

SPLITS = {"SSPs never seen": "ssp", "SSPs seen, other noise": "random"}
_SPLIT_NOTES = {
    "ssp": "Whole SSPs were held out of the training: the stricter test.",
    "random": "SSPs of the training under noise that was not: the test of the paper.",
}
_ONLY_RANDOM = "This network was trained on mocks split at random: it has seen every SSP."

# Each keeps what is brighter; the last keeps all.
CUTS = {f"i < {m:.1f}": m for m in MAGNITUDES[1:]} | {"All, i ≤ 22.0": MAGNITUDES[-1] + 0.5}
_CUT_NAMES = {limit: name for name, limit in CUTS.items()}


def cut_name(limit: float) -> str:
    """Name of one of :data:`CUTS`."""
    return _CUT_NAMES[limit]


def fair_split(model: str, split: str) -> str:
    """Split that a model can be tested on: one trained on mocks at random has no unseen SSPs."""
    only_random = cache.model_card(model).get("sample", {}).get("split") == "random"
    return "random" if only_random else split


@dataclass(frozen=True)
class Trial:
    """A network and the mocks it is tested on.

    Attributes
    ----------
    model : str
    split : {"ssp", "random"}
    libraries : tuple of str
    """

    model: str
    split: str
    libraries: tuple[str, ...]

    @classmethod
    def of(cls, model: str, split: str, libraries: Sequence[str]) -> "Trial":
        """Take the split that is asked for, or the only one that can be had."""
        return cls(model, fair_split(model, split), tuple(libraries))

    def rows(self, limit: float) -> pd.DataFrame:
        """Mocks brighter than a limit in i (AB) and what is predicted of them.

        Returns
        -------
        DataFrame
            Rows of a :func:`~sspexplorer.plots.density.density_table`.

        Raises
        ------
        InputError
            If there are none, or the model cannot be tested on this split.
        """
        table = cache.held_out_table(self.model, self.split)
        known = table["library"].cat.categories
        mask = np.isin(known, self.libraries)[table["library"].cat.codes]
        rows = table[mask & (table["magnitude"] < limit).to_numpy()]
        if not len(rows):
            raise InputError(
                f"There are no mocks of these libraries at {cut_name(limit)} that this network "
                "can be tested on. Choose another limit, or other libraries in the sidebar."
            )
        return rows

    def words(self) -> str:
        """What the network knows of these SSPs."""
        return "never seen" if self.split == "ssp" else "seen under other noise"

    def split_note(self, asked: str) -> str:
        """What the split means, or why it is not the one that was asked for."""
        return _SPLIT_NOTES[asked] if self.split == asked else _ONLY_RANDOM
