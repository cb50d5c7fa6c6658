"""Masks and flags of a table: which fluxes they say are bad."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.values import AnyTable, column_numbers, plain_array
from sspexplorer.errors import InputError

_TRUE, _FALSE = ("true", "t", "yes", "y"), ("false", "f", "no", "n", "")


@dataclass(frozen=True)
class MaskRule:
    """Which masks and flags make a flux missing.

    Attributes
    ----------
    masks : bool
        Whether any mask flag other than 0 does (MASK_FLAGS of the J-PAS archive: bright stars,
        edges, artefacts).
    largest_flag : int or None
        Greatest value of SExtractor's FLAGS that does not: by default 3, a neighbour (1) or
        deblended (2). Saturated is 4 (Bertin & Arnouts 1996). None ignores these flags.
    """

    masks: bool = True
    largest_flag: int | None = 3


@dataclass(frozen=True, eq=False)
class Masked:
    """What masks and flags say.

    Attributes
    ----------
    bad : ndarray of bool, shape (n, 57), or None
        None if no column is used.
    columns : dict of str to int
        Columns that were used, and how many cells each says are bad.
    ignored : tuple of str
        Columns that the rule leaves unused.
    rule : MaskRule
    """

    bad: np.ndarray | None = None
    columns: dict[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    rule: MaskRule = MaskRule()


def find_masked(
    table: AnyTable, columns: Sequence[BandColumn | None], rule: MaskRule | None = None
) -> Masked:
    """Read the masks and flags of each band.

    Parameters
    ----------
    table : pyarrow.Table or astropy Table
    columns : sequence of BandColumn or None, 57 values
    rule : MaskRule, optional
        The default one if not given.

    Raises
    ------
    InputError
        If a mask column holds something else than numbers or true and false.
    """
    rule = rule or MaskRule()
    bad: np.ndarray | None = None
    used: dict[str, int] = {}
    ignored: dict[str, None] = {}
    read: dict[str, np.ndarray] = {}
    for band, column in enumerate(columns):
        for name, element, kind in column.masks if column else ():
            if (kind == "mask" and not rule.masks) or (
                kind == "sextractor" and rule.largest_flag is None
            ):
                ignored[name] = None
                continue
            if name not in read:
                read[name] = _flags(table, name)
            values = read[name] if element is None else read[name][:, element]
            if values.ndim != 1:
                raise InputError(f"The mask column {name!r} has several values a row.")
            with np.errstate(invalid="ignore"):
                flagged = values > rule.largest_flag if kind == "sextractor" else values != 0
            flagged &= np.isfinite(values)
            used[name] = used.get(name, 0) + int(flagged.sum())
            if flagged.any():
                bad = np.zeros((len(table), len(BAND_NAMES)), bool) if bad is None else bad
                bad[:, band] |= flagged
    return Masked(bad, used, tuple(ignored), rule)


def _flags(table: AnyTable, name: str) -> np.ndarray:
    """Column of flags as numbers; true is 1."""
    if not isinstance(table, pa.Table):
        values = np.asarray(table[name])
        if values.dtype.kind == "b":
            return values.astype(np.uint8)
        return column_numbers(table, name).values
    column = plain_array(table[name])
    if pa.types.is_boolean(column.type):
        return pc.fill_null(column, False).cast(pa.uint8()).to_numpy()
    if pa.types.is_string(column.type):
        words = pc.utf8_lower(pc.utf8_trim_whitespace(pc.fill_null(column, "")))
        if pc.all(pc.is_in(words, pa.array([*_TRUE, *_FALSE]))).as_py():
            return pc.is_in(words, pa.array(_TRUE)).cast(pa.uint8()).to_numpy()
    return column_numbers(table, name).values
