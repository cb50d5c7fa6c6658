"""Catalogues that commands are given, and the files that they write."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sspexplorer.cli.console import print_json, say, tell
from sspexplorer.cli.options import (
    CataloguesArgument,
    ChunkOption,
    ColumnsOption,
    GalacticOption,
    LargestFlagOption,
    MapOption,
    MayWriteOption,
    NoLimitsOption,
    OutOption,
    PhotometryOption,
    ResumeOption,
    SchedulerOption,
    SpreadsheetsOption,
    UnitOption,
    UseMaskedOption,
    WorkersOption,
)
from sspexplorer.cli.parts import JsonOption, check_folder, progress_line
from sspexplorer.errors import Cancelled, InputError

if TYPE_CHECKING:
    import pandas as pd

    from sspexplorer.catalogue import Catalogue
    from sspexplorer.catalogue.reading import Asked

STANDARD = Path("-")

# Names of columns that are appended; anything else is a file.
_OURS = re.compile(r"(pred|fit)_\w+(\s*,\s*(pred|fit)_\w+)*")


@dataclass(frozen=True)
class Given:
    """What a command is given of a catalogue: where it is, how to read it, where to write."""

    catalogues: CataloguesArgument
    out: OutOption
    unit: UnitOption = None
    photometry: PhotometryOption = None
    columns: ColumnsOption = None
    ebv_galactic: GalacticOption = "found"
    use_masked: UseMaskedOption = False
    largest_flag: LargestFlagOption = 3
    no_limits: NoLimitsOption = False
    for_spreadsheets: SpreadsheetsOption = False
    chunk: ChunkOption = None
    resume: ResumeOption = False
    workers: WorkersOption = None
    scheduler: SchedulerOption = None
    json_output: JsonOption = False

    def check_out(self) -> None:
        """Check that the output can be written, before anything long is begun.

        Raises
        ------
        InputError
            If its ending says no format, there is no such folder, or it would mix with the JSON.
        """
        if self.out is None:
            return
        self._form()
        if self.to_hats:
            from sspexplorer.streams.hats import check_folder as check_hats

            check_folder(self.out)
            check_hats(Path(self.catalogues[0]), self.out)
        elif self.out != STANDARD:
            check_folder(self.out)
        elif self.json_output:
            raise InputError("Standard output takes the table or the JSON: give --out a file.")

    @cached_property
    def to_hats(self) -> bool:
        """Whether the result is a HATS catalogue: that of one, with a name that says no format."""
        from sspexplorer.catalogue.files import has_ending, is_hats

        one = len(self.catalogues) == 1 and is_hats(self.catalogues[0])
        return one and self.out != STANDARD and not has_ending(self.out.name)

    def _form(self) -> str:
        from sspexplorer.catalogue.files import ending
        from sspexplorer.catalogue.writing import for_spreadsheets

        if self.to_hats:
            suffix = "hats"
        else:
            suffix = ".csv" if self.out == STANDARD else ending(self.out.name)
        return for_spreadsheets(suffix) if self.for_spreadsheets else suffix

    @property
    def map(self) -> Path | None:
        """File that says which column holds what.

        Raises
        ------
        InputError
            If there are two.
        """
        files = [text for text in self.columns or () if not _OURS.fullmatch(text.strip())]
        if len(files) > 1:
            raise InputError(f"There can be one map of columns, not {' and '.join(files[:2])}.")
        return Path(files[0]) if files else None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Names of the columns to write of those that are new; all if there are none."""
        named = [text for text in self.columns or () if _OURS.fullmatch(text.strip())]
        return tuple(name.strip() for text in named for name in text.split(","))

    @property
    def asked(self) -> "Asked":
        """How the catalogue is to be read.

        Raises
        ------
        InputError
            If the map of columns cannot be read.
        """
        from sspexplorer.catalogue import load_map
        from sspexplorer.catalogue.masks import MaskRule
        from sspexplorer.catalogue.reading import Asked

        largest = self.largest_flag if self.largest_flag >= 0 else None
        return Asked(
            self.photometry,
            self.unit,
            None if self.map is None else load_map(self.map),
            MaskRule(not self.use_masked, largest),
            self.ebv_galactic,
        )

    def read(self) -> "Catalogue":
        """Read the catalogue, downloaded before where an address is given.

        Raises
        ------
        InputError
            If it cannot be had or used.
        """
        from sspexplorer.bounds import GENEROUS, UNBOUNDED
        from sspexplorer.catalogue import read_catalogue

        asked = self.asked
        return read_catalogue(
            self.places,
            unit=asked.unit,
            photometry=asked.photometry,
            columns=asked.columns,
            masks=asked.masks,
            galactic=asked.galactic,
            progress=progress_line("read", after=1.0),
            bounds=UNBOUNDED if self.no_limits else GENEROUS,
        )

    @cached_property
    def places(self) -> list[str | Path]:
        """Where the catalogues are on this machine."""
        return [_local(place) for place in self.catalogues]

    @property
    def form(self) -> str:
        """Ending that says the format of the output."""
        return self._form()

    def write(
        self,
        found: "Catalogue",
        table: "pd.DataFrame",
        made: Mapping[str, Any],
    ) -> tuple[str, ...]:
        """Write a catalogue with further columns.

        Parameters
        ----------
        found : Catalogue
        table : DataFrame
            The further columns.
        made : mapping
            What they were made with, see :func:`~sspexplorer.analysis.about.about_file`.

        Returns
        -------
        tuple of str
            Sentences on what had to change.
        """
        from sspexplorer.analysis.about import about_file

        target = sys.stdout.buffer if self.out == STANDARD else self.out
        return found.write(target, self._form(), table, about_file(found, made))

    def report(
        self, found: "Catalogue", report: Mapping[str, Any], remarks: tuple[str, ...] = ()
    ) -> bool:
        """Write a map of columns beside the output, and say what was taken.

        Parameters
        ----------
        found : Catalogue
        report : mapping
            What the JSON says beside what was taken from the catalogue.
        remarks : tuple of str
            Sentences on the whole.

        Returns
        -------
        bool
            Whether it was all printed as JSON.
        """
        from sspexplorer.catalogue.taken import sentences, taken
        from sspexplorer.catalogue.ways import for_command_line

        mapped = self._with_map(found)
        if self.json_output:
            said = taken(found)
            said["unit_reason"] = for_command_line(said["unit_reason"])
            said["notes"] = [*map(for_command_line, said["notes"]), *remarks]
            print_json({"path": str(self.out), **report, **said, **mapped})
            return True
        for sentence in (*found.notes, *sentences(found), *remarks):
            say(for_command_line(sentence))
        return False

    def tell(self, text: str) -> None:
        """Say how it went, on standard output unless the table is there."""
        (say if self.out == STANDARD else tell)(text)

    def _with_map(self, found: "Catalogue") -> dict[str, Any]:
        """Write the map of the columns that were read; the report's part on it."""
        from sspexplorer.catalogue.map_files import save_map

        columns = found.column_map()
        path, why_not = (
            (None, "") if self.out == STANDARD else save_map(columns, self.out, self.map)
        )
        if why_not:
            say(why_not)
        return {"columns": columns, "columns_path": str(path) if path else None}


