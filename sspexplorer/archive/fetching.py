"""From a selection, or a query of a person's own, to a catalogue on disk."""

import contextlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sspexplorer import __version__
from sspexplorer.archive.adql import Query, build, check_adql
from sspexplorer.archive.connection import Connection, Login, Patience
from sspexplorer.archive.jobs import Watch, run_job
from sspexplorer.archive.keeping import Keeper, as_catalogue
from sspexplorer.archive.layout import Photometry
from sspexplorer.archive.parts import Part, by_tile, in_lists
from sspexplorer.archive.results import Result
from sspexplorer.archive.selection import Selection
from sspexplorer.archive.services import Service
from sspexplorer.bands import N_BANDS
from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress

# Rows of 236 columns that are half a gigabyte of text on their way, and are read in a minute
# or two.
ROWS_AT_ONCE = 100_000
_DEEPEST = 12  # times that a part may be halved; then something else is wrong


@dataclass(frozen=True)
class Fetched:
    """A catalogue that was fetched.

    Attributes
    ----------
    path : Path
    n_rows : int
    complete : bool
        Whether the service gave all that was asked for.
    notes : tuple of str
        Sentences on what was found, left out and assumed.
    adql : str
        The query, of the whole.
    n_jobs : int
        Jobs that it took.
    seconds : float
    """

    path: Path
    n_rows: int
    complete: bool
    notes: tuple[str, ...]
    adql: str
    n_jobs: int
    seconds: float


@dataclass
class _Run:
    """What is common to the parts of one question."""

    connection: Connection
    folder: Path
    keeper: Keeper
    progress: Progress
    most: int
    total: int | None = None
    n_jobs: int = 0
    notes: list[str] = field(default_factory=list)

    def job(self, adql: str, title: str, share: tuple[float, float], maxrec: int | None) -> Result:
        """Run one job that is a part of the whole."""
        self.n_jobs += 1
        watch = Watch(title, self.progress.part(*share))
        return run_job(self.connection, adql, self.folder, maxrec, watch)

    def note(self, sentences: Sequence[str]) -> None:
        """Keep sentences, each once."""
        self.notes += [text for text in sentences if text not in self.notes]


def fetch(
    service: Service,
    selection: Selection,
    out: Path,
    photometry: Photometry | None = None,
    *,
    login: Login | None = None,
    patience: Patience | None = None,
    rows_at_once: int = ROWS_AT_ONCE,
    progress: Progress = NO_PROGRESS,
) -> Fetched:
    """Fetch galaxies from the archive as a catalogue.

    What is too much for one job is asked for in several, by tile. The file is complete when it
    is there.

    Parameters
    ----------
    service : Service
    selection : Selection
    out : Path
        Parquet file to write.
    photometry : Photometry, optional
        APER_COR_3_0 as F_λ unless given.
    login : Login, optional
    patience : Patience, optional
    rows_at_once : int
        Most rows of a job.
    progress : Progress

    Raises
    ------
    InputError
        If the service cannot be asked, refuses, or breaks off.
    Cancelled
        If the progress said so; jobs are aborted and deleted.
    """
    check_out(out)
    if selection.is_everything:
        raise InputError("Say which galaxies: a cone, a list of ids, or a cut such as i < 20.")
    begun = time.monotonic()
    with Connection(service, login, patience) as connection:
        progress.report(0.0, f"asking {service.host} what it has")
        schema, notes = connection.schema()
        photometry = photometry or Photometry()
        query = build(service, selection, photometry, schema)
        if len(query.bands) < N_BANDS:
            notes += (f"The service has {len(query.bands)} of the {N_BANDS} bands.",)
        limit = connection.row_limit()
        most = min(rows_at_once, limit or rows_at_once)
        with _running(connection, out, progress, most) as run:
            run.note((*notes, *query.notes))
            return _fetch_parts(run, query, selection, begun)


def fetch_adql(
    service: Service,
    adql: str,
    out: Path,
    *,
    login: Login | None = None,
    patience: Patience | None = None,
    maxrec: int | None = None,
    progress: Progress = NO_PROGRESS,
) -> Fetched:
    """Fetch what a query of a person's own asks for, as it is, in one job.

    Parameters
    ----------
    service, out, login, patience, progress
        See :func:`fetch`.
    adql : str
    maxrec : int, optional
        Most rows to be given; the service's own limit if not given.

    Raises
    ------
    InputError
        As :func:`fetch`.
    Cancelled
        If the progress said so.
    """
    check_out(out)
    text = check_adql(adql)
    begun = time.monotonic()
    with (
        Connection(service, login, patience) as connection,
        _running(connection, out, progress, 0) as run,
    ):
        result = run.job(text, "your query", (0.0, 1.0), maxrec)
        if result.cut:
            run.note(
                (
                    f"Not all: the service had more than the {len(result.table):,} rows it gives "
                    "at once. Ask for fewer, or in parts.",
                )
            )
        run.keeper.add(result.table)
        return _finish(run, text, not result.cut, begun, "ADQL of your own")


