"""Missing bands: filled from their neighbours, continued from SEDs that match the rest."""

import numpy as np

from sspexplorer.bands import N_BANDS, load_bands

# Networks without error bars need MIN_BANDS; posteriors and SED fits, which say how little they
# know, need LEAST_BANDS.
MIN_BANDS, LEAST_BANDS = 20, 5

_MATCH_ERROR = 0.03  # relative; also the least flux, over the median, that an error is taken of

_MATCH_CHUNK = 2_000


def fill_missing(flux: np.ndarray) -> np.ndarray:
    """Fill missing bands by interpolating between their neighbours in wavelength.

    Linear in F_ν between the pivot wavelengths of the nearest bands that are there, as
    Domínguez Sánchez et al. (2026), Sect. 5.3, suggest; beyond the bluest and the reddest of
    them, their value (see :func:`extend_ends` for better).

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        F_ν; NaN where a band is missing. Each row needs at least one band.

    Returns
    -------
    ndarray, shape (n, 57)
        A copy without NaN.
    """
    order = np.argsort(load_bands().pivot)
    pivot = load_bands().pivot[order]
    filled = np.array(flux, dtype=float)[:, order]
    present = np.isfinite(filled)
    patterns, membership = np.unique(present, axis=0, return_inverse=True)
    for index, pattern in enumerate(patterns):
        if pattern.all():
            continue
        rows = np.flatnonzero(membership.reshape(-1) == index)
        filled[np.ix_(rows, ~pattern)] = filled[np.ix_(rows, pattern)] @ _interpolation(
            pivot[pattern], pivot[~pattern]
        )
    return filled[:, np.argsort(order)]


def extend_ends(flux: np.ndarray, present: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Replace the bands beyond the bluest and the reddest that are there.

    Nothing lies beyond them to interpolate to, and a constant flux would turn an old galaxy into
    a young one: for those bands the mean of noise-free SEDs is taken, each weighted by its
    likelihood given the other bands (χ² with free amplitude and an error of 3 %, or as much more
    as the best SED is off).

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        F_ν without gaps, as :func:`fill_missing` gives it.
    present : ndarray of bool, shape (n, 57)
        Which bands were there.
    templates : ndarray, shape (n_templates, 57), float32
        Noise-free SEDs on any scale.

    Returns
    -------
    ndarray, shape (n, 57)
        A copy.
    """
    flux = np.array(flux, dtype=float)
    order = np.argsort(load_bands().pivot)
    ordered = present[:, order]
    first, last = ordered.argmax(axis=1), N_BANDS - 1 - ordered[:, ::-1].argmax(axis=1)
    for ends in {*zip(first.tolist(), last.tolist(), strict=True)} - {(0, N_BANDS - 1)}:
        inside = order[ends[0] : ends[1] + 1]
        outside = np.setdiff1d(order, inside)
        rows = np.flatnonzero((first == ends[0]) & (last == ends[1]))
        for part in np.array_split(rows, -(-len(rows) // _MATCH_CHUNK)):
            weights = _match(flux[np.ix_(part, inside)], templates[:, inside])
            flux[np.ix_(part, outside)] = weights @ templates[:, outside]
    return flux


def _match(flux: np.ndarray, templates: np.ndarray) -> np.ndarray:
    """Weights (n, n_templates) that make of templates the likeliest continuation of ``flux``."""
    level = np.median(np.abs(flux), axis=1, keepdims=True)
    flux = (flux / level).astype(np.float32)
    inverse_variance = 1 / (_MATCH_ERROR * np.maximum(np.abs(flux), _MATCH_ERROR)) ** 2
    cross = (inverse_variance * flux) @ templates.T
    norm = inverse_variance @ (templates**2).T
    amplitude = cross / norm
    gain = cross * amplitude  # χ² of a dark template minus χ²
    best = gain.max(axis=1, keepdims=True)
    chi2 = (inverse_variance * flux**2).sum(axis=1, keepdims=True) - best
    gain -= best
    gain /= 2 * np.maximum(1, chi2 / flux.shape[1])
    weights = np.exp(gain, out=gain)
    weights *= amplitude / weights.sum(axis=1, keepdims=True)
    return weights * level


def _interpolation(known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Matrix (n_known, n_wanted) of linear interpolation, constant beyond the ends."""
    return np.stack([np.interp(wanted, known, unit) for unit in np.eye(len(known))])


def row_median(values: np.ndarray) -> np.ndarray:
    """Median of the numbers of each row that are finite, shape (n,); NaN for rows with none."""
    there = np.isfinite(values)
    width = values.shape[1]
    if there.all():
        ordered = np.sort(values, axis=1)
        return (ordered[:, (width - 1) // 2] + ordered[:, width // 2]) / 2
    ordered = np.sort(np.where(there, values, np.nan), axis=1)  # NaN last
    count = there.sum(axis=1)
    rows = np.arange(len(values))
    low, high = ordered[rows, np.maximum(count - 1, 0) // 2], ordered[rows, count // 2 % width]
    return np.where(count > 0, (low + high) / 2, np.nan)


def over_median(flux: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flux and error, each divided by the median flux of its row, float32."""
    scale = row_median(flux)[:, None]
    return (flux / scale).astype(np.float32), (error / scale).astype(np.float32)


def complete(flux: np.ndarray, templates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill the missing bands of rows that have enough of them.

    Between bands with :func:`fill_missing`, beyond the ends with :func:`extend_ends`.

    Parameters
    ----------
    flux : ndarray, shape (n, 57)
        F_ν on any scale; NaN is missing.
    templates : ndarray, shape (n_templates, 57), float32
        See :func:`extend_ends`.

    Returns
    -------
    filled : ndarray, shape (n, 57)
        NaN in rows that are not usable.
    usable : ndarray of bool, shape (n,)
        False for fewer than 20 bands, or a median flux that is not positive.
    """
    flux = np.asarray(flux, dtype=float)
    present = np.isfinite(flux)
    filled = np.full(flux.shape, np.nan)
    with np.errstate(all="ignore"):
        usable = (present.sum(axis=1) >= MIN_BANDS) & (row_median(flux) > 0)
    if usable.any():
        whole = flux[usable]
        if not present[usable].all():
            whole = fill_missing(np.where(present, flux, np.nan)[usable])
            whole = extend_ends(whole, present[usable], templates)
        lit = np.median(whole, axis=1) > 0
        usable[np.flatnonzero(usable)[~lit]] = False
        filled[usable] = whole[lit]
    return filled, usable
