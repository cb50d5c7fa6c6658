"""One library or all: how networks do on libraries that they were not trained on."""

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.held_out import density_table, medians_table
from sspexplorer.analysis.scores import chosen_magnitudes
from sspexplorer.app import cache
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.work import Worker
from sspexplorer.errors import InputError
from sspexplorer.labels import LIBRARY_LABELS, PARAMETER_NAMES, PARAMETER_UNITS, age_text
from sspexplorer.libraries import LIBRARY_NAMES, load_library
from sspexplorer.metrics import summary
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.plots.density import Compared, density_picture
from sspexplorer.plots.one_library import (
    METRIC_NAMES,
    TRAINED_LABELS,
    Crossed,
    cell_at,
    cross_table,
    crossed_picture,
    metric_text,
)
from sspexplorer.progress import Progress
from sspexplorer.shipped import network_names

MODELS = {name: f"default-{name}" for name in LIBRARY_NAMES} | {"all": "default", "paper": "paper"}
SSPS = {"All": "all", "Ages all libraries cover": "ages", "Ages and [M/H] all cover": "both"}

_NOTE = (
    "All networks: recipe default, the same number of training steps, 65 % of the SSPs of their "
    "libraries; the last row is the paper's recipe. All are tested on the same mocks, of SSPs that "
    "none was trained on. The paper trains on all its libraries only."
)
_ROUNDING = 1e-3  # dex
_NO_MOCKS = density_table(
    pd.DataFrame(columns=["magnitude", "library", "ssp", *PARAMETERS]), np.empty((0, 3))
)


@dataclass(frozen=True)
class Question:
    """Which mocks to test on: libraries, magnitudes, and a key of :data:`SSPS`."""

    libraries: tuple[str, ...]
    magnitudes: tuple[float, ...]
    ssps: str

    def mask(self, table: pd.DataFrame) -> np.ndarray:
        """Which rows of a ``density_table`` are meant; bool, shape (n,)."""
        mask = table["library"].isin(self.libraries) & table["magnitude"].isin(self.magnitudes)
        limited = {"all": (), "ages": ("log_age",), "both": ("log_age", "metallicity")}
        for name in limited[self.ssps]:
            low, high = common_range(name)
            # Libraries that round differently still share an end.
            mask &= table[name].between(low - _ROUNDING, high + _ROUNDING)
        return mask.to_numpy()


@dataclass(frozen=True, eq=False)
class Answer:
    """What came of it.

    Attributes
    ----------
    scores : DataFrame
        See :func:`~sspexplorer.plots.one_library.cross_table`.
    mask : ndarray of bool
        Which of the mocks of ``cache.all_libraries_table`` these are.
    words : str
        What to notice in the picture.
    """

    scores: pd.DataFrame
    mask: np.ndarray
    words: str


def common_range(name: str) -> tuple[float, float]:
    """Values of ``log_age`` or ``metallicity`` between which every library has SSPs."""
    values = [getattr(load_library(library), name) for library in LIBRARY_NAMES]
    return max(v.min() for v in values), min(v.max() for v in values)


