"""What a library that starts too red says of its bluest bands.

XSL starts at 3500 Å, and 36 % of uJAVA lies below. The paper (Sect. 2.1.3) is silent about it. A
band that is partly covered has no flux, so the spectra are continued to 2700 Å by a stated model:
the non-negative mixture of the 12 BC03 SSPs nearest in age and metallicity that comes closest to
the spectrum over the first 1000 Å that it has, scaled to join it there. Training without the
band would have cost every other library its bluest colour, which is the one that knows most of
young stars and dust.

How far the model is off, measured by ``python benchmarks/blue_continuation.py`` on libraries that
reach below and are cut at 3500 Å (SSPs older than 50 Myr, as XSL's; median and 95th percentile of
the absolute error in magnitudes):

    ========  =============  =============  =============  =============
    cut       uJAVA, z = 0   uJAVA, z 0.1   J0378, z 0.1   J0390, z 0.1
    ========  =============  =============  =============  =============
    E-MILES   0.005, 0.020   0.028, 0.101   0.010, 0.047   0.002, 0.009
    PopStar   0.003, 0.019   0.013, 0.118   0.018, 0.055   0.002, 0.017
    ========  =============  =============  =============  =============

That is less than the errors of any catalogue at redshift 0, and not at 0.1.

No library passes for whole that is not: ``provenance["continued_below"]`` keeps the edge, and
:meth:`sspexplorer.libraries.SSPLibrary.continued_bands` names the bands that rest on the model.
"""

import numpy as np
from scipy.optimize import nnls

from sspexplorer.errors import InputError
from sspexplorer.libraries.library import SSPLibrary, load_library
from sspexplorer.libraries.readers.resampling import WAVELENGTH

DONOR = "bc03"
CONTINUED_TO = 2700.0  # Å: every band at redshifts 0 to 0.1
N_DONORS = 12
FIT_RANGE = 1000.0  # Å beyond the edge
JOIN_RANGE = 100.0  # Å beyond the edge
MAX_REDSHIFT = 0.1  # to which libraries are seen
MAX_EDGE = 3600.0  # Å: beyond, more than half of uJAVA would be the model's


def check_edge(title: str, edge: float) -> None:
    """Refuse a library that starts too red to be continued.

    Raises
    ------
    InputError
        If ``edge``, its first wavelength in Å, is beyond :data:`MAX_EDGE`.
    """
    if edge > MAX_EDGE:
        raise InputError(
            f"{title} starts at {edge:.0f} Å: too little of band uJAVA is left to continue it from."
        )


def provenance(edge: float) -> dict:
    """What a continued library says of itself: the edge in Å, and how it was continued."""
    return {
        "continued_below": float(edge),
        "continuation": f"non-negative mixture of the {N_DONORS} BC03 SSPs nearest in age and "
        f"[M/H], fitted to the first {FIT_RANGE:.0f} Å",
    }


def sentence(library: SSPLibrary) -> str:
    """Sentence that says which bands of a continued library rest on the model."""
    edge = library.provenance["continued_below"]
    at_rest = library.continued_bands()
    more = [band for band in library.continued_bands(MAX_REDSHIFT) if band not in at_rest]
    seen = [f"in {' and '.join(at_rest)}"] if at_rest else []
    if more:
        seen.append(f"at redshift {MAX_REDSHIFT:g} in {' and '.join(more)}")
    return (
        f"Spectra start at {edge:.0f} Å and are continued below with BC03's, which is seen "
        f"{' and '.join(seen)}."
    )


def continued(
    grid: np.ndarray,
    spectra: np.ndarray,
    log_age: np.ndarray,
    metallicity: np.ndarray,
    down_to: float = CONTINUED_TO,
) -> tuple[np.ndarray, np.ndarray]:
    """Spectra continued below their blue edge.

    Parameters
    ----------
    grid : ndarray, shape (n_wave,)
        Part of :data:`~sspexplorer.libraries.readers.resampling.WAVELENGTH`; its first point is
        the edge.
    spectra : ndarray, shape (n_ssp, n_wave)
        F_λ.
    log_age, metallicity : ndarray, shape (n_ssp,)
        log10 yr, and [M/H] in dex.
    down_to : float
        Å.

    Returns
    -------
    grid : ndarray, shape (n_below + n_wave,)
    spectra : ndarray, shape (n_ssp, n_below + n_wave)
        The model below the edge, what was given from there on.
    """
    donors = load_library(DONOR)
    below = WAVELENGTH[(down_to <= WAVELENGTH) & (grid[0] > WAVELENGTH)]
    # Donors may reach farther.
    skipped = int((down_to > WAVELENGTH).sum())
    added = np.empty((len(spectra), len(below)), spectra.dtype)
    for row, (age, metals) in enumerate(zip(log_age, metallicity, strict=True)):
        distance = np.hypot(donors.log_age - age, donors.metallicity - metals)
        nearest = donors.spectra[np.argsort(distance, kind="stable")[:N_DONORS], skipped:]
        added[row] = _mixture(grid, spectra[row], nearest.astype(float), len(below))
    return np.concatenate([below, grid]), np.concatenate([added, spectra], axis=1)


def _mixture(
    grid: np.ndarray, spectrum: np.ndarray, donors: np.ndarray, n_below: int
) -> np.ndarray:
    fitted = slice(n_below, n_below + int((grid < grid[0] + FIT_RANGE).sum()))
    joined = slice(n_below, n_below + int((grid < grid[0] + JOIN_RANGE).sum()))
    truth = spectrum[: fitted.stop - n_below].astype(float)
    scaled = donors / donors[:, fitted].mean(axis=1, keepdims=True)
    shares, _ = nnls(scaled[:, fitted].T, truth / truth.mean())
    model = shares @ scaled
    return model[:n_below] * truth[: joined.stop - n_below].sum() / model[joined].sum()
