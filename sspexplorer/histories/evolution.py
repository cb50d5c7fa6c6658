"""Composite populations through time: one matrix product for each component of a history."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.histories.means import brightness
from sspexplorer.histories.rates import StarFormation
from sspexplorer.libraries import SSPLibrary
from sspexplorer.photometry import band_matrix


@dataclass(frozen=True)
class Component:
    """Stars that share their metallicity and their dust.

    Attributes
    ----------
    formation : StarFormation
    metallicity : float
        [M/H] in dex; the nearest metallicity of a library is taken.
    ebv : float
        E(B−V) in mag of a screen before these stars (see :mod:`sspexplorer.dust`).
    mass : float
        M_sun that form in all time.
    """

    formation: StarFormation
    metallicity: float = 0.0
    ebv: float = 0.0
    mass: float = 1.0


History = tuple[Component, ...]


def ssp_masses(formation: StarFormation, age: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Mass that each SSP stands for.

    A star between two SSPs is shared between them, linearly in age: so the spectra are
    interpolated linearly, and total mass and mean age are exact. With C(a) the mass of stars
    younger than a, and D_i its mean between SSPs i and i + 1, integration by parts leaves
    D_i − D_(i−1) for SSP i. What is younger than the youngest SSP, or older than the oldest, is
    theirs.

    Parameters
    ----------
    formation : StarFormation
    age : ndarray, shape (n_ssp,)
        yr, increasing.
    times : ndarray, shape (n,)
        yr since the beginning.

    Returns
    -------
    ndarray, shape (n, n_ssp)
        M_sun; each row adds up to the mass formed.
    """
    formed = formation.formed(times)[:, None]
    integral = formation.mass_times_age(times[:, None] - age)
    between = formed + np.diff(integral, axis=1) / np.diff(age)
    mass = np.diff(np.hstack([np.zeros_like(formed), between, formed]), axis=1)
    # Rounding leaves ±1e−11 where there is nothing.
    return np.clip(mass, 0, None)


@dataclass(frozen=True, eq=False)
class Mixture:
    """One component at n times, as a mixture of the SSPs of one metallicity.

    Attributes
    ----------
    component : Component
    log_age : ndarray, shape (n_ssp,)
        log10 ages (yr) of the SSPs, increasing.
    spectra : ndarray, shape (n_ssp, n_wave)
        F_λ in L_sun/Å/M_sun without dust.
    screen : ndarray, shape (n_wave,)
        Fraction of light that the dust lets through.
    metallicity : float
        [M/H] in dex of the SSPs.
    mass : ndarray, shape (n, n_ssp)
        M_sun that each SSP stands for, see :func:`ssp_masses`.
    light : ndarray, shape (n, n_ssp)
        Its light at 5500 to 6500 Å that comes through the dust, L_sun/Å.
    """

    component: Component
    log_age: np.ndarray
    spectra: np.ndarray
    screen: np.ndarray
    metallicity: float
    mass: np.ndarray
    light: np.ndarray

    @classmethod
    def of(cls, library: SSPLibrary, component: Component, times: np.ndarray) -> "Mixture":
        """Mix the SSPs whose metallicity is nearest to the component's."""
        distance = np.abs(library.metallicities - component.metallicity)
        metallicity = library.metallicities[np.argmin(distance)]
        chosen = library.select(library.metallicity == metallicity)
        order = np.argsort(chosen.log_age)
        log_age, spectra = chosen.log_age[order], chosen.spectra[order]
        screen = transmission(library.wavelength, component.ebv)
        mass = component.mass * ssp_masses(component.formation, 10**log_age, times)
        light = mass * brightness(spectra * screen, library.wavelength)
        return cls(component, log_age, spectra, screen, float(metallicity), mass, light)

    def formed(self, times: np.ndarray) -> np.ndarray:
        """M_sun formed by some times."""
        return self.component.mass * self.component.formation.formed(times)


