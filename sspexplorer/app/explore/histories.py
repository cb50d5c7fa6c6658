"""Mixed populations: what networks of single stellar populations make of composite ones."""

import io
from functools import partial
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.histories import (
    FAMILIES,
    FORMS,
    OWN,
    Answer,
    OwnHistory,
    Question,
    answer,
    members_of,
)
from sspexplorer.app import cache
from sspexplorer.app.choices import ANSWERED_BY, NETWORK, LibraryName
from sspexplorer.app.explore.history_words import (
    FORMATS,
    caption_text,
    likeness_text,
    mixture_note,
    row_colours,
    score_table,
)
from sspexplorer.app.explore.presets import MAX_EBV, metallicity_options
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.app.kit.work import sentence_of
from sspexplorer.app.state import SharedState
from sspexplorer.histories.tables import KINDS
from sspexplorer.labels import library_options, model_title
from sspexplorer.libraries import load_library
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.histories import (
    MAX_MEMBERS,
    MEMBER_COLOURS,
    Histories,
    TimeMark,
    evolution_picture,
    likeness_picture,
    rate_picture,
)
from sspexplorer.progress import Progress
from sspexplorer.shipped import compared_networks, posterior_names

_NOISE, _GYR = "Noise", "Age in Gyr"
_NOTHING = Histories(
    pd.DataFrame(
        columns=["member", "label", "time", *(f"{k}_{p}" for k in KINDS for p in PARAMETERS)]
    )
)
_OWN_NOTE = "The second burst lasts 1 Gyr; without it, the same history is drawn for comparison."

_PANEL_HEIGHT = "max(230px, 31vh)"
_SED_HEIGHT = "max(220px, 29vh)"
# The choice of a member is the legend of the picture as well.
_MEMBER_COLOURS = "".join(
    f".bk-btn-group > .bk-btn:nth-of-type({place}) {{ --colour: {colour}; }}\n"
    for place, colour in enumerate(MEMBER_COLOURS, start=1)
)


