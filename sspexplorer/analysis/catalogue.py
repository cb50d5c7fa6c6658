"""Predictions for a catalogue as a table to show: few columns, names that are safe, counts."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from sspexplorer import flags
from sspexplorer.analysis.recognition import Suspicion
from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.analysis.sky import Sky
from sspexplorer.catalogue import Catalogue
from sspexplorer.catalogue.names import names_a_band
from sspexplorer.catalogue.positions import positions
from sspexplorer.catalogue.values import column_width
from sspexplorer.labels import AXIS_LABELS, COLUMN_LABELS, PARAMETER_LABELS
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import Predictions
from sspexplorer.posterior.one import OneGalaxy
from sspexplorer.posterior.taken import Choices

# Of the catalogue's own columns besides the bands: more would not fit beside the predictions.
MAX_OWN_COLUMNS = 4

_IDENTIFIER = re.compile(r"(^|_)(id|name|number|object|source|designation|galaxy|target)(_|$)")
_MAGNITUDE = re.compile(r"(^|_)(mag|magnitude)(_|$)")
_LONGEST_TEXT = 80
_SAFE_INTEGER = 2**53  # beyond it a browser rounds
_DIGITS = 7

# What can be an axis of the picture besides the three parameters, where there is such a thing.
MORE_AXES = tuple(name for name in AXIS_LABELS if name not in PARAMETERS)
ALL, WELL, FLAGGED, WITHOUT = "all", "well", "flagged", "without"
SELECTED = "selected"  # by hand, in a picture
LIMIT = "star-formation-limit"
OTHER_REASONS = "other combinations"
# Kinds of flag that are told apart; all others are the last one, and 0 is none.
MAX_REASONS = 5


@dataclass(frozen=True, eq=False)
class Answers:
    """Predictions of one model for one catalogue.

    Attributes
    ----------
    catalogue : Catalogue
        With the photometry that was predicted.
    predictions : DataFrame
        See :func:`sspexplorer.models.predict_rows`.
    model : str
        Name of the model that predicted.
    network : str
        Name of a network without error bars, which stands beside it.
    meaning : str
        Which ages these are, in a sentence.
    remarks : tuple of str
        Sentences on the whole.
    asked : PredictionRequest or None
        How the catalogue was predicted; None if that was not on a page.
    suspicions : tuple of Suspicion
        What the galaxies say together of how the catalogue should be taken.
    table : DataFrame
        One row for each of the catalogue's, in order: ``row`` (from 1), ``own0``, ``own1`` …
        (columns of the catalogue), ``log_age``, ``metallicity``, ``ebv`` and their ``…_err`` if
        there are, ``n_bands``, ``flag`` (codes of :mod:`sspexplorer.flags`), ``reason_index``,
        ``limit`` (whether rates are upper limits) and ``name``.
    own_titles : dict
        Name in the file of each ``own…`` column, as the file has it.
    groups : dict
        Rows, as a mask, of each group that one can choose to see: :data:`ALL`, :data:`WELL` …,
        then each code of a flag. Groups without rows are left out.
    """

    catalogue: Catalogue
    predictions: pd.DataFrame
    model: str
    table: pd.DataFrame
    own_titles: dict[str, str]
    groups: dict[str, np.ndarray]
    network: str = ""
    meaning: str = ""
    remarks: tuple[str, ...] = ()
    asked: PredictionRequest | None = None
    suspicions: tuple[Suspicion, ...] = ()

    @classmethod
    def of(
        cls,
        catalogue: Catalogue,
        predictions: Predictions,
        asked: PredictionRequest,
        suspected: tuple[Suspicion, ...] = (),
    ) -> "Answers":
        """Put the table together with what is to be said of it."""
        gathered = cls.gather(asked.corrected(catalogue), predictions.table, asked.model)
        return replace(
            gathered,
            network=asked.network,
            asked=asked,
            meaning=predictions.meaning,
            remarks=predictions.remarks,
            suspicions=suspected,
        )

    @classmethod
    def gather(cls, catalogue: Catalogue, predictions: pd.DataFrame, model: str) -> "Answers":
        """Put the table together; takes seconds for a million rows."""
        errors = [name for name in PARAMETERS if f"pred_{name}_err" in predictions]
        names = own_columns(catalogue)[: MAX_OWN_COLUMNS - 2 if errors else None]
        own = catalogue.frame(names)
        columns = {"row": np.arange(1, len(predictions) + 1)}
        columns |= {f"own{i}": _shown(own[name]) for i, name in enumerate(names)}
        for name in PARAMETERS:
            columns[name] = predictions[f"pred_{name}"].to_numpy()
            if errors:
                columns[f"{name}_err"] = predictions[f"pred_{name}_err"].to_numpy()
        columns |= {
            "n_bands": predictions["pred_n_bands"].to_numpy(),
            "flag": predictions["pred_flag"].to_numpy(object),
        }
        for name in MORE_AXES:
            if name == "redshift" and catalogue.redshift is not None:
                columns[name] = catalogue.redshift
            elif f"pred_{name}" in predictions:
                columns[name] = predictions[f"pred_{name}"].to_numpy()
        table = pd.DataFrame(columns)
        table["reason_index"] = _reason_index(table["flag"], table["log_age"].notna())
        limits = {flag: LIMIT in flags.codes(flag) for flag in table["flag"].unique()}
        table["limit"] = table["flag"].map(limits).astype(bool)
        table["name"] = table["own0"].astype(str) if names and _is_identifier(names[0]) else ""
        titles = {f"own{i}": name for i, name in enumerate(names)}
        return cls(catalogue, predictions, model, table, titles, _groups(table), model)

    @property
    def has_errors(self) -> bool:
        """Whether the predictions are posteriors."""
        return "log_age_err" in self.table

    @cached_property
    def columns(self) -> dict[str, str]:
        """What a table of the answers can show besides the number of each row, with headings."""
        known = {"age", *self.table, *(name.removeprefix("pred_") for name in self.predictions)}
        labels = PARAMETER_LABELS | COLUMN_LABELS
        found = {name: label for name, label in labels.items() if name in known}
        # Before the numbers, which a narrow window may not have room for.
        return self.own_titles | {"flag": "flag"} | found

    @property
    def first_columns(self) -> tuple[str, ...]:
        """Which of them are shown at first: as many as a screen has room for."""
        masses = tuple(name for name in ("log_mass", "log_sfr") if name in self.axes)
        return (*self.own_titles, "flag", *PARAMETERS, *(masses or ("n_bands",)))

    def headings(self, columns: Sequence[str]) -> dict[str, str]:
        """Heading of each column of a table: the row's number, these, and their errors."""
        titles = {"row": "row"}
        for name in columns:
            titles[name] = self.columns[name]
            if f"pred_{name}_err" in self.predictions:
                titles[f"{name}_err"] = "±"
        return titles

    def values(self, names: Sequence[str], rows: np.ndarray) -> pd.DataFrame:
        """Columns of a table, see :meth:`headings`, of some rows, counted from 0."""
        found = {}
        for name in names:
            if name == "age":
                found[name] = 10 ** (self.table["log_age"].to_numpy()[rows] - 9)
            else:
                held = name in self.table
                column = self.table[name] if held else self.predictions[f"pred_{name}"]
                found[name] = column.to_numpy()[rows]
        # Of a million rows a table of one piece takes a second to make.
        return pd.DataFrame(found, index=rows, copy=False)

    @cached_property
    def _text(self) -> pa.Array:
        """What the words of each row are, to be searched."""
        texts = [name for name in self.own_titles if self.table[name].dtype.kind not in "f"]
        words = self.reasons
        for name in texts:
            words = self.table[name].astype(str) + "\n" + words
        return pa.array(words)

    def found(self, text: str) -> np.ndarray:
        """Rows, as a mask, that have a text in their names or flags, in any letter case."""
        return pc.match_substring(self._text, text.strip(), ignore_case=True).to_numpy(
            zero_copy_only=False
        )

    @cached_property
    def sky(self) -> Sky | None:
        """The galaxies on the sky; None without positions."""
        found = positions(self.catalogue.table)
        return None if found is None else Sky.of(found)

    @cached_property
    def reasons(self) -> pd.Series:
        """What is doubtful about each row, in a few words; "" if nothing is."""
        return flags.labelled(self.table["flag"])

    @cached_property
    def flag_counts(self) -> dict[str, int]:
        """How many rows have each code of a flag, the commonest first."""
        return flags.count(self.table["flag"])

    def get_ready(self) -> "Answers":
        """Make all that is made the first time it is asked for; takes a second for 10^6 rows."""
        self.found("")
        made = (
            "axes",
            "predicted",
            "flagged",
            "legend",
            "reasons",
            "flag_counts",
            "sky",
            "_sentence",
        )
        for name in made:
            getattr(self, name)
        return self

    @cached_property
    def axes(self) -> dict[str, str]:
        """What the picture can have along its axes, with labels."""
        known = self.table.columns[self.table.notna().any()]
        return {name: label for name, label in AXIS_LABELS.items() if name in known}

    @cached_property
    def predicted(self) -> np.ndarray:
        """Which rows have a prediction."""
        return self.table["log_age"].notna().to_numpy()

    @cached_property
    def flagged(self) -> np.ndarray:
        """Which rows have a flag."""
        return (self.table["flag"] != "").to_numpy()

    @cached_property
    def legend(self) -> tuple[tuple[int, str, int], ...]:
        """Each ``reason_index`` of predicted rows, what it means, and how many have it."""
        known = self.table[self.predicted]
        counts = known.groupby("reason_index").size()
        first = known.drop_duplicates("reason_index").set_index("reason_index")["flag"]
        words = {index: flags.labels(flag) or "no flag" for index, flag in first.items()}
        words[MAX_REASONS] = OTHER_REASONS
        return tuple((index, words[index], int(n)) for index, n in counts.items())

    def one(self, row: int) -> OneGalaxy:
        """A galaxy, counted from 0, as a model with error bars saw it."""
        catalogue = self.catalogue
        redshift, error = (
            float("nan") if values is None else float(values[row])
            for values in (catalogue.redshift, catalogue.redshift_err)
        )
        aside = self.predictions["pred_set_aside"].iloc[row]
        photometry = catalogue.flux[row], catalogue.flux_err[row]
        choices = Choices() if self.asked is None else self.asked.choices
        return OneGalaxy.of_row(*photometry, redshift, error, aside, choices)

    def sentence(self) -> str:
        """How many rows came out how."""
        return self._sentence

    @cached_property
    def _sentence(self) -> str:
        n, found = len(self.table), self.table["flag"]
        doubtful = self.predicted & self.flagged
        everything = "The only row was" if n == 1 else f"All {n:,} rows were"
        text = (
            f"{everything} predicted"
            if self.predicted.all()
            else f"{int(self.predicted.sum()):,} of {n:,} rows were predicted"
        )
        if doubtful.any():
            text += f", {int(doubtful.sum()):,} with a flag"
        if not self.predicted.all():
            # The first code of a flag is the cause; what follows is true but beside the point.
            kinds = found[~self.predicted].value_counts()
            causes: Counter[str] = Counter()
            for flag, n_rows in kinds.items():
                causes.update(dict.fromkeys(flags.codes(str(flag))[:1], n_rows))
            listed = _listed(dict(causes.most_common()))
            text += f". {causes.total():,} cannot be: {listed}"
        return text + "."


