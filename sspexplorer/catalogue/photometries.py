"""The photometries of a table: which columns belong together, and which set to take."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue.arrays import ArrayOrders, Order
from sspexplorer.catalogue.claims import (
    Claim,
    Claims,
    Gathered,
    Key,
    columns_of,
    gather,
    without_survey,
)
from sspexplorer.catalogue.names import TWO_SIDED, WHOLE_ERRORS, BandColumn
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError

PLAIN = "plain"
_PREFERRED = ("APER_COR_3_0", "", "AUTO")  # the first is the paper's


class ChoiceNeededError(InputError):
    """What was found could be read in several ways that nothing sets apart.

    Attributes
    ----------
    option : str
        Argument of :func:`~sspexplorer.catalogue.read_catalogue` that decides.
    choices : tuple of str
        Its possible values.
    """

    def __init__(self, sentence: str, option: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.option, self.choices = option, choices


@dataclass(frozen=True)
class Photometry:
    """One set of columns that belong together: a label, its quantity, and a column per band.

    ``clashes`` are (band, sentence) of bands that two columns claim.
    """

    label: str
    quantity: str
    aperture: str
    columns: tuple[BandColumn, ...]
    clashes: tuple[tuple[str, str], ...] = ()
    suffix: str = ""
    trusted: bool = True

    @property
    def with_errors(self) -> int:
        """How many bands have an error."""
        return sum(bool(column.error) for column in self.columns)


@dataclass(frozen=True)
class Recognised:
    """All that the names of a table say of bands.

    Attributes
    ----------
    photometries : tuple of Photometry
        The best first: most bands and errors, then APER_COR_3_0, plain, AUTO, others.
    other_bands : tuple of str
        Columns of bands that are not among the 57.
    odd_arrays : tuple of (column, length, reason)
        Photometric array columns whose order of bands is unknown; the reason may be "".
    arrays : dict from str to (order, source)
        Bands of the values of each array column of photometry, None for bands that are not ours,
        and where a list of them was found, "" for the published order.
    flags : tuple of str
        Columns that look like flags and mask no band.
    no_photometry : tuple of (what, number)
        Columns that name a band and are no photometry: NOBS, 57 of them.
    lone_errors : tuple of str
        Errors without a flux, or of one side only.
    """

    photometries: tuple[Photometry, ...]
    other_bands: tuple[str, ...] = ()
    odd_arrays: tuple[tuple[str, int, str], ...] = ()
    arrays: Mapping[str, tuple[Order, str]] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    no_photometry: tuple[tuple[str, int], ...] = ()
    lone_errors: tuple[str, ...] = ()

    def photometry(self, label: str | None) -> Photometry:
        """Photometry with this label, in any letter case; the best one if None.

        Raises
        ------
        InputError
            If there is no such photometry.
        ChoiceNeededError
            If ``label`` is None and two are equally good.
        """
        if label is not None:
            return self._labelled(label)
        best = self.photometries[0]
        rivals = [p for p in self.photometries if _rank(p)[:3] == _rank(best)[:3]]
        rivals = list({(p.aperture): p for p in reversed(rivals)}.values())[::-1]
        if len(rivals) > 1:
            labels = tuple(p.label for p in rivals)
            raise ChoiceNeededError(
                f"{' and '.join(labels[:2])} are equally good photometries ({len(best.columns)} "
                f"bands); say {way('photometry', *labels)}.",
                "photometry",
                labels,
            )
        return best

    def _labelled(self, label: str) -> Photometry:
        # AUTO also stands for FLUX_AUTO, or for MAG_AUTO where that is all there is.
        wanted = [f"{prefix}{label.upper()}" for prefix in ("", "FLUX_", "MAG_")]
        by_label = {p.label.upper(): p for p in self.photometries}
        found = [by_label[name] for name in wanted if name in by_label]
        if not found:
            known = ", ".join(p.label for p in self.photometries)
            raise InputError(f"There is no photometry {label!r} in the table; it has {known}.")
        return found[0]


def recognise(
    names: Sequence[str],
    width: Callable[[str], int],
    orders: ArrayOrders | None = None,
) -> Recognised:
    """Find the photometries, and what else names a band, in a table's names.

    Parameters
    ----------
    names : sequence of str
        Column names in file order.
    width : callable
        Values in each row of a column: 1 for a plain column. Asked only of columns whose name
        looks like photometry or a mask.
    orders : ArrayOrders, optional
        Bands of the values in an array column, by its length; as published if not given.
    """
    gathered = gather(names, width, orders or ArrayOrders())
    found = [_photometry(key, gathered) for key in gathered.flux]
    kept = [
        p for p, key in zip(found, gathered.flux, strict=True) if _is_measured(p, key, gathered)
    ]
    for photometry in found:
        if photometry not in kept:
            gathered.no_photometry[photometry.label] += len(photometry.columns)
    kept = _labelled(kept)
    used = {source[0] for p in kept for column in p.columns for source in column.masks}
    taken = {name for p in found for c in p.columns for name in (c.error, c.error_upper)}
    flags = [*gathered.flags, *(m for m in columns_of(gathered.mask) if m not in used)]
    errors = columns_of(gathered.error)
    return Recognised(
        tuple(sorted(kept, key=_rank)),
        tuple(gathered.other_bands),
        tuple(gathered.odd_arrays),
        gathered.arrays,
        tuple(dict.fromkeys(flags)),
        tuple(gathered.no_photometry.items()),
        tuple(name for name in errors if name not in taken),
    )


def _photometry(key: Key, gathered: Gathered) -> Photometry:
    quantity, aperture, suffix = key
    columns, clashes = [], []
    sets = _error_sets(key, gathered)
    for band in BAND_NAMES:
        fluxes = gathered.flux[key].get(band, [])
        if not fluxes:
            continue
        if len(fluxes) > 1:
            clashes.append((band, _clash(band, fluxes)))
        errors = next((claims[band] for claims in sets if band in claims), [])
        kind, *both = _usable(errors)
        for same in both:
            if len(same) > 1:
                clashes.append((band, _clash(band, same, "the error of ")))
        lower, upper = (same[0] if same else Claim("", None) for same in both)
        column = BandColumn(
            band,
            fluxes[0].column,
            lower.column,
            fluxes[0].element,
            lower.element,
            kind,
            error_upper=upper.column,
            error_upper_element=upper.element,
        )
        columns.append(_with_masks(column, aperture, suffix, gathered))
    label = "_".join(part for part in (quantity, aperture) if part) or PLAIN
    trusted = key not in gathered.doubtful
    return Photometry(label, quantity, aperture, tuple(columns), tuple(clashes), suffix, trusted)


def _usable(errors: list[Claim]) -> tuple[str, list[Claim], list[Claim]]:
    """Kind of error to take of those there are, its columns, and those of the upper side."""
    # An absolute error needs no flux to be one, so it goes first.
    for kind in WHOLE_ERRORS:
        if same := [claim for claim in errors if claim.kind == kind]:
            return kind, same, []
    for kind in TWO_SIDED:
        lower, upper = (
            [claim for claim in errors if claim.kind == f"{side} {kind}"]
            for side in ("lower", "upper")
        )
        if lower and upper:
            return kind, lower, upper
    return "absolute", [], []


def _error_sets(key: Key, gathered: Gathered) -> list[Claims]:
    """Sets of errors that can be those of a photometry, the likeliest first."""
    quantity, aperture, suffix = key
    # FLUX_RELERR_AUTO_J0378 is also the error of a column called AUTO_J0378, and
    # error_AUTO_J0378 that of FLUX_AUTO_J0378; where both are there, each has its own.
    likely = [quantity]
    likely += ["FLUX", "FNU", "FLAMBDA", ""] if quantity != "MAG" else [""]
    likely += ["MAG"] if not quantity else []
    keys = []
    for other in dict.fromkeys(likely):
        for number in dict.fromkeys((suffix, "")):
            of_another = other != quantity and _is_close(other, quantity, aperture, gathered)
            if not of_another:
                keys.append((other, aperture, number))
    return [gathered.error[k] for k in keys if k in gathered.error]


def _is_close(other: str, quantity: str, aperture: str, gathered: Gathered) -> bool:
    """Whether errors of another quantity have fluxes of their own, so that none are left."""
    if "MAG" not in (other, quantity):
        return False
    return any(key[:2] == (other, aperture) for key in gathered.flux)


def _with_masks(column: BandColumn, aperture: str, suffix: str, gathered: Gathered) -> BandColumn:
    found: dict[str, Claim] = {}
    for kind in ("mask", "sextractor"):
        sets = {k[1:]: claims for k, claims in gathered.mask.items() if k[0] == kind}
        order = [(aperture, suffix), (aperture, ""), ("", suffix), ("", "")]
        # Flags of the only aperture that has them are those of the object.
        order += list(sets) if len(sets) == 1 else []
        claims = next((sets[k][column.band] for k in order if column.band in sets.get(k, {})), None)
        if claims:
            found[kind] = claims[0]
    if not found:
        return column
    kind, first = next(iter(found.items()))
    column = replace(column, mask=first.column, mask_element=first.element, mask_kind=kind)
    if kind == "mask" and (flags := found.get("sextractor")):
        column = replace(column, flags=flags.column, flags_element=flags.element)
    return column


def _is_measured(photometry: Photometry, key: Key, gathered: Gathered) -> bool:
    """Whether it is a flux or magnitude as observed, which some words say only with errors."""
    if key not in gathered.needs_errors:
        return True
    return photometry.with_errors >= 0.5 * len(photometry.columns)


def _labelled(photometries: list[Photometry]) -> list[Photometry]:
    """Put a join's number into the labels where it tells two apart."""
    times = Counter(p.label for p in photometries)
    return [
        replace(p, label=f"{p.label}_{p.suffix}") if times[p.label] > 1 and p.suffix else p
        for p in photometries
    ]


def _clash(band: str, claims: list[Claim], what: str = "") -> str:
    first, second = (claim.column for claim in claims[:2])
    return (
        f"Columns {first!r} and {second!r} both claim {what}band {band}; say which to read with "
        f"{way('columns')}."
    )


def _rank(photometry: Photometry) -> tuple[bool, float, int, bool, str]:
    aperture = without_survey(photometry.aperture)
    preferred = _PREFERRED.index(aperture) if aperture in _PREFERRED else len(_PREFERRED)
    # A band without an error says half as much. Faint and negative fluxes have no magnitude, so
    # fluxes tell more; of a join's tables the first.
    amount = 0.5 * (len(photometry.columns) + photometry.with_errors)
    is_magnitude = photometry.quantity == "MAG"
    return not photometry.trusted, -amount, preferred, is_magnitude, photometry.suffix
