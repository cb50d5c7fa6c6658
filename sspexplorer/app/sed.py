"""SED explorer: how the 57 colours change with age, metallicity, dust, redshift and noise."""

import io
from dataclasses import dataclass, replace
from typing import Any

import holoviews as hv
import numpy as np
import panel as pn

from sspexplorer.app import parts, shared
from sspexplorer.app.answers import ANSWERS_CSS, answers_html
from sspexplorer.app.state import SharedState
from sspexplorer.inference import noise_scatter
from sspexplorer.libraries import load_library
from sspexplorer.mocks import Observation, observe
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.plots.sed import (
    SED_COLOURS,
    age_text,
    photometry_table,
    sed_picture,
)
from sspexplorer.plots.style import LIBRARY_LABELS

MAX_SEDS = len(SED_COLOURS)
MAX_EBV = 0.8

_PICTURE_HEIGHT = "max(330px, calc(100vh - 500px))"

_CHIPS_CSS = """
.bk-btn-group { display: flex; gap: 6px; }
.bk-btn-group > .bk-btn {
  border-radius: 999px !important; flex: 0 0 30px; font-weight: 650; height: 30px; padding: 0;
}
""" + "".join(
    f".bk-btn-group > .bk-btn:nth-of-type({i}) "
    f"{{ border: 2px solid {colour} !important; color: {colour} !important; }}\n"
    f".bk-btn-group > .bk-btn.bk-active:nth-of-type({i}) "
    f"{{ background: {colour} !important; color: #ffffff !important; }}\n"
    for i, colour in enumerate(SED_COLOURS, start=1)
)

# A discrete slider indents its parts; the other sliders do not.
_FLUSH_CSS = ":host > * { margin: 0 !important; }"


@dataclass(frozen=True)
class SED:
    """What a visitor asked to see: an SSP behind dust at a redshift."""

    library: str
    log_age: float
    metallicity: float
    ebv: float = 0.0
    redshift: float = 0.0


# Old, middle-aged and young: the first picture shows what age does.
FIRST_SEDS = (
    SED("emiles", 10.0, 0.0),
    SED("bc03", 9.0, 0.0),
    SED("popstar", 7.3, 0.0),
)


