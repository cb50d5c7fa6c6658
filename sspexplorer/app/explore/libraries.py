"""Libraries: which ages and metallicities each covers, and what was left out of it."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.explore.library_words import MOCKS_NOTE, about, add_card, coverage_words
from sspexplorer.app.explore.presets import MAX_SEDS, SED, SEDList
from sspexplorer.app.kit import parts
from sspexplorer.app.state import SharedState
from sspexplorer.labels import age_text
from sspexplorer.libraries import DEFAULT_AGE_RANGE, LIBRARY_NAMES, load_library
from sspexplorer.mocks import Observation, observe
from sspexplorer.plots.coverage import (
    PAPER_ROWS,
    Coverage,
    counts_table,
    coverage_picture,
)
from sspexplorer.plots.sed import most_alike, sed_picture
from sspexplorer.plots.style import library_dots

AGES = {"In range": "range", "Whole files": "whole"}
_RANGE = [age_text(np.log10(age)) for age in DEFAULT_AGE_RANGE]
FIRST_PICKED = tuple(SED(name, 9.0, 0.0) for name in LIBRARY_NAMES)

# Three panels side by side, two on a narrow page.
_GRID_CSS = """
:host { display: grid; gap: 8px 16px; grid-template-columns: repeat(3, minmax(0, 1fr)); }
@media (max-width: 1100px) { :host { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.scroll-button { display: none; }
"""
# The words at the right may take two lines; the table is as wide as the page.
_TABLE_CSS = """
td:nth-child(n+8) { line-height: 1.3; white-space: normal; }
@media (max-width: 1100px) {
  td, th { font-size: 11.5px !important; padding-left: 4px; padding-right: 3px; }
  td { line-height: 1.3; white-space: normal; }
  tr.faint td:first-child { padding-left: 8px; }
}
"""


class Libraries(pn.viewable.Viewer):
    """Age and metallicity of every SSP of each library, and the SEDs of those that are clicked.

    Parameters
    ----------
    state : SharedState, optional
        The libraries; a fresh one unless given.
    """

    QUERY: ClassVar[dict[str, str]] = {"ages": "ages", "picked": "picked"}

    ages = param.Selector(default="range", objects=AGES, doc="Which ages of the files to take.")
    picked = SEDList(default=FIRST_PICKED, doc="SSPs whose SEDs are shown.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(**params)
        self.state = state or SharedState()
        self._ssps = cache.ssp_table()
        self._pipe = hv.streams.Pipe(data=self._coverage())
        self._observations = hv.streams.Pipe(data=self._observe())
        self._make_parts()
        self._show()
        self._show_seds()
        self.state.param.watch(self._update, "libraries")
        self.param.watch(self._update, "ages")
        self.param.watch(self._take_picked, "picked")
        self.state.param.watch(self._update_seds, ["magnitude", "noise"])

    def __panel__(self) -> pn.Row:
        """Controls beside the coverage; table and SEDs below."""
        return self._layout

    @property
    def coverage(self) -> Coverage:
        """What is in the picture."""
        return self._pipe.data

    @property
    def counts(self) -> pd.DataFrame:
        """Table of counts."""
        return counts_table(self.coverage)

    def _make_parts(self) -> None:
        ages = pn.widgets.RadioButtonGroup.from_param(
            self.param.ages, sizing_mode="stretch_width", margin=0
        )
        self._ages_note = parts.note("")
        explore = pn.widgets.Button(
            label="Open in the SED explorer",
            description="With noise, dust, redshift and the network's answers",
        )
        explore.on_click(self._open)
        restart = pn.widgets.Button(label="Start over")
        restart.on_click(lambda event: self.param.update(picked=FIRST_PICKED))
        picks = parts.note(
            f"Click an SSP to see its SED below, and again to take it away; up to {MAX_SEDS} at "
            "a time."
        )
        self._cells = {name: self._cell(name) for name in self.state.library_choices}
        grid = pn.Column(
            *self._cells.values(), sizing_mode="stretch_width", margin=0, stylesheets=[_GRID_CSS]
        )
        self._caption, self._sed_caption = parts.caption(""), parts.caption("")
        self._table, self._about = parts.note(""), parts.stack(gap=6)
        self._table.stylesheets = [*self._table.stylesheets, _TABLE_CSS]
        seds = pn.pane.HoloViews(sed_picture(self._observations), linked_axes=False)
        self._layout = parts.page_layout(
            [
                parts.stack(parts.label("Ages"), ages, self._ages_note, gap=4),
                parts.stack(parts.label("SSPs you pick"), picks, gap=4),
                explore,
                restart,
            ],
            grid,
            more=[
                _download("Download the SSPs (CSV)", "ssps.csv", self._ssps_csv),
                _download("Download the counts (CSV)", "ssp-counts.csv", self._counts_csv),
            ],
            below=[
                self._caption,
                self._table,
                self._about,
                parts.picture_pane(seds, height="max(300px, 38vh)"),
                self._sed_caption,
                add_card(),
            ],
        )

    def _cell(self, name: str) -> pn.Column:
        tap = hv.streams.SingleTap()
        picture = coverage_picture(self._pipe, name, tap)
        tap.add_subscriber(partial(self._tapped, name))
        # The panels zoom together.
        pane = pn.pane.HoloViews(picture, linked_axes=True, sizing_mode="stretch_both", margin=0)
        shape = {"aspect-ratio": "0.92"}
        return pn.Column(pane, sizing_mode="stretch_width", styles=shape, margin=0)

    def _coverage(self) -> Coverage:
        ssps = self._ssps[self._ssps["library"].isin(self.state.libraries)]
        picked = pd.DataFrame(
            [
                {
                    "library": sed.library,
                    "log_age": sed.log_age,
                    "metallicity": sed.metallicity,
                    "number": number,
                }
                for number, sed in enumerate(self._exact(), start=1)
            ]
        )
        return Coverage(ssps, self.ages == "whole", picked)

    def _exact(self) -> list[SED]:
        """Picked SSPs with the values that they have in their libraries."""
        result = []
        for sed in self.picked:
            rows = self._ssps[self._ssps["library"] == sed.library]
            if not len(rows):
                # Added after this page was opened.
                continue
            away = (rows["metallicity"] - sed.metallicity).abs() * 100
            row = rows.loc[(away + (rows["log_age"] - sed.log_age).abs()).idxmin()]
            result.append(replace(sed, log_age=row["log_age"], metallicity=row["metallicity"]))
        return result

    def _observe(self) -> list[Observation]:
        low, high = DEFAULT_AGE_RANGE
        seen = []
        for sed in self._exact():
            inside = low * 0.999 <= 10**sed.log_age <= high * 1.001
            library = load_library(sed.library) if inside else load_library(sed.library, None)
            found = observe(
                library,
                sed.log_age,
                sed.metallicity,
                ebv=sed.ebv,
                redshift=sed.redshift,
                magnitude=self.state.magnitude,
                noise=self.state.noise_model,
            )
            seen.append(replace(found, flux=found.noise_free))
        return seen

    def _tapped(self, library: str, x: float | None, y: float | None) -> None:
        if x is None or y is None:
            return
        row = self.coverage.nearest(library, x, y)
        if row is None:
            return
        sed = SED(library, round(row["log_age"], 4), round(row["metallicity"], 4))
        others = tuple(other for other in self.picked if other.to_text() != sed.to_text())
        if len(others) < len(self.picked):
            self.picked = others or self.picked
        else:
            self.picked = (*others[-(MAX_SEDS - 1) :], sed)

    def _update(self, *events: Any) -> None:
        self._pipe.send(self._coverage())
        self._show()

    def _take_picked(self, *events: Any) -> None:
        self._pipe.send(self._coverage())
        self._update_seds()

    def _update_seds(self, *events: Any) -> None:
        self._observations.send(self._observe())
        self._show_seds()

    def _show(self) -> None:
        """Write the numbers, and show the panels of the libraries in use."""
        for name, cell in self._cells.items():
            cell.visible = name in self.state.libraries
        outside = int((~self.coverage.ssps["in_range"]).sum())
        self._ages_note.object = parts.note(
            f"All ages of the files; {outside:,} SSPs are younger than {_RANGE[0]} or older than "
            f"{_RANGE[1]}."
            if self.coverage.whole
            else f"From {_RANGE[0]} to {_RANGE[1]}, as the networks are trained on. Hollow: "
            f"{outside:,} SSPs that are younger or older."
        ).object
        self._caption.object = parts.caption(coverage_words(self.coverage)).object
        dots = library_dots(self.state.libraries)
        self._table.object = parts.metric_table(self.counts, colours=dots, faint=PAPER_ROWS).object
        self._about[:] = [parts.note(MOCKS_NOTE), *map(about, self.state.libraries)]

    def _show_seds(self) -> None:
        words = [
            "SEDs of the SSPs that you picked, without noise; the bars are the σ of the noise at "
            f"i = {self.state.magnitude:.1f}."
        ]
        if len(self._observations.data) > 1:
            one, other, distance = most_alike(self._observations.data)
            words.append(
                f"The two most alike, {one} and {other}, differ by {distance:.2g} of these σ per "
                "band."
            )
        self._sed_caption.object = parts.caption(" ".join(words)).object

    def _open(self, event: Any) -> None:
        # The explorer takes what it finds in the address when it comes into sight.
        if pn.state.location:
            pn.state.location.update_query(seds=SEDList.serialize(self.picked), noisy="true")
        self.state.page = "sed"

    def _ssps_csv(self) -> pd.DataFrame:
        return self.coverage.used.drop(columns=["age"])

    def _counts_csv(self) -> pd.DataFrame:
        return self.counts.rename_axis("library").reset_index()


def _download(label: str, filename: str, table: Callable[[], pd.DataFrame]) -> Any:
    return pn.widgets.FileDownload(
        callback=lambda: io.StringIO(table().to_csv(index=False)), filename=filename, label=label
    )
