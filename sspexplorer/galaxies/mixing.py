"""From histories to spectra and to the parameters that are true of them."""

from dataclasses import dataclass

import numpy as np

from sspexplorer.attenuation import BLUE, CLOUD_LOG_AGE, VISUAL, Attenuation
from sspexplorer.dust import transmission
from sspexplorer.galaxies.formation import Formation
from sspexplorer.histories.means import LIGHT_RANGE, Means, brightness, brightness_at
from sspexplorer.libraries import SSPLibrary
from sspexplorer.nebular import MAX_NEBULAR_LOG_AGE, nebular_spectra

# Defined in sspexplorer.histories.means: by light, and by the mass formed.
NAMES = (
    "log_age",
    "metallicity",
    "ebv",
    "log_mean_age",
    "av",
    "mass_log_age",
    "mass_log_mean_age",
    "mass_metallicity",
)
# log U of the gas: what star-forming galaxies show (e.g. Kewley et al. 2019, Sect. 4).
LOG_U = np.arange(-4.0, -1.9, 0.25)
# A star between two SSPs is shared between them; integrals over its age take steps of this (dex).
_AGE_STEP = 0.05
_LIGHT_CENTRE = (LIGHT_RANGE[0] + LIGHT_RANGE[1]) / 2


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


@dataclass(frozen=True)
class Nucleus:
    """Light of the active nuclei of n galaxies, F_λ ∝ λ^α.

    Attributes
    ----------
    share : ndarray, shape (n,)
        Of the light at 5500 to 6500 Å; 0 where there is none.
    slope : ndarray, shape (n,)
        α.
    """

    share: np.ndarray
    slope: np.ndarray

    def rows(self, index: np.ndarray) -> "Nucleus":
        """Nuclei of some of the galaxies."""
        return Nucleus(self.share[index], self.slope[index])


