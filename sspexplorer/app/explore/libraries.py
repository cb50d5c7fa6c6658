"""Libraries: which ages and metallicities each covers, and what was left out of it."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, ClassVar

import holoviews as hv
import numpy as np
import pandas as pd
import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.explore.presets import MAX_SEDS, SED, SEDList
from sspexplorer.app.kit import controls, parts
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.soon import Soon
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.labels import age_text, library_label, listed
from sspexplorer.libraries import DEFAULT_AGE_RANGE, LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.libraries.readers import SOURCES
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, Observation, observe
from sspexplorer.plots.coverage import (
    PAPER_ROWS,
    Coverage,
    counts_table,
    coverage_picture,
)
from sspexplorer.plots.live import LivePicture
from sspexplorer.plots.sed import most_alike, sed_picture
from sspexplorer.plots.style import library_dots

AGES = {"In range": "range", "Whole files": "whole"}
_RANGE = [age_text(np.log10(age)) for age in DEFAULT_AGE_RANGE]
FIRST_PICKED = tuple(SED(name, 9.0, 0.0) for name in LIBRARY_NAMES)


MOCKS_NOTE = (
    f"Mocks: every SSP behind {len(EBV_GRID)} values of E(B−V) at {len(MAGNITUDES)} magnitudes. "
    "The paper's counts are of nine values of E(B−V), of which it prints eight."
)
_HOW_TO_ADD = (
    "With their files, or a network, you can use the paper's own libraries, or yours. Type this "
    "where SSP Explorer is installed, then open the page anew; “sspexplorer libraries remove NAME” "
    "takes one away again."
)


class Libraries(Page):
    """Age and metallicity of every SSP of each library, and the SEDs of those that are clicked.

    Parameters
    ----------
    state : SharedState, optional
        The libraries; a fresh one unless given.
    """

    SIDEBAR = ("libraries", "magnitude")
    QUERY: ClassVar[dict[str, str]] = {"ages": "ages", "picked": "picked"}

    ages = param.Selector(default="range", objects=AGES, doc="Which ages of the files to take.")
    picked = SEDList(default=FIRST_PICKED, doc="SSPs whose SEDs are shown.")

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        self._show_numbers()
        self._show_seds()
        self.follow(self._cover, "libraries")
        self.follow(self._update_seds, "magnitude", "noise")
        self.param.watch(self._cover, "ages")
        self.param.watch(self._take_picked, "picked")

    @property
    def coverage(self) -> Coverage:
        """What is in the picture."""
        return self._pipe.data

    @property
    def counts(self) -> pd.DataFrame:
        """Table of counts."""
        return counts_table(self.coverage)

    def make(self) -> None:
        """Make pictures and words."""
        self._ssps = cache.ssp_table()
        self._pipe = hv.streams.Pipe(data=self._coverage())
        self._live = LivePicture(self._observe(), sed_picture)
        self._seds = parts.figure(self._live.picture)
        self._update_seds = Soon(self._redraw_seds, self._seds)
        self._ages_note = parts.note("")
        self._cells = {name: self._cell(name) for name in self.state.library_choices}
        self._caption, self._sed_caption = parts.caption(""), parts.caption("")
        self._table, self._about = parts.note(""), parts.stack(gap=6)
        self._table.stylesheets = [*self._table.stylesheets, css("table-libraries")]

    def controls(self) -> list[parts.Part]:
        """Which ages, and what to do with the SSPs that were picked."""
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
        return [
            controls.buttons("Ages", self.param.ages, self._ages_note),
            parts.stack(parts.label("SSPs you pick"), picks, gap=4),
            explore,
            restart,
        ]

    def more(self) -> list[parts.Part]:
        """Tables to take along."""
        return [
            _download("Download the SSPs (CSV)", "ssps.csv", self._ssps_csv),
            _download("Download the counts (CSV)", "ssp-counts.csv", self._counts_csv),
        ]

    def picture(self) -> parts.Part:
        """A panel for each library."""
        return parts.grid(*self._cells.values(), narrow=2)

    def below(self) -> list[parts.Part]:
        """Counts, what was left out, the SEDs that were picked, and how to add a library."""
        return [
            self._caption,
            self._table,
            self._about,
            parts.picture_pane(self._seds, height="max(300px, 38vh)"),
            self._sed_caption,
            add_card(),
        ]

    def _cell(self, name: str) -> pn.Column:
        tap = hv.streams.SingleTap()
        picture = coverage_picture(self._pipe, name, tap)
        tap.add_subscriber(partial(self.tapped, name))
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

    def tapped(self, library: str, x: float | None, y: float | None) -> None:
        """Pick the SSP of a library that is nearest to a click on its panel, or drop it."""
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

    def _cover(self, *events: Any) -> None:
        self._pipe.send(self._coverage())
        self._show_numbers()

    def _take_picked(self, *events: Any) -> None:
        self._pipe.send(self._coverage())
        self._update_seds()

    def _redraw_seds(self) -> None:
        self._live.show(self._observe())
        self._show_seds()

    def _show_numbers(self) -> None:
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
        if len(self._live.data) > 1:
            one, other, distance = most_alike(self._live.data)
            words.append(
                f"The two most alike, {one} and {other}, differ by {distance:.2g} of these σ per "
                "band."
            )
        self._sed_caption.object = parts.caption(" ".join(words)).object

    def _open(self, event: Any) -> None:
        self.state.go("sed", seds=self.picked, noisy=True)

    def _ssps_csv(self) -> pd.DataFrame:
        return self.coverage.used.drop(columns=["age"])

    def _counts_csv(self) -> pd.DataFrame:
        return self.counts.rename_axis("library").reset_index()


def _download(label: str, filename: str, table: Callable[[], pd.DataFrame]) -> Any:
    return pn.widgets.FileDownload(
        callback=lambda: io.StringIO(table().to_csv(index=False)), filename=filename, label=label
    )


def coverage_words(coverage: Coverage) -> str:
    """Say what to notice: who has most SSPs, and where only some libraries have any."""
    used = coverage.used
    counts = used["library"].value_counts()
    first = counts.index[0]
    if len(counts) == 1:
        ages = (age_text(value) for value in (used["log_age"].min(), used["log_age"].max()))
        return f"{library_label(first)} has {len(used):,} SSPs from {' to '.join(ages)}."
    youngest = used.groupby("library")["log_age"].min()
    late = youngest.idxmax()
    young = used[used["log_age"] < youngest[late]]
    richest = used.groupby("library")["metallicity"].max()
    rich = used[used["metallicity"] > richest.min() + 0.01]
    has_rich = listed([library_label(name) for name in rich["library"].unique()])
    words = [
        "Colour: one library; grey: all in use. Histograms: the share of SSPs in each bin of "
        f"0.2 dex. {library_label(first)} gives {counts.iloc[0] / len(used):.0%} of the "
        f"{len(used):,} SSPs."
    ]
    if len(young):
        has_young = [library_label(n) for n in young["library"].unique()]
        words.append(
            f"The {len(young):,} SSPs younger than {age_text(youngest[late])} come from "
            f"{listed(has_young)} alone, the {len(rich):,} with [M/H] above "
            f"{richest.min():+.2f} from {has_rich}.".replace("-", "−")
        )
    return " ".join(words)


def about(name: str) -> pn.pane.HTML:
    """What was left out of a library, what stands on a model, what to cite and its terms."""
    library = load_library(name, None)
    reasons = " ".join(library.left_out) or "nothing."
    sentences = [f"Left out of {library_label(name)}, whatever the ages: {reasons}"]
    sentences += _continued_words(library)
    if library.citation:
        sentences.append(f"Cite {library.citation}.")
    if library.terms:
        sentences.append(f"Terms: {library.terms.rstrip('.')}.")
    return parts.note(" ".join(sentences))


def _continued_words(library: SSPLibrary) -> list[str]:
    """Say which bands are not wholly of the library's own spectra; nothing if all are."""
    bands = library.continued_bands()
    if not bands:
        return []
    are = "is" if len(bands) == 1 else "are"
    return [
        f"{', '.join(bands)} {are} partly a continuation: the library's own spectra begin at "
        f"{library.provenance['continued_below']:.0f} Å."
    ]


def add_card() -> pn.Card:
    """Which libraries can be added, and the command to type for each; folded."""
    rows = [
        f"<tr><td><code>sspexplorer libraries add {name}"
        f"{'' if source.files else ' PATH'}</code></td>"
        f"<td>{escape(source.title)}</td><td>{escape(source.what_is_expected)}</td></tr>"
        for name, source in SOURCES.items()
    ]
    table = pn.pane.HTML(
        "<table><thead><tr><th>to type</th><td></td><th>files</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>",
        stylesheets=[css("text"), css("table-words")],
        sizing_mode="stretch_width",
        margin=0,
    )
    return pn.Card(
        parts.stack(parts.note(_HOW_TO_ADD), table, gap=8),
        header=parts.label("Add a library"),
        collapsed=True,
        sizing_mode="stretch_width",
        margin=0,
    )
