import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from sspexplorer.errors import InputError
from sspexplorer.histories import (
    PAPER_FAMILIES,
    Burst,
    Component,
    Delayed,
    Exponential,
    compose,
    constant,
    evolve,
    formed_mass,
    metallicity_of,
    ssp_masses,
)
from sspexplorer.libraries import SSPLibrary, load_library
from sspexplorer.photometry import synthesize

TIMES = np.array([0.05, 0.4, 1.0, 3.0, 9.0, 13.5]) * 1e9
RATES = [
    Burst(0, 1e9),
    Burst(2e8, 3e7),
    constant(),
    Exponential(0, 2e9),
    Exponential(1e8, 4e8),
    Delayed(0, 3e9),
    Delayed(3e8, 5e8),
]


@pytest.fixture(scope="module")
def library() -> SSPLibrary:
    return load_library("bc03")


# Rates of star formation


@pytest.mark.parametrize("formation", RATES, ids=str)
def test_mass_and_age_are_the_integrals_of_the_rate(formation):
    now = 3.1e9
    edge = [formation.start, formation.start + getattr(formation, "duration", 1e9)]
    options = {"points": [e for e in edge if 0 < e < now], "epsabs": 0, "limit": 200}
    mass, _ = quad(lambda s: formation.rate(s) * 1e9, 0, now, **options)
    weighted, _ = quad(lambda s: formation.rate(s) * (now - s), 0, now, **options)
    assert formation.formed(now) == pytest.approx(mass / 1e9, rel=1e-8)
    assert formation.mass_times_age(now) == pytest.approx(weighted, rel=1e-8)


@pytest.mark.parametrize("formation", RATES, ids=str)
def test_nothing_forms_before_the_start(formation):
    before = np.array([-5e9, formation.start - 1.0])
    for function in (formation.rate, formation.formed, formation.mass_times_age):
        assert not function(before).any()


# Mixtures


@pytest.mark.parametrize("formation", RATES, ids=str)
def test_ssps_share_all_the_mass_and_its_mean_age(formation, library):
    age = 10**library.ages
    times = TIMES[formation.start < TIMES]
    mass = ssp_masses(formation, age, times)
    assert mass.sum(axis=1) == pytest.approx(formation.formed(times), rel=1e-9)
    # Exact but for the stars younger than the youngest SSP, 1.5 Myr, which count as old as it.
    assert mass @ age == pytest.approx(formation.mass_times_age(times), abs=age[0] * 1.01)
    assert (mass >= 0).all()


def test_a_burst_much_shorter_than_the_steps_between_ssps_is_an_ssp(library):
    index = library.nearest(9.0, 0.0)
    age = 10 ** library.log_age[index]
    burst = (Component(Burst(1e9 - 500, 1e3)),)
    evolution = evolve(library, burst, np.array([1e9 + age]))
    assert evolution.spectrum(0) == pytest.approx(library.spectra[index], rel=1e-4)
    expected = synthesize(library.spectra[index], library.wavelength)
    assert evolution.flux[0] == pytest.approx(expected, rel=1e-4)
    assert evolution.truth("light")[0] == pytest.approx([library.log_age[index], 0, 0], abs=1e-5)
    assert evolution.truth("mass")[0] == pytest.approx([library.log_age[index], 0, 0], abs=1e-5)


def test_between_two_ssps_the_spectrum_is_the_linear_interpolation():
    age = np.array([1e8, 1e9, 1e10])
    wavelength = np.linspace(2700, 11_000, 300)
    spectra = np.array([9.0, 5.0, 1.0])[:, None] * np.ones(300)
    library = SSPLibrary.from_arrays("own", wavelength, spectra, np.log10(age), np.zeros(3))
    instant = (Component(Burst(0, 1.0)),)
    evolution = evolve(library, instant, np.array([1e7, 1e8, 4e8, 5.5e9, 1e10, 1.3e10]))
    brightness = [evolution.spectrum(k)[0] for k in range(6)]
    assert brightness == pytest.approx([9, 9, 9 - 4 / 3, 3, 1, 1], rel=1e-5)
    assert evolution.young_mass == pytest.approx([1, 1, 0, 0, 0, 0], abs=1e-6)
    assert evolution.young_light[0] == pytest.approx(1)
    assert evolution.old_mass == pytest.approx([0, 0, 0, 0, 0, 1], abs=1e-6)


def test_constant_star_formation_is_on_average_half_as_old_as_its_beginning(library):
    evolution = evolve(library, (Component(constant()),), TIMES)
    assert evolution.mass_age == pytest.approx(TIMES / 2, rel=1e-12)
    # ∫ log10 a da / t = log10 t − 1/ln 10
    expected = np.log10(TIMES) - 1 / np.log(10)
    assert evolution.mass_log_age[2:] == pytest.approx(expected[2:], abs=0.002)
    kinds = [evolution.truth("mass", age)[2:, 0] for age in ("log_age", "log_mean_age")]
    assert kinds[0] == pytest.approx(expected[2:], abs=0.002)
    assert kinds[1] == pytest.approx(np.log10(TIMES / 2)[2:])
    assert (evolution.light_age < evolution.mass_age).all()


