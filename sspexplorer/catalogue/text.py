"""Tables from text in columns, whatever stands between these: every cell stays as it is."""

import re
from dataclasses import dataclass, replace

import pyarrow as pa

from sspexplorer.catalogue import aligned, rows
from sspexplorer.catalogue.ecsv import read_ecsv
from sspexplorer.catalogue.names import names_a_band
from sspexplorer.catalogue.source import FileTable, LooksRight, Source, distinct
from sspexplorer.errors import InputError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_END = re.compile(rb"[\r\n]|\Z")
# As SExtractor names columns: "#   3 FLUX_AUTO   Flux within an elliptical aperture  [count]".
_NUMBERED = re.compile(r"(\d+)\s+(\S+)(?:\s(.*))?")
# Comments at either end of all that may be the header, and how long one may be.
_MAYBE_HEADER, _LONGEST = 200, 1 << 20


def read_text(source: Source, looks_right: LooksRight) -> FileTable:
    """Read text with a separator, with spaces or aligned; with ``#`` comments; IPAC; ECSV."""
    source.refuse_html()
    if source.head.startswith(b"# %ECSV"):
        return read_ecsv(source, looks_right)
    body, notes = _decoded(source)
    source.progress.check()
    if aligned.is_ipac(body):
        table, names, units = aligned.read_ipac(body, source.name)
        notes = ["An IPAC table.", *notes, *source.end_notes()]
        return _finished(source, table, names, units, ",", notes)
    layout = layout_of(body, source.name, looks_right)
    body, between = without_comments(body, layout.start)
    if not re.compile(rb"\S").search(body, layout.start):
        raise InputError(f"{source.name} has a header but no rows.")
    if between:
        lines = f"{between:,} line{'s' * (between > 1)}"
        notes.append(f"Left out as comments: {lines} after the header, starting with #.")
    table, names, how = _columns(body, layout, source)
    table = table.rename_columns(distinct(names)[0])
    table, units, said = rows.rows_under_header(table)
    units = [own or below for own, below in zip(layout.units or units, units, strict=True)]
    notes = [how, *layout.notes, *notes, *said, *source.end_notes()]
    return _finished(source, table, names, units, layout.delimiter, notes)


def _finished(
    source: Source,
    table: pa.Table,
    names: list[str],
    units: list[str],
    delimiter: str,
    notes: list[str],
) -> FileTable:
    names, renamed = distinct(names)
    table = rows.with_metadata(table.rename_columns(names), b"unit", units)
    commas, said = rows.decimal_commas(table, source.progress.part(0.7, 0.3))
    table = rows.with_metadata(table, b"decimal", commas)
    return FileTable(table, delimiter, (*notes, *said), renamed)


@dataclass(frozen=True)
class Layout:
    """What separates the columns, how they are called, and where the rows start.

    ``header`` is the line with the names if it stands over the rows, "" if it is a comment.
    """

    names: list[str]
    delimiter: str
    start: int
    header: str = ""
    units: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


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


def layout_of(body: bytes, name: str, looks_right: LooksRight) -> Layout:
    """Find the names of the columns, what separates them, and where rows begin.

    Raises
    ------
    InputError
        If there are only comments.
    """
    comments, start, header, end = _top(body)
    if not header:
        raise InputError(f"{name} has only comments.")
    names, delimiter = _split_names(header, looks_right)
    found = Layout(names, delimiter, end, header)
    n_comments = len(comments)
    if not looks_right(names):
        commented = _commented(comments, header, looks_right)
        if commented is not None:
            found, n_comments = replace(commented, start=start), n_comments - 1
    if n_comments:
        said = f"The first {n_comments} lines are comments, which are not kept."
        found = replace(found, notes=(*found.notes, said))
    return found


def _top(body: bytes) -> tuple[list[str], int, str, int]:
    """Comments, then where the first line starts that says something, it, and where it ends."""
    comments: list[str] = []
    for line in _LINE.finditer(body):
        text = line[0].decode().strip("\r\n")
        if text.strip() and not text.lstrip().startswith("#"):
            return comments, line.start(), text, line.end()
        if text.strip():
            comments.append(text.strip().lstrip("#").strip())
    return comments, len(body), "", len(body)


def _split_names(line: str, looks_right: LooksRight) -> tuple[list[str], str]:
    """Names in a line, and what separates them: spaces only if nothing else makes sense."""
    splits = {sign: rows.split_line(line, sign) for sign in DELIMITERS}
    delimiter = max(splits, key=lambda sign: len(splits[sign]))
    names = splits[delimiter]
    words = rows.split_line(line, " ")
    if looks_right(words) and not (looks_right(names) and len(names) > 1) and len(words) > 1:
        return words, " "
    if delimiter == "|":
        names = [name.strip() for name in names]
    return names, delimiter


