"""The prior of model ``galaxy``: how likely histories, metals, dust, gas and nuclei are."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from sspexplorer.attenuation import Attenuation, draw_attenuation
from sspexplorer.galaxies.derived import (
    DERIVED,
    Masses,
    d4000,
    log_mass_to_light,
    log_ssfr,
    times,
    u_minus_r,
)
from sspexplorer.galaxies.families import FAMILIES, draw_histories
from sspexplorer.galaxies.formation import Formation, joined
from sspexplorer.galaxies.mixing import LOG_U, NAMES, Gas, Mixer, Nucleus
from sspexplorer.libraries import SHIPPED_NAMES, SSPLibrary, load_library
from sspexplorer.masses import DEFAULT_COSMOLOGY
from sspexplorer.photometry import MAX_REDSHIFT
from sspexplorer.populations import (
    REDSHIFT_STEPS,
    Populations,
    is_held_out,
    observed,
    shuffled,
)

# Prior of model ``galaxy``, for its card.
GALAXY_WORDS = (
    "Prior of model “galaxy”: composite histories with dust, gas and redshift. Histories are of "
    "twelve kinds: delayed and constant formation that goes on, formation that was quenched, a "
    "burst on an old body, rejuvenated formation, single bursts, single populations, "
    "post-starbursts, lognormal and double power laws, steps with a prior of continuity, and "
    "formation in bursts and lulls, beginning up to 13.8 Gyr ago. The metallicity of the body is "
    "even between −2 and 0.5 (or what its library has) in half of the galaxies and from −0.5 up "
    "in the other half; that of a later episode differs by 0.3 dex or so, more often upwards. "
    "E(B−V) of the dust before all "
    "stars follows 0.8 × Beta(1, 2.5) mag; its law is the Milky Way's, that of starbursts, with "
    "slopes and bumps about it, or a power law with birth clouds around the young. E(B−V) of the "
    "gas is 1 to 2.5 times as much; log U is even from −4 to −2, and in three galaxies of four "
    "gas takes up 20 to 100 % of the ionising light; in the fourth there is none, so that no "
    "light but the stars' is needed to be young. One galaxy in twelve has an active nucleus, a "
    "power law with up to 20 % of the light. The redshift is even from 0 to 0.1 unless told "
    "otherwise. Ages and metallicities are weighted by light at 5500 to 6500 Å, and again by the "
    "mass formed; ⟨log t⟩ and log⟨t⟩ are told apart. Training mixes no SSP of the split test; "
    "galaxies held out are those of whose light at least a quarter comes from such SSPs."
)
FAR_WORDS = (
    " Where galaxies are seen farther, to redshift 1, their number falls as 1/(0.08 + z), and all "
    "times of their histories are shorter by the age of the universe there over that of today "
    "(flat, H₀ 67.66 km/s/Mpc, Ω_m 0.3111): no star is older than the universe."
)
LAW_SHARES = {"milky way": 0.35, "starburst": 0.4, "power law": 0.25}
# Of the light of galaxies that are held out, this share at least is of SSPs no training mixes.
HELD_OUT_SHARE = 0.25

# A library is not asked for galaxies with more than this share of stars younger than its SSPs.
_TOO_YOUNG = 1e-3
_YOUNG_ENOUGH = 7.0  # log10 yr
_LIGHT_ROWS = 2000  # galaxies whose masses are looked at at a time
_ABOVE = -0.5  # dex; from where on half of the metallicities are drawn
# Redshifts drawn by the law of galaxies that are seen far: their number falls as 1/(0.08 + z).
_PIVOT, _FAR_STEPS = 0.08, 801
EVEN = 1e3  # a pivot so large that all redshifts are as likely


@dataclass(frozen=True)
class _Drawn:
    """Histories of n galaxies and the redshifts (n,) that they are seen at."""

    formations: tuple[Formation, ...]
    redshift: np.ndarray

    def __len__(self) -> int:
        return len(self.redshift)

    def rows(self, index: np.ndarray) -> "_Drawn":
        """Some of the galaxies."""
        return _Drawn(tuple(part.rows(index) for part in self.formations), self.redshift[index])

    @classmethod
    def joined(cls, parts: list["_Drawn"]) -> "_Drawn":
        """Galaxies of several parts, one part after the other."""
        kinds = zip(*(part.formations for part in parts), strict=True)
        redshift = np.concatenate([part.redshift for part in parts])
        return cls(tuple(joined(kind) for kind in kinds), redshift)


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
    pivot : float
        Of redshifts beyond nearby ones: they are as likely as 1/(pivot + z).
    shining : float
        Share of galaxies with gas.
    active : float
        Share of galaxies with the light of a nucleus.
    rich : float
        Share of galaxies whose metallicity is drawn from −0.5 dex up.
    families, laws : dict of str to float
        Shares of the kinds of histories and of the laws of attenuation.
    """

    libraries: tuple[str, ...] = SHIPPED_NAMES
    metallicity_range: tuple[float, float] = (-2.0, 0.5)
    max_redshift: float = MAX_REDSHIFT
    pivot: float = _PIVOT
    shining: float = 0.75
    active: float = 1 / 12
    rich: float = 0.5
    families: Mapping[str, float] = field(default_factory=lambda: dict(FAMILIES))
    laws: Mapping[str, float] = field(default_factory=lambda: dict(LAW_SHARES))

    @property
    def far(self) -> bool:
        """Whether galaxies are seen so far away that the universe was younger."""
        return self.max_redshift > MAX_REDSHIFT

    @property
    def names(self) -> tuple[str, ...]:
        """What is true of the galaxies."""
        return (*NAMES, *DERIVED) if self.far else NAMES

    def redshift_density(self, redshift: np.ndarray) -> np.ndarray:
        """How likely redshifts within the prior are, per unit of redshift."""
        if not self.far:
            return np.full(np.shape(redshift), 1 / self.max_redshift)
        whole = np.log1p(self.max_redshift / self.pivot)
        return 1 / (whole * (self.pivot + np.asarray(redshift)))

    def to_dict(self) -> dict:
        """Plain numbers and words, for a card."""
        words = GALAXY_WORDS + FAR_WORDS if self.far else GALAXY_WORDS
        return {"kind": "galaxy", "words": words} | asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping) -> "GalaxyPrior":
        """Rebuild a prior from :meth:`to_dict`; what a card does not name was not in it."""
        low, high = content["metallicity_range"]
        return cls(
            libraries=tuple(content["libraries"]),
            metallicity_range=(low, high),
            max_redshift=content["max_redshift"],
            pivot=content.get("pivot", _PIVOT),
            shining=content["shining"],
            active=content.get("active", 0.0),
            rich=content.get("rich", 0.0),
            families=content["families"],
            laws=content.get("laws", {"milky way": 1.0}),
        )

    def draw(self, n: int, *, seed: int, held_out: bool = False) -> Populations:
        """Draw populations.

        SSPs of the split ``test`` (one in five, the same as for :class:`.SSPPrior`) are in none
        of the galaxies of a training, whose stars of such ages are mixed of their neighbours.

        Parameters
        ----------
        n : int
        seed : int
        held_out : bool
            Draw galaxies that are mixed of all SSPs, and of those only the ones of whose light
            at least a quarter comes from SSPs that no training mixes.
        """
        rng = np.random.default_rng((seed, held_out, 1))
        if not held_out:
            return self._draw(n, rng, lambda library: library.select(~is_held_out(library)))
        return self._draw(n, rng, lambda library: library, unseen=True)

    def draw_all(self, n: int, *, seed: int) -> Populations:
        """Draw populations mixed of all SSPs, whoever has seen them."""
        return self._draw(n, np.random.default_rng((seed, 2, 1)), lambda library: library)

    def _draw(
        self,
        n: int,
        rng: np.random.Generator,
        chosen: Callable[[SSPLibrary], SSPLibrary],
        unseen: bool = False,
    ) -> Populations:
        """Draw from SSPs that are chosen; ``unseen`` are those of :data:`HELD_OUT_SHARE`."""
        drawn = self._histories(n, rng)
        of_library = self._libraries(drawn.formations, rng)
        parts = []
        for index, name in enumerate(self.libraries):
            rows = np.flatnonzero(of_library == index)
            if not len(rows):
                continue
            mixer = Mixer(chosen(load_library(name)))
            own = self._with_metals(mixer.library, drawn.rows(rows), rng)
            if unseen:
                own = self._unseen(mixer, own, rng)
            parts.append(self._mixed(mixer, own, rng))
        return shuffled(parts, rng)

    def _histories(self, n: int, rng: np.random.Generator) -> _Drawn:
        """Histories without metals, none longer than the universe is old where it is seen."""
        formations = draw_histories(n, self.families, rng)
        if not self.far:
            step = rng.integers(REDSHIFT_STEPS, size=n)
            return _Drawn(formations, step * (self.max_redshift / (REDSHIFT_STEPS - 1)))
        step = rng.integers(_FAR_STEPS, size=n) / (_FAR_STEPS - 1)
        redshift = self.pivot * ((1 + self.max_redshift / self.pivot) ** step - 1)
        values, which = np.unique(redshift, return_inverse=True)
        ages = DEFAULT_COSMOLOGY.age(values)
        factor = (ages / DEFAULT_COSMOLOGY.age(0.0))[which]
        return _Drawn(tuple(part.stretched(factor) for part in formations), redshift)

    def _unseen(self, mixer: Mixer, drawn: _Drawn, rng: np.random.Generator) -> _Drawn:
        """As many galaxies of a library, with enough light of SSPs that no training mixes.

        So each library keeps its part, though it is easier for one with few SSPs.
        """
        index = self.libraries.index(mixer.library.name)
        found, missing, tried = [], len(drawn), drawn
        while missing > 0:
            shares = _unseen_share(mixer, tried.formations)
            kept = np.flatnonzero(shares >= HELD_OUT_SHARE)[:missing]
            found.append(tried.rows(kept))
            missing -= len(kept)
            more = self._histories(20 * missing + 100, rng)
            rows = np.flatnonzero(self._libraries(more.formations, rng) == index)
            tried = self._with_metals(mixer.library, more.rows(rows), rng)
        return _Drawn.joined(found)

    def _with_metals(self, library: SSPLibrary, drawn: _Drawn, rng: np.random.Generator) -> _Drawn:
        metals = self._metallicities(library, len(drawn), rng)
        formations = (
            replace(part, metallicity=metal)
            for part, metal in zip(drawn.formations, metals, strict=True)
        )
        return replace(drawn, formations=tuple(formations))

    def _libraries(self, formations: tuple[Formation, ...], rng: np.random.Generator) -> np.ndarray:
        """Index of the library of each galaxy, any that has stars as young as its own."""
        n = len(formations[0].mass)
        youngest = np.array([load_library(name).log_age.min() for name in self.libraries])
        # Those without young stars are the more likely where they can be asked.
        lot = rng.uniform(size=(n, len(youngest))) ** np.where(youngest < _YOUNG_ENOUGH, 1, 0.4)
        young = sum(part.mass[:, None] * part.younger_than(10**youngest) for part in formations)
        good = (young < _TOO_YOUNG) | (youngest < _YOUNG_ENOUGH)
        # Where no library has such stars, those that have the youngest stand in.
        good |= ~good.any(axis=1, keepdims=True) & (youngest == youngest.min())
        return np.where(good, lot, -1.0).argmax(axis=1)

    def _metallicities(
        self, library: SSPLibrary, n: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, ...]:
        """[M/H] of the bodies, of the later episodes and of what is tabulated."""
        low = max(self.metallicity_range[0], library.metallicities[0])
        high = min(self.metallicity_range[1], library.metallicities[-1])
        above = np.where(rng.uniform(size=n) < self.rich, max(low, min(_ABOVE, high)), low)
        body = rng.uniform(above, high, n)
        change = np.abs(rng.normal(0, 0.4, n)) * np.where(rng.uniform(size=n) < 0.75, 1, -1)
        # What would leave the range is reflected, so that nothing piles up at its ends.
        later = body + change
        later = np.where(later > high, 2 * high - later, later)
        later = np.where(later < low, 2 * low - later, later)
        return body, np.clip(later, low, high), body

    def _mixed(self, mixer: Mixer, drawn: _Drawn, rng: np.random.Generator) -> Populations:
        n, weighed = len(drawn), Masses.of(mixer.library)
        dust = draw_attenuation(0.8 * rng.beta(1, 2.5, n), self.laws, rng)
        gas = Gas(
            rng.integers(len(LOG_U), size=n),
            rng.uniform(0.2, 1.0, n) * (rng.uniform(size=n) < self.shining),
            dust.ebv * rng.uniform(1.0, 2.5, n),
        )
        nucleus = self._nuclei(n, rng)
        wavelength = mixer.library.wavelength
        means = np.empty((n, len(NAMES)))
        formed, surviving = np.empty((2, n))
        colours = np.empty((n, 3))

        def spectra(rows: np.ndarray) -> np.ndarray:
            masses = mixer.masses(drawn.rows(rows).formations)
            own: Attenuation = dust.rows(rows)
            means[rows] = mixer.truths(masses, own)
            seen = mixer.spectra(masses, own, gas.rows(rows), nucleus.rows(rows))
            if self.far:
                formed[rows], surviving[rows] = masses @ weighed.formed, masses @ weighed.surviving
                stars = masses.astype(np.float32) @ mixer.library.spectra
                parts = [u_minus_r(light, wavelength) for light in (seen, stars)]
                colours[rows] = np.stack([*parts, d4000(seen, wavelength)], axis=1)
            return seen

        flux, median = observed(spectra, wavelength, drawn.redshift)
        truths = [means]
        if self.far:
            light = [log_mass_to_light(mass, median) for mass in (surviving, formed)]
            rate = log_ssfr(drawn.formations, formed, surviving, rng)
            truths += [np.stack([*light, rate], axis=1), times(drawn.formations), colours]
        return Populations(
            flux,
            np.concatenate(truths, axis=1).astype(np.float32),
            drawn.redshift.astype(np.float32),
            self.names,
            np.full(n, mixer.library.name),
        )

    def _nuclei(self, n: int, rng: np.random.Generator) -> Nucleus:
        """α about that of quasars, −1.56 (Vanden Berk et al. 2001, Sect. 4.1)."""
        share = rng.uniform(0, 0.2, n) * (rng.uniform(size=n) < self.active)
        return Nucleus(share, rng.normal(-1.5, 0.5, n))


def _unseen_share(mixer: Mixer, formations: tuple[Formation, ...]) -> np.ndarray:
    """Share of the light of each galaxy that is of SSPs no training mixes, shape (n,)."""
    n, unseen = len(formations[0].mass), is_held_out(mixer.library)
    found = np.empty(n)
    for start in range(0, n, _LIGHT_ROWS):
        rows = np.arange(start, min(start + _LIGHT_ROWS, n))
        light = mixer.masses(tuple(part.rows(rows) for part in formations)) * mixer.brightness
        found[rows] = light[:, unseen].sum(axis=1) / light.sum(axis=1)
    return found
