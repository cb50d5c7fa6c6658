"""A galaxy catalogue as the rest of the program sees it: F_ν in 57 bands, and the table kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import notes, writing
from sspexplorer.catalogue.convert import to_frame
from sspexplorer.catalogue.decide import Decision, decide, sample
from sspexplorer.catalogue.files import one_sentence, read_table
from sspexplorer.catalogue.fnu import Missing, to_fnu
from sspexplorer.catalogue.limits import find_codes
from sspexplorer.catalogue.masks import Masked, MaskRule, find_masked
from sspexplorer.catalogue.names import (
    BandColumn,
    Photometry,
    Recognised,
    read_name,
    recognise,
    redshift_error,
)
from sspexplorer.catalogue.values import (
    AnyTable,
    Numbers,
    column_names,
    column_numbers,
    column_unit,
    column_width,
    stack_columns,
)
from sspexplorer.errors import InputError
from sspexplorer.mocks import LABELS

# Anything beyond stands for no value, or is the magnitude in the z band.
_LOWEST_REDSHIFT, _HIGHEST_REDSHIFT = -0.01, 10.0


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Galaxies, read from a file and understood.

    Attributes
    ----------
    name : str
        File name.
    table : pyarrow.Table or astropy Table
        The file's rows and columns, untouched: Arrow for text (every cell as text) and Parquet,
        astropy for FITS, VOTable and ECSV. :meth:`frame` gives either as pandas.
    flux : ndarray, shape (n, 57), float64
        F_ν, on a scale that is the same for all bands and rows; NaN is missing.
    flux_err : ndarray, shape (n, 57), float64
        Its 1σ error on the same scale; NaN is unknown.
    redshift : ndarray, shape (n,), float64, or None
        NaN is unknown; None if there is no such column.
    redshift_err : ndarray, shape (n,), float64, or None
        Its 1σ error, NaN where unknown; None if there is no such column.
    columns : tuple of BandColumn
        Which columns the bands were read from, in band order.
    photometry : str
        Label of the photometry that was read.
    available_photometries : tuple of str
        Labels of all, the best first.
    unit : str
        What the numbers in the file were taken to be: "fnu", "flambda", "mag" or "stmag".
    unit_reason : str
        Why, in words.
    decision : Decision
        The same in full: what decided, how surely, and the unit of each band and error.
    missing : Missing
        How many fluxes are missing, and why.
    masked : Masked
        Mask and flag columns that were used.
    redshift_column : str
        "" if there is none.
    notes : tuple of str
        Sentences on what was found, ignored and missing.
    delimiter : str
        What separates the cells of a text table, "" for other formats.
    """

    name: str
    table: AnyTable
    flux: np.ndarray
    flux_err: np.ndarray
    redshift: np.ndarray | None
    redshift_err: np.ndarray | None
    columns: tuple[BandColumn, ...]
    photometry: str
    available_photometries: tuple[str, ...]
    unit: str
    unit_reason: str
    redshift_column: str
    notes: tuple[str, ...]
    decision: Decision
    missing: Missing
    masked: Masked
    delimiter: str = ""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.flux)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.flux)

    @property
    def bands(self) -> tuple[str, ...]:
        """Bands that have a column, in order."""
        return tuple(column.band for column in self.columns)

    @property
    def absent_bands(self) -> tuple[str, ...]:
        """Bands that have no column, in order."""
        return tuple(name for name in BAND_NAMES if name not in self.bands)

    @property
    def n_missing_by_band(self) -> dict[str, int]:
        """Rows without a flux, for each of the 57 bands."""
        return dict(zip(BAND_NAMES, np.isnan(self.flux).sum(axis=0).tolist(), strict=True))

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of the file's columns, in order."""
        return tuple(column_names(self.table))

    def frame(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """File's columns as pandas, all that have one value a row if none are named.

        Text tables give text, so that an identifier keeps its leading zeros.
        """
        return to_frame(self.table, columns)

    def write(
        self,
        target: str | Path | BinaryIO,
        form: str | None = None,
        extra: pd.DataFrame | None = None,
    ) -> tuple[str, ...]:
        """Write every row and column of the file, in order, then further columns.

        Text cells are written to text as they were read. Other formats get numbers where a
        whole column is numbers, though not where one has a leading zero, which marks an
        identifier. In text, arrays read ``[1 2 3]`` and NaN is an empty cell.

        Parameters
        ----------
        target : path or binary file
            A path is replaced at once when all is written, or not at all.
        form : str, optional
            File name or ending that says the format; needed unless ``target`` is a path.
        extra : DataFrame, n rows, optional
            Columns to append. One whose name is taken (in any letter case, since FITS does not
            tell them apart) gets ``_2`` appended to it, or the next number that is free.

        Returns
        -------
        tuple of str
            A sentence for each column whose name had to change.

        Raises
        ------
        InputError
            If the ending is unknown or the file cannot be written.
        """
        arrays = {column.flux for column in self.columns if column.flux_element is not None}
        arrays |= {column.error for column in self.columns if column.error_element is not None}
        return writing.write(self.table, target, form, extra, self.delimiter, frozenset(arrays))


def read_catalogue(
    source: str | Path | bytes | BinaryIO,
    name: str | None = None,
    *,
    photometry: str | None = None,
    unit: str | None = None,
    masks: MaskRule | None = None,
) -> Catalogue:
    """Read a catalogue of galaxies and understand its columns.

    Parameters
    ----------
    source : path, bytes or binary file
        CSV (also with semicolons, tabs or bars), ECSV, FITS, VOTable or Parquet.
    name : str, optional
        File name; its ending says the format. Needed unless ``source`` is a path.
    photometry : str, optional
        Which to read where there are several, such as "AUTO"; the best one if not given, see
        :attr:`Catalogue.available_photometries`.
    unit : str, optional
        "fnu", "flambda", "mag" or "stmag", where what the file says is wrong.
    masks : MaskRule, optional
        Which masks and flags make a flux missing; by default any mask, and SExtractor's flags
        above 3.

    Raises
    ------
    InputError
        If it cannot be used; one sentence says what and where.
    """
    file = read_table(source, name, _names_bands)
    name = name or Path(str(source)).name
    # A cell may turn out damaged only now, such as text that is not UTF-8.
    with one_sentence(name, "a catalogue"):
        found = recognise(column_names(file.table), lambda c: column_width(file.table, c))
        if not found.photometries:
            raise InputError(f"{name}: {notes.nothing_found(found)}")
        try:
            chosen = found.photometry(photometry)
            measured = _measure(file.table, chosen, unit, masks)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        redshift, redshift_column, redshift_notes = _redshift(file.table, found)
    return Catalogue(
        name=name,
        table=file.table,
        flux=measured.flux,
        flux_err=measured.error,
        redshift=redshift,
        redshift_err=_redshift_error(file.table, redshift_column),
        columns=chosen.columns,
        photometry=chosen.label,
        available_photometries=tuple(p.label for p in found.photometries),
        unit=measured.decision.unit,
        unit_reason=measured.decision.reason,
        redshift_column=redshift_column,
        notes=(
            *file.notes,
            *notes.on_bands(chosen, found),
            *notes.on_text(measured.unreadable),
            *notes.on_masks(measured.masked, measured.missing),
            *notes.on_missing(measured.missing, chosen, len(measured.flux)),
            *redshift_notes,
        ),
        decision=measured.decision,
        missing=measured.missing,
        masked=measured.masked,
        delimiter=file.delimiter,
    )


def _names_bands(names: list[str]) -> bool:
    """Whether a table with these columns could be a catalogue, judged by their names."""
    return any(
        column is not None and (column.known or not column.band) for column in map(read_name, names)
    )


@dataclass(frozen=True, eq=False)
class _Measured:
    flux: np.ndarray
    error: np.ndarray
    decision: Decision
    missing: Missing
    masked: Masked
    unreadable: dict[str, Numbers]


def _measure(
    table: AnyTable, chosen: Photometry, unit: str | None, rule: MaskRule | None
) -> _Measured:
    """Numbers of a photometry, converted to F_ν."""
    by_band = {column.band: column for column in chosen.columns}
    columns = [by_band.get(band) for band in BAND_NAMES]
    names = dict.fromkeys(c.flux for c in chosen.columns)
    names |= dict.fromkeys(c.error for c in chosen.columns if c.error)
    numbers = {name: column_numbers(table, name) for name in names}
    fluxes = [(numbers[c.flux].values, c.flux_element) if c else None for c in columns]
    errors = [
        (numbers[c.error].values, c.error_element) if c and c.error else None for c in columns
    ]
    flux, error = stack_columns(fluxes, len(table)), stack_columns(errors, len(table))
    masked = find_masked(table, columns, rule)
    mocks = set(LABELS) <= set(column_names(table))
    few, few_errors = sample(flux), sample(error)
    decision = decide(
        few if masked.bad is None else np.where(sample(masked.bad), np.nan, few),
        few_errors,
        columns,
        {name: column_unit(table, name) for name in names},
        unit=unit,
        quantity="FNU" if mocks else chosen.quantity,
        label="as those of our mock samples" if mocks else chosen.label,
    )
    logarithmic = np.array([band.step != 0 for band in decision.bands])
    codes = find_codes(few, few_errors, logarithmic)
    missing = to_fnu(flux, error, decision.bands, decision.errors, codes, masked.bad)
    notable = {name: n for name, n in numbers.items() if n.unreadable or n.limits}
    return _Measured(flux, error, decision, missing, masked, notable)


def _redshift(table: AnyTable, found: Recognised) -> tuple[np.ndarray | None, str, tuple[str, ...]]:
    """Redshifts, their column, and sentences about them; the first column that has any."""
    names = [name for name, _ in found.redshifts]
    for name, kind in found.redshifts:
        try:
            values = column_numbers(table, name).values.astype(float)
        except InputError:
            continue
        if values.ndim != 1:
            continue
        valid = (values >= _LOWEST_REDSHIFT) & (values <= _HIGHEST_REDSHIFT)
        if valid.any():
            others = [other for other in names if other != name]
            return (
                np.where(valid, values, np.nan),
                name,
                notes.on_redshift(name, kind, int(valid.sum()), len(values), others),
            )
    return None, "", notes.no_redshift(names)


def _redshift_error(table: AnyTable, redshift_column: str) -> np.ndarray | None:
    """Errors of the redshifts that were taken, NaN where they are no positive number."""
    column = redshift_error(column_names(table), redshift_column) if redshift_column else None
    if column is None:
        return None
    try:
        values = column_numbers(table, column).values.astype(float)
    except InputError:
        return None
    return np.where(values > 0, values, np.nan) if values.ndim == 1 else None
