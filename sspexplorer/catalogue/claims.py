"""What the names of a table claim: which column holds which band of which photometry."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sspexplorer.catalogue.arrays import ArrayOrders, Order
from sspexplorer.catalogue.names import ColumnName, parse
from sspexplorer.catalogue.words import SURVEYS

_COMPANY = 5  # bands that make numbers such as flux_378 the names of bands


@dataclass(frozen=True)
class Claim:
    """A column that says it holds a band's numbers."""

    column: str
    element: int | None
    kind: str = ""
    weak: bool = False


Claims = dict[str, list[Claim]]
Key = tuple[str, str, str]  # quantity, aperture, suffix


@dataclass
class Gathered:
    """What the names of a table claim, in file order, and what names no band of ours.

    The lists and counts are those of
    :class:`~sspexplorer.catalogue.photometries.Recognised`.
    """

    flux: dict[Key, Claims] = field(default_factory=dict)
    error: dict[Key, Claims] = field(default_factory=dict)
    mask: dict[tuple[str, str, str], Claims] = field(default_factory=dict)  # kind, aperture, …
    doubtful: set[Key] = field(default_factory=set)
    needs_errors: set[Key] = field(default_factory=set)
    other_bands: list[str] = field(default_factory=list)
    odd_arrays: list[tuple[str, int, str]] = field(default_factory=list)
    arrays: dict[str, tuple[Order, str]] = field(default_factory=dict)
    flags: list[str] = field(default_factory=list)
    no_photometry: Counter[str] = field(default_factory=Counter)


def columns_of(claimed: Mapping[tuple[str, str, str], Claims]) -> list[str]:
    """Each column that claims anything, once, in file order."""
    claims = (claim for own in claimed.values() for band in own.values() for claim in band)
    return list(dict.fromkeys(claim.column for claim in claims))


def gather(names: Sequence[str], width: Callable[[str], int], orders: ArrayOrders) -> Gathered:
    """Sort a table's columns by what their names claim.

    See :func:`~sspexplorer.catalogue.photometries.recognise`.
    """
    gathered = Gathered()
    for name in names:
        if (read := parse(name)) is not None:
            _add(gathered, name, read, width, orders)
    _settle(gathered)
    return gathered


def _add(
    gathered: Gathered,
    name: str,
    read: ColumnName,
    width: Callable[[str], int],
    orders: ArrayOrders,
) -> None:
    if read.role in ("other", "flag"):
        if read.band and read.known and not read.weak:
            gathered.no_photometry[read.aperture or read.quantity] += 1
        if read.role == "flag":
            gathered.flags.append(name)
        return
    if not read.known:
        if read.role == "flux":
            gathered.other_bands.append(name)
        return
    columns = width(name)
    elements = _elements(read, columns, orders.by_width)
    if elements is None:
        if read.role == "flux" and columns != 1:
            gathered.odd_arrays.append((name, columns, orders.refused.get(columns, "")))
        if read.role == "mask":
            gathered.flags.append(name)
        return
    if not read.band and read.role == "flux":
        gathered.arrays[name] = (orders.by_width[columns], orders.source.get(columns, ""))
    _claim(gathered, name, read, elements)


def _elements(
    read: ColumnName, width: int, orders: Mapping[int, Order]
) -> Iterable[tuple[str, int | None]] | None:
    if read.band:
        return [(read.band, None)] if width == 1 else None
    if width not in orders:
        return None
    return [(band, i) for i, band in enumerate(orders[width]) if band]


def _claim(
    gathered: Gathered,
    name: str,
    read: ColumnName,
    elements: Iterable[tuple[str, int | None]],
) -> None:
    if read.role == "mask":
        claims = gathered.mask.setdefault((read.kind, read.aperture, read.suffix), {})
    else:
        key = (read.quantity, read.aperture, read.suffix)
        by_role = gathered.flux if read.role == "flux" else gathered.error
        claims = by_role.setdefault(key, {})
        if read.needs_errors:
            gathered.needs_errors.add(key)
        if not read.trusted:
            gathered.doubtful.add(key)
    for band, element in elements:
        claims.setdefault(band, []).append(Claim(name, element, read.kind, read.weak))


def _settle(gathered: Gathered) -> None:
    """Drop what only may be a band, and complete sets that a join or a survey's name split."""
    for by_role in (gathered.flux, gathered.error):
        for key, claims in list(by_role.items()):
            _drop_weak(claims, gathered.flux.get(key, claims))
            if not claims:
                del by_role[key]
    _drop_vizier_flags(gathered)
    for by_key in (gathered.flux, gathered.error):
        _complete(by_key, lambda key: (key[0], key[1], ""))
        _complete(by_key, lambda key: (key[0], without_survey(key[1]), key[2]))


def _drop_weak(claims: Claims, company: Claims) -> None:
    strong = {band for band, own in company.items() if any(not c.weak for c in own)}
    believed = bool(strong) or len(company) >= _COMPANY
    for band, own in list(claims.items()):
        sure = [c for c in own if not c.weak]
        left = sure or (own if believed else [])
        if left:
            claims[band] = left
        else:
            del claims[band]


def _drop_vizier_flags(gathered: Gathered) -> None:
    """``f_J0378`` is a flag, as VizieR writes, where there is a J0378 too; else a flux."""
    for key in [key for key in gathered.flux if key[0] == "FLUX"]:
        plain = gathered.flux.get(("", *key[1:]), {})
        for band, own in list(gathered.flux[key].items()):
            lettered = [c for c in own if c.column[:2].lower() in ("f_", "f-", "f ")]
            if band in plain and lettered:
                mask = gathered.mask.setdefault(("vizier", *key[1:]), {})
                mask.setdefault(band, []).extend(lettered)
                left = [c for c in own if c not in lettered]
                gathered.flux[key].update({band: left})
                if not left:
                    del gathered.flux[key][band]
        if not gathered.flux[key]:
            del gathered.flux[key]


def _complete(by_key: dict[Key, Claims], wider: Callable[[Key], Key]) -> None:
    """Add the bands of a wider set, such as J0390 without a number, to those of J0378_1."""
    absorbed = set()
    for key in list(by_key):
        base = wider(key)
        if base == key or base not in by_key:
            continue
        missing = {b: own for b, own in by_key[base].items() if b not in by_key[key]}
        if len(missing) == len(by_key[base]):
            absorbed.add(base)
        by_key[key] |= missing
    for key in absorbed:
        del by_key[key]


def without_survey(aperture: str) -> str:
    """Aperture without the names of surveys: the photometry of JPAS_AUTO is AUTO."""
    return "_".join(word for word in aperture.split("_") if word not in SURVEYS)
