"""Rates of star formation that know their own integrals."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

# Constant star formation goes on until here: the oldest age of the libraries.
PRESENT = 14e9  # yr


class StarFormation(Protocol):
    """Star formation that adds up to one solar mass, as a function of time.

    ``time`` is an ndarray of any shape, in yr since the beginning.
    """

    @property
    def start(self) -> float:
        """When it begins, yr."""

    def rate(self, time: np.ndarray) -> np.ndarray:
        """Star-formation rate, M_sun/yr."""

    def formed(self, time: np.ndarray) -> np.ndarray:
        """Mass of stars that have formed, M_sun: the integral of the rate."""

    def mass_times_age(self, time: np.ndarray) -> np.ndarray:
        """Mass × age summed over all stars, M_sun yr: the integral of the mass formed.

        Each star adds its mass times the time that has passed, ∫ (t − s) ψ(s) ds, which is
        ∫ formed(s) ds by parts. Divided by the mass formed, it is the mass-weighted age.
        """


@dataclass(frozen=True)
class Burst:
    """Constant rate for a while, then nothing.

    Parameters
    ----------
    start, duration : float
        yr; the duration is positive.
    """

    start: float = 0.0
    duration: float = 1e9

    def rate(self, time: np.ndarray) -> np.ndarray:
        """1/duration, M_sun/yr, from the start to the end."""
        since = np.asarray(time) - self.start
        return ((since >= 0) & (since < self.duration)) / self.duration

    def formed(self, time: np.ndarray) -> np.ndarray:
        """t/duration, M_sun, up to 1."""
        return np.clip((np.asarray(time) - self.start) / self.duration, 0, 1)

    def mass_times_age(self, time: np.ndarray) -> np.ndarray:
        """t²/(2 duration), M_sun yr, then t − duration/2."""
        since = np.clip(np.asarray(time) - self.start, 0, None)
        during = np.minimum(since, self.duration)
        return during**2 / (2 * self.duration) + (since - during)


def constant(start: float = 0.0) -> Burst:
    """Star formation at a constant rate from the start (yr) until :data:`PRESENT`."""
    return Burst(start, PRESENT - start)


@dataclass(frozen=True)
class Exponential:
    """Rate that falls as exp(−t/τ).

    Parameters
    ----------
    start, timescale : float
        yr; the timescale τ is positive.
    """

    start: float = 0.0
    timescale: float = 1e9

    def _x(self, time: np.ndarray) -> np.ndarray:
        return np.clip((np.asarray(time) - self.start) / self.timescale, 0, None)

    def rate(self, time: np.ndarray) -> np.ndarray:
        """exp(−x)/τ, M_sun/yr, with x = t/τ."""
        return (np.asarray(time) >= self.start) * np.exp(-self._x(time)) / self.timescale

    def formed(self, time: np.ndarray) -> np.ndarray:
        """1 − exp(−x), M_sun."""
        return -np.expm1(-self._x(time))

    def mass_times_age(self, time: np.ndarray) -> np.ndarray:
        """Return t − τ (1 − exp(−x)), M_sun yr."""
        x = self._x(time)
        return self.timescale * (x + np.expm1(-x))


@dataclass(frozen=True)
class Delayed:
    """Rate that rises and falls as t exp(−t/τ), highest at τ.

    Parameters
    ----------
    start, timescale : float
        yr; the timescale τ is positive.
    """

    start: float = 0.0
    timescale: float = 1e9

    def _x(self, time: np.ndarray) -> np.ndarray:
        return np.clip((np.asarray(time) - self.start) / self.timescale, 0, None)

    def rate(self, time: np.ndarray) -> np.ndarray:
        """Return x exp(−x)/τ, M_sun/yr, with x = t/τ."""
        x = self._x(time)
        return x * np.exp(-x) / self.timescale

    def formed(self, time: np.ndarray) -> np.ndarray:
        """1 − (1 + x) exp(−x), M_sun."""
        x = self._x(time)
        return -np.expm1(-x) - x * np.exp(-x)

    def mass_times_age(self, time: np.ndarray) -> np.ndarray:
        """Return t − τ (2 − (2 + x) exp(−x)), M_sun yr."""
        x = self._x(time)
        return self.timescale * (x + 2 * np.expm1(-x) + x * np.exp(-x))
