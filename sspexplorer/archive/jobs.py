"""One question as a job of the service (UWS): started, watched, fetched, cleared away."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pyvo.dal import AsyncTAPJob, DALServiceError

from sspexplorer.archive.connection import Connection
from sspexplorer.archive.results import Result, error_message, read_result
from sspexplorer.archive.troubles import is_dropped, plain
from sspexplorer.errors import InputError
from sspexplorer.libraries.downloads import Resuming
from sspexplorer.progress import NO_PROGRESS, Progress

# In these nothing more will come. RUN is no phase of the standard, but the archive has it.
_ENDED = {"COMPLETED", "ERROR", "ABORTED", "ARCHIVED"}
_STUCK = {"HELD", "SUSPENDED"}
_WORDS = {
    "PENDING": "not started",
    "QUEUED": "in the queue",
    "RUN": "starting",
    "EXECUTING": "running",
    "COMPLETED": "done",
    "HELD": "held by the service",
    "SUSPENDED": "suspended by the service",
}
_TICK = 0.1  # s between looks at whether to stop


@dataclass(frozen=True)
class Watch:
    """What is told while a job runs.

    Attributes
    ----------
    title : str
        Words for the job.
    progress : Progress
    """

    title: str
    progress: Progress = NO_PROGRESS

    def say(self, fraction: float, words: str) -> None:
        """Tell how far the job is."""
        self.progress.report(fraction, f"{self.title}: {words}")


def run_job(
    connection: Connection, adql: str, folder: Path, maxrec: int | None, watch: Watch
) -> Result:
    """Ask the archive something, and read the answer.

    Whatever happens, nothing of the job is left on the service.

    Parameters
    ----------
    connection : Connection
    adql : str
    folder : Path
        For the answer while it comes.
    maxrec : int, optional
        Most rows to be given.
    watch : Watch

    Raises
    ------
    InputError
        If the service does not answer, or not in time.
    Cancelled
        If the progress said so; the job is aborted.
    """
    watch.progress.check()
    with connection.trouble("starting the job"):
        job = connection.tap.submit_job(adql, maxrec=maxrec)
    ended = False
    try:
        with connection.trouble("starting the job"):
            job.run()
        begun = time.monotonic()
        phase = _wait(connection, job, begun, watch)
        ended = True
        if phase != "COMPLETED":
            raise InputError(_failure(connection, job, phase))
        path = _fetch(connection, job, folder, watch)
    finally:
        _clear_away(job, abort=not ended)
    watch.say(0.9, "reading the table")
    try:
        return read_result(path, connection.service.host)
    finally:
        path.unlink(missing_ok=True)


def _wait(connection: Connection, job: AsyncTAPJob, begun: float, watch: Watch) -> str:
    """Wait until the job has ended; its phase."""
    patience = connection.patience
    pause, longest = patience.poll
    seen = time.monotonic()
    while True:
        phase, lost = _phase(connection, job), ""
        now = time.monotonic()
        if phase is None:
            if now - seen > patience.dropped:
                raise InputError(
                    f"{connection.service.host} has been out of reach for "
                    f"{now - seen:.0f} s; the job was given up."
                )
            lost = ", out of reach for the moment"
        else:
            seen = now
            if phase in _ENDED:
                return phase
        if now - begun > patience.job:
            stuck = _WORDS.get(phase or "", "not done") if phase not in _STUCK else _WORDS[phase]
            raise InputError(
                f"The job was {stuck} after {patience.job:g} s and was cancelled; ask for less, "
                "or give it more time."
            )
        words = _WORDS.get(phase or "EXECUTING", (phase or "").lower())
        # Nobody knows how long it takes: half of the way is for waiting, and is approached.
        waited = now - begun
        watch.say(0.5 * waited / (waited + 20), f"{words}, {waited:.0f} s{lost}")
        _sleep(pause, watch.progress)
        pause = min(longest, 1.3 * pause)


def _phase(connection: Connection, job: AsyncTAPJob) -> str | None:
    """Phase of a job; None if only the connection failed."""
    try:
        return str(job.phase).upper()
    except DALServiceError as error:
        if is_dropped(error):
            return None
        with connection.trouble("watching the job"):
            raise
    # The description of a job is XML, and what pyvo raises at other answers is anything.
    except Exception:
        raise InputError(
            f"{connection.service.host} describes the job in a way that is not understood."
        ) from None


def _sleep(seconds: float, progress: Progress) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        progress.check()
        time.sleep(min(_TICK, left))
    progress.check()


def _failure(connection: Connection, job: AsyncTAPJob, phase: str) -> str:
    """Say why a job has no result."""
    host = connection.service.host
    if phase != "ERROR":
        return f"{host} gave the job up ({phase}) before it was done."
    said = ""
    with contextlib.suppress(Exception):
        said = job.job.errorsummary.message.content or ""
    if not said.strip():
        # The summary may be empty; the whole story is in a document of its own.
        with contextlib.suppress(Exception):
            said = error_message(connection.session.get(f"{job.url}/error").content)
    return f"{host} refuses the query: {plain(said) or 'it does not say why'}."


def _fetch(connection: Connection, job: AsyncTAPJob, folder: Path, watch: Watch) -> Path:
    """Fetch the result of a job, taking a dropped connection up again."""
    path = folder / "result.vot"
    url = job.result_uri or f"{job.url}/results/result"
    if not url.startswith(("http://", "https://")):
        raise InputError(f"{connection.service.host} keeps the result at {url}, which is no web.")

    def arrived(fraction: float | None, words: str | None) -> None:
        part = 0.5 if fraction is None else fraction
        watch.say(0.5 + 0.4 * part, f"fetching the rows, {words}")

    download = Resuming(
        folder / "result.part",
        Progress(arrived, watch.progress.cancelled),
        connection.patience.read,
        session=connection.session,
        markup=True,
        kept=False,
        fruitless=connection.patience.retries,
    )
    try:
        download(url, path)
    finally:
        download.part.unlink(missing_ok=True)
    return path


def _clear_away(job: AsyncTAPJob, *, abort: bool) -> None:
    steps: list[Callable[[], object]] = [job.abort, job.delete] if abort else [job.delete]
    for step in steps:
        # It may be gone already, or out of reach: the service clears it away itself in time.
        with contextlib.suppress(Exception):
            step()
