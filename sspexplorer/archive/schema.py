"""What a service has: its tables, their columns, its filters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sspexplorer.archive.services import Service
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError


@dataclass(frozen=True)
class Schema:
    """Tables of a service.

    Attributes
    ----------
    name : str
        What comes before the point of the tables' names.
    tables : mapping of str to frozenset of str, or None
        Columns of each table, all in lower case; an empty set where the service would not say;
        None where nothing is known, and all is taken to be as documented.
    names : mapping of str to str
        Each table's name as the service writes it.
    filters : frozenset of str or None
        Filters by name; None where nothing is known.
    """

    name: str
    tables: Mapping[str, frozenset[str]] | None = None
    names: Mapping[str, str] | None = None
    filters: frozenset[str] | None = None

    @classmethod
    def as_documented(cls, service: Service) -> "Schema":
        """Schema of a service that was not asked.

        Raises
        ------
        InputError
            If the schema's name is not known either.
        """
        if not service.schema:
            raise InputError(
                f"The names of the tables of {service.url} are not known before it is asked; "
                f"say {way('schema', 'jpas')} or the like."
            )
        return cls(service.schema)

    def has_table(self, table: str) -> bool:
        """Whether there is such a table, as far as is known."""
        return self.tables is None or table.lower() in self.tables

    def table(self, table: str) -> str:
        """Full name of a table.

        Raises
        ------
        InputError
            If there is none.
        """
        if not self.has_table(table):
            known = ", ".join(sorted((self.names or {}).values())[:12]) or "none at all"
            raise InputError(f"The service has no table {self.name}.{table}; it has {known}.")
        written = (self.names or {}).get(table.lower(), table)
        return f"{self.name}.{written}" if self.name else written

    def has(self, table: str, column: str) -> bool:
        """Whether a table has a column, as far as is known."""
        columns = (self.tables or {}).get(table.lower())
        return not columns or column.lower() in columns

    def column(self, table: str, column: str) -> str:
        """Column that was checked.

        Raises
        ------
        InputError
            If the table has none of this name.
        """
        if not self.has(table, column):
            first = column.split("_")[0]
            columns = sorted((self.tables or {})[table.lower()])
            near = [name for name in columns if name.startswith(first)] or columns
            raise InputError(
                f"The table {self.table(table)} has no column {column}; it has "
                f"{', '.join(near[:12])}."
            )
        return column

    def bands(self, wanted: Iterable[str]) -> tuple[str, ...]:
        """Those of some filters that the service has, all if nothing is known."""
        return tuple(b for b in wanted if self.filters is None or b in self.filters)


def from_names(service: Service, columns: Mapping[str, Sequence[str]]) -> Schema:
    """Schema from the full names of a service's tables.

    Parameters
    ----------
    service : Service
    columns : mapping of str to sequence of str
        Columns of each table, by its name with the schema before the point.

    Raises
    ------
    InputError
        If no schema has the catalogue of J-PAS.
    """
    by_schema: dict[str, dict[str, Sequence[str]]] = {}
    for full, names in columns.items():
        schema, _, table = full.rpartition(".")
        by_schema.setdefault(schema.strip('"'), {})[table.strip('"')] = names
    found = [s for s, t in by_schema.items() if "magabdualobj" in map(str.lower, t)]
    name = next((s for s in found if s.lower() == service.schema.lower()), next(iter(found), None))
    if name is None:
        raise InputError(
            f"{service.url} has no catalogue of J-PAS: none of its tables is MagABDualObj."
        )
    tables = by_schema[name]
    return Schema(
        name,
        {table.lower(): frozenset(map(str.lower, c)) for table, c in tables.items()},
        {table.lower(): table for table in tables},
    )
