import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sspexplorer.errors import InputError
from sspexplorer.libraries import load_library
from sspexplorer.nebular import (
    LOG_U_RANGE,
    MAX_NEBULAR_LOG_AGE,
    line_luminosities,
    line_weights,
    load_nebular,
    nebular_spectra,
    read_nebular,
    write_nebular,
)

GRID = load_nebular()
WAVELENGTH = GRID.wavelength
L_SUN = 3.828e33  # erg/s, IAU 2015 B3


def luminosity(name: str, log_age: float, metallicity: float, log_u: float) -> float:
    return float(line_luminosities(log_age, metallicity, log_u)[0, GRID.line(name)])


def test_the_grid_is_the_one_described():
    assert GRID.log_u[[0, -1]].tolist() == list(LOG_U_RANGE)
    assert GRID.log_age[[0, -1]].tolist() == [6.0, MAX_NEBULAR_LOG_AGE]
    assert GRID.metallicity[[0, -1]].tolist() == [-2.301, 0.0]
    assert GRID.lines.dtype == GRID.continuum.dtype == np.float32
    assert np.array_equal(WAVELENGTH, load_library("bc03").wavelength)
    with pytest.raises(ValueError, match="read-only"):
        GRID.lines[0] = 0


@pytest.mark.parametrize("metallicity", [-2.0, -0.7, 0.0])
@pytest.mark.parametrize("log_u", [-3.5, -2.5])
def test_balmer_decrement_is_case_b(metallicity, log_u):
    """Osterbrock & Ferland (2006), Table 4.4: Hα/Hβ 2.86, Hγ/Hβ 0.468 at 10 000 K."""
    beta = luminosity("Hβ", 6.3, metallicity, log_u)
    assert luminosity("Hα", 6.3, metallicity, log_u) / beta == pytest.approx(2.86, rel=0.05)
    assert luminosity("Hγ", 6.3, metallicity, log_u) / beta == pytest.approx(0.468, rel=0.05)


@pytest.mark.parametrize(
    ("strong", "weak"), [("[O III] 5007", "[O III] 4959"), ("[N II] 6583", "[N II] 6548")]
)
def test_doublets_have_the_ratio_of_their_transition_rates(strong, weak):
    """Storey & Zeippen (2000): 2.98 for [O III], 3.05 for [N II]."""
    ratio = GRID.lines[:, :, :8, GRID.line(strong)] / GRID.lines[:, :, :8, GRID.line(weak)]
    assert ratio == pytest.approx(2.98, rel=0.04)


def test_halpha_of_constant_star_formation_is_the_calibration_of_others():
    """Kennicutt & Evans (2012), Table 1: log L(Hα) = 41.27 for 1 M_sun/yr, from Starburst99."""
    age = np.arange(1e4, 10**MAX_NEBULAR_LOG_AGE, 1e4)
    halpha = line_luminosities(np.log10(age), np.zeros(len(age)), -3.0)[:, GRID.line("Hα")]
    log_luminosity = np.log10(np.trapezoid(halpha.astype(float), age) * L_SUN)
    assert log_luminosity == pytest.approx(41.27, abs=0.2)


@given(age=st.floats(6, 6.7), metallicity=st.floats(-2.3, 0.5), low=st.floats(-4, -3))
def test_oxygen_is_ionised_more_by_more_photons_and_hydrogen_is_not(age, metallicity, low):
    high = low + 1
    weak, strong = (luminosity("[O III] 5007", age, metallicity, u) for u in (low, high))
    assert strong > weak
    weak, strong = (luminosity("Hα", age, metallicity, u) for u in (low, high))
    assert strong == pytest.approx(weak, rel=0.05)


@given(
    first=st.floats(2000, 5000),
    steps=st.lists(st.floats(0.1, 60), min_size=3, max_size=300),
)
def test_lines_keep_their_light_and_their_place_on_any_grid(first, steps):
    wavelength = first + np.concatenate([[0], np.cumsum(steps)])
    weights = line_weights(GRID.line_wavelength, wavelength)
    edges = wavelength[0] + steps[0] / 3, wavelength[-1] - steps[-1] / 3
    inside = (GRID.line_wavelength >= edges[0]) & (GRID.line_wavelength <= edges[1])
    assert (weights >= -1e-12).all()
    assert weights[~inside] == pytest.approx(0)
    step, low, high = np.diff(wavelength), wavelength[:-1], wavelength[1:]
    light = (step / 2 * (weights[:, :-1] + weights[:, 1:])).sum(axis=1)
    assert light[inside] == pytest.approx(1)
    moment = step / 6 * (weights[:, :-1] * (2 * low + high) + weights[:, 1:] * (low + 2 * high))
    assert moment.sum(axis=1)[inside] == pytest.approx(GRID.line_wavelength[inside])


@given(step=st.floats(0.5, 30), age=st.floats(5, 7.4), log_u=st.floats(*LOG_U_RANGE))
def test_a_spectrum_holds_the_luminosity_of_its_lines(step, age, log_u):
    wavelength = np.arange(1450, 11050, step)
    spectrum = nebular_spectra([age], [-0.2], log_u, wavelength, continuum=False)
    total = line_luminosities([age], [-0.2], log_u).sum()
    assert np.trapezoid(spectrum[0].astype(float), wavelength) == pytest.approx(total, rel=1e-4)


def test_at_a_point_of_the_grid_its_own_continuum_comes_back():
    found = nebular_spectra([6.5], [-0.699], -2.0, WAVELENGTH, lines=False)
    assert found[0] == pytest.approx(GRID.continuum[2, 4, 5], rel=1e-5)
    blue, red = np.searchsorted(WAVELENGTH, (3600, 3700))
    assert found[0, blue] > 2 * found[0, red]  # the Balmer jump


def test_between_ages_the_light_is_the_geometric_mean():
    at = [luminosity("Hα", age, 0.0, -3.0) for age in (6.8, 6.85, 6.9)]
    assert at[1] == pytest.approx(np.sqrt(at[0] * at[2]), rel=1e-5)


def test_old_populations_ionise_nothing_and_young_ones_beside_them_still_do():
    wavelength = WAVELENGTH[::10]
    spectra = nebular_spectra([7.4, 7.41, 10.0], [0, 0, 0], -3.0, wavelength)
    assert spectra.dtype == np.float32
    assert (spectra[0] > 0).all()
    assert not spectra[1:].any()
    assert not line_luminosities([8.0], [0.0], -3.0).any()


def test_outside_the_grid_the_nearest_is_taken():
    inside = nebular_spectra([6.0, 6.0], [0.0, -2.301], [-3.0, -2.0], WAVELENGTH)
    outside = nebular_spectra([5.0, 6.0], [0.4, -5.0], [-3.0, -2.0], WAVELENGTH)
    assert outside == pytest.approx(inside)


def test_errors_name_what_is_wrong(tmp_path):
    with pytest.raises(InputError, match="log U goes from -4 to -1"):
        nebular_spectra([6], [0], -0.5, WAVELENGTH)
    with pytest.raises(InputError, match="finite"):
        line_luminosities([np.nan], [0], -3)
    with pytest.raises(InputError, match="no nebular line called 'Hz'"):
        GRID.line("Hz")
    with pytest.raises(InputError, match="no nebular grid at"):
        read_nebular(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("<html>")
    with pytest.raises(InputError, match="not a nebular grid"):
        read_nebular(tmp_path / "text.h5")


def test_the_grid_survives_its_file_and_gives_the_same_bytes(tmp_path):
    write_nebular(GRID, tmp_path / "a.h5")
    write_nebular(read_nebular(tmp_path / "a.h5"), tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
