"""Masses and star-formation rates: what a posterior says of light in physical units.

A network predicts mass over light (:mod:`sspexplorer.galaxies.derived`); the light of a galaxy is
that of its median band and of its distance. What is not known of the redshift is not known of the
distance either: draws of both go together. They are spread evenly over each component (Sobol
1967), so that equal galaxies have equal answers.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from sspexplorer.constants import MAGGY
from sspexplorer.gaps import row_median
from sspexplorer.masses import DEFAULT_COSMOLOGY, Cosmology
from sspexplorer.posterior.density import Mixture

# Nearer, motions of their own move galaxies as much as the expansion does.
LEAST_REDSHIFT = 0.005
# Log of the specific rate (yr⁻¹) below which there is as good as no star formation, and how likely
# that must be for a rate to be an upper limit: what lies above 19 of 20 draws.
NO_FORMATION, MAYBE_NONE, UPPER = -12.0, 0.16, 0.95
QUANTILES = {"p16": 0.16, "p50": 0.50, "p84": 0.84}

# A redshift given with less than this error, over 1 + z, is taken from the catalogue.
_WELL_KNOWN = 0.005
_STATISTICS = ("", "_err", *(f"_{label}" for label in QUANTILES))
COLUMNS = [
    f"pred_{name}{statistic}"
    for name in ("log_mass", "log_mass_formed", "log_sfr")
    for statistic in _STATISTICS
]
_SHARE, _LEAST, _POINTS = 0.5, 12, 32  # of the components the likeliest, and draws of each
_DRAWS = 2**22  # at a time, for memory


@dataclass(frozen=True)
class Light:
    """How bright galaxies are seen, and how far they are said to be.

    Attributes
    ----------
    magnitude : ndarray, shape (n,)
        AB magnitude of the median of the bands that were used; NaN where fluxes have no unit.
    redshift, redshift_err : ndarray, shape (n,)
        NaN where unknown.
    cosmology : Cosmology
    """

    magnitude: np.ndarray
    redshift: np.ndarray
    redshift_err: np.ndarray
    cosmology: Cosmology = DEFAULT_COSMOLOGY

    @classmethod
    def of(
        cls,
        flux: np.ndarray,
        redshift: np.ndarray,
        redshift_err: np.ndarray,
        cosmology: Cosmology = DEFAULT_COSMOLOGY,
    ) -> "Light":
        """Light of galaxies by F_ν (n, 57) in erg s⁻¹ cm⁻² Hz⁻¹."""
        return cls(-2.5 * np.log10(row_median(flux) / MAGGY), redshift, redshift_err, cosmology)

    def __len__(self) -> int:
        """Count the galaxies."""
        return len(self.magnitude)

    def rows(self, index: np.ndarray) -> "Light":
        """Light of some of the galaxies."""
        parts = (self.magnitude[index], self.redshift[index], self.redshift_err[index])
        return Light(*parts, self.cosmology)


def physical(
    joint: Mixture, log_surviving: np.ndarray, light: Light, quiescent: np.ndarray
) -> dict[str, np.ndarray]:
    """Masses and rates of star formation.

    Parameters
    ----------
    joint : Mixture
        Of n galaxies, with ``log_mass_to_light``, ``log_ssfr`` and ``redshift``.
    log_surviving : ndarray, shape (n,)
        Mean log of the mass that is left of that which was formed.
    light : Light
    quiescent : ndarray of bool, shape (n,)
        Which may form no stars.

    Returns
    -------
    dict of str to ndarray, shape (n,)
        ``pred_log_mass`` and ``pred_log_mass_formed`` (log10 M☉) and ``pred_log_sfr`` (log10 M☉
        per year), each with ``_err`` and quantiles; NaN where nothing is known of the light or the
        distance. Of those that are ``quiescent``, ``pred_log_sfr`` is an upper limit of 95 %, and
        has neither error nor quantiles.
    """
    found = {name: np.full(len(light), np.nan) for name in COLUMNS}
    rows = np.flatnonzero(np.isfinite(light.magnitude))
    if len(rows):
        size = _n_kept(joint) * _POINTS
        for part in np.array_split(rows, -(-len(rows) * size // _DRAWS)):
            known = _of_bright(
                joint.rows(part), log_surviving[part], light.rows(part), quiescent[part]
            )
            for name, values in known.items():
                found[name][part] = values
    return found


def _of_bright(
    joint: Mixture, log_surviving: np.ndarray, light: Light, quiescent: np.ndarray
) -> dict[str, np.ndarray]:
    weights, draws = _draws(joint, light)
    mass = draws["log_mass_to_light"] + log_luminosity(draws["redshift"], light)
    near = (weights * (draws["redshift"] < LEAST_REDSHIFT)).sum(axis=1) > MAYBE_NONE
    mass[near] = np.nan
    rate = mass + draws["log_ssfr"]
    found = _summed_up("log_mass", mass, weights)
    for statistic in _STATISTICS:
        gone = 0.0 if statistic == "_err" else log_surviving
        found[f"pred_log_mass_formed{statistic}"] = found[f"pred_log_mass{statistic}"] - gone
    rates = _summed_up("log_sfr", rate, weights)
    for column in rates.values():
        column[quiescent] = np.nan
    rates["pred_log_sfr"][quiescent] = _quantiles(rate[quiescent], weights[quiescent], [UPPER])[
        :, 0
    ]
    return found | rates


def log_luminosity(redshift: np.ndarray, light: Light) -> np.ndarray:
    """Log of the light that ``log_mass_to_light`` is over, at redshifts (n, n_draws)."""
    grid = np.linspace(0.0, max(1.2, float(np.nanmax(redshift, initial=0.0))), 4000)[1:]
    moduli = light.cosmology.distance_modulus(grid)
    modulus = np.interp(redshift, grid, moduli)
    return -0.4 * light.magnitude[:, None] + 0.4 * modulus + np.log10(1 + redshift)


def _n_kept(joint: Mixture) -> int:
    count = joint.weights.shape[1]
    return max(min(count, _LEAST), int(count * _SHARE))


def _draws(joint: Mixture, light: Light) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Weights (n, n_draws) of draws, and their values of what is needed."""
    n, _, d = joint.means.shape
    kept = np.argsort(-joint.weights, axis=1)[:, : _n_kept(joint)]
    rows = np.arange(n)[:, None]
    weights = joint.weights[rows, kept]
    weights = weights / weights.sum(axis=1, keepdims=True)
    names = ("log_mass_to_light", "log_ssfr", "redshift")
    index = [joint.bounds.names.index(name) for name in names]
    points = _even_normal(d + 1)
    factors = joint.factors[rows, kept][:, :, index]  # (n, k, 3, d)
    u = joint.means[rows, kept][:, :, None, index] + points[:, :d] @ factors.swapaxes(-1, -2)
    low, high = (np.array(side)[index] for side in (joint.bounds.low, joint.bounds.high))
    values = low + (high - low) * ndtr(u)
    values = values.reshape(n, -1, len(names))
    weights = np.repeat(weights / len(points), len(points), axis=1)
    draws = {name: values[..., k] for k, name in enumerate(names)}
    off = np.tile(points[:, d], kept.shape[1])
    draws["redshift"] = redshift_draws(draws["redshift"], off, light)
    return weights, draws


