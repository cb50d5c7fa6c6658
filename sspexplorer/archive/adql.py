"""The query: what is asked for, in the archive's dialect of ADQL.

Every word of it is one of our own, a name that was checked, or a number: nothing that a person
wrote goes in as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sspexplorer.archive.layout import (
    FLAGS,
    KEY,
    MAGNITUDES,
    POSITION,
    REDSHIFT_COLUMNS,
    REDSHIFTS,
    SCALARS,
    Column,
    Photometry,
)
from sspexplorer.archive.schema import Schema
from sspexplorer.archive.selection import Condition, Selection
from sspexplorer.archive.services import Service
from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError

_WIDTH = 99
_DESCRIPTIONS = {
    "tile_id": "Tile of the archive",
    "number": "Number of the object in its tile",
    "alpha_j2000": "Right ascension (ICRS)",
    "delta_j2000": "Declination (ICRS)",
    "class_star": "SExtractor's star-galaxy classifier, 1 for a star",
    "photoz": "Photometric redshift of LePhare",
    "photoz_err": "Its error",
    "odds": "Odds of the photometric redshift",
}


@dataclass(frozen=True)
class Query:
    """A question to the archive.

    Attributes
    ----------
    select : tuple of str
        What each row has.
    source : str
        Tables and how they are joined.
    where : tuple of str
        Conditions that all hold.
    columns : tuple of Column
        What is expected back, in the order of ``select``.
    photometry : Photometry, optional
    bands : tuple of str
        Bands that are asked for.
    """

    select: tuple[str, ...]
    source: str
    where: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    photometry: Photometry | None = None
    bands: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def adql(self) -> str:
        """Text of the query."""
        return "\n".join((f"SELECT\n{_wrapped(self.select)}", *self._rest()))

    @property
    def count_by_tile(self) -> str:
        """Text of a query for the number of rows in each tile."""
        head = "SELECT m.tile_id, COUNT(*) AS n_rows"
        return "\n".join((head, *self._rest(), "GROUP BY m.tile_id"))

    def _rest(self) -> tuple[str, ...]:
        conditions = "\n  AND ".join(self.where)
        return (f"FROM {self.source}", *([f"WHERE {conditions}"] if conditions else []))

    def also(self, condition: str) -> "Query":
        """Same query with one more condition."""
        return replace(self, where=(*self.where, condition))


def build(
    service: Service,
    selection: Selection,
    photometry: Photometry,
    schema: Schema | None = None,
) -> Query:
    """Write the query for a selection of galaxies, but for the list of ids.

    Parameters
    ----------
    service : Service
    selection : Selection
        Its ``ids`` are left to :func:`by_ids`.
    photometry : Photometry
    schema : Schema, optional
        What the service has; without it all is taken to be as documented.

    Raises
    ------
    InputError
        If the service has no such table or column.
    """
    schema = schema or Schema.as_documented(service)
    magnitudes = schema.table(MAGNITUDES)
    fluxes = schema.table(photometry.layout.table)
    conditions = selection.all_conditions()
    redshifts, notes = _redshift_table(schema, conditions)
    value, error = _photometry_columns(schema, photometry)
    wanted = [c for c in SCALARS if c in KEY or schema.has(MAGNITUDES, c)]
    select = [f"m.{name}" for name in wanted]
    columns = [_described(name) for name in wanted]
    if redshifts:
        present = [name for name in REDSHIFT_COLUMNS if schema.has(REDSHIFTS, name)]
        select += [f"z.{name}" for name in present]
        columns += [_described(name) for name in present]
    bands = schema.bands(BAND_NAMES)
    if not bands:
        raise InputError("The service has none of the 57 filters of J-PAS.")
    own = photometry.layout.table != MAGNITUDES
    for band in bands:
        for array, column in zip((value, error), _band_columns(photometry, band), strict=True):
            select.append(_element(service, "f" if own else "m", array, band))
            columns.append(column)
        for array in FLAGS:
            if schema.has(MAGNITUDES, array):
                select.append(_element(service, "m", array, band))
                columns.append(Column(f"{array.upper()}_{band}", "", f"{array} of {band}"))
    source = f"{magnitudes} AS m"
    if own:
        source += f"\n  JOIN {fluxes} AS f ON {_same('m', 'f')}"
    if redshifts:
        joined = "JOIN" if any(c.table == "z" for c in conditions) else "LEFT OUTER JOIN"
        source += f"\n  {joined} {redshifts} AS z ON {_same('m', 'z')}"
    return Query(
        tuple(f"{text} AS {column.name}" for text, column in zip(select, columns, strict=True)),
        source,
        _where(service, schema, selection, conditions),
        tuple(columns),
        photometry,
        bands,
        notes,
    )


def by_ids(query: Query, ids: Sequence[tuple[int, int]]) -> Query:
    """Query for some objects, by tile and number."""
    tiles: dict[int, list[int]] = {}
    for tile, number in ids:
        tiles.setdefault(tile, []).append(number)
    listed = [
        f"(m.tile_id = {tile:d} AND m.number IN ({', '.join(f'{n:d}' for n in numbers)}))"
        for tile, numbers in tiles.items()
    ]
    return query.also(f"({' OR '.join(listed)})")


def check_adql(text: str) -> str:
    """Query as a person wrote it.

    Raises
    ------
    InputError
        If it is not one SELECT, which is all the language has.
    """
    query = text.strip().rstrip(";").strip()
    if not re.match(r"(--.*\n|\s)*SELECT\b", query, re.IGNORECASE):
        raise InputError("A query in ADQL starts with SELECT.")
    if re.search(r"\[\s*\d+\s*\]", query):
        raise InputError(
            "The query takes a value of an array by its number, and the archive's order is not "
            "that of the wavelengths; name the filter, as in mag_auto[jpas::iSDSS]."
        )
    return query


def _redshift_table(schema: Schema, conditions: Sequence[Condition]) -> tuple[str, tuple[str, ...]]:
    """Name of the table of redshifts, "" if there is none and nothing asks for one."""
    if any(c.table == "z" for c in conditions):
        return schema.table(REDSHIFTS), ()
    if schema.has_table(REDSHIFTS):
        return schema.table(REDSHIFTS), ()
    return "", (f"The service has no table {REDSHIFTS}: no redshifts were asked for.",)


def _photometry_columns(schema: Schema, photometry: Photometry) -> tuple[str, str]:
    table = photometry.layout.table
    value = schema.column(table, photometry.value)
    found = [name for name in photometry.errors if schema.has(table, name)]
    if not found:
        raise InputError(
            f"The table {schema.table(table)} has {value} without errors: there is no "
            f"{' or '.join(photometry.errors)}."
        )
    return value, found[0]


def _element(service: Service, alias: str, array: str, band: str) -> str:
    return f"{alias}.{array}[{service.filters}::{band}]"


def _same(one: str, other: str) -> str:
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in KEY)


def _described(name: str) -> Column:
    unit = "deg" if name in POSITION else ""
    return Column(name.upper(), unit, _DESCRIPTIONS[name])


def _band_columns(photometry: Photometry, band: str) -> tuple[Column, Column]:
    """Columns of a band's value and of its error."""
    layout, aperture = photometry.layout, photometry.aperture.upper()
    value = f"{layout.value.upper()}_{aperture}_{band}"
    error = f"{layout.error.upper()}_{aperture}_{band}"
    return (
        Column(value, layout.unit, f"{layout.title} of {band}"),
        Column(error, "" if layout.relative else "mag", f"Error of {value}"),
    )


