"""Which model answers on a page: one choice, on the page itself, over what that model is."""

from typing import Any

import panel as pn
import param

from sspexplorer.app import cache
from sspexplorer.app.choices import NETWORK
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.model_words import model_note, unknown_note
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import css
from sspexplorer.labels import model_title
from sspexplorer.shipped import network_names, posterior_names

WITH_ERRORS = "With error bars"
WITHOUT_ERRORS = "Without: teaching and comparison"


class ModelChoice(pn.viewable.Viewer):
    """A choice among the models that can answer on a page.

    The network without error bars is the session's, so that pages that compare networks speak of
    the same one. A page that asks a model with error bars has a parameter for it.

    Parameters
    ----------
    page : Page
    by : Parameter, optional
        Of the page: the name of a model with error bars, or ``NETWORK`` for the session's network.
        Without it only networks are offered.
    label : str
    networks : bool
        Whether networks are offered.
    tested : bool
        Whether the page tests the network on mocks of the libraries in use.

    Attributes
    ----------
    select : Select
    note : Panel pane
        What the model is.
    """

    def __init__(
        self,
        page: Page,
        by: param.Parameter | None = None,
        *,
        label: str = "Model",
        networks: bool = True,
        tested: bool = False,
    ) -> None:
        super().__init__()
        self._page, self._by = page, by
        self._networks, self._tested = networks, tested
        self.note = parts.note("")
        self.select = pn.widgets.Select(
            label=label,
            groups=self._offered(),
            value=self.name_of,
            sizing_mode="stretch_width",
            margin=0,
        )
        self.select.param.watch(self._take, "value")
        followed = ("model", "kept") if networks else ()
        page.follow(self._show, *followed, *(("libraries",) if tested else ()))
        if by is not None:
            page.param.watch(self._show, by.name)
        self._show()

    def __panel__(self) -> pn.Column:
        """Choice over note."""
        return parts.stack(self.select, self.note, gap=6)

    def beside(self) -> pn.Row:
        """Choice beside note where there is the width for it, else over it."""
        self.note.param.update(align="end", styles={"flex": "1 1 240px", "width": "auto"})
        return pn.Row(
            pn.Column(self.select, width=232, margin=0),
            self.note,
            sizing_mode="stretch_width",
            margin=0,
            stylesheets=[css("beside")],
            styles={"flex-wrap": "wrap", "gap": "6px 14px"},
        )

    @property
    def name_of(self) -> str:
        """Name of the model that answers."""
        by = NETWORK if self._by is None else getattr(self._page, self._by.name)
        return self._page.state.model if by == NETWORK else by

    def _offered(self) -> dict[str, dict[str, str]]:
        groups = {}
        if self._by is not None:
            groups[WITH_ERRORS] = {model_title(name): name for name in posterior_names()}
        if self._networks:
            state = self._page.state
            own = {model_title(name): name for name in (*network_names(), *state.kept)}
            if state.model not in own.values():
                # A link may name a network that another visitor keeps.
                own[f"{model_title(state.model)} (shared with you)"] = state.model
            groups[WITHOUT_ERRORS] = own
        return groups

    def _take(self, event: Any) -> None:
        if event.new in posterior_names():
            self._page.param.update(**{self._by.name: event.new})
            return
        # One that is gone stays in the list for as long as it is chosen.
        if cache.knows_model(event.new):
            self._page.state.model = event.new
            if self._by is not None:
                self._page.param.update(**{self._by.name: NETWORK})

    def _show(self, *events: Any) -> None:
        self.select.param.update(groups=self._offered(), value=self.name_of)
        words = [model_note(self.name_of)]
        if self._tested:
            words.append(unknown_note(self.name_of, self._page.state.libraries))
        self.note.object = parts.note(" ".join(filter(None, words))).object
