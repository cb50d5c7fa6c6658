"""A map of columns: which column holds what, said by the user instead of guessed.

It is a mapping, as read from a YAML file::

    unit: flambda                     # fnu, flambda or mag
    redshift: [z_spec, PHOTOZ]        # the first that a row has
    redshift_err: [null, PHOTOZ_ERR]
    id: OBJID
    bands:
      J0378: {flux: F378, error: F378_ERR, error_kind: relative, mask: FLAGS_J0378}
      J0390: {flux: FLUX_AUTO, element: 2}    # a value of an array, counted from 0
      J0400: null                     # not read

Whatever the map leaves out is recognised as without a map, so it can be a single line.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.names import ERROR_KINDS, MASK_KINDS, TWO_SIDED, BandColumn
from sspexplorer.catalogue.redshift_quantiles import quantile_columns
from sspexplorer.catalogue.redshifts import RedshiftColumn, simple_name
from sspexplorer.catalogue.two_sided import BOUNDS
from sspexplorer.errors import InputError

_KEYS = ("photometry", "unit", "redshift", "redshift_err", "id", "bands")
_BAND_KEYS = (
    "flux",
    "element",
    "error",
    "error_element",
    "error_kind",
    "error_upper",
    "error_upper_element",
    "mask",
    "mask_element",
    "mask_kind",
    "flags",
    "flags_element",
)


@dataclass(frozen=True)
class ColumnsMap:
    """A map that was checked against a table.

    Attributes
    ----------
    bands : dict from str to BandColumn or None
        None for a band that is not to be read.
    redshifts : tuple of RedshiftColumn, or None
        None where the map does not say, so that they are recognised.
    photometry, unit : str or None
    id : str
        Column that names the rows, "" if the map does not say.
    """

    bands: Mapping[str, BandColumn | None] = field(default_factory=dict)
    redshifts: tuple[RedshiftColumn, ...] | None = None
    photometry: str | None = None
    unit: str | None = None
    id: str = ""

    def applied_to(self, columns: Sequence[BandColumn]) -> tuple[BandColumn, ...]:
        """These columns, or the map's own where it has a word on the band, in band order."""
        by_band = {column.band: column for column in columns} | dict(self.bands)
        return tuple(c for band in BAND_NAMES if (c := by_band.get(band)) is not None)


def fluxes_of(mapping: object) -> set[str]:
    """Columns that a map, checked or not, names for fluxes: a table that has them is the one."""
    if not isinstance(mapping, Mapping):
        return set()
    bands = mapping.get("bands")
    entries = dict(bands) if isinstance(bands, Mapping) else {}
    entries |= {band: mapping[band] for band in BAND_NAMES if band in mapping}
    named = [e.get("flux") if isinstance(e, Mapping) else e for e in entries.values()]
    return {name for name in named if isinstance(name, str)}


def check_map(mapping: Mapping, names: Sequence[str], width: Callable[[str], int]) -> ColumnsMap:
    """Check a map against the columns of a table.

    Parameters
    ----------
    mapping : mapping
        As of :func:`~sspexplorer.catalogue.map_files.load_map`; see this module's docstring.
    names : sequence of str
        The table's columns.
    width : callable
        Values in each row of a column: 1 for a plain one.

    Raises
    ------
    InputError
        One sentence that names what is wrong in the map.
    """
    if not isinstance(mapping, Mapping):
        raise InputError("A map of columns must be a mapping, with keys such as bands, redshift.")
    bands = dict(_mapping(mapping.get("bands"), "bands"))
    for key in mapping:
        if key in BAND_NAMES:
            if key in bands:
                raise InputError(f"The map of columns has {key} twice: by itself and in bands.")
            bands[key] = mapping[key]
        elif key not in _KEYS:
            raise InputError(_unknown("key", key, (*_KEYS, *BAND_NAMES)))
    checker = _Checker(names, width)
    columns = {band: checker.band(band, entry) for band, entry in bands.items()}
    checker.refuse_one_for_two([c for c in columns.values() if c])
    return ColumnsMap(
        columns,
        checker.redshifts(mapping),
        _text(mapping, "photometry"),
        _text(mapping, "unit"),
        checker.column(mapping["id"], "id") if mapping.get("id") is not None else "",
    )


