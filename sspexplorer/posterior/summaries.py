"""Posteriors as columns of a table."""

from dataclasses import dataclass

import numpy as np

from sspexplorer.posterior import physical
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.library_errors import LibraryErrors
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.prior import PriorDraws

QUANTILES = physical.QUANTILES
_STATISTICS = ("", "_err", *(f"_{label}" for label in QUANTILES))
_PAIRS = ((0, 1), (0, 2), (1, 2))
# Times are learnt as logarithms (yr) and told in Gyr.
_TIMES = {"log_t50": "t50", "log_t90": "t90"}
# Its difference to the mass that is left makes one mass of another; it has no columns.
_FORMED = "log_mass_to_light_formed"


def columns(model: PosteriorModel, libraries: LibraryErrors | None = None) -> list[str]:
    """Names of the columns that posteriors of a model are summed up in."""
    found = []
    for group in model.groups[:-1]:
        for name in group.names:
            if name != _FORMED:
                own = _TIMES.get(name, name)
                found += [f"pred_{own}{statistic}" for statistic in _STATISTICS]
                found.append(f"pred_{own}_shrinkage")
    names = model.groups[0].names
    found += [f"pred_corr_{names[a]}_{names[b]}" for a, b in _PAIRS]
    found += [f"pred_{name}_library_err" for name in (libraries.errors if libraries else ())]
    if model.joint is not None:
        found += physical.COLUMNS
    return [*found, "pred_photoz", "pred_photoz_err"]


@dataclass(frozen=True)
class Summary:
    """What posteriors say.

    Attributes
    ----------
    columns : dict of str to ndarray, shape (n,)
        Those of :func:`columns`, but for errors of libraries.
    quiescent : ndarray of bool, shape (n,)
        Whose rates of star formation are upper limits.
    """

    columns: dict[str, np.ndarray]
    quiescent: np.ndarray


def summed_up(
    model: PosteriorModel,
    mixtures: tuple[Mixture, ...],
    prior: PriorDraws,
    light: physical.Light,
) -> Summary:
    """Sum posteriors up.

    Parameters
    ----------
    model : PosteriorModel
    mixtures : tuple of Mixture
        One for each of the model's groups, and the joint one if it has one; of n galaxies.
    prior : PriorDraws
    light : Light
        How bright the galaxies are.
    """
    *others, colours = mixtures[: len(model.groups)]
    found, means = _photoz(colours), dict[str, np.ndarray]()
    quiescent = np.zeros(len(light), dtype=bool)
    for mixture in others:
        mean, covariance = mixture.moments()
        means |= dict(zip(mixture.bounds.names, mean.T, strict=True))
        if _FORMED not in mixture.bounds.names:
            found |= _of_group(mixture, mean, covariance, prior)
        if "log_ssfr" in mixture.bounds.names:
            quiescent = _limit(mixture, found)
    if model.joint is not None:
        surviving = means["log_mass_to_light"] - means[_FORMED]
        found |= physical.physical(mixtures[-1], surviving, light, quiescent)
    return Summary(found, quiescent)


def _of_group(
    mixture: Mixture, mean: np.ndarray, covariance: np.ndarray, prior: PriorDraws
) -> dict[str, np.ndarray]:
    spread = np.sqrt(np.einsum("nii->ni", covariance))
    quantiles = mixture.quantiles(tuple(QUANTILES.values()))
    names = mixture.bounds.names
    found = {}
    for k, name in enumerate(names):
        values = [mean[:, k], spread[:, k], *quantiles[:, k].T]
        own = _TIMES.get(name, name)
        if name in _TIMES:
            values = _in_gyr(mixture, k, quantiles[:, k].T)
        for statistic, value in zip(_STATISTICS, values, strict=True):
            found[f"pred_{own}{statistic}"] = value
        found[f"pred_{own}_shrinkage"] = prior.shrinkage(name, spread[:, k])
    if len(names) == 3:
        for a, b in _PAIRS:
            correlation = covariance[:, a, b] / (spread[:, a] * spread[:, b])
            found[f"pred_corr_{names[a]}_{names[b]}"] = correlation
    return found


def _in_gyr(mixture: Mixture, k: int, quantiles: np.ndarray) -> list[np.ndarray]:
    """Mean, standard deviation and quantiles of a time whose logarithm (yr) was learnt."""
    return [*mixture.power_moments(k, 9.0), *10 ** (quantiles - 9)]


def _limit(mixture: Mixture, found: dict[str, np.ndarray]) -> np.ndarray:
    """Make upper limits of specific rates that may be none, in place; which they are, (n,)."""
    n = len(mixture.means)
    none = mixture.cdf(np.full((n, 1), physical.NO_FORMATION))[:, 0] > physical.MAYBE_NONE
    if none.any():
        above = mixture.rows(none).quantiles((physical.UPPER,))[:, 0, 0]
        for statistic in _STATISTICS[1:]:
            found[f"pred_log_ssfr{statistic}"] = found[f"pred_log_ssfr{statistic}"].copy()
            found[f"pred_log_ssfr{statistic}"][none] = np.nan
        found["pred_log_ssfr"] = found["pred_log_ssfr"].copy()
        found["pred_log_ssfr"][none] = above
    return none


def _photoz(colours: Mixture) -> dict[str, np.ndarray]:
    _, covariance = colours.moments()
    return {
        "pred_photoz": colours.quantiles((0.5,))[:, 0, 0],
        "pred_photoz_err": np.sqrt(covariance[:, 0, 0]),
    }
