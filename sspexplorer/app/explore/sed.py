"""SED explorer: how the 57 colours change with age, metallicity, dust, redshift and noise."""

import io
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import panel as pn
import param
from bokeh.models import BasicTickFormatter

from sspexplorer.app import cache
from sspexplorer.app.explore.answers import answers_html
from sspexplorer.app.explore.presets import (
    FIRST_SEDS,
    MAX_SEDS,
    PRESETS,
    SED,
    SEDList,
    preset_of,
)
from sspexplorer.app.explore.sed_editor import SEDEditor
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.corner import SEDPosterior
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.soon import Soon
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.errors import InputError
from sspexplorer.gas import IonisedGas
from sspexplorer.libraries import load_library
from sspexplorer.mocks import Observation, observe
from sspexplorer.nebular import LOG_U_RANGE, MAX_NEBULAR_LOG_AGE
from sspexplorer.networks.prediction import noise_scatter
from sspexplorer.plots.live import LivePicture
from sspexplorer.plots.sed import (
    SED_COLOURS,
    most_alike,
    photometry_table,
    sed_picture,
)

_OWN = ""  # no preset: what the visitor chose
_NO_NOISE = "Without noise"
_LIGHT = "Points in the colour of their light"
_MAX_UNDO = 20

_PICTURE_HEIGHT = "max(330px, calc(100vh - 500px))"

# Each button in the colour of its SED.
_NUMBER_COLOURS = "".join(
    f".bk-btn-group > .bk-btn:nth-of-type({i}) {{ --colour: {colour}; }}\n"
    for i, colour in enumerate(SED_COLOURS, start=1)
)


def nebular_words(observations: Sequence[Observation]) -> str:
    """Say which of these SEDs ionise gas, and which are too old to."""
    old = [str(n) for n, o in enumerate(observations, 1) if o.log_age > MAX_NEBULAR_LOG_AGE + 1e-6]
    limit = f"{10**MAX_NEBULAR_LOG_AGE / 1e6:.0f} Myr"
    if len(old) == len(observations):
        return (
            f"Populations older than {limit} ionise no gas: nebular emission changes nothing here."
        )
    words = (
        "Dotted: lines of ionised gas that add at least 3 % to a band. Networks trained without "
        "gas do not know them."
    )
    if old:
        words += f" Older than {limit}, and so without ionised gas: {', '.join(old)}."
    return words