def redshift_draws(drawn: np.ndarray, off: np.ndarray, light: Light) -> np.ndarray:
    """Redshifts (n, n_draws): those drawn, or about the given one where that is well known.

    ``off`` are normal numbers, of each draw or of all galaxies alike.
    """
    z, error = light.redshift, np.nan_to_num(light.redshift_err)
    known = np.isfinite(z) & (error < _WELL_KNOWN * (1 + np.nan_to_num(z)))
    about = np.maximum(z[:, None] + error[:, None] * off, 1e-6)
    return np.where(known[:, None], about, drawn)


def _summed_up(name: str, values: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    mean = (weights * values).sum(axis=1)
    spread = np.sqrt((weights * np.square(values - mean[:, None])).sum(axis=1))
    quantiles = _quantiles(values, weights, list(QUANTILES.values()))
    columns = {f"pred_{name}": mean, f"pred_{name}_err": spread}
    return columns | {f"pred_{name}_{q}": quantiles[:, k] for k, q in enumerate(QUANTILES)}


def _quantiles(values: np.ndarray, weights: np.ndarray, levels: list[float]) -> np.ndarray:
    """Weighted quantiles of each row (n, n_draws), shape (n, n_levels)."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, axis=1)
    share = np.take_along_axis(weights, order, axis=1)
    middle = np.cumsum(share, axis=1) - share / 2
    found = [np.interp(levels, m, v) for m, v in zip(middle, ordered, strict=True)]
    return np.array(found).reshape(len(values), len(levels))


@cache
def _even_normal(d: int) -> np.ndarray:
    """Points (32, d) that fill a normal distribution evenly, with mean 0 and variance 1."""
    points = ndtri(qmc.Sobol(d, seed=0).random(_POINTS))
    points -= points.mean(axis=0)
    points /= points.std(axis=0)
    points.flags.writeable = False
    return points
