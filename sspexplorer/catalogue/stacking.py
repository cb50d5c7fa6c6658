"""Tables of several files, one below the other."""

from collections.abc import Sequence

import pyarrow as pa

from sspexplorer.catalogue.convert import text_cells, to_arrow
from sspexplorer.catalogue.headers import field_says
from sspexplorer.catalogue.source import FileTable
from sspexplorer.catalogue.values import column_names, plain_array
from sspexplorer.errors import InputError


def stacked(tables: Sequence[FileTable], names: Sequence[str]) -> tuple[FileTable, str]:
    """One table of several with the same columns, in any order; the first one's order is kept.

    Text and other formats together become text.

    Raises
    ------
    InputError
        If one lacks a column that another has, or gives it another unit.
    """
    columns = column_names(tables[0].table)
    for table, name in zip(tables[1:], names[1:], strict=True):
        refuse_other_columns(columns, column_names(table.table), names[0], name)
    arrow = [_arrow(table.table).select(columns) for table in tables]
    for table, name in zip(arrow[1:], names[1:], strict=True):
        refuse_other_units(arrow[0].schema, table.schema, names[0], name)
    delimiter = next((table.delimiter for table in tables if table.delimiter), "")
    if delimiter:
        pairs = zip(arrow, tables, strict=True)
        arrow = [table if file.delimiter else _as_text(table) for table, file in pairs]
    else:
        arrow = [plain(table) for table in arrow]
    whole = pa.concat_tables(
        [_without_metadata(table) for table in arrow], promote_options="permissive"
    )
    fields = [
        whole.schema.field(name).with_metadata(arrow[0].schema.field(name).metadata)
        for name in columns
    ]
    whole = whole.cast(pa.schema(fields, metadata=arrow[0].schema.metadata))
    counts = ", ".join(f"{n} ({len(t.table):,} rows)" for n, t in zip(names, tables, strict=True))
    notes = dict.fromkeys(note for table in tables for note in table.notes)
    called = f"{names[0]} and {len(names) - 1} more"
    found = FileTable(whole, delimiter, (f"Read together: {counts}.", *notes), tables[0].renamed)
    return found, called


def refuse_other_columns(
    columns: Sequence[str], have: Sequence[str], first: str, name: str
) -> None:
    """Raise InputError if a file lacks a column of the first, or the other way round."""
    for lacking, other, missing in (
        (name, first, [c for c in columns if c not in have]),
        (first, name, [c for c in have if c not in columns]),
    ):
        if missing:
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            raise InputError(
                f"{lacking} has no column {missing[0]!r}{more}, which {other} has; files that "
                "are read together need the same columns."
            )


def _arrow(table: object) -> pa.Table:
    return table if isinstance(table, pa.Table) else to_arrow(table)


def plain(table: pa.Table) -> pa.Table:
    """Table without dictionaries, whose text is stored in one way."""
    columns = [plain_array(column) for column in table.columns]
    fields = [
        pa.field(field.name, column.type, metadata=field.metadata)
        for field, column in zip(table.schema, columns, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _as_text(table: pa.Table) -> pa.Table:
    columns = [
        pa.array([cell or "" for cell in text_cells(plain_array(column))], pa.string())
        for column in table.columns
    ]
    fields = [pa.field(f.name, pa.string(), metadata=f.metadata) for f in table.schema]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _without_metadata(table: pa.Table) -> pa.Table:
    fields = [field.remove_metadata() for field in table.schema]
    return table.replace_schema_metadata().cast(pa.schema(fields))


def refuse_other_units(first: pa.Schema, schema: pa.Schema, first_name: str, name: str) -> None:
    """Raise InputError if a file gives a column another unit than the first does."""
    for column in first.names:
        for key, what in (("unit", "unit"), ("decimal", "sign for decimals")):
            one, other = (field_says(s.field(column), key) for s in (first, schema))
            if one != other:
                raise InputError(
                    f"{name} gives column {column!r} the {what} {other or 'none'!r}, {first_name} "
                    f"{one or 'none'!r}; files that are read together need the same."
                )