@contextlib.contextmanager
def _running(connection: Connection, out: Path, progress: Progress, most: int) -> Iterator[_Run]:
    """Everything a run needs, cleared away at its end."""
    keeper = Keeper(out)
    with tempfile.TemporaryDirectory(prefix="sspexplorer-") as folder:
        try:
            yield _Run(connection, Path(folder), keeper, progress, most)
        finally:
            keeper.discard()


def check_out(out: Path) -> None:
    """Check that a catalogue can be kept there, before anything is asked.

    Raises
    ------
    InputError
        If it has another ending, or there is no such folder.
    """
    if out.suffix.lower() != ".parquet":
        raise InputError(f"The catalogue is kept as Parquet, but {out} does not end in .parquet.")
    if not out.absolute().parent.is_dir():
        raise InputError(f"Cannot write {out}: there is no folder {out.absolute().parent}.")


def _fetch_parts(run: _Run, query: Query, selection: Selection, begun: float) -> Fetched:
    if selection.ids:
        parts = in_lists(query, selection.ids, run.most)
    else:
        counts = _counts(run, query)
        parts = by_tile(query, counts, run.most)
        if not parts:
            raise InputError("No object in the archive is as you ask; nothing was written.")
        n_rows = sum(counts.values())
        run.note((f"{n_rows:,} objects in {len(counts):,} tiles.",) if len(counts) > 1 else ())
    run.total = sum(part.n_rows or 0 for part in parts)
    if len(parts) > 1:
        run.note((f"Asked for in {len(parts)} parts, by tile.",) if not selection.ids else ())
    for part in parts:
        _fetch_part(run, part)
    if not run.keeper.n_rows:
        raise InputError("No object in the archive is as you ask; nothing was written.")
    if selection.ids and (absent := len(selection.ids) - run.keeper.n_rows) > 0:
        run.note((f"{absent:,} of the {len(selection.ids):,} ids gave no object.",))
    photometry = query.photometry.aperture if query.photometry else ""
    return _finish(run, query.adql, True, begun, photometry)


def _counts(run: _Run, query: Query) -> dict[int, int]:
    table = run.job(query.count_by_tile, "counting", (0.0, 0.1), None).table
    names = {name.lower(): name for name in table.colnames}
    if not {"tile_id", "n_rows"} <= names.keys():
        raise InputError("The service did not count the objects by tile as it was asked to.")
    tiles, numbers = table[names["tile_id"]], table[names["n_rows"]]
    return {int(tile): int(n) for tile, n in zip(tiles, numbers, strict=True)}


def _fetch_part(run: _Run, part: Part, depth: int = 0) -> None:
    """Fetch a part; in halves, if the service cuts it."""
    done = run.keeper.n_rows
    total = max(run.total or 1, done + 1)
    expected = part.n_rows or 0
    share = (0.1 + 0.9 * done / total, 0.9 * min(expected, total - done) / total)
    title = f"{done:,} of {run.total or 0:,} rows, {part.title}"
    result = run.job(part.adql, title, share, run.most)
    if result.cut:
        if depth >= _DEEPEST:
            raise InputError(
                f"The service cuts even {len(result.table):,} rows short; try again later."
            )
        run.note((f"The service cut a part after {len(result.table):,} rows: asked in halves.",))
        for half in part.halves():
            _fetch_part(run, half, depth + 1)
        return
    if len(result.table):
        table, notes = as_catalogue(result.table, part.query.columns, part.query.photometry)
        run.note(notes)
        run.keeper.add(table)


def _finish(run: _Run, adql: str, complete: bool, begun: float, photometry: str) -> Fetched:
    if not run.keeper.n_rows:
        raise InputError("The answer has no rows; nothing was written.")
    service = run.connection.service
    run.keeper.finish(
        {
            "service": service.url,
            "adql": adql,
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "rows": run.keeper.n_rows,
            "complete": complete,
            "jobs": run.n_jobs,
            "photometry": photometry,
            "notes": run.notes,
            "software": f"sspexplorer {__version__}",
        }
    )
    run.progress.report(1.0, "done")
    seconds = time.monotonic() - begun
    keeper = run.keeper
    return Fetched(
        keeper.path, keeper.n_rows, complete, tuple(run.notes), adql, run.n_jobs, seconds
    )
