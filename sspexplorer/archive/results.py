"""What comes back: a VOTable, checked, with the names and units of a catalogue."""

import contextlib
import warnings
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

import numpy as np
from astropy import units as u
from astropy.io import votable
from astropy.table import Table

from sspexplorer.archive.connection import plain_name
from sspexplorer.archive.troubles import plain
from sspexplorer.catalogue.binary import check_xml
from sspexplorer.errors import InputError


@dataclass(frozen=True)
class Result:
    """Rows of an answer.

    Attributes
    ----------
    table : Table
        Plain names, one value or one array of fixed length a row.
    cut : bool
        Whether the service had more rows than it gives.
    """

    table: Table
    cut: bool


def read_result(path: Path, host: str) -> Result:
    """Read an answer.

    Raises
    ------
    InputError
        If it is no VOTable, is broken, or says that something is wrong.
    """
    content = path.read_bytes()
    name = f"the answer of {host}"
    if content.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise InputError(
            f"{host} answers with a web page, not with a table; it may ask for a login."
        )
    statuses = _statuses(content)
    wrong = next((text for value, text in statuses if value == "ERROR"), None)
    if wrong is not None:
        raise InputError(f"{host} refuses the query: {plain(wrong) or 'it does not say why'}.")
    with _said_of(host):
        check_xml(content, name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed = votable.parse(path, verify="ignore")
            found = list(parsed.iter_tables())
            table = found[0].to_table(use_names_over_ids=True) if found else None
        # The parser promises no set of exceptions for a broken table.
        except Exception as error:
            raise InputError(f"{host} sent a broken table: {plain(str(error), 160)}.") from None
    if table is None:
        raise InputError(f"{host} sent a VOTable without a table.")
    _tidy(table)
    return Result(table, any(value == "OVERFLOW" for value, _ in statuses))


@contextlib.contextmanager
def _said_of(host: str):
    try:
        yield
    except InputError as error:
        text = str(error)
        raise InputError(f"{host} sent a broken table: {text.rstrip('.')}.") from None


def error_message(content: bytes) -> str:
    """What a service says in an error document: a VOTable, or plain text."""
    found = [text for value, text in _statuses(content) if value == "ERROR"]
    return found[0] if found else content[:2000].decode("utf-8", "replace")


def _statuses(content: bytes) -> list[tuple[str, str]]:
    """Value and text of every INFO called QUERY_STATUS, as far as the document can be read."""
    found: list[list[str]] = []
    inside = False

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        info = tag.rpartition(":")[2].upper() == "INFO"
        inside = info and attributes.get("name", "").upper() == "QUERY_STATUS"
        if inside:
            found.append([attributes.get("value", "").upper(), ""])

    def text(data: str) -> None:
        if inside:
            found[-1][1] += data

    def end(tag: str) -> None:
        nonlocal inside
        inside = False

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = text
    # A broken document is told of by whoever reads the table; what it says up to there counts.
    with contextlib.suppress(expat.ExpatError):
        parser.Parse(content, True)
    return [(value, words.strip()) for value, words in found]


def _tidy(table: Table) -> None:
    """Give columns plain names and shapes: the archive's have more of both than they need."""
    names = [plain_name(name) for name in table.colnames]
    # Two tables of a join may have a column each of one name.
    if len({name.lower() for name in names}) == len(names):
        table.rename_columns(table.colnames, names)
    for name in table.colnames:
        column = table[name]
        if column.shape[1:] == (1,):
            table.replace_column(name, column[:, 0])
        elif column.dtype.kind == "O" and len(column):
            _even(table, name)


def _even(table: Table, name: str) -> None:
    """Make an array column of one whose rows are arrays of the same length."""
    cells = list(table[name])
    if not all(isinstance(cell, np.ndarray | np.ma.MaskedArray) for cell in cells):
        return
    if len({cell.shape for cell in cells}) == 1 and cells[0].dtype.kind in "fiu":
        unit, words = table[name].unit, table[name].description
        table[name] = np.ma.stack(cells)
        table[name].unit, table[name].description = unit, words


def understood_unit(text: object) -> u.UnitBase | None:
    """Unit that a service states, or None if it states none that makes sense."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            unit = u.Unit(str(text), parse_strict="raise") if text else None
        except (ValueError, TypeError):
            return None
    return unit
