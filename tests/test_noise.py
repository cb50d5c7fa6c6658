import numpy as np
import pytest

from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.noise import NoiseModel


def test_the_table_is_linear_between_magnitudes_and_held_beyond():
    errors = np.array([0.1, 0.3])[:, None] * np.ones(57)
    noise = NoiseModel(np.array([18.0, 20.0]), errors, "test")
    assert noise.magnitude_error(18.5)[0] == pytest.approx(0.15)
    assert noise.magnitude_error(np.array([10.0, 25.0]))[:, 0] == pytest.approx([0.1, 0.3])


def test_noise_has_the_width_that_it_reports(rng):
    noise = NoiseModel.default()
    flux = np.full((20_000, 57), 3.0)
    noisy, error = noise.add(flux, 20.0, rng)
    pull = (noisy - flux) / error
    assert pull.mean() == pytest.approx(0, abs=0.01)
    assert pull.std() == pytest.approx(1, abs=0.01)
    # Δm = 2.5/ln(10) σ/F, the paper's footnote 4
    assert error[0] / 3.0 == pytest.approx(noise.magnitude_error(20.0) * np.log(10) / 2.5)


def test_the_default_grows_with_magnitude_to_the_red_and_is_sky_limited_when_faint():
    noise = NoiseModel.default()
    faint = noise.magnitude_error(np.arange(16.0, 22.1, 0.5))
    assert (np.diff(faint, axis=0) > 0).all()
    assert faint[-1, BAND_NAMES.index("J0900")] > 2 * faint[-1, BAND_NAMES.index("J0480")]
    # sky noise at a fixed aperture grows by 10^0.4; apertures shrink by 10^0.25 in area
    assert faint[-1] / faint[-3] == pytest.approx(np.full(57, 10 ** (0.4 - 0.125)), rel=0.05)


def test_a_table_is_measured_from_a_catalogue_as_the_mean_error(rng):
    truth = NoiseModel.default()
    magnitude = rng.uniform(17, 21, 4000)
    error = truth.magnitude_error(magnitude) * rng.uniform(0.8, 1.2, (4000, 57))
    error[rng.random(error.shape) < 0.1] = np.nan
    measured = NoiseModel.from_catalogue(magnitude, error, edges=np.arange(17, 21.1, 0.5))
    assert measured.magnitudes.tolist() == [17.25, 17.75, 18.25, 18.75, 19.25, 19.75, 20.25, 20.75]
    expected = truth.magnitude_error(measured.magnitudes)
    assert measured.errors == pytest.approx(expected, rel=0.1)


def test_a_catalogue_without_errors_in_a_band_is_refused_by_name():
    error = np.full((5, 57), 0.1)
    error[:, 3] = np.nan
    with pytest.raises(InputError, match="J0400"):
        NoiseModel.from_catalogue(np.linspace(17, 18, 5), error)


@pytest.mark.parametrize(
    ("magnitudes", "errors", "sentence"),
    [
        ([18.0], np.ones((1, 56)), "57 errors"),
        ([18.0, 17.0], np.ones((2, 57)), "must increase"),
        ([18.0], np.zeros((1, 57)), "must be positive"),
    ],
)
def test_impossible_tables_are_refused(magnitudes, errors, sentence):
    with pytest.raises(InputError, match=sentence):
        NoiseModel(np.array(magnitudes), errors, "test")
