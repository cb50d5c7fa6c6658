"""Selections that are kept: names, parts, medians against numpy's of what is put in."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from sspexplorer.analysis.selections import BOTH, MAX_KEPT, REST, Compared, Kept
from sspexplorer.errors import InputError

FIRST, SECOND = np.arange(10) < 4, (np.arange(10) > 2) & (np.arange(10) < 6)


@pytest.fixture
def kept() -> Kept:
    return Kept(10).including("  blue   cloud ", FIRST).including("massive", SECOND)


def test_names_are_kept_changed_and_removed(kept):
    assert list(kept.rows) == ["blue cloud", "massive"]
    assert list(kept.renamed("blue cloud", "Blue Cloud").rows) == ["Blue Cloud", "massive"]
    assert list(kept.without("blue cloud").rows) == ["massive"]
    # What is given out is what was kept then, whatever becomes of the original.
    chosen = FIRST.copy()
    later = Kept(10).including("a", chosen)
    chosen[:] = False
    assert later.rows["a"].sum() == 4


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (" ", "needs a name"),
        ("Massive", "“Massive” already"),
        ("a" * 41, "at most 40"),
        ("a;b", "no “;”"),
    ],
)
def test_a_name_that_cannot_be_taken_is_refused(kept, name, said):
    for act in (lambda: kept.including(name, FIRST), lambda: kept.renamed("blue cloud", name)):
        with pytest.raises(InputError, match=said):
            act()


def test_nothing_and_too_much_is_not_kept():
    with pytest.raises(InputError, match="nothing to keep"):
        Kept(10).including("a", np.zeros(10, bool))
    many = Kept(10)
    for k in range(MAX_KEPT):
        many = many.including(f"{k}", FIRST)
    with pytest.raises(InputError, match="remove one"):
        many.including("one more", FIRST)


def test_a_column_has_all_names_of_a_row(kept):
    assert kept.names_by_row().tolist() == (
        ["blue cloud"] * 3 + ["blue cloud;massive"] + ["massive"] * 2 + [""] * 4
    )


def test_parts_are_told_apart_and_those_without_rows_left_out(kept):
    compared = Compared.of(("a", FIRST), ("b", SECOND))
    assert compared.index.tolist() == [1, 1, 1, BOTH, 2, 2, REST, REST, REST, REST]
    assert compared.titles == {1: "a", 2: "b", BOTH: "in both", REST: "the rest"}
    assert (compared.rows(1) == FIRST).all()
    assert (compared.rows(2) == SECOND).all()
    assert compared.rows(REST).sum() == 4
    assert Compared.of(("a", FIRST), ("b", ~FIRST)).titles == {1: "a", 2: "b"}
    assert Compared.of(("a", FIRST)).titles == {1: "a", REST: "the rest"}


def test_medians_and_their_range_leave_out_limits_of_rates():
    ages = np.array([9.0, 9.1, 9.2, 9.3, np.nan, 8.0, 8.5, 8.6, 8.7, 8.8])
    table = pd.DataFrame({"log_age": ages, "log_ssfr": -10 - np.arange(10.0)})
    table["limit"] = np.arange(10) == 0
    answers = SimpleNamespace(table=table, axes={"log_age": "", "log_ssfr": ""})
    found = Compared.of(("a", FIRST), ("b", SECOND)).medians(answers).set_index(["answer", "part"])
    age = found.loc[("log_age", 1)]
    # 16 % of the way from the first of four to the last is 0.48 of a step.
    assert age.tolist() == pytest.approx([4, 9.15, 9.048, 9.252])
    # The one that is in both counts in each; of the second, one has no age.
    assert found.loc[("log_age", 2)].tolist() == pytest.approx([2, 8.65, 8.208, 9.092])
    assert found.loc[("log_ssfr", 1)].tolist() == pytest.approx([3, -12, -12.68, -11.32])
    assert found.loc[("log_age", REST)]["n"] == 4
    nobody = Compared.of(("a", np.arange(10) == 4)).medians(answers)
    assert nobody["n"][0] == 0
    assert np.isnan(nobody["median"][0])
