"""Populations at random: photometry that the rest of the library agrees with, and honest priors."""

import numpy as np
import pytest

from sspexplorer.galaxies import FAMILIES, NAMES, Episodes, GalaxyPrior, Gas, Mixer
from sspexplorer.histories import Burst, Component, Delayed, evolve
from sspexplorer.libraries import load_library
from sspexplorer.mocks import EBV_GRID, split_of
from sspexplorer.photometry import synthesize
from sspexplorer.populations import SSPPrior, draw_ebv, next_in_age


@pytest.fixture(scope="module")
def galaxies():
    return GalaxyPrior(libraries=("popstar",)).draw(400, seed=3)


def test_held_out_ssps_are_observed_as_mocks_are():
    prior = SSPPrior(libraries=("popstar",), max_redshift=0.0)
    drawn = prior.draw(60, seed=1, held_out=True)
    library = load_library("popstar")
    home = split_of(library.ids)
    for flux, (log_age, metallicity, ebv) in zip(drawn.flux, drawn.targets, strict=True):
        index = library.nearest(log_age, metallicity)
        assert home[index] == "test"
        expected = synthesize(library.spectra[index], library.wavelength, float(ebv))
        np.testing.assert_allclose(flux, expected / np.median(expected), rtol=2e-4)


def test_training_never_meets_a_held_out_ssp():
    library = load_library("emiles")
    drawn = SSPPrior(libraries=("emiles",)).draw(3000, seed=0)
    held_out = library.log_age[split_of(library.ids) == "test"].astype(np.float32)
    kept = library.log_age[split_of(library.ids) != "test"].astype(np.float32)
    ages = np.setdiff1d(drawn.targets[:, 0], kept)
    assert len(ages) > 500  # between two SSPs
    assert not np.isin(np.setdiff1d(held_out, kept), drawn.targets[:, 0]).any()


def test_the_same_seed_gives_the_same_and_held_out_another():
    prior = SSPPrior(libraries=("popstar",))
    one, same = prior.draw(50, seed=5), prior.draw(50, seed=5)
    np.testing.assert_array_equal(one.flux, same.flux)
    assert not np.array_equal(one.targets, prior.draw(50, seed=5, held_out=True).targets)


def test_dust_is_even_within_each_cell():
    drawn = draw_ebv(EBV_GRID, 40_000, np.random.default_rng(0))
    middles = np.add(EBV_GRID[1:], EBV_GRID[:-1]) / 2
    counts = np.histogram(drawn, [0.0, *middles, 0.8])[0]
    np.testing.assert_allclose(counts / 40_000, 1 / 8, atol=0.01)


def test_the_next_in_age_has_the_same_metals():
    library = load_library("bc03")
    following = next_in_age(library)
    np.testing.assert_array_equal(library.metallicity[following], library.metallicity)
    moved = following != np.arange(len(library))
    assert (library.log_age[following] > library.log_age)[moved].all()
    assert (~moved).sum() == len(library.metallicities)


def _episode(shape, start, end, timescale, mass=1.0, metallicity=0.0) -> Episodes:
    values = (np.array([float(v)]) for v in (start, end, timescale, mass, metallicity))
    return Episodes(np.array([shape]), *values)


@pytest.mark.parametrize(
    ("episode", "formation", "time"),
    [
        (_episode(0, 9e9, 8e9, 1e9), Burst(0.0, 1e9), 9e9),
        (_episode(1, 12e9, 0, 2e9), Delayed(0.0, 2e9), 12e9),
    ],
    ids=["burst", "delayed"],
)
def test_mixtures_are_those_of_histories(episode, formation, time):
    library = load_library("bc03")
    solar = library.metallicities[np.argmin(np.abs(library.metallicities))]
    episode = _episode(*(float(getattr(episode, n)[0]) for n in ("shape", "start", "end")), 2e9)
    episode = Episodes(
        episode.shape.astype(int), *(getattr(episode, n) for n in ("start", "end", "timescale")),
        np.ones(1), np.array([solar]),
    )  # fmt: skip
    mixer = Mixer(library)
    masses = mixer.masses((episode,))
    assert masses.sum() == pytest.approx(1)
    exact = evolve(library, (Component(formation, solar),), np.array([time]))
    truth = mixer.truths(masses, np.array([0.1]))[0]
    assert truth[0] == pytest.approx(exact.truth("light")[0, 0], abs=0.01)
    assert truth[3] == pytest.approx(exact.truth("mass")[0, 0], abs=0.01)
    assert truth[1] == truth[4] == pytest.approx(solar)
    gas = Gas(np.zeros(1, dtype=int), np.zeros(1), np.zeros(1))
    spectrum = mixer.spectra(masses, np.zeros(1), gas)[0]
    flux = synthesize(spectrum, library.wavelength)
    expected = exact.flux[0] / np.median(exact.flux[0])
    np.testing.assert_allclose(flux / np.median(flux), expected, rtol=0.01)


def test_galaxies_have_whole_truths(galaxies):
    assert galaxies.names == NAMES
    assert np.isfinite(galaxies.flux).all()
    assert (galaxies.flux > 0).all()
    light, mass = galaxies.targets[:, 0], galaxies.targets[:, 3]
    # The young outshine the old: light is almost always younger than mass.
    assert (light <= mass + 0.05).mean() > 0.95
    assert np.ptp(galaxies.redshift) > 0.09
    assert sum(FAMILIES.values()) == pytest.approx(1)


def test_gas_shines_only_around_young_stars():
    library = load_library("popstar")
    mixer = Mixer(library)
    young = _episode(0, 5e6, 0, 1e9)
    old = _episode(0, 9e9, 8e9, 1e9)
    h_alpha = np.argmin(np.abs(library.wavelength - 6563))
    dark = Gas(np.array([4]), np.zeros(1), np.zeros(1))
    bright = Gas(np.array([4]), np.ones(1), np.zeros(1))
    for episode, shines in ((young, True), (old, False)):
        episode = Episodes(
            np.zeros(1, dtype=int), episode.start, episode.end, episode.timescale,
            episode.mass, episode.metallicity,
        )  # fmt: skip
        masses = mixer.masses((episode,))
        ratio = [mixer.spectra(masses, np.zeros(1), g)[0, h_alpha] for g in (bright, dark)]
        assert (ratio[0] > 3 * ratio[1]) == shines
