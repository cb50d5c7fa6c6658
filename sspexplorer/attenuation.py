"""How dust dims the light of whole galaxies: laws of attenuation, many galaxies at a time.

All curves are A(λ) for E(B−V) = A(4405 Å) − A(5495 Å) = 1:

- ``milky way``: a screen with the law of Cardelli, Clayton & Mathis (1989), R_V = 3.1;
- ``starburst``: k(λ) of Calzetti et al. (2000), eq. 4, times (λ/5500 Å)^δ and with a bump at 2175 Å
  of strength E_b (Noll et al. 2009; 0 is the law itself). δ and E_b of galaxies at
  z < 0.3 are those of Salim, Boquien & Lee (2018); the Milky Way's bump has E_b of 3 to 4;
- ``power law``: (λ/5500 Å)^n (Charlot & Fall 2000), for the interstellar medium before all stars.
  Stars younger than 10 Myr are in their birth clouds as well, whose law has a slope of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sspexplorer.dust import transmission

LAWS = ("milky way", "starburst", "power law")
BLUE, VISUAL = 4405.0, 5495.0  # Å; where E(B−V) and A_V are defined
CLOUD_LOG_AGE = 7.0  # log10 yr; until then stars are in their birth clouds
_PIVOT = 5500.0  # Å
_BUMP, _BUMP_WIDTH = 2175.0, 350.0  # Å
_CALZETTI_R_V = 4.05
_MOST_CLOUD = 2.5  # mag
_TO_LN = np.log(10) / 2.5  # of light that is dimmed by one magnitude


def calzetti(wavelength: np.ndarray) -> np.ndarray:
    """k(λ) = A(λ)/E(B−V) of Calzetti et al. (2000), eq. 4, at wavelengths in Å.

    Beyond 1200 to 22 000 Å it goes on as it is.
    """
    um = np.asarray(wavelength, dtype=float) / 1e4
    blue = 2.659 * (-2.156 + 1.509 / um - 0.198 / um**2 + 0.011 / um**3)
    red = 2.659 * (-1.857 + 1.040 / um)
    return np.where(um < 0.63, blue, red) + _CALZETTI_R_V


@dataclass(frozen=True)
class Attenuation:
    """Dust of n galaxies; each attribute has the shape (n,).

    Attributes
    ----------
    law : ndarray of int
        Index in :data:`LAWS`, of the dust before all stars.
    ebv : ndarray
        Its E(B−V), mag.
    slope : ndarray
        δ or n of its law; no matter for the Milky Way's.
    bump : ndarray
        E_b of ``starburst``.
    cloud : ndarray
        A_V of the birth clouds alone, mag.
    cloud_slope : ndarray
        n of theirs.
    """

    law: np.ndarray
    ebv: np.ndarray
    slope: np.ndarray
    bump: np.ndarray
    cloud: np.ndarray
    cloud_slope: np.ndarray

    def rows(self, index: np.ndarray) -> "Attenuation":
        """Those of some of the galaxies."""
        return Attenuation(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    @classmethod
    def screens(cls, ebv: np.ndarray) -> "Attenuation":
        """Screens with the law of the Milky Way."""
        none = np.zeros(len(ebv))
        return cls(np.zeros(len(ebv), dtype=int), np.asarray(ebv, dtype=float), *(none,) * 4)

    def curves(self, wavelength: np.ndarray) -> np.ndarray:
        """A(λ) in mag of the dust before all stars, shape (n, n_wave), float32.

        Parameters
        ----------
        wavelength : ndarray, shape (n_wave,)
            Rest frame, Å.
        """
        at = np.concatenate([wavelength, [BLUE, VISUAL]])
        shapes = np.empty((len(self.ebv), len(at)), dtype=np.float32)
        log_ratio = np.log(at / _PIVOT).astype(np.float32)
        for index, law in enumerate(LAWS):
            rows = np.flatnonzero(self.law == index)
            if not len(rows):
                continue
            if law == "milky way":
                shapes[rows] = -np.log(transmission(at, 1.0)) / _TO_LN
                continue
            tilt = np.exp(np.multiply.outer(self.slope[rows].astype(np.float32), log_ratio))
            shapes[rows] = tilt if law == "power law" else self._starburst(rows, at, tilt)
        step = shapes[:, -2] - shapes[:, -1]
        return shapes[:, :-2] * (self.ebv / step).astype(np.float32)[:, None]

    def _starburst(self, rows: np.ndarray, at: np.ndarray, tilt: np.ndarray) -> np.ndarray:
        """Noll et al. (2009): the tilted law, and the Drude profile of the bump on top."""
        width = at**2 * _BUMP_WIDTH**2
        drude = (width / ((at**2 - _BUMP**2) ** 2 + width)).astype(np.float32)
        bump = np.multiply.outer(self.bump[rows].astype(np.float32), drude)
        # Salim et al. (2018): R_V of the law follows from its slope.
        ratio = (_CALZETTI_R_V + 1) / _CALZETTI_R_V * (4400 / _PIVOT) ** self.slope[rows] - 1
        unit = ratio.astype(np.float32)[:, None]
        return calzetti(at).astype(np.float32) / _CALZETTI_R_V * tilt / unit + bump

    def seen(self, wavelength: np.ndarray) -> np.ndarray:
        """Fraction of all stars' light that comes through, shape (n, n_wave), float32."""
        return np.exp(-np.float32(_TO_LN) * self.curves(wavelength))

    def seen_through_clouds(self, wavelength: np.ndarray) -> np.ndarray:
        """Fraction of the young stars' light that leaves their clouds, shape (n, n_wave)."""
        log_ratio = np.log(np.asarray(wavelength) / _PIVOT).astype(np.float32)
        tilt = np.exp(np.multiply.outer(self.cloud_slope.astype(np.float32), log_ratio))
        return np.exp(-np.float32(_TO_LN) * self.cloud.astype(np.float32)[:, None] * tilt)


