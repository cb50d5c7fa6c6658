"""What was taken from a catalogue: its columns, their unit and order, and what was left."""

import re
from dataclasses import asdict
from typing import Any

from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.reading import Catalogue
from sspexplorer.catalogue.units import UNITS
from sspexplorer.catalogue.values import column_unit

_FLAGS = re.compile(r"(?i)(.*[^a-z])?(flags?|mask(ed|s)?|quality|qual|good|bad|clean)([^a-z].*)?")


def taken(catalogue: Catalogue) -> dict[str, Any]:
    """All that was decided about a catalogue, as JSON can hold it.

    Returns
    -------
    dict
        ``bands`` has an entry for each band that was read: its columns by their role, as in
        :class:`~sspexplorer.catalogue.names.BandColumn`, and the unit that the file gives it.
    """
    return {
        "photometry": catalogue.photometry,
        "other_photometries": [
            p for p in catalogue.available_photometries if p != catalogue.photometry
        ],
        "unit": catalogue.unit,
        "unit_reason": catalogue.unit_reason,
        "bands": {column.band: _entry(catalogue, column) for column in catalogue.columns},
        "absent_bands": list(catalogue.absent_bands),
        "missing_by_band": catalogue.n_missing_by_band,
        "redshift_column": catalogue.redshift_column,
        "ebv_galactic": catalogue.galactic,
        "unused_flags": unused_flags(catalogue),
        "notes": [*catalogue.notes, *sentences(catalogue)],
    }


def _entry(catalogue: Catalogue, column: BandColumn) -> dict[str, Any]:
    said = {
        key: value
        for key, value in asdict(column).items()
        if key != "band" and value not in ("", None, False)
    }
    return said | {"unit": column_unit(catalogue.table, column.flux)}


def sentences(catalogue: Catalogue) -> tuple[str, ...]:
    """Which columns were taken as what, beyond the catalogue's own notes."""
    columns = catalogue.columns
    found = [_from("Fluxes", [(c.flux, c.flux_element, c.band) for c in columns])]
    if errors := [(c.error, c.error_element, c.band) for c in columns if c.error]:
        found.append(_from("Errors", errors))
    found.append(f"Taken as {UNITS[catalogue.unit]}: {catalogue.unit_reason}.")
    return tuple(found)


def _from(what: str, sources: list[tuple[str, int | None, str]]) -> str:
    names = list(dict.fromkeys(name for name, _, _ in sources))
    text = f"{what} from {names[0]}"
    if len(names) > 1:
        text += f" to {names[-1]} ({len(names)} columns)"
    places = [(element, band) for _, element, band in sources if element is not None]
    if places:
        (first, low), (last, high) = min(places), max(places)
        text += f", an array in which value {first + 1} is {low} and value {last + 1} is {high}"
    return f"{text}."


def unused_flags(catalogue: Catalogue) -> list[str]:
    """Columns whose names say that they are flags or masks, and that nothing was taken from."""
    used = {value for column in catalogue.columns for value in asdict(column).values() if value} | {
        catalogue.redshift_column
    }
    return [
        name
        for name in catalogue.column_names
        if name not in used and _FLAGS.fullmatch(name) and not name.startswith(("pred_", "fit_"))
    ]
