"""Your catalogue: a file goes in, what was understood is shown, predictions come out."""

import asyncio
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import panel as pn
import param

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.recognition import REST, UNIT, Suspicion
from sspexplorer.analysis.zero_points import ZeroPoints
from sspexplorer.app import cache
from sspexplorer.app.apply import intake
from sspexplorer.app.apply.linked import EXAMPLES, Linked, served_files
from sspexplorer.app.apply.method import METHOD, Method
from sspexplorer.app.apply.offered import offered_files
from sspexplorer.app.apply.output import CatalogueOutput
from sspexplorer.app.apply.own_columns import CatalogueComparison, OwnNumbers
from sspexplorer.app.apply.posterior import FitQuality, PosteriorView
from sspexplorer.app.apply.question import question_view
from sspexplorer.app.apply.reading import Found, Reading
from sspexplorer.app.apply.result import CatalogueResult
from sspexplorer.app.apply.suspicions import suspicions_view, zero_points_note
from sspexplorer.app.apply.taken import MapInput, WhatWasTaken
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.work import READING, Worker, counting, served_document
from sspexplorer.app.state import SharedState
from sspexplorer.catalogue import Catalogue, ChoiceNeededError
from sspexplorer.jobs.reading import READER
from sspexplorer.plots.catalogue import MAX_POINTS
from sspexplorer.plots.shading import compile_means
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path
from sspexplorer.shipped import compared_networks

# Choices of a result that the next one begins with.
_KEPT = ("row", "group", "colour", "across", "up", "mixed", "search")
_LATER = 0.1  # s; long enough for what was shown to be on its way


