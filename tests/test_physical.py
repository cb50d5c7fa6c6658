"""Masses and rates of star formation from posteriors, against closed forms."""

import numpy as np
import pytest
from astropy.cosmology import FlatLambdaCDM

from sspexplorer.bands import load_bands
from sspexplorer.galaxies.derived import log_mass_to_light
from sspexplorer.masses import Cosmology, surviving_share
from sspexplorer.photometry import spectral_fnu
from sspexplorer.populations import observed
from sspexplorer.posterior.density import Bounds, Mixture
from sspexplorer.posterior.physical import Light, physical

BOUNDS = Bounds(("log_mass_to_light", "log_ssfr", "redshift"), (-2.0, -14.0, 0.0), (5.0, -7.0, 1.0))


def known(ml: float, ssfr: float, z: float, width: float = 1e-4) -> Mixture:
    """Posterior of one galaxy that is one narrow Gaussian about these values."""
    means = BOUNDS.to_normal(np.array([ml, ssfr, z])).reshape(1, 1, 3)
    return Mixture(BOUNDS, np.ones((1, 1)), means, width * np.eye(3).reshape(1, 1, 3, 3))


def light(magnitude: float = 18.0, z: float = np.nan, error: float = np.nan) -> Light:
    return Light(*(np.array([value]) for value in (magnitude, z, error)))


def told(joint: Mixture, log_surviving: float, seen: Light, quiescent: bool = False) -> dict:
    return physical(joint, np.array([log_surviving]), seen, np.array([quiescent]))


def expected(ml: float, magnitude: float, z: float) -> float:
    modulus = FlatLambdaCDM(H0=67.66, Om0=0.3111).distmod(z).value
    return ml - 0.4 * (magnitude - modulus - 2.5 * np.log10(1 + z))


@pytest.mark.parametrize("given", [True, False])
def test_mass_is_that_of_light_and_distance(given):
    found = told(known(2.0, -10.0, 0.3), -0.2, light(z=0.3 if given else np.nan))
    mass = expected(2.0, 18.0, 0.3)
    assert found["pred_log_mass"] == pytest.approx(mass, abs=2e-3)
    assert found["pred_log_mass_formed"] == pytest.approx(mass + 0.2, abs=2e-3)
    assert found["pred_log_sfr"] == pytest.approx(mass - 10.0, abs=2e-3)


@pytest.mark.parametrize("z", [0.02, 0.8])
def test_a_galaxy_of_known_mass_weighs_that(z):
    """A flat L_λ of 0.01 L_sun/Å for each of 10^11 M☉, as it is learnt and as it is seen."""
    wavelength, unit = np.arange(1500.0, 11000.1, 5.0), 1e-2
    spectrum = np.full((1, len(wavelength)), unit, dtype=np.float32)
    _, median = observed(lambda rows: spectrum[rows], wavelength, np.array([z]))
    learnt = log_mass_to_light(np.ones(1), median)[0]
    distance = FlatLambdaCDM(H0=67.66, Om0=0.3111).luminosity_distance(z).to_value("cm")
    seen = 1e11 * unit * 3.828e33 / (4 * np.pi * distance**2 * (1 + z))  # erg/s/cm²/Å
    flux = seen * spectral_fnu(np.ones(1), load_bands().pivot) / (1e-23 * 3631)
    magnitude = -2.5 * np.log10(np.median(flux))
    found = told(known(learnt, -10.0, z), 0.0, light(magnitude, z))
    assert found["pred_log_mass"] == pytest.approx(11.0, abs=5e-3)


def test_an_error_of_a_redshift_is_one_of_the_mass():
    """Near by, a distance is as uncertain as its redshift: M is as d²."""
    found = told(known(2.0, -10.0, 0.05), 0.0, light(z=0.05, error=0.002))
    assert found["pred_log_mass_err"] == pytest.approx(2 * 0.002 / 0.05 / np.log(10), rel=0.1)


def test_quantiles_are_those_of_a_gaussian():
    found = told(known(2.0, -10.0, 0.3, width=0.01), 0.0, light(z=0.3))
    half = (found["pred_log_mass_p84"] - found["pred_log_mass_p16"]) / 2
    assert half == pytest.approx(0.9945 * found["pred_log_mass_err"], rel=0.05)


def test_no_star_formation_is_an_upper_limit():
    found = told(known(2.0, -13.5, 0.3), 0.0, light(z=0.3), quiescent=True)
    assert np.isnan(found["pred_log_sfr_err"])
    assert found["pred_log_sfr"] == pytest.approx(found["pred_log_mass"] - 13.5, abs=0.01)


def test_without_a_distance_or_a_unit_there_is_no_mass():
    for seen in (light(z=0.001), light(magnitude=np.nan, z=0.3)):
        found = told(known(2.0, -10.0, 0.001), 0.0, seen)
        assert np.isnan(found["pred_log_mass"])
        assert np.isnan(found["pred_log_sfr"])


def test_the_universe_is_as_old_as_astropy_says():
    z = np.array([0.0, 0.5, 1.0])
    model = FlatLambdaCDM(H0=70, Om0=0.3)
    assert Cosmology(70.0, 0.3).age(z) == pytest.approx(model.age(z).to_value("yr"))


def test_what_survives_is_what_the_table_says():
    assert surviving_share(np.array([5.0]), np.array([0.0])) == pytest.approx(1.0, abs=1e-3)
    old = surviving_share(np.array([10.0, 10.1, 9.0]), np.array([0.0, 0.0, 0.0]))
    assert np.all(np.diff(old[[1, 0, 2]]) > 0)
    assert old[0] == pytest.approx(0.46, abs=0.01)
