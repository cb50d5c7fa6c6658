"""Text in pieces: rows with a separator, or with spaces between the cells."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from sspexplorer.catalogue import aligned, rows
from sspexplorer.catalogue.convert import TextSeen, as_type
from sspexplorer.catalogue.files import one_sentence
from sspexplorer.catalogue.rows import CommasSeen
from sspexplorer.catalogue.source import FileTable, LooksRight, Source, distinct
from sspexplorer.catalogue.text import DELIMITERS, Layout, layout_of, without_comments
from sspexplorer.catalogue.values import plain_array
from sspexplorer.errors import InputError
from sspexplorer.streams.pieces import NotInPiecesError, Piece, rows_at_once

_HEAD = 4 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class TextFile:
    """A text in UTF-8, see :class:`~sspexplorer.streams.pieces.Stored`.

    Attributes
    ----------
    schema : pyarrow.Schema
        Of every table: columns of text, with their units and signs for decimals.
    renamed : dict of str to str
        See :class:`~sspexplorer.catalogue.source.FileTable`.
    seen : tuple of TextSeen
        What the cells of each column are.
    delimiter : str
    lines : dict of int to int
        Lines before each piece, by the byte at which it begins.
    under_header : int
        Rows under the header that give units.
    """

    name: str
    files: tuple[Path, ...]
    rows: int
    notes: tuple[str, ...]
    schema: pa.Schema
    renamed: dict[str, str]
    seen: tuple[TextSeen, ...]
    delimiter: str
    found_pieces: tuple[Piece, ...]
    lines: dict[int, int]
    under_header: int

    @classmethod
    def found(cls, path: Path, looks_right: LooksRight, size: int) -> "TextFile":
        """Look at all rows of a file, to be read ``size`` rows at a time.

        Raises
        ------
        InputError
            If it is damaged.
        NotInPiecesError
            If it is not text in UTF-8 whose rows can be told from each other.
        """
        with one_sentence(path.name, "a text table"):
            return _Look(path, looks_right, size).finished()

    def pieces(self, size: int) -> list[Piece]:
        """Those that were found."""
        return list(self.found_pieces)

    def tables(self, piece: Piece, size: int) -> Iterator[FileTable]:
        """Tables of a piece."""
        begin, end = piece.place
        with one_sentence(self.name, "a text table"):
            with self.files[0].open("rb") as file:
                file.seek(begin)
                body = file.read(end - begin)
            table = _parsed(body, self.schema.names, self.delimiter, self.name, self.lines[begin])
            table = table.slice(0 if piece.start else self.under_header)
            table = pa.Table.from_arrays(table.columns, schema=self.schema)
        for part in rows_at_once([table], size):
            yield FileTable(part, self.delimiter, (), self.renamed)

    def typed(self, table: pa.Table, exact: bool) -> pa.Table:
        """Numbers where all cells of a column are, as :func:`~.catalogue.convert.typed`."""
        columns = []
        for field, seen in zip(self.schema, self.seen, strict=True):
            column = plain_array(table[field.name])
            if b"decimal" in (field.metadata or {}):
                column = pc.replace_substring(column, ",", ".")
            columns.append(as_type(column, seen.kind(exact)))
        fields = [
            pa.field(f.name, c.type, metadata=f.metadata)
            for f, c in zip(self.schema, columns, strict=True)
        ]
        return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def _parsed(body: bytes, names: list[str], delimiter: str, name: str, before: int) -> pa.Table:
    body, _ = without_comments(body, 0)
    if delimiter == " ":
        return aligned.parse_spaces(body, 0, names, name, before)
    numbers = [str(i) for i in range(len(names))]
    return rows.parse(body, 0, numbers, delimiter, name, before=before).rename_columns(names)


class _Look:
    """A first look at all rows."""

    def __init__(self, path: Path, looks_right: LooksRight, size: int) -> None:
        self._path, self._source = path, Source(path.name, path)
        self._source.refuse_html()
        with path.open("rb") as file:
            head = file.read(_HEAD)
        self._bom = len(_BOM) if head.startswith(_BOM) else 0
        head = head[self._bom :]
        whole = len(head) + self._bom == self._source.size
        head = head if whole else head[: head.rfind(b"\n") + 1]
        if b"\0" in head or self._source.head.startswith(b"# %ECSV") or aligned.is_ipac(head):
            raise NotInPiecesError(f"{path.name} is no plain text with separators")
        self._utf8(head)
        self._layout: Layout = layout_of(head, path.name, looks_right)
        first = rows.first_row(head, self._layout.start, self._layout.delimiter)
        self._given = self._layout.names
        if self._layout.delimiter != " ":
            self._given = rows.fit_ends(self._given, first)
        if not all(name.strip() for name in (*self._given[:1], *self._given[-1:])):
            raise NotInPiecesError(f"{path.name} has columns without a name")
        self._names, self._renamed = distinct(self._given)
        rest = head[self._layout.start :]
        lines = max(1, rest.count(b"\n"))
        self._block = max(1, size * len(rest) // lines)
        self._start = 0
        self._pieces: list[Piece] = []
        self._lines: dict[int, int] = {}
        self._commas: list[list[CommasSeen]] = []
        self._seen: list[list[TextSeen]] = []
        self._units, self._under = [""] * len(self._names), 0
        self._said: tuple[str, ...] = ()
        self._n_comments = 0

    def finished(self) -> TextFile:
        """Look at all of it."""
        line = self._head_lines()
        for begin, body in self._blocks():
            self._utf8(body)
            self._at(begin, body, line)
            line += body.count(b"\n")
        if not self._start:
            raise NotInPiecesError(f"{self._path.name} has no rows, or rows that begin with #")
        layout = self._layout
        commas, said = rows.decided_commas(
            [reduce(add, c) for c in zip(*self._commas, strict=True)]
        )
        units = [
            own or below
            for own, below in zip(layout.units or self._units, self._units, strict=True)
        ]
        fields = []
        for name, unit, comma in zip(self._names, units, commas, strict=True):
            metadata = {"unit": unit} if unit else {}
            fields.append(
                pa.field(
                    name,
                    pa.string(),
                    metadata=metadata | ({"decimal": comma} if comma else {}) or None,
                )
            )
        seen = [reduce(add, s) for s in zip(*self._seen, strict=True)]
        texts = TextSeen(given=True, whole=False, integers=False, floats=False)
        # Commas that are no signs for decimals are no part of a number.
        has = [any(c.any for c in column) for column in zip(*self._commas, strict=True)]
        every = zip(seen, commas, has, strict=True)
        seen = [texts if any_comma and not comma else own for own, comma, any_comma in every]
        notes = [f"Text separated by {DELIMITERS.get(layout.delimiter, 'spaces')}.", *layout.notes]
        if self._n_comments:
            lines = f"{self._n_comments:,} line{'s' * (self._n_comments > 1)}"
            notes.append(f"Left out as comments: {lines} after the header, starting with #.")
        notes += [*self._said, *self._source.end_notes(), *said]
        return TextFile(
            self._path.name, (self._path,), self._start, tuple(notes), pa.schema(fields),
            self._renamed, tuple(seen), layout.delimiter, tuple(self._pieces), self._lines,
            self._under,
        )  # fmt: skip

    def _head_lines(self) -> int:
        with self._path.open("rb") as file:
            return file.read(self._bom + self._layout.start).count(b"\n")

    def _utf8(self, body: bytes) -> None:
        try:
            if not body.isascii():
                body.decode()
        except UnicodeDecodeError:
            raise NotInPiecesError(f"{self._path.name} is not UTF-8") from None

    def _blocks(self) -> Iterator[tuple[int, bytes]]:
        """Where each block of whole rows begins, and it."""
        begin, held = self._bom + self._layout.start, b""
        with self._path.open("rb") as file:
            file.seek(begin)
            while new := file.read(self._block):
                held += new
                end = _end_of_rows(held)
                if end:
                    yield begin, held[:end]
                    begin, held = begin + end, held[end:]
        if held.strip():
            yield begin, held

    def _at(self, begin: int, body: bytes, line: int) -> None:
        clean, n = without_comments(body, 0)
        lines = [line for line in body.splitlines() if line.strip()]
        # Of a text whose rows all begin with the sign, no block has a row.
        if all(line.lstrip().startswith(b"#") for line in lines):
            self._n_comments += len(lines)
            return
        self._n_comments += n
        if not clean.strip():
            return
        name = self._path.name
        try:
            table = _parsed(body, self._names, self._layout.delimiter, name, line)
        except InputError:
            if self._layout.delimiter == " " and self._layout.header:
                raise NotInPiecesError(f"{name} may have columns of fixed width") from None
            raise
        if not self._start:
            left, self._units, self._said = rows.rows_under_header(table)
            self._under = len(table) - len(left)
            table = left
        self._commas.append([CommasSeen.of(column) for column in table.columns])
        self._seen.append(
            [TextSeen.of(pc.replace_substring(plain_array(c), ",", ".")) for c in table.columns]
        )
        if len(table):
            self._pieces.append(Piece(0, self._start, len(table), (begin, begin + len(body))))
            self._lines[begin] = line
            self._start += len(table)


def _end_of_rows(body: bytes) -> int:
    """Where the last line ends that is not within quotes; 0 if none does."""
    end = body.rfind(b"\n") + 1
    while end and body.count(b'"', 0, end) % 2:
        end = body.rfind(b"\n", 0, end - 1) + 1
    return end
