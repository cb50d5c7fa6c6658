"""Tables from FITS and VOTable."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat

from astropy.io import fits, votable
from astropy.table import Table

from sspexplorer.catalogue.headers import read_header
from sspexplorer.catalogue.several import Part, read_one
from sspexplorer.catalogue.source import FileTable, LooksRight, Source, Watched, distinct
from sspexplorer.errors import InputError


def read_fits(source: Source, looks_right: LooksRight) -> FileTable:
    """Read the first table that looks like a catalogue, mapped from disk where it can be."""
    with fits_tables(source) as tables:
        for hdu in tables:
            header = hdu.header
            source.bounds.check(source.name, header["NAXIS2"], header["TFIELDS"], hdu.size)
        return read_one([_fits_part(hdu) for hdu in tables], looks_right, source.name)


@contextlib.contextmanager
def fits_tables(source: Source) -> Iterator[list[fits.BinTableHDU | fits.TableHDU]]:
    """Open the tables of a FITS file, mapped from disk where they can be.

    Raises
    ------
    InputError
        If there is none, or one is cut.
    """
    source.refuse_html()
    if not source.head.startswith(b"SIMPLE  ="):
        raise InputError(f"{source.name} is not a FITS file.")
    data = source.data
    file = data if isinstance(data, Path) else io.BytesIO(data)
    with fits.open(file, memmap=isinstance(data, Path)) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)]
        if not tables:
            raise InputError(f"{source.name} has no table, only images or nothing.")
        for hdu in tables:
            if hdu.fileinfo()["datLoc"] + hdu.size > source.size:
                raise InputError(f"{source.name} is cut short: its last rows are missing.")
        yield tables


def read_part(hdu: fits.BinTableHDU) -> FileTable:
    """Read one table."""
    return _fits_part(hdu).read()


def _fits_part(hdu: fits.BinTableHDU | fits.TableHDU) -> Part:
    header = hdu.header
    numbers = range(1, header.get("TFIELDS", 0) + 1)
    names, renamed = distinct([str(header.get(f"TTYPE{i}", f"col{i}")) for i in numbers])
    # Before astropy looks at the columns, which it wants to differ.
    for i, name in zip(numbers, names, strict=True):
        if name in renamed:
            header[f"TTYPE{i}"] = name

    def read() -> FileTable:
        said = _take_astropy_header(header)
        table = Table.read(hdu, mask_invalid=False, unit_parse_strict="silent")
        for name, i in zip(names, numbers, strict=True):
            own = said.get(name, {})
            if described := header.get(f"TCOMM{i}") or own.get("description"):
                table[name].description = str(described)
            # Those that FITS has no word for are in astropy's comments only.
            if table[name].unit is None and own.get("unit"):
                table[name].unit = str(own["unit"])
        return FileTable(table, renamed=renamed)

    return Part(hdu.name, names, header["NAXIS2"], read)


def _take_astropy_header(header: fits.Header) -> dict[str, dict]:
    """Take astropy's YAML out of the comments, and return what it says about each column.

    From it astropy would make times and coordinates of plain columns, and it could do harm; the
    plain columns are what the file holds.
    """
    comments = [str(comment) for comment in header.get("COMMENT", ())]
    marks = [i for i, text in enumerate(comments) if "ASTROPY-SERIALIZED-COLUMNS" in text]
    if not marks:
        return {}
    header.remove("COMMENT", remove_all=True)
    for text in (*comments[: marks[0]], *comments[marks[-1] + 1 :]):
        header["COMMENT"] = text
    # Astropy breaks long lines with a backslash.
    yaml = "\n".join(comments[marks[0] + 1 : marks[-1]]).replace("\\\n", "")
    # What would do harm, or is damaged, is no loss.
    with contextlib.suppress(Exception):
        return {column["name"]: column for column in read_header(yaml, "The header")["datatype"]}
    return {}


def read_votable(source: Source, looks_right: LooksRight) -> FileTable:
    """Read the first table that looks like a catalogue."""
    source.refuse_html()
    content = source.load()
    check_xml(content, source.name)
    document = votable.parse(Watched(content, source.progress), verify="ignore")
    tables = [table for table in document.iter_tables() if table.fields]
    if not tables:
        raise InputError(f"{source.name} has no table.")
    return read_one([_votable_part(table) for table in tables], looks_right, source.name)


def _votable_part(element: votable.tree.TableElement) -> Part:
    names, renamed = distinct([field.name for field in element.fields])
    for field, name in zip(element.fields, names, strict=True):
        field.name = name

    def read() -> FileTable:
        table = element.to_table(use_names_over_ids=True)
        for param in element.params:
            table.meta.setdefault(param.name, param.value)
        for info in element.infos:
            table.meta.setdefault(info.name, info.value)
        return FileTable(table, renamed=renamed)

    return Part(element.name or "", names, len(element.array), read)


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
        if element == "STREAM" and attributes.get("encoding", "base64") != "base64":
            raise InputError(
                f"{name} packs its rows with {attributes['encoding'][:20]}; pack the file instead."
            )

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