class OneLibraryOrAll(Page):
    """Networks trained on each library and on all of them, tested on each.

    Parameters
    ----------
    state : SharedState, optional
        Libraries and magnitude; a fresh one unless given.

    Attributes
    ----------
    scores : DataFrame
        See :func:`~sspexplorer.plots.one_library.cross_table`.
    rows : DataFrame
        Mocks of the cell that is marked.
    """

    SIDEBAR = ("libraries", "magnitude")
    QUERY: ClassVar[dict[str, str]] = {
        "metric": "metric",
        "magnitudes": "magnitudes",
        "ssps": "ssps",
        "trained": "trained",
        "tested": "tested",
    }
    ASKS, FOLLOWS = ("magnitudes", "ssps"), ("libraries", "magnitude")
    BUSY = "Predicting the same mocks with each network …"

    metric = param.Selector(
        default="sigma_nmad", objects={title: key for key, title in METRIC_NAMES.items()}
    )
    magnitudes = param.Selector(default="all", objects=controls.MAGNITUDE_CHOICES)
    ssps = param.Selector(default="all", objects=SSPS)
    trained = param.Selector(default="emiles", objects=list(TRAINED_LABELS))
    tested = param.Selector(default="bc03", objects=list(LIBRARY_NAMES))

    @staticmethod
    def warm() -> None:
        """Make what the page opens with."""
        for name in _available().values():
            cache.all_libraries_table(name)

    def tapped(self, x: float | None = None, y: float | None = None) -> None:
        """Mark the cell that was clicked, and show what is behind it."""
        cell = cell_at(x, y)
        if cell:
            # Clicks come without the document's lock, which moving the mark needs.
            choose = partial(self.param.update, trained=cell[0], tested=cell[1])
            pn.state.execute(choose, schedule=True)

    def make(self) -> None:
        """Make pictures and words."""
        self.scores = cross_table({})
        self.rows = _NO_MOCKS
        self._answer: Answer | None = None
        self._crossed = hv.streams.Pipe(data=Crossed(self.scores))
        self._compared = hv.streams.Pipe(data=Compared(_NO_MOCKS))
        self._cell_worker = Worker(on_trouble=self.fail)
        self._magnitude_note, self._ssps_note = parts.note(""), parts.note("")
        self._caption = parts.caption("")
        self._cell_title, self._cell_caption = parts.label(""), parts.caption("")
        self.param.watch(self._send, "metric")
        self.param.watch(self._update_cell, ["trained", "tested"])

    def controls(self) -> list[parts.Part]:
        """Which metric, of which mocks."""
        ssps = controls.select("SSPs tested on", self.param.ssps)
        train = pn.widgets.Button(label="Train one of your own")
        train.on_click(lambda event: self.state.go("training"))
        return [
            controls.select("Metric", self.param.metric),
            controls.buttons("Magnitudes", self.param.magnitudes, self._magnitude_note),
            parts.stack(ssps, self._ssps_note, gap=6),
            parts.stack(train, self.busy, gap=6),
        ]

    def picture(self) -> parts.Part:
        """A table for each parameter, and what is behind the marked cell."""
        tables = [self._table(name) for name in PARAMETERS]
        densities = [
            parts.panel(density_picture(self._compared, name), shape="0.88") for name in PARAMETERS
        ]
        return parts.stack(
            parts.grid(*tables, narrow=2),
            self._caption,
            self._cell_title,
            parts.grid(*densities, narrow=2),
            self._cell_caption,
        )

    def below(self) -> list[parts.Part]:
        """How the networks were trained."""
        return [parts.note(_NOTE)]

    def _table(self, name: str) -> pn.Column:
        tap = hv.streams.SingleTap(x=None, y=None)
        tap.add_subscriber(self.tapped)
        picture = crossed_picture(self._crossed, name, tap)
        return parts.picture_pane(pn.pane.HoloViews(picture, linked_axes=False), height="330px")

    def question(self) -> Question:
        """Which mocks."""
        magnitudes, sentence = chosen_magnitudes(self.magnitudes, self.state.magnitude, MAGNITUDES)
        self._magnitude_note.object = parts.note(sentence).object
        self._ssps_note.object = parts.note(_ssps_words(self.ssps)).object
        return Question(tuple(self.state.libraries), magnitudes, self.ssps)

    def answer(self, question: Question, progress: Progress) -> Answer:
        """Measure every network on them."""
        return _measured(question)

    def show(self, question: Question, answer: Answer) -> None:
        """Fill the tables, then the pictures of the marked cell."""
        self._answer, self.scores = answer, answer.scores
        self._caption.object = parts.caption(answer.words).object
        self._cell_worker.cancel()
        self._update_cell()

    def _send(self, *events: Any) -> None:
        """Bring the tables up to date."""
        self._crossed.send(Crossed(self.scores, self.metric, (self.trained, self.tested)))

    def _update_cell(self, *events: Any) -> None:
        if self._answer is None:
            return
        self._send()
        cell, mask = (self.trained, self.tested), self._answer.mask
        self._cell_worker.ask(
            (cell, id(mask)), lambda progress: _behind(cell, mask), self._draw_cell
        )

    def _draw_cell(self, compared: Compared) -> None:
        self.rows = compared.mocks
        self._compared.send(compared)
        on = (
            "all, by the paper's recipe"
            if self.trained == "paper"
            else TRAINED_LABELS[self.trained]
        )
        title = f"Trained on {on}, tested on {LIBRARY_LABELS[self.tested]}"
        self._cell_title.object = parts.label(title).object
        self._cell_caption.object = parts.caption(_cell_words(compared.mocks)).object


