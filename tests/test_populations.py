"""Populations at random: photometry that the rest of the library agrees with, and honest priors."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from sspexplorer.attenuation import LAWS, Attenuation, calzetti, draw_attenuation
from sspexplorer.dust import transmission
from sspexplorer.galaxies import (
    FAMILIES,
    NAMES,
    Episodes,
    GalaxyPrior,
    Gas,
    Mixer,
    Nucleus,
    draw_histories,
)
from sspexplorer.histories import Burst, Component, Delayed, evolve
from sspexplorer.libraries import load_library
from sspexplorer.mocks import EBV_GRID, split_of
from sspexplorer.photometry import synthesize
from sspexplorer.populations import SSPPrior, between_neighbours, draw_ebv, neighbours

DARK = Gas(np.array([4]), np.zeros(1), np.zeros(1))
PASSIVE = Nucleus(np.zeros(1), np.zeros(1))


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
    truth = dict(zip(NAMES, mixer.truths(masses, Attenuation.screens([0.1]))[0], strict=True))
    assert truth["log_mean_age"] == pytest.approx(exact.truth("light")[0, 0], abs=0.01)
    assert truth["mass_log_mean_age"] == pytest.approx(exact.truth("mass")[0, 0], abs=0.01)
    assert truth["log_age"] == pytest.approx(exact.light_log_age[0], abs=0.01)
    assert truth["mass_log_age"] == pytest.approx(exact.mass_log_age[0], abs=0.01)
    assert truth["metallicity"] == pytest.approx(solar)
    assert truth["mass_metallicity"] == pytest.approx(solar)
    assert truth["ebv"] == pytest.approx(0.1)
    assert truth["av"] == pytest.approx(0.31, abs=1e-3)
    spectrum = mixer.spectra(masses, Attenuation.screens([0.0]), DARK, PASSIVE)[0]
    flux = synthesize(spectrum, library.wavelength)
    expected = exact.flux[0] / np.median(exact.flux[0])
    np.testing.assert_allclose(flux / np.median(flux), expected, rtol=0.01)


def test_galaxies_have_whole_truths(galaxies):
    assert galaxies.names == NAMES
    assert np.isfinite(galaxies.flux).all()
    assert (galaxies.flux > 0).all()
    light, mass = galaxies.values(("log_mean_age", "mass_log_mean_age")).T
    # The young outshine the old: light is almost always younger than mass.
    assert (light <= mass + 0.05).mean() > 0.95
    # The mean of a logarithm is not more than the logarithm of the mean.
    assert (galaxies.values(("log_age",))[:, 0] <= light + 1e-4).all()
    assert np.ptp(galaxies.redshift) > 0.09
    assert sum(FAMILIES.values()) == pytest.approx(1)


def test_gas_shines_only_around_young_stars():
    library = load_library("popstar")
    mixer = Mixer(library)
    young = _episode(0, 5e6, 0, 1e9)
    old = _episode(0, 9e9, 8e9, 1e9)
    h_alpha = np.argmin(np.abs(library.wavelength - 6563))
    bright = Gas(np.array([4]), np.ones(1), np.zeros(1))
    for episode, shines in ((young, True), (old, False)):
        episode = Episodes(
            np.zeros(1, dtype=int), episode.start, episode.end, episode.timescale,
            episode.mass, episode.metallicity,
        )  # fmt: skip
        masses = mixer.masses((episode,))
        light = partial(mixer.spectra, masses, Attenuation.screens([0.0]), nucleus=PASSIVE)
        ratio = [light(g)[0, h_alpha] for g in (bright, DARK)]
        assert (ratio[0] > 3 * ratio[1]) == shines


def test_a_fifth_of_the_ssps_are_kept_from_training_and_light_the_galaxies_held_out(monkeypatch):
    made: list[Mixer] = []
    original = Mixer.spectra

    def noted(self, *given):
        made.append((self, given[0]))
        return original(self, *given)

    monkeypatch.setattr(Mixer, "spectra", noted)
    prior = GalaxyPrior(libraries=("emiles",), max_redshift=0.0)
    prior.draw(60, seed=1)
    (mixer, _), made[:] = made[0], []
    assert not (split_of(mixer.library.ids) == "test").any()
    assert len(prior.draw(60, seed=1, held_out=True)) == 60
    mixer, masses = made[0]
    unseen = split_of(mixer.library.ids) == "test"
    assert 0 < unseen.mean() < 1
    light = masses * mixer.brightness
    assert (light[:, unseen].sum(axis=1) >= 0.249 * light.sum(axis=1)).all()


def test_a_prior_is_rebuilt_from_its_card_and_has_no_more_than_the_card_names():
    prior = GalaxyPrior(libraries=("popstar", "m11"), active=0.3)
    assert GalaxyPrior.from_dict(prior.to_dict()) == prior
    card = {k: v for k, v in prior.to_dict().items() if k not in ("laws", "active", "rich")}
    plain = GalaxyPrior.from_dict(card)
    assert (plain.laws, plain.active, plain.rich) == ({"milky way": 1.0}, 0.0, 0.0)
    single = SSPPrior(libraries=("bc03",))
    assert SSPPrior.from_dict(single.to_dict()) == single


@pytest.mark.parametrize("family", FAMILIES)
def test_histories_of_each_kind_form_all_their_stars_within_the_age_of_the_universe(family):
    rng = np.random.default_rng(2)
    parts = draw_histories(500, {family: 1.0}, rng)
    assert sum(part.mass for part in parts) == pytest.approx(np.ones(500))
    ages = np.array([0.0, 1e6, 1e8, 1e9, 1e10, 1.39e10])
    younger = sum(
        part.mass[:, None] * part.rows(rows).younger_than(ages)
        for part in parts
        if len(rows := np.arange(500)) and part.mass.any()
    )
    assert younger[:, 0] == pytest.approx(0, abs=1e-6)
    assert younger[:, -1] == pytest.approx(1, abs=1e-6)
    assert (np.diff(younger, axis=1) > -1e-6).all()
    if family == "post-starburst":
        # Much formed lately, next to nothing does today.
        assert (younger[:, 3] > 0.02).mean() > 0.6
        assert np.median(younger[:, 1]) < 1e-3


def test_laws_of_attenuation_are_those_of_their_authors():
    wave = np.array([1500.0, 2175.0, 4405.0, 5495.0, 8000.0])
    one = Attenuation.screens(np.ones(3))
    one = replace(one, law=np.arange(3), slope=np.array([0, 0, -0.7]))
    screen, starburst, power = one.curves(wave)
    assert np.exp(-0.4 * np.log(10) * screen) == pytest.approx(transmission(wave, 1.0), rel=1e-2)
    # Calzetti et al. (2000): R_V = 4.05 and k(1500 Å) = 10.33.
    assert calzetti(wave)[[0, 3]] == pytest.approx([10.33, 4.05], abs=0.05)
    assert starburst == pytest.approx(calzetti(wave), rel=0.03)
    assert power[4] / power[3] == pytest.approx((8000 / 5495) ** -0.7, rel=1e-5)
    for curve in (screen, starburst, power):
        assert curve[2] - curve[3] == pytest.approx(1, abs=1e-5)
    bumpy = replace(one.rows(np.array([1])), bump=np.array([3.5])).curves(wave)[0]
    assert bumpy[1] - starburst[1] == pytest.approx(3.5, rel=0.08)
    steep = replace(one.rows(np.array([1])), slope=np.array([-0.5])).curves(wave)[0]
    # Salim et al. (2018): R_V = 4.05 / (5.05 × 0.8^δ − 4.05).
    assert steep[3] == pytest.approx(4.05 / (5.05 * 0.8**-0.5 - 4.05), rel=0.03)


def test_clouds_dim_the_young_and_count_in_the_dust_of_all_light():
    library = load_library("popstar")
    mixer = Mixer(library)
    masses = mixer.masses((_episode(0, 1e10, 0, 1e9),))
    dust = draw_attenuation(np.full(1, 0.2), {LAWS[2]: 1.0}, np.random.default_rng(0))
    free = Attenuation.screens([0.0])
    clear, seen = (mixer.spectra(masses, d, DARK, PASSIVE)[0] for d in (free, dust))
    truth = dict(zip(NAMES, mixer.truths(masses, dust)[0], strict=True))
    lost = -2.5 * np.log10(seen / clear)
    blue, visual = (lost[np.argmin(np.abs(library.wavelength - w))] for w in (4405, 5495))
    assert truth["av"] == pytest.approx(visual, rel=0.01)
    assert truth["ebv"] == pytest.approx(blue - visual, rel=0.03)
    assert truth["ebv"] > 0.2
    # Light of the young is dimmed most, so what is seen is older.
    assert truth["log_age"] > mixer.truths(masses, free)[0, 0]


def test_a_nucleus_adds_its_share_of_the_light():
    library = load_library("popstar")
    mixer = Mixer(library)
    masses = mixer.masses((_episode(0, 1e10, 0, 1e9),))
    nucleus = Nucleus(np.array([0.2]), np.array([-1.5]))
    without, with_it = (
        mixer.spectra(masses, Attenuation.screens([0.1]), DARK, n)[0] for n in (PASSIVE, nucleus)
    )
    added = with_it - without
    inside = (library.wavelength >= 5500) & (library.wavelength <= 6500)
    assert added[inside].mean() / with_it[inside].mean() == pytest.approx(0.2, rel=1e-3)
    ends = library.wavelength[[0, -1]]
    assert added[-1] / added[0] == pytest.approx((ends[1] / ends[0]) ** -1.5, rel=0.02)