class Mixer:
    """Mixes the SSPs of one library, and the gas around the young ones, into galaxies.

    Parameters
    ----------
    library : SSPLibrary
        Each of its metallicities may have ages of its own.
    """

    def __init__(self, library: SSPLibrary) -> None:
        self.library = library
        wavelength = library.wavelength
        self.brightness = brightness(library.spectra, wavelength)
        self.at = {w: brightness_at(library.spectra, wavelength, w) for w in (BLUE, VISUAL)}
        self.clouded = np.flatnonzero(library.log_age <= CLOUD_LOG_AGE)
        self.young = np.flatnonzero(library.log_age <= MAX_NEBULAR_LOG_AGE)
        # The spectrum of the gas per mass of each young SSP, for each step in log U.
        age, metals = library.log_age[self.young], library.metallicity[self.young]
        self.columns = [_Metallicity.of(library, value) for value in library.metallicities]
        self.gas = [nebular_spectra(age, metals, np.full(len(age), u), wavelength) for u in LOG_U]

    def masses(self, formations: tuple[Formation, ...]) -> np.ndarray:
        """Mass of each SSP in each galaxy, shape (n, n_ssp), rows adding up to 1.

        A star is shared between the SSPs on either side of it: in age linearly in log t, in
        metallicity linearly in [M/H]. Both means are so exact. With C the mass of stars younger
        than t, and D_i its mean over log t between SSPs i and i + 1, integration by parts leaves
        D_i − D_(i−1) for SSP i; the first takes what is younger, the last what is older.
        """
        library = self.library
        total = np.zeros((len(formations[0].mass), len(library)))
        grid = library.metallicities
        for index, column in enumerate(self.columns):
            for formation in formations:
                place = np.interp(formation.metallicity, grid, np.arange(len(grid)))
                share = np.clip(1 - np.abs(place - index), 0, 1) * formation.mass
                rows = np.flatnonzero(share)
                if not len(rows):
                    continue
                if len(column.ssp) == 1:
                    total[rows, column.ssp[0]] += share[rows]
                    continue
                younger = formation.rows(rows).younger_than(column.ages)
                means = np.add.reduceat(younger, column.first, axis=1) / column.count
                formed = np.empty((len(rows), len(column.ssp)))
                formed[:, 0], formed[:, -1] = means[:, 0], 1 - means[:, -1]
                formed[:, 1:-1] = means[:, 1:] - means[:, :-1]
                total[np.ix_(rows, column.ssp)] += share[rows, None] * formed
        return total

    def truths(self, masses: np.ndarray, dust: Attenuation) -> np.ndarray:
        """Parameters of :data:`NAMES`, shape (n, 8)."""
        library = self.library
        light = masses * self.brightness
        if len(self.clouded):
            dimmed = dust.seen_through_clouds(np.array([_LIGHT_CENTRE]))
            light[:, self.clouded] *= dimmed
        by_light = Means.of(light, library.log_age, library.metallicity)
        by_mass = Means.of(masses, library.log_age, library.metallicity)
        blue, visual = (self._dimming(masses, dust, where) for where in (BLUE, VISUAL))
        return np.stack(
            [
                by_light.log_age,
                by_light.metallicity,
                blue - visual,
                by_light.log_mean_age,
                visual,
                by_mass.log_age,
                by_mass.log_mean_age,
                by_mass.metallicity,
            ],
            axis=1,
        )

    def _dimming(self, masses: np.ndarray, dust: Attenuation, where: float) -> np.ndarray:
        """A(λ) of all the stars' light in mag, shape (n,)."""
        at = np.array([where])
        light = masses @ self.at[where]
        clouded = masses[:, self.clouded] @ self.at[where][self.clouded]
        kept = 1 - (1 - dust.seen_through_clouds(at)[:, 0]) * clouded / light
        return dust.curves(at)[:, 0] - 2.5 * np.log10(kept)

    def spectra(
        self, masses: np.ndarray, dust: Attenuation, gas: Gas, nucleus: Nucleus
    ) -> np.ndarray:
        """Rest-frame F_λ behind dust, shape (n, n_wave), float32."""
        wavelength = self.library.wavelength
        light = masses.astype(np.float32) @ self.library.spectra
        hidden = np.flatnonzero((dust.cloud > 0) & (masses[:, self.clouded] > 0).any(axis=1))
        if len(hidden):
            inside = masses[np.ix_(hidden, self.clouded)].astype(np.float32)
            lost = 1 - dust.rows(hidden).seen_through_clouds(wavelength)
            light[hidden] -= (inside @ self.library.spectra[self.clouded]) * lost
        light *= dust.seen(wavelength)
        young = (masses[:, self.young] * gas.covering[:, None]).astype(np.float32)
        active = np.flatnonzero(nucleus.share > 0)
        power = self._power_law(light[active], nucleus.rows(active))
        for step in np.unique(gas.log_u):
            rows = np.flatnonzero((gas.log_u == step) & (young > 0).any(axis=1))
            if len(rows):
                screen = transmission(wavelength, gas.ebv[rows]).astype(np.float32)
                light[rows] += (young[rows] @ self.gas[step]) * screen
        light[active] += power
        return light

    def _power_law(self, stars: np.ndarray, nucleus: Nucleus) -> np.ndarray:
        """Light of nuclei beside that of stars (n, n_wave)."""
        wavelength = self.library.wavelength
        shape = np.exp(np.multiply.outer(nucleus.slope, np.log(wavelength / _LIGHT_CENTRE)))
        level = brightness(stars, wavelength) / brightness(shape, wavelength)
        level = level * nucleus.share / (1 - nucleus.share)
        return (level[:, None] * shape).astype(np.float32)


@dataclass(frozen=True)
class _Metallicity:
    """SSPs of one metallicity, and ages between them.

    Attributes
    ----------
    ssp : ndarray of int, shape (n,)
        In order of age.
    ages : ndarray
        Some ages (yr) in each of the steps from one SSP to the next.
    first, count : ndarray of int, shape (n - 1,)
        Where the ages of each step begin, and how many they are.
    """

    ssp: np.ndarray
    ages: np.ndarray
    first: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, library: SSPLibrary, metallicity: float) -> "_Metallicity":
        ssp = np.flatnonzero(library.metallicity == metallicity)
        ssp = ssp[np.argsort(library.log_age[ssp])]
        log_age = library.log_age[ssp]
        count = np.maximum(1, np.ceil(np.diff(log_age) / _AGE_STEP)).astype(int)
        inside = [
            low + (high - low) * (np.arange(n) + 0.5) / n
            for low, high, n in zip(log_age[:-1], log_age[1:], count, strict=True)
        ]
        return cls(ssp, 10 ** np.concatenate([[], *inside]), np.cumsum(count) - count, count)