def _commented(comments: list[str], row: str, looks_right: LooksRight) -> Layout | None:
    """Layout by a header that is one of the comments; None if none is."""
    numbered = list(filter(None, map(_NUMBERED.fullmatch, comments)))
    if looks_right([match[2] for match in numbered]):
        units = tuple(_in_brackets(match[3] or "") for match in numbered)
        if [int(match[1]) for match in numbered] == list(range(1, len(numbered) + 1)):
            return Layout([match[2] for match in numbered], " ", 0, "", units)
    found = []
    places = range(len(comments))
    for i in sorted({*places[:_MAYBE_HEADER], *places[-_MAYBE_HEADER:]}, reverse=True):
        comment = comments[i][:_LONGEST]
        names, delimiter = _split_names(comment, looks_right)
        names = [name.strip() for name in names]
        if looks_right(names):
            fits = [sign for sign in (delimiter, *DELIMITERS, " ") if _fit(names, row, sign)]
            last = i == len(comments) - 1
            note = f"The header is {'the last of the comments' if last else 'a comment'}."
            layout = Layout(names, fits[0] if fits else delimiter, 0, "", (), (note,))
            found.append((bool(fits), any(map(names_a_band, names)), layout))
    # Of equals the last comment, which comes first.
    return max(found, key=lambda item: item[:2], default=(None, None, None))[2]


def _in_brackets(text: str) -> str:
    """What stands in the last brackets of a text that ends with them; "" if it does not."""
    text = text.rstrip()
    return text[text.rindex("[") + 1 : -1] if text.endswith("]") and "[" in text else ""


def _fit(names: list[str], row: str, sign: str) -> bool:
    """Whether a row has as many cells as there are names, if a sign separates them."""
    cells = rows.split_line(row, sign)
    return len(rows.fit_ends(names, cells)) == len(cells)


def without_comments(body: bytes, start: int) -> tuple[bytes, int]:
    """Text whose comments after an offset are made empty lines, and how many there were."""
    found = _comments(body, start)
    if found and b'"' in body:
        found = _outside_quotes(body, start, found)
    if not found:
        return body, 0
    parts, at = [], 0
    for begin, end in found:
        parts.append(body[at:begin])
        at = end
    left = b"".join([*parts, body[at:]])
    # Where every row starts with the sign, it is part of a name.
    return (left, len(found)) if left[start:].strip() else (body, 0)


def _comments(body: bytes, start: int) -> list[tuple[int, int]]:
    """Where each comment after an offset begins, with the spaces before it, and ends."""
    found = []
    # A pattern would look at every byte; few files have the sign at all.
    at = body.find(b"#", start)
    while at >= 0:
        begin = at
        while begin > start and body[begin - 1] == ord(" "):
            begin -= 1
        end = at + 1
        if not begin or body[begin - 1] in b"\r\n":
            line_end = _END.search(body, at)
            end = line_end.start() if line_end else len(body)
            found.append((begin, end))
        at = body.find(b"#", end)
    return found


def _outside_quotes(body: bytes, start: int, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    kept, at, quotes = [], start, 0
    for begin, end in found:
        quotes += body.count(b'"', at, begin)
        at = begin
        if quotes % 2 == 0:
            kept.append((begin, end))
            at = end
    return kept


def _columns(body: bytes, layout: Layout, source: Source) -> tuple[pa.Table, list[str], str]:
    """Cells as columns of text, their names, and how they were separated."""
    name, progress = source.name, source.progress.part(0.1, 0.6)
    if layout.delimiter == " ":
        how = "Text separated by spaces."
        try:
            table = aligned.parse_spaces(body, layout.start, distinct(layout.names)[0], name)
            return table, layout.names, how
        except InputError:
            table = None
            if layout.header:
                table = aligned.parse_positions(body, layout.header, layout.start, name)
            if table is None:
                raise
        return table, layout.names, "Text in columns of fixed width."
    first = rows.first_row(body, layout.start, layout.delimiter)
    names = rows.fit_ends(layout.names, first)
    parsed = _parsed_as(names)
    table = rows.parse(body, layout.start, parsed, layout.delimiter, name, progress)
    table, names = rows.without_blank_ends(table, names)
    return table, names, f"Text separated by {DELIMITERS[layout.delimiter]}."


def _parsed_as(names: list[str]) -> list[str]:
    """Arrow keeps types by name."""
    return [str(i) for i in range(len(names))]
