"""What the commands share: options, progress, folders."""

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sspexplorer.errors import InputError
from sspexplorer.progress import Progress

if TYPE_CHECKING:
    from sspexplorer.networks.training import TrainingState

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object to standard output, nothing else.")
]
ModelOption = Annotated[
    str,
    typer.Option(
        help="A model directory, or one that ships: 'galaxy' and 'ssp' (with error bars), "
        "'default', 'paper'."
    ),
]
SeedOption = Annotated[int, typer.Option(help="Seed of everything random.")]


def names_of(text: str) -> list[str]:
    """Names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()]


def training_line() -> Callable:
    """Write a training's progress on one line of standard error."""
    last_epoch = -1

    def show(progress: "TrainingState") -> None:
        nonlocal last_epoch
        live = sys.stderr.isatty()
        if not live and progress.epoch == last_epoch:
            return
        last_epoch = progress.epoch
        rmse = ", ".join(f"{value**0.5:.3f}" for value in progress.validation_loss)
        line = (
            f"epoch {progress.epoch}/{progress.epochs}  {progress.fraction:4.0%}  validation RMSE "
            f"({rmse}) dex, dex, mag  {progress.seconds_left:.0f} s left"
        )
        end = "\n" if not live or progress.fraction >= 1 else ""
        sys.stderr.write(f"\r{line}\x1b[K{end}" if live else line + end)
        sys.stderr.flush()

    return show


def progress_line(done: str = "", after: float = 0.0, every: float = math.inf) -> Progress:
    """Write how far work is on one line of standard error, if a person is looking at it.

    Parameters
    ----------
    done : str
        What has been done, where the work has no words of its own: "predicted".
    after : float
        Seconds that the work may take without a word.
    every : float
        Seconds between two lines of a log, for work that takes hours.
    """
    begun = time.monotonic()
    logged = begun

    def show(fraction: float | None, words: str | None) -> None:
        nonlocal logged
        if time.monotonic() - begun < after:
            return
        done_now = fraction is not None and fraction >= 1
        if not sys.stderr.isatty():
            # In a log only what is finished is worth a line, if the work says what it was.
            if words and fraction is not None and (done_now or time.monotonic() - logged > every):
                logged = time.monotonic()
                sys.stderr.write(f"{fraction:4.0%} {words}\n")
        else:
            part = "" if fraction is None else f"{fraction:4.0%} "
            end = "\n" if done_now else ""
            sys.stderr.write(f"\r{part}{words or done}\x1b[K{end}")
            sys.stderr.flush()

    return Progress(show)


def check_folder(path: Path) -> None:
    """Check that a file can be written there, before anything long is begun.

    Raises
    ------
    InputError
        If there is no such folder.
    """
    if not path.absolute().parent.is_dir():
        raise InputError(f"Cannot write {path}: there is no folder {path.absolute().parent}.")


def make_folder(path: Path) -> None:
    """Make a folder.

    Raises
    ------
    InputError
        If that cannot be done.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"Cannot make the folder {path}: {error.strerror}.") from None


def listed(counts: dict[str, int]) -> str:
    """Write counts in a line: ``3 train, 1 test``."""
    return ", ".join(f"{count} {name}" for name, count in counts.items())
