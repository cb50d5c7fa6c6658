"""Tests of a posterior model on populations that its training did not see.

Each function makes its own mocks with fixed seeds and returns a table. All mocks are simulated,
drawn from the model's own prior with its own noise, unless it says otherwise.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer.artifact import card_text
from sspexplorer.bands import N_BANDS, load_bands
from sspexplorer.errors import InputError
from sspexplorer.metrics import summary
from sspexplorer.mocks import MAGNITUDES, PARAMETERS
from sspexplorer.noise import NoiseModel
from sspexplorer.populations import Populations
from sspexplorer.posterior.density import Mixture
from sspexplorer.posterior.groups import OVER_LIGHT
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.observing import SDSS_GONE
from sspexplorer.posterior.prior import truths_of
from sspexplorer.posterior.training import Prior
from sspexplorer.posterior.validation.calibration import coverage, ranks
from sspexplorer.resources import data_path

SEED = 20260125  # never that of a training
REDSHIFTS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.10)
N_DISTANCES = 5  # parts of the redshifts of a model that reaches far
OUTLIER = 0.15  # of a redshift from colours, |Δz|/(1 + z) beyond which it is wrong
GAPS = ("none", "10 at random", "as in SDSS spectra")


@dataclass(frozen=True)
class TestMocks:
    """Populations not seen in training, observed.

    Attributes
    ----------
    populations : Populations
    magnitude : ndarray, shape (n,)
    flux, error : ndarray, shape (n, 57)
    truths : tuple of str
        What of the populations a model is held against.
    """

    __test__ = False  # a class of mocks, not of tests

    populations: Populations
    magnitude: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    truths: tuple[str, ...] = PARAMETERS

    def __len__(self) -> int:
        """Count the mocks."""
        return len(self.magnitude)

    @property
    def true(self) -> np.ndarray:
        """True log_age, metallicity and ebv, shape (n, 3)."""
        return self.populations.values(self.truths).astype(float)

    def as_told_by(self, card: dict) -> "TestMocks":
        """The same, held against what the model of a card calls its parameters."""
        return replace(self, truths=truths_of(card))

    def rows(self, index: np.ndarray) -> "TestMocks":
        """Some of the mocks."""
        arrays = {name: getattr(self, name)[index] for name in ("magnitude", "flux", "error")}
        return replace(self, populations=self.populations.rows(index), **arrays)

    def without(self, gap: str, seed: int = 0) -> "TestMocks":
        """The same with bands missing, one of :data:`GAPS`."""
        flux = self.flux.copy()
        flux[bands_gone(gap, len(flux), seed)] = np.nan
        return replace(self, flux=flux)


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
    prior: Prior,
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
    noise = NoiseModel.from_dict(model.card["noise"])
    return observe_all(populations, magnitude, noise, seed).as_told_by(model.card)


def answers(model: PosteriorModel, mocks: TestMocks, redshift: str = "given") -> Mixture:
    """Posterior of log_age, metallicity and ebv with the redshift ``given`` or ``unknown``."""
    z = mocks.populations.redshift.astype(float) if redshift == "given" else None
    return model.posterior(mocks.flux, mocks.error, z)[0]


def quality(mixture: Mixture, mocks: TestMocks, **labels: object) -> list[dict]:
    """Scatter of posterior medians and coverage: one row for each parameter, with labels before."""
    return quality_of(mixture, mocks.true, **labels)


def quality_of(mixture: Mixture, true: np.ndarray, **labels: object) -> list[dict]:
    """Scatter and coverage where truths (n, d) are given: as :func:`quality`."""
    rank = ranks(mixture, true)
    median = mixture.quantiles((0.5,))[..., 0]
    mean, _ = mixture.moments()
    inside, wide = coverage(rank, 0.68), coverage(rank, 0.95)
    rows = []
    for k, name in enumerate(mixture.bounds.names):
        found = summary(median[:, k], true[:, k])
        of_mean = float(np.sqrt(np.mean((mean[:, k] - true[:, k]) ** 2)))
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
                "n": len(true),
            }
        )
    return rows


def measure_magnitudes(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage at each magnitude (NaN for all), redshift given."""
    mixture = answers(model, mocks)
    rows = quality(mixture, mocks, magnitude=np.nan)
    for value in np.unique(mocks.magnitude):
        chosen = mocks.magnitude == value
        rows += quality(mixture.rows(chosen), mocks.rows(chosen), magnitude=float(value))
    return pd.DataFrame(rows)


