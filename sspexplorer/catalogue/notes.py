"""Sentences that tell the user what was made of a catalogue."""

from collections import Counter
from collections.abc import Sequence

from sspexplorer.bands import BAND_NAMES, N_BANDS
from sspexplorer.catalogue.arrays import ARRAY_ORDERS
from sspexplorer.catalogue.columns_map import ColumnsMap
from sspexplorer.catalogue.fnu import Missing
from sspexplorer.catalogue.masks import Masked
from sspexplorer.catalogue.names import EXAMPLE_NAMES, BandColumn
from sspexplorer.catalogue.photometries import Photometry, Recognised
from sspexplorer.catalogue.redshifts import RedshiftColumn, Redshifts
from sspexplorer.catalogue.two_sided import BOUNDS, SIDES
from sspexplorer.catalogue.values import Numbers

_MOST_SENTENCES = 5  # of one kind
_BOTH = {SIDES: "their mean", BOUNDS: "half their distance"}
_J_PLUS_ONLY = ("J0395", "J0515", "J0861")


def nothing_found(found: Recognised) -> str:
    """Why a table without a band cannot be used."""
    text = f"0 of the {N_BANDS} bands found; columns should have names like {EXAMPLE_NAMES}"
    if found.odd_arrays:
        name, width, reason = found.odd_arrays[0]
        length = f"{width} values" if width else "a varying number of values"
        known = f"not {_one_of(sorted(ARRAY_ORDERS))} in a known order"
        text += f" ({name} has {length} a row, {reason or known})"
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
    sentences += _on_errors(columns)
    sentences += _on_arrays(columns, found)
    # With the columns of a map, the label says less than the columns do.
    if others := [p for p in found.photometries if p.label != chosen.label]:
        listed = _some([f"{p.label} ({len(p.columns)} bands)" for p in others])
        sentences.append(f"Other photometry, not used: {listed}.")
    sentences += _on_other_columns(columns, found)
    if set(_J_PLUS_ONLY) <= {_letters(name) for name in found.other_bands}:
        sentences.append(
            "The bands look like those of J-PLUS or S-PLUS: only those that J-PAS has too are used."
        )
    return tuple(sentences)


def _on_errors(columns: Sequence[BandColumn]) -> list[str]:
    """What the error columns hold, where it is something else than σ."""
    words = {
        "relative": "fractions of the flux",
        "percent": "per cent",
        "ivar": "1/σ²",
        "variance": "variances, σ²",
        SIDES: "the mean of a lower and an upper one",
        BOUNDS: "half the distance from a lower to an upper bound",
    }
    kinds = Counter(c.error_kind for c in columns if c.error)
    return [
        f"Errors of {_count(kinds[kind], 'band')} are read as {text}."
        for kind, text in words.items()
        if kinds[kind]
    ]


def _on_arrays(columns: Sequence[BandColumn], found: Recognised) -> list[str]:
    """In which order an array's values were taken."""
    sentences = []
    for name in dict.fromkeys(c.flux for c in columns if c.flux_element is not None):
        if name not in found.arrays:
            continue
        order, source = found.arrays[name]
        ours = [band for band in order if band]
        text = f"{name} has {len(order)} values a row, taken in the order {ours[0]}, {ours[1]}, "
        text += f"{ours[2]} … {ours[-2]}, {ours[-1]}"
        if len(ours) < len(order):
            text += f", with {len(order) - len(ours)} that are not ours between or after"
        sentences.append(text + (f", by {source}." if source else ", which is the published one."))
    return sentences


def _on_other_columns(columns: Sequence[BandColumn], found: Recognised) -> list[str]:
    """Columns that have to do with bands and were not used."""
    sentences = []
    if found.other_bands:
        sentences.append(f"Ignored, as not among the {N_BANDS} bands: {_some(found.other_bands)}.")
    for name, width, reason in found.odd_arrays:
        length = f"{width} values" if width else "a varying number of values"
        because = f" ({reason})" if reason else ""
        sentences.append(f"Ignored: {name}, which has {length} a row{because}.")
    if found.no_photometry:
        listed = _some([f"{what} ({_count(n, 'column')})" for what, n in found.no_photometry])
        sentences.append(f"Not photometry, ignored: {listed}.")
    used = {source[0] for column in columns for source in column.masks}
    if flags := [name for name in found.flags if name not in used]:
        sentences.append(f"These look like flags and were not used: {_some(flags)}.")
    errors = {name for column in columns for name in (column.error, column.error_upper)}
    if lone := [name for name in found.lone_errors if name not in errors]:
        sentences.append(f"Errors that were not read: {_some(lone)}.")
    return sentences


def on_map(mapped: ColumnsMap) -> tuple[str, ...]:
    """What the user's map of columns says."""
    if not mapped.bands:
        return ()
    read = [band for band, column in mapped.bands.items() if column]
    off = len(mapped.bands) - len(read)
    left_out = f", {_count(off, 'band')} left out" if off else ""
    return (f"{_count(len(read), 'band')} from the columns that your map names{left_out}.",)


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


def on_redshifts(found: Redshifts, columns: Sequence[RedshiftColumn], n: int) -> tuple[str, ...]:
    """Which redshifts were taken, for how many of ``n`` rows."""
    if not found.sources:
        names = [column.name for column in columns]
        first = f"There are no usable redshifts in {_some(names)}." if names else ""
        return (first or "There is no redshift column.", *found.remarks)
    unused = f"; not used: {_some(found.unused)}." if found.unused else "."
    if len(found.sources) == 1:
        column, known = found.sources[0]
        text = f"Redshifts ({column.kind}) from column {column.name}, known for {known:,} of {n:,} "
        sentences = [text + "rows" + unused]
    else:
        each = [f"{known:,} from {c.name} ({c.kind})" for c, known in found.sources]
        known = sum(known for _, known in found.sources)
        sentences = [f"Redshifts known for {known:,} of {n:,} rows: {', '.join(each)}" + unused]
    for column, _ in found.sources:
        if column.upper:
            both = f"Errors of {column.name} from {column.error} and {column.upper}"
            sentences.append(f"{both}: {_BOTH[found.two_sided[column.name]]}.")
    if errors := [c.error for c, _ in found.sources if c.error and not c.upper]:
        sentences.append(f"Errors of the redshifts from {_some(errors)}.")
    for column, _ in found.sources:
        if column.quantiles:
            levels = ", ".join(f"{level:g}" for level, _ in column.quantiles)
            sentences.append(f"p(z) of {column.name} from its quantiles at {levels}.")
    exact = [
        c.name for c, _ in found.sources if c.kind == "photometric" and not (c.error or c.quantiles)
    ]
    if exact:
        sentences.append(f"{_some(exact)} has no column of errors: taken as exact.")
    return (*sentences, *found.remarks)


def _letters(name: str) -> str:
    return next((band for band in _J_PLUS_ONLY if band in name.upper()), "")


def _one_of(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers[:-1])) + f" or {numbers[-1]}"


def _some(names: Sequence[str], n: int = 6) -> str:
    shown = ", ".join(names[:n])
    return shown + (f" and {len(names) - n} more" if len(names) > n else "")


def _count(n: int, one: str, many: str = "") -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"
