import numpy as np
import pytest

from sspexplorer.bands import BAND_NAMES
from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.gas import IonisedGas
from sspexplorer.libraries import load_library
from sspexplorer.mocks import observe
from sspexplorer.nebular import line_luminosities, load_nebular, nebular_spectra

LIBRARY = load_library("bc03")
WAVELENGTH = LIBRARY.wavelength
GRID = load_nebular()
YOUNG = {"log_age": 6.5, "metallicity": 0.0}
STARS = LIBRARY.spectra[LIBRARY.nearest(6.5, 0.0)].astype(float)


def test_without_dust_the_light_is_the_sum_of_stars_and_gas():
    both, _ = IonisedGas(-3.0).added_to(STARS, WAVELENGTH, ebv=0.0, **YOUNG)
    glow = nebular_spectra([6.5], [0.0], -3.0, WAVELENGTH)[0]
    assert both == pytest.approx(STARS + glow, rel=1e-5)


def test_gas_lies_behind_dust_of_its_own():
    """A(Hα) − A(Hβ) of a screen reddens Hα/Hβ by the law of the dust."""
    where = GRID.line_wavelength[[GRID.line("Hα"), GRID.line("Hβ")]]
    stars = STARS * transmission(WAVELENGTH, 0.2)
    both, _ = IonisedGas(-3.0, 2.5).added_to(stars, WAVELENGTH, ebv=0.2, **YOUNG)
    glow = nebular_spectra([6.5], [0.0], -3.0, WAVELENGTH, lines=False)[0]
    lines = both - stars - glow * transmission(WAVELENGTH, 0.5)
    found = [np.trapezoid(lines[near], WAVELENGTH[near]) for near in _near(where)]
    clear = line_luminosities([6.5], [0.0], -3.0)[0][[GRID.line("Hα"), GRID.line("Hβ")]]
    assert found == pytest.approx(clear * transmission(where, 0.5), rel=1e-3)


def _near(where: np.ndarray) -> list[np.ndarray]:
    # [N II] is 14 Å away from Hα.
    return [np.abs(WAVELENGTH - w) < 9 for w in where]


def test_the_width_of_a_line_is_its_light_over_the_continuum():
    both, width = IonisedGas(-3.0).added_to(STARS, WAVELENGTH, ebv=0.0, **YOUNG)
    line = GRID.line("Hβ")
    continuum = STARS + nebular_spectra([6.5], [0.0], -3.0, WAVELENGTH, lines=False)[0]
    near = _near(GRID.line_wavelength[[line]])[0]
    measured = np.trapezoid((both / continuum - 1)[near], WAVELENGTH[near])
    assert width[line] == pytest.approx(measured, rel=0.02)
    # Leitherer et al. (1999), Fig. 81 to 83: a few hundred Å at 3 Myr, none after 20 Myr.
    assert 100 < width[line] < 500


def test_halpha_is_brightest_in_the_band_that_holds_it():
    with_gas, stars = (observe(LIBRARY, 6.9, 0.0, gas=g).noise_free for g in (IonisedGas(), None))
    assert BAND_NAMES[int(np.argmax(with_gas / stars))] == "J0660"


def test_without_gas_or_with_old_stars_nothing_is_added():
    without, with_gas = (observe(LIBRARY, 8.0, 0.0, gas=g) for g in (None, IonisedGas()))
    assert with_gas.noise_free == pytest.approx(without.noise_free)
    assert without.line_width.size == 0
    assert not with_gas.line_width.any()


@pytest.mark.parametrize("wrong", [{"log_u": 0.0}, {"log_u": np.nan}, {"ebv_ratio": -1.0}])
def test_gas_that_cannot_be_is_refused(wrong):
    with pytest.raises(InputError, match=r"log U|dust of the gas"):
        IonisedGas(**wrong)
