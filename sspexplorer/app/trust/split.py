"""Which mocks a network is tested on: of SSPs it never saw, or of those of its training."""

import panel as pn

from sspexplorer.analysis.held_out import ONLY_RANDOM, SPLIT_NOTES, SPLITS
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.page import Page
from sspexplorer.plots.shading import compile_means
from sspexplorer.shipped import compared_networks, network_names


def warm_compared() -> None:
    """Make what pages of all mocks of the networks open with."""
    compile_means()
    for name in compared_networks(network_names()[0]):
        cache.held_out_table(name, cache.fair_split(name, "ssp"))


class SplitChoice(pn.viewable.Viewer):
    """The choice, over what it means; not one for a network that has seen every SSP.

    Parameters
    ----------
    page : Page
        Its parameter ``split`` is what is chosen.
    """

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self.note = parts.note("")
        self.select = pn.widgets.Select(
            label="Tested on",
            options=SPLITS,
            value=page.split,
            sizing_mode="stretch_width",
            margin=0,
        )
        self.select.param.watch(self._take, "value")

    def __panel__(self) -> pn.Column:
        """Choice over note."""
        return parts.stack(self.select, self.note, gap=6)

    def of(self, model: str) -> str:
        """Split to test a model on, which is shown: the one that is chosen if it can be had."""
        only_random = cache.fair_split(model, "ssp") == "random"
        split = cache.fair_split(model, self._page.split)
        words = ONLY_RANDOM if only_random else SPLIT_NOTES[split]
        self.note.object = parts.note(words).object
        self.select.param.update(value=split, disabled=only_random)
        return split

    def _take(self, event: object) -> None:
        # What a network forces upon the widget is not what was chosen.
        if not self.select.disabled:
            self._page.split = self.select.value
