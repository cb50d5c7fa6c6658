"""What a server makes once: each key for itself, so much and no more, and gone with its owner."""

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from sspexplorer.app import cache
from sspexplorer.app.once import Once
from sspexplorer.errors import InputError
from sspexplorer.models import load_model

PATIENCE = 20  # s; only a test that fails waits so long


def test_two_keys_are_made_side_by_side_and_what_is_known_waits_for_neither():
    both_begun = threading.Barrier(2, timeout=PATIENCE)
    may_end = threading.Event()

    def make(key: str) -> str:
        if key != "known":
            both_begun.wait()
            assert may_end.wait(PATIENCE)
        return key.upper()

    kept = Once(make)
    assert kept("known") == "KNOWN"
    with ThreadPoolExecutor(2) as threads:
        slow = [threads.submit(kept, key) for key in ("one", "other")]
        with ThreadPoolExecutor(1) as third:
            assert third.submit(kept, "known").result(PATIENCE) == "KNOWN"
        may_end.set()
        assert [future.result(PATIENCE) for future in slow] == ["ONE", "OTHER"]


def test_whoever_asks_for_the_same_key_waits_for_the_one_who_makes_it():
    begun, may_end, made = threading.Event(), threading.Event(), []

    def make(key: str) -> object:
        begun.set()
        assert may_end.wait(PATIENCE)
        made.append(key)
        return object()

    kept = Once(make)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(kept, "key")
        assert begun.wait(PATIENCE)
        second = threads.submit(kept, "key")
        may_end.set()
        assert first.result(PATIENCE) is second.result(PATIENCE)
    assert made == ["key"]


def test_what_failed_is_tried_again():
    answers = iter([InputError("Not yet."), 7])

    def make() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    kept = Once(make)
    with pytest.raises(InputError, match="Not yet"):
        kept()
    assert kept() == kept() == 7


def test_what_was_asked_for_longest_ago_goes_first():
    made = []
    kept = Once(lambda key: made.append(key) or key, most=2)
    for key in ("a", "b", "a", "c", "a", "b"):
        assert kept(key) == key
    assert made == ["a", "b", "c", "b"]


def test_no_more_bytes_are_kept_than_allowed_but_the_last():
    made = []
    kept = Once(lambda n: made.append(n) or np.zeros(n), most_bytes=8 * 100)
    for n in (60, 40, 60, 40, 50, 60, 500, 500):
        assert len(kept(n)) == n
    # 50 and 40 were over the bound with 60, which had been asked for longest ago.
    assert made == [60, 40, 50, 60, 500]


class Owner:
    """Something that a visitor made; neither hashed nor compared, but known by itself."""

    __hash__ = None


def test_what_was_made_of_something_goes_with_it():
    kept = Once(lambda owner, key: Owner())
    one, other = Owner(), Owner()
    value = weakref.ref(kept(one, "key"))
    assert kept(one, "key") is value()
    assert kept(other, "key") is not value()
    del one
    gc.collect()
    assert value() is None
    assert kept(other, "key") is kept(other, "key")


def test_a_network_that_was_forgotten_leaves_nothing_and_answers_nothing():
    model = load_model("default")
    model = replace(model, card=model.card | {"name": "mine"})
    name = cache.keep_model("Mine", model)
    answers = {
        "galaxies": lambda: cache.map_galaxies("real", name),
        "metrics": lambda: cache.magnitude_metrics(name, "ssp", ("popstar",)),
    }
    for ask in answers.values():
        ask()
    table = weakref.ref(cache.held_out_table(name, "ssp"))
    owner = weakref.ref(model)
    assert table() is not None
    cache.forget_model(name)
    for ask in answers.values():
        with pytest.raises(InputError, match="Mine"):
            ask()
    del model
    gc.collect()
    assert owner() is None
    assert table() is None
