"""Tables from astropy's ECSV."""

import csv
import io
import itertools

from astropy.table import Table

from sspexplorer.catalogue.headers import refuse_unsafe_yaml
from sspexplorer.catalogue.rows import wrong_width
from sspexplorer.catalogue.source import FileTable, LooksRight, Source
from sspexplorer.errors import InputError


def read_ecsv(source: Source, looks_right: LooksRight) -> FileTable:
    """Read astropy's ECSV, units and types included."""
    source.refuse_html()
    if not source.head.startswith(b"# %ECSV"):
        raise InputError(f"{source.name} does not start with '# %ECSV', so it is not ECSV.")
    content = source.load().removeprefix(b"\xef\xbb\xbf")
    lines = itertools.takewhile(
        lambda line: not line or line.startswith((b"# ", b"##")),
        (line.strip() for line in io.BytesIO(content)),
    )
    refuse_unsafe_yaml(
        b"\n".join(line[2:] for line in lines if line.startswith(b"# ")), source.name
    )
    if content.count(b'"') % 2:
        raise InputError(f"{source.name} is cut short, or a quote in it is never closed.")
    try:
        table = Table.read(io.BytesIO(content), format="ecsv", engine="pyarrow")
    except ValueError:
        # Arrow's engine is the fast one, but does not take every table of astropy's own. The
        # other one takes rows that are too short.
        _refuse_short_rows(content.decode(), source.name)
        table = Table.read(io.BytesIO(content), format="ecsv", engine="io.ascii")
    return FileTable(table, notes=source.end_notes())


def _refuse_short_rows(text: str, name: str) -> None:
    """Raise InputError for the first row that has fewer cells than the header."""
    header = text.splitlines()
    before = next((i for i, line in enumerate(header) if not line.startswith("#")), len(header))
    body = io.StringIO("\n".join(header[before:]))
    delimiter = "," if any("delimiter: ','" in line for line in header[:before]) else " "
    width = None
    rows = csv.reader(body, delimiter=delimiter, skipinitialspace=True)
    for row in rows:
        width = width or len(row)
        if row and len(row) != width:
            raise InputError(wrong_width(name, before + rows.line_num, len(row), width))
