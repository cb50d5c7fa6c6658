"""Composite populations at random, with dust, gas and redshift: the prior of model ``galaxy``.

A galaxy has a body of stars and, in some, a later episode. Each forms stars at a rate of one of
three shapes between two lookback times, with a metallicity of its own. The gas around its young
stars shines (see :mod:`sspexplorer.nebular`) with an ionisation parameter and a dust screen of its
own.
"""

from dataclasses import asdict, dataclass

import numpy as np

from sspexplorer.dust import transmission
from sspexplorer.histories import LIGHT_RANGE
from sspexplorer.libraries import LIBRARY_NAMES, SSPLibrary, load_library
from sspexplorer.nebular import MAX_NEBULAR_LOG_AGE, nebular_spectra
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.populations import REDSHIFT_STEPS, Populations, observed, shuffled

NAMES = ("log_age", "metallicity", "ebv", "mass_log_age", "mass_metallicity")

# Prior of model ``galaxy``, for its card.
GALAXY_WORDS = (
    "Prior of model ``galaxy``: composite histories with dust, gas and redshift. Histories are of "
    "six kinds: delayed and constant formation that goes on, formation that was quenched, a burst "
    "on an old body, rejuvenated formation and single bursts, beginning up to 13.8 Gyr ago. The "
    "metallicity of the body is even between −2 and 0.4 (or what its library has), that of a "
    "later episode differs by 0.3 dex or so, more often upwards. E(B−V) follows 0.8 × Beta(1, "
    "2.5) mag, that of the gas is 1 to 2.5 times as much; log U is even from −4 to −2, and in "
    "three galaxies of four gas takes up 20 to 100 % of the ionising light; in the fourth there "
    "is none, so that no light but the stars' is needed to be young. The redshift is even from 0 "
    "to 0.1 unless told otherwise. Ages and metallicities are weighted by light at 5500 to 6500 "
    "Å, and again by the mass formed."
)
# Shares of the kinds of histories.
FAMILIES = {
    "delayed": 0.22,
    "constant": 0.13,
    "quenched": 0.20,
    "burst on an old body": 0.17,
    "rejuvenated": 0.10,
    "single burst": 0.18,
}
# Galaxies with stars younger than this are made only of libraries that have such stars.
_YOUNG = 1e8  # yr
_YOUNG_ENOUGH = 7.0  # log10 yr
_OLDEST = 13.8e9  # yr
# log U of the gas: what star-forming galaxies show (e.g. Kewley et al. 2019, Sect. 4).
_LOG_U = np.arange(-4.0, -1.9, 0.25)


