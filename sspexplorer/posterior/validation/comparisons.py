"""Posterior models beside other estimators, on the same mocks under the same noise."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.metrics import summary
from sspexplorer.mocks import PARAMETERS
from sspexplorer.networks.model import Model
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import Populations, SSPPrior
from sspexplorer.posterior.exact import ExactPosterior
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.validation.calibration import coverage, ranks
from sspexplorer.posterior.validation.trust import SEED, TestMocks, observe_all
from sspexplorer.shipped import model_folder

EXACT_MAGNITUDES = (20.0, 21.0, 22.0)
LINES_MAGNITUDE = 19.0

_N_MODELS = 150_000


def singles_at_rest(n: int, magnitudes: Sequence[float], seed: int = SEED) -> TestMocks:
    """Held-out single populations at redshift 0, each magnitude alike."""
    drawn = SSPPrior(max_redshift=0.0).draw(n, seed=seed, held_out=True)
    magnitude = np.resize(np.asarray(magnitudes, dtype=float), n)
    return observe_all(drawn, magnitude, NoiseModel.default(), seed)


def model_grid(n: int = _N_MODELS) -> Populations:
    """Populations at redshift 0 about every SSP, held out or not, from the prior of ``ssp``."""
    return SSPPrior(max_redshift=0.0).draw_all(n, seed=SEED + 9)


def measure_exact(model: PosteriorModel, n_each: int = 2000) -> pd.DataFrame:
    """RMSE of posterior means at z = 0 beside that of the exact posterior.

    The models of the exact posterior are drawn from the same prior about every SSP, those of the
    mocks too, so it is a lower bound.

    Returns
    -------
    DataFrame
        ``magnitude``, ``parameter``, ``rmse``, ``rmse_exact``, ``ratio`` and ``n``.
    """
    noise = NoiseModel.default()
    mocks = singles_at_rest(n_each * len(EXACT_MAGNITUDES), EXACT_MAGNITUDES)
    mean, _ = model.posterior(mocks.flux, mocks.error, np.zeros(len(mocks)))[0].moments()
    grid = model_grid()
    bound_of = ExactPosterior(grid.flux)
    rows = []
    for magnitude in EXACT_MAGNITUDES:
        chosen = mocks.magnitude == magnitude
        relative = noise.relative_error(magnitude)
        exact = bound_of.means(mocks.flux[chosen], relative, grid.targets)
        true = mocks.true[chosen]
        for k, name in enumerate(PARAMETERS):
            rmse = float(np.sqrt(np.mean((mean[chosen][:, k] - true[:, k]) ** 2)))
            bound = float(np.sqrt(np.mean((exact[:, k] - true[:, k]) ** 2)))
            rows.append((magnitude, name, rmse, bound, rmse / bound, int(chosen.sum())))
    names = ["magnitude", "parameter", "rmse", "rmse_exact", "ratio", "n"]
    return pd.DataFrame(rows, columns=names)


def _galaxies_with_lines(n: int, seed: int = SEED) -> Populations:
    """Held-out composite galaxies at redshift 0 whose light is younger than 1 Gyr."""
    drawn = GalaxyPrior(max_redshift=0.0).draw(4 * n, seed=seed, held_out=True)
    return drawn.rows(np.flatnonzero(drawn.values(("log_age",))[:, 0] < 9.0)[:n])


def measure_lines(
    posteriors: dict[str, PosteriorModel], *, networks: Sequence[str] = ("paper", "default")
) -> pd.DataFrame:
    """What models say of galaxies with emission lines, at z = 0 and i = 19.

    Returns
    -------
    DataFrame
        ``model``, ``parameter``, ``bias``, ``sigma_nmad`` and ``n``; the truth is weighted by
        light.
    """
    drawn = _galaxies_with_lines(1500)
    mocks = observe_all(drawn, np.full(len(drawn), LINES_MAGNITUDE), NoiseModel.default(), SEED)
    answers = {name: Model.load(model_folder(name)).predict(mocks.flux) for name in networks}
    true = dict.fromkeys(networks, mocks.true)
    for name, model in posteriors.items():
        mixture = model.posterior(mocks.flux, mocks.error, np.zeros(len(mocks)))[0]
        answers[name] = mixture.quantiles((0.5,))[..., 0]
        true[name] = mocks.as_told_by(model.card).true
    rows = []
    for name, predicted in answers.items():
        for k, parameter in enumerate(PARAMETERS):
            found = summary(predicted[:, k], true[name][:, k])
            rows.append((name, parameter, found["bias"], found["sigma_nmad"], found["n"]))
    return pd.DataFrame(rows, columns=["model", "parameter", "bias", "sigma_nmad", "n"])


def measure_singles(posteriors: dict[str, PosteriorModel], n: int = 6000) -> pd.DataFrame:
    """What models say of held-out single populations at z = 0.

    Returns
    -------
    DataFrame
        ``model``, ``magnitude``, ``parameter``, ``bias``, ``sigma_nmad``, ``coverage_68`` and
        ``n``.
    """
    mocks = singles_at_rest(n, (17.0, 19.0, 21.0))
    rows = []
    for name, model in posteriors.items():
        mixture = model.posterior(mocks.flux, mocks.error, np.zeros(len(mocks)))[0]
        median, rank = mixture.quantiles((0.5,))[..., 0], ranks(mixture, mocks.true)
        for magnitude in np.unique(mocks.magnitude):
            chosen = mocks.magnitude == magnitude
            inside = coverage(rank[chosen], 0.68)
            for k, parameter in enumerate(PARAMETERS):
                found = summary(median[chosen, k], mocks.true[chosen, k])
                row = {"model": name, "magnitude": float(magnitude), "parameter": parameter}
                row |= {key: found[key] for key in ("bias", "sigma_nmad", "n")}
                rows.append(row | {"coverage_68": float(inside[k])})
    return pd.DataFrame(rows)