class SEDExplorer(Page):
    """SEDs side by side, with noise, and what the network says of them.

    Parameters
    ----------
    state : SharedState, optional
        Model, libraries and magnitude; a fresh one unless given.
    """

    SIDEBAR = ("libraries", "magnitude")
    # What a shared link carries.
    QUERY: ClassVar[dict[str, str]] = {
        "seds": "seds",
        "noisy": "noisy",
        "nebular": "nebular",
        "log_u": "log-u",
        "gas_dust": "gas-dust",
        "joint": "joint",
    }

    seds = SEDList(default=FIRST_SEDS, doc="SEDs in the picture.")
    noisy = param.Boolean(default=True, doc="Whether the points are drawn with noise.")
    nebular = param.Boolean(default=False, doc="Whether gas around young stars shines.")
    log_u = param.Number(
        default=-2.5, bounds=LOG_U_RANGE, step=0.1, doc="Ionisation parameter of the gas."
    )
    gas_dust = param.Number(
        default=round(1 / 0.44, 2),
        bounds=(0.0, 4.0),
        step=0.01,
        doc="E(B−V) of the gas over that of the stars.",
    )

    joint = param.Boolean(default=False, doc="Whether joint posteriors are drawn.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self.param.watch(self._take_seds, "seds")
        self.param.watch(self._take_noisy, "noisy")
        self.param.watch(self._show_joint, "joint")
        self.param.watch(self._changed, ["nebular", "log_u", "gas_dust"])
        self.follow(self._changed, "magnitude", "model", "noise")
        self.follow(self._fill_widgets, "libraries")

    def make(self) -> None:
        """Make widgets, pictures and words."""
        self._past: list[tuple] = []
        self._draw = 0
        self._filling = False
        self._make_widgets()
        self._model = ModelChoice(self)
        self._live = self._live_seds(self._observe())
        self._caption = parts.caption("")
        self._caption.styles = {"min-height": "60px"}
        self._answers = pn.pane.HTML(
            stylesheets=[css("answers")], sizing_mode="stretch_width", margin=0
        )
        self._predict()
        self._pane = pn.pane.HoloViews(self._live.picture, linked_axes=False)
        self._changed = Soon(self._refresh, self._pane)
        self._posterior: SEDPosterior | None = None
        self._joint_place = parts.stack()
        self._show_joint()
        self._fill_widgets()

    def _make_widgets(self) -> None:
        self._preset = pn.widgets.Select(
            label="Presets", options={"Your own choice": _OWN} | {name: name for name in PRESETS}
        )
        self._undo = pn.widgets.Button(
            label="↶",
            width=34,
            align="end",
            disabled=True,
            description="Undo: take back the last preset, copy or removal",
        )
        self._chosen = pn.widgets.RadioButtonGroup(
            options=list(range(1, len(self.seds) + 1)),
            value=1,
            stylesheets=[css("numbered"), _NUMBER_COLOURS],
        )
        self._add = pn.widgets.Button(label="+", width=30, description="Add a copy of this SED")
        self._remove = pn.widgets.Button(label="−", width=30, description="Remove this SED")
        self.editor = SEDEditor(self.state, self._take_edit)
        self._new_noise = pn.widgets.Button(label="New noise", sizing_mode="stretch_width")
        self._nebular = pn.widgets.Toggle.from_param(
            self.param.nebular, label="Nebular emission", sizing_mode="stretch_width"
        )
        self._joint = pn.widgets.Toggle.from_param(
            self.param.joint, label="Joint posterior", sizing_mode="stretch_width"
        )
        self._gas = [
            pn.widgets.FloatSlider.from_param(parameter, label=label, format=pattern)
            for parameter, label, pattern in (
                # Not "0.0", which writes a hyphen for minus.
                (self.param.log_u, "log U of the gas", BasicTickFormatter()),
                (self.param.gas_dust, "E(B−V) of gas / of stars", "0.00"),
            )
        ]
        # Unlike a single checkbox, those of a group answer to a click on their words, too.
        self._looks = pn.widgets.CheckBoxGroup(
            options=[_NO_NOISE, _LIGHT], value=[] if self.noisy else [_NO_NOISE], margin=0
        )
        self._download = pn.widgets.FileDownload(
            callback=self._csv, filename="seds.csv", label="Download these SEDs (CSV)"
        )
        self._chosen.param.watch(self._fill_widgets, "value")
        self._chosen.param.watch(self._show_joint, "value")
        self._preset.param.watch(self._take_preset, "value")
        self._undo.on_click(self._take_back)
        self._add.on_click(self._add_sed)
        self._remove.on_click(self._remove_sed)
        self._new_noise.on_click(self._redraw_noise)
        self._looks.param.watch(self._take_looks, "value")

    def controls(self) -> list[parts.Part]:
        """Presets, the SEDs, and what can be changed of one of them."""
        self._preset.sizing_mode = "stretch_width"
        close = {"gap": "6px"}
        presets = pn.Row(
            self._preset, self._undo, sizing_mode="stretch_width", margin=0, styles=close
        )
        seds = parts.stack(
            parts.label("SED to change"),
            pn.Row(self._chosen, self._add, self._remove, margin=0, styles=close),
            gap=6,
        )
        edit = self.editor
        return [presets, seds, edit.library, edit.age, edit.metallicity, edit.ebv]

    def more(self) -> list[parts.Part]:
        """Redshift, gas, and how the picture looks."""
        return [self.editor.redshift, *self._gas, self._looks, self._download]

    def picture(self) -> parts.Part:
        """All SEDs."""
        return parts.picture_pane(self._pane, height=_PICTURE_HEIGHT)

    def below(self) -> list[parts.Part]:
        """What to notice, what the network says, and the joint posterior."""
        switches = pn.Column(
            self._new_noise,
            self._nebular,
            self._joint,
            width=150,
            margin=0,
            styles={"gap": "6px"},
        )
        return [
            pn.Row(
                parts.stack(self._caption, self._model.beside(), gap=6),
                switches,
                sizing_mode="stretch_width",
                margin=0,
                stylesheets=[css("beside")],
                styles={"gap": "16px"},
            ),
            self._answers,
            parts.caption(
                "Upright tick: the truth. Dot: what the network says of the points above. Bars: "
                "68 and 95 % of its answers under 200 other draws of the noise; ± is half the "
                "68 %."
            ),
            self._joint_place,
        ]

    @property
    def _index(self) -> int:
        return self._chosen.value - 1

    def _observe(self) -> list[Observation]:
        gas = IonisedGas(self.log_u, self.gas_dust) if self.nebular else None
        seen = [
            observe(
                load_library(sed.library),
                sed.log_age,
                sed.metallicity,
                ebv=sed.ebv,
                redshift=sed.redshift,
                magnitude=self.state.magnitude,
                noise=self.state.noise_model,
                gas=gas,
                seed=(self._draw, number),
            )
            for number, sed in enumerate(self.seds)
        ]
        return seen if self.noisy else [replace(o, flux=o.noise_free) for o in seen]

    def _live_seds(self, observations: list[Observation]) -> LivePicture[list[Observation]]:
        light = _LIGHT in self._looks.value
        return LivePicture(observations, partial(sed_picture, light=light))

    def _predict(self) -> None:
        """Ask the network about the SEDs in sight, and show its answers beside the truth."""
        observations = self._live.data
        self._caption.object = parts.caption(self._words()).object
        try:
            model = cache.model(self.state.model)
        except InputError as error:
            self._answers.object = parts.problem(str(error)).object
            return
        predictions = model.predict(np.stack([o.flux for o in observations]))
        scatter = noise_scatter(
            model,
            np.stack([o.noise_free for o in observations]),
            self.state.magnitude,
            noise=self.state.noise_model,
        )
        self._answers.object = answers_html(observations, predictions, scatter)

    def _words(self) -> str:
        """Say what to notice: what the preset is for, and how like each other its SEDs are."""
        observations = self._live.data
        preset = PRESETS.get(preset_of(self.seds))
        words = [
            "Points: Fν in each band with its error. Lines: the spectra they come from.",
            preset.notice if preset else "",
            nebular_words(observations) if self.nebular else "",
        ]
        if len(observations) > 1:
            one, other, distance = most_alike(observations)
            words.append(
                f"The two most alike, {one} and {other}, differ by {distance:.2g} σ of the noise "
                f"per band at i = {self.state.magnitude:.1f}."
            )
        return " ".join(filter(None, words))

    def _refresh(self) -> None:
        self._live.show(self._observe())
        self._predict()
        self._show_joint()

    def _show_joint(self, *events: Any) -> None:
        """Draw the joint posterior of the chosen SED, if that is wanted."""
        if not self.joint:
            self._joint_place[:] = []
            self._posterior = None
            return
        if self._posterior is None:
            self._posterior = SEDPosterior()
            self._joint_place[:] = [self._posterior]
        number = min(self._chosen.value, len(self._live.data))
        self._posterior.show(number, self._live.data[number - 1])

    def _take_seds(self, *events: Any) -> None:
        """Show other SEDs, wherever they come from."""
        numbers = list(range(1, len(self.seds) + 1))
        if numbers != self._chosen.options:
            self._chosen.param.update(options=numbers, value=min(self._chosen.value, len(numbers)))
        self._fill_widgets()
        self._changed()

    def _take_edit(self, sed: SED) -> None:
        self.seds = (*self.seds[: self._index], sed, *self.seds[self._index + 1 :])

    def _take_preset(self, event: Any) -> None:
        if self._filling:
            return
        if event.new == _OWN:
            self._fill_widgets()
            return
        preset = PRESETS[event.new]
        self._remember()
        self.param.update(seds=preset.seds, noisy=preset.noisy, nebular=preset.nebular)

    def _remember(self) -> None:
        self._past = [*self._past[-_MAX_UNDO:], (self.seds, self.noisy, self.nebular)]
        self._undo.disabled = False

    def _take_back(self, event: Any) -> None:
        if self._past:
            seds, noisy, nebular = self._past.pop()
            self.param.update(seds=seds, noisy=noisy, nebular=nebular)
        self._undo.disabled = not self._past

    def _fill_widgets(self, *events: Any) -> None:
        """Show the chosen SED in the widgets."""
        self.editor.fill(self.seds[self._index])
        self._filling = True
        self._preset.value = preset_of(self.seds)
        self._filling = False
        self._add.disabled = len(self.seds) == MAX_SEDS
        self._remove.disabled = len(self.seds) == 1

    def _add_sed(self, event: Any) -> None:
        self._remember()
        self.seds = (*self.seds, self.seds[self._index])
        self._chosen.value = len(self.seds)

    def _remove_sed(self, event: Any) -> None:
        self._remember()
        self.seds = (*self.seds[: self._index], *self.seds[self._index + 1 :])

    def _redraw_noise(self, event: Any) -> None:
        self._draw += 1
        self._changed()

    def _take_looks(self, event: Any) -> None:
        if not self._filling:
            self.noisy = _NO_NOISE not in event.new
        if (_LIGHT in event.new) != (_LIGHT in event.old):
            self._live = self._live_seds(self._live.data)
            self._pane.object = self._live.picture

    def _take_noisy(self, event: Any) -> None:
        others = [name for name in self._looks.value if name != _NO_NOISE]
        self._filling = True
        self._looks.value = others if event.new else [_NO_NOISE, *others]
        self._filling = False
        self._new_noise.disabled = not event.new
        self._changed()

    def _csv(self) -> io.StringIO:
        text = io.StringIO()
        photometry_table(self._live.data).to_csv(text, index=False)
        text.seek(0)
        return text
