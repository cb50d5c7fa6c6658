import numpy as np
import pytest

from sspexplorer.errors import InputError
from sspexplorer.libraries import load_library
from sspexplorer.mocks import EBV_GRID, MAGNITUDES, MockSample, make_mocks, split_of
from sspexplorer.photometry import synthesize


@pytest.fixture(scope="module")
def sample() -> MockSample:
    return make_mocks(["emiles"], seed=3)


def test_every_ssp_meets_every_screen_and_magnitude_once(sample):
    assert len(sample) == 118 * len(EBV_GRID) * len(MAGNITUDES)
    assert not sample.labels.duplicated(["ssp", "ebv", "magnitude"]).any()
    assert len(EBV_GRID) == 8
    assert len(MAGNITUDES) == 13


def test_fluxes_are_divided_by_their_median(sample):
    assert np.median(sample.flux, axis=1) == pytest.approx(np.ones(len(sample)), rel=1e-5)


def test_the_same_seed_gives_the_same_mocks_and_another_does_not(sample):
    again = make_mocks(["emiles"], seed=3)
    assert np.array_equal(again.flux, sample.flux)
    assert again.labels.equals(sample.labels)
    other = make_mocks(["emiles"], seed=4)
    assert not np.array_equal(other.flux, sample.flux)
    assert other.labels.equals(sample.labels)


def test_continuous_dust_is_drawn_around_the_grid():
    made = make_mocks(["emiles"], continuous_ebv=True, magnitudes=[16.0, 17.0])
    ebv = made.labels["ebv"].to_numpy()
    assert len(np.unique(ebv)) == len(made)
    nearest = np.array(EBV_GRID)[np.abs(np.subtract.outer(ebv, EBV_GRID)).argmin(axis=1)]
    assert (np.unique(nearest, return_counts=True)[1] == len(made) / len(EBV_GRID)).all()
    library = load_library("emiles")
    row = made.labels.iloc[5]
    index = library.ids.tolist().index(row["ssp"])
    flux = synthesize(library.spectra[index], library.wavelength, row["ebv"])
    assert made.noise_free[5] == pytest.approx(flux / np.median(flux), rel=1e-4)


def test_new_noise_is_drawn_around_the_same_noise_free_flux(sample):
    chosen = sample.rows((sample.labels["magnitude"] == 20).to_numpy())
    first, second = chosen.with_new_noise(1), chosen.with_new_noise((2, 3))
    assert not np.array_equal(first.flux, second.flux)
    relative = first.flux_err / second.flux_err
    assert np.ptp(relative, axis=1) == pytest.approx(np.zeros(len(chosen)), abs=1e-4)
    pull = (first.flux - second.flux * relative) / first.flux_err
    assert pull.std() == pytest.approx(np.sqrt(2), rel=0.02)
    assert first.labels.equals(chosen.labels)


def test_no_ssp_is_in_two_splits_and_all_libraries_together_split_65_15_20():
    labels = make_mocks(magnitudes=[17.0], ebv_grid=[0.0]).labels
    assert (labels.groupby("ssp")["split"].nunique() == 1).all()
    shares = labels["split"].value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.65, abs=0.03)
    assert shares["validation"] == pytest.approx(0.15, abs=0.03)
    assert shares["test"] == pytest.approx(0.20, abs=0.03)


def test_an_ssp_keeps_its_split_in_every_sample(sample):
    alone = split_of(sample.labels["ssp"].unique()[:5])
    first = sample.labels.drop_duplicates("ssp")["split"].to_numpy()[:5]
    assert alone.tolist() == first.tolist()


def test_a_random_split_shares_ssps(sample):
    labels = make_mocks(["emiles"], split="random").labels
    assert (labels.groupby("ssp")["split"].nunique() == 3).all()


def test_a_sample_survives_its_file(sample, tmp_path):
    sample.to_parquet(tmp_path / "m.parquet")
    again = MockSample.from_parquet(tmp_path / "m.parquet")
    assert np.array_equal(again.flux, sample.flux)
    assert np.array_equal(again.flux_err, sample.flux_err)
    assert again.labels.equals(sample.labels)
    assert again.meta == sample.meta


def test_what_is_not_a_sample_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no mock sample at"):
        MockSample.from_parquet(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("age,metallicity")
    with pytest.raises(InputError, match="is not a Parquet file"):
        MockSample.from_parquet(tmp_path / "text.parquet")
    with pytest.raises(InputError, match="'ssp' or 'random'"):
        make_mocks(["emiles"], split="age")
    with pytest.raises(InputError, match="at least one library"):
        make_mocks([])
