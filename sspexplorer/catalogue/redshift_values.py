"""Redshifts of a table's rows: what its columns hold, what that makes of them, what rows take.

A row without a valid redshift in the first column takes the next. What a column is, is decided of
all its rows; what was seen of parts of a table can be added up, so that the whole need not be held.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from sspexplorer.catalogue.decide import sample
from sspexplorer.catalogue.redshift_quantiles import N_NODES, nodes
from sspexplorer.catalogue.redshifts import RedshiftColumn, Redshifts, simple_name
from sspexplorer.catalogue.two_sided import BOUNDS, MOST_BETWEEN, SIDES, between, sigma
from sspexplorer.catalogue.values import AnyTable, column_names, column_numbers
from sspexplorer.errors import InputError

# Anything beyond stands for no value, or is the magnitude in the z band.
LOWEST_REDSHIFT, HIGHEST_REDSHIFT = -0.01, 10.0
_SENTINELS = (-1.0, -9.0, -9.9, -9.99, -99.0, -99.9, -999.0, -9999.0, 99.0, 99.9, 999.0, 9999.0)
_NINES = (9.9, 9.99, 9.999, 9.9999)  # within the range, but nobody's redshift
_MOST_INVALID = 0.2  # of the values that are no sentinel
# Grids of metallicity have at most so many values.
_MOST_METALS = 12


@dataclass(frozen=True)
class Seen:
    """What some rows of a column of redshifts hold, to be added to what others do.

    Attributes
    ----------
    sentinels : frozenset of float
        Values that stand for none.
    n_sentinel, outside, inside, zeros : int
        Rows with such a value, with one that is no redshift, with a redshift, and with exactly 0.
    low, high : float
        Least and greatest redshift.
    distinct : frozenset of float
        Different values of any kind, up to one more than grids of metallicity have.
    finite : int
    least, most : float
        Least and greatest value of any kind.
    between, known : tuple of int
        Redshifts between both columns of errors, and those with both; first of redshifts other
        than 0, then of those that are 0.
    """

    sentinels: frozenset[float] = frozenset()
    n_sentinel: int = 0
    outside: int = 0
    inside: int = 0
    zeros: int = 0
    low: float = np.inf
    high: float = -np.inf
    distinct: frozenset[float] = frozenset()
    finite: int = 0
    least: float = np.inf
    most: float = -np.inf
    between: tuple[int, int] = (0, 0)
    known: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, table: AnyTable, column: RedshiftColumn) -> "Seen":
        """Look at a column; at nothing where it holds no numbers."""
        values = _numbers(table, column.name)
        if values is None:
            return cls()
        finite = values[np.isfinite(values)]
        if not finite.size:
            return cls()
        sentinel, inside = _sorted_out(values)
        found, zero = values[inside], inside & (values == 0)
        sides = [_between(table, column, values, rows) for rows in (inside & ~zero, zero)]
        return cls(
            frozenset(np.unique(values[sentinel]).tolist()),
            int(sentinel.sum()),
            int(finite.size - sentinel.sum() - inside.sum()),
            int(inside.sum()),
            int(zero.sum()),
            found.min(initial=np.inf),
            found.max(initial=-np.inf),
            _few(np.unique(finite).tolist()),
            finite.size,
            finite.min(),
            finite.max(),
            (sides[0][0], sides[1][0]),
            (sides[0][1], sides[1][1]),
        )

    def __add__(self, other: "Seen") -> "Seen":
        """What both hold together."""
        return Seen(
            self.sentinels | other.sentinels,
            self.n_sentinel + other.n_sentinel,
            self.outside + other.outside,
            self.inside + other.inside,
            self.zeros + other.zeros,
            min(self.low, other.low),
            max(self.high, other.high),
            _few(self.distinct | other.distinct),
            self.finite + other.finite,
            min(self.least, other.least),
            max(self.most, other.most),
            (self.between[0] + other.between[0], self.between[1] + other.between[1]),
            (self.known[0] + other.known[0], self.known[1] + other.known[1]),
        )

    @property
    def all_zero(self) -> bool:
        """Whether every redshift is exactly 0, and there are several."""
        return self.zeros > 1 and self.low == self.high == 0


def _few(values: Sequence[float] | frozenset[float]) -> frozenset[float]:
    return frozenset(sorted(values)[: _MOST_METALS + 1])


def _sorted_out(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where values stand for none, and where they are redshifts."""
    given = np.isfinite(values)
    sentinel = given & np.isclose(values[:, None], _SENTINELS + _NINES, 1e-6, 0).any(axis=1)
    return sentinel, given & ~sentinel & (values >= LOWEST_REDSHIFT) & (values <= HIGHEST_REDSHIFT)


