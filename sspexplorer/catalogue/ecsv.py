"""Tables from astropy's ECSV."""

import io
import itertools

from astropy.table import Table

from sspexplorer.catalogue.headers import refuse_unsafe_yaml
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
    try:
        table = Table.read(io.BytesIO(content), format="ecsv", engine="pyarrow")
    except ValueError:
        # Arrow's engine is the fast one, but does not take every table of astropy's own.
        table = Table.read(io.BytesIO(content), format="ecsv", engine="io.ascii")
    return FileTable(table)