@dataclass(frozen=True)
class _Checker:
    names: Sequence[str]
    width: Callable[[str], int]

    def column(self, name: object, where: str) -> str:
        """Name of a column that there is, also if only its case or its spaces differ."""
        if not isinstance(name, str):
            raise InputError(
                f"In the map of columns, {where} is {name!r}, which is no column's name; put it in "
                "quotes if it is one."
            )
        if name in self.names:
            return name
        same = [n for n in self.names if n.strip().lower() == name.strip().lower()]
        if len(same) == 1:
            return same[0]
        raise InputError(_unknown(f"column for {where}", name, self.names, "the table"))

    def band(self, band: object, entry: object) -> BandColumn | None:
        if band not in BAND_NAMES:
            raise InputError(_unknown("band", band, BAND_NAMES))
        if entry is None:
            return None
        entry = {"flux": entry} if isinstance(entry, str) else _mapping(entry, str(band))
        for key in entry:
            if key not in _BAND_KEYS:
                raise InputError(_unknown(f"key for {band}", key, _BAND_KEYS))
        if entry.get("flux") is None:
            raise InputError(f"In the map of columns, {band} has no flux: say which column has it.")
        flux, at = self._source(entry, "flux", "element", band)
        error, error_at = self._source(entry, "error", "error_element", band, at)
        mask, mask_at = self._source(entry, "mask", "mask_element", band, at)
        flags, flags_at = self._source(entry, "flags", "flags_element", band, at)
        upper, upper_at = self._source(entry, "error_upper", "error_upper_element", band, at)
        error_kind = _one_of(entry, "error_kind", ERROR_KINDS, band)
        error_kind = error_kind or (BOUNDS if upper else "absolute")
        if bool(upper) != (error_kind in TWO_SIDED) or (upper and not error):
            raise InputError(
                f"In the map of columns, {band} needs error and error_upper together, with "
                f"error_kind {' or '.join(TWO_SIDED)}."
            )
        mask_kind = _one_of(entry, "mask_kind", MASK_KINDS, band) or ("mask" if mask else "")
        if flags and not mask:
            mask, mask_at, mask_kind, flags, flags_at = flags, flags_at, "sextractor", "", None
        return BandColumn(
            str(band), flux, error, at, error_at, error_kind, mask, mask_at, mask_kind, flags,
            flags_at, upper, upper_at,
        )  # fmt: skip

    def _source(
        self, entry: Mapping, key: str, element_key: str, band: object, other: int | None = None
    ) -> tuple[str, int | None]:
        """Column and element; where an array's element is not given, it is the flux's."""
        if entry.get(key) is None:
            if entry.get(element_key) is not None:
                raise InputError(f"In the map of columns, {band} has {element_key} without {key}.")
            return "", None
        name = self.column(entry[key], f"{key} of {band}")
        element = entry.get(element_key)
        width = self.width(name)
        if width == 1:
            if element is not None:
                raise InputError(
                    f"In the map of columns, {band} asks for {element_key} {element} of {name!r}, "
                    "which is no array."
                )
            return name, None
        element = other if element is None else element
        if isinstance(element, bool) or not isinstance(element, int) or not 0 <= element < width:
            raise InputError(
                f"In the map of columns, {band} needs {element_key}, a whole number from 0 to "
                f"{width - 1}, as {name!r} has {width} values a row."
            )
        return name, element

    def refuse_one_for_two(self, columns: Sequence[BandColumn]) -> None:
        """Raise InputError if one column's numbers are given to two bands."""
        seen: dict[tuple[str, int | None], str] = {}
        for column in columns:
            own = {
                f"the flux of {column.band}": (column.flux, column.flux_element),
                f"the error of {column.band}": (column.error, column.error_element),
                f"the upper error of {column.band}": (
                    column.error_upper,
                    column.error_upper_element,
                ),
            }
            for what, source in own.items():
                if source[0] and source in seen:
                    raise InputError(
                        f"In the map of columns, {source[0]!r} is both {seen[source]} and {what}."
                    )
                seen[source] = what

    def redshifts(self, mapping: Mapping) -> tuple[RedshiftColumn, ...] | None:
        if "redshift" not in mapping:
            if mapping.get("redshift_err") is not None:
                raise InputError("The map of columns has redshift_err without redshift.")
            return None
        given, errors = mapping["redshift"], mapping.get("redshift_err")
        given = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
        errors = list(errors) if isinstance(errors, list | tuple) else [errors]
        if len(errors) > max(len(given), 1):
            raise InputError(
                f"The map of columns has {len(errors)} redshift_err for {len(given)} redshift."
            )
        errors += [None] * (len(given) - len(errors))
        simple = {name: simple_name(name) for name in self.names}
        found = []
        for name, error in zip(given, errors, strict=False):
            column, both = self.column(name, "redshift"), self._redshift_errors(error)
            quantiles = quantile_columns(simple, column)
            found.append(RedshiftColumn(column, "as you chose", *both, quantiles=quantiles))
        return tuple(found)

    def _redshift_errors(self, given: object) -> list[str]:
        """Column of errors, or two of both sides; empty if none is given."""
        both = list(given) if isinstance(given, list | tuple) else [given]
        if len(both) not in (1, 2):
            raise InputError(
                f"In the map of columns, a redshift has one redshift_err or two, not {len(both)}."
            )
        return [self.column(name, "redshift_err") for name in both if name is not None]


