"""A catalogue answered by a command, as a whole or in pieces, and what is said of it."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from sspexplorer.cli.console import say
from sspexplorer.cli.given import STANDARD, Given
from sspexplorer.cli.parts import progress_line
from sspexplorer.errors import Cancelled, InputError

if TYPE_CHECKING:
    import pandas as pd

    from sspexplorer.catalogue import Catalogue
    from sspexplorer.streams.counted import Counted
    from sspexplorer.streams.pieces import Stored
    from sspexplorer.streams.run import Done
    from sspexplorer.streams.spread import Spread
    from sspexplorer.streams.work import Answering


@dataclass(frozen=True, eq=False)
class Answered:
    """A catalogue with its answers.

    Attributes
    ----------
    found : Catalogue
        With what is to be said of all rows.
    some : Catalogue
        All rows that are in memory, or some of them, evenly spread.
    counted : Counted
    said : tuple of str
        Sentences on how it went.
    table : DataFrame or None
        All answers, if they are in memory.
    run : Done or None
        Else the run that has found them.
    """

    found: "Catalogue"
    some: "Catalogue"
    counted: "Counted"
    said: tuple[str, ...] = ()
    table: "pd.DataFrame | None" = None
    run: "Done | None" = None

    def write(self, given: Given, made: Mapping[str, Any]) -> tuple[str, ...]:
        """Write the catalogue with the wanted columns; sentences on what had to change."""
        from sspexplorer.analysis.about import about_file
        from sspexplorer.streams.work import chosen_columns

        if self.run is not None:
            about = about_file(self.found, made)
            return self.run.write(given.form, about, given.out, progress_line("written"))
        columns = chosen_columns(list(self._table), given.wanted)
        return given.write(self.found, self._table[columns], made)

    def column(self, name: str) -> "pd.Series":
        """One column of all answers."""
        if self.run is not None:
            return self.run.column(name)
        return self._table[name]

    @property
    def _table(self) -> "pd.DataFrame":
        if self.table is None:
            raise ValueError("The answers are not in memory.")
        return self.table

    @property
    def flags(self) -> dict[str, int]:
        """Rows with each code of a flag, the commonest first."""
        return dict(sorted(self.counted.flags.items(), key=lambda item: -item[1]))


@contextmanager
def answered(given: Given, answering: "Answering", done: str) -> Iterator[Answered]:
    """Read a catalogue and answer it: as a whole, or in pieces if it is large.

    Other processes that do the work are there until the block ends.

    Parameters
    ----------
    given : Given
    answering : Answering
    done : str
        What is done with rows, for the progress: "predicted".

    Raises
    ------
    InputError
        If it cannot be read or used.
    """
    from sspexplorer.streams.cluster import processes
    from sspexplorer.streams.work import chosen_columns

    if given.workers and given.scheduler:
        raise InputError("Give --workers or --scheduler, not both.")
    chosen_columns(list(answering.no_rows()), given.wanted)
    with ExitStack() as stack:
        spread: Spread | None = None
        if given.scheduler:
            # One that is not there is noticed before a large file is looked at.
            spread = stack.enter_context(processes(scheduler=given.scheduler))
        stored, why = _in_pieces(given)
        if stored is None:
            yield _whole(given, answering, done, why)
            return
        say(why)
        try:
            if given.workers:
                spread = stack.enter_context(processes(given.workers))
            yield _run(given, answering, stored, why, spread)
        except (KeyboardInterrupt, Cancelled):
            say(
                "Stopped; what is finished is kept, and the same command with --resume goes on "
                "there."
            )
            raise typer.Exit(130) from None


def _whole(given: Given, answering: "Answering", done: str, why: str) -> Answered:
    from sspexplorer.streams.counted import Counted

    found = given.read()
    table, corrected = answering.answers(found, progress_line(done))
    counted = Counted.of(found, table, answering.prefix, 0, corrected)
    return Answered(found, found, counted, (why,) if why else (), table)


def _in_pieces(given: Given) -> "tuple[Stored | None, str]":
    """The catalogue, if it is to be read in pieces; and a sentence on that, or on why it is not."""
    from sspexplorer.streams.joining import can_write
    from sspexplorer.streams.opening import (
        LARGE_BYTES,
        LARGE_ROWS,
        bytes_of,
        may_be_large,
        only_in_pieces,
        opened,
    )
    from sspexplorer.streams.pieces import NotInPiecesError

    told = given.chunk or given.resume or given.workers or given.scheduler
    if not (told or may_be_large(given.places)):
        return None, ""
    always = only_in_pieces(given.places)
    try:
        if given.out == STANDARD or not (
            given.to_hats or given.out.is_file() or not given.out.exists()
        ):
            raise NotInPiecesError("the output is no file")
        if not (given.to_hats or can_write(given.form)):
            raise NotInPiecesError(f"{given.form} is written as a whole")
        stored = opened(given.places, given.asked, _rows(given))
    except NotInPiecesError as reason:
        if always or told:
            raise InputError(f"The catalogue cannot be read in pieces: {reason}.") from None
        large = bytes_of(given.places) > LARGE_BYTES
        return None, f"Read as a whole, in memory: {reason}." if large else ""
    if not (told or always or stored.rows > LARGE_ROWS):
        return None, ""
    rows = _rows(given)
    return stored, f"Read in pieces of {rows:,} rows, of {stored.rows:,} in all."


def _rows(given: Given) -> int:
    from sspexplorer.streams.opening import ROWS

    return given.chunk or ROWS


def _run(
    given: Given,
    answering: "Answering",
    stored: "Stored",
    how: str,
    spread: "Spread | None",
) -> Answered:
    from sspexplorer.streams.run import run

    done = run(
        stored,
        given.asked,
        answering,
        given.out,
        columns=given.wanted,
        size=_rows(given),
        resume=given.resume,
        spread=spread,
        progress=progress_line(every=30.0),
    )
    return Answered(done.found, done.some, done.found.counted, (how, *done.said), None, done)
