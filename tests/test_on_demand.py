"""Mocks without their noise: the same objects, the noise drawn again and again as it was."""

import numpy as np
import pytest

from sspexplorer.errors import InputError
from sspexplorer.mocks import LABELS, make_mocks
from sspexplorer.noise import NoiseModel
from sspexplorer.on_demand import BLOCK, MocksOnDemand, mocks_on_demand

MAGNITUDES = [16.0, 19.0, 22.0]


@pytest.fixture(scope="module")
def lazy() -> MocksOnDemand:
    return mocks_on_demand(["emiles"], magnitudes=MAGNITUDES, seed=3)


@pytest.mark.parametrize("split", ["ssp", "random"])
def test_the_objects_are_those_of_a_mock_sample(split):
    lazy = mocks_on_demand(["emiles"], magnitudes=MAGNITUDES, split=split)
    kept = make_mocks(["emiles"], magnitudes=MAGNITUDES, split=split)
    everything = lazy.take(np.arange(len(lazy))).labels.astype({"library": str, "ssp": str})
    names = list(LABELS) if split == "ssp" else [name for name in LABELS if name != "split"]
    found, expected = (
        table[names].sort_values(["ssp", "ebv", "magnitude"], ignore_index=True)
        for table in (everything, kept.labels)
    )
    assert found.equals(expected)
    for name, share in (("train", 0.65), ("validation", 0.15), ("test", 0.2)):
        rows = lazy.rows_of(name)
        assert set(lazy.take(rows).labels["split"]) == {name}
        if split == "random":
            assert len(rows) / len(lazy) == pytest.approx(share, abs=0.02)


def test_noise_depends_on_the_mock_and_the_draw_alone(lazy):
    rows = np.array([5, 2 * BLOCK, 700, 3])
    together, alone = lazy.take(rows), lazy.take(rows[2:3])
    assert np.array_equal(together.flux[2:3], alone.flux)
    assert np.array_equal(together.flux, lazy.take(rows[::-1]).flux[::-1])
    again = lazy.take(rows, draw=1)
    assert again.labels.equals(together.labels)
    assert not np.isclose(again.flux, together.flux).any(axis=1).all()


def test_noise_is_the_gaussian_of_the_noise_model(lazy):
    faint = lazy.take(np.arange(len(lazy)))
    faint = faint.rows((faint.labels["magnitude"] == 19.0).to_numpy())
    # Against the SED without noise, on the scale of the noisy one.
    error = faint.flux_err
    drawn = (faint.flux - error / NoiseModel.default().relative_error(19.0)) / error
    n = drawn.size
    assert drawn.mean() == pytest.approx(0, abs=5 / n**0.5)
    assert drawn.std() == pytest.approx(1, abs=5 / (2 * n) ** 0.5)
    pairs = np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]
    assert pairs == pytest.approx(0, abs=5 / len(drawn) ** 0.5)


def test_a_subset_leaves_all_test_mocks_and_takes_so_many_of_the_others(lazy):
    some = lazy.subset(100, seed=2)
    assert len(some.rows_of("train")) + len(some.rows_of("validation")) == 100
    assert np.array_equal(some.rows_of("test"), lazy.rows_of("test"))
    assert some.meta["subset"] == {"n": 100, "seed": 2}
    with pytest.raises(InputError, match="at least one mock, not 0"):
        lazy.subset(0)


def test_what_is_kept_does_not_grow_with_the_magnitudes():
    def size(magnitudes: list[float]) -> tuple[int, int]:
        lazy = mocks_on_demand(["emiles"], magnitudes=magnitudes)
        return lazy.seds.nbytes, lazy.which.nbytes + lazy.places.nbytes

    (seds, numbers), (more_seds, more_numbers) = size([17.0]), size([16.0, 17.0, 18.0])
    assert more_seds == seds
    assert more_numbers == 3 * numbers < 0.1 * seds
