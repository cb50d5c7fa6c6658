"""Gas around a stellar population: its light on top of that of the stars, behind its own dust."""

from dataclasses import dataclass

import numpy as np

from sspexplorer.dust import transmission
from sspexplorer.errors import InputError
from sspexplorer.nebular import (
    check_log_u,
    line_luminosities,
    line_weights,
    load_nebular,
    nebular_spectra,
)


@dataclass(frozen=True)
class IonisedGas:
    """Gas that surrounds young stars and, if they are young enough, shines.

    Attributes
    ----------
    log_u : float
        log10 of the ionisation parameter, within :data:`~sspexplorer.nebular.LOG_U_RANGE`.
    ebv_ratio : float
        E(B−V) of the gas over that of the stars, not negative: young stars are still in the
        clouds they were born in. Calzetti et al. (2000), eq. 3, found 1/0.44 in starbursts.

    Raises
    ------
    InputError
        If either is out of range.
    """

    log_u: float = -2.5
    ebv_ratio: float = 1 / 0.44

    def __post_init__(self) -> None:
        """Check both numbers."""
        check_log_u(self.log_u)
        if not 0 <= self.ebv_ratio < np.inf:
            raise InputError("The dust of the gas is a multiple of that of the stars: 0 or more.")

    def added_to(
        self,
        stars: np.ndarray,
        wavelength: np.ndarray,
        *,
        log_age: float,
        metallicity: float,
        ebv: float,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Light of a population and of this gas around it.

        Parameters
        ----------
        stars : ndarray, shape (n_wave,)
            F_λ of the stars behind their dust, in L_sun/Å per solar mass formed.
        wavelength : ndarray, shape (n_wave,)
            Rest-frame wavelength in Å, increasing.
        log_age, metallicity, ebv : float
            Of the stars: log10 yr, dex and mag.

        Returns
        -------
        spectrum : ndarray, shape (n_wave,)
            F_λ of both, in the unit of ``stars``.
        width : ndarray, shape (n_line,)
            Rest-frame equivalent width in Å of each line of ``load_nebular().line_name``.
        """
        where, screen = load_nebular().line_wavelength, ebv * self.ebv_ratio
        age, metal = np.array([log_age]), np.array([metallicity])
        glow = nebular_spectra(age, metal, self.log_u, wavelength, lines=False)[0]
        lines = line_luminosities(age, metal, self.log_u)[0] * transmission(where, screen)
        continuum = stars + glow * transmission(wavelength, screen)
        width = lines / np.interp(where, wavelength, continuum)
        return continuum + lines @ line_weights(where, wavelength), width
