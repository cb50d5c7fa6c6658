"""The sidebar that all pages share: model, libraries, magnitude."""

from collections.abc import Iterable

import panel as pn

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.labels import library_label, library_options, model_title
from sspexplorer.plots.style import library_colour
from sspexplorer.shipped import network_names

_NETWORK_TITLES = {"base": "base network (4 hidden layers)", "sed": "SED network (7 hidden layers)"}


def _chip_colours(names: Iterable[str]) -> str:
    return "".join(
        f".bk-input-group > label:nth-of-type({place}) {{ --chip: {library_colour(name)}; }}"
        for place, name in enumerate(names, start=1)
    )


def model_note(name: str) -> str:
    """Say in a sentence or two what a model is, from its card."""
    card = cache.model_card(name)
    if not card:
        return "No trained model is installed; run make data, or sspexplorer train."
    libraries = [library_label(n) for n in card["sample"]["libraries"]]
    network = _NETWORK_TITLES.get(card["network"], f"{card['network']} network")
    return (
        f"Three networks, one per parameter: {network}, trained on "
        f"{card['sample']['n_train']:,} mocks from {', '.join(libraries)}."
    )


def unknown_note(model: str, libraries: Iterable[str]) -> str:
    """Say which of the chosen libraries a model was not trained on; "" if on all of them."""
    known = cache.model_card(model).get("sample", {}).get("libraries")
    unknown = [library_label(name) for name in libraries if known and name not in known]
    if not unknown:
        return ""
    are, them = ("is", "it") if len(unknown) == 1 else ("are", "them")
    return (
        f"{', '.join(unknown)} {are} not in this model's training: pages that show how well it "
        f"does have no mocks of {them}."
    )


class Sidebar(pn.viewable.Viewer):
    """Widgets for the shared state.

    Parameters
    ----------
    state : SharedState
    """

    def __init__(self, state: SharedState) -> None:
        super().__init__()
        self.state = state
        self._model = pn.widgets.Select(
            label="Model",
            options=self._models(),
            value=state.model,
            sizing_mode="stretch_width",
            margin=0,
        )
        self._model.param.watch(self._take_model, "value")
        state.param.watch(self._show_model, ["model", "kept"])
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

    def __panel__(self) -> pn.Column:
        """Lay the widgets out from top to bottom."""
        snr = pn.bind(self._snr_line, self.state.param.magnitude, self.state.param.noise)
        about = pn.bind(lambda name: parts.note(model_note(name)), self.state.param.model)
        unknown = pn.bind(
            lambda *chosen: parts.note(unknown_note(*chosen)),
            self.state.param.model,
            self.state.param.libraries,
        )
        return pn.Column(
            pn.Column(self._model, about, **_BLOCK),
            pn.Column(parts.label("Libraries"), self._libraries, unknown, **_BLOCK),
            pn.Column(self._magnitude, snr, **_BLOCK),
            sizing_mode="stretch_width",
            margin=0,
            styles={"gap": "26px"},
        )

    def _models(self) -> dict[str, str]:
        own = {model_title(name): name for name in (*network_names(), *self.state.kept)}
        if self.state.model in own.values():
            return own
        # A link may name a network that another visitor keeps.
        return own | {f"{model_title(self.state.model)} (shared with you)": self.state.model}

    def _take_model(self, event: object) -> None:
        # One that is gone stays in the list for as long as it is chosen.
        if cache.knows_model(event.new):
            self.state.model = event.new

    def _show_model(self, *events: object) -> None:
        self._model.param.update(options=self._models(), value=self.state.model)

    def _snr_line(self, *changed: object) -> pn.pane.HTML:
        measured = ", by the noise you measured" if self.state.noise else ""
        return parts.note(f"Typical S/N per narrow band: {self.state.typical_snr:.0f}{measured}")

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