class YourCatalogue(Method, Linked, Page):
    """Predictions for a catalogue of one's own.

    In a notebook it needs ``pn.extension("tabulator", "filedropper",
    respect_explicit_sizing=True)`` before it.

    Parameters
    ----------
    state : SharedState, optional
        Model and libraries; a fresh one unless given.
    """

    SIDEBAR = ("libraries",)
    QUERY: ClassVar[dict[str, str]] = Method.QUERY | Linked.QUERY
    LETS_GO = False  # an upload that is on its way would break off

    handed = param.ClassSelector(
        class_=intake.Upload, default=None, doc="File that another page hands over, to be opened."
    )

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self.follow(self._model_changed, "model")
        self.follow(self._libraries_changed, "libraries")
        self.follow(self._method_changed, "zero_points")
        self.param.watch(self._method_changed, list(METHOD))
        self.param.watch(self._take_handed, "handed")
        self.param.watch(self._follow_link, "file")
        if pn.state.curdoc and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(lambda context: self._forget())

    def make(self) -> None:
        """Make widgets and areas; there is no file yet."""
        self._opened = ""
        self._upload: intake.Upload | None = None
        self._found: Found | None = None
        self._map: Mapping = {}
        self._answered: Catalogue | None = None
        self._result: CatalogueResult | None = None
        self._comparison: CatalogueComparison | None = None
        self.posterior: PosteriorView | None = None
        self.worker = Worker()
        self._make_widgets()
        self._make_areas()
        self._new_drop_zone()

    @property
    def catalogue(self) -> Catalogue | None:
        """Catalogue as it was understood, or None before there is one."""
        return None if self._found is None else self._found.catalogue

    @property
    def result(self) -> CatalogueResult | None:
        """Predictions in sight, or None before there are any."""
        return self._result

    def _make_widgets(self) -> None:
        self._examples = [pn.widgets.Button(label=title, width=220) for title in EXAMPLES]
        for button in self._examples:
            button.on_click(self._open_example)
        self._model, self._rare = ModelChoice(self, self.param.by), self.method_widgets()
        self.taken = WhatWasTaken(self._read_so, self.worker.tell)
        self._map_input = MapInput(self._take_map, self.worker.tell)
        self._map_note = parts.note("")
        self._start = pn.widgets.Button(
            label="Predict", color="primary", sizing_mode="stretch_width"
        )
        self._start.on_click(self._start_clicked)
        self._another = pn.widgets.Button(label="Another file", sizing_mode="stretch_width")
        self._another.on_click(lambda event: self.close())
        self.output = CatalogueOutput(self.worker.tell)

    def _make_areas(self) -> None:
        self._drop_area = pn.Column(sizing_mode="stretch_width", margin=0)
        self._empty = parts.stack(
            self._drop_area,
            parts.caption(
                "A table with a row for each galaxy and a column for each band (F_ν, F_λ, AB or ST "
                "magnitudes; at least 5 of the 57 bands, better 20), as text, ECSV, FITS, VOTable, "
                f"Parquet, Feather or HDF5, up to {intake.max_upload()}. The server forgets it "
                "when you close this page."
            ),
            pn.Row(*self._examples, margin=0, styles={"gap": "10px", "flex-wrap": "wrap"}),
            intake.column_help(self._map_input),
            self._map_note,
            gap=18,
        )
        self._areas = [parts.stack() for _ in range(7)]
        self._choices, self._looks, self._answer, self._grid, *rest = self._areas
        self._posterior, self._compared, self._question = rest
        # A column ends with an invisible button, and a gap before it.
        self._choices.margin = self._looks.margin = (0, 0, -14, 0)
        self._strip = parts.stack()
        self._content = pn.Column(sizing_mode="stretch_width", margin=0)

    def lay_out(self) -> pn.Column:
        """Put progress over drop zone and content, one of which is in sight."""
        return pn.Column(
            self.worker,
            self._question,
            self._empty,
            self._content,
            sizing_mode="stretch_width",
            margin=0,
        )

    # A file comes in, is read again another way, and is forgotten.

    async def open(self, source: Path | bytes | str | intake.Upload, name: str) -> None:
        """Read a catalogue and show what was understood.

        Parameters
        ----------
        source : Path, bytes, str or Upload
            A file, or its content.
        name : str
            File name, whose ending says the format.
        """
        mapping, self._map = self._map, {}
        self._tell_of_map()
        self._opened = name
        if self.file != name:
            self.unlink()
        self.file = name if source == served_files().get(name) else ""
        await self._read(source, name, Reading(columns=mapping))

    async def _read(
        self, source: Path | bytes | str | intake.Upload, name: str, reading: Reading
    ) -> None:
        served = served_document() is not None

        def read(progress: Progress) -> tuple[intake.Upload, Found | ChoiceNeededError]:
            upload = intake.kept(source, name)
            ships = upload.path.is_relative_to(data_path("examples"))
            apart = served and READER.can_read and not ships
            return upload, reading.read(upload, progress, apart=apart)

        self._question[:] = []
        outcome = await self.worker.run(f"Reading {name}", read, READING)
        if outcome.done and isinstance(outcome.value[1], Found):
            await self._take(*outcome.value)
            return
        if outcome.done:
            self._ask(outcome.value[0], reading, outcome.value[1])
        if not outcome.overtaken and self._found is not None:
            # What is in sight was read as before.
            self.taken.show(self._found)
            self._settle()

    async def _take(self, upload: intake.Upload, found: Found) -> None:
        """Show what was understood, and predict again what had been predicted."""
        same = upload is self._upload
        self._upload, self._found = upload, found
        self.state.catalogue = found.catalogue
        if not same:
            self.state.zero_points = None
            self._result = self._comparison = None
            self._show_understood()
            return
        # What is in sight stays where it is, with other words.
        self._fill()
        if self._result is not None:
            await self.predict()
            self._settle()

    def _settle(self) -> None:
        """Offer to predict, if the predictions in sight are of an earlier reading."""
        stale = self._result is not None and self._answered is not self.catalogue
        if stale and not self.worker.busy:
            self._result = self._comparison = None
            self._show_understood()

    def _ask(self, upload: intake.Upload, reading: Reading, question: ChoiceNeededError) -> None:
        """Show a question that the file leaves open."""

        def answered(choice: str) -> None:
            chosen = reading.with_option(question.option, choice)
            pn.state.execute(partial(self._read, upload, upload.name, chosen))

        def left() -> None:
            self._question[:] = []
            self._empty.visible = self._found is None
            if self._found is None:
                self._new_drop_zone()

        leave = "Another file" if self._found is None else "Leave it as it was"
        self._empty.visible = False
        self._question[:] = [question_view(question, answered, leave, left)]

    async def predict(self) -> None:
        """Predict every row of the catalogue that was read, and show the result."""
        asked = self.asked(self.state.model, self.state.zero_points)
        catalogue = self.catalogue
        if catalogue is None:
            return

        def run(progress: Progress) -> tuple[Answers, OwnNumbers]:
            counted = counting(progress, "Predicting", len(catalogue))
            model = cache.model(asked.model)
            found = asked.predict(catalogue, model, counted)
            suspected = asked.suspicions(catalogue, model)
            progress.report(1.0, "Laying out the table")
            for name in compared_networks(asked.network):
                cache.model(name)
            if len(catalogue) > MAX_POINTS:
                compile_means()
            # What is made the first time is made here, where nobody has to wait.
            answers = Answers.of(catalogue, found, asked, suspected).get_ready()
            return answers, OwnNumbers.of(catalogue)

        outcome = await self.worker.run("Predicting", run)
        if outcome.done:
            answers, numbers = outcome.value
            self._answered = catalogue
            self._show_result(answers)
            # What is out of sight comes later, one by one: pictures take their time.
            for show in (self._show_posterior, partial(self._show_comparison, numbers)):
                await asyncio.sleep(_LATER)
                if self._result is not None and self._result.answers is answers:
                    show()

    async def _take_handed(self, event: Any) -> None:
        if event.new is not None:
            self.handed = None
            await self.open(event.new, event.new.name)

    def _follow_link(self, event: Any) -> None:
        if event.new and event.new != self._opened:
            pn.state.execute(partial(self.open_linked, event.new))

    async def open_linked(self, name: str) -> None:
        """Open the catalogue that a link names, and predict it as was done where it was made."""
        await self.open(served_files()[name], name)
        await self.predict()

    def close(self) -> None:
        """Forget the file and all that came of it."""
        self._forget()
        self._opened = ""
        self.unlink()
        self.state.param.update(catalogue=None, zero_points=None)
        self.worker.clear()
        for area in (self._content, *self._areas):
            area[:] = []
        self._new_drop_zone()
        self._empty.visible = True

    def _forget(self) -> None:
        self.worker.cancel()
        self._upload = self._found = self._result = self._comparison = None
        self.output.forget()

    def _new_drop_zone(self) -> None:
        """Exchange the drop zone, since it shows its last file for as long as it lives."""
        self._drop_area[:] = [
            intake.drop_zone(self._dropped, self.worker.tell),
            *offered_files(self.open, self.worker.tell),
        ]

    async def _dropped(self, event: Any) -> None:
        if event.new is not None:
            await self.open(event.new, event.new.name)

    async def _open_example(self, event: Any) -> None:
        name = EXAMPLES[event.obj.label]
        await self.open(data_path("examples", name), name)

    def _read_so(self, reading: Reading) -> None:
        """Read the file again, in another way."""
        if self._upload is not None:
            pn.state.execute(partial(self._read, self._upload, self._upload.name, reading))

    def _take_map(self, mapping: Mapping) -> None:
        """Keep a map of columns for the file that comes next."""
        self.worker.clear()
        self._map = mapping
        self._tell_of_map()

    def _tell_of_map(self) -> None:
        text = "The next file is read with your map of columns." if self._map else ""
        self._map_note.object = parts.note(text).object

    async def _start_clicked(self, event: Any) -> None:
        if not self.worker.busy:
            await self.predict()

    async def _model_changed(self) -> None:
        asked = self.asked(self.state.model, self.state.zero_points)
        if self._result is not None and self._result.answers.asked != asked:
            await self.predict()

    async def _method_changed(self, *events: Any) -> None:
        if self._result is not None:
            await self.predict()

    def _libraries_changed(self) -> None:
        if self._result is not None:
            self._result.follow_libraries()

    # What is in sight.

    def _fill(self) -> None:
        """Show what was taken from the file."""
        self.taken.show(self._found)
        self._strip[:] = [intake.band_strip(self.catalogue)]

    def _show_understood(self) -> None:
        self._fill()
        self._empty.visible = False
        self._content[:] = [
            parts.page_layout(
                [self._model, self._start, self._another],
                parts.stack(intake.title(self.catalogue), self._strip, self.taken, gap=18),
                more=self._rare,
            )
        ]

    def _show_result(self, answers: Answers) -> None:
        """Put the result in place of the last one, with the same choices."""
        last, catalogue = self._result, answers.catalogue
        kept = self.linked if last is None else {k: getattr(last, k) for k in _KEPT}
        if last is not None:
            kept["columns"] = last.list.columns
        self._result = result = CatalogueResult(answers, self.state, **kept)
        self.output.follow(result, self._found.reading)
        result.param.watch(self._note, ["row", "across", "up"])
        self._note()
        words = (answers.sentence(), *answers.remarks, answers.asked.hint)
        caption = parts.caption(" ".join(words))
        self._choices[:], self._looks[:] = result.controls, result.more
        doubts = suspicions_view(answers.suspicions, self._put_right)
        undo = zero_points_note(answers.asked.zero_points, self._undo_zero_points)
        self._answer[:] = [
            parts.stack(intake.title(catalogue), caption, gap=2),
            *doubts,
            *undo,
            result.strip,
            result,
        ]
        self._grid[:] = [result.list, *result.meanings]
        if last is None:
            self.output.begin(catalogue.name)
            self.taken.each_band.collapsed = True
            self._content[:] = [self._result_layout()]

    def _note(self, *events: Any) -> None:
        self.note(self._result.row, self._result.across, self._result.up)

    def _put_right(self, suspicion: Suspicion) -> None:
        """Do what a suspicion asks for."""
        if suspicion.kind == REST:
            self.redshift = suspicion.value
        elif suspicion.kind == UNIT:
            self._read_so(self._found.reading.with_option("unit", suspicion.value))
        else:
            pn.state.execute(self._correct_zero_points)

    async def _correct_zero_points(self) -> None:
        catalogue = self.catalogue

        def measure(progress: Progress) -> ZeroPoints:
            estimator = cache.model(self._result.answers.model)
            likeness = estimator.compared_together(catalogue.redshift, catalogue.redshift_err)
            return ZeroPoints.measure(catalogue, likeness, progress=progress)

        outcome = await self.worker.run("Measuring zero points", measure)
        if outcome.done:
            self.state.zero_points = outcome.value

    def _undo_zero_points(self) -> None:
        self.state.zero_points = None

    def _show_posterior(self) -> None:
        """Posterior of the chosen galaxy and quality of all fits; nothing without posteriors."""
        result = self._result
        if not result.answers.has_errors:
            self._posterior[:] = []
            return
        self.posterior = posterior = PosteriorView(result.answers, result.row)
        result.param.watch(lambda event: posterior.show(event.new), "row")
        self._posterior[:] = [
            parts.folded("Posterior of the chosen galaxy", posterior, open_=True),
            parts.folded("How well all are matched", FitQuality(result.answers)),
        ]

    def _show_comparison(self, numbers: OwnNumbers) -> None:
        """Compare the result with the catalogue's own columns, those that were chosen last."""
        result, last = self._result, self._comparison
        comparison = CatalogueComparison(result.answers, numbers, like=last, row=result.row)
        self._comparison = comparison
        result.param.watch(lambda event: comparison.param.update(row=event.new), "row")
        comparison.param.watch(lambda event: result.param.update(row=event.new), "row")
        self._compared[:] = [comparison]

    def _result_layout(self) -> pn.Column:
        """Lay out the areas that results come into, one after the other."""
        out = [self.output.format, self.output.download, self._another]
        controls = [self._model, self._choices, *out]
        return parts.stack(
            parts.page_layout(
                controls, self._answer, more=[self.output.rows, self._looks, *self._rare]
            ),
            self._grid,
            self._posterior,
            parts.folded("Compare with your own columns", self._compared, open_=True),
            parts.folded("What was taken", parts.stack(self._strip, self.taken)),
            gap=20,
        )
