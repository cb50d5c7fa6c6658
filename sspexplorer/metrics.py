"""How good predictions are: the paper's metrics, overall and in bins."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from sspexplorer.errors import InputError
from sspexplorer.mocks import PARAMETERS, MockSample, make_mocks, split_of
from sspexplorer.networks.model import Model
from sspexplorer.noise import DEFAULT_FIELD, NoiseModel, fields

OUTLIER_LIMIT = 0.25  # dex or mag; Domínguez Sánchez et al. (2026), footnote 7
NMAD_TO_SIGMA = 1.4826  # so that σ_NMAD of a Gaussian is its σ
# Seed of the noise of mocks made only to evaluate: never that of a training sample.
EVALUATION_SEED = 20260120


class Summary(TypedDict):
    """Metrics of one parameter; differences are predicted minus true, in dex or mag."""

    bias: float
    sigma_nmad: float
    outlier_fraction: float
    pearson: float
    r2: float
    rmse: float
    n: int


# Of numbers without bound, the scatter is infinite or none.
@np.errstate(over="ignore", invalid="ignore")
def summary(predicted: np.ndarray, true: np.ndarray) -> Summary:
    """Metrics of one parameter (Domínguez Sánchez et al. 2026, Sect. 4.1).

    With Δ = predicted − true: bias = median Δ; sigma_nmad = 1.4826 median ``|Δ − median Δ|``;
    outlier_fraction = fraction of ``|Δ|`` > 0.25; Pearson's correlation of predicted and true;
    r2 = 1 − ΣΔ² / Σ(true − mean true)²; rmse = sqrt(mean Δ²). Rows where either is NaN are left
    out; with no rows left, or no spread for a correlation, the answer is NaN.

    Parameters
    ----------
    predicted, true : ndarray, shape (n,)
    """
    ok = np.isfinite(predicted) & np.isfinite(true)
    predicted, true = predicted[ok], true[ok]
    n = len(true)
    if not n:
        nan = float("nan")
        return Summary(
            bias=nan, sigma_nmad=nan, outlier_fraction=nan, pearson=nan, r2=nan, rmse=nan, n=0
        )
    delta = predicted - true
    bias = np.median(delta)
    spread = np.sum((true - true.mean()) ** 2)
    correlated = n > 1 and spread > 0 and np.ptp(predicted) > 0
    return Summary(
        bias=float(bias),
        sigma_nmad=float(NMAD_TO_SIGMA * np.median(np.abs(delta - bias))),
        outlier_fraction=float(np.mean(np.abs(delta) > OUTLIER_LIMIT)),
        pearson=float(np.corrcoef(predicted, true)[0, 1]) if correlated else float("nan"),
        r2=float(1 - np.sum(delta**2) / spread) if spread > 0 else float("nan"),
        rmse=float(np.sqrt(np.mean(delta**2))),
        n=n,
    )


def _by_parameter(predicted: np.ndarray, true: np.ndarray) -> dict[str, Summary]:
    return {name: summary(predicted[:, k], true[:, k]) for k, name in enumerate(PARAMETERS)}


def evaluate(predicted: np.ndarray, labels: pd.DataFrame) -> dict:
    """Metrics of each parameter, overall, by magnitude and by library.

    Parameters
    ----------
    predicted : ndarray, shape (n, 3)
        log_age, metallicity and ebv.
    labels : DataFrame, n rows
        True values under the same names, with ``magnitude`` and ``library``.

    Returns
    -------
    dict
        ``overall``: {parameter: Summary}; ``by_magnitude`` and ``by_library``: the same for each
        magnitude (as text, "17.0") and library.
    """
    true = labels[list(PARAMETERS)].to_numpy(float)

    def grouped(keys: pd.Series, name: Callable[[object], str]) -> dict:
        groups = {}
        for key in sorted(keys.unique()):
            rows = (keys == key).to_numpy()
            groups[name(key)] = _by_parameter(predicted[rows], true[rows])
        return groups

    return {
        "overall": _by_parameter(predicted, true),
        "by_magnitude": grouped(labels["magnitude"], lambda m: f"{m:.1f}"),
        "by_library": grouped(labels["library"], str),
    }


def held_out_mocks(model: Model, split: str = "ssp", mocks: MockSample | None = None) -> MockSample:
    """Mocks on which a model is fairly tested.

    Parameters
    ----------
    model : Model
    split : {"ssp", "random"}
        ``ssp``: mocks of SSPs that the model never saw. ``random``: as when mocks are split at
        random, mocks of SSPs that it did see, under noise that it did not.
    mocks : MockSample, optional
        Sample to choose from; by default one is made like the model's training sample, with
        other noise.

    Raises
    ------
    InputError
        If ``split`` is unknown or there is no such mock in the sample.
    """
    _check_split(split)
    trained = model.card["sample"]
    if mocks is None:
        mocks = make_mocks(
            trained["libraries"],
            ebv_grid=trained["ebv_grid"],
            magnitudes=trained["magnitudes"],
            noise=NoiseModel.from_dict(trained["noise"]),
            seed=EVALUATION_SEED,
        )
    if split == "ssp" and trained["split"] != "ssp":
        raise InputError(
            "This model was trained on mocks split at random, so it has seen every SSP; "
            "only the split 'random' can test it."
        )
    if trained["split"] == "ssp":
        return of_split(mocks, split)
    mask = (mocks.labels["split"] == "test") | (not noise_seen(model, mocks))
    return _some(mocks.rows(mask.to_numpy()), split)


def of_split(mocks: MockSample, split: str) -> MockSample:
    """Mocks of SSPs that are held out ("ssp"), or of those in training ("random").

    Raises
    ------
    InputError
        If ``split`` is unknown or there is no such mock.
    """
    _check_split(split)
    ssp = mocks.labels["ssp"]
    home = dict(zip(ssp.unique(), split_of(ssp.unique()), strict=True))
    mask = ssp.map(home) == ("test" if split == "ssp" else "train")
    return _some(mocks.rows(mask.to_numpy()), split)


def _check_split(split: str) -> None:
    if split not in ("ssp", "random"):
        raise InputError(f"A split is 'ssp' or 'random', not {split!r}.")


def _some(mocks: MockSample, split: str) -> MockSample:
    if not len(mocks):
        raise InputError(f"The mock sample has no mocks to test the split {split!r} on.")
    return mocks


def noise_seen(model: Model, mocks: MockSample) -> bool:
    """Whether a sample has the very noise that the model was trained on."""
    trained = model.card["sample"]
    objects = ("libraries", "ebv_grid", "continuous_ebv", "magnitudes")
    draws = ("noise", "seed", "split", "on_demand")
    return all(mocks.meta.get(key) == trained.get(key) for key in (*objects, *draws))


def running_quantiles(true: np.ndarray, predicted: np.ndarray, n_bins: int = 20) -> pd.DataFrame:
    """Median and quartiles of ``predicted`` in bins of ``true``.

    Parameters
    ----------
    true, predicted : ndarray, shape (n,)
    n_bins : int
        Equal bins over the range of ``true``; where ``true`` has no more than ``n_bins``
        different values, one bin for each.

    Returns
    -------
    DataFrame
        ``centre``, ``p25``, ``p50``, ``p75`` and ``n`` of each bin that is not empty.
    """
    values = np.unique(true)
    if len(values) <= n_bins:
        centres, index = values, np.searchsorted(values, true)
    else:
        edges = np.linspace(values[0], values[-1], n_bins + 1)
        centres = (edges[:-1] + edges[1:]) / 2
        index = np.clip(np.digitize(true, edges) - 1, 0, n_bins - 1)
    ok = np.isfinite(predicted)
    index, predicted = index[ok].astype(np.int16), predicted[ok]
    counts = np.bincount(index, minlength=len(centres))
    # Small integers are sorted in one pass; then each bin is a slice.
    bins = np.split(predicted[np.argsort(index, kind="stable")], np.cumsum(counts)[:-1])
    rows = [
        (centre, *np.quantile(values, (0.25, 0.5, 0.75)), len(values))
        for centre, values in zip(centres, bins, strict=True)
        if len(values)
    ]
    return pd.DataFrame(rows, columns=["centre", "p25", "p50", "p75", "n"])


@dataclass(frozen=True)
class Correlation:
    """Correlation of two quantities, with standard errors.

    Attributes
    ----------
    pearson, pearson_err : float
        Of the values: a straight line, and far-off points count most.
    spearman, spearman_err : float
        Of their ranks: any monotonic trend, and far-off points count like others.
    n, n_groups : int
        Points, and groups of points that are not independent of each other.
    """

    pearson: float
    pearson_err: float
    spearman: float
    spearman_err: float
    n: int
    n_groups: int


def correlation(
    x: np.ndarray, y: np.ndarray, groups: np.ndarray, *, n_draws: int = 400, seed: int = 0
) -> Correlation:
    """Pearson's and Spearman's coefficients, with errors from drawing whole groups anew.

    Mocks of one SSP share what a network gets wrong about it, so 39 000 mocks of 375 SSPs are
    much less than 39 000 independent points: Fisher's (1 − r²) / √n would be an error many times
    too small. The error is the standard deviation over ``n_draws`` bootstrap samples of groups.
    Ranks are those of the whole sample.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        Points where either is NaN are left out.
    groups : ndarray, shape (n,)
        Which group a point belongs to: its SSP. ``np.arange(n)`` if all are independent.
    n_draws : int
    seed : int
        Of the draws.

    Returns
    -------
    Correlation
        NaN where there is no spread.
    """
    ok = np.isfinite(x) & np.isfinite(y)
    x, y = x[ok], y[ok]
    found, index = np.unique(np.asarray(groups)[ok], return_inverse=True)
    n_groups = len(found)
    if not n_groups:
        return Correlation(np.nan, np.nan, np.nan, np.nan, n=0, n_groups=0)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_draws)
    weights = np.concatenate([np.ones((1, n_groups)), drawn])
    linear = _pearson_of_groups(x, y, index, weights)
    ranks = _pearson_of_groups(rankdata(x), rankdata(y), index, weights)
    return Correlation(
        float(linear[0]),
        float(np.std(linear[1:])),
        float(ranks[0]),
        float(np.std(ranks[1:])),
        n=len(x),
        n_groups=n_groups,
    )


def _pearson_of_groups(
    x: np.ndarray, y: np.ndarray, index: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Pearson's coefficient for each row of ``weights``, how often each group is taken."""
    n_groups = weights.shape[1]
    # Sums of products of large numbers would lose what they differ by.
    x, y = x - x.mean(), y - y.mean()
    sums = [
        weights @ np.bincount(index, values, n_groups)
        for values in (np.ones(len(x)), x, y, x * x, y * y, x * y)
    ]
    n, sx, sy, sxx, syy, sxy = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        return (n * sxy - sx * sy) / np.sqrt((n * sxx - sx**2) * (n * syy - sy**2))


