"""When the stars of many galaxies formed: episodes with known integrals, and tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

AGE_OF_UNIVERSE = 13.8e9  # yr
# Ages (yr) between which tables hold a constant rate: 12 % apart, far less than age is known.
TABLE_AGES = np.concatenate([[0.0], np.geomspace(1e6, AGE_OF_UNIVERSE, 84)])


@dataclass(frozen=True)
class Episodes:
    """One episode of star formation in each of n galaxies.

    Attributes
    ----------
    shape : ndarray of int, shape (n,)
        0 constant, 1 delayed (t exp(−t/τ)), 2 exponential (exp(−t/τ)).
    start, end : ndarray, shape (n,)
        Lookback times in yr; ``start`` is the earlier time, the greater number.
    timescale : ndarray, shape (n,)
        τ in yr.
    mass : ndarray, shape (n,)
        Share of all stars of the galaxy.
    metallicity : ndarray, shape (n,)
        [M/H] in dex.
    """

    shape: np.ndarray
    start: np.ndarray
    end: np.ndarray
    timescale: np.ndarray
    mass: np.ndarray
    metallicity: np.ndarray

    def rows(self, index: np.ndarray) -> "Episodes":
        """Episodes of some of the galaxies."""
        return Episodes(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def stretched(self, factor: np.ndarray) -> "Episodes":
        """The same in times that are ``factor`` (n,) as long."""
        times = {name: getattr(self, name) * factor for name in ("start", "end", "timescale")}
        return replace(self, **times)

    def younger_than(self, age: np.ndarray) -> np.ndarray:
        """Share of the episode's stars younger than ``age`` (n_ages,) yr, shape (n, n_ages)."""
        span = (self.start - self.end)[:, None]
        passed = np.clip(self.start[:, None] - age, 0, span)
        return 1 - self._formed(passed) / self._formed(span)

    def _formed(self, time: np.ndarray) -> np.ndarray:
        x = time / self.timescale[:, None]
        formed = np.array(x)
        for shape in (1, 2):
            rows = self.shape == shape
            part = x[rows]
            formed[rows] = -np.expm1(-part) - (part * np.exp(-part) if shape == 1 else 0.0)
        return formed


@dataclass(frozen=True)
class TabulatedHistories:
    """Star formation of any rate in each of n galaxies, constant between ages of a table.

    Attributes
    ----------
    younger : ndarray, shape (n_tables, len(TABLE_AGES)), float32
        Share of the stars younger than each of the ages: from 0 to 1.
    table : ndarray of int, shape (n,)
        Which row of ``younger`` is a galaxy's.
    stretch : ndarray, shape (n,)
        Its ages in units of :data:`TABLE_AGES`.
    mass, metallicity : ndarray, shape (n,)
        As of :class:`Episodes`.
    """

    younger: np.ndarray
    table: np.ndarray
    stretch: np.ndarray
    mass: np.ndarray
    metallicity: np.ndarray

    def rows(self, index: np.ndarray) -> "TabulatedHistories":
        """Histories of some of the galaxies."""
        names = ("table", "stretch", "mass", "metallicity")
        return TabulatedHistories(self.younger, *(getattr(self, name)[index] for name in names))

    def stretched(self, factor: np.ndarray) -> "TabulatedHistories":
        """The same in times that are ``factor`` (n,) as long."""
        return replace(self, stretch=self.stretch * factor)

    def younger_than(self, age: np.ndarray) -> np.ndarray:
        """Share of the stars younger than ``age`` (n_ages,) yr, shape (n, n_ages)."""
        own = np.asarray(age) / self.stretch[:, None]
        place = np.interp(own, TABLE_AGES, np.arange(len(TABLE_AGES)))
        left = np.minimum(place.astype(int), len(TABLE_AGES) - 2)
        share = (place - left).astype(np.float32)
        rows = self.table[:, None]
        return self.younger[rows, left] * (1 - share) + self.younger[rows, left + 1] * share


Formation = Episodes | TabulatedHistories


def joined(parts: Sequence[Formation]) -> Formation:
    """Formation of the galaxies of several parts of one kind, one part after the other."""
    fields = type(parts[0]).__dataclass_fields__
    columns = {n: np.concatenate([getattr(part, n) for part in parts]) for n in fields}
    if "table" in columns:
        tables = [part for part in parts if isinstance(part, TabulatedHistories)]
        before = np.cumsum([0, *(len(part.younger) for part in tables[:-1])])
        columns["table"] += np.repeat(before, [len(part.table) for part in tables])
    return type(parts[0])(**columns)


def younger_shares(rates: np.ndarray) -> np.ndarray:
    """Table of :class:`TabulatedHistories` from rates (n, len(TABLE_AGES) − 1), any unit."""
    mass = np.cumsum(rates * np.diff(TABLE_AGES), axis=1)
    shares = np.concatenate([np.zeros((len(mass), 1)), mass / mass[:, -1:]], axis=1)
    return shares.astype(np.float32)