def draw_attenuation(
    ebv: np.ndarray, shares: Mapping[str, float], rng: np.random.Generator
) -> Attenuation:
    """Dust of galaxies at random.

    δ is normal about −0.3 ± 0.35 within −1 and 0.4 in half of the ``starburst`` laws and 0 in the
    other half, which are without a bump; E_b is even from 0 to 4. n of the ``power law`` is even
    from −1.1 to −0.4, that of its clouds from −1.3 to −0.7 (da Cunha et al. 2008 take −0.7 and
    −1.3), and 20 to 60 % of the A_V before young stars is of the interstellar medium (Charlot &
    Fall: a third), the clouds having no more than 2.5 mag.

    Parameters
    ----------
    ebv : ndarray, shape (n,)
        E(B−V) of the dust before all stars, mag.
    shares : dict of str to float
        Of each of the :data:`LAWS`; they add up to 1.
    rng : numpy.random.Generator
    """
    n = len(ebv)
    law = rng.choice(len(LAWS), n, p=[shares.get(name, 0.0) for name in LAWS])
    starburst, power = (law == LAWS.index(name) for name in ("starburst", "power law"))
    changed = starburst & (rng.uniform(size=n) < 0.5)
    delta = np.clip(rng.normal(-0.3, 0.35, n), -1.0, 0.4)
    slope = np.where(changed, delta, np.where(power, rng.uniform(-1.1, -0.4, n), 0.0))
    bump = np.where(changed, rng.uniform(0, 4, n), 0.0)
    medium = rng.uniform(0.2, 0.6, n)
    drawn = Attenuation(law, ebv, slope, bump, np.zeros(n), rng.uniform(-1.3, -0.7, n))
    visual = drawn.curves(np.array([VISUAL]))[:, 0]
    cloud = np.where(power, np.minimum(visual * (1 / medium - 1), _MOST_CLOUD), 0.0)
    return Attenuation(law, ebv, slope, bump, cloud, drawn.cloud_slope)
