"""What is done with each piece of a catalogue, in this process or in another."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from sspexplorer.analysis.catalogue import PredictionRequest
from sspexplorer.bands import N_BANDS
from sspexplorer.catalogue.held import Catalogue
from sspexplorer.errors import InputError
from sspexplorer.models import AnyModel, load_model, predict_rows
from sspexplorer.posterior.estimator import Estimator
from sspexplorer.posterior.prediction import on_redshifts
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.sedfit import fit_at_redshifts
from sspexplorer.shipped import model_folder
from sspexplorer.streams.counted import Counted
from sspexplorer.streams.parts import Parts
from sspexplorer.streams.pieces import Piece
from sspexplorer.streams.survey import Reader


class Answering(Protocol):
    """Makes answers to the rows of a catalogue."""

    @property
    def prefix(self) -> str:
        """What the names of its columns begin with."""

    def answers(
        self, catalogue: Catalogue, progress: Progress = NO_PROGRESS
    ) -> tuple[pd.DataFrame, int]:
        """Answers to all rows, and how many were corrected for zero points."""

    def no_rows(self) -> pd.DataFrame:
        """A table of answers without rows, which says names and types."""

    def remarks(self, counted: Counted) -> tuple[str, ...]:
        """Sentences on the whole."""

    def key(self) -> dict[str, Any]:
        """What the answers depend on, as JSON can hold it."""


@dataclass(frozen=True)
class Predicting:
    """Predictions with a model, see :class:`~sspexplorer.analysis.catalogue.PredictionRequest`."""

    request: PredictionRequest
    prefix: str = "pred"

    @property
    def model(self) -> AnyModel:
        """The model, which a process loads once."""
        return load_model(self.request.model)

    def answers(
        self, catalogue: Catalogue, progress: Progress = NO_PROGRESS
    ) -> tuple[pd.DataFrame, int]:
        """Predictions for all rows."""
        corrected = 0
        if self.request.zero_points is not None:
            catalogue, done = self.request.zero_points.applied(catalogue)
            corrected = int(done.sum())
        found = predict_rows(
            self.model,
            catalogue.flux,
            catalogue.flux_err,
            catalogue.redshift,
            catalogue.redshift_err,
            choices=self.request.choices,
            progress=progress,
        )
        return found.table, corrected

    def no_rows(self) -> pd.DataFrame:
        """A table of predictions without rows."""
        nothing = np.full((1, N_BANDS), np.nan)
        return predict_rows(self.model, nothing, nothing).table.iloc[:0]

    def remarks(self, counted: Counted) -> tuple[str, ...]:
        """Sentences on the whole."""
        said: list[str] = []
        if isinstance(self.model, Estimator):
            taken_as = self.request.choices.redshift_as
            said += on_redshifts(counted.without_redshift, counted.answered, taken_as)
        if (points := self.request.zero_points) is not None:
            there = np.array(counted.absent) < counted.rows
            said += points.said(counted.corrected, counted.rows, there)
        return tuple(said)

    def key(self) -> dict[str, Any]:
        """The model, what was chosen, and zero points."""
        points = self.request.zero_points
        folder = model_folder(self.request.model)
        return {
            "model": self.request.model,
            "model folder": [
                [p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in sorted(folder.iterdir())
            ],
            "choice": asdict(self.request.choices),
            "zero points": None if points is None else points.table.to_csv(),
        }


@dataclass(frozen=True)
class Fitting:
    """The Bayesian SED fit, see :func:`~sspexplorer.sedfit.fit_at_redshifts`."""

    libraries: tuple[str, ...]
    floor: float
    prefix: str = "fit"

    def answers(
        self, catalogue: Catalogue, progress: Progress = NO_PROGRESS
    ) -> tuple[pd.DataFrame, int]:
        """Fits of all rows."""
        found = fit_at_redshifts(
            self.libraries,
            catalogue.flux,
            catalogue.flux_err,
            catalogue.redshift,
            catalogue.redshift_err,
            floor=self.floor,
            progress=progress,
        )
        return found, 0

    def no_rows(self) -> pd.DataFrame:
        """A table of fits without rows."""
        nothing = np.full((1, N_BANDS), np.nan)
        return fit_at_redshifts(self.libraries, nothing, nothing, floor=self.floor).iloc[:0]

    def remarks(self, counted: Counted) -> tuple[str, ...]:
        """Nothing is to be said."""
        return ()

    def key(self) -> dict[str, Any]:
        """Libraries and the error that is added."""
        return {"libraries": list(self.libraries), "floor": self.floor}


def chosen_columns(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Columns to write, of those that there are: the wanted ones in their order, all without.

    Raises
    ------
    InputError
        If one is not there.
    """
    for name in wanted:
        if name not in names:
            raise InputError(f"There is no column {name!r} to write; there are {', '.join(names)}.")
    return [name for name in names if name in wanted] if wanted else list(names)


@dataclass(frozen=True)
class Work:
    """How the tables of a catalogue are answered and kept.

    Attributes
    ----------
    reader : Reader
    answering : Answering
    columns : tuple of str
        Those that are kept.
    parts : Parts
    size : int
        Rows of a table.
    """

    reader: Reader
    answering: Answering
    columns: tuple[str, ...]
    parts: Parts
    size: int

    @cached_property
    def schema(self) -> pa.Schema:
        """Of every table of answers."""
        empty = self.answering.no_rows()[list(self.columns)]
        return pa.Table.from_pandas(empty, preserve_index=False).schema.remove_metadata()

    def missing(self, piece: Piece) -> int:
        """How many rows of a piece have no answers yet."""
        return sum(n for start, n in piece.chunks(self.size) if not self.parts.has(start, n))

    def do(self, piece: Piece, tell: Callable[[int], None] = lambda rows: None) -> int:
        """Answer the tables of a piece that have no answers yet.

        Parameters
        ----------
        piece : Piece
        tell : callable
            Told how many rows were answered, after each table; what it raises ends the work.

        Returns
        -------
        int
            Rows that were answered.
        """
        places = list(piece.chunks(self.size))
        lacking = [not self.parts.has(*place) for place in places]
        if not any(lacking):
            return 0
        done = 0
        tables = self.reader.stored.tables(piece, self.size)
        for (start, n), lacks, table in zip(places, lacking, tables, strict=True):
            if not lacks:
                continue
            catalogue = self.reader.read(table)
            answers, corrected = self.answering.answers(catalogue)
            counted = Counted.of(catalogue, answers, self.answering.prefix, start, corrected)
            kept = pa.Table.from_pandas(answers[list(self.columns)], preserve_index=False)
            self.parts.save(start, kept.cast(self.schema), counted)
            done += n
            tell(n)
        return done
