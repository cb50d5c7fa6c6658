from itertools import pairwise

import numpy as np
import pytest

from sspexplorer.bands import load_bands
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.libraries import SHIPPED_NAMES, SSPLibrary, load_library
from sspexplorer.libraries.differences import measure
from sspexplorer.libraries.residuals import LibraryResiduals, load_differences


@pytest.fixture(scope="module")
def few() -> SSPLibrary:
    """Old SSPs of E-MILES, near solar."""
    library = load_library("emiles")
    return library.select((library.log_age > 9.3) & (library.metallicity > -0.8))


def altered(library: SSPLibrary, name: str, factor: np.ndarray) -> SSPLibrary:
    labels = {key: getattr(library, key) for key in ("log_age", "metallicity")}
    return SSPLibrary.from_arrays(name, library.wavelength, library.spectra * factor, **labels)


def test_a_library_that_is_another_one_behind_dust_differs_in_ebv_alone(few):
    redder = altered(few, "redder", transmission(few.wavelength, 0.1))
    found = measure([few, redder])
    of_redder = found.rows(found.of == "redder")
    assert of_redder.residual.std() < 0.003
    assert np.median(of_redder.shift, axis=0) == pytest.approx([0, 0, 0.1], abs=0.011)
    # Without a fit the reddening is in the difference, with the mean over bands taken out.
    assert (of_redder.same[:, 0] - of_redder.same[:, 50] > 0.2).all()
    assert np.nanmean(of_redder.same, axis=1) == pytest.approx(np.zeros(len(of_redder)), abs=1e-9)


def test_what_no_parameter_takes_up_is_left(few):
    ripple = 1 + 0.05 * np.sin(few.wavelength / 120)
    found = measure([few, altered(few, "rippled", ripple)])
    pivot = load_bands().pivot[3:50]
    seen = found.residual[found.of == "rippled"][:, 3:50]
    expected = -2.5 * np.log10(1 + 0.05 * np.sin(pivot / 120))
    assert np.corrcoef(np.median(seen, axis=0), expected)[0, 1] > 0.9
    assert found.residual.std() == pytest.approx(0.035, rel=0.4)


def test_bands_that_one_library_lacks_are_missing_and_pairs_count_alike():
    found = load_differences()
    assert set(found.of) == set(found.by) == set(SHIPPED_NAMES)
    for of, by in (("m11", "bc03"), ("mastar", "m11")):
        pair = (found.of == of) & (found.by == by)
        there = load_library(of).covered_bands() & load_library(by).covered_bands()
        assert (np.isfinite(found.residual[pair]) == there).all()
        assert found.weight[pair].sum() == pytest.approx(1 / 20)
    assert np.abs(np.nanmean(found.residual, axis=1)).max() < 1e-3


@pytest.mark.parametrize("kind", ["fitted", "same"])
def test_draws_vary_as_was_measured(kind):
    found = load_differences()
    rows = found.residual if kind == "fitted" else found.same
    there = np.isfinite(rows)
    used = there.any(axis=1)
    weight = found.rows(used).weight @ np.where(there, rows, 0)[used] ** 2
    measured = np.sqrt(weight / (found.rows(used).weight @ there[used]))
    residuals = LibraryResiduals.load(kind)
    drawn = residuals.draw(20_000, np.random.default_rng(1))
    assert drawn.shape == (20_000, 57)
    assert residuals.sigma == pytest.approx(measured)
    assert drawn.std(axis=0) == pytest.approx(measured, rel=0.03)
    assert np.array_equal(drawn, residuals.draw(20_000, np.random.default_rng(1)))
    # Neighbours go together, and the largest components come first, at right angles.
    order = np.argsort(load_bands().pivot[:54])
    beside = [np.corrcoef(drawn[:, a], drawn[:, b])[0, 1] for a, b in pairwise(order)]
    assert np.median(beside) > 0.6
    gram = residuals.components @ residuals.components.T
    assert gram == pytest.approx(np.diag(np.diag(gram)), abs=1e-9)
    assert (np.diff(residuals.explained) <= 0).all()


def test_gaps_do_not_hide_what_is_there():
    # Rows of one factor, half of them without the reddest bands: it is found all the same.
    rng = np.random.default_rng(3)
    found = load_differences()
    found = found.rows(np.isfinite(found.residual).all(axis=1))
    tilt = np.linspace(-0.05, 0.05, 57)
    rows = rng.normal(size=(len(found), 1)) * tilt + rng.normal(0, 0.003, (len(found), 57))
    rows[::2, 40:] = np.nan
    rows -= np.nanmean(rows, axis=1, keepdims=True)
    made = type(found)(rows, *(getattr(found, k) for k in list(found.__dataclass_fields__)[1:]))
    described = LibraryResiduals.of(made, n_components=1)
    assert abs(np.corrcoef(described.components[0], tilt)[0, 1]) > 0.99


def test_a_library_can_be_held_out():
    held = LibraryResiduals.load(without=("bc03",))
    assert len(held.pairs) == 12
    assert all("bc03" not in pair for pair in held.pairs)
    whole = LibraryResiduals.load()
    assert len(whole.pairs) == 20
    assert LibraryResiduals.load() is whole
    assert not np.allclose(held.sigma, whole.sigma, rtol=0.01)
    with pytest.raises(InputError, match="fitted or same"):
        LibraryResiduals.load("best")
    with pytest.raises(InputError, match="at least two libraries"):
        LibraryResiduals.load(without=SHIPPED_NAMES[:4])
    with pytest.raises(InputError, match="covers all bands"):
        LibraryResiduals.load(without=SHIPPED_NAMES[:3])