def _available() -> dict[str, str]:
    """Models that are there, by what they were trained on."""
    shipped = network_names()
    return {trained: name for trained, name in MODELS.items() if name in shipped}


def _measured(question: Question) -> Answer:
    tables = {trained: cache.all_libraries_table(name) for trained, name in _available().items()}
    mask = question.mask(next(iter(tables.values())))
    if not mask.any():
        raise InputError(
            "No mocks are that bright. Move the magnitude in the sidebar, or choose All."
        )
    chosen = {trained: table[mask] for trained, table in tables.items()}
    scores = cross_table(chosen)
    return Answer(scores, mask, caption_text(scores, chosen))


def _behind(cell: tuple[str, str], mask: np.ndarray) -> Compared:
    """Mocks and medians of one cell."""
    trained, tested = cell
    table = cache.all_libraries_table(MODELS[trained])
    rows = table[mask & (table["library"] == tested).to_numpy()]
    if not len(rows):
        return Compared(rows)
    return Compared(rows, {name: medians_table(rows, name) for name in PARAMETERS})


def _ssps_words(ssps: str) -> str:
    ages = " to ".join(age_text(value) for value in common_range("log_age"))
    metals = " to ".join(f"{value:+.2f}" for value in common_range("metallicity"))
    return {
        "all": f"Only {ages} is covered by all libraries.",
        "ages": f"SSPs of {ages}.",
        "both": f"SSPs of {ages} and [M/H] {metals}.".replace("-", "−"),
    }[ssps]


def caption_text(scores: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> str:
    """What to notice: at home, abroad, with all, and below the youngest age of a library."""
    ages = scores[scores["parameter"] == "log_age"].set_index(["trained", "tested"])["sigma_nmad"]
    single = [name for name in LIBRARY_NAMES if name in tables]
    tested = [name for name in LIBRARY_NAMES if name in scores["tested"].to_numpy()]
    groups = {
        "on their own library": [(name, name) for name in single if name in tested],
        "on the others": [(a, b) for a in single for b in tested if a != b],
        "with all in the training": [("all", b) for b in tested],
    }
    found = {
        words: [ages[cell] for cell in cells if cell in ages.index]
        for words, cells in groups.items()
    }
    spans = [f"{_span(values)} {words}" for words, values in found.items() if values]
    sentences = [f"σ\u00a0NMAD of log age: {', '.join(spans)} (dex)."]
    sentences += _young_words(tables)
    sentences.append("Click a cell to see what is behind it.")
    return " ".join(sentences)


def _span(values: list[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _young_words(tables: dict[str, pd.DataFrame]) -> list[str]:
    """How a network fares with SSPs younger than any it was trained on."""
    youngest = {name: load_library(name).log_age.min() for name in LIBRARY_NAMES}
    late = max(youngest, key=youngest.get)
    if late not in tables:
        return []
    rows = tables[late]
    rows = rows[(rows["library"] != late).to_numpy()]
    young = rows["log_age"] < youngest[late] - _ROUNDING
    if not young.any() or young.all():
        return []
    bias = {}
    for key, group in {"young": rows[young], "old": rows[~young]}.items():
        value = summary(group["pred_log_age"].to_numpy(), group["log_age"].to_numpy())["bias"]
        bias[key] = f"{value:+.2f}".replace("-", "−")
    return [
        f"{LIBRARY_LABELS[late]} begins at {age_text(youngest[late])}: the ages that its network "
        f"gives to SSPs of other libraries are off by {bias['young']} dex in the median where "
        f"those are younger, by {bias['old']} dex where not."
    ]


def _cell_words(rows: pd.DataFrame) -> str:
    if not len(rows):
        return "There are no such mocks: the library is not in use, or nothing of it is left."
    words = []
    for name in PARAMETERS:
        found = summary(rows[f"pred_{name}"].to_numpy(), rows[name].to_numpy())
        bias, sigma = metric_text("bias", found["bias"]), metric_text("rmse", found["sigma_nmad"])
        words.append(f"{PARAMETER_NAMES[name]}: μ {bias}, σ {sigma} {PARAMETER_UNITS[name]}")
    return (
        f"{len(rows):,} mocks of unseen SSPs. {'; '.join(words)}. Circles are medians, bars "
        "quartiles."
    )
