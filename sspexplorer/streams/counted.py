"""What is counted of the tables of a catalogue, and what that says of the whole."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
import pandas as pd

from sspexplorer import flags
from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue import notes
from sspexplorer.catalogue.fnu import Missing
from sspexplorer.catalogue.galactic import galactic_dust, note_on
from sspexplorer.catalogue.held import Catalogue
from sspexplorer.catalogue.masks import Masked
from sspexplorer.catalogue.values import Numbers
from sspexplorer.streams.survey import Surveyed

_KINDS = len(Missing.KINDS)


@dataclass(frozen=True)
class Counted:
    """Counts over some rows, to be added up; all that JSON can hold.

    Attributes
    ----------
    rows, answered : int
        Rows, and those with an answer.
    without_redshift : int
        Rows with an answer whose redshift is not known.
    dereddened, corrected : int
        Rows corrected for the dust of the Milky Way, and for zero points.
    flags : dict of str to int
        Rows with each code of a flag.
    missing : list of list of int
        See :attr:`.Missing.counts`.
    unknown_errors, absent : list of int
        Of each band: fluxes without a usable error, and rows without a flux.
    codes, masked : dict of str to int
        See :attr:`.Missing.codes` and :attr:`.Masked.columns`.
    redshifts : dict of str to int
        Rows that took theirs from each column.
    notable : dict of str to list
        Of columns with cells that are no numbers: how many, row and text of the first, limits, and
        the first of them.
    """

    rows: int = 0
    answered: int = 0
    without_redshift: int = 0
    dereddened: int = 0
    corrected: int = 0
    flags: Mapping[str, int] = field(default_factory=dict)
    missing: list[list[int]] = field(default_factory=lambda: [[0] * N_BANDS] * _KINDS)
    unknown_errors: list[int] = field(default_factory=lambda: [0] * N_BANDS)
    absent: list[int] = field(default_factory=lambda: [0] * N_BANDS)
    codes: Mapping[str, int] = field(default_factory=dict)
    masked: Mapping[str, int] = field(default_factory=dict)
    redshifts: Mapping[str, int] = field(default_factory=dict)
    notable: Mapping[str, list] = field(default_factory=dict)

    @classmethod
    def of(
        cls, catalogue: Catalogue, table: pd.DataFrame, prefix: str, start: int, corrected: int
    ) -> "Counted":
        """Count over a table of a catalogue.

        Parameters
        ----------
        catalogue : Catalogue
        table : DataFrame
            Its answers.
        prefix : str
            Of their columns: "pred" or "fit".
        start : int
            How many rows there are before it.
        corrected : int
            Rows corrected for zero points.
        """
        answered = table[f"{prefix}_log_age"].notna().to_numpy()
        z = catalogue.redshift
        known = np.zeros(len(table), bool) if z is None else np.isfinite(z)
        return cls(
            rows=len(table),
            answered=int(answered.sum()),
            without_redshift=int((answered & ~known).sum()),
            dereddened=catalogue.n_dereddened,
            corrected=corrected,
            flags=flags.count(table[f"{prefix}_flag"]),
            missing=catalogue.missing.counts.tolist(),
            unknown_errors=catalogue.missing.unknown_errors.tolist(),
            absent=np.isnan(catalogue.flux).sum(axis=0).tolist(),
            codes=catalogue.missing.codes,
            masked=catalogue.masked.columns,
            redshifts={column.name: n for column, n in catalogue.redshift_sources},
            notable={
                name: [
                    read.unreadable,
                    read.example[0] + start if read.unreadable else -1,
                    read.example[1],
                    read.limits,
                    read.limit_example,
                ]
                for name, read in catalogue.notable.items()
            },
        )

    def __add__(self, other: "Counted") -> "Counted":
        """Counts over the rows of this and those of another that follow."""
        return Counted(
            **{f.name: _sum(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        )

    def text(self) -> str:
        """All of it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str | bytes) -> "Counted":
        """Read what :meth:`text` wrote."""
        return cls(**json.loads(text))


def _sum(one: Any, other: Any) -> Any:
    if isinstance(one, int):
        return one + other
    if isinstance(one, list):
        return (np.array(one) + np.array(other)).tolist()
    if any(isinstance(value, list) for value in (*one.values(), *other.values())):
        return {name: _notable(one.get(name), other.get(name)) for name in {**one, **other}}
    return {name: one.get(name, 0) + other.get(name, 0) for name in {**one, **other}}


def _notable(one: list | None, other: list | None) -> list:
    if one is None or other is None:
        return list(one or other or ())
    first = one if one[0] else other
    return [one[0] + other[0], *first[1:3], one[3] + other[3], one[4] or other[4]]


@dataclass(frozen=True, eq=False)
class Whole(Catalogue):
    """A catalogue of which some rows are held, and all were counted.

    Attributes
    ----------
    counted : Counted
    """

    counted: Counted = field(default_factory=Counted)

    @classmethod
    def of(cls, seen: Surveyed, counted: Counted) -> "Whole":
        """Say of all rows what :func:`.understood` says of those it is given."""
        some, rules = seen.some, seen.reader.rules
        missing = Missing(
            np.array(counted.missing), np.array(counted.unknown_errors), dict(counted.codes)
        )
        masked = Masked(None, dict(counted.masked), some.masked.ignored, some.masked.rule)
        redshifts = rules.redshifts.summed_up(counted.redshifts)
        notable = {
            name: Numbers(np.empty(0), n, (row, text), limits, limit)
            for name, (n, row, text, limits, limit) in counted.notable.items()
        }
        chosen = rules.chosen
        held = {f.name: getattr(some, f.name) for f in fields(Catalogue)}
        held |= {
            "missing": missing,
            "masked": masked,
            "redshift_sources": redshifts.sources,
            "redshift_column": redshifts.sources[0][0].name if redshifts.sources else "",
            "notable": notable,
            "n_dereddened": counted.dereddened,
            "said": dict(some.said)
            | {
                "masks": notes.on_masks(masked, missing),
                "missing": (
                    *notes.on_text(notable),
                    *notes.on_missing(missing, chosen, counted.rows),
                ),
                "redshifts": notes.on_redshifts(redshifts, rules.redshifts.offered, counted.rows),
                "dust": _on_dust(seen, counted),
            },
        }
        return cls(**held, counted=counted)

    def __len__(self) -> int:
        """Count all rows."""
        return self.counted.rows

    @property
    def n_rows(self) -> int:
        """Number of all rows."""
        return self.counted.rows

    @property
    def n_missing_by_band(self) -> dict[str, int]:
        """Rows without a flux, for each of the 57 bands."""
        names = super().n_missing_by_band
        return dict(zip(names, self.counted.absent, strict=True))


def _on_dust(seen: Surveyed, counted: Counted) -> tuple[str, ...]:
    some, asked = seen.some, seen.reader.asked
    dust = galactic_dust(some.table, asked.galactic, [c.flux for c in some.columns])
    if dust.ebv is None or not counted.dereddened:
        return tuple(filter(None, [dust.note]))
    return (note_on(dust.source, dust.ebv, counted.rows - counted.dereddened),)
