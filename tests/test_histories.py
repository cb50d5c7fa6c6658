import numpy as np
import pytest

from sspexplorer.errors import InputError
from sspexplorer.histories import compose, formed_mass
from sspexplorer.libraries import load_library


def test_a_short_burst_is_the_ssp_of_its_age():
    library = load_library("bc03")
    index = library.nearest(9.0, 0.0)
    age = 10 ** library.log_age[index]
    burst = compose(library, lambda t: (np.abs(t - age) < 0.01 * age).astype(float), 0.0)
    assert burst.light_log_age == pytest.approx(9.0, abs=0.02)
    assert burst.spectrum == pytest.approx(library.spectra[index], rel=0.02)


def test_constant_star_formation_has_the_mean_age_of_a_uniform_distribution():
    log_age = np.linspace(6.2, 10.1, 200)
    mass = formed_mass(log_age, lambda t: (t < 1e10).astype(float))
    assert mass.sum() == pytest.approx(1)
    assert mass @ 10**log_age == pytest.approx(0.5e10, rel=0.02)


def test_light_is_younger_than_mass():
    history = compose(load_library("popstar"), lambda t: np.ones_like(t), 0.0)
    assert history.light_log_age < history.mass_log_age - 0.3


def test_a_history_without_stars_is_refused():
    with pytest.raises(InputError, match="forms no stars"):
        formed_mass(np.array([6.5, 7.0, 8.0]), lambda t: np.zeros_like(t))
