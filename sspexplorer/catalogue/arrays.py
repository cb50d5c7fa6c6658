"""Order of the bands in array columns: as published, or as a list beside them says."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from astropy.table import Table
from scipy.optimize import linear_sum_assignment

from sspexplorer.bands import BAND_NAMES, load_bands
from sspexplorer.catalogue.band_words import CENTRE_TOLERANCE, CENTRES, take_bands
from sspexplorer.catalogue.headers import keywords
from sspexplorer.catalogue.values import AnyTable, column_names, column_numbers, column_width
from sspexplorer.catalogue.words import words_of
from sspexplorer.errors import InputError

Order = tuple[str | None, ...]

# 54 are the narrow bands alone, 56 with those at both ends. The archive's arrays have 60 values:
# J1007 is followed by three bands we do not use.
ARRAY_ORDERS: dict[int, Order] = {
    54: BAND_NAMES[1:55],
    56: BAND_NAMES[:56],
    57: BAND_NAMES,
    60: (*BAND_NAMES[:56], None, None, None, BAND_NAMES[56]),
}

_WAVELENGTHS = re.compile(
    r"(filters?_?|bands?_?)?(wave(lengths?)?s?|lambdas?|lam|wl|pivots?)(_?(eff|pivot|ref|c|mean|"
    r"angstrom|aa|nm|um|micron))?"
)
_NAMES = re.compile(r"(jpas_?)?(filters?|bands?|filt)(_?(names?|list|order|ids?))?")
_NUMBERED = re.compile(r"(filter|filt|band)_?(\d+)")
_FEWEST, _MOST = 3, 400
# Broad bands have several wavelengths that are called their centre.
_OTHER_CENTRES = ((7480.0, "iSDSS"), (7625.0, "iSDSS"), (7670.0, "iSDSS"))


@dataclass(frozen=True)
class ArrayOrders:
    """Which band each value of an array is, by the array's length.

    Attributes
    ----------
    by_width : dict from int to tuple of str or None
        None stands for a band that is not among the 57.
    source : dict from int to str
        What a list was read from, for lengths where one was found.
    refused : dict from int to str
        Why the order cannot be known, where a list was found and not understood.
    """

    by_width: Mapping[int, Order] = field(default_factory=lambda: dict(ARRAY_ORDERS))
    source: Mapping[int, str] = field(default_factory=dict)
    refused: Mapping[int, str] = field(default_factory=dict)


def array_orders(table: AnyTable) -> ArrayOrders:
    """Orders that are published, and those that the table lists itself."""
    by_width, source = dict(ARRAY_ORDERS), {}
    refused: dict[int, str] = {}
    for where, entries in _lists(table):
        width = len(entries)
        if width in source:
            continue
        try:
            order = _order(entries, where)
        except InputError as error:
            refused.setdefault(width, str(error).rstrip("."))
            continue
        if order:
            by_width[width], source[width] = order, where
    for width in set(refused) - set(source):
        by_width.pop(width, None)
    return ArrayOrders(by_width, source, {w: r for w, r in refused.items() if w not in source})


def _lists(table: AnyTable) -> Iterator[tuple[str, Sequence]]:
    """Every list of filters or wavelengths, and where it stands."""
    for name in column_names(table):
        simple = re.sub(r"[^0-9a-z]+", "_", name.lower()).strip("_")
        if _WAVELENGTHS.fullmatch(simple) and column_width(table, name) >= _FEWEST:
            yield f"column {name}", _first_if_all_equal(table, name)
        elif _NAMES.fullmatch(simple) and (words := _filter_words(table, name)):
            yield f"column {name}", words
    numbered: dict[int, str] = {}
    for key, value in keywords(table).items():
        simple = str(key).lower()
        if _WAVELENGTHS.fullmatch(simple) or _NAMES.fullmatch(simple):
            entries = _split(value) if isinstance(value, str) else value
            if isinstance(entries, list | tuple) and _FEWEST <= len(entries) <= _MOST:
                yield f"the file's {key}", [str(entry) for entry in entries]
        elif (match := _NUMBERED.fullmatch(simple)) and isinstance(value, str):
            numbered[int(match[2])] = value
    if len(numbered) >= _FEWEST:
        yield "the file's header", [numbered[i] for i in sorted(numbered)]


def _first_if_all_equal(table: AnyTable, name: str) -> Sequence:
    values = np.asarray(column_numbers(table, name).values, float)
    same = np.nanmax(values, axis=0) - np.nanmin(values, axis=0) < 1e-3 * np.abs(values[0])
    if not same.all():
        return [None] * values.shape[1]
    return values[0].tolist()


def _filter_words(table: AnyTable, name: str) -> list[str]:
    """Names in the cells of a column, if all rows say the same; else nothing."""
    column = table[name]
    if isinstance(table, Table):
        if getattr(column, "dtype", np.dtype(float)).kind not in "USO":
            return []
        rows = {_cell(row) for row in column}
    else:
        kind = column.type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or "list" in str(kind)):
            return []
        rows = (
            {_cell(row) for row in column.unique().to_pylist()}
            if _is_text(kind)
            else {_cell(row) for row in column.to_pylist()}
        )
    rows.discard(())
    words = list(rows.pop()) if len(rows) == 1 else []
    return words if _FEWEST <= len(words) <= _MOST else []


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _cell(value: object) -> tuple[str, ...]:
    if value is None or value is np.ma.masked:
        return ()
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return tuple(_split(value))
    entries = np.asarray(value, dtype=object).ravel()
    return tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for v in entries)


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;|\[\](){}'\"]+", text) if word]


def _order(entries: Sequence, where: str) -> Order | None:
    """Bands of a list of names or wavelengths; None if it is about something else."""
    if entries[0] is None:
        raise InputError(f"the wavelengths in {where} differ from row to row")
    try:
        wavelengths = np.array([float(entry) for entry in entries])
    except (TypeError, ValueError):
        return _of_names([str(entry) for entry in entries], where)
    return _of_wavelengths(wavelengths, where)


def _of_names(names: list[str], where: str) -> Order | None:
    bands = [take_bands(words_of(name))[0] for name in names]
    order = [found[0].band if len(found) == 1 and found[0].known else None for found in bands]
    ours = [band for band in order if band]
    if not ours:
        return None
    if len(set(ours)) < len(ours):
        twice = next(band for band in ours if ours.count(band) > 1)
        raise InputError(f"the filters in {where} have {twice} twice")
    return tuple(order)


def _of_wavelengths(wavelengths: np.ndarray, where: str) -> Order | None:
    """Assign wavelengths in Å, nm or µm to the bands, each once, with the least sum of misses."""
    middle = np.nanmedian(wavelengths)
    for scale in (1.0, 10.0, 1e4):
        if 3000 < middle * scale < 11000:
            wavelengths = wavelengths * scale
            break
    else:
        return None
    misses = np.abs(wavelengths[:, None] - load_bands().pivot)
    for centre, band in (*CENTRES, *_OTHER_CENTRES):
        at = BAND_NAMES.index(band)
        misses[:, at] = np.minimum(misses[:, at], np.abs(wavelengths - centre))
    misses = np.nan_to_num(misses, nan=1e6)
    rows, bands = linear_sum_assignment(np.minimum(misses, 1e3))
    order: list[str | None] = [None] * len(wavelengths)
    for row, band in zip(rows, bands, strict=True):
        if misses[row, band] <= CENTRE_TOLERANCE:
            order[row] = BAND_NAMES[band]
    if sum(band is not None for band in order) < 0.5 * len(order):
        raise InputError(f"the wavelengths in {where} are not those of J-PAS bands")
    return tuple(order)
