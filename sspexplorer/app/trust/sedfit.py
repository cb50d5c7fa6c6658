"""SED fitting: the Bayesian fit of the networks' own test mocks, and where it breaks."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import density_table, medians_table
from sspexplorer.analysis.scores import chosen_magnitudes
from sspexplorer.app import cache
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.work import counting
from sspexplorer.app.once import Once
from sspexplorer.app.trust.density_words import FORMATS
from sspexplorer.errors import InputError
from sspexplorer.labels import PARAMETER_NAMES, library_label, listed, model_title, with_unit
from sspexplorer.libraries import LIBRARY_NAMES, in_order, whole_library_names
from sspexplorer.metrics import Summary, summary
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.plots.density import Compared, density_picture
from sspexplorer.plots.style import PARAMETER_COLOURS
from sspexplorer.progress import NO_PROGRESS, Progress
from sspexplorer.shipped import compared_networks, network_names

if TYPE_CHECKING:
    from sspexplorer.mocks import MockSample

MODELS = {"All libraries": "all", "The galaxy's own library": "own", "All but its own": "others"}
NUMBERS = {"100 of each magnitude": 100, "300 of each": 300, "1000 of each": 1000}

FIT = "SED fit"
FIT_WITHOUT = "SED fit, SSP left out"
_PUBLISHED = "CIGALE in the paper"
# Domínguez Sánchez et al. (2026), Sect. 5.1, with the digits that are printed there.
PUBLISHED = {
    "log_age": {"bias": "0.14", "sigma_nmad": "0.30", "outlier_fraction": "40%"},
    "metallicity": {"bias": "0.22", "sigma_nmad": "0.40", "outlier_fraction": "56%"},
    "ebv": {"bias": "−0.02", "sigma_nmad": "0.06", "outlier_fraction": "4%"},
}
_NOTE = (
    "CIGALE in the paper: Domínguez Sánchez et al. (2026), Sect. 5.1, mocks of CB19 at i ≈ 17 "
    "fitted with CB19. CIGALE adds 10 % to all errors unless told otherwise (Boquien et al. 2019); "
    "the paper does not say whether it was told. “SSP left out”: every SSP that mocks are made of "
    "is taken out of the grid. Times were taken on this machine while it made this answer, and "
    "whatever else it did then."
)
_COLUMNS = ("bias", "sigma_nmad", "outlier_fraction", "pearson", "rmse", "n", "time")
_TITLES = dict(zip(_COLUMNS, (*FORMATS, "per galaxy"), strict=True))
BUSY = "Fitting"


@dataclass(frozen=True)
class Question:
    """What is to be fitted with what; ``added`` are libraries of the grid that do not ship."""

    compared: tuple[str, ...]
    libraries: tuple[str, ...]
    magnitudes: tuple[float, ...]
    models: str
    floor: float
    per_magnitude: int
    added: tuple[str, ...] = ()


@dataclass(frozen=True)
class Method:
    """What one method says of the mocks, and its time for one of them in seconds."""

    table: pd.DataFrame
    seconds: float

    def summaries(self) -> dict[str, Summary]:
        """Metrics of each parameter."""
        return {
            name: summary(self.table[f"pred_{name}"].to_numpy(), self.table[name].to_numpy())
            for name in PARAMETERS
        }


def answer(question: Question, progress: Progress = NO_PROGRESS) -> dict[str, Method]:
    """Fit the mocks, and let the networks predict the very same."""
    sample = cache.fit_sample(question.per_magnitude, question.libraries)
    chosen = sample.labels["library"].isin(question.libraries)
    chosen &= sample.labels["magnitude"].isin(question.magnitudes)
    mocks = sample.rows(chosen.to_numpy())
    if not len(mocks):
        raise InputError("No mocks are that bright. Move the magnitude in the sidebar.")
    counted = counting(progress, BUSY, len(mocks))
    # No SSP of a mock is in another library, so there is nothing to leave out of the others.
    titles = [FIT] if question.models == "others" else [FIT, FIT_WITHOUT]
    methods = {}
    for done, title in enumerate(titles):
        part = counted.part(done / len(titles), 1 / len(titles))
        methods[title] = _fit(question, mocks, title == FIT, part)
    for name in question.compared:
        model = cache.model(name)
        begun = time.perf_counter()
        predicted = model.predict(mocks.flux)
        seconds = time.perf_counter() - begun
        title = model_title(name)
        methods[title] = Method(density_table(mocks.labels, predicted), seconds / len(mocks))
    return methods


def _fit(question: Question, mocks: "MockSample", itself: bool, progress: Progress) -> Method:
    from sspexplorer.sedfit import MEAN_COLUMNS, fit_mocks

    grid = cache.fit_grid(question.added)
    begun = time.perf_counter()
    fitted = fit_mocks(
        grid,
        mocks,
        models=question.models,
        itself=itself,
        floor=question.floor,
        progress=progress,
    )
    seconds = time.perf_counter() - begun
    means = fitted[list(MEAN_COLUMNS)].to_numpy()
    return Method(density_table(mocks.labels, means), seconds / len(mocks))


def opening_question() -> Question:
    """What the page asks before anybody changed anything."""
    return Question(
        compared=compared_networks(network_names()[0]),
        libraries=LIBRARY_NAMES,
        magnitudes=MAGNITUDES,
        models="all",
        floor=0.0,
        per_magnitude=100,
    )


@Once
def opening_answer() -> dict[str, Method]:
    """Answer to :func:`opening_question`, once per server; who comes early waits for it."""
    return answer(opening_question())


class ModelSource(param.String):
    """A value of :data:`MODELS`, or the name of a library."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val not in (*MODELS.values(), *whole_library_names()):
            raise ValueError(f"There are no models of {val!r}.")


