"""The answer as a catalogue in Parquet: units, descriptions and where it comes from included."""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy import units as u
from astropy.table import Table
from astropy.table.meta import get_yaml_from_table

from sspexplorer.archive.layout import Column, Photometry
from sspexplorer.archive.results import understood_unit
from sspexplorer.catalogue.convert import to_arrow
from sspexplorer.errors import Cancelled, InputError
from sspexplorer.whole import whole

PROVENANCE = "sspexplorer.archive"


def as_catalogue(
    table: Table, columns: Sequence[Column], photometry: Photometry | None
) -> tuple[Table, tuple[str, ...]]:
    """Give the rows of an answer the names, units and errors of a catalogue.

    Relative errors become errors on the scale of the fluxes, |flux × relative error|: where a
    flux is negative, the archive's relative error may be, too. One that is negative beside a
    positive flux stands for none, and becomes missing.

    Parameters
    ----------
    table : Table
        As it came; changed.
    columns : sequence of Column
        What was asked for; none for a query of a person's own.
    photometry : Photometry, optional
        Which fluxes were asked for.

    Returns
    -------
    table : Table
    notes : tuple of str
        Sentences on what was not as expected.

    Raises
    ------
    InputError
        If a column that was asked for has not come.
    """
    if not columns:
        return table, ()
    came = {name.lower(): name for name in table.colnames}
    missing = [c.name for c in columns if c.name.lower() not in came]
    if missing:
        raise InputError(
            f"The service left out {len(missing)} of the columns that were asked for, such as "
            f"{missing[0]}."
        )
    found = Table(
        [table[came[c.name.lower()]] for c in columns],
        names=[c.name for c in columns],
        copy=False,
    )
    notes = _give_units(found, columns)
    if photometry and photometry.layout.relative:
        notes += _absolute_errors(found, photometry)
    return found, notes


def _give_units(table: Table, columns: Sequence[Column]) -> tuple[str, ...]:
    """Set units: the service's own where it states one, else those that are documented."""
    stated = 0
    differing: dict[str, str] = {}
    expected = [c for c in columns if c.unit]
    for column in columns:
        own = understood_unit(table[column.name].unit)
        table[column.name].description = column.description
        table[column.name].unit = own if own is not None else (u.Unit(column.unit) or None)
        if not column.unit:
            continue
        stated += own is not None
        if own is not None and own != u.Unit(column.unit):
            differing.setdefault(own.to_string(), column.name)
    notes = [
        f"The service states the unit {unit} ({name} and others), which is kept."
        for unit, name in differing.items()
    ]
    if not stated and expected:
        units = ", ".join(dict.fromkeys(c.unit for c in expected if c.unit not in ("deg", "mag")))
        notes.append(f"The service states no units; fluxes are taken as documented: {units}.")
    return tuple(notes)


def _absolute_errors(table: Table, photometry: Photometry) -> tuple[str, ...]:
    layout, aperture = photometry.layout, photometry.aperture.upper()
    value, relative = f"{layout.value}_{aperture}".upper(), f"{layout.error}_{aperture}".upper()
    absolute = relative.replace("RELERR", "ERR")
    unusable = 0
    for name in [n for n in table.colnames if n.startswith(f"{relative}_")]:
        band = name[len(relative) + 1 :]
        flux = np.ma.filled(np.ma.asarray(table[f"{value}_{band}"]).astype(float), np.nan)
        fraction = np.ma.filled(np.ma.asarray(table[name]).astype(float), np.nan)
        with np.errstate(all="ignore"):
            wrong = (fraction < 0) & (flux > 0)
            error = np.where(wrong, np.nan, np.abs(flux * fraction))
        unusable += int(wrong.sum())
        place = table.colnames.index(name)
        unit = table[f"{value}_{band}"].unit
        table.remove_column(name)
        table.add_column(error.astype(np.float32), name=f"{absolute}_{band}", index=place)
        table[f"{absolute}_{band}"].unit = unit
        table[f"{absolute}_{band}"].description = f"|{value} × {relative}| of {band}"
    notes = [f"{absolute} is |{value} × {relative}|, in the unit of the flux."]
    if unusable:
        notes.append(
            f"{unusable:,} relative errors are negative beside a positive flux: no errors."
        )
    return tuple(notes)


class Keeper:
    """Writes a Parquet file part by part; nothing is at its place before all of it is there.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writing = contextlib.ExitStack()
        self._writer: Any = None
        self._schema: Any = None
        self.n_rows = 0

    def add(self, table: Table) -> None:
        """Add rows.

        Raises
        ------
        InputError
            If they have other columns than those before, or cannot be written.
        """
        rows = to_arrow(table)
        with self._sentence():
            if self._writer is None:
                self._schema = _described(rows.schema, table)
                file = self._writing.enter_context(whole(self.path))
                self._writer = pq.ParquetWriter(file, self._schema, compression="zstd")
            elif rows.schema.names != self._schema.names:
                raise InputError("The service gave other columns in one part than in another.")
            self._writer.write_table(rows.cast(self._schema))
        self.n_rows += len(table)

    def finish(self, provenance: Mapping[str, Any]) -> None:
        """Put the file at its place, with where it comes from.

        Raises
        ------
        InputError
            If it cannot be written.
        """
        with self._sentence():
            text = json.dumps(provenance, ensure_ascii=False)
            self._writer.add_key_value_metadata({PROVENANCE: text})
            self._writer.close()
            self._writing.close()

    def discard(self) -> None:
        """Remove what is not at its place."""
        with contextlib.suppress(Exception):
            if self._writer is not None:
                self._writer.close()
        # As if an error had ended the block, so that nothing is moved.
        self._writing.__exit__(Cancelled, Cancelled(), None)

    @contextlib.contextmanager
    def _sentence(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise InputError(f"Cannot write {self.path}: {error.strerror or error}.") from None
        except pa.ArrowInvalid:
            raise InputError(
                "The service gave numbers of another kind in one part than in another."
            ) from None


def _described(schema: pa.Schema, table: Table) -> pa.Schema:
    """Schema from which astropy reads units and descriptions; others find them beside a column."""
    fields = []
    for field in schema:
        words = {"unit": table[field.name].unit, "description": table[field.name].description}
        metadata = {k: str(v) for k, v in words.items() if v}
        fields.append(field.with_metadata(metadata or None))
    bare = table[:0]
    bare.meta.clear()
    return pa.schema(fields, metadata={"table_meta_yaml": "\n".join(get_yaml_from_table(bare))})


def provenance_of(path: Path) -> dict[str, Any] | None:
    """Where a kept catalogue comes from: service, query, date, rows; None if it does not say."""
    metadata = pq.read_metadata(path).metadata or {}
    found = metadata.get(PROVENANCE.encode())
    return json.loads(found) if found else None
