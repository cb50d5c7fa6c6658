"""Redshifts: which columns hold them, and which of them each row takes.

Spectroscopic before those of unstated kind before photometric, row by row: a row without a valid
redshift in the first column takes the next.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sspexplorer.catalogue.two_sided import SIDES, kind_of, sigma
from sspexplorer.catalogue.values import AnyTable, column_names, column_numbers
from sspexplorer.errors import InputError

# Anything beyond stands for no value, or is the magnitude in the z band.
LOWEST_REDSHIFT, HIGHEST_REDSHIFT = -0.01, 10.0
_SENTINELS = (-1.0, -9.0, -9.9, -9.99, -99.0, -99.9, -999.0, -9999.0, 99.0, 99.9, 999.0, 9999.0)
_NINES = (9.9, 9.99, 9.999, 9.9999)  # within the range, but nobody's redshift
_MOST_INVALID = 0.2  # of the values that are no sentinel

_SPEC = r"spec(troscopic|tro|t)?"
_PHOT = r"(phot(o|ometric|om)?|ph)"
_MORE = r"(_?(final|best|used|adopted|galaxy|gal|sys))*"
_SURVEYS = r"sdss|boss|desi|gama|vipers|zcosmos|2mrs|ned|literature|lit|lamost|6df|2df|hetdex"
_ESTIMATE = (
    r"(_?(ml|best|mode|median|med|mean|avg|peak|map|pdf|mc|final|bpz|eazy|lephare|tpz|a|p|m1|m2|"
    r"500|chi2|weight|jpas))*"
)
_Z = r"(z|redshift|zred|red_shift)"
_KINDS = (
    (
        "spectroscopic",
        rf"{_Z}_?({_SPEC}|sp|s|{_SURVEYS}){_MORE}|({_SPEC}|sp|{_SURVEYS})_?{_Z}{_MORE}",
    ),
    (
        "of unstated kind",
        rf"{_Z}{_MORE}|{_Z}_?(hel|helio|heliocentric|cmb|obs|gal|noqso|true|in)|best_?z",
    ),
    (
        "photometric",
        rf"{_Z}_?({_PHOT}|p|b|bpz|eazy|lephare){_ESTIMATE}|{_PHOT}_?{_Z}{_ESTIMATE}|{_Z}(_?(ml|mode|"
        r"median|med|mean|avg|peak|map|pdf|mc|a|m1|m2|500|chi2|weight))+",
    ),
)
_ERROR = r"(err|error|e|unc|uncert|uncertainty|sigma|sig|std|rms)"
# Bounds of a 68 % interval, as eazy, LePhare and others name them, and sides of an error.
_LOWER_UPPER = (
    ("l_?68", "u_?68"),
    ("68_?(lo|low)", "68_?(hi|high|up)"),
    ("[pq]_?16", "[pq]_?84"),
    ("16", "84"),
    ("160", "840"),
    ("lo|low|lower", "hi|high|up|upper"),
    ("min|inf|l", "max|sup|u"),
)
_MINUS_PLUS = (*_LOWER_UPPER, ("minus|neg|m|l", "plus|pos|p|u"))
# Of a table with one estimate they may stand by themselves.
_BY_THEMSELVES = (("z?_?l_?68", "z?_?u_?68"), ("z_?160", "z_?840"), ("z_?p?16", "z_?p?84"))


@dataclass(frozen=True)
class RedshiftColumn:
    """One column of redshifts.

    Attributes
    ----------
    name : str
    kind : str
        What its name says of their kind.
    error : str
        Column of their errors, "" if there is none.
    upper : str
        Column of the upper error or bound where ``error`` has the lower one, else "".
    """

    name: str
    kind: str
    error: str = ""
    upper: str = ""

    @property
    def errors(self) -> str | list[str] | None:
        """Column of errors as a map of columns says it: None, its name, or two names."""
        return [self.error, self.upper] if self.upper else self.error or None


@dataclass(frozen=True, eq=False)
class Redshifts:
    """Redshifts of a table's rows.

    Attributes
    ----------
    values : ndarray, shape (n,), float64, or None
        NaN is unknown; None if no column has any.
    errors : ndarray, shape (n,), float64, or None
        1σ errors from the same column's own; NaN is unknown; None if no column has any.
    sources : tuple of (RedshiftColumn, int)
        Columns that were used and for how many rows, in order of preference.
    unused : tuple of str
        Other columns named like redshifts.
    remarks : tuple of str
        Sentences on what was taken as missing or is no redshift.
    two_sided : dict of str to str
        What both columns of errors are, see :mod:`~sspexplorer.catalogue.two_sided`, by the name
        of the redshifts'.
    """

    values: np.ndarray | None = None
    errors: np.ndarray | None = None
    sources: tuple[tuple[RedshiftColumn, int], ...] = ()
    unused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    two_sided: Mapping[str, str] = field(default_factory=dict)


def redshift_columns(names: Sequence[str]) -> tuple[RedshiftColumn, ...]:
    """Columns named like redshifts, the best kind first, with their errors.

    >>> [(c.name, c.kind) for c in redshift_columns(["photoz", "z_spec"])]
    [('z_spec', 'spectroscopic'), ('photoz', 'photometric')]
    """
    return tuple(
        RedshiftColumn(name, kind, *redshift_errors(names, name, kind))
        for kind, pattern in _KINDS
        for name in names
        if re.fullmatch(pattern, _simple(name)) and not _is_earlier(kind, name)
    )


def _is_earlier(kind: str, name: str) -> bool:
    """Whether an earlier kind has this name already."""
    first = next(k for k, pattern in _KINDS if re.fullmatch(pattern, _simple(name)))
    return first != kind


def redshift_errors(names: Sequence[str], redshift: str, kind: str = "") -> tuple[str, ...]:
    """Column with the errors of a redshift column, or the two of both sides; () without one.

    >>> redshift_errors(["z_spec_err", "photoz_l68", "photoz_u68"], "z_spec")
    ('z_spec_err',)
    >>> redshift_errors(["z_spec_err", "photoz_l68", "photoz_u68"], "photoz")
    ('photoz_l68', 'photoz_u68')
    """
    simple = re.escape(_simple(redshift))
    # The error of Z_BEST or ZPHOT_BEST may be Z_ERR or ZPHOT_ERR.
    shorter = re.sub(r"_?(best|final|ml|mode|peak|median|mean)$", "", simple)
    for wanted in dict.fromkeys((simple, shorter)):
        pattern = rf"{wanted}_?{_ERROR}|{_ERROR}_?{wanted}|d_?{wanted}"
        found = next((n for n in names if n != redshift and re.fullmatch(pattern, _simple(n))), "")
        if found:
            return (found,)
    for stem in dict.fromkeys((simple, shorter)):
        for one in _MINUS_PLUS:
            bounds = [rf"{stem}_?({x})|({x})_?{stem}" for x in one] if one in _LOWER_UPPER else None
            sides = [
                rf"{stem}_?{_ERROR}_?({x})|{stem}_?({x})_?{_ERROR}|{_ERROR}_?{stem}_?({x})"
                for x in one
            ]
            for patterns in filter(None, (sides, bounds)):
                if both := _both(names, *patterns):
                    return both
    if kind == "photometric":
        return next(filter(None, (_both(names, *two) for two in _BY_THEMSELVES)), ())
    return ()


def _both(names: Sequence[str], lower: str, upper: str) -> tuple[str, ...]:
    """Columns that match two patterns; () unless both are there."""
    found = (
        next((name for name in names if re.fullmatch(pattern, _simple(name))), "")
        for pattern in (lower, upper)
    )
    both = tuple(filter(None, found))
    return both if len(both) == 2 else ()


def _simple(name: str) -> str:
    """Name in small letters, words apart by ``_``, without the number that a join appends."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.sub(r"(?<=\S)\s*[\[(].*$", "", name))
    spaced = re.sub(r"[^0-9a-z]+", "_", spaced.lower()).strip("_")
    return re.sub(r"(?<=[a-z])_[1-9xy]$", "", spaced)


def read_redshifts(table: AnyTable, columns: Sequence[RedshiftColumn]) -> Redshifts:
    """Take each row's redshift from the first of these columns that has a valid one."""
    n = len(table)
    values, errors = np.full(n, np.nan), np.full(n, np.nan)
    sources: list[tuple[RedshiftColumn, int]] = []
    remarks: list[str] = []
    two_sided: dict[str, str] = {}
    metals = _metallicities(table, columns)
    for column in columns:
        if column.name in metals:
            remarks.append(f"{column.name} {metals[column.name]}, so it is not read as a redshift.")
            continue
        found = _numbers(table, column.name)
        if found is None:
            continue
        own, said = _valid(found, column.name)
        if own is None:
            remarks += said
            continue
        remarks += said
        taken = np.isnan(values) & np.isfinite(own)
        if not taken.any():
            continue
        values[taken] = own[taken]
        error, what = _errors(table, column, own)
        if error is not None:
            errors[taken] = np.where(error > 0, error, np.nan)[taken]
        if what:
            two_sided[column.name] = what
        sources.append((column, int(taken.sum())))
    used = {column.name for column, _ in sources}
    unused = tuple(c.name for c in columns if c.name not in used and c.name not in metals)
    if not sources:
        return Redshifts(unused=unused, remarks=tuple(remarks))
    has_errors = any(column.error for column, _ in sources)
    known = errors if has_errors else None
    return Redshifts(values, known, tuple(sources), unused, tuple(remarks), two_sided)


def _errors(
    table: AnyTable, column: RedshiftColumn, redshifts: np.ndarray
) -> tuple[np.ndarray | None, str]:
    """σ of redshifts, None if unknown; and what two columns of them are, "" unless there are."""
    error = _numbers(table, column.error) if column.error else None
    if error is None or not column.upper:
        return error, ""
    upper = _numbers(table, column.upper)
    if upper is None:
        return None, ""
    says_error = re.search("err|unc|sig|std|rms", _simple(column.error))
    kind = SIDES if says_error else kind_of(redshifts, error, upper)
    return sigma(error, upper, kind), kind


def _numbers(table: AnyTable, name: str) -> np.ndarray | None:
    try:
        values = column_numbers(table, name).values.astype(float)
    except InputError:
        return None
    return values if values.ndim == 1 else None


def _valid(values: np.ndarray, name: str) -> tuple[np.ndarray | None, list[str]]:
    """Redshifts with NaN for missing ones, None if the column is something else; and remarks."""
    given = np.isfinite(values)
    sentinel = given & np.isclose(values[:, None], _SENTINELS + _NINES, 1e-6, 0).any(axis=1)
    inside = given & ~sentinel & (values >= LOWEST_REDSHIFT) & (values <= HIGHEST_REDSHIFT)
    outside = int((given & ~sentinel & ~inside).sum())
    if not inside.any() or outside > _MOST_INVALID * (outside + inside.sum()):
        if outside:
            return None, [f"{name} has values that are no redshifts, so it is not read."]
        return None, []
    said = []
    if sentinel.any():
        shown = ", ".join(f"{value:g}" for value in np.unique(values[sentinel])[:3])
        said.append(f"{name} has {int(sentinel.sum()):,} values that stand for none ({shown}).")
    if outside:
        said.append(f"{name} has {outside:,} values that are no redshift, taken as missing.")
    found, counts = np.unique(values[inside], return_counts=True)
    zeros = int((values[inside] == 0).sum())
    if len(found) == 1 and zeros > 1:
        said.append(f"All redshifts in {name} are 0: taken as given, which is light at rest.")
    elif zeros > 1 and zeros == counts.max():
        inside &= values != 0
        said.append(f"{name} is exactly 0 in {zeros:,} rows, taken as missing.")
    return np.where(inside, values, np.nan), said


def _metallicities(table: AnyTable, columns: Sequence[RedshiftColumn]) -> dict[str, str]:
    """Columns called Z that are metallicities, and why."""
    called_z = [c.name for c in columns if c.name in ("z", "Z")]
    spelled = [c.name for c in columns if "redshift" in c.name.lower() or c.name not in called_z]
    found = {}
    for name in called_z:
        values = _numbers(table, name)
        if len(called_z) == 2 and name == "Z":
            found[name] = "stands beside z"
        elif any("redshift" in other.lower() for other in spelled):
            other = next(other for other in spelled if "redshift" in other.lower())
            found[name] = f"may be a metallicity, as {other} is there"
        elif values is not None and _looks_like_metals(table, name, values):
            found[name] = "has the values of a metallicity"
    return found


def _looks_like_metals(table: AnyTable, name: str, values: np.ndarray) -> bool:
    """Whether a column has few different values, as grids of metallicity do, all small.

    Or words about metals stand beside it.
    """
    finite = values[np.isfinite(values)]
    if not finite.size or finite.min() <= 0 or finite.max() > 0.1:
        return False
    beside = " ".join(_simple(other) for other in column_names(table) if other != name)
    if re.search(r"metal|abund|(^|[^a-z])(m_?h|fe_?h|z_?sun|z_?solar)([^a-z]|$)", beside):
        return True
    return finite.size >= 20 and len(np.unique(finite)) <= min(12, finite.size // 3)
