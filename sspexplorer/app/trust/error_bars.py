"""Error bars: whether the posterior models keep what they promise."""

from typing import Any, ClassVar

import pandas as pd
import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_choice import ModelChoice
from sspexplorer.app.kit.page import Page
from sspexplorer.app.trust import other_libraries
from sspexplorer.app.trust.error_bar_tables import (
    comparison_table,
    derived_table,
    galaxy_table,
    kinds_table,
    of_all,
    outlier_table,
    photoz_table,
    promise_table,
    scatter_table,
)
from sspexplorer.app.trust.error_bar_words import CAPTIONS, Found, card_facts
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots import trust as plots
from sspexplorer.plots.growth import growth_coverage_picture
from sspexplorer.plots.published import published_picture
from sspexplorer.posterior.library_errors import left_out_table
from sspexplorer.posterior.validation.promises import (
    EVERY_68,
    EVERY_95,
    EXACT_RATIO,
    promises,
)
from sspexplorer.posterior.validation.trust import load_trust
from sspexplorer.progress import Progress
from sspexplorer.shipped import DEFAULT_MODEL, model_folder, posterior_names

SECTIONS = {
    "Calibration": "calibration",
    "Missing bands": "gaps",
    "Redshift": "redshift",
    "Masses and rates": "derived",
    "Unlike the training": "outliers",
    "Lines and mixtures": "comparison",
    "Other libraries": "libraries",
    "Real galaxies": "real",
}
_HEIGHT = "max(300px, 38vh)"


class ErrorBars(Page):
    """Tests of the models that answer with posteriors.

    Parameters
    ----------
    state : SharedState, optional
        Of the session; a fresh one unless given.
    """

    QUERY: ClassVar[dict[str, str]] = {"posterior": "posterior", "section": "section"}
    ASKS = ("posterior", "section")
    BUSY = "Predicting the galaxies …"

    posterior = param.Selector(
        default=DEFAULT_MODEL, objects=["galaxy", "ssp"], doc="Model that is tested."
    )
    section = param.Selector(default="calibration", objects=SECTIONS, doc="What is shown.")

    @staticmethod
    def warm() -> None:
        """Read what the page opens with."""
        for name in posterior_names():
            load_trust(name)

    def controls(self) -> list[parts.Part]:
        """Which model, and which of its tests."""
        return [
            ModelChoice(self, self.param.posterior, networks=False),
            pn.widgets.RadioBoxGroup.from_param(self.param.section, name="", margin=0),
            self.busy,
            parts.note(
                "The networks without error bars are for teaching and comparison: the other pages "
                "of this section test them."
            ),
        ]

    def make(self) -> None:
        """Make the places of pictures and numbers."""
        self.figures, self._numbers = parts.stack(), parts.stack()

    def picture(self) -> parts.Part:
        """Pictures of one section."""
        return self.figures

    def below(self) -> list[parts.Part]:
        """What was promised, and whether it was kept."""
        return [self._numbers]

    def question(self) -> tuple[str, str]:
        """Model and section."""
        return self.posterior, self.section

    def answer(self, question: tuple[str, str], progress: Progress) -> Found:
        """What the tests found, and what the model says of real galaxies if that is asked."""
        name, section = question
        real = cache.example_answers(name) if section == "real" else None
        return Found(load_trust(name), left_out_table(model_folder(name)), real, card_facts(name))

    def show(self, question: tuple[str, str], answer: Found) -> None:
        """Draw the section; the promises stand below each."""
        trust, (_, section) = answer.trust, question
        caption = parts.caption(CAPTIONS[section](answer))
        self.figures[:] = [*_SECTIONS[section](answer), caption]
        self._numbers[:] = [
            parts.label("What was promised, and what the tests found"),
            promise_table(promises(trust)),
            parts.note(
                f"{trust.n_mocks:,} mocks of the model's own kind that its training never saw, "
                f"simulated with the survey's noise. Test again: {trust.command}"
            ),
            parts.label("How the model was made"),
            *map(parts.note, answer.facts),
        ]


