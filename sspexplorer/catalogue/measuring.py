"""The numbers of one photometry, read from a table and converted to F_ν."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import two_sided
from sspexplorer.catalogue.decide import Decision, decide, sample
from sspexplorer.catalogue.fnu import Missing, to_fnu
from sspexplorer.catalogue.limits import Codes, find_codes
from sspexplorer.catalogue.masks import Masked, MaskRule, find_masked
from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.photometries import Photometry
from sspexplorer.catalogue.values import (
    AnyTable,
    Numbers,
    column_names,
    column_numbers,
    column_unit,
    stack_columns,
)
from sspexplorer.errors import InputError
from sspexplorer.mocks import LABELS
from sspexplorer.progress import NO_PROGRESS, Progress


@dataclass(frozen=True)
class Decided:
    """What was decided of a photometry from a sample of its rows.

    Attributes
    ----------
    decision : Decision
        What the numbers are.
    codes : Codes
        Numbers that stand for none.
    sided : str
        What two columns of errors are whose names do not say, see
        :mod:`~sspexplorer.catalogue.two_sided`.
    """

    decision: Decision
    codes: Codes
    sided: str = two_sided.SIDES


@dataclass(frozen=True, eq=False)
class Measured:
    """What was measured, in F_ν.

    Attributes
    ----------
    flux, error : ndarray, shape (n, 57), float64
        In erg/s/cm²/Hz, or on a scale that is the same for all; NaN is missing.
    decided : Decided
    missing : Missing
    masked : Masked
    columns : tuple of BandColumn
        Those of the photometry, with what their errors turned out to be.
    notable : dict of str to Numbers
        Columns with cells that hold no number, or a limit.
    """

    flux: np.ndarray
    error: np.ndarray
    decided: Decided
    missing: Missing
    masked: Masked
    columns: tuple[BandColumn, ...]
    notable: dict[str, Numbers]

    @property
    def decision(self) -> Decision:
        """What the numbers are."""
        return self.decided.decision


def measure(
    table: AnyTable,
    chosen: Photometry,
    unit: str | None,
    rule: MaskRule | None,
    progress: Progress = NO_PROGRESS,
    decided: Decided | None = None,
) -> Measured:
    """Read the numbers of a photometry, decide what they are, and convert them to F_ν.

    Parameters
    ----------
    table : pyarrow.Table or astropy Table
    chosen : Photometry
    unit : str or None
        The user's word for the unit.
    rule : MaskRule or None
        Which masks and flags make a flux missing.
    decided : Decided, optional
        What was decided before, of a sample of the table whose part this is; ``unit`` is of no
        effect then.

    Raises
    ------
    InputError
        If a column cannot be used, or nothing decides what the numbers are.
    """
    by_band = {column.band: column for column in chosen.columns}
    columns = [by_band.get(band) for band in BAND_NAMES]
    names = dict.fromkeys(c.flux for c in chosen.columns)
    names |= dict.fromkeys(x for c in chosen.columns for x in (c.error, c.error_upper) if x)
    numbers = {}
    for i, name in enumerate(names):
        progress.check()
        progress.report(0.5 * i / len(names))
        if decided is None:
            numbers[name] = column_numbers(table, name)
        else:
            numbers[name] = _of_part(table, name, _width(name, chosen.columns))
    fluxes = [(numbers[c.flux].values, c.flux_element) if c else None for c in columns]
    errors = [
        (numbers[c.error].values, c.error_element) if c and c.error else None for c in columns
    ]
    flux, error = stack_columns(fluxes, len(table)), stack_columns(errors, len(table))
    sided = decided.sided if decided else two_sided.SIDES
    if any(c.error_upper for c in chosen.columns):
        uppers = [
            (numbers[c.error_upper].values, c.error_upper_element) if c and c.error_upper else None
            for c in columns
        ]
        upper = stack_columns(uppers, len(table))
        sided = decided.sided if decided else _sided(flux, error, upper, columns)
        columns = _two_sided(error, upper, columns, sided)
    progress.check()
    masked = find_masked(table, columns, rule)
    progress.check()
    if decided is None:
        few, few_errors = sample(flux), sample(error)
        if masked.bad is not None:
            few = np.where(sample(masked.bad), np.nan, few)
        mocks = set(LABELS) <= set(column_names(table))
        decision = decide(
            few,
            few_errors,
            columns,
            {name: column_unit(table, name) for name in names},
            unit=unit,
            quantity="FNU" if mocks else chosen.quantity,
            label="as those of our mock samples" if mocks else chosen.label,
        )
        logarithmic = np.array([band.step != 0 for band in decision.bands])
        decided = Decided(decision, find_codes(few, few_errors, logarithmic), sided)
    decision, codes = decided.decision, decided.codes
    converting = progress.part(0.7, 0.3)
    missing = to_fnu(flux, error, decision.bands, decision.errors, codes, masked.bad, converting)
    notable = {name: read for name, read in numbers.items() if read.unreadable or read.limits}
    read = tuple(column for column in columns if column)
    return Measured(flux, error, decided, missing, masked, read, notable)


def _width(name: str, columns: Sequence[BandColumn]) -> int:
    """Least number of values in a row of an array column; 0 for a plain one."""
    elements = [
        element
        for c in columns
        for own, element in (
            (c.flux, c.flux_element),
            (c.error, c.error_element),
            (c.error_upper, c.error_upper_element),
        )
        if own == name and element is not None
    ]
    return max(elements) + 1 if elements else 0


def _of_part(table: AnyTable, name: str, width: int) -> Numbers:
    """Column of a part of a table, which may have no value at all where the whole has some."""
    if isinstance(table, pa.Table) and table[name].null_count == len(table):
        return Numbers(np.full((len(table), width) if width else len(table), np.nan))
    found = column_numbers(table, name)
    if width and found.values.ndim == 1 and not np.isfinite(found.values).any():
        return replace(found, values=np.full((len(table), width), np.nan))
    if width and (found.values.ndim == 1 or found.values.shape[1] < width):
        raise InputError(f"The array column {name!r} has fewer than {width} values in some rows.")
    return found


def _sided(
    flux: np.ndarray, error: np.ndarray, upper: np.ndarray, columns: list[BandColumn | None]
) -> str:
    """What lower and upper columns are whose names, such as J0378_lo, may mean either."""
    sided = {i: column for i, column in enumerate(columns) if column and column.error_upper}
    if {column.error_kind for column in sided.values()} != {two_sided.BOUNDS}:
        return two_sided.SIDES
    at = list(sided)
    return two_sided.kind_of(*(sample(x[:, at]) for x in (flux, error, upper)))


def _two_sided(
    error: np.ndarray, upper: np.ndarray, columns: list[BandColumn | None], kind: str
) -> list[BandColumn | None]:
    """Put σ in the place of lower errors, and say of each band what they are."""
    for i, column in enumerate(columns):
        if column and column.error_upper:
            own = kind if column.error_kind == two_sided.BOUNDS else two_sided.SIDES
            error[:, i] = two_sided.sigma(error[:, i], upper[:, i], own)
            columns[i] = replace(column, error_kind=own)
    return columns
