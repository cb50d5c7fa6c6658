"""Tables from FITS, VOTable and Parquet."""

import gzip
import io
from pathlib import Path
from xml.parsers import expat

import pyarrow as pa
import pyarrow.parquet as pq
from astropy.io import fits, votable
from astropy.table import Table
from astropy.units import Unit

from sspexplorer.catalogue.metadata import serialized_units
from sspexplorer.catalogue.source import FileTable, LooksRight, Source
from sspexplorer.errors import InputError

_LARGEST_UNPACKED = 4 << 30  # bytes: more from a .gz is an attack or a mistake


def read_fits(source: Source, looks_right: LooksRight) -> FileTable:
    """Read the first table that looks like a catalogue, mapped from disk where it can be."""
    if source.head.startswith(b"\x1f\x8b"):
        source = Source(source.name, _unzipped(source))
    source.refuse_html()
    if not source.head.startswith(b"SIMPLE  ="):
        raise InputError(f"{source.name} is not a FITS file.")
    on_disk = isinstance(source.data, Path)
    with fits.open(source.data if on_disk else io.BytesIO(source.data), memmap=on_disk) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        if not tables:
            raise InputError(f"{source.name} has no table, only images or nothing.")
        for hdu in tables:
            if hdu.fileinfo()["datLoc"] + hdu.size > source.size:
                raise InputError(f"{source.name} is cut short: its last rows are missing.")
        chosen = tables[_choose([hdu.columns.names for hdu in tables], looks_right)]
        source.refuse_duplicates(chosen.columns.names)
        units = serialized_units(chosen.header.get("COMMENT", ()))
        if any("ASTROPY-SERIALIZED-COLUMNS" in str(c) for c in chosen.header.get("COMMENT", ())):
            # YAML that makes times and coordinates of plain columns, and could do harm; the
            # plain columns are what the file holds.
            chosen.header.remove("COMMENT", remove_all=True)
        table = Table.read(chosen, mask_invalid=False, unit_parse_strict="silent")
    for name in units.keys() & set(table.colnames):
        if table[name].unit is None:
            table[name].unit = Unit(units[name], parse_strict="silent")
    return FileTable(table, notes=_several(len(tables), tables.index(chosen), chosen.name))


def _unzipped(source: Source) -> bytes:
    packed = source.data if isinstance(source.data, Path) else io.BytesIO(source.data)
    try:
        with gzip.open(packed) as file:
            content = file.read(_LARGEST_UNPACKED + 1)
    except EOFError:
        raise InputError(f"{source.name} is cut short: the gzip file has no end.") from None
    if len(content) > _LARGEST_UNPACKED:
        raise InputError(f"{source.name} unpacks to more than {_LARGEST_UNPACKED >> 30} GB.")
    return content


def _choose(names: list[list[str]], looks_right: LooksRight) -> int:
    """Which of several tables is a catalogue; the first if none is."""
    return next((i for i, columns in enumerate(names) if looks_right(columns)), 0)


def _several(n: int, chosen: int, name: str) -> tuple[str, ...]:
    called = f" ({name})" if name else ""
    return (f"The file has {n} tables; this is number {chosen + 1}{called}.",) if n > 1 else ()


def read_votable(source: Source, looks_right: LooksRight) -> FileTable:
    """Read the first table that looks like a catalogue."""
    source.refuse_html()
    content = source.load()
    check_xml(content, source.name)
    document = votable.parse(io.BytesIO(content), verify="ignore")
    tables = [table for table in document.iter_tables() if table.fields]
    if not tables:
        raise InputError(f"{source.name} has no table.")
    names = [[field.name for field in table.fields] for table in tables]
    chosen = _choose(names, looks_right)
    source.refuse_duplicates(names[chosen])
    table = tables[chosen].to_table(use_names_over_ids=True)
    return FileTable(table, notes=_several(len(tables), chosen, tables[chosen].name))


def check_xml(content: bytes, name: str) -> None:
    """Raise InputError unless this is a VOTable that holds its rows itself.

    Astropy would fetch a stream that has an address, so such a file never gets there.
    """
    elements = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        element = tag.rpartition(":")[2].upper()
        if not elements and element != "VOTABLE":
            raise InputError(f"{name} is not a VOTable: it starts with <{tag[:40]}>.")
        elements += 1
        if element == "STREAM" and any("href" in key.lower() for key in attributes):
            raise InputError(f"{name} keeps its rows in another file; links are not followed.")

    def entity(*_: object) -> None:
        raise InputError(f"{name} declares XML entities, which are not read.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        reason = expat.errors.messages.get(error.code, "not XML")
        raise InputError(f"{name} is not a VOTable: {reason} in line {error.lineno}.") from None


def read_parquet(source: Source, looks_right: LooksRight) -> FileTable:
    """Read all columns."""
    source.refuse_html()
    if not source.head.startswith(b"PAR1"):
        raise InputError(f"{source.name} is not a Parquet file.")
    data = source.data
    with pa.OSFile(str(data)) if isinstance(data, Path) else pa.BufferReader(data) as file:
        file.seek(max(0, source.size - 4))
        if file.read(4) != b"PAR1" or source.size < 12:
            raise InputError(f"{source.name} is cut short: the Parquet file has no end.")
        parquet = pq.ParquetFile(file)
        source.refuse_duplicates(parquet.schema_arrow.names)
        return FileTable(parquet.read())
