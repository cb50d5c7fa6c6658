"""What was taken from a catalogue: its columns, their unit and order, and what was left."""

import re
from dataclasses import asdict
from typing import Any

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.held import Catalogue
from sspexplorer.catalogue.names import BandColumn
from sspexplorer.catalogue.scoring import Verdict
from sspexplorer.catalogue.units import UNITS, ErrorUnit
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
        "unit_decided_by": catalogue.decision.source,
        "unit_verdict": _plain(catalogue.decision.verdict),
        "error_units": sorted({error.kind for error in _errors(catalogue)}),
        "masks": {
            "columns": catalogue.masked.columns,
            "ignored": list(catalogue.masked.ignored),
            **asdict(catalogue.masked.rule),
        },
        "missing": catalogue.missing.by_kind(),
        "stand_for_none": catalogue.missing.codes,
        "bands": {column.band: _entry(catalogue, column) for column in catalogue.columns},
        "absent_bands": list(catalogue.absent_bands),
        "missing_by_band": catalogue.n_missing_by_band,
        "redshift_column": catalogue.redshift_column,
        "ebv_galactic": catalogue.galactic,
        "unused_flags": unused_flags(catalogue),
        "notes": [*catalogue.notes, *sentences(catalogue)],
    }


def _plain(verdict: Verdict | None) -> dict[str, Any] | None:
    return None if verdict is None else asdict(verdict)


def _errors(catalogue: Catalogue) -> list[ErrorUnit]:
    """Units of the errors of bands that have any."""
    units = dict(zip(BAND_NAMES, catalogue.decision.errors, strict=True))
    return [units[column.band] for column in catalogue.columns if column.error]


def _entry(catalogue: Catalogue, column: BandColumn) -> dict[str, Any]:
    said = {
        key: value
        for key, value in asdict(column).items()
        if key != "band" and value not in ("", None, False)
    }
    return said | {"unit": column_unit(catalogue.table, column.flux)}


def topics(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Everything that is said of a catalogue, by what it is about.

    Returns
    -------
    dict
        Sentences on "file", "bands", "unit", "redshifts", "dust", "masks" and "missing": those of
        :attr:`Catalogue.notes` and of :func:`sentences`.
    """
    said = catalogue.said
    return {
        "file": said["file"],
        "bands": (*said["bands"], *_on_columns(catalogue)),
        "unit": _on_unit(catalogue),
        "redshifts": said["redshifts"],
        "dust": (*said["dust"], *_on_no_dust(catalogue)),
        "masks": (*said["masks"], *_on_no_masks(catalogue)),
        "missing": said["missing"],
    }


def sentences(catalogue: Catalogue) -> tuple[str, ...]:
    """What was taken as what, beyond the catalogue's own notes."""
    return (
        *_on_columns(catalogue),
        *_on_no_masks(catalogue),
        *_on_no_dust(catalogue),
        *_on_unit(catalogue),
    )


def _on_columns(catalogue: Catalogue) -> tuple[str, ...]:
    columns = catalogue.columns
    found = [_from("Fluxes", [(c.flux, c.flux_element, c.band) for c in columns])]
    errors = [(c.error, c.error_element, c.band) for c in columns if c.error]
    errors += [(c.error_upper, c.error_upper_element, c.band) for c in columns if c.error_upper]
    if errors:
        found.append(_from("Errors", errors))
        # What names say of errors is in the notes; units may say more.
        unnamed = [c.band for c in columns if c.error and c.error_kind == "absolute"]
        units = dict(zip(BAND_NAMES, catalogue.decision.errors, strict=True))
        kinds = {(units[band].kind == "relative", units[band].power) for band in unnamed}
        if kinds - {(False, 1.0)} and not catalogue.unit.endswith("mag"):
            found.append(f"Errors read as {_in_words(kinds)}.")
    return tuple(found)


def _on_unit(catalogue: Catalogue) -> tuple[str, ...]:
    return (f"Taken as {UNITS[catalogue.unit]}: {catalogue.unit_reason}.",)


def _on_no_dust(catalogue: Catalogue) -> tuple[str, ...]:
    if catalogue.said["dust"]:
        return ()
    return ("Not corrected for the dust of the Milky Way.",)


def _on_no_masks(catalogue: Catalogue) -> tuple[str, ...]:
    if catalogue.said["masks"]:
        return ()
    return ("No masks or flags of bands were read.",)


def _in_words(kinds: set[tuple[bool, float]]) -> str:
    """What errors are, by whether they are relative, and their power."""
    words = {
        (False, 1.0): "σ in the unit of a flux",
        (True, 1.0): "fractions of the flux, or of 100 %",
        (False, -0.5): "inverse variances",
        (False, 0.5): "variances",
        (True, -0.5): "inverse variances of a logarithm",
        (True, 0.5): "variances of a logarithm",
    }
    return " and ".join(words[kind] for kind in sorted(kinds))


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
