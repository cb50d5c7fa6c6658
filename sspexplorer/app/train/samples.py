"""Mock sample: how the labels are distributed in training, validation and test."""

import io
from dataclasses import replace
from typing import Any, BinaryIO, ClassVar

import holoviews as hv
import pandas as pd
import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.download import Download
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.app.state import SharedState
from sspexplorer.labels import PARAMETER_NAMES
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, PARAMETERS, make_mocks, split_of
from sspexplorer.plots.samples import (
    PAPER_ROWS,
    PART_COLOURS,
    PARTS,
    SPLITS,
    Split,
    counts_table,
    differences_table,
    label_picture,
    row_name,
)
from sspexplorer.progress import NO_PROGRESS, Progress

_DOTS = {row_name(key, name): PART_COLOURS[name] for key in SPLITS for name in PARTS}


class MockSamplePage(Page):
    """Ages, metallicities and reddenings of the three parts of a mock sample, split two ways.

    Parameters
    ----------
    state : SharedState, optional
        The libraries, and the noise of the mocks to download; a fresh one unless given.
    """

    SIDEBAR = ("libraries",)
    QUERY: ClassVar[dict[str, str]] = {"seed": "split-seed"}

    seed = param.Integer(default=0, bounds=(0, None), doc="Seed of both splits.")

    ASKS, FOLLOWS = ("seed",), ("libraries",)

    def __init__(self, state: SharedState | None = None, **params: Any) -> None:
        super().__init__(state, **params)
        # The page opens whole: what its picture is made of is known already.
        self.show(self.question(), self.split)

    @property
    def split(self) -> Split:
        """Sample in the picture."""
        return self._pipe.data

    def make(self) -> None:
        """Make pictures and words."""
        self._pipe = hv.streams.Pipe(data=self.answer(self.question(), NO_PROGRESS))
        self._first = pn.widgets.Button(label="The split of our networks")
        self._first.on_click(lambda event: self.param.update(seed=0))
        self._about, self._caption = parts.note(""), parts.caption("")
        self._counts, self._differences = parts.note(""), parts.note("")

    def controls(self) -> list[parts.Part]:
        """Other splits, and the mocks to take along."""
        another = pn.widgets.Button(
            label="Another split", description="Draw both splits again, with the next seed"
        )
        another.on_click(lambda event: self.param.update(seed=self.seed + 1))
        download = Download(self._write, "mocks.parquet")
        title = parts.label("These mocks as Parquet, with fluxes")
        return [self._about, another, self._first, parts.stack(title, download, gap=4)]

    def more(self) -> list[parts.Part]:
        """The numbers to take along."""
        return [
            pn.widgets.FileDownload(
                callback=self._csv,
                filename="mock-sample-counts.csv",
                label="Download the counts (CSV)",
            )
        ]

    def picture(self) -> parts.Part:
        """A row for each split, a panel for each parameter; columns on a narrow page."""
        cells = [
            parts.panel(label_picture(self._pipe, key, name), shape="1.15")
            for key in SPLITS
            for name in PARAMETERS
        ]
        return pn.Column(
            *cells, sizing_mode="stretch_width", margin=0, stylesheets=[css("grid-samples")]
        )

    def below(self) -> list[parts.Part]:
        """Counts, and how alike the parts are."""
        return [
            self._caption,
            self._counts,
            parts.note(
                "Seen: the part of its SSPs that training has, too, under other noise or "
                "dust. In the paper: Domínguez Sánchez et al. (2026), Sect. 3, which gives "
                "the proportions as 65, 15 and 20 %."
            ),
            self._differences,
            parts.note(
                "Largest difference of the cumulative distributions (Kolmogorov–Smirnov). By "
                "chance up to: exceeded in 5 % of splits, by the number of SSPs, or of mocks "
                "at random, that were drawn."
            ),
        ]

    def question(self) -> tuple[tuple[str, ...], int]:
        """Libraries and seed."""
        chosen = (n for n in self.state.library_choices if n in self.state.libraries)
        return tuple(chosen), self.seed

    def answer(self, question: tuple[tuple[str, ...], int], progress: Progress) -> Split:
        """Split the mocks both ways."""
        libraries, seed = question
        return Split.draw(cache.mock_labels(libraries), seed)

    def show(self, question: tuple[tuple[str, ...], int], answer: Split) -> None:
        """Draw the parts, and compare them."""
        split = answer
        self._pipe.send(split)
        differences = differences_table(split)
        self._first.disabled = self.seed == 0
        self._about.object = parts.note(
            f"{len(split.labels):,} mocks: {split.labels['ssp'].nunique():,} SSPs × "
            f"{len(EBV_GRID)} E(B−V) × {len(MAGNITUDES)} magnitudes, of the libraries at the left. "
            + (
                "Split as for our networks: the same SSPs are held out."
                if self.seed == 0
                else f"Split with seed {self.seed}."
            )
        ).object
        self._counts.object = parts.metric_table(
            counts_table(split), colours=_DOTS, faint=PAPER_ROWS
        ).object
        self._differences.object = parts.metric_table(
            differences,
            formats=dict.fromkeys(differences.columns, "{:.4f}"),
        ).object
        self._caption.object = parts.caption(caption_text(split)).object

    def _write(self, file: BinaryIO) -> None:
        libraries, noise = list(self.state.libraries), self.state.noise_model
        mocks = make_mocks(libraries, noise=noise, seed=self.seed)
        ids = mocks.labels["ssp"].unique()
        parts_of = dict(zip(ids, split_of(ids, self.seed), strict=True))
        labels = mocks.labels.assign(split=mocks.labels["ssp"].map(parts_of))
        replace(mocks, labels=labels).to_parquet(file)

    def _csv(self) -> io.StringIO:
        split = self.split
        rows = [
            {
                "split": key,
                "part": name,
                "ssps": split.part(key, name)["ssp"].nunique(),
                "mocks": len(split.part(key, name)),
                "seen": split.seen(key, name),
            }
            for key in SPLITS
            for name in PARTS
        ]
        return io.StringIO(pd.DataFrame(rows).to_csv(index=False))


def caption_text(split: Split) -> str:
    """Say what to notice: alike at random because the same SSPs are on both sides."""
    worst = {
        key: max(PARAMETERS, key=lambda name, key=key: split.difference(key, name, "test"))
        for key in SPLITS
    }
    by_ssp, at_random = (split.difference(key, worst[key], "test") for key in SPLITS)
    return (
        f"At random, test differs from training by at most {at_random:.2%} of the cumulative "
        f"distribution (in {PARAMETER_NAMES[worst['at_random']]}), and training has "
        f"{split.seen('at_random', 'test'):.0%} of its SSPs as well. By whole SSPs it differs by "
        f"up to {by_ssp:.1%} (in {PARAMETER_NAMES[worst['by_ssp']]}), where chance makes up to "
        f"{split.chance('by_ssp', 'test'):.1%}, and training has "
        f"{split.seen('by_ssp', 'test'):.0%} of them: alike enough to be fair, and a real test."
    )