@dataclass(frozen=True)
class Episodes:
    """One episode of star formation in each of n galaxies.

    Attributes
    ----------
    shape : ndarray of int, shape (n,)
        0 constant, 1 delayed (t exp(−t/τ)), 2 exponential (exp(−t/τ)).
    start, end : ndarray, shape (n,)
        Lookback times in yr; ``start`` is the earlier time, the greater number.
    timescale : ndarray, shape (n,)
        τ in yr.
    mass : ndarray, shape (n,)
        Share of all stars of the galaxy.
    metallicity : ndarray, shape (n,)
        [M/H] in dex.
    """

    shape: np.ndarray
    start: np.ndarray
    end: np.ndarray
    timescale: np.ndarray
    mass: np.ndarray
    metallicity: np.ndarray

    def rows(self, index: np.ndarray) -> "Episodes":
        """Episodes of some of the galaxies."""
        return Episodes(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def younger_than(self, age: np.ndarray) -> np.ndarray:
        """Share of the episode's stars younger than ``age`` (n_ages,) yr, shape (n, n_ages)."""
        span = (self.start - self.end)[:, None]
        passed = np.clip(self.start[:, None] - age, 0, span)
        return 1 - self._formed(passed) / self._formed(span)

    def _formed(self, time: np.ndarray) -> np.ndarray:
        x = time / self.timescale[:, None]
        shape = self.shape[:, None]
        delayed = -np.expm1(-x) - x * np.exp(-x)
        return np.where(shape == 0, x, np.where(shape == 1, delayed, -np.expm1(-x)))


@dataclass(frozen=True)
class GalaxyPrior:
    """Prior of model ``galaxy``: composite histories with dust, gas and redshift.

    In words: :data:`GALAXY_WORDS`.

    Attributes
    ----------
    libraries : tuple of str
    metallicity_range : tuple of float
        dex.
    max_redshift : float
    shining : float
        Share of galaxies with gas.
    """

    libraries: tuple[str, ...] = LIBRARY_NAMES
    metallicity_range: tuple[float, float] = (-2.0, 0.4)
    max_redshift: float = MAX_REDSHIFT
    shining: float = 0.75

    names = NAMES

    def to_dict(self) -> dict:
        """Plain numbers and words, for a card."""
        return {"kind": "galaxy", "words": GALAXY_WORDS, "families": FAMILIES} | asdict(self)

    def draw(self, n: int, *, seed: int, held_out: bool = False) -> Populations:
        """Draw populations.

        Parameters
        ----------
        n : int
        seed : int
        held_out : bool
            Draw other histories than those a training with this seed sees. The SSPs that they
            are mixed of are the same.
        """
        rng = np.random.default_rng((seed, held_out, 1))
        family = rng.choice(len(FAMILIES), size=n, p=list(FAMILIES.values()))
        body, later = _histories(family, rng)
        youngest = np.where(later.mass > 0, np.minimum(body.end, later.end), body.end)
        names = np.array(self.libraries)
        young = np.array([name for name in names if _has_young(name)] or names)
        library = np.where(youngest < _YOUNG, rng.choice(young, n), rng.choice(names, n))
        parts = []
        for name in np.unique(library):
            rows = np.flatnonzero(library == name)
            episodes = (body.rows(rows), later.rows(rows))
            parts.append(self._of_library(load_library(str(name)), episodes, rng))
        return shuffled(parts, rng)

    def _of_library(
        self, library: SSPLibrary, episodes: tuple[Episodes, Episodes], rng: np.random.Generator
    ) -> Populations:
        n = len(episodes[0].mass)
        metals = self._metallicities(library, n, rng)
        mixed = tuple(
            Episodes(e.shape, e.start, e.end, e.timescale, e.mass, m)
            for e, m in zip(episodes, metals, strict=True)
        )
        ebv = 0.8 * rng.beta(1, 2.5, n)
        gas = Gas(
            rng.integers(len(_LOG_U), size=n),
            rng.uniform(0.2, 1.0, n) * (rng.uniform(size=n) < self.shining),
            ebv * rng.uniform(1.0, 2.5, n),
        )
        step = rng.integers(REDSHIFT_STEPS, size=n)
        redshift = step * (self.max_redshift / (REDSHIFT_STEPS - 1))
        mixer = Mixer(library)
        truths = np.empty((n, len(NAMES)))

        def spectra(rows: np.ndarray) -> np.ndarray:
            masses = mixer.masses(tuple(e.rows(rows) for e in mixed))
            truths[rows] = mixer.truths(masses, ebv[rows])
            return mixer.spectra(masses, ebv[rows], gas.rows(rows))

        flux = observed(spectra, library.wavelength, redshift)
        return Populations(
            flux,
            truths.astype(np.float32),
            redshift.astype(np.float32),
            NAMES,
            np.full(n, library.name),
        )

    def _metallicities(
        self, library: SSPLibrary, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """[M/H] of the bodies and of the later episodes."""
        low = max(self.metallicity_range[0], library.metallicities[0])
        high = min(self.metallicity_range[1], library.metallicities[-1])
        body = rng.uniform(low, high, n)
        change = np.abs(rng.normal(0, 0.4, n)) * np.where(rng.uniform(size=n) < 0.75, 1, -1)
        # What would leave the range is reflected, so that nothing piles up at its ends.
        later = body + change
        later = np.where(later > high, 2 * high - later, later)
        later = np.where(later < low, 2 * low - later, later)
        return body, np.clip(later, low, high)


@dataclass(frozen=True)
class Gas:
    """Gas of n galaxies.

    Attributes
    ----------
    log_u : ndarray of int, shape (n,)
        Index of the ionisation parameter, in steps of 0.25 dex from the least.
    covering : ndarray, shape (n,)
        Share of the ionising light that the gas takes up.
    ebv : ndarray, shape (n,)
        E(B−V) of the screen before the gas, mag.
    """

    log_u: np.ndarray
    covering: np.ndarray
    ebv: np.ndarray

    def rows(self, index: np.ndarray) -> "Gas":
        """Gas of some of the galaxies."""
        return Gas(self.log_u[index], self.covering[index], self.ebv[index])


class Mixer:
    """Mixes the SSPs of one library, and the gas around the young ones, into galaxies.

    Parameters
    ----------
    library : SSPLibrary
    """

    def __init__(self, library: SSPLibrary) -> None:
        self.library = library
        wavelength = library.wavelength
        inside = (wavelength >= LIGHT_RANGE[0]) & (wavelength <= LIGHT_RANGE[1])
        self.brightness = library.spectra[:, inside].mean(axis=1).astype(float)
        self.young = np.flatnonzero(library.log_age <= MAX_NEBULAR_LOG_AGE)
        # The spectrum of the gas per mass of each young SSP, for each step in log U.
        age, metals = library.log_age[self.young], library.metallicity[self.young]
        self.gas = [nebular_spectra(age, metals, np.full(len(age), u), wavelength) for u in _LOG_U]

    def masses(self, episodes: tuple[Episodes, ...]) -> np.ndarray:
        """Mass of each SSP in each galaxy, shape (n, n_ssp), rows adding up to 1.

        In age an SSP stands for the stars between the middles, in log age, to its neighbours; in
        metallicity a star is shared between the two SSPs on either side, linearly in [M/H].
        """
        library = self.library
        total = np.zeros((len(episodes[0].mass), len(library)))
        grid = library.metallicities
        for index, metallicity in enumerate(grid):
            columns = np.flatnonzero(library.metallicity == metallicity)
            columns = columns[np.argsort(library.log_age[columns])]
            log_age = library.log_age[columns]
            middles = 10 ** ((log_age[1:] + log_age[:-1]) / 2)
            for episode in episodes:
                place = np.interp(episode.metallicity, grid, np.arange(len(grid)))
                share = np.clip(1 - np.abs(place - index), 0, 1) * episode.mass
                rows = np.flatnonzero(share)
                younger = episode.rows(rows).younger_than(middles)
                formed = np.diff(younger, axis=1, prepend=0, append=1)
                total[np.ix_(rows, columns)] += share[rows, None] * formed
        return total

    def truths(self, masses: np.ndarray, ebv: np.ndarray) -> np.ndarray:
        """Parameters of :data:`NAMES`, shape (n, 5): log10 of mean ages, mean [M/H], E(B−V)."""
        library = self.library
        found = []
        for weight in (masses * self.brightness, masses):
            weight = weight / weight.sum(axis=1, keepdims=True)
            found.append((np.log10(weight @ 10**library.log_age), weight @ library.metallicity))
        (light_age, light_metals), (mass_age, mass_metals) = found
        return np.stack([light_age, light_metals, ebv, mass_age, mass_metals], axis=1)

    def spectra(self, masses: np.ndarray, ebv: np.ndarray, gas: Gas) -> np.ndarray:
        """Rest-frame F_λ behind dust, shape (n, n_wave), float32."""
        wavelength = self.library.wavelength
        stars = masses.astype(np.float32) @ self.library.spectra
        stars *= transmission(wavelength, ebv).astype(np.float32)
        young = (masses[:, self.young] * gas.covering[:, None]).astype(np.float32)
        for step in np.unique(gas.log_u):
            rows = np.flatnonzero((gas.log_u == step) & (young > 0).any(axis=1))
            if len(rows):
                screen = transmission(wavelength, gas.ebv[rows]).astype(np.float32)
                stars[rows] += (young[rows] @ self.gas[step]) * screen
        return stars


def _has_young(name: str) -> bool:
    """Whether a library has stars as young as those that ionise gas."""
    return load_library(name).log_age.min() < _YOUNG_ENOUGH


def _log_uniform(low: float, high: float, n: int, rng: np.random.Generator) -> np.ndarray:
    return np.exp(rng.uniform(np.log(low), np.log(high), n))


def _histories(family: np.ndarray, rng: np.random.Generator) -> tuple[Episodes, Episodes]:
    """Bodies and later episodes; a later episode without mass is none."""
    n = len(family)
    kind = {name: family == index for index, name in enumerate(FAMILIES)}
    # Half begin evenly in time, half evenly in its logarithm: dwarfs may be young.
    start = np.where(
        rng.uniform(size=n) < 0.5, rng.uniform(1e9, _OLDEST, n), _log_uniform(5e7, _OLDEST, n, rng)
    )
    old = kind["burst on an old body"] | kind["rejuvenated"]
    start = np.where(old, rng.uniform(2e9, _OLDEST, n), start)
    shape = rng.integers(1, 3, n)
    shape[kind["constant"] | kind["single burst"]] = 0
    timescale = np.minimum(_log_uniform(1e8, 1e10, n, rng), 3 * start)
    end = np.zeros(n)
    stopped = kind["quenched"] | kind["rejuvenated"]
    share = rng.uniform(size=n) ** 2
    end[stopped] = (start * np.where(old, 0.1 + 0.8 * share, 0.01 + 0.94 * share))[stopped]
    single = kind["single burst"]
    last = _log_uniform(1e6, 12.8e9, n, rng)
    length = np.minimum(_log_uniform(1e7, 1e9, n, rng), last + 1e7)
    end[single] = last[single]
    start[single] = (last + length)[single]
    body_mass, later = np.ones(n), np.zeros(n)
    later[kind["burst on an old body"]] = _log_uniform(1e-3, 0.6, n, rng)[
        kind["burst on an old body"]
    ]
    later[kind["rejuvenated"]] = _log_uniform(1e-3, 0.3, n, rng)[kind["rejuvenated"]]
    burst_end = np.where(kind["rejuvenated"], 0.0, _log_uniform(1e6, 5e9, n, rng))
    burst_end = np.minimum(burst_end, 0.8 * start)
    burst_length = np.where(
        kind["rejuvenated"], _log_uniform(3e6, 1e9, n, rng), _log_uniform(1e7, 1e9, n, rng)
    )
    body = Episodes(shape, start, end, timescale, body_mass - later, np.zeros(n))
    episode = Episodes(
        np.zeros(n, dtype=int),
        burst_end + burst_length,
        burst_end,
        np.full(n, 1e9),
        later,
        np.zeros(n),
    )
    return body, episode
