"""Noise: how large it is in each band, what it does to an SED, and how to measure one's own."""

from typing import Any, ClassVar

import numpy as np
import panel as pn

from sspexplorer.app.explore.presets import SED, SEDList
from sspexplorer.app.explore.sed_editor import SEDEditor
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.soon import Soon
from sspexplorer.app.kit.work import Worker
from sspexplorer.app.state import SharedState
from sspexplorer.bands import load_bands
from sspexplorer.catalogue import Catalogue, read_catalogue
from sspexplorer.catalogue.values import column_numbers
from sspexplorer.constants import AB_ZERO_POINT
from sspexplorer.libraries import load_library
from sspexplorer.mocks import Observation, observe
from sspexplorer.noise import NoiseModel, ab_magnitude, measure_noise
from sspexplorer.plots.live import LivePicture
from sspexplorer.plots.noise import (
    Errors,
    error_picture,
    noisy_picture,
    row_colours,
    shown_magnitudes,
    snr_table,
)
from sspexplorer.progress import Progress
from sspexplorer.resources import data_path

EXAMPLE = "simulated_galaxies.csv"

_FLUX = ""  # the choice of magnitudes that are made of the fluxes
_FORMATS = {"S/N": "{:.1f}", "S/N by default": "{:.1f}", "Δm / default": "{:.2f}"}