def _between(
    table: AnyTable, column: RedshiftColumn, values: np.ndarray, rows: np.ndarray
) -> tuple[int, int]:
    if not column.upper:
        return 0, 0
    lower, upper = _numbers(table, column.error), _numbers(table, column.upper)
    if lower is None or upper is None:
        return 0, 0
    return between(values[rows], lower[rows], upper[rows])


@dataclass(frozen=True)
class RedshiftRules:
    """What columns of redshifts are taken for.

    Attributes
    ----------
    columns : tuple of RedshiftColumn
        Those that hold any, the preferred first.
    zero_is_none : frozenset of str
        Those in which 0 stands for none.
    sided : dict of str to str
        What both columns of errors are, by the name of the redshifts'.
    offered : tuple of RedshiftColumn
        All that were looked at.
    metals : frozenset of str
        Those that are metallicities.
    remarks : tuple of str
        Sentences on what was found.
    """

    columns: tuple[RedshiftColumn, ...] = ()
    zero_is_none: frozenset[str] = frozenset()
    sided: Mapping[str, str] = field(default_factory=dict)
    offered: tuple[RedshiftColumn, ...] = ()
    metals: frozenset[str] = frozenset()
    remarks: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: AnyTable, columns: Sequence[RedshiftColumn]) -> "RedshiftRules":
        """Decide what columns of a whole table hold."""
        seen = [Seen.of(table, column) for column in columns]
        rows = sample(np.arange(len(table)))
        every = int(rows[1]) if len(rows) > 1 else 1
        some = table
        if every > 1:
            held = list(dict.fromkeys(column.name for column in columns))
            arrow = isinstance(table, pa.Table)
            some = table.select(held).take(rows) if arrow else table[held][rows]
        return cls.decided(columns, seen, some, every, column_names(table))

    @classmethod
    def decided(
        cls,
        columns: Sequence[RedshiftColumn],
        seen: Sequence[Seen],
        some: AnyTable,
        every: int,
        names: Sequence[str],
    ) -> "RedshiftRules":
        """Decide what columns are.

        Parameters
        ----------
        columns : sequence of RedshiftColumn
        seen : sequence of Seen
            What each of them holds in all rows.
        some : pyarrow.Table or astropy Table
            Rows, evenly spread, that say how often a value repeats.
        every : int
            How many rows each of those stands for.
        names : sequence of str
            All columns of the table.
        """
        metals = _metallicities(columns, seen, names)
        read: list[RedshiftColumn] = []
        zero_is_none, sided, remarks = set(), {}, []
        for column, rows in zip(columns, seen, strict=True):
            name = column.name
            if name in metals:
                remarks.append(f"{name} {metals[name]}, so it is not read as a redshift.")
                continue
            if not rows.inside or rows.outside > _MOST_INVALID * (rows.outside + rows.inside):
                if rows.outside:
                    remarks.append(f"{name} has values that are no redshifts, so it is not read.")
                continue
            if rows.n_sentinel:
                shown = ", ".join(f"{value:g}" for value in sorted(rows.sentinels)[:3])
                remarks.append(
                    f"{name} has {rows.n_sentinel:,} values that stand for none ({shown})."
                )
            if rows.outside:
                remarks.append(
                    f"{name} has {rows.outside:,} values that are no redshift, taken as missing."
                )
            if rows.all_zero:
                remarks.append(
                    f"All redshifts in {name} are 0: taken as given, which is light at rest."
                )
            elif rows.zeros > 1 and rows.zeros >= _commonest(some, name, every):
                zero_is_none.add(name)
                remarks.append(f"{name} is exactly 0 in {rows.zeros:,} rows, taken as missing.")
            if column.upper:
                sided[name] = _kind(column, rows, name in zero_is_none)
            read.append(column)
        return cls(
            tuple(read),
            frozenset(zero_is_none),
            sided,
            tuple(columns),
            frozenset(metals),
            tuple(remarks),
        )

    def take(self, table: AnyTable) -> Redshifts:
        """Take each row's redshift from the first of the columns that has a valid one."""
        n = len(table)
        values, errors = np.full(n, np.nan), np.full(n, np.nan)
        pdf = np.full((n, N_NODES), np.nan)
        taken_from: dict[str, int] = {}
        for column in self.columns:
            own = self._valid(table, column.name)
            taken = np.isnan(values) & np.isfinite(own)
            if not taken.any():
                continue
            values[taken] = own[taken]
            error, spread = self._errors(table, column), _pdf(table, column)
            if spread is not None:
                pdf[taken] = spread[taken]
                error = spread.std(axis=1) if error is None else error
            if error is not None:
                errors[taken] = np.where(error > 0, error, np.nan)[taken]
            taken_from[column.name] = int(taken.sum())
        return self.summed_up(taken_from, values, errors, pdf)

    def summed_up(
        self,
        taken_from: Mapping[str, int],
        values: np.ndarray | None = None,
        errors: np.ndarray | None = None,
        pdf: np.ndarray | None = None,
    ) -> Redshifts:
        """Put redshifts together with what is to be said of them.

        Parameters
        ----------
        taken_from : mapping of str to int
            How many rows took theirs from each column.
        values, errors : ndarray, shape (n,), optional
        pdf : ndarray, shape (n, n_nodes), optional
        """
        sources = tuple((c, taken_from[c.name]) for c in self.columns if taken_from.get(c.name))
        used = {column.name for column, _ in sources}
        unused = tuple(
            c.name for c in self.offered if c.name not in used and c.name not in self.metals
        )
        if not sources:
            return Redshifts(unused=unused, remarks=self.remarks)
        known = errors if any(c.error or c.quantiles for c, _ in sources) else None
        spread = pdf if any(column.quantiles for column, _ in sources) else None
        sided = {name: kind for name, kind in self.sided.items() if name in used}
        return Redshifts(values, known, spread, sources, unused, self.remarks, sided)

    def _valid(self, table: AnyTable, name: str) -> np.ndarray:
        values = _numbers(table, name)
        if values is None:
            return np.full(len(table), np.nan)
        _, inside = _sorted_out(values)
        if name in self.zero_is_none:
            inside &= values != 0
        return np.where(inside, values, np.nan)

    def _errors(self, table: AnyTable, column: RedshiftColumn) -> np.ndarray | None:
        """σ of redshifts, None if unknown."""
        error = _numbers(table, column.error) if column.error else None
        if error is None or not column.upper:
            return error
        upper = _numbers(table, column.upper)
        return None if upper is None else sigma(error, upper, self.sided[column.name])