def _calibration(found: Found) -> list[Any]:
    trust = found.trust
    figures = [
        plots.coverage_picture(trust.magnitudes, "coverage_68", 0.68, EVERY_68),
        plots.coverage_picture(trust.magnitudes, "coverage_95", 0.95, EVERY_95),
        plots.rank_picture(trust.ranks),
        plots.tarp_picture(trust.tarp),
    ]
    if len(trust.exact):
        figures.append(plots.exact_picture(trust.exact, EXACT_RATIO))
    return [_grid(figures)]


def _gaps(found: Found) -> list[Any]:
    trust = found.trust
    return [_grid([plots.gap_picture(trust.gaps, name) for name in PARAMETERS])]


def _redshift(found: Found) -> list[Any]:
    trust = found.trust
    figures = [plots.redshift_picture(trust.redshifts, name) for name in PARAMETERS]
    figures.append(plots.photoz_picture(trust.photoz))
    if not len(trust.distances):
        return [_grid(figures)]
    promised = [
        plots.distance_picture(trust.distances, name, column, level, limits)
        for column, level, limits in (
            ("coverage_68", 0.68, EVERY_68),
            ("coverage_95", 0.95, EVERY_95),
        )
        for name in PARAMETERS
    ]
    return [
        _grid(promised),
        _grid(figures),
        parts.label("Redshift from the colours alone"),
        photoz_table(trust.photoz),
    ]


def _derived(found: Found) -> list[Any]:
    derived = found.trust.derived
    if not len(derived):
        return [parts.note("This model says nothing of masses and rates; galaxy does.")]
    histories = [] if not len(found.trust.growth) else _histories(found.trust.growth)
    return [
        parts.label("Over all magnitudes, redshift given"),
        derived_table(derived),
        parts.label("Scatter at each magnitude"),
        scatter_table(derived),
        *histories,
    ]


def _histories(growth: pd.DataFrame) -> list[Any]:
    return [
        parts.label("Histories: the share of the stars that had formed"),
        parts.picture_pane(growth_coverage_picture(of_all(growth)), height=_HEIGHT),
        parts.label("Truths inside the 68 %, of histories of one kind alone"),
        kinds_table(growth),
    ]


def _outliers(found: Found) -> list[Any]:
    trust = found.trust
    picture = parts.picture_pane(plots.p_value_picture(trust.p_values), height=_HEIGHT)
    return [picture, outlier_table(trust.outliers)]


def _comparison(found: Found) -> list[Any]:
    trust = found.trust
    return [
        parts.label("Composite galaxies with emission lines, younger than 1 Gyr by light"),
        comparison_table(trust.lines, ["bias", "sigma_nmad"]),
        parts.label("Single populations that no training saw, at redshift 0"),
        comparison_table(trust.singles, ["bias", "sigma_nmad", "coverage_68"]),
    ]


def _libraries(found: Found) -> list[Any]:
    table = found.left_out
    figures = other_libraries.figures(table)
    return [
        *([_grid(figures)] if figures else []),
        *other_libraries.numbers(table),
        *other_libraries.derived_numbers(table),
    ]


def _real(found: Found) -> list[Any]:
    if found.real is None:
        return []
    return [
        parts.label("Three real galaxies: SDSS spectra seen through the bands"),
        galaxy_table(found.real),
        parts.picture_pane(published_picture(found.real), height=_HEIGHT),
    ]


_SECTIONS = {
    "calibration": _calibration,
    "gaps": _gaps,
    "redshift": _redshift,
    "derived": _derived,
    "outliers": _outliers,
    "comparison": _comparison,
    "libraries": _libraries,
    "real": _real,
}


def _grid(figures: list[Any]) -> pn.Column:
    held = [pn.pane.HoloViews(figure, linked_axes=False) for figure in figures]
    panes = [parts.picture_pane(pane, height=_HEIGHT) for pane in held]
    # Four are two by two: three over one leave half a page blank.
    columns = 2 if len(panes) in (2, 4) else 3
    return parts.grid(*panes, columns=columns, narrow=min(columns, 2), gap="10px 20px")
