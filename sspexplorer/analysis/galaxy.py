"""One galaxy of a catalogue, and the populations it may be compared with."""

from dataclasses import dataclass, field

import numpy as np

from sspexplorer import flags
from sspexplorer.bands import BAND_NAMES, N_BANDS, load_bands
from sspexplorer.gaps import extend_ends, fill_missing
from sspexplorer.libraries import load_library
from sspexplorer.mocks import Observation, observe
from sspexplorer.photometry import FARTHEST_REDSHIFT
from sspexplorer.posterior.one import ClosestMixture


@dataclass(frozen=True, eq=False)
class Galaxy:
    """One row of a catalogue, and the SSPs that its prediction points at, or a mixture.

    Attributes
    ----------
    flux, flux_err : ndarray, shape (57,)
        F_ν divided by its median; NaN where a band is missing or its error unknown.
    filled : ndarray, shape (57,)
        The same with missing bands filled in as the networks see them; NaN if there are none.
    ssps : tuple of Observation
        Without noise, on any scale.
    aside : ndarray of bool, shape (57,)
        Bands that were measured but not used.
    mixture : ClosestMixture or None
        What the training of its model has that is closest, on the scale of ``flux``.
    """

    flux: np.ndarray
    flux_err: np.ndarray
    filled: np.ndarray
    ssps: tuple[Observation, ...] = ()
    aside: np.ndarray = field(default_factory=lambda: np.zeros(N_BANDS, dtype=bool))
    mixture: ClosestMixture | None = None

    @classmethod
    def from_row(
        cls,
        flux: np.ndarray,
        flux_err: np.ndarray,
        templates: np.ndarray,
        ssps: tuple[Observation, ...] = (),
        set_aside: str = "",
        mixture: ClosestMixture | None = None,
    ) -> "Galaxy":
        """Scale a row of a catalogue and fill its gaps.

        Parameters
        ----------
        flux, flux_err : ndarray, shape (57,)
            F_ν on any scale; NaN is missing.
        templates : ndarray, shape (n, 57)
            The model's, see :func:`sspexplorer.gaps.extend_ends`.
        ssps : tuple of Observation
            See the class.
        set_aside : str
            Names of bands that were not used, with spaces between.
        mixture : ClosestMixture, optional
            On the scale of ``flux``.
        """
        present = np.isfinite(flux)
        if not present.any():
            return cls(flux, flux_err, flux)
        scale = abs(np.median(flux[present])) or 1.0
        row = flux[None] / scale
        filled = extend_ends(fill_missing(row), present[None], templates)[0]
        aside = np.isin(BAND_NAMES, flags.codes(set_aside))
        closest = None if mixture is None else mixture.over(scale)
        return cls(flux / scale, flux_err / scale, filled, ssps, aside, closest)

    @property
    def used(self) -> np.ndarray:
        """Fluxes of the bands that were not set aside, shape (57,)."""
        return np.where(self.aside, np.nan, self.flux)

    @property
    def snr(self) -> float:
        """Median signal-to-noise ratio of the narrow bands; NaN if no error is known."""
        ratio = (self.flux / self.flux_err)[load_bands().narrow]
        ratio = ratio[np.isfinite(ratio)]
        return float(np.median(ratio)) if ratio.size else float("nan")

    def scale_of(self, ssp: Observation) -> float:
        """Factor that brings an SSP to the galaxy: the median ratio over the bands used."""
        return float(np.nanmedian(self.used / ssp.noise_free))

    @property
    def pulls(self) -> np.ndarray:
        """What is left of each measured band without the mixture, over its σ, shape (57,)."""
        if self.mixture is None:
            return np.full(N_BANDS, np.nan)
        return (self.flux - self.mixture.flux) / self.mixture.sigma

    def chi2_of(self, ssp: Observation) -> float:
        """χ² per band used of an SSP at its best scale, by the σ of the mixture, which must be."""
        assert self.mixture is not None
        weighted = ssp.noise_free / self.mixture.sigma
        used = self.used / self.mixture.sigma
        scale = np.nansum(used * weighted) / np.nansum(weighted[np.isfinite(used)] ** 2)
        return float(np.nanmean((used - scale * weighted) ** 2))

    def difference_from(self, ssp: Observation) -> float:
        """Root mean square of galaxy/SSP − 1 over the bands used."""
        ratio = self.used / (ssp.noise_free * self.scale_of(ssp))
        return float(np.sqrt(np.nanmean((ratio - 1) ** 2)))


def nearest_ssps(
    prediction: np.ndarray, libraries: list[str], redshift: float = 0.0
) -> tuple[Observation, ...]:
    """SSP of each library that is nearest to a prediction, behind the predicted dust.

    Parameters
    ----------
    prediction : ndarray, shape (3,)
        log_age (log10 yr), metallicity (dex) and ebv (mag); none if it is NaN. Negative dust is
        taken as none.
    libraries : list of str
    redshift : float
        Taken as 0 where it is unknown or outside of what can be drawn.
    """
    if not np.isfinite(prediction).all():
        return ()
    log_age, metallicity, ebv = prediction
    seen_at = redshift if 0 <= redshift <= FARTHEST_REDSHIFT else 0.0
    return tuple(
        observe(load_library(name), log_age, metallicity, ebv=max(0.0, ebv), redshift=seen_at)
        for name in libraries
    )
