"""One idea of a model: each page says what answers on it, once, and lets it be changed there."""

import asyncio
import re

import pandas as pd
import panel as pn
import pytest
from onlooker import Onlooker

from sspexplorer.app.apply.words import others_text
from sspexplorer.app.choices import NETWORK, accept, read_query
from sspexplorer.app.explore.histories import MixedPopulations
from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.app.frame.sidebar import Sidebar
from sspexplorer.app.kit.model_choice import WITH_ERRORS, WITHOUT_ERRORS
from sspexplorer.app.kit.model_words import model_note
from sspexplorer.app.kit.work import Worker
from sspexplorer.app.pages import PAGES
from sspexplorer.app.state import SharedState
from sspexplorer.resources import data_path

# Pages whose answers come of no model, or of all of them side by side.
_NO_MODEL = ("libraries", "noise", "one-library", "zero-points", "archive", "training", "samples")
ANSWERED_BY = {key: [] for key in _NO_MODEL} | {
    "map": ["Galaxies predicted by", "Mocks predicted by"]
}
REAL = "real_galaxies.csv"


@pytest.fixture
def idle(monkeypatch) -> None:
    """Pages ask nothing."""
    load_extensions()
    monkeypatch.setattr(Worker, "ask", lambda *args, **kwargs: None)


def test_each_page_says_once_what_answers_and_the_sidebar_what_acts(idle):
    for entry in PAGES:
        state = SharedState()
        page = entry.view(state)
        if entry.key == "catalogue":
            asyncio.run(page.open(data_path("examples", REAL), REAL))
        selects = page.__panel__().select(pn.widgets.Select)
        found = sorted(s.label for s in selects if re.search("Model|predicted by", s.label))
        assert found == ANSWERED_BY.get(entry.key, ["Model"]), entry.key
        acting = [name for name in ("libraries", "magnitude") if name in state.param.watchers]
        assert tuple(acting) == entry.view.SIDEBAR, entry.key


def test_the_sidebar_shows_what_acts_on_the_page_in_sight():
    state = SharedState(page="density")
    sidebar = Sidebar(state, {entry.key: entry.view.SIDEBAR for entry in PAGES})
    seen = {}
    for state.page in ("density", "histories", "trust"):
        seen[state.page] = [name for name, block in sidebar.blocks.items() if block.visible]
    assert seen == {"density": ["libraries", "magnitude"], "histories": ["magnitude"], "trust": []}


def test_a_choice_of_a_model_and_a_link_of_before_mean_the_same(idle):
    page = MixedPopulations()
    choice = Onlooker(page).control("Model")
    assert list(choice.groups) == [WITH_ERRORS, WITHOUT_ERRORS]
    choice.value = "galaxy"
    assert (page.by, page.state.model) == ("galaxy", "default")
    choice.value = "paper"
    assert (page.by, page.state.model) == (NETWORK, "paper")
    accept(page, read_query(page, page.QUERY, "?by=ssp"))
    assert choice.value == "ssp"
    accept(page, read_query(page, page.QUERY, "?by=network"))
    assert choice.value == "paper"


def test_what_a_model_is_comes_from_its_card():
    assert "for teaching and comparison" in model_note("default")
    assert "single populations behind dust at redshift 0 (SSPs of E-MILES," in model_note("default")
    assert model_note("galaxy").startswith("With error bars. Trained on galaxies of mixed")
    assert "redshifts up to" in model_note("galaxy")


def test_answers_that_differ_by_more_than_their_errors_are_explained():
    answer = pd.Series({"log_age": 9.6, "metallicity": 0.0, "ebv": 0.1})
    answer = pd.concat([answer, pd.Series({f"{name}_err": 0.2 for name in answer.index})])
    near, far = (
        {"default": answer.iloc[:3].to_numpy() + 0.1},
        {"default": answer.iloc[:3].to_numpy() - [3.02, 0, 0]},
    )
    assert "agree within 2 of these errors" in others_text(answer, near, "stars")
    text = others_text(answer, far, "stars at rest")
    assert text.startswith("“Default”, which has no error bars, says log age 6.58, 3.02 dex less")
    assert "it was trained on stars at rest" in text
    assert others_text(answer * float("nan"), far, "stars") == ""
