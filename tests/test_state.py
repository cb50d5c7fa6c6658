"""What the pages of a session share, and what outlives it."""

import gc
import weakref
from dataclasses import replace

import pytest

from sspexplorer.analysis.sed_map import MapMocks, map_table
from sspexplorer.app import cache
from sspexplorer.app.choices import accept, write_query
from sspexplorer.app.explore.sed_map import SEDMap
from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.app.kit.page import Page
from sspexplorer.app.state import MEASURED, QUERY, SharedState
from sspexplorer.catalogue import read_catalogue
from sspexplorer.embedding import load_embedding
from sspexplorer.mocks import make_mocks
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
from sspexplorer.resources import data_path
from sspexplorer.shipped import compared_networks


@pytest.fixture
def kept() -> str:
    model = load_model("default")
    name = cache.keep_model("Mine", replace(model, card=model.card | {"name": "mine"}))
    yield name
    cache.forget_model(name)


def test_a_kept_model_is_known_by_its_name_until_it_is_forgotten(kept):
    state = SharedState(model=kept)
    assert cache.model(state.model).card["name"] == "mine"
    assert cache.model_card(kept)["name"] == "mine"
    assert compared_networks(kept) == (kept, "default", "paper")
    cache.forget_model(kept)
    with pytest.raises(ValueError, match="no model"):
        SharedState(model=kept)


def test_a_mistyped_link_does_no_harm():
    state = SharedState()
    accept(state, {"model": "best", "magnitude": 99, "libraries": ["popstar"]})
    assert (state.model, state.magnitude, state.libraries) == ("default", 20.0, ["popstar"])


def test_noise_has_the_depths_of_a_field_or_is_measured_and_a_link_tells_which():
    state = SharedState()
    accept(state, {"depths": "JNEP"})
    assert state.noise is state.noise_model is NoiseModel.of_field("JNEP")
    assert state.noise_words == "the depths of J-NEP"
    assert write_query(state, QUERY)["depths"] == "JNEP"
    own = NoiseModel.from_dict(NoiseModel.of_field("JNEP").to_dict())
    state.noise = own
    assert (state.depths, state.noise_words) == (MEASURED, "the noise you measured")
    state.depths = "smooth"
    assert (state.noise, state.noise_words) == (None, "the default noise")
    # What somebody else measured is not in their link, nor is what there is not.
    for depths in (MEASURED, "COSMOS"):
        accept(state, {"depths": depths})
        assert (state.depths, state.noise) == ("smooth", None)
    assert SharedState(noise=own).depths == MEASURED
    assert SharedState(depths="AEGIS001").noise is NoiseModel.of_field("AEGIS001")


class Reader(Page):
    """Notes when it is asked to look at the session, and whether at once."""

    FOLLOWS = ("magnitude", "libraries")

    def make(self) -> None:
        self.read: list[float] = []

    def question(self) -> float:
        return self.state.magnitude

    def answer(self, question: float, progress: object) -> float:
        return question

    def show(self, question: float, answer: float) -> None:
        self.read.append(answer)


def test_a_hidden_page_waits_and_then_looks_once():
    session = SharedState()
    hidden, seen = Reader(session), Reader(session)
    hidden.in_sight = False
    session.magnitude = 18.0
    session.param.update(magnitude=17.0, libraries=["bc03"])
    assert (hidden.read, seen.read) == ([20.0], [20.0, 18.0, 17.0])
    hidden.in_sight = True
    assert hidden.read == [20.0, 17.0]
    hidden.in_sight = False
    hidden.in_sight = True
    assert hidden.read == [20.0, 17.0]


def test_all_pages_share_one_session():
    session = SharedState(noise=NoiseModel.sky_limited(0.05, 4))
    page = Reader(session)
    page.state.noise = None
    assert session.noise is None
    assert session.typical_snr == NoiseModel.default().typical_snr(20.0)


def test_choices_are_handed_to_the_page_they_are_meant_for_once():
    session = SharedState()
    session.go("sed", noisy=True)
    assert session.page == "sed"
    assert session.take("noise") == {}
    assert session.take("sed") == {"noisy": True}
    assert session.take("sed") == {}


@pytest.fixture
def few_mocks(monkeypatch) -> None:
    """A map of few mocks, which is made in no time."""
    load_extensions()
    mocks = make_mocks(["popstar"], magnitudes=[18.0], ebv_grid=[0.0])
    table = map_table(mocks.labels, load_embedding().place(mocks.flux))
    monkeypatch.setattr(cache, "map_mocks", lambda libraries: MapMocks(table, mocks.flux))


def test_a_hidden_page_does_not_hold_a_catalogue_that_was_closed(few_mocks):
    session = SharedState(catalogue=read_catalogue(data_path("examples", "real_galaxies.csv")))
    page = SEDMap(session)
    assert page.galaxies == "own"
    assert len(page.listed.table) == 3
    closed, placed = weakref.ref(session.catalogue), weakref.ref(page.listed.placed)
    page.in_sight = False
    session.catalogue = None
    gc.collect()
    assert closed() is None
    assert placed() is None
    page.in_sight = True
    assert page.listed.table.empty