class SEDFitting(Page):
    """The Bayesian SED fit beside the networks, on the same mocks under the same noise.

    Parameters
    ----------
    state : SharedState, optional
        Model, libraries and magnitude; a fresh one unless given.

    Attributes
    ----------
    methods : dict
        {title: Method} of what is shown.
    asked : Question or None
        What it answers.
    """

    SIDEBAR = ("libraries", "magnitude")
    QUERY: ClassVar[dict[str, str]] = {
        "models": "grid",
        "floor": "floor",
        "magnitudes": "of",
        "shown": "shown",
    }
    ASKS = ("models", "floor", "magnitudes", "per_magnitude")
    FOLLOWS = ("model", "libraries", "magnitude")
    BUSY = BUSY

    models = ModelSource(default="all", doc="Whose models the mocks are fitted with.")
    floor = param.Number(default=0.0, bounds=(0, 10), step=0.5, doc="Added error, %.")
    magnitudes = param.Selector(default="all", objects=controls.MAGNITUDE_CHOICES)
    shown = param.String(default=FIT, doc="Which method is in the pictures.")
    per_magnitude = param.Selector(default=100, objects=NUMBERS)

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        opening_answer()

    def make(self) -> None:
        """Make pictures and words."""
        self.methods: dict[str, Method] = {}
        self.asked: Question | None = None
        self._magnitude_note, self._caption = parts.note(""), parts.caption("")
        self._table = parts.note("")
        names = compared_networks(self.state.model)
        titles = [FIT, FIT_WITHOUT, *(model_title(name) for name in names)]
        self._show = pn.widgets.RadioButtonGroup(options=titles, value=FIT, margin=0)
        self._show.link(self, value="shown")
        self._pipe = hv.streams.Pipe(data=Compared(_NOTHING))
        self.param.watch(self._draw, "shown")

    def controls(self) -> list[parts.Part]:
        """Which models, which errors and which mocks."""
        return [
            ModelChoice(self),
            controls.select("Fitted with models of", self.param.models, options=self._sources()),
            pn.widgets.FloatSlider.from_param(
                self.param.floor, label="Added error [%]", format="0.0"
            ),
            controls.buttons("Magnitudes", self.param.magnitudes, self._magnitude_note),
        ]

    def more(self) -> list[parts.Part]:
        """How many mocks."""
        return [controls.select("Mocks", self.param.per_magnitude)]

    def picture(self) -> parts.Part:
        """Predicted against true of one method."""
        panels = [
            parts.panel(density_picture(self._pipe, name), shape="0.88") for name in PARAMETERS
        ]
        return parts.stack(self._show, parts.grid(*panels, narrow=2), self._caption)

    def below(self) -> list[parts.Part]:
        """Metrics of all methods."""
        return [self._table, parts.note(_NOTE)]

    def lay_out(self) -> pn.Column:
        """Progress, and a way to cancel, over the page."""
        return pn.Column(self.worker, super().lay_out(), sizing_mode="stretch_width", margin=0)

    def _sources(self) -> dict[str, str]:
        names = dict.fromkeys((*self.state.library_choices, *self.state.libraries))
        return MODELS | {f"{library_label(name)} alone": name for name in names}

    def question(self) -> Question:
        """Put all choices together."""
        chosen, sentence = chosen_magnitudes(self.magnitudes, self.state.magnitude, MAGNITUDES)
        self._magnitude_note.object = parts.note(sentence).object
        of_models = [] if self.models in MODELS.values() else [self.models]
        return Question(
            compared=compared_networks(self.state.model),
            libraries=tuple(self.state.libraries),
            magnitudes=chosen,
            models=self.models,
            floor=self.floor / 100,
            per_magnitude=self.per_magnitude,
            added=tuple(in_order({*self.state.libraries, *of_models}.difference(LIBRARY_NAMES))),
        )

    def answer(self, question: Question, progress: Progress) -> dict[str, Method]:
        """Fit and predict, or recall what the page opens with."""
        if question == opening_question():
            return opening_answer()
        return answer(question, progress)

    def show(self, question: Question, answer: dict[str, Method]) -> None:
        """Offer the methods, draw the one that was chosen last, and compare all."""
        self.asked, self.methods = question, answer
        titles = list(answer)
        kept = self.shown if self.shown in titles else FIT
        self._show.param.update(options=titles, value=kept)
        self._draw()
        self._table.object = parts.metric_table(
            self.score_table(),
            formats=FORMATS,
            colours={with_unit(name): colour for name, colour in PARAMETER_COLOURS.items()},
            faint=[_PUBLISHED],
        ).object
        self._caption.object = parts.caption(self._words()).object

    def show_busy(self, busy: bool) -> None:
        """The bar over the page says so already."""

    def _draw(self, *events: Any) -> None:
        if self.shown in self.methods:
            self._show.value = self.shown
            table = self.methods[self.shown].table
            medians = {name: medians_table(table, name) for name in PARAMETERS}
            self._pipe.send(Compared(table, medians))

    def score_table(self) -> pd.DataFrame:
        """Metrics of every method for each parameter, and the time for one galaxy."""
        found = {title: method.summaries() for title, method in self.methods.items()}
        names, rows = [], []
        for name in PARAMETERS:
            names.append(with_unit(name))
            rows.append(dict.fromkeys(_COLUMNS, ""))
            for title, method in self.methods.items():
                names.append(title)
                rows.append(found[title][name] | {"time": _time(method.seconds)})
            names.append(_PUBLISHED)
            rows.append(PUBLISHED[name])
        table = pd.DataFrame(rows, index=names, columns=list(_COLUMNS))
        return table.astype(object).rename(columns=_TITLES)

    def _words(self) -> str:
        methods = [title for title in (FIT, FIT_WITHOUT) if title in self.methods]
        methods.append(model_title(self.state.model))
        figures = []
        for title in methods:
            found = self.methods[title].summaries()
            scatter = ", ".join(f"{found[name]['sigma_nmad']:.2f}" for name in PARAMETERS)
            figures.append(f"{scatter} ({title})")
        names = listed([PARAMETER_NAMES[name] for name in PARAMETERS])
        n = len(self.methods[FIT].table)
        kind = self.asked.models if self.asked.models in _MEANING else "one"
        added = f" {_ADDED.format(self.asked.floor)}" if self.asked.floor else ""
        return f"σ\u00a0NMAD of {names}, {n:,} mocks: {'; '.join(figures)}.{added} {_MEANING[kind]}"


_NOTHING = density_table(
    pd.DataFrame(columns=["magnitude", "library", "ssp", *PARAMETERS]), np.empty((0, 3))
)
_ADDED = "{:.1%} is added to all errors: what the colours say below that is thrown away."
_MEANING = {
    "all": "With the true noise and the very SSP in the grid the fit is close to the "
    "limit: hardly any method has a smaller mean squared error. The networks never saw these "
    "SSPs, so their fair rival is the fit without them.",
    "own": "The library of the galaxy is known here, as it was to the paper's rival: a comfort "
    "that no real galaxy offers.",
    "others": "No mock has its own library in the grid, and no real galaxy has: the errors of the "
    "fit know the noise, and nothing of what is wrong with the models.",
    "one": "Mocks of the other libraries are fitted with models that are not theirs, as every "
    "real galaxy is.",
}


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2g} ms" if seconds >= 1e-4 else f"{seconds * 1e6:.2g} µs"
