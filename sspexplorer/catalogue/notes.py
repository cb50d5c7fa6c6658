"""Sentences that tell the user what was made of a catalogue."""

from collections.abc import Sequence

from sspexplorer.bands import BAND_NAMES, N_BANDS
from sspexplorer.catalogue.fnu import Missing
from sspexplorer.catalogue.masks import Masked
from sspexplorer.catalogue.names import EXAMPLE_NAMES, Photometry, Recognised
from sspexplorer.catalogue.values import Numbers

_MOST_SENTENCES = 5  # of one kind


def nothing_found(found: Recognised) -> str:
    """Why a table without a band cannot be used."""
    text = f"0 of the {N_BANDS} bands found; columns should have names like {EXAMPLE_NAMES}"
    if found.odd_arrays:
        name, width = found.odd_arrays[0]
        length = f"{width} values" if width else "a varying number of values"
        text += f" ({name} has {length} a row, not 57 or 60)"
    elif found.other_bands:
        text += f" ({_some(found.other_bands)} are other bands)"
    return text + "."


def on_bands(chosen: Photometry, found: Recognised) -> tuple[str, ...]:
    """Which bands were found, and what else there is."""
    columns = chosen.columns
    with_error = sum(bool(c.error) for c in columns)
    sentences = [
        f"{len(columns)} of the {N_BANDS} bands found ({chosen.label} photometry), "
        + {0: "none with errors.", len(columns): "all with errors."}.get(
            with_error, f"{with_error} with errors."
        )
    ]
    have = {c.band for c in columns}
    if absent := [band for band in BAND_NAMES if band not in have]:
        sentences.append(f"Not in the table: {_some(absent, 12)}.")
    if others := [p for p in found.photometries if p is not chosen]:
        listed = _some([f"{p.label} ({len(p.columns)} bands)" for p in others])
        sentences.append(f"Other photometry, not used: {listed}.")
    if found.other_bands:
        sentences.append(f"Ignored, as not among the {N_BANDS} bands: {_some(found.other_bands)}.")
    for name, width in found.odd_arrays:
        length = f"{width} values" if width else "a varying number of values"
        sentences.append(f"Ignored: {name}, which has {length} a row.")
    return tuple(sentences)


def on_text(unreadable: dict[str, Numbers]) -> tuple[str, ...]:
    """Cells that should be numbers and are not, and limits."""
    words = [
        f"Column {name} has {_count(numbers.unreadable, 'cell')} without a number, taken as "
        f"missing; the first, in row {numbers.example[0] + 1}, reads {numbers.example[1]}."
        for name, numbers in unreadable.items()
        if numbers.unreadable
    ]
    limits = [
        f"Column {name} has {_count(numbers.limits, 'limit')} such as {numbers.limit_example}, "
        "taken as missing."
        for name, numbers in unreadable.items()
        if numbers.limits
    ]
    return _first_few(words) + _first_few(limits)


def _first_few(sentences: list[str]) -> tuple[str, ...]:
    """Sentences about columns, the many counted."""
    if len(sentences) > _MOST_SENTENCES:
        rest = _count(len(sentences) - _MOST_SENTENCES, "more column")
        sentences[_MOST_SENTENCES:] = [f"So have {rest}."]
    return tuple(sentences)


def on_masks(masked: Masked, missing: Missing) -> tuple[str, ...]:
    """Which masks and flags were used, and what they took."""
    sentences = []
    if masked.columns:
        by_band = missing.counts[missing.KINDS.index("masked by flags")]
        bands = [band for band, count in zip(BAND_NAMES, by_band, strict=True) if count]
        what = f"{_count(int(by_band.sum()), 'flux', 'fluxes')} masked"
        what += f" in {_some(bands)}" if bands else ""
        sentences.append(f"Masks and flags read from {_some(list(masked.columns))}: {what}.")
    if masked.ignored:
        sentences.append(f"Masks and flags not used, as you chose: {_some(masked.ignored)}.")
    return tuple(sentences)


def on_missing(missing: Missing, chosen: Photometry, n: int) -> tuple[str, ...]:
    """How many fluxes and errors are missing of ``n`` rows, and of which kind."""
    index = [BAND_NAMES.index(column.band) for column in chosen.columns]
    by_kind = missing.counts[:, index].sum(axis=1)
    kinds = ", ".join(
        f"{count:,} {kind}" for count, kind in zip(by_kind, missing.KINDS, strict=True) if count
    )
    total = n * len(index)
    sentences = ["No flux is missing."]
    if kinds:
        sentences = [f"Missing: {by_kind.sum():,} of {total:,} fluxes ({kinds})."]
    if missing.codes:
        most = sorted(missing.codes.items(), key=lambda code: -code[1])
        shown = _some([f"{value} ({count:,} times)" for value, count in most])
        sentences.append(f"Taken to stand for no value: {shown}.")
    gone = missing.counts.sum(axis=0)
    if empty := [BAND_NAMES[i] for i in index if gone[i] == n]:
        sentences.append(f"Never measured: {_some(empty, 12)}.")
    with_error = [i for i, column in zip(index, chosen.columns, strict=True) if column.error]
    if unknown := int(missing.unknown_errors[with_error].sum()):
        sentences.append(f"{_count(unknown, 'flux', 'fluxes')} without a usable error.")
    return tuple(sentences)


def on_redshift(name: str, kind: str, known: int, n: int, others: Sequence[str]) -> tuple[str, ...]:
    """Which redshifts were taken."""
    sentence = f"Redshifts ({kind}) from column {name}, known for {known:,} of {n:,} rows"
    return (sentence + (f"; not used: {_some(others)}." if others else "."),)


def no_redshift(names: Sequence[str]) -> tuple[str, ...]:
    """No redshifts were taken."""
    if names:
        return (f"There are no usable redshifts in {_some(names)}.",)
    return ("There is no redshift column.",)


def _some(names: Sequence[str], n: int = 6) -> str:
    shown = ", ".join(names[:n])
    return shown + (f" and {len(names) - n} more" if len(names) > n else "")


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