def containment_levels(density: np.ndarray, fractions: Sequence[float]) -> np.ndarray:
    """Find the levels whose contours hold given fractions of what is in a density.

    Parameters
    ----------
    density : ndarray
        Counts or probabilities in cells of equal size, of any shape.
    fractions : sequence of float
        Each between 0 and 1; 0.683, 0.954 and 0.997 are the 1, 2 and 3 σ of a Gaussian by
        content.

    Returns
    -------
    ndarray, shape (len(fractions),)
        The cells at or above a level hold at least its fraction, and no higher level does so.
        NaN if the density is empty.
    """
    ordered = np.sort(np.ravel(density))[::-1]
    held = np.cumsum(ordered)
    if not len(held) or held[-1] <= 0:
        return np.full(len(fractions), np.nan)
    # The hair's breadth is for sums that miss their total in the last digit.
    place = np.searchsorted(held, (1 - 1e-12) * np.asarray(fractions) * held[-1])
    return ordered[np.minimum(place, len(ordered) - 1)]


def smooth_histogram(
    x: np.ndarray,
    y: np.ndarray,
    x_limits: tuple[float, float],
    y_limits: tuple[float, float],
    n_bins: int = 80,
    smoothing: float = 1.5,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count points on a plane, smoothed by a Gaussian.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
    x_limits, y_limits : tuple of float
        Points outside are left out.
    n_bins : int
        Along each axis.
    smoothing : float
        σ of the Gaussian, in bins.

    Returns
    -------
    x, y : ndarray, shape (n_bins,)
        Centres of the bins.
    density : ndarray, shape (n_bins, n_bins)
        Smoothed counts, y first.
    """
    counts, y_edges, x_edges = np.histogram2d(y, x, bins=n_bins, range=(y_limits, x_limits))
    centres = ((edges[:-1] + edges[1:]) / 2 for edges in (x_edges, y_edges))
    return (*centres, gaussian_filter(counts, smoothing, mode="constant"))


def with_metrics(
    model: Model, splits: Sequence[str] | None = None, mocks: MockSample | None = None
) -> Model:
    """Complete the card of a model that was just trained.

    Adds ``metrics``: :func:`evaluate` on :func:`held_out_mocks` for each of ``splits`` (that of
    the training unless given); and ``train_again``: the commands that repeat the training.
    """
    metrics = {}
    for split in splits or (model.card["sample"].get("split", "ssp"),):
        test = held_out_mocks(model, split, mocks)
        metrics[split] = evaluate(model.predict(test.flux), test.labels)
    card = model.card | {"metrics": metrics, "train_again": _commands(model.card)}
    return replace(model, card=card)


def _depths(noise: dict | None) -> str:
    """Option that says whose depths the noise has, if it is of another field than by default."""
    same = (name for name in fields() if NoiseModel.of_field(name).to_dict() == noise)
    name = next(same, DEFAULT_FIELD)
    return "" if name == DEFAULT_FIELD else f" --depths {name}"


def _commands(card: dict) -> list[str]:
    sample, recipe = card["sample"], card["recipe"]
    choices = (
        f"--recipe {recipe['name']} --network {recipe['network']} --epochs {recipe['epochs']} "
        f"--seed {card['seed']}"
    )
    if sample.get("on_demand"):
        return [
            f"sspexplorer train --out MODEL_DIR --libraries {','.join(sample['libraries'])} "
            f"--split {sample['split']} {choices}"
        ]
    return [
        f"sspexplorer mocks MOCKS.parquet --libraries {','.join(sample['libraries'])} "
        f"--seed {sample['seed']} --split {sample['split']}"
        + (" --continuous-ebv" if sample["continuous_ebv"] else "")
        + _depths(sample.get("noise")),
        f"sspexplorer train MOCKS.parquet --out MODEL_DIR {choices}",
    ]