def _groups(table: pd.DataFrame) -> dict[str, np.ndarray]:
    predicted, found = table["log_age"].notna().to_numpy(), table["flag"]
    flagged = (found != "").to_numpy()
    groups = {
        ALL: np.ones(len(table), bool),
        WELL: predicted & ~flagged,
        FLAGGED: predicted & flagged,
        WITHOUT: ~predicted,
    }
    for code in flags.count(found):
        those = [flag for flag in found.unique() if code in flags.codes(flag)]
        groups[code] = found.isin(those).to_numpy()
    return {name: rows for name, rows in groups.items() if rows.any()}


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{flags.label(code)} ({n:,})" for code, n in counts.items())


def own_columns(catalogue: Catalogue) -> list[str]:
    """Columns to show beside predictions: identifiers, magnitudes, redshift, then the first."""
    candidates = []
    for name in catalogue.column_names:
        if not names_a_band(name) and column_width(catalogue.table, name) == 1:
            candidates.append(name)

    def rank(name: str) -> int:
        if name == catalogue.id_column or _is_identifier(name):
            return 0
        if _MAGNITUDE.search(_simple(name)):
            return 1
        return 2 if name == catalogue.redshift_column else 3

    return sorted(candidates, key=rank)[:MAX_OWN_COLUMNS]


