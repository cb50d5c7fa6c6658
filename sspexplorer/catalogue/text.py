"""Tables from text: CSV, whose cells stay the text they are, and ECSV."""

import csv
import io
import itertools
import re

import pyarrow as pa
import pyarrow.csv
import yaml
from astropy.table import Table

from sspexplorer.catalogue.source import FileTable, LooksRight, Source
from sspexplorer.errors import InputError

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
# YAML tags that astropy turns into an array over raw bytes without checking its type: with
# dtype "O" the bytes of a file would be taken for addresses in memory.
_UNSAFE_TAGS = ("!numpy.ndarray", "!numpy.void")


def read_csv(source: Source, looks_right: LooksRight) -> FileTable:
    """Read text separated by commas, semicolons, tabs or bars, after ``#`` comments."""
    source.refuse_html()
    if source.head.startswith(b"# %ECSV"):
        return read_ecsv(source, looks_right)
    body, notes = _decoded(source)
    start, comments, last_comment = _skip_comments(body)
    header, end = _line_at(body, start)
    if not header:
        raise InputError(f"{source.name} has only comments.")
    delimiter = max(_DELIMITERS, key=lambda sign: len(_split(header, sign)))
    names = _split(header, delimiter)
    if len(names) == 1 and looks_right(header.split()) and not looks_right(names):
        raise InputError(
            f"{source.name} separates its columns by spaces, "
            "not by commas, semicolons, tabs or bars."
        )
    commented = [name.strip() for name in _split(last_comment, delimiter)]
    if looks_right(commented) and not looks_right(names):
        names, end, comments = commented, start, comments - 1
        notes.append("The header is the last of the comments.")
    source.refuse_duplicates(names)
    if not re.compile(rb"\S").search(body, end):
        raise InputError(f"{source.name} has a header but no rows.")
    if comments:
        notes.append(f"The first {comments} lines are comments, which are not kept.")
    table = _parse(body, end, names, delimiter, source.name)
    return FileTable(table, delimiter, (f"Text separated by {_DELIMITERS[delimiter]}.", *notes))


def _decoded(source: Source) -> tuple[bytes, list[str]]:
    """Bytes in UTF-8 without a byte order mark, and notes."""
    data = source.load()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16").encode(), ["The text is UTF-16."]
    if b"\0" in data:
        raise InputError(f"{source.name} is not text.")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return data.decode("latin-1").encode(), [
                "The text is not UTF-8; it was read as Latin-1."
            ]
    return data, []


def _line_at(body: bytes, start: int) -> tuple[str, int]:
    """Line that starts at an offset, without its end, and where the next one starts."""
    ends = [i for i in (body.find(b"\n", start), body.find(b"\r", start)) if i >= 0]
    end = min(ends, default=len(body))
    after = end + (2 if body[end : end + 2] == b"\r\n" else 1)
    return body[start:end].decode(), min(after, len(body))


def _skip_comments(body: bytes) -> tuple[int, int, str]:
    """Where the first line that says something starts, the comments before it, and the last."""
    start, comments, last = 0, 0, ""
    while start < len(body):
        line, after = _line_at(body, start)
        if line.strip() and not line.lstrip().startswith("#"):
            break
        if line.strip():
            comments, last = comments + 1, line.strip().lstrip("#").strip()
        start = after
    return start, comments, last


def _split(header: str, delimiter: str) -> list[str]:
    return next(csv.reader([header], delimiter=delimiter))


def _parse(body: bytes, start: int, names: list[str], delimiter: str, name: str) -> pa.Table:
    """Rows of text from an offset, every cell as it is."""
    quoted = b'"' in body
    try:
        if quoted and body.count(b'"', start) % 2:
            # Arrow takes all that follows an open quote for one cell: rows would be lost.
            _locate_fault(body, start, len(names), delimiter, name)
        return pa.csv.read_csv(
            pa.BufferReader(pa.py_buffer(body).slice(start)),
            read_options=pa.csv.ReadOptions(column_names=names, block_size=16 << 20),
            parse_options=pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=quoted),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        _locate_fault(body, start, len(names), delimiter, name)
        raise


def _locate_fault(body: bytes, start: int, width: int, delimiter: str, name: str) -> None:
    """Raise InputError for the first row that has not ``width`` cells, if there is one."""
    before = len(body[:start].splitlines())
    text = io.StringIO(body[start:].decode(), newline="")
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for row in rows:
            if row and len(row) != width:
                cells = "1 cell" if len(row) == 1 else f"{len(row)} cells"
                line = before + rows.line_num
                raise InputError(f"{name}: line {line} has {cells} where the header has {width}.")
    except csv.Error as error:
        line = before + rows.line_num
        raise InputError(f"{name}: line {line} cannot be read ({error}).") from None


def read_ecsv(source: Source, looks_right: LooksRight) -> FileTable:
    """Read astropy's ECSV, units and types included."""
    source.refuse_html()
    if not source.head.startswith(b"# %ECSV"):
        raise InputError(f"{source.name} does not start with '# %ECSV', so it is not ECSV.")
    content = source.load().removeprefix(b"\xef\xbb\xbf")
    _refuse_unsafe_yaml(content, source.name)
    try:
        table = Table.read(io.BytesIO(content), format="ecsv", engine="pyarrow")
    except ValueError:
        # Arrow's engine is the fast one, but does not take every table of astropy's own.
        table = Table.read(io.BytesIO(content), format="ecsv", engine="io.ascii")
    return FileTable(table)


def _refuse_unsafe_yaml(content: bytes, name: str) -> None:
    lines = itertools.takewhile(
        lambda line: not line or line.startswith((b"# ", b"##")),
        (line.strip() for line in io.BytesIO(content)),
    )
    header = b"\n".join(line[2:] for line in lines if line.startswith(b"# "))
    for event in yaml.parse(header, Loader=yaml.SafeLoader):
        if getattr(event, "tag", None) in _UNSAFE_TAGS:
            raise InputError(f"{name} has a binary array in its header, which is not read.")
