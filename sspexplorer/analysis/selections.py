"""Selections of a catalogue's rows: kept under names, and compared with each other."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.errors import InputError
from sspexplorer.labels import RATES

MAX_KEPT = 12
_LONGEST_NAME = 40
# Between the names of a row that is in several; no name has it.
_BETWEEN = ";"
# Bounds of the central 68 % (%).
_LOW, _HIGH = 16, 84
_FIRST, _SECOND = 1, 2
REST, BOTH = 0, _FIRST + _SECOND


@dataclass(frozen=True, eq=False)
class Kept:
    """Selections under the names that a user gave them.

    Attributes
    ----------
    n_rows : int
        Rows of the catalogue.
    rows : mapping of str to ndarray of bool, shape (n_rows,)
        Which rows each has, in the order in which they were kept.
    """

    n_rows: int
    rows: Mapping[str, np.ndarray] = field(default_factory=dict)

    def including(self, name: str, chosen: np.ndarray) -> "Kept":
        """These and one more.

        Parameters
        ----------
        name : str
        chosen : ndarray of bool, shape (n_rows,)

        Raises
        ------
        InputError
            If the name cannot be taken, nothing is chosen, or there are :data:`MAX_KEPT` already.
        """
        if not chosen.any():
            raise InputError("No row is listed, so there is nothing to keep.")
        if len(self.rows) >= MAX_KEPT:
            raise InputError(f"{MAX_KEPT} selections are kept, and no more: remove one first.")
        return replace(self, rows={**self.rows, self._free(name): chosen.copy()})

    def renamed(self, name: str, new: str) -> "Kept":
        """One under another name, in its old place.

        Raises
        ------
        InputError
            If the name cannot be taken.
        """
        new = self._free(new, but=name)
        return replace(self, rows={new if n == name else n: r for n, r in self.rows.items()})

    def without(self, name: str) -> "Kept":
        """All but one."""
        return replace(self, rows={n: rows for n, rows in self.rows.items() if n != name})

    def names_by_row(self) -> np.ndarray:
        """For each row the names of the selections that it is in, with ``;`` between them.

        Returns
        -------
        ndarray of object, shape (n_rows,)
            "" of rows that are in none.
        """
        found = np.full(self.n_rows, "", dtype=object)
        for name, chosen in self.rows.items():
            found[chosen] = [f"{had}{_BETWEEN}{name}" if had else name for had in found[chosen]]
        return found

    def _free(self, name: str, but: str = "") -> str:
        name = " ".join(name.split())
        if not name:
            raise InputError("A selection needs a name.")
        if len(name) > _LONGEST_NAME:
            raise InputError(f"The name of a selection has at most {_LONGEST_NAME} characters.")
        if _BETWEEN in name:
            raise InputError(f"The name of a selection has no “{_BETWEEN}” in it.")
        if any(name.lower() == other.lower() for other in self.rows if other != but):
            raise InputError(f"There is a selection “{name}” already.")
        return name


@dataclass(frozen=True, eq=False)
class Compared:
    """One selection beside another, and the rest of the catalogue.

    Attributes
    ----------
    first : str
    second : str
        "" where there is only one beside the rest.
    index : ndarray of int, shape (n,)
        Of each row: 1 in the first, 2 in the second, :data:`BOTH`, else :data:`REST`.
    """

    first: str
    second: str
    index: np.ndarray

    @classmethod
    def of(
        cls,
        first: tuple[str, np.ndarray],
        second: tuple[str, np.ndarray] | None = None,
    ) -> "Compared":
        """Put rows into parts.

        Parameters
        ----------
        first, second : (str, ndarray of bool, shape (n,))
            Name and rows.
        """
        index = _FIRST * first[1].astype(int)
        if second is not None:
            index += _SECOND * second[1].astype(int)
        return cls(first[0], "" if second is None else second[0], index)

    @property
    def titles(self) -> dict[int, str]:
        """What each part is called, by its number; those without rows are left out."""
        named = {_FIRST: self.first}
        if self.second:
            named |= {_SECOND: self.second, BOTH: "in both"}
        there = set(np.unique(self.index).tolist())
        return {
            part: title for part, title in (named | {REST: "the rest"}).items() if part in there
        }

    def rows(self, part: int) -> np.ndarray:
        """Which rows a part has; a selection has those that are in both as well.

        Returns
        -------
        ndarray of bool, shape (n,)
        """
        if part in (_FIRST, _SECOND):
            return (self.index & part) > 0
        return self.index == part

    def medians(self, answers: Answers) -> pd.DataFrame:
        """Middle of each answer in each part, and where the central 68 % of the galaxies lie.

        Upper limits of rates are left out.

        Parameters
        ----------
        answers : Answers, n rows

        Returns
        -------
        DataFrame
            Columns ``answer`` (key of :attr:`Answers.axes`), ``part`` (of :attr:`titles`),
            ``n`` (galaxies that have it), ``median``, ``low`` and ``high`` (16th and 84th
            percentile, by linear interpolation; NaN without galaxies), in units of the answer.
        """
        limits = answers.table["limit"].to_numpy(bool)
        lines = []
        for name in answers.axes:
            values = answers.table[name].to_numpy(float)
            known = np.isfinite(values)
            if name in RATES:
                known &= ~limits
            for part in self.titles:
                if part == BOTH:
                    continue
                here = values[known & self.rows(part)]
                low, median, high = (
                    np.percentile(here, (_LOW, 50, _HIGH)) if len(here) else (np.nan,) * 3
                )
                lines.append((name, part, len(here), median, low, high))
        return pd.DataFrame(lines, columns=["answer", "part", "n", "median", "low", "high"])
