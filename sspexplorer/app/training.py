"""Train a network: choose how, watch it learn, stop it, compare it, and use it in the app."""

import asyncio
import tempfile
import zipfile
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import holoviews as hv
import pandas as pd
import panel as pn
import param

from sspexplorer.app import parts, shared
from sspexplorer.app.background import Background
from sspexplorer.app.download import Download
from sspexplorer.app.state import SharedState
from sspexplorer.app.training_choices import BEYOND, CUSTOM, LEARNING_RATES, Choices
from sspexplorer.app.training_queue import DONE, FAILED, QUEUE, WAITING, Training
from sspexplorer.app.training_runs import (
    PACE,
    RECIPE_TITLES,
    Comparison,
    Run,
    duration,
    look_of,
    loss_caption,
    runs_table,
    shipped_runs,
)
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks import Model
from sspexplorer.plots.magnitude import METRICS, Curves, legend_html, metric_curves
from sspexplorer.plots.style import NEUTRAL, PARAMETER_NAMES
from sspexplorer.plots.training import Losses, loss_curves

_LOOK_EVERY = 250  # ms
_OWN = "run"
_NOTE = (
    "σ is σ\u00a0NMAD on the mocks of the figures, all magnitudes together, in dex, dex and mag. "
    "Best epoch: whose weights are kept, for log age/[M/H]/E(B−V). ■ stopped early."
)
_LOSS_LEGEND = (
    ("stroke-dasharray='7 4'", "training mocks"),
    ("", "validation mocks, of other SSPs"),
    ("ring", "least loss: these weights are kept"),
)
_LOSS_GRID_CSS = """
:host { display: grid; gap: 8px 16px; grid-template-columns: repeat(3, minmax(0, 1fr)); }
.scroll-button { display: none; }
"""
_TABLE_CSS = """
:host { overflow-x: auto; }
th, td { padding-left: 6px; padding-right: 6px; }
th { white-space: nowrap; }
"""


