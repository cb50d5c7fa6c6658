"""Tests of a posterior model on populations that its training did not see.

Each function makes its own mocks with fixed seeds and returns a table. All mocks are simulated,
drawn from the model's own prior with its own noise, unless it says otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.metrics import summary
from sspexplorer.mocks import MAGNITUDES
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import Populations
from sspexplorer.posterior.calibration import coverage, ranks
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.observing import SDSS_GONE

SEED = 20260125  # never that of a training
REDSHIFTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.10)
GAPS = ("none", "10 at random", "as in SDSS spectra")


@dataclass(frozen=True)
class TestMocks:
    """Populations not seen in training, observed.

    Attributes
    ----------
    populations : Populations
    magnitude : ndarray, shape (n,)
    flux, error : ndarray, shape (n, 57)
    """

    __test__ = False  # a class of mocks, not of tests

    populations: Populations
    magnitude: np.ndarray
    flux: np.ndarray
    error: np.ndarray

    def __len__(self) -> int:
        """Count the mocks."""
        return len(self.magnitude)

    @property
    def true(self) -> np.ndarray:
        """True log_age, metallicity and ebv, shape (n, 3)."""
        return self.populations.targets[:, :3].astype(float)

    def rows(self, index: np.ndarray) -> "TestMocks":
        """Some of the mocks."""
        return TestMocks(
            self.populations.rows(index), self.magnitude[index], self.flux[index], self.error[index]
        )

    def without(self, gap: str, seed: int = 0) -> "TestMocks":
        """The same with bands missing, one of :data:`GAPS`."""
        flux = self.flux.copy()
        flux[bands_gone(gap, len(flux), seed)] = np.nan
        return TestMocks(self.populations, self.magnitude, flux, self.error)


def bands_gone(gap: str, n: int, seed: int = 0) -> np.ndarray:
    """Which bands are missing, shape (n, 57), for one of :data:`GAPS`."""
    if gap == "none":
        return np.zeros((n, N_BANDS), dtype=bool)
    if gap == "as in SDSS spectra":
        gone = np.isin(load_bands().names, SDSS_GONE)
        return np.broadcast_to(gone, (n, N_BANDS)).copy()
    rng = np.random.default_rng(seed)
    order = np.argsort(rng.uniform(size=(n, N_BANDS)), axis=1)
    return np.argsort(order, axis=1) < 10


def observe_all(
    populations: Populations, magnitude: np.ndarray, noise: NoiseModel, seed: int
) -> TestMocks:
    """Observe each population at its magnitude with the noise of the survey."""
    rng = np.random.default_rng(seed)
    flux, error = noise.add(populations.flux.astype(float), magnitude, rng)
    return TestMocks(populations, magnitude, flux, error)


def held_out(
    model: PosteriorModel,
    prior,
    n: int,
    *,
    magnitudes: Sequence[float] = MAGNITUDES,
    seed: int = SEED,
) -> TestMocks:
    """Mocks of the prior's own kind that the training did not see, ``n`` in all.

    Parameters
    ----------
    model : PosteriorModel
        Its card has the noise.
    prior : Prior
    n : int
    magnitudes : sequence of float
        Each gets the same number of mocks.
    seed : int
    """
    populations = prior.draw(n, seed=seed, held_out=True)
    magnitude = np.resize(np.asarray(magnitudes, dtype=float), n)
    return observe_all(populations, magnitude, NoiseModel.from_dict(model.card["noise"]), seed)


def answers(model: PosteriorModel, mocks: TestMocks, redshift: str = "given") -> Mixture:
    """Posterior of log_age, metallicity and ebv with the redshift ``given`` or ``unknown``."""
    z = mocks.populations.redshift.astype(float) if redshift == "given" else None
    return model.posterior(mocks.flux, mocks.error, z)[0]


def _quality(mixture: Mixture, mocks: TestMocks, **labels: object) -> list[dict]:
    """Scatter of posterior medians and coverage: one row for each parameter."""
    rank = ranks(mixture, mocks.true)
    median = mixture.quantiles((0.5,))[..., 0]
    mean, _ = mixture.moments()
    inside, wide = coverage(rank, 0.68), coverage(rank, 0.95)
    rows = []
    for k, name in enumerate(mixture.bounds.names):
        found = summary(median[:, k], mocks.true[:, k])
        of_mean = float(np.sqrt(np.mean((mean[:, k] - mocks.true[:, k]) ** 2)))
        rows.append(
            labels
            | {
                "parameter": name,
                "bias": found["bias"],
                "sigma_nmad": found["sigma_nmad"],
                "outlier_fraction": found["outlier_fraction"],
                "rmse_of_mean": of_mean,
                "coverage_68": float(inside[k]),
                "coverage_95": float(wide[k]),
                "n": len(mocks),
            }
        )
    return rows


def measure_magnitudes(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage at each magnitude (NaN for all), redshift given."""
    mixture = answers(model, mocks)
    rows = _quality(mixture, mocks, magnitude=np.nan)
    for value in np.unique(mocks.magnitude):
        chosen = mocks.magnitude == value
        rows += _quality(mixture.rows(chosen), mocks.rows(chosen), magnitude=float(value))
    return pd.DataFrame(rows)


def measure_gaps(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage with bands missing, and how the scatter has grown."""
    rows = []
    for gap in GAPS:
        seen = mocks.without(gap)
        rows += _quality(answers(model, seen), seen, gap=gap)
    table = pd.DataFrame(rows)
    whole = table[table["gap"] == "none"].set_index("parameter")["sigma_nmad"]
    table["growth"] = table["sigma_nmad"] / table["parameter"].map(whole) - 1
    return table


def measure_redshifts(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage in bins about each of :data:`REDSHIFTS`, redshift given and not."""
    nearest = np.abs(mocks.populations.redshift[:, None] - np.array(REDSHIFTS)).argmin(axis=1)
    rows = []
    for known in ("given", "unknown"):
        mixture = answers(model, mocks, known)
        for index, value in enumerate(REDSHIFTS):
            chosen = nearest == index
            rows += _quality(mixture.rows(chosen), mocks.rows(chosen), redshift=value, known=known)
    table = pd.DataFrame(rows)
    at_rest = table[(table["redshift"] == 0) & (table["known"] == "given")]
    table["ratio"] = table["sigma_nmad"] / table["parameter"].map(
        at_rest.set_index("parameter")["sigma_nmad"]
    )
    return table


def measure_photoz(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """σ_NMAD/(1 + z) of the redshift found from colours alone, and its coverage, by magnitude."""
    mixture = model.posterior(mocks.flux, mocks.error)[-1]
    true = mocks.populations.redshift.astype(float)
    off = (mixture.quantiles((0.5,))[:, 0, 0] - true) / (1 + true)
    rank = ranks(mixture, true[:, None])
    rows = []
    for value in (np.nan, *np.unique(mocks.magnitude)):
        chosen = np.isnan(value) | (mocks.magnitude == value)
        found = summary(off[chosen], np.zeros(chosen.sum()))
        rows.append(
            {
                "magnitude": float(value),
                "bias": found["bias"],
                "sigma_nmad": found["sigma_nmad"],
                "coverage_68": float(coverage(rank[chosen], 0.68)[0]),
                "n": int(chosen.sum()),
            }
        )
    return pd.DataFrame(rows)
