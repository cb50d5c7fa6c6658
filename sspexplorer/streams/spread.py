"""Who does the work: this process, or others."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sspexplorer.streams.pieces import Piece


class Answers(Protocol):
    """Answers pieces of a catalogue, a table at a time; see :class:`.Work`."""

    @property
    def size(self) -> int:
        """Rows of a table."""

    def do(
        self,
        piece: Piece,
        tell: Callable[[int], None] = lambda rows: None,
        span: tuple[int, int] | None = None,
    ) -> int:
        """Answer the tables of a piece, or some of them."""


class Spread(Protocol):
    """Has work done, by this process or by others."""

    def answer(self, work: Answers, pieces: Sequence[Piece], tell: Callable[[int], None]) -> None:
        """Have pieces answered; ``tell`` is told how many rows were, again and again."""

    def each(
        self, do: Callable[[Any], Any], tasks: Sequence[Any], tell: Callable[[Any], None]
    ) -> None:
        """Have something done with each of some tasks; ``tell`` is told what it gives.

        Which comes first is not known.
        """


class OneByOne:
    """Has all work done by this process, see :class:`Spread`."""

    def answer(self, work: Answers, pieces: Sequence[Piece], tell: Callable[[int], None]) -> None:
        """Answer pieces."""
        for piece in pieces:
            work.do(piece, tell)

    def each(
        self, do: Callable[[Any], Any], tasks: Sequence[Any], tell: Callable[[Any], None]
    ) -> None:
        """Do something with each of some tasks."""
        for task in tasks:
            tell(do(task))
