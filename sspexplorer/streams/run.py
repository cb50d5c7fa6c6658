"""A run over a catalogue in pieces: looked through, answered, joined."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import pandas as pd

import sspexplorer
from sspexplorer.catalogue.reading import Asked
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.streams.counted import Counted, Whole
from sspexplorer.streams.hats import HATS, join_hats
from sspexplorer.streams.joining import join
from sspexplorer.streams.parts import Parts
from sspexplorer.streams.pieces import Piece, Stored
from sspexplorer.streams.spread import OneByOne, Spread
from sspexplorer.streams.survey import Surveyed, surveyed
from sspexplorer.streams.work import Answering, Work, chosen_columns

# Parts of the time that looking through and joining take, of which nothing is known before.
_LOOK, _JOIN = 0.05, 0.1


@dataclass(frozen=True, eq=False)
class Done:
    """What a run has found.

    Attributes
    ----------
    found : Whole
        The catalogue.
    some : Catalogue
        Rows, evenly spread.
    work : Work
    said : tuple of str
        Sentences on what was there before.
    spread : Spread
        Has the work done.
    """

    found: Whole
    some: Any
    work: Work
    said: tuple[str, ...]
    spread: Spread = field(default_factory=OneByOne)

    def write(
        self, form: str, about: Mapping[str, Any], out: Path, progress: Progress = NO_PROGRESS
    ) -> tuple[str, ...]:
        """Write the result, and remove what was kept to go on with; see :func:`.join`.

        Of a HATS catalogue ``form`` may be :data:`~sspexplorer.streams.hats.HATS`, too.
        """
        if form == HATS:
            said = join_hats(self.work, out, about, self.spread, progress)
        else:
            said = join(self.work, out, form, about, progress)
        self.work.parts.remove()
        return said

    def column(self, name: str) -> pd.Series:
        """One column of all answers."""
        work = self.work
        places = _places(work, work.reader.stored.pieces(work.size))
        return pd.concat([work.parts.load(start)[name].to_pandas() for start in places])


def run(
    stored: Stored,
    asked: Asked,
    answering: Answering,
    out: Path,
    *,
    columns: Sequence[str] = (),
    size: int,
    resume: bool = False,
    spread: Spread | None = None,
    progress: Progress = NO_PROGRESS,
) -> Done:
    """Answer all rows of a catalogue, and keep the answers beside a result.

    Parameters
    ----------
    stored : Stored
    asked : Asked
        How it is read.
    answering : Answering
    out : Path
        The result, which is not written yet.
    columns : sequence of str
        Columns of answers to keep; all if none is named.
    size : int
        Rows at a time.
    resume : bool
        Whether to go on after what a run before has kept.
    spread : Spread, optional
        Has the pieces looked at and answered, by this process if not given.
    progress : Progress, optional

    Raises
    ------
    InputError
        If the catalogue cannot be read or used, or nothing can be kept.
    Cancelled
        If ``progress`` said so.
    """
    kept = chosen_columns(list(answering.no_rows().columns), columns)
    parts = Parts.beside(out)
    key = {
        "version of sspexplorer": sspexplorer.__version__,
        "catalogue": [
            [str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns] for p in stored.files
        ],
        "way to read it": _plain(asked),
        **answering.key(),
        "choice of columns": kept,
        "number of rows at a time": size,
    }
    said = tuple(filter(None, [parts.begin(key, resume)]))
    try:
        seen = surveyed(stored, asked, size, spread, progress.part(0.0, _LOOK))
        work = Work(seen.reader, answering, tuple(kept), parts, size)
        return _answered(
            seen, work, spread or OneByOne(), said, progress.part(_LOOK, 1 - _LOOK - _JOIN)
        )
    finally:
        parts.remove_if_empty()


def _answered(
    seen: Surveyed, work: Work, spread: Spread, said: tuple[str, ...], progress: Progress
) -> Done:
    rows = seen.reader.stored.rows
    pieces = seen.reader.stored.pieces(work.size)
    lacking = [piece for piece in pieces if work.missing(piece)]
    left = sum(map(work.missing, lacking))
    if left < rows:
        said += (f"{rows - left:,} of {rows:,} rows were there from before.",)
    if lacking:
        clock = _Clock(rows - left, rows, progress)
        spread.answer(work, lacking, clock.tell)
        said += (f"{left:,} rows took {_duration(clock.seconds)}, {clock.rate:,.0f} a second.",)
    counted = reduce(add, _all_counted(work, pieces), Counted())
    return Done(Whole.of(seen, counted), seen.some, work, said, spread)


def _plain(asked: Asked) -> dict[str, Any]:
    masks = None if asked.masks is None else asdict(asked.masks)
    return asdict(replace(asked, masks=None, columns=None)) | {
        "masks": masks,
        "columns": None if asked.columns is None else dict(asked.columns),
    }


def _places(work: Work, pieces: Sequence[Piece]) -> list[int]:
    """First row of each table."""
    return [start for piece in pieces for start, _ in piece.chunks(work.size)]


def _all_counted(work: Work, pieces: Sequence[Piece]) -> list[Counted]:
    return [counted for start in _places(work, pieces) if (counted := work.parts.counted(start))]


class _Clock:
    """Tells how many rows are done, how fast, and how long the others take."""

    def __init__(self, before: int, rows: int, progress: Progress) -> None:
        self._before, self._rows, self._progress = before, rows, progress
        self._done, self._begun = 0, time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._begun

    @property
    def rate(self) -> float:
        return self._done / max(1e-9, self.seconds)

    def tell(self, rows: int) -> None:
        self._progress.check()
        self._done += rows
        done = self._before + self._done
        words = f"{done:,} of {self._rows:,} rows, {self.rate:,.0f} a second"
        if self._done > 0 and done < self._rows:
            words += f", {_duration((self._rows - done) / self.rate)} left"
        self._progress.report(done / self._rows, words)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
