"""A galaxy catalogue as the rest of the program sees it: F_ν in 57 bands, and the table kept."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from sspexplorer.bands import BAND_NAMES
from sspexplorer.bounds import GENEROUS, Bounds
from sspexplorer.catalogue import notes, writing
from sspexplorer.catalogue.arrays import array_orders
from sspexplorer.catalogue.columns_map import ColumnsMap, check_map, fluxes_of, map_of
from sspexplorer.catalogue.convert import to_frame
from sspexplorer.catalogue.decide import Decision
from sspexplorer.catalogue.files import one_sentence, read_table
from sspexplorer.catalogue.fnu import Missing
from sspexplorer.catalogue.galactic import FOUND, galactic_dust
from sspexplorer.catalogue.masks import Masked, MaskRule
from sspexplorer.catalogue.measuring import measure
from sspexplorer.catalogue.names import BandColumn, read_name
from sspexplorer.catalogue.photometries import ChoiceNeededError, recognise
from sspexplorer.catalogue.redshifts import RedshiftColumn, read_redshifts, redshift_columns
from sspexplorer.catalogue.selection import choose
from sspexplorer.catalogue.values import (
    AnyTable,
    column_names,
    column_width,
)
from sspexplorer.errors import InputError
from sspexplorer.foreground import dereddened
from sspexplorer.progress import NO_PROGRESS, Progress


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
        The first that was used, "" if there is none.
    said : dict of str to tuple of str
        Sentences on what was found, ignored and missing, by what they are about: "file",
        "bands", "masks", "missing", "redshifts" and "dust".
    delimiter : str
        What separates the cells of a text table, "" for other formats.
    redshift_sources : tuple of (RedshiftColumn, int)
        Each column that redshifts were taken from, the preferred first, and for how many rows.
    id_column : str
        Column that names the rows, "" unless a map of columns says so.
    unit_of_map : str or None
        Unit that a map of columns says; None where bands have units of different kinds.
    galactic : str
        Where the E(B−V) of the Milky Way came from that fluxes are corrected for; "" if they are
        not.
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
    said: Mapping[str, tuple[str, ...]]
    decision: Decision
    missing: Missing
    masked: Masked
    delimiter: str = ""
    redshift_sources: tuple[tuple[RedshiftColumn, int], ...] = ()
    id_column: str = ""
    unit_of_map: str | None = None
    galactic: str = ""

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.flux)

    @property
    def notes(self) -> tuple[str, ...]:
        """All sentences of :attr:`said`."""
        return tuple(chain.from_iterable(self.said.values()))

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

    def column_map(self) -> dict:
        """Which columns were read, as the mapping that :func:`read_catalogue` takes.

        Reading the same file with it gives the same numbers, and guesses nothing. Bands that
        were not read are None.
        """
        redshifts = [column for column, _ in self.redshift_sources]
        found = map_of(self.columns, redshifts, self.unit_of_map, self.id_column)
        return {"photometry": self.photometry} | found

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
        about: Mapping[str, str | float | bool] | None = None,
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
            tell them apart) gets ``_2`` appended to it, or the next number that is free. Those of
            predictions and fits get their units and descriptions.
        about : dict, optional
            What the file should say about itself, by keywords of FITS: up to eight capitals and
            digits. Text has no place for it.

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
        return writing.write(
            self.table, target, form, extra, self.delimiter, frozenset(arrays), about
        )


def read_catalogue(
    source: str | Path | bytes | BinaryIO | Sequence[str | Path],
    name: str | None = None,
    *,
    photometry: str | None = None,
    unit: str | None = None,
    columns: Mapping | None = None,
    masks: MaskRule | None = None,
    galactic: str | float = FOUND,
    progress: Progress = NO_PROGRESS,
    bounds: Bounds = GENEROUS,
) -> Catalogue:
    """Read a catalogue of galaxies and understand its columns.

    Parameters
    ----------
    source : path, bytes, binary file, or sequence of paths
        Text (separated by any sign, by spaces, or aligned), ECSV, FITS, VOTable, Parquet, Feather
        or HDF5, also packed. Several paths, or all catalogues of a folder, are read one below the
        other; "-" is standard input.
    name : str, optional
        File name; its ending says the format. Needed unless ``source`` is a path.
    photometry : str, optional
        Which to read where there are several, such as "AUTO"; the best one if not given, see
        :attr:`Catalogue.available_photometries`.
    unit : str, optional
        "fnu", "flambda", "mag" or "stmag", where what the file says is wrong.
    columns : mapping, optional
        Which column holds what, where names are guessed wrongly: ``{"redshift": "z_best",
        "bands": {"J0378": {"flux": "F378", "error": "F378_ERR"}}}``. What it leaves out is
        recognised as without it; see :mod:`~sspexplorer.catalogue.columns_map` for all keys, and
        :meth:`Catalogue.column_map` for the mapping of what was read.
    masks : MaskRule, optional
        Which masks and flags make a flux missing; by default any mask, and SExtractor's flags
        above 3.
    galactic : str or float
        E(B−V) of the Milky Way to correct fluxes for, see
        :func:`~sspexplorer.catalogue.galactic.galactic_dust`; by default a column that says so.
    progress : Progress, optional
        Told how far the reading is; asked between its steps whether to go on.
    bounds : Bounds
        How large the table may be, see :mod:`~sspexplorer.bounds`.

    Raises
    ------
    InputError
        If it cannot be used; one sentence says what and where.
    Cancelled
        If the progress said so.
    """
    reading = progress.part(0.0, 0.6)
    file, name = read_table(source, name, _looks_right(columns), reading, bounds)
    progress.check()
    # A cell may turn out damaged only now, such as text that is not UTF-8.
    with one_sentence(name, "a catalogue"):
        # Of columns that share a name, the first one counts.
        names = [c for c in column_names(file.table) if c not in (file.renamed or {})]
        width = _width_of(file.table)
        found = recognise(names, width, array_orders(file.table))
        try:
            mapped = ColumnsMap()
            if columns is not None:
                mapped = check_map(columns, column_names(file.table), width)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        if not (found.photometries or any(mapped.bands.values())):
            raise InputError(f"{name}: {notes.nothing_found(found)}")
        try:
            chosen = choose(found, photometry, mapped)
            measured = measure(
                file.table, chosen, unit or mapped.unit, masks, progress.part(0.6, 0.35)
            )
        except ChoiceNeededError as error:
            raise ChoiceNeededError(f"{name}: {error}", error.option, error.choices) from None
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
        offered = redshift_columns(names) if mapped.redshifts is None else mapped.redshifts
        redshifts = read_redshifts(file.table, offered)
        progress.check()
        try:
            dust = galactic_dust(file.table, galactic, [c.flux for c in chosen.columns])
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    progress.report(1.0)
    chosen = replace(chosen, columns=measured.columns)
    flux, flux_err = measured.flux, measured.error
    if dust.ebv is not None:
        flux, flux_err = dereddened(flux, flux_err, dust.ebv)
    return Catalogue(
        name=name,
        table=file.table,
        flux=flux,
        flux_err=flux_err,
        redshift=redshifts.values,
        redshift_err=redshifts.errors,
        columns=chosen.columns,
        photometry=chosen.label,
        available_photometries=tuple(p.label for p in found.photometries),
        unit=measured.decision.unit,
        unit_reason=measured.decision.reason,
        redshift_column=redshifts.sources[0][0].name if redshifts.sources else "",
        said={
            "file": file.notes,
            "bands": (*notes.on_bands(chosen, found), *notes.on_map(mapped)),
            "masks": notes.on_masks(measured.masked, measured.missing),
            "missing": (
                *notes.on_text(measured.notable),
                *notes.on_missing(measured.missing, chosen, len(measured.flux)),
            ),
            "redshifts": notes.on_redshifts(redshifts, offered, len(measured.flux)),
            "dust": tuple(filter(None, [dust.note])),
        },
        decision=measured.decision,
        missing=measured.missing,
        masked=measured.masked,
        delimiter=file.delimiter,
        redshift_sources=redshifts.sources,
        id_column=mapped.id,
        unit_of_map=_one_unit(measured.decision),
        galactic=dust.source,
    )


def _names_bands(names: list[str]) -> bool:
    """Whether a table with these columns could be a catalogue, judged by their names."""
    return any(
        column is not None and (column.known or not column.band) for column in map(read_name, names)
    )


def _looks_right(columns: Mapping | None) -> Callable[[list[str]], bool]:
    """Tell a catalogue by its columns: those of the map, or names of bands."""
    wanted = fluxes_of(columns)

    def looks_right(names: list[str]) -> bool:
        return (bool(wanted) and wanted.issubset(names)) or _names_bands(names)

    return looks_right


def _width_of(table: AnyTable) -> Callable[[str], int]:
    return cache(lambda column: column_width(table, column))


def _one_unit(decision: Decision) -> str | None:
    """Unit of all bands; None where they differ, so that their own units decide again."""
    kinds = {band.name for band in decision.bands}
    return decision.unit if len(kinds) == 1 else None
