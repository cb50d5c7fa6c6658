"""Error bars: whether the posterior models keep what they promise."""

from typing import Any, ClassVar

import pandas as pd
import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.background import Background
from sspexplorer.app.state import SharedState
from sspexplorer.app.trust.error_bar_words import (
    CAPTIONS,
    card_facts,
    comparison_table,
    galaxy_table,
    outlier_table,
    promise_table,
)
from sspexplorer.errors import InputError
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots import trust as plots
from sspexplorer.posterior.validation.promises import EVERY_68, EVERY_95, EXACT_RATIO, promises
from sspexplorer.posterior.validation.trust import Trust, load_trust
from sspexplorer.shipped import posterior_names

MODELS = {"galaxy: mixed populations": "galaxy", "ssp: one population": "ssp"}
SECTIONS = {
    "Calibration": "calibration",
    "Missing bands": "gaps",
    "Redshift": "redshift",
    "Unlike the training": "outliers",
    "Lines and mixtures": "comparison",
    "Real galaxies": "real",
}
_HEIGHT = "max(300px, 38vh)"
_GRID_CSS = """
:host { display: grid !important; gap: 10px 20px; width: 100%;
        grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); }
:host > * { min-width: 0; width: auto !important; }
.scroll-button { display: none; }
"""


class ErrorBars(pn.viewable.Viewer):
    """Tests of the models that answer with posteriors.

    Parameters
    ----------
    state : SharedState, optional
        Of the session; a fresh one unless given.
    """

    QUERY: ClassVar[dict[str, str]] = {"posterior": "posterior", "section": "section"}

    posterior = param.Selector(default="galaxy", objects=MODELS, doc="Model that is tested.")
    section = param.Selector(default="calibration", objects=SECTIONS, doc="What is shown.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self._picture = parts.stack()
        self._numbers = parts.stack()
        self._busy = parts.note("")
        self._work = Background(self._tell_busy, self._stop)
        self._layout = parts.page_layout(
            [
                pn.widgets.Select.from_param(self.param.posterior, name="Model"),
                pn.widgets.RadioBoxGroup.from_param(self.param.section, name="", margin=0),
                self._busy,
                parts.note(
                    "The networks without error bars (“default”, “paper”) are tested on the "
                    "other pages of this section."
                ),
            ],
            self._picture,
            below=[self._numbers],
        )
        self.param.watch(self._update, ["posterior", "section"])
        self._update()

    def __panel__(self) -> pn.Row:
        """Controls beside the pictures of one section; what was promised below."""
        return self._layout

    @staticmethod
    def warm() -> None:
        """Read what the page opens with."""
        for name in posterior_names():
            load_trust(name)

    def _tell_busy(self, busy: bool) -> None:
        self._busy.object = parts.note("Predicting the galaxies …" if busy else "").object

    def _stop(self, sentence: str) -> None:
        self._tell_busy(False)
        self._picture[:] = [parts.empty_state(sentence)]
        self._numbers[:] = []

    def _update(self, *events: Any) -> None:
        try:
            trust = load_trust(self.posterior)
        except InputError as error:
            self._stop(str(error))
            return
        if self.section == "real":
            question = (self.posterior, "real")
            self._work.ask(question, lambda: cache.example_answers(question[0]), self._show_real)
        else:
            self._work.forget()
            self._picture[:] = [*self._section(trust), parts.caption(CAPTIONS[self.section](trust))]
        self._numbers[:] = [
            parts.label("What was promised, and what the tests found"),
            promise_table(promises(trust)),
            parts.note(
                f"{trust.n_mocks:,} mocks of the model's own kind that its training never saw, "
                f"simulated with the survey's noise. Test again: {trust.command}"
            ),
            parts.label("How the model was made"),
            *(parts.note(sentence) for sentence in card_facts(self.posterior)),
        ]

    def _section(self, trust: Trust) -> list[Any]:
        make = {
            "calibration": self._calibration,
            "gaps": self._gaps,
            "redshift": self._redshift,
            "outliers": self._outliers,
            "comparison": self._comparison,
        }
        return make[self.section](trust)

    def _calibration(self, trust: Trust) -> list[Any]:
        figures = [
            plots.coverage_picture(trust.magnitudes, "coverage_68", 0.68, EVERY_68),
            plots.coverage_picture(trust.magnitudes, "coverage_95", 0.95, EVERY_95),
            plots.rank_picture(trust.ranks),
            plots.tarp_picture(trust.tarp),
        ]
        if len(trust.exact):
            figures.append(plots.exact_picture(trust.exact, EXACT_RATIO))
        return [_grid(figures)]

    def _gaps(self, trust: Trust) -> list[Any]:
        return [_grid([plots.gap_picture(trust.gaps, name) for name in PARAMETERS])]

    def _redshift(self, trust: Trust) -> list[Any]:
        figures = [plots.redshift_picture(trust.redshifts, name) for name in PARAMETERS]
        return [_grid([*figures, plots.photoz_picture(trust.photoz)])]

    def _outliers(self, trust: Trust) -> list[Any]:
        picture = parts.picture_pane(plots.p_value_picture(trust.p_values), height=_HEIGHT)
        return [picture, outlier_table(trust.outliers)]

    def _comparison(self, trust: Trust) -> list[Any]:
        return [
            parts.label("Composite galaxies with emission lines, younger than 1 Gyr by light"),
            comparison_table(trust.lines, ["bias", "sigma_nmad"]),
            parts.label("Single populations that no training saw, at redshift 0"),
            comparison_table(trust.singles, ["bias", "sigma_nmad", "coverage_68"]),
        ]

    def _show_real(self, answers: pd.DataFrame) -> None:
        self._picture[:] = [
            parts.label("Three real galaxies: SDSS spectra seen through the bands"),
            galaxy_table(answers),
            parts.caption(CAPTIONS["real"](load_trust(self.posterior))),
        ]


def _grid(figures: list[Any]) -> pn.Column:
    held = [pn.pane.HoloViews(figure, linked_axes=False) for figure in figures]
    panes = [parts.picture_pane(pane, height=_HEIGHT) for pane in held]
    return pn.Column(*panes, sizing_mode="stretch_width", margin=0, stylesheets=[_GRID_CSS])
