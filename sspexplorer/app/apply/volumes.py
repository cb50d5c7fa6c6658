"""How many galaxies of a catalogue there are in a volume, by their mass."""

from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.analysis.catalogue import Answers
from sspexplorer.analysis.volumes import Survey, counts, largest_volumes
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.work import Worker
from sspexplorer.errors import InputError
from sspexplorer.plots.volumes import counts_picture
from sspexplorer.progress import Progress

_HEIGHT = "max(300px, 40vh)"
_WORDS = (
    "Each galaxy stands for 1/V_max, the volume in which it would be brighter than the faintest "
    "magnitude (Schmidt 1968); how its colours change with distance is read off its own bands. "
    "Errors are those of the number of galaxies; hollow points have fewer than five. What is "
    "missing for other reasons (spectra, masks, flags) is not made up for, and the errors of "
    "masses widen the steep end."
)


def why_not(answers: Answers) -> str:
    """Why galaxies cannot be counted by volume; "" if they can."""
    if "pred_log_mass" not in answers.predictions:
        return "Galaxies are counted by mass: choose a model that tells masses, such as galaxy."
    if answers.catalogue.redshift is None:
        return "Galaxies are counted in a volume: the catalogue needs a column of redshifts."
    if not answers.catalogue.decision.absolute:
        return "Galaxies are counted in a volume: their fluxes need a unit."
    return ""


class CountsView(pn.viewable.Viewer):
    """Counts by 1/V_max, of a survey that the visitor describes.

    Parameters
    ----------
    answers : Answers
    rows : ndarray of int
        Rows that are counted, from 0.
    """

    limit = param.Number(default=22.0, bounds=(10.0, 30.0), step=0.1, doc="Faintest i magnitude.")
    area = param.Number(default=1.0, bounds=(0.0, None), step=0.1, doc="Area in deg².")
    nearest = param.Number(default=0.02, bounds=(0.0, 1.0), step=0.01, doc="Lowest redshift.")
    farthest = param.Number(default=1.0, bounds=(0.0, 1.0), step=0.05, doc="Highest redshift.")

    def __init__(self, answers: Answers, rows: np.ndarray) -> None:
        super().__init__()
        self.answers, self.rows = answers, rows
        self.table: pd.DataFrame | None = None
        self.worker = Worker()
        self._picture = parts.stack()
        self._words = parts.caption("")
        self._begun = False
        self.param.watch(self._ask, ["limit", "area", "nearest", "farthest"])

    def __panel__(self) -> parts.Part:
        """Lay out the description of the survey over the picture."""
        if reason := why_not(self.answers):
            return parts.empty_state(reason)
        labels = {
            "limit": "Faintest i [mag, AB]",
            "area": "Area [deg²]",
            "nearest": "Redshifts from",
            "farthest": "to",
        }
        fields = [
            pn.widgets.FloatInput.from_param(
                self.param[name], label=label, sizing_mode="stretch_width", margin=0
            )
            for name, label in labels.items()
        ]
        for field in fields:
            field.description = None
        return parts.stack(
            parts.grid(*fields, columns=4, narrow=2, gap="10px 14px"),
            self.worker,
            self._picture,
            self._words,
            gap=10,
        )

    def begin(self, *events: Any) -> None:
        """Count, now that somebody looks."""
        self._begun = not why_not(self.answers)
        self._ask()

    def follow(self, rows: np.ndarray) -> None:
        """Count these rows, counted from 0, from now on."""
        self.rows = rows
        self._ask()

    def _ask(self, *events: Any) -> None:
        if not self._begun:
            return
        try:
            survey = Survey(self.limit, self.area, self.nearest, self.farthest)
        except InputError as error:
            self.worker.cancel()
            self.worker.tell(error)
            return
        self.worker.clear()
        answers, rows = self.answers, self.rows

        def work(progress: Progress) -> tuple[pd.DataFrame, int]:
            catalogue = answers.catalogue
            cosmology = answers.asked.choices.cosmology
            mass = answers.predictions["pred_log_mass"].to_numpy(float)[rows]
            volumes = largest_volumes(
                catalogue.flux[rows], catalogue.redshift[rows], survey, cosmology
            )
            return counts(mass, volumes), int((np.isfinite(mass) & (volumes > 0)).sum())

        self.worker.ask((survey, rows.tobytes()), work, self._show, "Counting …")

    def _show(self, found: tuple[pd.DataFrame, int]) -> None:
        self.table, n = found
        if not n:
            words = "None of the galaxies that are listed has a mass and is within these limits."
            self._picture[:] = [parts.empty_state(words)]
            self._words.object = ""
            return
        picture = pn.pane.HoloViews(counts_picture(self.table), linked_axes=False)
        self._picture[:] = [parts.picture_pane(picture, height=_HEIGHT)]
        counted = (
            f"{n:,} of the {len(self.rows):,} galaxies that are listed, as of {self.area:g} deg² "
            f"in which all brighter than i = {self.limit:g} are there. "
        )
        self._words.object = parts.caption(counted + _WORDS).object
