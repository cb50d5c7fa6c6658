"""What is downloaded of a catalogue's predictions: rows in some format, a script or the session."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import panel as pn

from sspexplorer.analysis.about import about_file
from sspexplorer.analysis.catalogue import ALL
from sspexplorer.analysis.script import script_of
from sspexplorer.app.apply.intake import SESSION
from sspexplorer.app.apply.kept import name_of, title_of
from sspexplorer.app.apply.reading import Reading
from sspexplorer.app.apply.result import CatalogueResult
from sspexplorer.app.apply.samp import SendTable
from sspexplorer.app.apply.session import Session
from sspexplorer.app.kit.download import Download
from sspexplorer.catalogue.files import ending
from sspexplorer.catalogue.writing import for_spreadsheets

FORMATS = {
    "CSV": ".csv",
    "CSV for spreadsheets": for_spreadsheets(".csv"),
    "ECSV": ".ecsv",
    "FITS": ".fits",
    "VOTable": ".vot",
    "Parquet": ".parquet",
}
SCRIPT = ".py"
_WHOLE = (SCRIPT, SESSION)  # formats that are of no rows
_ROWS: dict[str, bool | str] = {"All": False, "Those listed": True}
_NAMES = "With names of selections"
_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")
_NAMES_COLUMN = "selection"


class CatalogueOutput:
    """Choices of a download, and its button.

    Parameters
    ----------
    session : callable
        Makes what can be opened again; runs in a thread.
    on_trouble : callable
        Called with what kept a file from being written.

    Attributes
    ----------
    format, rows : Select
    names : CheckBoxGroup
        Whether a column has the names of the selections that are kept.
    download : Download
    send : SendTable
        Sends what is listed to programs on the visitor's computer.
    """

    def __init__(
        self, session: Callable[[], Session], on_trouble: Callable[[Exception], None]
    ) -> None:
        self._session = session
        self.format = pn.widgets.Select(label="Format", sizing_mode="stretch_width")
        self.rows = pn.widgets.Select(label="Rows", options=_ROWS, sizing_mode="stretch_width")
        self.names = pn.widgets.CheckBoxGroup(options=[_NAMES], visible=False, margin=0)
        self.download = Download(self.write, "")
        self.send = SendTable(
            self._write_listed,
            self._listed,
            lambda row: self._result.param.update(row=row),
            lambda rows: self._result.pick(rows),
        )
        self._result: CatalogueResult | None = None
        self._reading: Reading | None = None
        for widget in (self.format, self.rows):
            widget.param.watch(self._name, "value")
        self.download.param.watch(lambda event: event.new and on_trouble(event.new), "trouble")

    def begin(self, name: str) -> None:
        """Offer the formats of a new catalogue, all its rows and its own format first."""
        own = ending(name)
        others = {f"{title} ({e})": e for title, e in FORMATS.items() if e != own}
        formats = {f"As uploaded ({own})": own, **others}
        formats |= {"Script that does this (.py)": SCRIPT, "Session to open again (.json)": SESSION}
        self.format.param.update(options=formats, value=own)
        self.rows.value = False
        self.names.value = []

    def follow(self, result: CatalogueResult, reading: Reading) -> None:
        """Write these predictions from now on, of a file that was read so."""
        self._result, self._reading = result, reading
        result.selections.param.watch(self._offer, "kept")
        result.param.watch(lambda event: self.send.choose(event.new), "row")
        result.param.watch(self._tell_selected, "rows")
        self._offer()

    def _offer(self, *events: Any) -> None:
        """Offer the selections that are kept, each as a file of its own or all as a column."""
        kept = self._result.selections.groups
        options = _ROWS | {f"“{name_of(group)}”": group for group in kept}
        value = self.rows.value if self.rows.value in options.values() else False
        self.rows.param.update(options=options, value=value)
        self.names.visible = bool(kept)
        self._name()

    def _tell_selected(self, event: Any) -> None:
        result = self._result
        if len(event.new) < len(result.answers.table):
            self.send.select(event.new)

    def forget(self) -> None:
        """Hold nothing of a catalogue."""
        self._result = self._reading = None
        self.send.forget()

    def write(self, file: BinaryIO) -> None:
        """Write what is chosen."""
        result, reading = self._result, self._reading
        assert result is not None
        assert reading is not None
        answers = result.answers
        if self.format.value == SCRIPT:
            text = script_of(answers, reading.masks, reading.galactic, result.row)
            file.write(text.encode())
            return
        if self.format.value == SESSION:
            file.write(self._session().to_bytes())
            return
        about = about_file(answers.catalogue, answers.asked.about)
        answers.catalogue.write(file, self.format.value, self.columns, about, self.chosen)

    def _listed(self) -> tuple[str, np.ndarray]:
        """What the rows that are listed are called, and which they are."""
        name = Path(self._result.answers.catalogue.name.replace("\\", "/")).name
        group = self._result.group
        part = "" if group == ALL else f", {title_of(group)}"
        return f"{name[: -len(ending(name))]}{part}", self._result.rows

    def _write_listed(self, file: BinaryIO) -> None:
        """Write the rows that are listed as a VOTable."""
        answers = self._result.answers
        about = about_file(answers.catalogue, answers.asked.about)
        answers.catalogue.write(file, ".vot", self.columns, about, self._result.rows)

    @property
    def chosen(self) -> np.ndarray | None:
        """Rows that are written, counted from 0; None for all."""
        if isinstance(self.rows.value, str):
            return np.flatnonzero(self._result.selections.groups[self.rows.value])
        return self._result.rows if self.rows.value else None

    @property
    def columns(self) -> pd.DataFrame:
        """Columns that are written besides those of the file."""
        found = self._result.answers.predictions
        if not (self.names.visible and self.names.value):
            return found
        return found.assign(**{_NAMES_COLUMN: self._result.selections.kept.names_by_row()})

    def _name(self, *events: Any) -> None:
        if self._result is None:
            return
        name = Path(self._result.answers.catalogue.name.replace("\\", "/")).name
        part = "_part" if self.rows.value else ""
        if isinstance(self.rows.value, str):
            part = f"_{_NOT_IN_A_NAME.sub('_', name_of(self.rows.value))}"
        stem = name[: -len(ending(name))]
        what = f"_predictions{part}"
        if self.format.value in _WHOLE:
            what = "" if self.format.value == SESSION else "_predictions"
        self.download.filename = f"{stem}{what}{self.format.value}"