class Noise(Page):
    """Magnitude errors against wavelength, and one SED under several of them.

    Parameters
    ----------
    state : SharedState, optional
        Magnitude, noise and the open catalogue; a fresh one unless given.
    """

    SIDEBAR = ("libraries", "magnitude")
    QUERY: ClassVar[dict[str, str]] = {"seds": "sed"}

    seds = SEDList(default=(SED("emiles", 9.5, 0.0),), doc="The SED to show; the first of them.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self.editor.fill(self.seds[0])
        self._show_noise()
        self._show_source()
        self.param.watch(self._take_sed, "seds")
        self.follow(self._follow_soon, "magnitude", "noise")
        self.follow(self._fill_widgets, "libraries")
        self.follow(self._show_source, "catalogue", "noise")

    @property
    def errors(self) -> Errors:
        """Errors in the picture."""
        measured = self.state.noise is not None
        default = NoiseModel.default() if measured else None
        return Errors(self.state.noise_model, self.state.magnitude, default)

    @property
    def catalogue(self) -> Catalogue | None:
        """Catalogue to measure from."""
        return self.state.catalogue or self._example

    def make(self) -> None:
        """Make widgets, pictures and words."""
        self._draw = 0
        self._example: Catalogue | None = None
        self.worker = Worker(self._show_whether_busy)
        self.editor = SEDEditor(self.state, self._take_edit)
        self._errors = LivePicture(self.errors, error_picture)
        self._observations = LivePicture(self._observe(), noisy_picture)
        self._figures = [parts.figure(one.picture) for one in (self._errors, self._observations)]
        self._draw_soon = Soon(self._draw_sed, self._figures[1])
        self._follow_soon = Soon(self._follow_noise, *self._figures)
        self._caption, self._in_use = parts.caption(""), parts.note("")
        self._table, self._asked = parts.note(""), parts.caption("")
        self._new_noise = pn.widgets.Button(label="New noise")
        self._new_noise.on_click(self._redraw)
        self._column = pn.widgets.Select(label="i magnitude from", width=260)
        self._zero_point = pn.widgets.FloatInput(
            label="AB zero point [mag]",
            value=AB_ZERO_POINT,
            step=0.1,
            width=150,
            description="m = −2.5 log F + zero point; −48.6 for F in erg/s/cm²/Hz, 8.9 for Jy, "
            "23.9 for µJy. AB magnitudes and fluxes whose unit the file tells are already in "
            "erg/s/cm²/Hz.",
        )
        self._column.param.watch(self._show_zero_point, "value")
        self._measure = pn.widgets.Button(label="Measure from your catalogue", color="primary")
        self._measure.on_click(self._measure_clicked)
        self._go = pn.widgets.Button(label="Open a catalogue")
        self._go.on_click(lambda event: self.state.go("catalogue"))
        self._try = pn.widgets.Button(label="Measure from the simulated galaxies")
        self._try.on_click(self._measure_example)
        self._back = pn.widgets.Button(label="Back to the default noise")
        self._back.on_click(lambda event: self.state.param.update(noise=None))

    def controls(self) -> list[parts.Part]:
        """What can be changed of the SED."""
        edit = self.editor
        return [edit.library, edit.age, edit.metallicity, edit.ebv, self._new_noise]

    def picture(self) -> parts.Part:
        """Errors against wavelength, and one SED under several of them."""
        cells = [parts.picture_pane(one, height="max(330px, 46vh)") for one in self._figures]
        return parts.grid(*cells, columns=2, narrow=1)

    def below(self) -> list[parts.Part]:
        """The numbers, where they come from, and how to measure others."""
        row = {"margin": 0, "styles": {"gap": "10px", "flex-wrap": "wrap", "align-items": "end"}}
        self._choices = pn.Row(self._column, self._zero_point, **row)
        return [
            self._caption,
            self._table,
            self._in_use,
            self._asked,
            self._choices,
            pn.Row(self._measure, self._go, self._try, self._back, **row),
        ]

    def lay_out(self) -> pn.Column:
        """Progress, and a way to cancel, over the page."""
        return pn.Column(self.worker, super().lay_out(), sizing_mode="stretch_width", margin=0)

    # One SED under the noise of several magnitudes.

    def _observe(self) -> list[tuple[int, Observation]]:
        sed = self.seds[0]
        return [
            (
                rank,
                observe(
                    load_library(sed.library),
                    sed.log_age,
                    sed.metallicity,
                    ebv=sed.ebv,
                    magnitude=magnitude,
                    noise=self.state.noise_model,
                    seed=(self._draw, rank),
                ),
            )
            for rank, magnitude in shown_magnitudes(self.state.magnitude)
        ]

    def _take_edit(self, sed: SED) -> None:
        self.seds = (sed,)

    def _take_sed(self, *events: Any) -> None:
        self._fill_widgets()
        self._draw_soon()

    def _fill_widgets(self) -> None:
        self.editor.fill(self.seds[0])

    def _redraw(self, event: Any) -> None:
        self._draw += 1
        self._draw_soon()

    def _draw_sed(self) -> None:
        self._observations.show(self._observe())

    def _follow_noise(self) -> None:
        self._errors.show(self.errors)
        self._draw_sed()
        self._show_noise()

    def _show_noise(self) -> None:
        errors, noise = self.errors, self.state.noise_model
        self._table.object = parts.metric_table(
            snr_table(errors),
            formats=_FORMATS,
            colours=row_colours(errors.chosen),
        ).object
        self._in_use.object = parts.note(f"Noise in use. {noise.description}.").object
        red, blue = (float(np.median(noise.magnitude_error(20.0)[part])) for part in _ENDS)
        narrow = 1 / noise.relative_error(22.0)[load_bands().narrow]
        dashes = "thin dashes: the default" if errors.reference else "diamonds: the broad bands"
        self._caption.object = parts.caption(
            f"Left, {dashes}: at i = 20 the error is {blue:.2f} mag blueward of 5000 Å and "
            f"{red:.2f} mag redward of 8500 Å. Right, thick dashes: the SED without noise; at "
            f"i = 22, {(narrow < 2).sum()} of the {len(narrow)} narrow bands have S/N below 2. "
            "S/N below: the median of the narrow bands, 2.5/(ln 10 Δm); Δm in mag."
        ).object

    # The noise of a survey of one's own.

    def _show_source(self, *events: Any) -> None:
        """Offer what can be done with the catalogue that is open, or without one."""
        catalogue, measured = self.catalogue, self.state.noise is not None
        has_errors = catalogue is not None and bool(np.isfinite(catalogue.flux_err).any())
        self._choices.visible = self._measure.visible = has_errors
        self._go.visible = self._try.visible = not has_errors
        self._back.visible = measured
        if catalogue is None:
            text = (
                "The error table can be measured from your survey: open a catalogue of galaxies "
                "that has fluxes and errors, or try it with the galaxies that we simulated."
            )
        elif not has_errors:
            text = f"{catalogue.name} has no flux errors, so no noise can be measured from it."
        else:
            text = (
                f"{catalogue.name}: {len(catalogue):,} rows. Its mean magnitude error in bins of "
                "0.5 mag, in each band, takes the place of the table above in this session. For "
                "that each galaxy needs an i magnitude: from its flux in iSDSS, or from a column."
            )
            self._fill_columns(catalogue)
        self._asked.object = parts.caption(text).object

    def _fill_columns(self, catalogue: Catalogue) -> None:
        taken = {name for c in catalogue.columns for name in (c.flux, c.error)}
        names = [name for name in catalogue.column_names if name not in taken]
        names.sort(key=lambda name: "mag" not in name.lower())
        options = {"iSDSS flux, with a zero point": _FLUX} | {name: name for name in names}
        plausible = _plausible(ab_magnitude(catalogue.flux[:, -1]))
        guess = next((name for name in names if "mag" in name.lower()), _FLUX)
        value = _FLUX if plausible else guess
        if self._column.options != options:
            self._column.param.update(options=options, value=value)
        self._show_zero_point()

    def _show_zero_point(self, *events: Any) -> None:
        self._zero_point.visible = self._column.value == _FLUX

    def _show_whether_busy(self, busy: bool) -> None:
        self._measure.disabled = self._try.disabled = busy

    async def _measure_clicked(self, event: Any) -> None:
        await self.measure()

    async def _measure_example(self, event: Any) -> None:
        path = data_path("examples", EXAMPLE)
        outcome = await self.worker.run(
            "Reading the example", lambda progress: read_catalogue(path, progress=progress)
        )
        if outcome.done:
            self._example = outcome.value
            self._show_source()
            await self.measure()

    async def measure(self) -> None:
        """Measure the noise from the catalogue, and let the whole session use it."""
        catalogue, column = self.catalogue, self._column.value
        zero_point = self._zero_point.value

        def work(progress: Progress) -> NoiseModel:
            if column == _FLUX:
                magnitude = ab_magnitude(catalogue.flux[:, -1], zero_point)
            else:
                magnitude = column_numbers(catalogue.table, column).values
            return measure_noise(
                catalogue.flux, catalogue.flux_err, magnitude, source=catalogue.name
            )

        outcome = await self.worker.run("Measuring the noise", work)
        if outcome.done:
            self.state.noise = outcome.value


def _plausible(magnitude: np.ndarray) -> bool:
    known = magnitude[np.isfinite(magnitude)]
    return bool(known.size) and 10 < float(np.median(known)) < 28


_ENDS = (slice(48, 55), slice(1, 12))  # narrow bands from 8500 Å, and to 4900 Å
