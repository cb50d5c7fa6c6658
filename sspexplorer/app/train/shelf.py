"""The networks a visitor has trained, beside the shipped ones: compared, used, downloaded."""

import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import holoviews as hv
import pandas as pd
import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.download import Download
from sspexplorer.app.kit.theme import css
from sspexplorer.app.kit.work import Worker, sentence_of, served_document
from sspexplorer.app.state import SharedState
from sspexplorer.app.train.runs import Comparison, Run, look_of, runs_table, shipped_runs
from sspexplorer.labels import PARAMETER_NAMES, model_title
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks.model import Model
from sspexplorer.plots.magnitude import METRICS, Curves, legend_html, metric_curves

_NOTE = (
    "σ is σ\u00a0NMAD on the mocks of the figures, all magnitudes together, in dex, dex and mag. "
    "Best epoch: whose weights are kept, for log age/[M/H]/E(B−V). ■ stopped early."
)
_MEASURING = "Measuring the networks on held-out mocks …"
_WIDE = {"sizing_mode": "stretch_width", "margin": 0}
_IN_LINE = {"flex-wrap": "wrap", "gap": "10px"}
_NOTHING = pd.DataFrame(columns=["run", "parameter", "magnitude", *METRICS, "r2", "n"])

_SHOWN = (*METRICS, "r2")


