"""From spectra as published to the wavelengths that all libraries here share."""

import numpy as np

WAVELENGTH = np.arange(1500.0, 11000.1, 5.0)  # Å: every band at redshifts 0 to 1
WAVELENGTH.flags.writeable = False
STEP = 5.0  # Å


def bin_average(
    wavelength: np.ndarray, spectra: np.ndarray, grid: np.ndarray = WAVELENGTH
) -> np.ndarray:
    """Mean F_λ in the bins around ``grid``, of spectra linear between their points.

    Means keep the flux: ∫ F_λ dλ over a bin is that of the source.

    Parameters
    ----------
    wavelength : ndarray, shape (n,)
        Wavelength of the source in Å, increasing.
    spectra : ndarray, shape (n_ssp, n)
        F_λ, any unit.
    grid : ndarray, shape (n_wave,)
        Centres of the bins in Å, evenly spaced.

    Returns
    -------
    ndarray, shape (n_ssp, n_wave), float64
        In the unit of ``spectra``.
    """
    step = grid[1] - grid[0]
    edges = np.append(grid - step / 2, grid[-1] + step / 2)
    inside = (wavelength > edges[0]) & (wavelength < edges[-1])
    nodes = np.union1d(wavelength[inside], edges)
    at_edges = np.searchsorted(nodes, edges)
    result = np.empty((len(spectra), len(grid)))
    for row, spectrum in enumerate(spectra):
        values = np.interp(nodes, wavelength, spectrum)
        pieces = np.diff(nodes) * (values[:-1] + values[1:]) / 2
        result[row] = np.add.reduceat(pieces, at_edges[:-1]) / step
    return result


def covered_grid(wavelength: np.ndarray) -> np.ndarray:
    """Part of :data:`WAVELENGTH` that lies within ``wavelength``."""
    inside = (wavelength[0] <= WAVELENGTH) & (wavelength[-1] >= WAVELENGTH)
    return WAVELENGTH[inside]


def covered_bins(wavelength: np.ndarray) -> np.ndarray:
    """Part of :data:`WAVELENGTH` whose bins lie wholly within ``wavelength``."""
    low, high = WAVELENGTH - STEP / 2, WAVELENGTH + STEP / 2
    return WAVELENGTH[(wavelength[0] <= low) & (wavelength[-1] >= high)]


def in_air(vacuum: np.ndarray) -> np.ndarray:
    """Wavelengths in air of those in vacuum, both in Å (Ciddor 1996, via Morton 2000, eq. 8)."""
    s2 = (1e4 / vacuum) ** 2
    index = 1 + 8.34254e-5 + 2.406147e-2 / (130 - s2) + 1.5998e-4 / (38.9 - s2)
    return vacuum / index


def near_grid() -> tuple[float, float]:
    """First and last wavelength in Å that matter to the grid, with 100 Å to spare."""
    return float(WAVELENGTH[0]) - 100, float(WAVELENGTH[-1]) + 100


def without_gaps(
    wavelength: np.ndarray, spectra: np.ndarray, grid: np.ndarray = WAVELENGTH
) -> np.ndarray:
    """Mask (n_ssp,) of the spectra that are positive over all of ``grid``."""
    inside = (wavelength >= grid[0]) & (wavelength <= grid[-1])
    return np.all(spectra[:, inside] > 0, axis=1)


def counted(n: int, noun: str) -> str:
    """``n`` and the noun, in the plural unless there is one: "1 SSP", "26 SSPs"."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def gap_start(wavelength: np.ndarray, spectrum: np.ndarray) -> float:
    """Wavelength in Å, on or after the start of the grid, where a spectrum first has no flux."""
    return float(wavelength[(wavelength >= WAVELENGTH[0]) & ~(spectrum > 0)].min())


def gap_sentence(ages: np.ndarray, starts: np.ndarray) -> str:
    """Sentence that says which SSPs were left out for missing wavelengths.

    Parameters
    ----------
    ages : ndarray, shape (n,)
        Age in years of each SSP left out.
    starts : ndarray, shape (n,)
        Wavelength in Å where each has no flux first.
    """
    young, old = np.min(ages) / 1e6, np.max(ages) / 1e6
    return (
        f"{counted(len(ages), 'SSP')} ({young:.0f} to {old:.0f} Myr) without flux beyond "
        f"{np.min(starts):.0f} Å: they do not cover all bands."
    )