def _where(
    service: Service, schema: Schema, selection: Selection, conditions: Sequence[Condition]
) -> tuple[str, ...]:
    found = []
    if selection.cone:
        cone = selection.cone
        found.append(
            f"1 = CONTAINS(POINT('ICRS', m.{POSITION[0]}, m.{POSITION[1]}), "
            f"CIRCLE('ICRS', {cone.ra:.8f}, {cone.dec:.8f}, {cone.radius:.8f}))"
        )
    tables = {"m": MAGNITUDES, "z": REDSHIFTS}
    for c in conditions:
        schema.column(tables[c.table], c.column)
        if c.band and not schema.bands((c.band,)):
            raise InputError(f"The service has no filter {c.band}.")
        left = _element(service, c.table, c.column, c.band) if c.band else f"{c.table}.{c.column}"
        found.append(f"{left} {c.sign} {number(c.value)}")
    return tuple(found)


def number(value: float) -> str:
    """Write a number so that the database reads the same one: 20, 0.1, 1e-05."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def _wrapped(items: Sequence[str]) -> str:
    """Items with commas between, in lines of moderate length."""
    lines, line = [], " "
    for i, item in enumerate(items):
        text = f" {item}" + ("," if i < len(items) - 1 else "")
        if len(line) + len(text) > _WIDTH and line.strip():
            lines.append(line)
            line = " "
        line += text
    return "\n".join([*lines, line])