def test_exponential_and_delayed_histories_have_their_analytic_mean_ages(library):
    tau = 2e9
    x = TIMES / tau
    falling = evolve(library, (Component(Exponential(0, tau)),), TIMES)
    expected = TIMES / -np.expm1(-x) - tau
    assert falling.mass_age == pytest.approx(expected, rel=1e-10)
    delayed = evolve(library, (Component(Delayed(0, tau)),), TIMES)
    born = tau * (2 - (x**2 + 2 * x + 2) * np.exp(-x)) / (1 - (1 + x) * np.exp(-x))
    assert delayed.mass_age[2:] == pytest.approx((TIMES - born)[2:], rel=1e-10)


@settings(max_examples=12)
@given(
    masses=st.tuples(*[st.floats(0.05, 5)] * 2),
    metals=st.tuples(*[st.sampled_from([-0.7, -0.4, 0.0, 0.4])] * 2),
    dust=st.tuples(*[st.floats(0, 0.6)] * 2),
    rates=st.tuples(*[st.sampled_from(RATES)] * 2),
)
def test_light_adds_up_and_truths_are_weighted_means(masses, metals, dust, rates):
    library = load_library("emiles")
    parts = [Component(*values) for values in zip(rates, metals, dust, masses, strict=True)]
    times = np.array([1e9, 8e9])
    both = evolve(library, tuple(parts), times)
    one, other = (evolve(library, (part,), times) for part in parts)
    assert both.flux == pytest.approx(one.flux + other.flux, rel=1e-12)
    assert both.spectrum(1) == pytest.approx(one.spectrum(1) + other.spectrum(1), rel=1e-12)
    share = one.light / (one.light + other.light)
    assert both.light_age == pytest.approx(share * one.light_age + (1 - share) * other.light_age)
    for column in (1, 2):
        mean = share * one.truth()[:, column] + (1 - share) * other.truth()[:, column]
        assert both.truth()[:, column] == pytest.approx(mean, abs=1e-12)
    twice = evolve(library, tuple(parts + parts), times)
    assert twice.flux == pytest.approx(2 * both.flux, rel=1e-12)
    assert twice.truth() == pytest.approx(both.truth(), rel=1e-12)


def test_photometry_is_that_of_the_spectrum(library):
    history = PAPER_FAMILIES["second"][1].history
    evolution = evolve(library, history, TIMES)
    spectra = np.array([evolution.spectrum(k) for k in range(len(TIMES))])
    assert synthesize(spectra, library.wavelength) == pytest.approx(evolution.flux, rel=1e-9)


def test_dust_before_one_component_reddens_only_that(library):
    old, young = Component(Burst(0, 1e9)), Component(Burst(9e9, 1e9), ebv=0.3, mass=0.1)
    evolution = evolve(library, (old, young), np.array([5e9, 10e9]))
    assert evolution.truth()[0, 2] == 0
    assert 0 < evolution.truth()[1, 2] < 0.3
    # By mass the dusty stars are one in eleven, by light more.
    assert evolution.truth("mass")[1, 2] == pytest.approx(0.3 / 11)
    assert evolution.truth()[1, 2] > 0.3 / 11


def test_stars_too_young_for_the_library_are_counted():
    library = load_library("emiles")
    evolution = evolve(library, (Component(constant()),), np.array([5e7, 1e9, 1e10]))
    # The youngest E-MILES SSP of solar metallicity is 100 Myr old.
    assert evolution.young_mass == pytest.approx([1, 0.1, 0.01], abs=1e-4)
    assert (evolution.young_light[1:] > evolution.young_mass[1:]).all()


def test_the_paper_s_metallicities_are_those_of_the_libraries():
    # Z of the BC03 models: 0.004, 0.008, 0.02, the sun being the last.
    metals = load_library("bc03").metallicities
    for z, expected in ((0.004, -0.699), (0.008, -0.3979), (0.017, 0.0)):
        assert metals[np.abs(metals - metallicity_of(z)).argmin()] == pytest.approx(expected)
    sizes = {name: len(members) for name, members in PAPER_FAMILIES.items()}
    assert sizes == {"bursts": 3, "second": 4, "constant": 1}


def test_before_the_first_star_there_is_nothing_to_see(library):
    with pytest.raises(InputError, match="formed no stars"):
        evolve(library, (Component(Burst(2e9)),), np.array([1e9, 3e9]))
    with pytest.raises(InputError, match="formed no stars"):
        evolve(library, (), np.array([1e9]))


# Any rate at one time


def test_a_short_burst_is_the_ssp_of_its_age(library):
    index = library.nearest(9.0, 0.0)
    age = 10 ** library.log_age[index]
    burst = compose(library, lambda t: (np.abs(t - age) < 0.01 * age).astype(float), 0.0)
    assert burst.light_log_age == pytest.approx(9.0, abs=0.02)
    assert burst.spectrum == pytest.approx(library.spectra[index], rel=0.02)


def test_both_ways_to_mix_agree(library):
    now, tau = 8e9, 3e9
    mixed = compose(library, lambda t: np.exp(-(now - t) / tau) * (t < now), 0.0)
    evolution = evolve(library, (Component(Exponential(0, tau)),), np.array([now]))
    spectrum = evolution.spectrum(0) / evolution.mass[0]
    assert spectrum == pytest.approx(mixed.spectrum, rel=0.02)
    assert evolution.light_log_age[0] == pytest.approx(mixed.light_log_age, abs=0.01)


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
