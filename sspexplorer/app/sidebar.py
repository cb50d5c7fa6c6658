"""The sidebar that all pages share: model, libraries, magnitude."""

import panel as pn

from sspexplorer.app import parts, shared
from sspexplorer.app.state import SharedState
from sspexplorer.app.theme import static_text
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.plots.style import LIBRARY_COLOURS, LIBRARY_LABELS

MODEL_TITLES = {
    "default": "Default",
    "paper": "As in the paper",
    **{f"default-{name}": f"{label} alone" for name, label in LIBRARY_LABELS.items()},
}
_NETWORK_TITLES = {"base": "base network (4 hidden layers)", "sed": "SED network (7 hidden layers)"}

_CHIP_COLOURS = "".join(
    f".bk-input-group > label:nth-of-type({place}) {{ --chip: {LIBRARY_COLOURS[name]}; }}"
    for place, name in enumerate(LIBRARY_NAMES, start=1)
)


def model_note(name: str) -> str:
    """Say in a sentence or two what a model is, from its card."""
    card = shared.model_card(name)
    if not card:
        return "No trained model is installed; run make data, or sspexplorer train."
    libraries = [LIBRARY_LABELS.get(n, n) for n in card["sample"]["libraries"]]
    network = _NETWORK_TITLES.get(card["network"], f"{card['network']} network")
    return (
        f"Three networks, one per parameter: {network}, trained on "
        f"{card['sample']['n_train']:,} mocks from {', '.join(libraries)}."
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
        self._model.param.watch(lambda event: self.state.param.update(model=event.new), "value")
        state.param.watch(self._show_model, ["model", "kept"])
        self._libraries = pn.widgets.CheckBoxGroup(
            value=list(state.libraries),
            options={LIBRARY_LABELS[name]: name for name in LIBRARY_NAMES},
            stylesheets=[static_text("chips.css"), _CHIP_COLOURS],
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
        return pn.Column(
            pn.Column(self._model, about, **_BLOCK),
            pn.Column(parts.label("Libraries"), self._libraries, **_BLOCK),
            pn.Column(self._magnitude, snr, **_BLOCK),
            sizing_mode="stretch_width",
            margin=0,
            styles={"gap": "26px"},
        )

    def _models(self) -> dict[str, str]:
        # A link may name a network that another visitor keeps.
        names = dict.fromkeys((*shared.model_names(), *self.state.kept, self.state.model))
        return {MODEL_TITLES.get(name, name): name for name in names}

    def _show_model(self, *events: object) -> None:
        self._model.param.update(options=self._models(), value=self.state.model)

    def _snr_line(self, *changed: object) -> pn.pane.HTML:
        measured = ", by the noise you measured" if self.state.noise else ""
        return parts.note(f"Typical S/N per narrow band: {self.state.typical_snr:.0f}{measured}")

    def _take_libraries(self, event: object) -> None:
        chosen = [name for name in LIBRARY_NAMES if name in self._libraries.value]
        if chosen:
            self.state.libraries = chosen
        else:
            # One library stays: without any there is nothing to show on any page.
            self._libraries.value = list(self.state.libraries)

    def _show_libraries(self, event: object) -> None:
        self._libraries.value = list(self.state.libraries)


_BLOCK = {"sizing_mode": "stretch_width", "margin": 0, "styles": {"gap": "6px"}}