class RunShelf(pn.viewable.Viewer):
    """Runs side by side, and what can be done with one of them.

    Parameters
    ----------
    state : SharedState
        Libraries and noise of the mocks that they are compared on; networks that are kept.
    on_choice : callable
        Called with the run that is chosen, and when it has another title.

    Attributes
    ----------
    runs : list of Run
        The shipped networks, then those that were trained here.
    run : Run or None
        The one that is chosen; None only where no network is shipped.
    comparison : Comparison or None
        Of the runs; None until they are measured.
    """

    parameter = param.Selector(
        default="log_age", objects={PARAMETER_NAMES[name]: name for name in PARAMETERS}
    )

    def __init__(self, state: SharedState, on_choice: Callable[[Run], None], **params: Any) -> None:
        super().__init__(**params)
        self.state = state
        self.runs = list(shipped_runs())
        self.run: Run | None = self.runs[0] if self.runs else None
        self.comparison: Comparison | None = None
        self._on_choice = on_choice
        self._n_trained = 0
        self._document = served_document()
        self._curves = hv.streams.Pipe(data=Curves(_NOTHING, published=False))
        self._caption = parts.caption("")
        self._legend = pn.pane.HTML("", **_WIDE)
        self._table = parts.note("")
        self._table.stylesheets = [*self._table.stylesheets, css("table-runs")]
        self._in_use = parts.note("")
        self._layout = parts.stack(
            self._compared(), self._actions(), self._in_use, self._table, parts.note(_NOTE)
        )
        state.param.watch(self._tell_in_use, "model")
        self._tell_in_use()
        self._work = Worker(self._show_busy, self._no_comparison)
        self.param.watch(self._draw_comparison, "parameter")
        self._show_run()
        self.compare()

    def __panel__(self) -> pn.Column:
        """Comparison, then the table of runs."""
        return self._layout

    def _compared(self) -> pn.Column:
        # Held open, and filled one by one when there is something to draw: five figures at once
        # would keep the losses above them waiting, and other visitors.
        self._cells = [parts.panel(None, "1.1") for _ in _SHOWN]
        choice = pn.widgets.RadioButtonGroup.from_param(
            self.param.parameter, margin=0, sizing_mode="stretch_width"
        )
        words = parts.stack(
            parts.label("Compared on held-out mocks"),
            choice,
            self._legend,
            self._caption,
            gap=10,
        )
        words.margin = (10, 0, 0, 0)
        return parts.grid(words, *self._cells, narrow=2)

    def _actions(self) -> pn.Row:
        self._chosen = pn.widgets.Select(label="Network", width=180, margin=0)
        self._chosen.param.watch(self._choose_run, "value")
        self._name = pn.widgets.TextInput(label="Its name", width=180, margin=0, max_length=40)
        self._name.param.watch(self._rename, "value")
        self._use = pn.widgets.Button(label="Use in the app", margin=0)
        self._use.on_click(lambda event: self.use())
        self._remove = pn.widgets.Button(label="Remove", margin=0)
        self._remove.on_click(lambda event: self.remove())
        self._download = Download(self._write, "network.zip")
        download = pn.Row(self._download, width=110, margin=0)
        row = (self._chosen, self._name, self._use, download, self._remove)
        for part in row:
            part.align = "end"
        return pn.Row(*row, margin=0, styles=_IN_LINE)

    def _tell_in_use(self, *events: Any) -> None:
        name = model_title(self.state.model)
        self._in_use.object = parts.note(
            f"In use: “{name}” answers on pages whose model is one without error bars."
        ).object

    # Runs.

    def add(self, model: Model) -> None:
        """Take a new model in, and choose it."""
        look = look_of(self._n_trained)
        self._n_trained += 1
        title = f"Network {self._n_trained}"
        self.run = Run(title, model.card | {"name": title}, look, model=model)
        self.runs.append(self.run)
        self.compare()
        self._show_run()

    def _choose_run(self, event: param.parameterized.Event) -> None:
        if event.new is not None and event.new is not self.run:
            self.run = event.new
            self._show_run()

    def _show_run(self) -> None:
        """Show what can be done with the chosen run."""
        run = self.run
        self._chosen.param.update(options={r.title: r for r in self.runs}, value=run)
        own = run is not None and not run.shipped
        self._name.param.update(value=run.title if run else "", disabled=not own)
        self._remove.disabled = not own
        self._use.disabled = run is None
        if run:
            self._download.filename = f"{_file_name(run.title)}.zip"
            self._on_choice(run)
        self._show_table()

    def _show_table(self) -> None:
        table = runs_table(self.runs, self.comparison)
        formats = {name: "{:.3f}" for name in table.columns if name.startswith("σ")}
        colours = {run.title: run.look.colour for run in self.runs}
        self._table.object = parts.metric_table(table, formats=formats, colours=colours).object

    def _rename(self, event: param.parameterized.Event) -> None:
        run, title = self.run, event.new.strip()
        if run is None or run.shipped or title == run.title:
            return
        if not title or title in [other.title for other in self.runs]:
            self._name.value = run.title
            return
        run.title = title
        self._show_run()
        self._draw_comparison()

    def use(self) -> str:
        """Make the chosen run the app's model; its name there is returned."""
        run = self.run
        if run.model and not run.kept:
            run.kept = cache.keep_model(run.title, run.model)
            self.state.kept = [*self.state.kept, run.kept]
        self.state.model = run.kept or run.shipped
        return self.state.model

    def remove(self) -> None:
        """Take the chosen run away, from the app as well."""
        run = self.run
        if run is None or run.shipped:
            return
        self.runs.remove(run)
        if run.kept:
            if self.state.model == run.kept:
                self.state.model = SharedState.param.model.default
            self.state.kept = [name for name in self.state.kept if name != run.kept]
            cache.forget_model(run.kept)
        self.run = self.runs[-1] if self.runs else None
        self.compare()
        self._show_run()

    def _write(self, file: BinaryIO) -> None:
        """Write the folder of the chosen run as a zip archive."""
        run = self.run
        model = run.model or cache.model(run.shipped)
        with tempfile.TemporaryDirectory(prefix="sspexplorer-") as name:
            folder = Path(name) / _file_name(run.title)
            model.save(folder)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(folder.iterdir()):
                    archive.write(path, f"{folder.name}/{path.name}")

    # Comparison.

    def compare(self) -> None:
        """Measure the runs on mocks of the libraries in use, under the noise in use."""
        runs, noise = tuple(self.runs), self.state.noise
        libraries = tuple(self.state.libraries)
        if runs:
            self._work.ask(
                (runs, noise, libraries),
                lambda progress: Comparison.of(runs, noise, libraries),
                self._take_comparison,
            )

    def _take_comparison(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._draw_comparison()
        self._show_table()

    def _draw_comparison(self, *events: param.parameterized.Event) -> None:
        if not self.comparison:
            return
        curves = Curves(
            self.comparison.curves,
            parameters=(self.parameter,),
            looks={run.title: run.look for run in self.comparison.runs},
            published=False,
            noise=self.state.noise,
        )
        self._curves.send(curves)
        self._fill_next()
        self._legend.object = legend_html(curves)
        self._caption.object = parts.caption(self.comparison.caption(self.parameter)).object

    def _fill_next(self) -> None:
        """Draw the first figure that is not there yet, then the next one."""
        empty = [place for place, cell in enumerate(self._cells) if not len(cell)]
        if not empty:
            return
        metric = _SHOWN[empty[0]]
        figure = metric_curves(self._curves, metrics=[metric])[metric]
        self._cells[empty[0]].append(parts.figure(figure))
        if self._document:
            self._document.add_next_tick_callback(self._fill_next)
        else:
            self._fill_next()

    def _show_busy(self, busy: bool) -> None:
        # Words are exchanged, not hidden: text that was hidden from the start cannot be shown.
        if busy:
            self._caption.object = parts.caption(_MEASURING).object

    def _no_comparison(self, error: Exception) -> None:
        self._caption.object = parts.problem(sentence_of(error)).object


def _file_name(title: str) -> str:
    """Title of a run, as a name of a file."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in title.lower()) or "network"
