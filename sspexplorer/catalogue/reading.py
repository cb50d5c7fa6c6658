"""From a file to a catalogue of galaxies: its columns understood, its numbers in F_ν."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np

from sspexplorer.bounds import GENEROUS, Bounds
from sspexplorer.catalogue import notes
from sspexplorer.catalogue.arrays import array_orders
from sspexplorer.catalogue.columns_map import ColumnsMap, check_map, fluxes_of
from sspexplorer.catalogue.decide import Decision
from sspexplorer.catalogue.files import one_sentence, read_table
from sspexplorer.catalogue.galactic import FOUND, galactic_dust
from sspexplorer.catalogue.held import Catalogue
from sspexplorer.catalogue.masks import MaskRule
from sspexplorer.catalogue.measuring import Decided, measure
from sspexplorer.catalogue.names import read_name
from sspexplorer.catalogue.photometries import (
    ChoiceNeededError,
    Photometry,
    Recognised,
    recognise,
)
from sspexplorer.catalogue.redshift_values import RedshiftRules
from sspexplorer.catalogue.redshifts import RedshiftColumn, redshift_columns
from sspexplorer.catalogue.selection import choose
from sspexplorer.catalogue.source import FileTable
from sspexplorer.catalogue.values import AnyTable, column_names, column_width
from sspexplorer.errors import InputError
from sspexplorer.foreground import dereddened
from sspexplorer.progress import NO_PROGRESS, Progress


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
    file, name = read_table(source, name, looks_right(columns), progress.part(0.0, 0.6), bounds)
    progress.check()
    asked = Asked(photometry, unit, columns, masks, galactic)
    found, _ = understood(file, name, asked, progress=progress.part(0.6, 0.4))
    progress.report(1.0)
    return found


@dataclass(frozen=True)
class Asked:
    """How a catalogue is to be read, as :func:`read_catalogue` takes it."""

    photometry: str | None = None
    unit: str | None = None
    columns: Mapping | None = None
    masks: MaskRule | None = None
    galactic: str | float = FOUND


@dataclass(frozen=True)
class Rules:
    """How a catalogue is read, decided once of the whole, to be applied to parts of it.

    Attributes
    ----------
    recognised : Recognised
    mapped : ColumnsMap
    chosen : Photometry
        As the names say; what its errors turned out to be is in ``decided``.
    decided : Decided
    redshifts : RedshiftRules
    """

    recognised: Recognised
    mapped: ColumnsMap
    chosen: Photometry
    decided: Decided
    redshifts: RedshiftRules


def understood(
    file: FileTable,
    name: str,
    asked: Asked,
    rules: Rules | None = None,
    redshifts: RedshiftRules | None = None,
    progress: Progress = NO_PROGRESS,
) -> tuple[Catalogue, Rules]:
    """Understand the columns of a table that was read.

    Parameters
    ----------
    file : FileTable
    name : str
        Of the file.
    asked : Asked
    rules : Rules, optional
        Of the whole, where the table is a part of it; else they are decided of the table.
    redshifts : RedshiftRules, optional
        Those of the whole, where the rest is to be decided of the table.

    Returns
    -------
    Catalogue
    Rules

    Raises
    ------
    InputError
        If it cannot be used.
    """
    table = file.table
    # A cell may turn out damaged only now, such as text that is not UTF-8.
    with one_sentence(name, "a catalogue"):
        try:
            found, mapped, chosen = (
                (rules.recognised, rules.mapped, rules.chosen) if rules else choice(file, asked)
            )
            measured = measure(
                table,
                chosen,
                asked.unit or mapped.unit,
                asked.masks,
                progress.part(0.0, 0.9),
                rules.decided if rules else None,
            )
            if redshifts is None:
                redshifts = (
                    rules.redshifts if rules else RedshiftRules.of(table, offered(file, mapped))
                )
            taken = redshifts.take(table)
            progress.check()
            dust = galactic_dust(table, asked.galactic, [c.flux for c in chosen.columns])
        except ChoiceNeededError as error:
            raise ChoiceNeededError(f"{name}: {error}", error.option, error.choices) from None
        except InputError as error:
            raise InputError(f"{name}: {error}") from None
    rules = rules or Rules(found, mapped, chosen, measured.decided, redshifts)
    chosen = replace(chosen, columns=measured.columns)
    flux, flux_err = measured.flux, measured.error
    if dust.ebv is not None:
        flux, flux_err = dereddened(flux, flux_err, dust.ebv)
    catalogue = Catalogue(
        name=name,
        table=table,
        flux=flux,
        flux_err=flux_err,
        redshift=taken.values,
        redshift_err=taken.errors,
        redshift_pdf=taken.pdf,
        columns=chosen.columns,
        photometry=chosen.label,
        available_photometries=tuple(p.label for p in found.photometries),
        unit=measured.decision.unit,
        unit_reason=measured.decision.reason,
        redshift_column=taken.sources[0][0].name if taken.sources else "",
        said={
            "file": file.notes,
            "bands": (*notes.on_bands(chosen, found), *notes.on_map(mapped)),
            "masks": notes.on_masks(measured.masked, measured.missing),
            "missing": (
                *notes.on_text(measured.notable),
                *notes.on_missing(measured.missing, chosen, len(measured.flux)),
            ),
            "redshifts": notes.on_redshifts(taken, redshifts.offered, len(flux)),
            "dust": tuple(filter(None, [dust.note])),
        },
        decision=measured.decision,
        missing=measured.missing,
        masked=measured.masked,
        delimiter=file.delimiter,
        redshift_sources=taken.sources,
        id_column=mapped.id,
        unit_of_map=_one_unit(measured.decision),
        galactic=dust.source,
        n_dereddened=0 if dust.ebv is None else int(np.isfinite(dust.ebv).sum()),
        notable=measured.notable,
    )
    return catalogue, rules


def offered(file: FileTable, mapped: ColumnsMap) -> tuple[RedshiftColumn, ...]:
    """Columns that may hold redshifts, by the map or by their names."""
    if mapped.redshifts is not None:
        return mapped.redshifts
    return redshift_columns(own_names(file))


def own_names(file: FileTable) -> list[str]:
    """Columns that count: of those that share a name, the first one."""
    return [c for c in column_names(file.table) if c not in (file.renamed or {})]


def choice(file: FileTable, asked: Asked) -> tuple[Recognised, ColumnsMap, Photometry]:
    """What the names of a table say, what the user does, and the photometry that follows.

    Raises
    ------
    InputError
        If there is none, or a question is open.
    """
    width = _width_of(file.table)
    found = recognise(own_names(file), width, array_orders(file.table))
    mapped = ColumnsMap()
    if asked.columns is not None:
        mapped = check_map(asked.columns, column_names(file.table), width)
    if not (found.photometries or any(mapped.bands.values())):
        raise InputError(notes.nothing_found(found))
    return found, mapped, choose(found, asked.photometry, mapped)


def _names_bands(names: list[str]) -> bool:
    """Whether a table with these columns could be a catalogue, judged by their names."""
    return any(
        column is not None and (column.known or not column.band) for column in map(read_name, names)
    )


def looks_right(columns: Mapping | None) -> Callable[[list[str]], bool]:
    """Tell a catalogue by its columns: those of the map, or names of bands."""
    wanted = fluxes_of(columns)

    def is_one(names: list[str]) -> bool:
        return (bool(wanted) and wanted.issubset(names)) or _names_bands(names)

    return is_one


def _width_of(table: AnyTable) -> Callable[[str], int]:
    return cache(lambda column: column_width(table, column))


def _one_unit(decision: Decision) -> str | None:
    """Unit of all bands; None where they differ, so that their own units decide again."""
    kinds = {band.name for band in decision.bands}
    return decision.unit if len(kinds) == 1 else None