class TrainANetwork(Choices, pn.viewable.Viewer):
    """Trains networks, beside the server and one at a time, and compares them.

    Parameters
    ----------
    state : SharedState, optional
        Libraries and noise to train with, and networks that are kept; a fresh one unless given.

    Attributes
    ----------
    runs : list of Run
        The shipped networks, then those that were trained here.
    run : Run
        The one whose losses are drawn.
    training : Training or None
        What waits or runs.
    comparison : Comparison or None
        Of the runs; None until they are measured.
    """

    QUERY: ClassVar[dict[str, str]] = {
        "network": "network",
        "batch_size": "batch",
        "dropout": "dropout",
        "n_mocks": "mocks",
        "epochs": "epochs",
        "learning_rate": "rate",
        "beyond": "beyond",
        "parameter": "parameter",
    }

    parameter = param.Selector(
        default="log_age", objects={PARAMETER_NAMES[name]: name for name in PARAMETERS}
    )

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self.runs = shipped_runs()
        self.run: Run | None = self.runs[0] if self.runs else None
        self.training: Training | None = None
        self.comparison: Comparison | None = None
        self._n_trained, self._n_drawn = 0, -1
        self._ticker: Any = None
        self._document = pn.state.curdoc
        self._losses = hv.streams.Pipe(data=self.run.losses if self.run else Losses())
        self._curves = hv.streams.Pipe(data=Curves(_NOTHING, published=False))
        self._make_parts()
        self._work = Background(self._show_busy, self._no_comparison)
        self.param.watch(self._show_choices, list(Choices.param.values()))
        self.param.watch(self._draw_comparison, "parameter")
        self.state.param.watch(self._follow_state, ["libraries", "noise"])
        self._show_choices()
        self._show_run()
        self._compare()
        if self._document and self._document.session_context:
            pn.state.on_session_destroyed(self._leave)

    @staticmethod
    def warm() -> None:
        """Measure the shipped networks."""
        Comparison.of(shipped_runs(), None, tuple(SharedState().libraries))

    def __panel__(self) -> pn.Row:
        """Choices beside the losses; comparison and table below."""
        return self._layout

    # The parts of the page.

    def _make_parts(self) -> None:
        self._recipe = pn.widgets.RadioButtonGroup(
            options={title: name for name, title in RECIPE_TITLES.items()},
            value=self.recipe_name,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._recipe.param.watch(self._take_recipe, "value")
        self._start = pn.widgets.Button(
            label="Start", color="primary", sizing_mode="stretch_width", margin=0
        )
        self._start.on_click(lambda event: self.stop() if self.training else self.start())
        self._estimate, self._trained_on = parts.note(""), parts.note("")
        self._status, self._trouble = parts.note(""), pn.Column(**_WIDE, visible=False)
        self._bar = pn.indicators.Progress(
            value=0, max=100, sizing_mode="stretch_width", height=6, margin=0
        )
        # Hidden it keeps its place, so that nothing jumps when a training begins.
        self._progress = parts.stack(self._bar, self._status, gap=4)
        self._progress.styles = self._progress.styles | {"visibility": "hidden"}
        self._loss_caption, self._caption = parts.caption(""), parts.caption("")
        self._legend = pn.pane.HTML("", sizing_mode="stretch_width", margin=0)
        self._busy = parts.caption("Measuring the networks on held-out mocks …")
        self._busy.visible = False
        self._table = parts.note("")
        self._table.stylesheets = [*self._table.stylesheets, _TABLE_CSS]
        self._layout = parts.page_layout(
            self._controls(),
            parts.stack(
                self._trouble, _loss_legend(), self._loss_grid(), self._loss_caption, gap=8
            ),
            more=self._more_controls(),
            below=[self._compared(), parts.stack(self._actions(), self._table, parts.note(_NOTE))],
        )

    def _controls(self) -> list[parts.Part]:
        dropout = pn.widgets.FloatSlider.from_param(
            self.param.dropout, label="Dropout", format="0.00", margin=0
        )
        epochs = pn.widgets.IntSlider.from_param(self.param.epochs, label="Epochs", margin=0)
        batch = _buttons("Batch size", self.param.batch_size)
        mocks = pn.widgets.Select.from_param(
            self.param.n_mocks, label="Mocks to learn from", margin=0
        )
        mocks.sizing_mode = "stretch_width"
        return [
            parts.stack(parts.label("Recipe"), self._recipe, gap=4),
            _buttons("Network", self.param.network),
            batch,
            dropout,
            parts.stack(mocks, self._trained_on, gap=4),
            epochs,
            parts.stack(self._start, self._progress, self._estimate, gap=8),
        ]

    def _more_controls(self) -> list[parts.Part]:
        rate = pn.widgets.Select.from_param(
            self.param.learning_rate,
            label="Learning rate",
            options={f"{rate:g}": rate for rate in LEARNING_RATES},
            margin=0,
        )
        seed = pn.widgets.IntInput.from_param(self.param.seed, label="Seed", margin=0)
        switches = pn.widgets.CheckBoxGroup.from_param(
            self.param.beyond, options=BEYOND, margin=0, label=""
        )
        return [rate, parts.stack(parts.label("Beyond the paper"), switches, gap=4), seed]

    def _loss_grid(self) -> pn.Column:
        figures = loss_curves(self._losses)
        cells = [_cell(figure, "0.92") for figure in figures.values()]
        return pn.Column(*cells, **_WIDE, stylesheets=[_LOSS_GRID_CSS])

    def _compared(self) -> pn.Column:
        figures = metric_curves(self._curves, metrics=(*METRICS, "r2"))
        cells = [_cell(figure, "1.1") for figure in figures.values()]
        choice = pn.widgets.RadioButtonGroup.from_param(self.param.parameter, margin=0, width=260)
        heading = parts.label("Compared on held-out mocks, by")
        heading.sizing_mode = "fixed"
        return parts.stack(
            pn.Row(heading, choice, margin=(14, 0, 0, 0), styles=_IN_LINE),
            self._legend,
            pn.Column(*cells, **_WIDE, stylesheets=[_LOSS_GRID_CSS]),
            pn.Column(self._busy, self._caption, **_WIDE, styles={"min-height": "40px"}),
            gap=8,
        )

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
        return pn.Row(*row, margin=0, styles=_AT_THE_BOTTOM)

    # What is chosen.

    def _take_recipe(self, event: param.parameterized.Event) -> None:
        if event.new not in (CUSTOM, self.recipe_name):
            self.take_recipe(event.new)

    def _show_choices(self, *events: param.parameterized.Event) -> None:
        """Name the recipe that is chosen, and say what and how long."""
        self._recipe.value = self.recipe_name
        libraries = self.state.libraries
        n_train = self.n_train(libraries)
        noise = "the noise you measured" if self.state.noise else "the default noise"
        self._trained_on.object = parts.note(
            f"At random from the libraries of the sidebar, under {noise}; about {n_train:,.0f} to "
            "learn from, the rest to validate. Whole SSPs are held out."
        ).object
        seconds = PACE.seconds(self._task(), n_train)
        if seconds is None:
            text = "How long it takes is known once it runs."
        else:
            source = "the last network trained here" if PACE.known else "the shipped networks"
            text = (
                f"Trains for about {duration(max(1, seconds))}, going by the pace of {source}; "
                "making mocks and measuring take some ten seconds more."
            )
        self._estimate.object = parts.note(text).object

    def _task(self) -> Any:
        noise = self.state.noise.to_dict() if self.state.noise else None
        return self.task(self.state.libraries, noise)

    def _follow_state(self, *events: param.parameterized.Event) -> None:
        self._show_choices()
        self._compare()

    # Training.

    def start(self) -> None:
        """Train what is chosen, when it is its turn."""
        self._trouble.visible = False
        self.training = Training(self._task())
        self._n_drawn = -1
        QUEUE.add(self.training)
        self._start.label = "Stop"
        self._show_status()
        if self._document or _loop_runs():
            self._ticker = pn.state.add_periodic_callback(self.look, _LOOK_EVERY)

    def stop(self) -> None:
        """End the training; the best weights so far are kept if it has begun."""
        if self.training.state == WAITING:
            QUEUE.leave(self.training)
        else:
            self.training.stop()
        self.look()

    def look(self) -> None:
        """Show how far the training is, or what came of it."""
        training = self.training
        if training is None:
            return
        with pn.io.hold(self._document):
            if training.ended:
                self._end(training)
                return
            self._show_status()
            if training.epoch > self._n_drawn and training.losses["validation"]:
                self._n_drawn = training.epoch
                losses = self._present_losses(training)
                self._losses.send(losses)
                self._loss_caption.object = parts.caption(loss_caption(losses, "So far")).object

    def _present_losses(self, training: Training) -> Losses:
        train, validation = (list(training.losses[name]) for name in ("train", "validation"))
        return Losses(train, validation, training.task.recipe.epochs)

    def _show_status(self) -> None:
        training = self.training
        if training.state == WAITING:
            ahead = QUEUE.place(training)
            text = (
                "Another visitor’s network is being trained; yours is next."
                if ahead <= 1
                else f"Others’ networks come first; yours is number {ahead} in the queue."
            )
        elif training.stopping:
            text = "Stopping; the best weights so far are kept …"
        elif training.stage == "Training" and training.seconds_left is not None:
            epochs = training.task.recipe.epochs
            left = duration(training.seconds_left)
            text = f"Epoch {min(training.epoch + 1, epochs)} of {epochs}, {left} left"
        else:
            text = f"{training.stage or 'Starting'} …"
        self._status.object = parts.note(text).object
        self._bar.value = int(100 * training.fraction)
        self._show_progress(True)

    def _show_progress(self, shown: bool) -> None:
        visibility = "visible" if shown else "hidden"
        if self._progress.styles["visibility"] != visibility:
            self._progress.styles = self._progress.styles | {"visibility": visibility}

    def _end(self, training: Training) -> None:
        self.training = None
        if self._ticker:
            self._ticker.stop()
            self._ticker = None
        self._start.label = "Start"
        self._show_progress(False)
        if training.state == DONE:
            PACE.learn(training.task, training.model.card)
            self._add(training.model)
        elif training.state == FAILED:
            self._trouble[:] = [parts.problem(training.trouble)]
            self._trouble.visible = True
        self._show_choices()
        self._show_run()

    def _leave(self, context: Any) -> None:
        if self.training:
            QUEUE.leave(self.training)

    # Runs.

    def _add(self, model: Model) -> None:
        look = look_of(self._n_trained)
        self._n_trained += 1
        title = f"Network {self._n_trained}"
        self.run = Run(title, model.card | {"name": title}, look, model=model)
        self.runs.append(self.run)
        self._compare()

    def _choose_run(self, event: param.parameterized.Event) -> None:
        if event.new is not None and event.new is not self.run:
            self.run = event.new
            self._show_run()

    def _show_run(self) -> None:
        """Losses of the chosen run, and what can be done with it."""
        run = self.run
        self._chosen.param.update(options={r.title: r for r in self.runs}, value=run)
        own = run is not None and not run.shipped
        self._name.param.update(value=run.title if run else "", disabled=not own)
        self._remove.disabled = not own
        self._download.disabled = run is None
        self._use.disabled = run is None
        if run:
            self._download.filename = f"{_file_name(run.title)}.zip"
            if not self.training:
                self._losses.send(run.losses)
                self._loss_caption.object = parts.caption(
                    loss_caption(run.losses, run.title)
                ).object
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
            run.kept = shared.keep_model(run.title, run.model)
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
            shared.forget_model(run.kept)
        self.run = self.runs[-1] if self.runs else None
        self._compare()
        self._show_run()

    def _write(self, file: BinaryIO) -> None:
        """Write the folder of the chosen run as a zip archive."""
        run = self.run
        model = run.model or shared.model(run.shipped)
        with tempfile.TemporaryDirectory(prefix="sspexplorer-") as name:
            folder = Path(name) / _file_name(run.title)
            model.save(folder)
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for path in sorted(folder.iterdir()):
                    archive.write(path, f"{folder.name}/{path.name}")

    # Comparison.

    def _compare(self) -> None:
        runs, noise = tuple(self.runs), self.state.noise
        libraries = tuple(self.state.libraries)
        if runs:
            self._work.ask(
                (runs, noise, libraries),
                partial(Comparison.of, runs, noise, libraries),
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
        self._legend.object = legend_html(curves)
        self._caption.object = parts.caption(self.comparison.caption(self.parameter)).object

    def _show_busy(self, busy: bool) -> None:
        self._busy.visible, self._caption.visible = busy, not busy

    def _no_comparison(self, sentence: str) -> None:
        self._trouble[:] = [parts.problem(sentence)]
        self._trouble.visible = True


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}
_IN_LINE = {"align-items": "center", "gap": "12px"}
_AT_THE_BOTTOM = {"align-items": "flex-end", "flex-wrap": "wrap", "gap": "10px"}
_NOTHING = pd.DataFrame(columns=["run", "parameter", "magnitude", *METRICS, "r2", "n"])


def _buttons(name: str, parameter: param.Parameter) -> pn.Column:
    buttons = pn.widgets.RadioButtonGroup.from_param(
        parameter, sizing_mode="stretch_width", margin=0
    )
    return parts.stack(parts.label(name), buttons, gap=4)


def _cell(figure: hv.DynamicMap, shape: str) -> pn.Column:
    pane = pn.pane.HoloViews(figure, linked_axes=False, sizing_mode="stretch_both", margin=0)
    return pn.Column(pane, **_WIDE, styles={"aspect-ratio": shape})


def _loss_legend() -> pn.pane.HTML:
    keys = []
    for kind, words in _LOSS_LEGEND:
        line = f'<path d="M0 6h26" {kind}/>'
        mark = '<circle cx="13" cy="6" r="4.5"/>' if kind == "ring" else line
        keys.append(
            '<span style="align-items:center;display:inline-flex;gap:6px;white-space:nowrap">'
            f'<svg width="26" height="12" fill="none" stroke="{NEUTRAL}" stroke-width="1.7">{mark}'
            f"</svg>{escape(words)}</span>"
        )
    style = "display:flex;flex-wrap:wrap;gap:4px 18px;font-size:12.5px"
    return pn.pane.HTML(f'<div style="{style}">{"".join(keys)}</div>', **_WIDE)


def _file_name(title: str) -> str:
    """Title of a run, as a name of a file."""
    return "".join(c if c.isalnum() or c in "-_" else "-" for c in title.lower()) or "network"


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
