"""Work done by several processes, of this machine or of a cluster."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from sspexplorer.errors import InputError
from sspexplorer.streams.pieces import Piece
from sspexplorer.streams.spread import Answers

if TYPE_CHECKING:
    from distributed import Client

# Tables that one task answers: what a process that dies has to do again is a table.
_TABLES = 5
_RETRIES = 3
_CONNECT = 10  # seconds
_KEPT = "what is finished is kept, and the same command with --resume goes on there"


class Processes:
    """Has work done by other processes, see :class:`~sspexplorer.streams.spread.Spread`.

    Each process keeps what it has found.

    Parameters
    ----------
    client : distributed.Client
    scheduler : str, optional
        Its address; the processes are of this machine if it is not given.
    """

    def __init__(self, client: "Client", scheduler: str | None = None) -> None:
        self._client, self._scheduler = client, scheduler

    def answer(self, work: Answers, pieces: Sequence[Piece], tell: Callable[[int], None]) -> None:
        """Have pieces answered, a few tables of one at a time.

        Raises
        ------
        InputError
            If the scheduler is lost, or a piece cannot be answered.
        """
        tasks = [(piece, span) for piece in pieces for span in _spans(piece, work.size)]
        self.each(partial(_answer, work), tasks, tell)

    def each(
        self, do: Callable[[Any], Any], tasks: Sequence[Any], tell: Callable[[Any], None]
    ) -> None:
        """Have something done with each of some tasks.

        Raises
        ------
        InputError
            If the scheduler is lost, or a task cannot be done.
        """
        from distributed import KilledWorker, as_completed
        from distributed.client import ClosedClientError
        from distributed.comm.core import CommClosedError

        try:
            # What all tasks need goes once to each process, and is made again if that dies.
            common = self._client.submit(_given, do, pure=False)
            futures = [
                self._client.submit(_done, common, task, pure=False, retries=_RETRIES)
                for task in tasks
            ]
            for future in as_completed(futures):
                tell(future.result())
        except KilledWorker:
            raise InputError(
                f"A piece ended the processes that worked on it, as it does if memory is short; "
                f"{_KEPT}."
            ) from None
        except (CancelledError, ClosedClientError, CommClosedError, OSError):
            lost = f"scheduler at {self._scheduler} was" if self._scheduler else "processes were"
            raise InputError(f"The {lost} lost; {_KEPT}.") from None
        except RuntimeError as error:
            if "deserialization" not in str(error):
                raise
            raise InputError(
                f"The scheduler at {self._scheduler} cannot read what is to be done: it and its "
                "workers need the Python, the sspexplorer and the packages of this machine."
            ) from None


def _given(do: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return do


def _done(do: Callable[[Any], Any], task: Any) -> Any:
    return do(task)


def _answer(work: Answers, task: tuple[Piece, tuple[int, int]]) -> int:
    piece, span = task
    return work.do(piece, span=span)


def _spans(piece: Piece, size: int) -> list[tuple[int, int]]:
    n = len(list(piece.chunks(size)))
    return [(first, min(first + _TABLES, n)) for first in range(0, n, _TABLES)]


@contextmanager
def processes(workers: int | None = None, scheduler: str | None = None) -> Iterator[Processes]:
    """Processes that are there for as long as they are needed.

    Parameters
    ----------
    workers : int, optional
        Processes of this machine.
    scheduler : str, optional
        Address of a Dask scheduler instead, such as ``tcp://node1:8786``; its workers must see the
        files of the catalogue and the folder of the result under the same names.

    Raises
    ------
    InputError
        If there is no such scheduler.
    """
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
        yield Processes(client, scheduler)