def measure_gaps(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage with bands missing, and how the scatter has grown."""
    rows = []
    for gap in GAPS:
        seen = mocks.without(gap)
        rows += quality(answers(model, seen), seen, gap=gap)
    table = pd.DataFrame(rows)
    whole = table[table["gap"] == "none"].set_index("parameter")["sigma_nmad"]
    table["growth"] = table["sigma_nmad"] / table["parameter"].map(whole) - 1
    return table


def measure_redshifts(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage in bins of redshift, given and not.

    About each of :data:`REDSHIFTS`, or those of six evenly over a farther reach.
    """
    bins = REDSHIFTS if not model.reach.far else tuple(np.linspace(0, model.reach.highest, 6))
    nearest = np.abs(mocks.populations.redshift[:, None] - np.array(bins)).argmin(axis=1)
    rows = []
    for known in ("given", "unknown"):
        mixture = answers(model, mocks, known)
        for index, value in enumerate(bins):
            chosen = nearest == index
            rows += quality(mixture.rows(chosen), mocks.rows(chosen), redshift=value, known=known)
    table = pd.DataFrame(rows)
    at_rest = table[(table["redshift"] == 0) & (table["known"] == "given")]
    table["ratio"] = table["sigma_nmad"] / table["parameter"].map(
        at_rest.set_index("parameter")["sigma_nmad"]
    )
    return table


def measure_distances(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage in each fifth of the model's redshifts and at each magnitude.

    ``redshift`` is the middle of the fifth; the mocks' redshifts are given.
    """
    edges = np.linspace(0, model.reach.highest, N_DISTANCES + 1)
    part = np.clip(np.digitize(mocks.populations.redshift, edges) - 1, 0, N_DISTANCES - 1)
    mixture, rows = answers(model, mocks), []
    for index, value in product(range(N_DISTANCES), np.unique(mocks.magnitude)):
        chosen = (part == index) & (mocks.magnitude == value)
        if chosen.any():
            middle = float(edges[index : index + 2].mean())
            labels = {"redshift": middle, "magnitude": float(value)}
            rows += quality(mixture.rows(chosen), mocks.rows(chosen), **labels)
    return pd.DataFrame(rows)


def derived_answers(
    model: PosteriorModel, mocks: TestMocks
) -> Iterator[tuple[Mixture, np.ndarray, np.ndarray]]:
    """Posteriors of what is in the other groups, redshift given.

    Yields
    ------
    mixture : Mixture
        Of the mocks whose truth is known.
    true : ndarray, shape (n_known, n_parameters)
    known : ndarray of bool, shape (n,)
        u − r, say, is not known of a library without u.
    """
    z = mocks.populations.redshift.astype(float)
    light = np.log10(np.nanmedian(mocks.flux, axis=1))
    for mixture in model.posterior(mocks.flux, mocks.error, z)[1:-1]:
        names = mixture.bounds.names
        # Masses are over the light that was measured.
        true = mocks.populations.values(names).astype(float)
        true = true - light[:, None] * np.isin(names, OVER_LIGHT)
        known = np.isfinite(true).all(axis=1)
        yield mixture.rows(known), true[known], known


def measure_derived(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """Scatter and coverage of what is in the other groups, at each magnitude (NaN for all)."""
    rows = []
    for mixture, true, known in derived_answers(model, mocks):
        magnitudes = mocks.magnitude[known]
        for value in (np.nan, *np.unique(magnitudes)):
            chosen = np.isnan(value) | (magnitudes == value)
            rows += quality_of(mixture.rows(chosen), true[chosen], magnitude=float(value))
    return pd.DataFrame(rows)


def measure_photoz(model: PosteriorModel, mocks: TestMocks) -> pd.DataFrame:
    """σ_NMAD/(1 + z) of the redshift found from colours alone, by magnitude (NaN for all).

    With the share that is off by more than :data:`OUTLIER`, and the coverage.
    """
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
                "outlier_share": float((np.abs(off[chosen]) > OUTLIER).mean()),
                "coverage_68": float(coverage(rank[chosen], 0.68)[0]),
                "n": int(chosen.sum()),
            }
        )
    return pd.DataFrame(rows)


FILE = "trust.json"
N_RANK_BINS = 20


@dataclass(frozen=True)
class Trust:
    """Results of all tests of a model, as ``scripts/validate_posterior.py`` wrote them.

    Attributes
    ----------
    model : str
    magnitudes, gaps, redshifts, photoz, outliers : DataFrame
        See the functions ``measure_…`` of this module and of
        :mod:`sspexplorer.posterior.validation.outliers`; of a model that reaches far, outliers are
        beside mocks with redshifts ``to`` a value, and p-values beside nearby ones.
    exact : DataFrame
        RMSE of posterior means beside that of the exact posterior; empty for composites.
    lines, singles : DataFrame
        See :mod:`sspexplorer.posterior.validation.comparisons`.
    ranks : DataFrame
        ``parameter``, ``rank`` (centre of the bin, 0 to 1), ``count``.
    tarp : DataFrame
        ``level`` and ``coverage`` of the joint posterior.
    p_values : DataFrame
        ``kind``, ``p`` (centre of the bin) and ``share``.
    distances, derived : DataFrame
        See :func:`measure_distances` and :func:`measure_derived`; empty of models of nearby single
        populations.
    growth : DataFrame
        See :func:`sspexplorer.posterior.validation.growth.measure_growth`; empty likewise.
    n_mocks : int
        Mocks of the tests of calibration.
    command : str
        Repeats the tests.
    """

    model: str
    magnitudes: pd.DataFrame
    gaps: pd.DataFrame
    redshifts: pd.DataFrame
    photoz: pd.DataFrame
    outliers: pd.DataFrame
    exact: pd.DataFrame
    lines: pd.DataFrame
    singles: pd.DataFrame
    ranks: pd.DataFrame
    tarp: pd.DataFrame
    p_values: pd.DataFrame
    n_mocks: int
    command: str
    distances: pd.DataFrame = field(default_factory=pd.DataFrame)
    derived: pd.DataFrame = field(default_factory=pd.DataFrame)
    growth: pd.DataFrame = field(default_factory=pd.DataFrame)

    def save(self, folder: Path) -> None:
        """Write ``trust.json`` into the folder of a model."""
        content = {
            name: json.loads(value.to_json(orient="records", double_precision=5))
            if isinstance(value, pd.DataFrame)
            else value
            for name, value in vars(self).items()
        }
        (folder / FILE).write_text(card_text(content), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Trust":
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            If the folder has no such file.
        """
        try:
            content = json.loads((folder / FILE).read_text(encoding="utf-8"))
            later: dict[str, list] = {"distances": [], "derived": [], "growth": []}
            fields = {name: (later | content)[name] for name in cls.__dataclass_fields__}
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{folder} has no {FILE} that can be read: {error}.") from None
        tables = {k: pd.DataFrame(v) if isinstance(v, list) else v for k, v in fields.items()}
        return cls(**tables)


@cache
def load_trust(name: str) -> Trust:
    """Results for a shipped model.

    Raises
    ------
    InputError
        If there are none.
    """
    return Trust.load(data_path("models", name))
