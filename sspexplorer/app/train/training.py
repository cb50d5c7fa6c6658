"""Train a network: choose how, watch it learn, stop it, compare it, and use it in the app."""

import asyncio
from html import escape
from typing import Any, ClassVar

import holoviews as hv
import panel as pn
import param

from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.page import Page
from sspexplorer.app.state import SharedState
from sspexplorer.app.train.choices import BEYOND, CUSTOM, LEARNING_RATES, Choices
from sspexplorer.app.train.runs import (
    PACE,
    RECIPE_TITLES,
    RECIPE_WORDS,
    Comparison,
    Run,
    duration,
    loss_caption,
    shipped_runs,
)
from sspexplorer.app.train.shelf import RunShelf
from sspexplorer.jobs.process import Task
from sspexplorer.jobs.queue import DONE, FAILED, QUEUE, WAITING, Training
from sspexplorer.labels import PARAMETER_NAMES
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.style import NEUTRAL
from sspexplorer.plots.training import Losses, loss_curves

_LOOK_EVERY = 250  # ms
_LOSS_LEGEND = (
    ("stroke-dasharray='7 4'", "training mocks"),
    ("", "validation mocks, of other SSPs"),
    ("ring", "least loss: these weights are kept"),
)


class TrainANetwork(Choices, Page):
    """Trains networks, beside the server and one at a time, and compares them.

    Parameters
    ----------
    state : SharedState, optional
        Libraries and noise to train with, and networks that are kept; a fresh one unless given.

    Attributes
    ----------
    training : Training or None
        What waits or runs.
    shelf : RunShelf
        The networks that were trained here, and the shipped ones.
    """

    SIDEBAR = ("libraries",)
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
        super().__init__(state, **params)
        self.param.watch(self._show_choices, list(Choices.param.values()))
        self.param.watch(lambda event: self._pass(self.shelf, event), "parameter")
        self.shelf.param.watch(lambda event: self._pass(self, event), "parameter")
        self.follow(self._show_choices, "libraries", "noise")
        self.follow(self.shelf.compare, "libraries", "noise")
        self._show_choices()
        if self._document and self._document.session_context:
            pn.state.on_session_destroyed(self._leave)

    @staticmethod
    def warm() -> None:
        """Measure the shipped networks."""
        Comparison.of(shipped_runs(), None, tuple(SharedState().libraries))

    # The parts of the page.

    def make(self) -> None:
        """Make what starts a training and what shows it, and the networks there are."""
        self.training: Training | None = None
        self._n_drawn = -1
        self._ticker: Any = None
        self._document = pn.state.curdoc
        self._losses = hv.streams.Pipe(data=Losses())
        self._loss_caption = parts.caption("")
        self.shelf = RunShelf(self.state, self._show_losses, parameter=self.parameter)
        self._recipe = pn.widgets.Select(
            label="Recipe",
            options={title: name for name, title in RECIPE_TITLES.items()},
            value=self.recipe_name,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._recipe.param.watch(self._take_recipe, "value")
        self._about_recipe = parts.note("")
        self._start = pn.widgets.Button(
            label="Start", color="primary", sizing_mode="stretch_width", margin=0
        )
        self._start.on_click(lambda event: self.stop() if self.training else self.start())
        self._estimate, self._trained_on = parts.note(""), parts.note("")
        self._status = parts.note("")
        self._bar = pn.indicators.Progress(
            value=0, max=100, sizing_mode="stretch_width", height=6, margin=0
        )
        # Hidden it keeps its place, so that nothing jumps when a training begins.
        self._progress = parts.stack(self._status, self._bar, gap=6)
        self._show_progress(False)

    def controls(self) -> list[parts.Part]:
        """What to train on what."""
        mocks = controls.select("Mocks to learn from", self.param.n_mocks)
        return [
            parts.stack(self._recipe, self._about_recipe, gap=4),
            controls.buttons("Network", self.param.network),
            controls.buttons("Batch size", self.param.batch_size),
            pn.widgets.FloatSlider.from_param(
                self.param.dropout, label="Dropout", format="0.00", margin=0
            ),
            parts.stack(mocks, self._trained_on, gap=4),
            pn.widgets.IntSlider.from_param(self.param.epochs, label="Epochs", margin=0),
            parts.stack(self._start, self._progress, self._estimate, gap=8),
        ]

    def more(self) -> list[parts.Part]:
        """What is seldom changed."""
        rates = {f"{rate:g}": rate for rate in LEARNING_RATES}
        switches = pn.widgets.CheckBoxGroup.from_param(
            self.param.beyond, options=BEYOND, margin=0, label=""
        )
        return [
            controls.select("Learning rate", self.param.learning_rate, options=rates),
            parts.stack(parts.label("Beyond the paper"), switches, gap=4),
            pn.widgets.IntInput.from_param(self.param.seed, label="Seed", margin=0),
        ]

    def picture(self) -> parts.Part:
        """Losses of the three networks."""
        return parts.stack(_loss_legend(), self._loss_grid(), self._loss_caption, gap=8)

    def below(self) -> list[parts.Part]:
        """All networks, compared."""
        return [self.shelf]

    def _loss_grid(self) -> pn.Column:
        figures = loss_curves(self._losses)
        cells = [parts.panel(figure, "0.92") for figure in figures.values()]
        return parts.grid(*cells, narrow=2)

    # What is chosen.

    def _take_recipe(self, event: param.parameterized.Event) -> None:
        if event.new not in (CUSTOM, self.recipe_name):
            self.take_recipe(event.new)

    def _show_choices(self, *events: param.parameterized.Event) -> None:
        """Name the recipe that is chosen, and say what and how long."""
        self._recipe.value = self.recipe_name
        self._about_recipe.object = parts.note(RECIPE_WORDS[self.recipe_name]).object
        libraries = self.state.libraries
        n_train = self.n_train(libraries)
        self._trained_on.object = parts.note(
            f"At random from the libraries of the sidebar, under {self.state.noise_words}; about "
            f"{n_train:,.0f} to learn from, the rest to validate. Whole SSPs are held out."
        ).object
        seconds = PACE.seconds(self._task(), n_train)
        if seconds is None:
            text = "How long it takes is known once it runs."
        else:
            source = "the last network trained here" if PACE.known else "the shipped networks"
            text = (
                f"Trains for about {duration(max(1, seconds))}, going by the pace of {source}; "
                "making mocks and measuring take ten seconds or more, all longer while the server "
                "is busy."
            )
        self._estimate.object = parts.note(text).object

    def _task(self) -> Task:
        noise = self.state.noise.to_dict() if self.state.noise else None
        return self.task(self.state.libraries, noise)

    @staticmethod
    def _pass(target: param.Parameterized, event: param.parameterized.Event) -> None:
        target.param.update(**{event.name: event.new})

    # Training.

    def start(self) -> None:
        """Train what is chosen, when it is its turn."""
        self.untell()
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
        with pn.io.hold(self._document, freeze=True):
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
        styles = self._progress.styles | {"opacity": "1" if shown else "0"}
        if styles != self._progress.styles:
            self._progress.styles = styles

    def _end(self, training: Training) -> None:
        self.training = None
        if self._ticker:
            self._ticker.stop()
            self._ticker = None
        self._start.label = "Start"
        self._show_progress(False)
        if training.state == DONE:
            PACE.learn(training.task, training.model.card, training.fraction)
            self.shelf.add(training.model)
        elif training.state == FAILED:
            self.tell(parts.problem(training.trouble))
        self._show_choices()
        if self.shelf.run:
            self._show_losses(self.shelf.run)

    def _show_losses(self, run: Run) -> None:
        """Show how a run was trained, unless a training is watched."""
        if not self.training:
            self._losses.send(run.losses)
            words = loss_caption(run.losses, run.title)
            self._loss_caption.object = parts.caption(words).object

    def _leave(self, context: Any) -> None:
        if self.training:
            QUEUE.leave(self.training)


_WIDE = {"sizing_mode": "stretch_width", "margin": 0}


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


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
