"""How good predictions are: the paper's metrics, overall and in bins."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypedDict

import numpy as np
import pandas as pd

from sspexplorer.errors import InputError
from sspexplorer.mocks import PARAMETERS, MockSample, make_mocks, split_of
from sspexplorer.networks import Model
from sspexplorer.noise import NoiseModel

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


def summary(predicted: np.ndarray, true: np.ndarray) -> Summary:
    """Metrics of one parameter (Domínguez Sánchez et al. 2026, Sect. 4.1).

    With Δ = predicted − true: bias = median Δ; sigma_nmad = 1.4826 median|Δ − median Δ|;
    outlier_fraction = fraction of |Δ| > 0.25; Pearson's correlation of predicted and true;
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
    if split not in ("ssp", "random"):
        raise InputError(f"A split is 'ssp' or 'random', not {split!r}.")
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
        ssp = mocks.labels["ssp"]
        home = dict(zip(ssp.unique(), split_of(ssp.unique()), strict=True))
        mask = ssp.map(home) == ("test" if split == "ssp" else "train")
    else:
        mask = (mocks.labels["split"] == "test") | (not noise_seen(model, mocks))
    chosen = mocks.rows(mask.to_numpy())
    if not len(chosen):
        raise InputError(f"The mock sample has no mocks to test the split {split!r} on.")
    return chosen


def noise_seen(model: Model, mocks: MockSample) -> bool:
    """Whether a sample has the very noise that the model was trained on."""
    trained = model.card["sample"]
    keys = ("libraries", "ebv_grid", "continuous_ebv", "magnitudes", "noise", "seed", "split")
    return all(mocks.meta.get(key) == trained.get(key) for key in keys)


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
    groups = pd.Series(predicted).groupby(index)
    table = groups.quantile([0.25, 0.5, 0.75]).unstack()
    table.columns = ["p25", "p50", "p75"]
    table.insert(0, "centre", centres[table.index])
    table["n"] = groups.size()
    return table.reset_index(drop=True)


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


def _commands(card: dict) -> list[str]:
    sample, recipe = card["sample"], card["recipe"]
    return [
        f"sspexplorer mocks MOCKS.parquet --libraries {','.join(sample['libraries'])} "
        f"--seed {sample['seed']} --split {sample['split']}"
        + (" --continuous-ebv" if sample["continuous_ebv"] else ""),
        f"sspexplorer train MOCKS.parquet --out MODEL_DIR --recipe {recipe['name']} "
        f"--network {recipe['network']} --epochs {recipe['epochs']} --seed {card['seed']}",
    ]
