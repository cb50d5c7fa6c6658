"""What the pages of a session share, and what outlives it."""

from dataclasses import replace

import pytest

from sspexplorer.app import cache
from sspexplorer.app.state import SharedState, accept
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel
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


def test_two_kept_models_never_share_a_name(kept):
    other = cache.keep_model("Mine", load_model("default"))
    assert other != kept
    cache.forget_model(other)


def test_a_mistyped_link_does_no_harm():
    state = SharedState()
    accept(state, {"model": "best", "magnitude": 99, "libraries": ["popstar"]})
    assert (state.model, state.magnitude, state.libraries) == ("default", 20.0, ["popstar"])


def test_a_follower_hears_only_of_what_changed():
    session = SharedState(noise=NoiseModel.sky_limited(0.05, 4))
    copy = session.follower()
    heard = []
    copy.param.watch(lambda *events: heard.extend(e.name for e in events), list(copy.param))
    session.magnitude = 18.0
    session.bring_up_to_date(copy)
    assert heard == ["magnitude"]
    copy.noise = None
    assert session.noise is None
    assert session.typical_snr == NoiseModel.default().typical_snr(18.0)
