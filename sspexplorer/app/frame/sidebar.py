"""The sidebar: libraries and magnitude, of which a page sees those that act on it."""

from collections.abc import Iterable, Mapping

import panel as pn

from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import MEASURED, SharedState
from sspexplorer.labels import field_name, library_options
from sspexplorer.noise import fields
from sspexplorer.plots.style import library_colour


def _chip_colours(names: Iterable[str]) -> str:
    return "".join(
        f".bk-input-group > label:nth-of-type({place}) {{ --chip: {library_colour(name)}; }}"
        for place, name in enumerate(names, start=1)
    )


class Sidebar(pn.viewable.Viewer):
    """Widgets for the shared state.

    Parameters
    ----------
    state : SharedState
    acting : mapping of str to sequence of str, optional
        {key of a page: the choices that act on it}; all on each page unless given.
    """

    def __init__(self, state: SharedState, acting: Mapping[str, Iterable[str]] | None = None):
        super().__init__()
        self.state = state
        self._acting = acting
        self._libraries = pn.widgets.CheckBoxGroup(
            value=list(state.libraries),
            options=library_options(state.library_choices),
            stylesheets=[css("chips"), _chip_colours(state.library_choices)],
            margin=0,
        )
        self._libraries.param.watch(self._take_libraries, "value")
        state.param.watch(self._show_libraries, "libraries")
        self._magnitude = pn.widgets.FloatSlider.from_param(
            state.param.magnitude,
            label="i magnitude (AB)",
            format="0.0",
            sizing_mode="stretch_width",
            margin=0,
        )
        snr = pn.bind(self._snr_line, state.param.magnitude, state.param.noise)
        self._depths = pn.widgets.Select(
            label="Depths",
            options=self._depth_choices(),
            value=state.depths,
            description="5σ limits of each band that the noise follows: a smooth curve, or those "
            "of a field that was observed, which go up and down from band to band.",
            sizing_mode="stretch_width",
            margin=(8, 0, 0, 0),
        )
        self._depths.param.watch(self._take_depths, "value")
        state.param.watch(self._show_depths, "depths")
        self.blocks = {
            "libraries": pn.Column(parts.label("Libraries"), self._libraries, **_BLOCK),
            "magnitude": pn.Column(self._magnitude, snr, self._depths, **_BLOCK),
        }
        state.param.watch(self._show_what_acts, "page")
        self._show_what_acts()

    def __panel__(self) -> pn.Column:
        """Lay the widgets out from top to bottom."""
        return pn.Column(
            *self.blocks.values(),
            sizing_mode="stretch_width",
            margin=0,
            styles={"gap": "26px"},
        )

    def _show_what_acts(self, *events: object) -> None:
        if self._acting is not None:
            acting = self._acting.get(self.state.page, ())
            for name, block in self.blocks.items():
                block.visible = name in acting

    def _snr_line(self, *changed: object) -> pn.pane.HTML:
        whose = f", by {self.state.noise_words}" if self.state.noise else ""
        return parts.note(f"Typical S/N per narrow band: {self.state.typical_snr:.0f}{whose}")

    def _depth_choices(self) -> dict[str, str]:
        """Fields by what they are called; what was measured is a choice for who has done so."""
        own = {"Your catalogue, measured": MEASURED} if self.state.depths == MEASURED else {}
        return {field_name(name): name for name in fields()} | own

    def _take_depths(self, event: object) -> None:
        self.state.depths = self._depths.value

    def _show_depths(self, event: object) -> None:
        self._depths.param.update(options=self._depth_choices(), value=self.state.depths)

    def _take_libraries(self, event: object) -> None:
        chosen = [n for n in self.state.library_choices if n in self._libraries.value]
        if chosen:
            self.state.libraries = chosen
        else:
            # One library stays: without any there is nothing to show on any page.
            self._libraries.value = list(self.state.libraries)

    def _show_libraries(self, event: object) -> None:
        self._libraries.value = list(self.state.libraries)


_BLOCK = {"sizing_mode": "stretch_width", "margin": 0, "styles": {"gap": "6px"}}