def _pdf(table: AnyTable, column: RedshiftColumn) -> np.ndarray | None:
    """Redshifts that stand for each row's p(z), None if there is none."""
    if not column.quantiles:
        return None
    levels, names = zip(*column.quantiles, strict=True)
    values = [own for name in names if (own := _numbers(table, name)) is not None]
    if len(values) < len(names):
        return None
    stacked = np.stack(values, axis=1)
    inside = (stacked >= LOWEST_REDSHIFT) & (stacked <= HIGHEST_REDSHIFT)
    return nodes(levels, np.where(inside, stacked, np.nan))


def _commonest(some: AnyTable, name: str, every: int) -> int:
    """How many rows of all hold the redshift other than 0 that is commonest."""
    values = _numbers(some, name)
    if values is None:
        return 0
    _, inside = _sorted_out(values)
    _, counts = np.unique(values[inside & (values != 0)], return_counts=True)
    most = counts.max(initial=0)
    # Values that differ in the sample differ in all rows, too.
    return int(most) if most <= 1 else int(most) * every


def _kind(column: RedshiftColumn, seen: Seen, zero_is_none: bool) -> str:
    if re.search("err|unc|sig|std|rms", simple_name(column.error)):
        return SIDES
    inside, known = (x[0] + (0 if zero_is_none else x[1]) for x in (seen.between, seen.known))
    return BOUNDS if known and inside >= MOST_BETWEEN * known else SIDES


def _numbers(table: AnyTable, name: str) -> np.ndarray | None:
    try:
        values = column_numbers(table, name).values.astype(float)
    except InputError:
        return None
    return values if values.ndim == 1 else None


def _metallicities(
    columns: Sequence[RedshiftColumn], seen: Sequence[Seen], names: Sequence[str]
) -> dict[str, str]:
    """Columns called Z that are metallicities, and why."""
    called_z = [c.name for c in columns if c.name in ("z", "Z")]
    spelled = [c.name for c in columns if "redshift" in c.name.lower() or c.name not in called_z]
    found = {}
    for column, rows in zip(columns, seen, strict=True):
        name = column.name
        if name not in called_z:
            continue
        if len(called_z) == 2 and name == "Z":
            found[name] = "stands beside z"
        elif any("redshift" in other.lower() for other in spelled):
            other = next(other for other in spelled if "redshift" in other.lower())
            found[name] = f"may be a metallicity, as {other} is there"
        elif _looks_like_metals(name, rows, names):
            found[name] = "has the values of a metallicity"
    return found


def _looks_like_metals(name: str, seen: Seen, names: Sequence[str]) -> bool:
    """Whether a column has few different values, as grids of metallicity do, all small.

    Or words about metals stand beside it.
    """
    if not seen.finite or seen.least <= 0 or seen.most > 0.1:
        return False
    beside = " ".join(simple_name(other) for other in names if other != name)
    if re.search(r"metal|abund|(^|[^a-z])(m_?h|fe_?h|z_?sun|z_?solar)([^a-z]|$)", beside):
        return True
    return seen.finite >= 20 and len(seen.distinct) <= min(_MOST_METALS, seen.finite // 3)