_OF_WRITING = {"for_spreadsheets", "chunk", "resume", "workers", "scheduler"}


def takes_catalogue(
    command: Callable[..., None] | None = None, *, may_write: bool = False
) -> Callable[..., Any]:
    """Give a command the argument and the options of :class:`Given`, as its first parameter.

    Parameters
    ----------
    command : callable
    may_write : bool
        Whether the command writes no catalogue, and can do without a file: ``out`` is None then.
    """
    if command is None:
        return partial(takes_catalogue, may_write=may_write)
    # What says how a catalogue is written, a command that writes none has no use for.
    useless = _OF_WRITING if may_write else set()
    given = {field.name for field in fields(Given)} - useless

    @wraps(command)
    def run(**values: Any) -> None:
        asked = Given(**{name: values.pop(name) for name in given})
        asked.check_out()
        command(asked, **values)

    own = list(inspect.signature(command).parameters.values())[1:]
    parameters = [
        _optional(parameter, may_write).replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in (*inspect.signature(Given).parameters.values(), *own)
        if parameter.name not in useless
    ]
    # What typer reads the options from.
    setattr(run, "__signature__", inspect.Signature(parameters))  # noqa: B010
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _optional(parameter: inspect.Parameter, may_write: bool) -> inspect.Parameter:
    if parameter.name == "columns" and may_write:
        return parameter.replace(annotation=MapOption)
    if parameter.name != "out" or not may_write:
        return parameter
    return parameter.replace(default=None, annotation=MayWriteOption)


def _local(place: str) -> str | Path:
    """A file on this machine: the place itself, or what an address on the web is downloaded to."""
    from sspexplorer.archive.files import fetch_catalogue, is_address

    if not is_address(place):
        return place
    try:
        path, new = fetch_catalogue(place, progress=progress_line())
    except (KeyboardInterrupt, Cancelled):
        say("Stopped; what has come is kept, and the same command goes on from there.")
        raise typer.Exit(130) from None
    if new:
        say(f"Downloaded to {path}.")
    else:
        say(f"Downloaded before, to {path}; delete it there to have it anew.")
    return path
