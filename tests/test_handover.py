"""Catalogues from one process to another: the same numbers, in a file and not in memory."""

import pickle

import numpy as np
import pyarrow as pa
import pytest

from sspexplorer.jobs.handover import hand_over, take


@pytest.mark.parametrize(
    "found",
    [
        np.arange(1000.0).reshape(10, 100),
        np.arange(12.0).reshape(3, 4).T,
        np.empty((0, 57)),
        np.array(["a", None], object),
        "a sentence",
        ("question", "unit", ("mag", "fnu")),
    ],
)
def test_what_is_taken_is_what_was_handed_over(tmp_path, found):
    hand_over(found, tmp_path / "x")
    taken = take(tmp_path / "x", pickle.Unpickler)
    if isinstance(found, np.ndarray):
        np.testing.assert_array_equal(taken, found)
    else:
        assert taken == found


def test_tables_keep_their_types_and_blanks(tmp_path):
    table = pa.table({"id": ["a", None, "ö"], "n": [1, None, 3]}).slice(1)
    hand_over({"table": table}, tmp_path / "x")
    assert take(tmp_path / "x", pickle.Unpickler)["table"].equals(table)


def test_numbers_stay_in_the_file_and_can_be_changed_all_the_same(tmp_path):
    path = tmp_path / "x"
    hand_over(np.zeros(1_000_000), path)
    written = path.read_bytes()
    taken = take(path, pickle.Unpickler)
    assert not taken.flags.owndata
    taken[0] = 1.0
    assert path.read_bytes() == written
    path.unlink()
    assert taken.sum() == 1.0
