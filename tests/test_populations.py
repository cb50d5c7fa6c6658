"""Populations at random: photometry that the rest of the library agrees with, and honest priors."""

import numpy as np
import pytest

from sspexplorer.galaxies import FAMILIES, NAMES, Episodes, GalaxyPrior, Gas, Mixer
from sspexplorer.histories import Burst, Component, Delayed, evolve
from sspexplorer.libraries import load_library
from sspexplorer.mocks import EBV_GRID, split_of
from sspexplorer.photometry import synthesize
from sspexplorer.populations import SSPPrior, between_neighbours, draw_ebv, neighbours


@pytest.fixture(scope="module")
def galaxies():
    return GalaxyPrior(libraries=("popstar",)).draw(400, seed=3)


def test_populations_lie_between_ssps_of_a_split_and_are_observed_as_mocks_are():
    prior = SSPPrior(libraries=("popstar",), max_redshift=0.0)
    library = load_library("popstar")
    kept = library.select(split_of(library.ids) != "test")
    drawn = prior.draw(200, seed=1)
    for flux, (log_age, metallicity, ebv) in zip(drawn.flux, drawn.targets, strict=True):
        # The colours lie near those of the nearest SSP that the training may see.
        index = kept.nearest(log_age, metallicity)
        nearest = synthesize(kept.spectra[index], kept.wavelength, float(ebv))
        assert np.median(np.abs(np.log(flux / nearest * np.median(nearest)))) < 0.35
    corners, weights = between_neighbours(
        library, np.arange(len(library)), np.random.default_rng(0)
    )
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights[:, 0] >= 0.25).all()
    np.testing.assert_array_equal(corners[:, 0], np.arange(len(library)))


def test_held_out_populations_are_about_held_out_ssps():
    library = load_library("emiles")
    drawn = SSPPrior(libraries=("emiles",)).draw(1500, seed=0, held_out=True)
    held_out = library.select(split_of(library.ids) == "test")
    step = np.diff(library.ages).max()
    for log_age, metallicity, _ in drawn.targets:
        near = np.abs(held_out.metallicity - metallicity) <= 0.35
        assert np.abs(held_out.log_age[near] - log_age).min() <= step + 1e-3


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


@pytest.mark.parametrize("name", ["emiles", "bc03", "popstar"])
def test_neighbours_are_next_to_each_other(name):
    library = load_library(name)
    older, younger = neighbours(library, "log_age")
    np.testing.assert_array_equal(library.metallicity[older], library.metallicity)
    moved = older != np.arange(len(library))
    assert (library.log_age[older] > library.log_age)[moved].all()
    np.testing.assert_array_equal(younger[older[moved]], np.flatnonzero(moved))
    richer, poorer = neighbours(library, "metallicity")
    moved = richer != np.arange(len(library))
    assert (library.metallicity[richer] > library.metallicity)[moved].all()
    assert (library.metallicity[poorer] <= library.metallicity).all()
    assert (~moved).sum() >= len(library.ages) - 5


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
