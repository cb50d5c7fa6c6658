"""The pieces of a catalogue answered by several processes, of this machine or of a cluster."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from sspexplorer.errors import InputError
from sspexplorer.streams.pieces import Piece
from sspexplorer.streams.work import Work

if TYPE_CHECKING:
    from distributed import Client

# Tables that one task answers: what a process that dies has to do again is a table.
_TABLES = 5
_RETRIES = 3
_CONNECT = 10  # seconds


def spread_over(
    work: Work,
    pieces: Sequence[Piece],
    tell: Callable[[int], None],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> None:
    """Have pieces answered by other processes, each of which keeps what it has found.

    Parameters
    ----------
    work : Work
    pieces : sequence of Piece
    tell : callable
        Told how many rows were answered.
    workers : int, optional
        Processes of this machine.
    scheduler : str, optional
        Address of a Dask scheduler instead, such as ``tcp://node1:8786``; its workers must see the
        files of the catalogue and the folder of the result under the same names.

    Raises
    ------
    InputError
        If there is no such scheduler, or it is lost, or a piece cannot be answered.
    """
    from distributed import KilledWorker, as_completed
    from distributed.comm.core import CommClosedError

    where = f"The scheduler at {scheduler}" if scheduler else "The processes of this machine"
    kept = "what is finished is kept, and the same command with --resume goes on there"
    with _client(workers, scheduler) as client:
        tasks = [
            client.submit(_do, work, piece, span, pure=False, retries=_RETRIES)
            for piece in pieces
            for span in _spans(piece, work.size)
        ]
        try:
            for task in as_completed(tasks):
                tell(task.result())
        except KilledWorker:
            raise InputError(
                f"A piece ended the processes that worked on it, as it does if memory is short; "
                f"{kept}."
            ) from None
        except (CancelledError, CommClosedError, OSError):
            raise InputError(f"{where} {'was' if scheduler else 'were'} lost; {kept}.") from None


def _spans(piece: Piece, size: int) -> list[tuple[int, int]]:
    n = len(list(piece.chunks(size)))
    return [(first, min(first + _TABLES, n)) for first in range(0, n, _TABLES)]


def _do(work: Work, piece: Piece, span: tuple[int, int]) -> int:
    return work.do(piece, span=span)


@contextmanager
def _client(workers: int | None, scheduler: str | None) -> Iterator["Client"]:
    import dask
    from distributed import Client, LocalCluster

    # What is to be said is said in one sentence.
    for name in [*logging.root.manager.loggerDict]:
        if name.startswith(("distributed", "tornado")):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as stack:
        stack.enter_context(dask.config.set({"distributed.comm.timeouts.connect": f"{_CONNECT}s"}))
        address: object = scheduler
        if scheduler is None:
            address = stack.enter_context(
                LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            )
        try:
            client = Client(address, timeout=_CONNECT)
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:120].rstrip(".")
            raise InputError(f"There is no scheduler at {scheduler}: {reason}.") from None
        stack.callback(client.close, 2)
        yield client
