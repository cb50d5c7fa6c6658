import json

import numpy as np
import pytest

from sspexplorer.bands import BAND_NAMES
from sspexplorer.errors import InputError
from sspexplorer.noise import DEFAULT_FIELD, NoiseModel, fields, measure_noise


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


def test_noise_of_the_sky_is_the_depth_at_five_sigma_through_an_aperture_over_a_floor():
    i, bright = BAND_NAMES.index("iSDSS"), 14.0
    small = NoiseModel.sky_limited(0.0, 1.0, "a point source at the depth")
    relative = small.magnitude_error(np.array([22.0, 24.0]))[:, i] * np.log(10) / 2.5
    # Bonoli et al. (2021): i = 24.0 at 5 σ in 3 arcsec; 2 mag brighter 10^0.8 times less.
    assert relative == pytest.approx([0.2 / 10**0.8, 0.2], rel=1e-6)
    # The area is relative at 22 and grows by 10^0.25 a magnitude; noise by its root.
    large = NoiseModel.sky_limited(0.0, 4.0, "a galaxy")
    assert large.magnitude_error(22.0)[i] == pytest.approx(2 * small.magnitude_error(22.0)[i])
    ratio = large.magnitude_error(20.0)[i] / small.magnitude_error(20.0)[i]
    assert ratio == pytest.approx(2 * 10**0.25 / 10 ** (0.125 * 2))
    floor = NoiseModel.sky_limited(0.03, 1.0, "with a floor")
    expected = np.hypot(0.03, small.magnitude_error(bright) * np.log(10) / 2.5)
    assert floor.magnitude_error(bright) * np.log(10) / 2.5 == pytest.approx(expected)


def test_each_field_has_its_own_depths():
    assert fields() == ("smooth", "AEGIS001", "AEGIS002", "AEGIS003", "AEGIS004", "JNEP")
    assert NoiseModel.of_field(DEFAULT_FIELD) is NoiseModel.default()
    # AEGIS001 is 24.065 deep in J0670 and 22.464 in J0450: 5 σ at the depth, in 3 arcsec.
    noise = NoiseModel.of_field("AEGIS001").relative_error(23.0)
    ratio = noise[BAND_NAMES.index("J0450")] / noise[BAND_NAMES.index("J0670")]
    assert ratio == pytest.approx(10 ** (0.4 * (24.065 - 22.464)), rel=0.01)
    off = [NoiseModel.of_field(name).errors[-1] for name in fields()[1:]]
    assert np.std(np.log10(off / NoiseModel.default().errors[-1])) > 0.12
    with pytest.raises(InputError, match="no field 'COSMOS'"):
        NoiseModel.of_field("COSMOS")


def test_a_table_survives_a_card():
    noise = NoiseModel.default()
    again = NoiseModel.from_dict(json.loads(json.dumps(noise.to_dict())))
    assert again.description == noise.description
    np.testing.assert_array_equal(again.magnitudes, noise.magnitudes)
    np.testing.assert_allclose(again.errors, noise.errors, atol=5e-7)


def test_noise_is_measured_where_it_means_something_and_says_so(rng):
    truth = NoiseModel.default()
    magnitude = rng.uniform(18, 20, 500)
    flux = 10 ** (-0.4 * magnitude)[:, None] * np.ones(57)
    error = flux * truth.magnitude_error(magnitude) * np.log(10) / 2.5
    # Neither a flux below 1 σ, nor an error that is not there, nor an odd magnitude has a say.
    flux[::10, 5], error[::11, 6], magnitude[::50] = 1e-12, 0.0, 99.0
    flux[:, 20] = np.nan
    found = measure_noise(flux, error, magnitude, "a survey")
    inside = found.magnitude_error(np.array([18.75, 19.25]))
    # Over half a magnitude errors grow, so the mean lies above that of the middle.
    expected = truth.magnitude_error(np.array([18.75, 19.25]))
    assert inside == pytest.approx(expected, rel=0.05)
    assert found.description == (
        "Mean magnitude errors of 490 galaxies of a survey, i = 18.0 to 20.0; "
        f"{BAND_NAMES[20]} from the neighbouring bands"
    )
    with pytest.raises(InputError, match="Only 0 galaxies"):
        measure_noise(flux, -error, magnitude)


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
        ([18.0, 18.0], np.ones((2, 57)), "must increase"),
        ([18.0], np.zeros((1, 57)), "must be positive"),
    ],
)
def test_impossible_tables_are_refused(magnitudes, errors, sentence):
    with pytest.raises(InputError, match=sentence):
        NoiseModel(np.array(magnitudes), errors, "test")
