"""Parquet in pieces: one file, many with the same columns, or the folders of a hive."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from sspexplorer.catalogue.columnar import check_parquet
from sspexplorer.catalogue.files import one_sentence
from sspexplorer.catalogue.headers import understood
from sspexplorer.catalogue.source import FileTable, Source
from sspexplorer.catalogue.stacking import plain, refuse_other_columns, refuse_other_units
from sspexplorer.errors import InputError
from sspexplorer.streams.pieces import NotInPiecesError, Piece, called, rows_at_once, with_keys

# Read of each column at a time, so that a row group need not fit in memory.
_BUFFER = 1 << 17


@dataclass(frozen=True)
class ParquetFiles:
    """Parquet files with the same columns, see :class:`~sspexplorer.streams.pieces.Stored`.

    Attributes
    ----------
    keys : tuple of dict
        What the folders of each file say, by column.
    groups : tuple of tuple of int
        Rows of each row group of each file.
    schema : pyarrow.Schema
        Of every table that is read.
    """

    name: str
    files: tuple[Path, ...]
    keys: tuple[dict[str, Any], ...]
    groups: tuple[tuple[int, ...], ...]
    schema: pa.Schema
    notes: tuple[str, ...] = ()

    @classmethod
    def found(
        cls, files: Sequence[Path], root: Path | None = None, notes: tuple[str, ...] = ()
    ) -> Self:
        """Look at files whose rows stand one below the other.

        Parameters
        ----------
        files : sequence of Path
        root : Path, optional
            Folder whose folders are named ``key=value``, which are columns.
        notes : tuple of str
            Sentences on how they were found.

        Raises
        ------
        InputError
            If one is damaged, or has other columns than the first.
        NotInPiecesError
            If columns share a name.
        """
        keys, types = _hive(root, files) if root else ([{}] * len(files), {})
        schemas, groups = [], []
        first = with_keys(files[0])
        for path, own in zip(files, keys, strict=True):
            name = with_keys(path)
            with one_sentence(name, "a Parquet table"):
                check_parquet(Source(name, path))
                meta = pq.read_metadata(path)
                schema = meta.schema.to_arrow_schema()
                if len(set(schema.names)) < len(schema.names):
                    raise NotInPiecesError(f"{name} has columns that share a name")
                table, masks = understood(schema.empty_table(), name)
            for key in own:
                if key not in table.column_names:
                    table = table.append_column(key, pa.array([], types[key]))
            schemas.append(plain(table).schema)
            groups.append(tuple(meta.row_group(i).num_rows for i in range(meta.num_row_groups)))
            refuse_other_columns(schemas[0].names, schemas[-1].names, first, name)
            refuse_other_units(schemas[0], schemas[-1], first, name)
        if not sum(map(sum, groups)):
            raise InputError(f"{called(files)} has a header but no rows.")
        said: tuple[str, ...] = ()
        if len(files) > 1:
            n = sum(map(sum, groups))
            said = (f"Read together: {len(files)} files, {first} to {with_keys(files[-1])} "
                    f"({n:,} rows).",)  # fmt: skip
        return cls(
            called(files),
            tuple(files),
            tuple(keys),
            tuple(groups),
            _common(schemas),
            (*notes, *said, *masks),
        )

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(map(sum, self.groups))

    def pieces(self, size: int) -> list[Piece]:
        """Runs of row groups of a file, of at least ``size`` rows where it has as many."""
        found, start = [], 0
        for file, groups in enumerate(self.groups):
            first, n = 0, 0
            for i, rows in enumerate(groups):
                n += rows
                if n >= size or i == len(groups) - 1:
                    if n:
                        found.append(Piece(file, start, n, (first, i + 1)))
                    start, first, n = start + n, i + 1, 0
        return found

    def tables(self, piece: Piece, size: int) -> Iterator[FileTable]:
        """Tables of a piece."""
        for table in rows_at_once(self._batches(piece, size), size):
            yield FileTable(table)

    def typed(self, table: pa.Table, exact: bool) -> pa.Table:
        """The table as it is."""
        return table

    def _batches(self, piece: Piece, size: int) -> Iterator[pa.Table]:
        path = self.files[piece.file]
        with _opened(path) as parquet:
            for group in range(*piece.place):
                batches = parquet.iter_batches(size, row_groups=[group])
                while True:
                    with one_sentence(f"Row group {group} of {with_keys(path)}", "Parquet"):
                        batch = next(batches, None)
                        if batch is None:
                            break
                        table = self._in_order(pa.Table.from_batches([batch]), piece.file)
                    yield table

    def _in_order(self, table: pa.Table, file: int) -> pa.Table:
        """Table with the columns and types of all files."""
        table, _ = understood(table, self.files[file].name)
        for name, value in self.keys[file].items():
            if name not in table.column_names:
                column = pa.repeat(pa.scalar(value, self.schema.field(name).type), len(table))
                table = table.append_column(name, column)
        return plain(table.select(self.schema.names)).cast(self.schema)


def _opened(path: Path) -> pq.ParquetFile:
    with one_sentence(with_keys(path), "a Parquet table"):
        return pq.ParquetFile(
            path, buffer_size=_BUFFER, pre_buffer=False, page_checksum_verification=True
        )


def _common(schemas: Sequence[pa.Schema]) -> pa.Schema:
    """Types that hold those of all, with what the first says of its columns."""
    first = schemas[0]
    bare = [pa.schema([s.field(n).remove_metadata() for n in first.names]) for s in schemas]
    try:
        whole = pa.unify_schemas(bare, promote_options="permissive")
    except pa.ArrowTypeError as error:
        raise InputError(
            f"Files that are read together need columns of the same types: {error}."
        ) from None
    fields = [whole.field(f.name).with_metadata(f.metadata) for f in first]
    return pa.schema(fields, metadata=first.metadata)


def hive_files(folder: Path) -> list[Path]:
    """Parquet files in the folders of a hive, ``key=value`` below one another, in order."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in (".parquet", ".pq")
        and not any(part[0] in "._" for part in path.relative_to(folder).parts)
    )


def _hive(root: Path, files: Sequence[Path]) -> tuple[list[dict[str, Any]], dict[str, pa.DataType]]:
    """Values that the folders of each file say, and the type of each column of them."""
    partitioning = ds.HivePartitioning.discover(infer_dictionary=False)
    with one_sentence(root.name, "a folder of Parquet files"):
        found = ds.dataset(
            [str(path) for path in files],
            format="parquet",
            partitioning=partitioning,
            partition_base_dir=str(root),
        )
        keys = {
            Path(part.path): ds.get_partition_keys(part.partition_expression)
            for part in found.get_fragments()
        }
    types = {name: found.schema.field(name).type for name in next(iter(keys.values()), {})}
    own = [keys[path] for path in files]
    for one, two in pairwise(zip(files, own, strict=True)):
        if set(one[1]) != set(two[1]):
            raise InputError(f"{two[0]} lies in other folders than {one[0]}: {root} is no hive.")
    return own, types
