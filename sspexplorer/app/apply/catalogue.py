"""Your catalogue: a file goes in, what was understood is shown, predictions come out."""

import asyncio
from functools import partial
from typing import Any

import panel as pn

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.recognition import REST, UNIT, Suspicion
from sspexplorer.analysis.zero_points import ZeroPoints
from sspexplorer.app import cache
from sspexplorer.app.apply import intake
from sspexplorer.app.apply.method import METHOD
from sspexplorer.app.apply.opening import Opening
from sspexplorer.app.apply.output import CatalogueOutput
from sspexplorer.app.apply.own_columns import CatalogueComparison, OwnNumbers
from sspexplorer.app.apply.posterior import FitQuality, PosteriorView
from sspexplorer.app.apply.reading import Found
from sspexplorer.app.apply.result import CatalogueResult
from sspexplorer.app.apply.suspicions import suspicions_view, zero_points_note
from sspexplorer.app.apply.volumes import CountsView
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.work import counting
from sspexplorer.app.state import SharedState
from sspexplorer.catalogue import Catalogue
from sspexplorer.plots.catalogue import MAX_POINTS
from sspexplorer.plots.shading import compile_means
from sspexplorer.progress import Progress
from sspexplorer.shipped import compared_networks

# Choices of a result that the next one begins with.
_KEPT = ("row", "group", "colour", "across", "up", "mixed", "search", "zoom")
_LATER = 0.1  # s; long enough for what was shown to be on its way


class YourCatalogue(Opening):
    """Predictions for a catalogue of one's own.

    In a notebook it needs ``pn.extension("tabulator", "filedropper",
    respect_explicit_sizing=True)`` before it.

    Parameters
    ----------
    state : SharedState, optional
        Model and libraries; a fresh one unless given.
    """

    SIDEBAR = ("libraries",)

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self.follow(self._model_changed, "model")
        self.follow(self._libraries_changed, "libraries")
        self.follow(self._method_changed, "zero_points")
        self.param.watch(self._method_changed, list(METHOD))
        if pn.state.curdoc and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(lambda context: self._forget())

    def make(self) -> None:
        """Make widgets and areas; there is no file yet."""
        super().make()
        self._answered: Catalogue | None = None
        self._result: CatalogueResult | None = None
        self._comparison: CatalogueComparison | None = None
        self.posterior: PosteriorView | None = None
        self._make_widgets()
        self._make_areas()

    @property
    def result(self) -> CatalogueResult | None:
        """Predictions in sight, or None before there are any."""
        return self._result

    def _make_widgets(self) -> None:
        self._model, self._rare = ModelChoice(self, self.param.by), self.method_widgets()
        self._start = pn.widgets.Button(
            label="Predict", color="primary", sizing_mode="stretch_width"
        )
        self._start.on_click(self._start_clicked)
        self._another = pn.widgets.Button(label="Another file", sizing_mode="stretch_width")
        self._another.on_click(lambda event: self.close())
        self.output = CatalogueOutput(lambda: self.session, self.worker.tell)
        self.param.watch(lambda event: self.output.send.listen(event.new), "in_sight")

    def _make_areas(self) -> None:
        self._areas = [parts.stack() for _ in range(6)]
        self._choices, self._looks, self._answer, self._grid, *rest = self._areas
        self._posterior, self._compared = rest
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

    async def _take(self, upload: intake.Upload, found: Found) -> None:
        """Show what was understood, and predict again what had been predicted."""
        same = upload is self._upload
        self._upload, self._found = upload, found
        self.state.catalogue = found.catalogue
        if not same:
            self.state.zero_points = None
            self._result = self._comparison = self._selections = None
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

    def close(self) -> None:
        """Forget the file and all that came of it."""
        self._forget()
        self._opened = ""
        self.unlink()
        self.state.param.update(catalogue=None, zero_points=None)
        self.worker.clear()
        for area in (self._content, self._question, *self._areas):
            area[:] = []
        self._new_drop_zone()
        self._empty.visible = True

    def _forget(self) -> None:
        self.worker.cancel()
        self._upload = self._found = None
        self._result = self._comparison = self._selections = None
        self.output.forget()
        self.sharing.clear()

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
        self._result = result = CatalogueResult(
            answers, self.state, selections=self._selections, **kept
        )
        self._selections = result.selections
        self.output.follow(result, self._found.reading)
        if self.file:
            self.sharing.clear()
        else:
            self.sharing.offer(self._upload, self._found.reading, self.shared)
        result.param.watch(self._note, ["row", "across", "up", "colour", "outline", "zoom"])
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
            result.selections,
            result,
        ]
        self._grid[:] = [result.list, *result.meanings]
        if last is None:
            self.output.begin(catalogue.name)
            self.taken.each_band.collapsed = True
            self._content[:] = [self._result_layout()]

    def _note(self, *events: Any) -> None:
        shown = ("across", "up", "colour", "outline", "zoom")
        self.note(self._result.row, **{name: getattr(self._result, name) for name in shown})

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
        volumes = CountsView(result.answers, result.rows)
        result.param.watch(lambda event: volumes.follow(event.new), "rows")
        counts = parts.folded("How many there are in a volume", volumes)
        # Nobody waits for what is folded away.
        counts.param.watch(volumes.begin, "collapsed")
        self._posterior[:] = [
            parts.folded("Posterior of the chosen galaxy", posterior, open_=True),
            parts.folded("How well all are matched", FitQuality(result.answers)),
            counts,
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
        output = self.output
        out = [output.format, output.download, output.send, self.sharing, self._another]
        controls = [self._model, self._choices, *out]
        return parts.stack(
            parts.page_layout(
                controls,
                self._answer,
                more=[self.output.rows, self.output.names, self._looks, *self._rare],
            ),
            self._grid,
            self._posterior,
            parts.folded("Compare with your own columns", self._compared, open_=True),
            parts.folded("What was taken", parts.stack(self._strip, self.taken)),
            gap=20,
        )
