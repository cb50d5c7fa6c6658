"""A galaxy catalogue as the rest of the program sees it: F_ν in 57 bands, and the table kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import writing
from sspexplorer.catalogue.columns_map import map_of
from sspexplorer.catalogue.convert import to_frame
from sspexplorer.catalogue.decide import Decision
from sspexplorer.catalogue.fnu import Missing
from sspexplorer.catalogue.masks import Masked
from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.redshifts import RedshiftColumn
from sspexplorer.catalogue.values import AnyTable, Numbers, column_names


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
    redshift_pdf : ndarray, shape (n, n_nodes), float64, or None
        Redshifts that stand for a full p(z), all as likely; NaN of rows without; None if there is
        none.
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
    n_dereddened : int
        For how many rows.
    notable : dict of str to Numbers
        Columns with cells that hold no number, or a limit.
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
    n_dereddened: int = 0
    notable: Mapping[str, Numbers] = field(default_factory=dict)
    redshift_pdf: np.ndarray | None = None

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

    @cached_property
    def n_missing_by_band(self) -> dict[str, int]:
        """Rows without a flux, for each of the 57 bands; counted once, since it reads all."""
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
        rows: np.ndarray | None = None,
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
        rows : ndarray of int, optional
            Which rows to write, counted from 0; all unless given.

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
        table = self.table
        if rows is not None:
            table = table.take(rows) if isinstance(table, pa.Table) else table[rows]
            extra = None if extra is None else extra.iloc[rows]
        return writing.write(table, target, form, extra, self.delimiter, frozenset(arrays), about)