@dataclass(frozen=True, eq=False)
class Evolution:
    """A composite population at n times.

    Ages come in two kinds: ``light_age`` and ``mass_age`` are means of ages, whose logarithm is
    what is usually called light-weighted age (and what Appendix C of the paper means);
    ``light_log_age`` and ``mass_log_age`` are means of logarithms, which are lower. Light is that
    at 5500 to 6500 Å that comes through the dust; mass is the mass formed.

    Attributes
    ----------
    times : ndarray, shape (n,)
        yr since the beginning.
    wavelength : ndarray, shape (n_wave,)
        Rest frame, Å.
    mixtures : tuple of Mixture
        One for each component of the history.
    """

    times: np.ndarray
    wavelength: np.ndarray
    mixtures: tuple[Mixture, ...]

    @cached_property
    def flux(self) -> np.ndarray:
        """F_ν on the scale of :func:`~sspexplorer.photometry.band_matrix`, shape (n, 57).

        NaN in bands that the library does not cover.
        """
        matrix = band_matrix(self.wavelength, gaps=True)
        seen = [m.mass @ (m.spectra @ (m.screen[:, None] * matrix)) for m in self.mixtures]
        return np.sum(seen, axis=0)

    def spectrum(self, index: int) -> np.ndarray:
        """Rest-frame F_λ at one of the times, L_sun/Å, shape (n_wave,)."""
        return np.sum([m.mass[index] @ m.spectra * m.screen for m in self.mixtures], axis=0)

    @cached_property
    def mass(self) -> np.ndarray:
        """Mass formed, M_sun, shape (n,)."""
        return np.sum([m.formed(self.times) for m in self.mixtures], axis=0)

    @cached_property
    def light(self) -> np.ndarray:
        """Light at 5500 to 6500 Å, L_sun/Å, shape (n,)."""
        return sum(m.light.sum(axis=1) for m in self.mixtures)

    @property
    def light_age(self) -> np.ndarray:
        """Mean age (yr) of the light, with SSPs in the place of the stars, shape (n,)."""
        return sum(m.light @ 10**m.log_age for m in self.mixtures) / self.light

    @property
    def mass_age(self) -> np.ndarray:
        """Mean age (yr) of the stars by mass, exact, shape (n,)."""
        total = sum(
            m.component.mass * m.component.formation.mass_times_age(self.times)
            for m in self.mixtures
        )
        return total / self.mass

    @property
    def light_log_age(self) -> np.ndarray:
        """Mean log10 age (yr) of the light, shape (n,)."""
        return sum(m.light @ m.log_age for m in self.mixtures) / self.light

    @property
    def mass_log_age(self) -> np.ndarray:
        """Mean log10 age (yr) by mass of the SSPs that stand for the stars, shape (n,)."""
        return sum(m.mass @ m.log_age for m in self.mixtures) / self.mass

    @cached_property
    def young_light(self) -> np.ndarray:
        """Fraction of the light that the youngest SSP emits for younger stars, shape (n,)."""
        light = 0.0
        for m in self.mixtures:
            young = m.formed(self.times) - m.formed(self.times - 10 ** m.log_age[0])
            share = np.divide(young, m.mass[:, 0], out=np.zeros_like(young), where=m.mass[:, 0] > 0)
            light += m.light[:, 0] * share
        return light / self.light

    @property
    def young_mass(self) -> np.ndarray:
        """Fraction of mass that is younger than the youngest SSP, shape (n,)."""
        older = sum(m.formed(self.times - 10 ** m.log_age[0]) for m in self.mixtures)
        return 1 - older / self.mass

    @property
    def old_mass(self) -> np.ndarray:
        """Fraction of mass that is older than the oldest SSP, shape (n,)."""
        return sum(m.formed(self.times - 10 ** m.log_age[-1]) for m in self.mixtures) / self.mass

    def truth(self, weight: str = "light", age: str = "log_mean_age") -> np.ndarray:
        """Parameters as networks predict them.

        Parameters
        ----------
        weight : {"light", "mass"}
        age : {"log_mean_age", "log_age"}
            Which mean of the age, see :mod:`sspexplorer.histories.means`.

        Returns
        -------
        ndarray, shape (n, 3)
            Mean age (log10 yr), mean [M/H] (dex) and mean E(B−V) (mag).
        """
        by_light = weight == "light"
        weights = [m.light.sum(axis=1) if by_light else m.formed(self.times) for m in self.mixtures]
        total = self.light if by_light else self.mass
        if age == "log_age":
            mean = self.light_log_age if by_light else self.mass_log_age
        else:
            mean = np.log10(self.light_age if by_light else self.mass_age)
        pairs = list(zip(weights, self.mixtures, strict=True))
        metallicity = sum(w * m.metallicity for w, m in pairs) / total
        ebv = sum(w * m.component.ebv for w, m in pairs) / total
        return np.stack([mean, metallicity, ebv], axis=1)


def evolve(library: SSPLibrary, history: History, times: np.ndarray) -> Evolution:
    """Mix the SSPs of a library as a history says, at many times at once.

    One matrix product for each component. Where stars are younger than the youngest SSP, or older
    than the oldest, that SSP stands in for them; the answer tells how many they are.

    Parameters
    ----------
    library : SSPLibrary
    history : tuple of Component
    times : array_like, shape (n,)
        yr since the beginning.

    Raises
    ------
    InputError
        If no stars have formed at one of the times.
    """
    times = np.atleast_1d(np.asarray(times, dtype=float))
    mixtures = tuple(Mixture.of(library, component, times) for component in history)
    evolution = Evolution(times, library.wavelength, mixtures)
    if not mixtures or not (evolution.mass > 0).all():
        raise InputError("The star-formation history has formed no stars at some of the times.")
    return evolution
