"""Redshifts: which columns hold them by their names, and which columns hold their errors.

Spectroscopic before those of unstated kind before photometric; what each row takes of them is in
:mod:`~sspexplorer.catalogue.redshift_values`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sspexplorer.catalogue.redshift_quantiles import quantile_columns

_SPEC = r"spec(troscopic|tro|t)?"
_PHOT = r"(phot(o|ometric|om)?|ph)"
_MORE = r"(_?(final|best|used|adopted|galaxy|gal|sys))*"
_SURVEYS = r"sdss|boss|desi|gama|vipers|zcosmos|2mrs|ned|literature|lit|lamost|6df|2df|hetdex"
_ESTIMATE = (
    r"(_?(ml|best|mode|median|med|mean|avg|peak|map|pdf|mc|final|bpz|eazy|lephare|tpz|a|p|m1|m2|"
    r"50|500|chi2|weight|jpas))*"
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
    quantiles : tuple of (float, str)
        Columns with quantiles of the redshift, and their probabilities, where there is a full p(z).
    """

    name: str
    kind: str
    error: str = ""
    upper: str = ""
    quantiles: tuple[tuple[float, str], ...] = field(default=(), kw_only=True)

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
    pdf : ndarray, shape (n, n_nodes), float64, or None
        Redshifts that stand for each row's p(z), all as likely; NaN of rows without one; None if no
        row has any.
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
    pdf: np.ndarray | None = None
    sources: tuple[tuple[RedshiftColumn, int], ...] = ()
    unused: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    two_sided: Mapping[str, str] = field(default_factory=dict)


def redshift_columns(names: Sequence[str]) -> tuple[RedshiftColumn, ...]:
    """Columns named like redshifts, the best kind first, with their errors.

    >>> [(c.name, c.kind) for c in redshift_columns(["photoz", "z_spec"])]
    [('z_spec', 'spectroscopic'), ('photoz', 'photometric')]
    """
    simple = {name: simple_name(name) for name in names}
    found = [
        _column(simple, name, kind)
        for kind, pattern in _KINDS
        for name in names
        if re.fullmatch(pattern, simple[name]) and not _is_earlier(kind, name)
    ]
    # The median of a p(z) is no redshift of its own beside the one that it is the p(z) of.
    spread = {name: column.name for column in reversed(found) for _, name in column.quantiles}
    return tuple(column for column in found if spread.get(column.name, column.name) == column.name)


def _column(simple: dict[str, str], name: str, kind: str) -> RedshiftColumn:
    errors = redshift_errors(list(simple), name, kind)
    return RedshiftColumn(name, kind, *errors, quantiles=quantile_columns(simple, name))


def _is_earlier(kind: str, name: str) -> bool:
    """Whether an earlier kind has this name already."""
    first = next(k for k, pattern in _KINDS if re.fullmatch(pattern, simple_name(name)))
    return first != kind


def redshift_errors(names: Sequence[str], redshift: str, kind: str = "") -> tuple[str, ...]:
    """Column with the errors of a redshift column, or the two of both sides; () without one.

    >>> redshift_errors(["z_spec_err", "photoz_l68", "photoz_u68"], "z_spec")
    ('z_spec_err',)
    >>> redshift_errors(["z_spec_err", "photoz_l68", "photoz_u68"], "photoz")
    ('photoz_l68', 'photoz_u68')
    """
    simple = re.escape(simple_name(redshift))
    # The error of Z_BEST or ZPHOT_BEST may be Z_ERR or ZPHOT_ERR.
    shorter = re.sub(r"_?(best|final|ml|mode|peak|median|mean)$", "", simple)
    for wanted in dict.fromkeys((simple, shorter)):
        pattern = rf"{wanted}_?{_ERROR}|{_ERROR}_?{wanted}|d_?{wanted}"
        found = next(
            (n for n in names if n != redshift and re.fullmatch(pattern, simple_name(n))), ""
        )
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
        next((name for name in names if re.fullmatch(pattern, simple_name(name))), "")
        for pattern in (lower, upper)
    )
    both = tuple(filter(None, found))
    return both if len(both) == 2 else ()


def simple_name(name: str) -> str:
    """Name in small letters, words apart by ``_``, without the number that a join appends."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", re.sub(r"(?<=\S)\s*[\[(].*$", "", name))
    spaced = re.sub(r"[^0-9a-z]+", "_", spaced.lower()).strip("_")
    return re.sub(r"(?<=[a-z])_[1-9xy]$", "", spaced)
