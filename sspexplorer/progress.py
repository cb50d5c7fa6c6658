"""How long work tells how far it is, and how it is asked to stop: one way for all of it.

Whoever does something long takes a ``progress`` and calls it; whoever waits for it decides what
becomes of what it says.

>>> def double(rows, progress=NO_PROGRESS):
...     done = []
...     for row in rows:
...         progress.check()
...         done.append(2 * row)
...         progress.report(len(done) / len(rows), f"{len(done)} of {len(rows)} rows")
...     return done
>>> double([1, 2, 3])
[2, 4, 6]
>>> double([1, 2], Progress(lambda fraction, words: print(f"{fraction:.0%}: {words}")))
50%: 1 of 2 rows
100%: 2 of 2 rows
[2, 4]
"""

from collections.abc import Callable
from dataclasses import dataclass

from sspexplorer.errors import Cancelled


def _say_nothing(fraction: float | None, words: str | None) -> None:
    pass


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Progress:
    """What long work reports to.

    Attributes
    ----------
    on_report : callable
        Takes the fraction done and what is going on, None for either where it is not known.
        Called in the thread of the work.
    is_cancelled : callable
        Whether the work was asked to stop.
    """

    on_report: Callable[[float | None, str | None], None] = _say_nothing
    is_cancelled: Callable[[], bool] = _never

    def report(self, fraction: float | None, words: str | None = None) -> None:
        """Tell how far the work is.

        Parameters
        ----------
        fraction : float or None
            Part that is done, 0 to 1; None if that cannot be said.
        words : str, optional
            What is going on, if that changes.
        """
        self.on_report(fraction, words)

    def cancelled(self) -> bool:
        """Whether the work was asked to stop."""
        return self.is_cancelled()

    def check(self) -> None:
        """Raise if the work was asked to stop; to be called between its steps.

        Raises
        ------
        Cancelled
            If it was.
        """
        if self.is_cancelled():
            raise Cancelled

    def part(self, start: float, size: float) -> "Progress":
        """Progress of a part of the work.

        Parameters
        ----------
        start, size : float
            Fraction of the whole at which the part begins, and how much of the whole it is.

        Returns
        -------
        Progress
            Its fractions, 0 to 1, are those of the part; asking it to stop is asking the whole.
        """

        def report(fraction: float | None, words: str | None) -> None:
            self.on_report(None if fraction is None else start + size * fraction, words)

        return Progress(report, self.is_cancelled)


NO_PROGRESS = Progress()
"""For work that nobody watches."""
