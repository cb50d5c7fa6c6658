"""How a catalogue is predicted: by which model, with which errors and redshifts."""

from typing import Any, ClassVar

import panel as pn
import param

from sspexplorer.analysis.request import PredictionRequest
from sspexplorer.analysis.zero_points import ZeroPoints
from sspexplorer.app.choices import ANSWERED_BY, NETWORK
from sspexplorer.app.kit import controls
from sspexplorer.posterior.taken import DEFAULT_FLOOR, Choices
from sspexplorer.shipped import DEFAULT_MODEL

REDSHIFTS = {
    "those of the catalogue": "given",
    "unknown: find from the colours": "unknown",
    "take all as at rest": "rest",
}
CONTRADICTED = {"set aside": True, "use all": False}
METHOD = ("by", "floor", "redshift", "aside", "draws")
MAX_FLOOR = 0.1
MAX_DRAWS = 500


class Method(param.Parameterized):
    """What a visitor chooses of how a catalogue is predicted."""

    QUERY: ClassVar[dict[str, str]] = {name: name for name in METHOD}

    by = param.Selector(default=DEFAULT_MODEL, objects=ANSWERED_BY, doc="What predicts.")
    floor = param.Number(
        default=DEFAULT_FLOOR,
        bounds=(0.0, MAX_FLOOR),
        step=0.005,
        doc="Relative error added in quadrature to those of the bands.",
    )
    redshift = param.Selector(default="given", objects=REDSHIFTS, doc="What redshifts are taken.")
    aside = param.Boolean(
        default=True, doc="Whether bands that all others contradict are left out."
    )

    draws = param.Integer(
        default=0,
        bounds=(0, MAX_DRAWS),
        doc="How many draws of each joint posterior the file has, as arrays.",
    )

    def asked(self, network: str, zero_points: ZeroPoints | None = None) -> PredictionRequest:
        """What is chosen now, if the session's network is ``network``."""
        choices = Choices(self.floor, self.redshift, not self.aside, samples=self.draws)
        model = network if self.by == NETWORK else self.by
        return PredictionRequest(model, network, choices, zero_points)

    def method_widgets(self) -> list[pn.widgets.Widget]:
        """Choices besides the model, which are seldom needed: of no effect on networks."""
        floor = pn.widgets.FloatSlider.from_param(
            # Whole numbers of a per cent are what people think in.
            self.param.floor,
            label="Error floor",
            format="0.0%",
            sizing_mode="stretch_width",
        )
        redshift = controls.select("Redshifts", self.param.redshift, options=REDSHIFTS)
        aside = controls.select("Contradicted bands", self.param.aside, options=CONTRADICTED)
        draws = pn.widgets.IntInput.from_param(
            self.param.draws, label="Draws of each posterior", step=50, sizing_mode="stretch_width"
        )
        rare = [floor, redshift, aside, draws]

        def show_what_counts(*events: Any) -> None:
            for widget in rare:
                widget.disabled = self.by == NETWORK

        self.param.watch(show_what_counts, "by")
        show_what_counts()
        return rare