class MixedPopulations(Page):
    """Predictions for composite populations against time, beside the truth.

    Parameters
    ----------
    state : SharedState, optional
        Model, magnitude and noise; a fresh one unless given.

    Attributes
    ----------
    found : Answer or None
        What is drawn; None until it is known.
    """

    SIDEBAR = ("magnitude",)
    QUERY: ClassVar[dict[str, str]] = {
        "family": "family",
        "library": "library",
        "time": "time",
        "member": "member",
        "noisy": "noisy",
        "by": "by",
        "gyr": "gyr",
        "form": "form",
        "timescale": "timescale",
        "metallicity": "metals",
        "ebv": "ebv",
        "share": "share",
        "start": "start",
        "later_metallicity": "later-metals",
        "later_ebv": "later-ebv",
    }

    ASKS = tuple(name for name in QUERY if name not in ("time", "member", "gyr"))
    FOLLOWS = ("model", "magnitude", "noise")

    family = param.Selector(default="bursts", objects=FAMILIES, doc="What is mixed.")
    library = LibraryName(default="bc03", doc="Whose SSPs are mixed.")
    time = param.Number(default=5.0, bounds=(0.1, 14.0), step=0.1, doc="Time of the SED, Gyr.")
    member = param.Integer(default=1, bounds=(1, MAX_MEMBERS), doc="Whose SED is shown.")
    noisy = param.Boolean(default=False, doc="Whether the photometry has noise.")
    by = param.Selector(default=NETWORK, objects=ANSWERED_BY, doc="Whose answers are drawn.")
    gyr = param.Boolean(default=False, doc="Whether ages are shown in Gyr.")
    form = param.Selector(default="exponential", objects=FORMS, doc="Form of one's own history.")
    timescale = param.Number(
        default=3.0, bounds=(0.1, 14.0), step=0.1, doc="Duration of the burst, or τ, Gyr."
    )
    metallicity = param.Number(default=-0.4, bounds=(-3, 1), doc="[M/H], dex.")
    ebv = param.Number(default=0.0, bounds=(0, MAX_EBV), step=0.01, doc="E(B−V), mag.")
    share = param.Number(
        default=0.2, bounds=(0, 0.9), step=0.05, doc="Share of all mass in the second burst."
    )
    start = param.Number(
        default=8.0, bounds=(0.5, 13.0), step=0.1, doc="Start of the second burst, Gyr."
    )
    later_metallicity = param.Number(default=0.0, bounds=(-3, 1), doc="Of the second burst, dex.")
    later_ebv = param.Number(
        default=0.0, bounds=(0, MAX_EBV), step=0.01, doc="Of the second burst, mag."
    )

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self.param.watch(self._show_likeness, ["time", "member"])
        self.param.watch(self._change_axis, "gyr")

    def make(self) -> None:
        """Make widgets, pictures and words."""
        self.found: Answer | None = None
        self._filling = False
        self._make_widgets()
        self._histories = hv.streams.Pipe(data=_NOTHING)
        self._mark = TimeMark(self.time)
        self._seen = hv.streams.Pipe(data=None)
        self._panes = {name: parts.figure(self._evolution(name)) for name in PARAMETERS}
        self._caption, self._note = parts.caption(""), parts.note("")
        self._likeness_caption, self._table = parts.caption(""), parts.note("")
        self._caption.styles = {"min-height": "40px"}
        self._likeness_caption.styles = {"min-height": "60px"}
        self._busy = pn.indicators.LoadingSpinner(value=True, size=18, margin=0, visible=False)

    # What the page is made of.

    def _make_widgets(self) -> None:
        of = self.param
        self._form = pn.widgets.Select.from_param(of.form, label="Star formation")
        self._timescale = pn.widgets.FloatSlider.from_param(
            of.timescale, label="Duration or τ [Gyr]", format="0.0"
        )
        self._share = pn.widgets.FloatSlider.from_param(
            of.share, label="Mass in a second burst", format="0%"
        )
        self._start = pn.widgets.FloatSlider.from_param(
            of.start, label="Second burst at [Gyr]", format="0.0"
        )
        self._metals = {
            name: pn.widgets.Select(label=label)
            for name, label in (
                ("metallicity", "[M/H] [dex]"),
                ("later_metallicity", "[M/H] of the second burst [dex]"),
            )
        }
        for name, widget in self._metals.items():
            widget.param.watch(lambda event, name=name: self._take_metals(name, event), "value")
        self._dust = [
            pn.widgets.FloatSlider.from_param(of.ebv, label="E(B−V) [mag]"),
            pn.widgets.FloatSlider.from_param(
                of.later_ebv, label="E(B−V) of the second burst [mag]"
            ),
        ]
        # Unlike single checkboxes, those of a group answer to a click on their words, too.
        self._looks = pn.widgets.CheckBoxGroup(options=[_NOISE, _GYR], margin=0)
        self._looks.param.watch(self._take_looks, "value")
        self._time = pn.widgets.FloatSlider.from_param(
            of.time,
            label="Time since the beginning [Gyr]",
            format="0.0",
            sizing_mode="stretch_width",
        )
        self._legend = pn.widgets.RadioButtonGroup(
            options=self._members, value=1, stylesheets=[css("legend"), _MEMBER_COLOURS], margin=0
        )
        self._legend.param.watch(self._take_member, "value")
        self._download = pn.widgets.FileDownload(
            callback=self._csv,
            filename="mixed_populations.csv",
            label="Download these curves (CSV)",
        )

    def controls(self) -> list[parts.Part]:
        """What is mixed, who predicts it, and one's own history."""
        own = [self._form, self._timescale, self._share]
        self._own = parts.stack(*own)
        for widget in (*own, self._start, *self._dust, *self._metals.values()):
            widget.sizing_mode = "stretch_width"
        self._form.description = None  # the label says it all
        libraries = library_options(self.state.library_choices)
        return [
            controls.select("History", self.param.family),
            ModelChoice(self, self.param.by),
            controls.select("SSPs of", self.param.library, options=libraries),
            self._own,
        ]

    def more(self) -> list[parts.Part]:
        """Looks, the rest of one's own history, and the numbers to take along."""
        self._own_more = parts.stack(
            self._metals["metallicity"],
            self._dust[0],
            self._start,
            self._metals["later_metallicity"],
            self._dust[1],
            parts.note(_OWN_NOTE),
        )
        return [self._looks, self._own_more, self._download]

    def picture(self) -> parts.Part:
        """Three parameters against time; the rate below the first, the SED below the others."""
        legend = pn.Row(
            self._legend, self._busy, sizing_mode="stretch_width", margin=0, styles={"gap": "10px"}
        )
        words = parts.stack(self._caption, self._time, gap=6)
        words.styles = words.styles | {"grid-column": "1 / -1"}
        rate = parts.figure(rate_picture(self._histories, self._mark))
        sed = parts.picture_pane(parts.figure(likeness_picture(self._seen)), height=_SED_HEIGHT)
        sed.styles = sed.styles | {"grid-column": "span 2"}
        grid = pn.Column(
            *(parts.picture_pane(pane, height=_PANEL_HEIGHT) for pane in self._panes.values()),
            words,
            parts.picture_pane(rate, height=_SED_HEIGHT),
            sed,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[css("grid-histories")],
        )
        return parts.stack(legend, grid)

    def below(self) -> list[parts.Part]:
        """What the SED is like, and the numbers."""
        return [self._likeness_caption, self._table, self._note]

    def _evolution(self, name: str) -> hv.Overlay:
        tap = hv.streams.SingleTap(x=None, y=None)
        tap.add_subscriber(self.tapped)
        return evolution_picture(self._histories, name, self._mark, gyr=self.gyr, tap=tap)

    # Choices.

    @property
    def own(self) -> OwnHistory:
        """The visitor's own history, with the metallicities that the library has."""
        metals = load_library(self.library).metallicities
        nearest = {
            name: float(metals[np.argmin(np.abs(metals - getattr(self, name)))])
            for name in self._metals
        }
        others = ("form", "timescale", "ebv", "share", "start", "later_ebv")
        return OwnHistory(**nearest, **{name: getattr(self, name) for name in others})

    @property
    def _members(self) -> dict[str, int]:
        members = members_of(self.family, self.own)
        return {member.label: place for place, member in enumerate(members, start=1)}

    def question(self) -> tuple[Question, str]:
        """Put all choices together, and show in the widgets what can be chosen."""
        self._fill_widgets()
        return self.ask(), self.family

    def ask(self) -> Question:
        """What is to be predicted."""
        network = self.state.model
        drawn = network if self.by == NETWORK else self.by
        others = (*compared_networks(network), *posterior_names())
        return Question(
            members=members_of(self.family, self.own),
            library=self.library,
            models=(*dict.fromkeys((drawn, *others)),),
            magnitude=self.state.magnitude,
            noisy=self.noisy,
            noise=self.state.noise,
            noise_id=id(self.state.noise),
        )

    def tapped(self, x: float | None = None, y: float | None = None) -> None:
        """Choose the time at which a picture was clicked."""
        if x is not None:
            low, high = self.param.time.bounds
            time = round(float(np.clip(x, low, high)), 1)
            # Clicks come without the document's lock, which moving the mark needs.
            pn.state.execute(partial(self.param.update, time=time), schedule=True)

    def _take_metals(self, name: str, event: param.parameterized.Event) -> None:
        if not self._filling and event.new is not None:
            self.param.update(**{name: event.new})

    def _take_looks(self, event: param.parameterized.Event) -> None:
        if not self._filling:
            self.param.update(noisy=_NOISE in event.new, gyr=_GYR in event.new)

    def _take_member(self, event: param.parameterized.Event) -> None:
        if not self._filling and event.new:
            self.member = event.new

    def _fill_widgets(self) -> None:
        own = self.family == OWN
        self._filling = True
        self._own.visible = self._own_more.visible = own
        self._timescale.disabled = self.form == "constant"
        for widget in (self._start, self._metals["later_metallicity"], self._dust[1]):
            widget.disabled = not self.share
        options = metallicity_options(load_library(self.library))
        for name, widget in self._metals.items():
            widget.param.update(options=options, value=getattr(self.own, name))
        members = self._members
        self._legend.param.update(options=members, value=min(self.member, len(members)))
        chosen = [words for words, on in ((_NOISE, self.noisy), (_GYR, self.gyr)) if on]
        self._looks.value = chosen
        self._filling = False

    # Answers.

    def answer(self, question: tuple[Question, str], progress: Progress) -> Answer:
        """Predict the populations at all times."""
        return answer(question[0], cache.model)

    def show(self, question: tuple[Question, str], answer: Answer) -> None:
        """Draw the predictions beside the truth."""
        family, members = question[1], answer.question.members
        self.found = answer
        self._histories.send(Histories.of(members, answer.table))
        self._caption.object = parts.caption(caption_text(answer, family)).object
        self._note.object = parts.note(mixture_note(answer, family)).object
        faint = [member.label for member in members] if len(members) > 1 else []
        self._table.object = parts.metric_table(
            score_table(answer), formats=FORMATS, colours=row_colours(answer), faint=faint
        ).object
        self._show_likeness()

    def show_busy(self, busy: bool) -> None:
        """Turn a wheel beside the legend."""
        self._busy.visible = busy

    def fail(self, error: Exception) -> None:
        """Say over the picture, which stays, why there is no other."""
        self.worker.cancel()
        self.tell(parts.problem(sentence_of(error)))

    def _show_likeness(self, *events: Any) -> None:
        """Show the SED at the chosen time."""
        self._mark.move(self.time)
        if self.found is None:
            return
        # An answer may be older than the choice of a member.
        member = min(self.member, len(self.found.question.members))
        self._filling = True
        self._legend.value = member
        self._filling = False
        likeness = self.found.likeness(member, self.time)
        self._seen.send(likeness)
        text = likeness_text(self.found, likeness, self.time)
        self._likeness_caption.object = parts.caption(text).object

    def _change_axis(self, event: Any) -> None:
        self._fill_widgets()
        self._panes["log_age"].object = self._evolution("log_age")

    def _csv(self) -> io.StringIO:
        text = io.StringIO()
        if self.found is not None:
            frames = [
                table.assign(model=model_title(name), library=self.found.question.library)
                for name, table in self.found.tables.items()
            ]
            pd.concat(frames).to_csv(text, index=False)
        text.seek(0)
        return text