def _mapping(value: object, what: str) -> Mapping:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(
            f"In the map of columns, {what} must be a mapping such as {{flux: J0378}}, not "
            f"{_shown(value)}."
        )
    return value


def _text(mapping: Mapping, key: str) -> str | None:
    value = mapping.get(key)
    if value is not None and not isinstance(value, str):
        raise InputError(f"In the map of columns, {key} must be a word, not {_shown(value)}.")
    return value


def _one_of(entry: Mapping, key: str, choices: tuple[str, ...], band: object) -> str | None:
    value = entry.get(key)
    if value is not None and value not in choices:
        raise InputError(
            f"In the map of columns, {key} of {band} must be one of {', '.join(choices)}, not "
            f"{_shown(value)}."
        )
    return value


def _unknown(what: str, name: object, known: Sequence[str], place: str = "") -> str:
    by_letters = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(str(name).lower(), by_letters, 1, 0.6)
    hint = f"; did you mean {by_letters[close[0]]!r}?" if close else "."
    where = f", which is not in {place}" if place else ", which is unknown"
    return f"The map of columns has the {what} {_shown(name)}{where}{hint}"


def _shown(value: object) -> str:
    text = (
        repr(value) if isinstance(value, str | int | float | bool | None) else type(value).__name__
    )
    return text if len(text) <= 60 else text[:59] + "…"


def map_of(
    columns: Sequence[BandColumn],
    redshifts: Sequence[RedshiftColumn],
    unit: str | None,
    id_column: str = "",
) -> dict:
    """Map that reads the same again: every band is named, those not read as None.

    Parameters
    ----------
    columns : sequence of BandColumn
    redshifts : sequence of RedshiftColumn
    unit : str or None
        None where the columns have units of different kinds, which then decide again.
    id_column : str
    """
    by_band = {column.band: column for column in columns}
    found: dict = {}
    if unit is not None:
        found["unit"] = unit
    found["redshift"] = [column.name for column in redshifts] or None
    if any(column.error for column in redshifts):
        found["redshift_err"] = [column.errors for column in redshifts]
    if id_column:
        found["id"] = id_column
    found["bands"] = {
        band: _entry(by_band[band]) if band in by_band else None for band in BAND_NAMES
    }
    return found


def _entry(column: BandColumn) -> dict:
    entry: dict = {"flux": column.flux, "element": column.flux_element}
    if column.error:
        entry |= {"error": column.error, "error_element": column.error_element}
        if column.error_kind != "absolute":
            entry["error_kind"] = column.error_kind
    if column.error_upper:
        entry["error_upper"] = column.error_upper
        entry["error_upper_element"] = column.error_upper_element
    if column.mask:
        entry |= {"mask": column.mask, "mask_element": column.mask_element}
        entry["mask_kind"] = column.mask_kind
    if column.flags:
        entry |= {"flags": column.flags, "flags_element": column.flags_element}
    return {key: value for key, value in entry.items() if value is not None}