def _simple(name: str) -> str:
    return re.sub(r"[^0-9a-z]+", "_", name.lower())


def _is_identifier(name: str) -> bool:
    return bool(_IDENTIFIER.search(_simple(name)))


def _shown(column: pd.Series) -> np.ndarray:
    """Values as a table in a browser can sort and show them."""
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        numbers = _as_numbers(column)
        if numbers is None:
            text = column.astype(str).where(column.notna(), "")
            return text.str.slice(0, _LONGEST_TEXT).to_numpy(object)
        column = numbers
    values = column.to_numpy(float, na_value=np.nan)
    if np.nanmax(np.abs(values), initial=0.0) > _SAFE_INTEGER:
        return column.astype(str).to_numpy(object)
    if pd.api.types.is_integer_dtype(column) and not column.isna().any():
        return column.to_numpy(np.int64)
    with np.errstate(all="ignore"):
        place = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.abs(values))))
        rounded = np.rint(values * place) / place
    return np.where(np.isfinite(rounded), rounded, values)


def _as_numbers(column: pd.Series) -> pd.Series | None:
    """Text that is all numbers, as numbers; None if it is not, or has leading zeros."""
    if not pd.api.types.is_string_dtype(column):
        return None
    text = column.fillna("").astype(str).str.strip()
    given = text[text != ""]
    if given.empty or given.str.match(r"[+-]?0\d").any():
        return None
    numbers = pd.to_numeric(text.where(text != ""), errors="coerce")
    unread = numbers.isna() & (text != "") & (text.str.lower() != "nan")
    return None if unread.any() else numbers


def _reason_index(found: pd.Series, predicted: pd.Series) -> np.ndarray:
    """0 without a flag, then 1, 2 … by how common a flag is among predicted rows."""
    common = found[predicted & (found != "")].value_counts().index
    rank = {"": 0} | {flag: min(i, MAX_REASONS) for i, flag in enumerate(common, start=1)}
    return found.map(rank).fillna(MAX_REASONS).to_numpy(int)
