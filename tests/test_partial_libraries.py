"""Libraries that cover some of the bands: the others are gaps, from mocks to answers."""

import numpy as np
import pytest
import torch

from sspexplorer.errors import InputError
from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.gaps import LEAST_BANDS
from sspexplorer.libraries import LIBRARY_NAMES, SHIPPED_NAMES, load_library
from sspexplorer.mocks import MockSample, make_mocks, observe
from sspexplorer.models import load_model
from sspexplorer.networks.recipes import get_recipe
from sspexplorer.networks.training import train
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.exact import ExactPosterior
from sspexplorer.posterior.likeness import learn_likeness
from sspexplorer.posterior.observing import Observer
from sspexplorer.sedfit import fit, make_grid

PARTIAL = ("m11", "mastar")


@pytest.fixture(scope="module")
def mocks() -> MockSample:
    return make_mocks(PARTIAL, magnitudes=(17,), ebv_grid=(0.1,))


def test_mocks_lack_what_their_library_lacks(mocks, tmp_path):
    for name in PARTIAL:
        rows = (mocks.labels["library"] == name).to_numpy()
        for array in (mocks.flux, mocks.flux_err, mocks.noise_free):
            assert (np.isfinite(array[rows]) == load_library(name).covered_bands()).all()
    assert np.nanmedian(mocks.flux, axis=1) == pytest.approx(np.ones(len(mocks)), rel=1e-5)
    mocks.to_parquet(tmp_path / "mocks.parquet")
    again = MockSample.from_parquet(tmp_path / "mocks.parquet")
    assert np.array_equal(again.flux, mocks.flux, equal_nan=True)
    # Redder bands leave M11 and bluer ones come in as it is redshifted.
    far = observe(load_library("m11"), 9.5, 0.0, redshift=0.1)
    assert np.isfinite(far.flux).sum() == load_library("m11").covered_bands(0.1).sum() == 49
    assert np.isnan(far.flux[0])


def test_they_are_no_part_of_what_was_not_named():
    assert set(make_mocks(magnitudes=(17,), ebv_grid=(0,)).labels["library"]) == {*LIBRARY_NAMES}
    assert SSPPrior().libraries == LIBRARY_NAMES
    assert GalaxyPrior().libraries == SHIPPED_NAMES


@pytest.mark.parametrize("prior", [SSPPrior, GalaxyPrior])
def test_a_posterior_trains_on_them_as_on_gaps(prior):
    drawn = prior(libraries=("bc03", *PARTIAL), max_redshift=0.0).draw(300, seed=1)
    there = torch.from_numpy(np.isfinite(drawn.flux))
    assert set(drawn.library) == {"bc03", *PARTIAL}
    if prior is GalaxyPrior:
        # Young stars are of libraries that have them.
        n_old, n_young = ((drawn.library == name).sum() for name in PARTIAL)
        assert n_young > n_old
    assert np.isfinite(drawn.targets).all()
    for few in (False, True):
        observer = Observer(NoiseModel.default(), torch.Generator().manual_seed(3), few_bands=few)
        seen = observer.observe(torch.from_numpy(drawn.flux), torch.from_numpy(drawn.redshift))
        assert torch.isfinite(seen.inputs).all()
        present = seen.inputs[:, 114:171] > 0
        assert not (present & ~there).any()
        assert present.sum(dim=1).min() >= LEAST_BANDS
    likeness = learn_likeness(drawn, drawn, NoiseModel.default(), n_templates=100)
    assert np.isfinite(likeness.templates).all()
    assert np.isfinite(likeness.quantiles).all()


def test_networks_fill_them(mocks):
    predicted = load_model("default").predict(mocks.flux)
    assert np.isfinite(predicted).all()
    delta = np.abs(predicted[:, 0] - mocks.labels["log_age"])
    assert np.median(delta) < 0.5
    both = make_mocks(("emiles", "m11"), magnitudes=(17,), ebv_grid=(0.0, 0.1))
    model = train(both, get_recipe("default", epochs=1))
    assert np.isfinite(model.templates).all()
    assert np.isfinite(model.card["training"]["validation"]).all()
    with pytest.raises(InputError, match="all 57 bands"):
        train(mocks, get_recipe("default", epochs=1))


def test_the_exact_posterior_leaves_them_out(mocks):
    row = mocks.flux[:1]
    models = make_grid(("emiles",), ebv=(0.1,))
    relative = NoiseModel.default().relative_error(np.array([17.0]))
    exact = ExactPosterior(models.flux)
    there = np.isfinite(row)
    given = exact.probabilities(row, np.where(there, relative, np.nan))
    assert given == pytest.approx(exact.probabilities(row, relative))
    assert given.sum() == pytest.approx(1)


def test_fits_use_the_bands_that_all_models_cover(mocks):
    rows = np.flatnonzero((mocks.labels["library"] == "m11").to_numpy())[:20]
    grid = make_grid(("m11", "mastar"), ebv=(0.1,))
    found = fit(grid, mocks.flux[rows], mocks.flux_err[rows])
    both = load_library("m11").covered_bands() & load_library("mastar").covered_bands()
    assert (grid.covered == both).all()
    assert (found["fit_n_bands"] == both.sum()).all()
    assert found["fit_chi2"].median() == pytest.approx(1, abs=0.4)