class SEDExplorer(pn.viewable.Viewer):
    """SEDs side by side, with noise, and what the network says of them.

    Parameters
    ----------
    state : SharedState, optional
        Model, libraries and magnitude; a fresh one unless given.
    """

    def __init__(self, state: SharedState | None = None) -> None:
        super().__init__()
        self.state = state or SharedState()
        self._seds = list(FIRST_SEDS)
        self._draw = 0
        self._filling = self._scheduled = False
        self._make_widgets()
        self._observations = hv.streams.Pipe(data=self._observe())
        self._answers = pn.pane.HTML(
            stylesheets=[ANSWERS_CSS], sizing_mode="stretch_width", margin=0
        )
        self._predict()
        self._pane = pn.pane.HoloViews(sed_picture(self._observations), linked_axes=False)
        self._fill_widgets()
        self.state.param.watch(self._changed, ["magnitude", "model"])
        self.state.param.watch(self._fill_widgets, "libraries")

    def _make_widgets(self) -> None:
        self._chosen = pn.widgets.RadioButtonGroup(
            options=list(range(1, len(self._seds) + 1)), stylesheets=[_CHIPS_CSS]
        )
        self._add = pn.widgets.Button(label="+", width=30, description="Add a copy of this SED")
        self._remove = pn.widgets.Button(label="−", width=30, description="Remove this SED")
        self._library = pn.widgets.Select(label="Library", options=LIBRARY_LABELS)
        self._age = pn.widgets.DiscreteSlider(label="Age", options=[0.0], stylesheets=[_FLUSH_CSS])
        self._metallicity = pn.widgets.DiscreteSlider(
            label="[M/H] [dex]", options=[0.0], stylesheets=[_FLUSH_CSS]
        )
        self._ebv = pn.widgets.FloatSlider(label="E(B−V) [mag]", end=MAX_EBV, step=0.01)
        self._redshift = pn.widgets.FloatSlider(
            label="Redshift", end=MAX_REDSHIFT, step=0.001, format="0.000"
        )
        self._new_noise = pn.widgets.Button(label="New noise", width=110)
        self._light = pn.widgets.Checkbox(label="Points in the colour of their light")
        self._download = pn.widgets.FileDownload(
            callback=self._csv, filename="seds.csv", label="Download these SEDs (CSV)"
        )
        self._chosen.param.watch(self._fill_widgets, "value")
        for widget in (self._library, self._age, self._metallicity, self._ebv, self._redshift):
            widget.param.watch(self._edited, "value")
        self._add.on_click(self._add_sed)
        self._remove.on_click(self._remove_sed)
        self._new_noise.on_click(self._redraw_noise)
        self._light.param.watch(self._recolour, "value")

    def __panel__(self) -> pn.Row:
        """Lay the page out."""
        seds = parts.stack(
            parts.label("SED to change"),
            pn.Row(self._chosen, self._add, self._remove, margin=0, styles={"gap": "6px"}),
            gap=6,
        )
        return parts.page_layout(
            [seds, self._library, self._age, self._metallicity, self._ebv, self._redshift],
            parts.picture_pane(self._pane, height=_PICTURE_HEIGHT),
            more=[self._light, self._download],
            below=[
                pn.Row(
                    parts.caption(
                        "Points: Fν in each band with its error. Lines: the spectra they come "
                        "from. Drag the magnitude to the right: noise drowns first the red bands, "
                        "then age and metallicity."
                    ),
                    self._new_noise,
                    sizing_mode="stretch_width",
                    margin=0,
                ),
                self._answers,
                parts.caption(
                    "Upright tick: the truth. Dot: what the network says of the points above. "
                    "Bars: 68 and 95 % of its answers under 200 other draws of the noise; ± is "
                    "half the 68 %."
                ),
            ],
        )

    @property
    def seds(self) -> tuple[SED, ...]:
        """SEDs in the picture."""
        return tuple(self._seds)

    @property
    def _index(self) -> int:
        return self._chosen.value - 1

    def _observe(self) -> list[Observation]:
        return [
            observe(
                load_library(sed.library),
                sed.log_age,
                sed.metallicity,
                ebv=sed.ebv,
                redshift=sed.redshift,
                magnitude=self.state.magnitude,
                seed=(self._draw, number),
            )
            for number, sed in enumerate(self._seds)
        ]

    def _predict(self) -> None:
        """Ask the network about the SEDs in sight, and show its answers beside the truth."""
        observations, model = self._observations.data, shared.model(self.state.model)
        predictions = model.predict(np.stack([o.flux for o in observations]))
        scatter = noise_scatter(
            model, np.stack([o.noise_free for o in observations]), self.state.magnitude
        )
        self._answers.object = answers_html(observations, predictions, scatter)

    def _changed(self, *events: Any) -> None:
        """Redraw soon: changes that come faster than pictures can be drawn are drawn once."""
        if pn.state.curdoc is None:
            self._refresh()
        elif not self._scheduled:
            self._scheduled = True
            pn.state.curdoc.add_next_tick_callback(self._refresh)

    def _refresh(self) -> None:
        self._scheduled = False
        self._observations.send(self._observe())
        self._predict()

    def _edited(self, *events: Any) -> None:
        if self._filling:
            return
        previous = self._seds[self._index]
        self._seds[self._index] = replace(
            previous,
            library=self._library.value,
            log_age=self._age.value,
            metallicity=self._metallicity.value,
            ebv=self._ebv.value,
            redshift=self._redshift.value,
        )
        if self._library.value != previous.library:
            self._fill_widgets()
        self._changed()

    def _fill_widgets(self, *events: Any) -> None:
        """Show the chosen SED in the widgets, with the choices that its library has."""
        sed = self._seds[self._index]
        library = load_library(sed.library)
        index = library.nearest(sed.log_age, sed.metallicity)
        ages = library.ages
        age = ages[np.argmin(np.abs(ages - library.log_age[index]))]
        offered = {*self.state.libraries, sed.library}
        self._filling = True
        self._library.param.update(
            options={label: n for n, label in LIBRARY_LABELS.items() if n in offered},
            value=sed.library,
        )
        self._age.param.update(options={age_text(a): float(a) for a in ages}, value=float(age))
        metallicities = {f"{m:+.2f}".replace("-", "−"): float(m) for m in library.metallicities}
        self._metallicity.param.update(
            options=metallicities, value=float(library.metallicity[index])
        )
        self._ebv.value, self._redshift.value = sed.ebv, sed.redshift
        self._add.disabled = len(self._seds) == MAX_SEDS
        self._remove.disabled = len(self._seds) == 1
        self._filling = False

    def _add_sed(self, event: Any) -> None:
        self._seds.append(self._seds[self._index])
        self._renumber(len(self._seds))

    def _remove_sed(self, event: Any) -> None:
        index = self._index
        del self._seds[index]
        self._renumber(min(index + 1, len(self._seds)))

    def _renumber(self, chosen: int) -> None:
        self._chosen.param.update(options=list(range(1, len(self._seds) + 1)), value=chosen)
        self._fill_widgets()
        self._changed()

    def _redraw_noise(self, event: Any) -> None:
        self._draw += 1
        self._changed()

    def _recolour(self, event: Any) -> None:
        self._pane.object = sed_picture(self._observations, light=self._light.value)

    def _csv(self) -> io.StringIO:
        text = io.StringIO()
        photometry_table(self._observations.data).to_csv(text, index=False)
        text.seek(0)
        return text
