"""Make the map of SEDs in data/embedding/.

    python scripts/make_embedding.py

umap-learn lays out mocks of SSPs of the training split, as many of each library. A network then
learns the map from SED to plane, from UMAP's own coordinates of those mocks and from where UMAP's
``transform`` puts more of them, with other noise and dust. It is tested on mocks of SSPs that
neither has seen, against ``transform``; a second ``transform`` of the same mocks, which draws its
steps from another seed, says how well that agrees with itself.
"""

import argparse
import math
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors
from umap import UMAP

from sspexplorer.bands import BAND_NAMES
from sspexplorer.embedding import SOFTENING, WIDTHS, Embedding, features, make_network
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.mocks import MAGNITUDES, MockSample, make_mocks
from sspexplorer.resources import data_path

FIT_SEED, MORE_SEEDS, TEST_SEED = 11, (12, 13, 14, 15), 16  # of mocks
UMAP_SEED, AGAIN_SEED, NETWORK_SEED = 7, 8, 3
N_FIT, N_MORE, N_TEST = 8000, 25_000, 1500  # of each library; fewer where it has no more
NEIGHBOURS = 15
EPOCHS, BATCH, LEARNING_RATE = 50, 512, 2e-3
PACKAGES = ("umap-learn", "pynndescent", "numba", "scikit-learn", "numpy", "torch")


def choose(mocks: MockSample, split: str, number: int, seed: int) -> MockSample:
    """Draw as many mocks of each library of a split."""
    rng = np.random.default_rng(seed)
    mask = np.zeros(len(mocks), bool)
    for library in LIBRARY_NAMES:
        labels = mocks.labels
        rows = np.flatnonzero((labels["split"] == split) & (labels["library"] == library))
        mask[rng.choice(rows, min(number, len(rows)), replace=False)] = True
    return mocks.rows(mask)


# Means and standard deviations of the features and of the plane.
Scaling = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def distil(flux_features: np.ndarray, plane: np.ndarray) -> tuple[torch.nn.Module, Scaling]:
    """Train the network; returns it and the four scalings around it."""
    torch.manual_seed(NETWORK_SEED)
    scaling = [f(v).astype(np.float32) for v in (flux_features, plane) for f in (_mean, _std)]
    x = torch.from_numpy((flux_features - scaling[0]) / scaling[1])
    y = torch.from_numpy(((plane - scaling[2]) / scaling[3]).astype(np.float32))
    network = make_network()
    optimiser = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=1e-3)
    steps = EPOCHS * math.ceil(len(x) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    for epoch in range(EPOCHS):
        losses = []
        for rows in torch.randperm(len(x)).split(BATCH):
            # Absolute differences: UMAP puts some mocks with the wrong neighbours, far away.
            loss = (network(x[rows]) - y[rows]).abs().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}/{EPOCHS}: mean |Δ| {np.mean(losses):.4f}", flush=True)
    return network.eval().requires_grad_(False), scaling


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=0)


def _std(values: np.ndarray) -> np.ndarray:
    return values.std(axis=0)


def neighbours(points: np.ndarray) -> np.ndarray:
    """Rows of the 15 nearest other points, shape (n, 15)."""
    search = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(points)
    return search.kneighbors(points, return_distance=False)[:, 1:]


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Mean fraction of neighbours that are the same."""
    pairs = zip(neighbours(one), neighbours(other), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / NEIGHBOURS for a, b in pairs]))


def displacement(one: np.ndarray, other: np.ndarray) -> float:
    """Median distance on the plane."""
    return float(np.median(np.hypot(*(one - other).T)))


def faithfulness(
    seen: np.ndarray, network: np.ndarray, umap: np.ndarray, again: np.ndarray
) -> dict[str, Any]:
    """Compare the places that the network and UMAP give to the same SEDs."""

    def planes(
        measure: Callable[..., float], *args: np.ndarray, **options: int
    ) -> dict[str, float]:
        placed = {"network": network, "umap": umap}
        return {k: round(float(measure(*args, v, **options)), 4) for k, v in placed.items()}

    return {
        "n": len(seen),
        "neighbours": NEIGHBOURS,
        "trustworthiness": planes(trustworthiness, seen, n_neighbors=NEIGHBOURS),
        "overlap_with_sed_space": planes(overlap, seen),
        "overlap_network_umap": round(overlap(network, umap), 4),
        "overlap_umap_umap": round(overlap(umap, again), 4),
        "displacement_network_umap": round(displacement(network, umap), 4),
        "displacement_umap_umap": round(displacement(umap, again), 4),
        "plane_size": [round(float(v), 2) for v in np.ptp(umap, axis=0)],
    }


def reference_distances(embedding: Embedding) -> tuple[np.ndarray, int]:
    """Quantiles of the distances of held-out mocks behind any dust, and how many a magnitude."""
    rows = []
    for magnitude in MAGNITUDES:
        mocks = make_mocks(continuous_ebv=True, magnitudes=(magnitude,), seed=TEST_SEED)
        distance = embedding.distance(mocks.part("test").flux)
        rows.append(np.quantile(distance, np.linspace(0, 1, 1001)))
    return np.array(rows), len(distance)


def main() -> None:
    """Fit, distil, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    fitted = choose(make_mocks(seed=FIT_SEED), "train", N_FIT, FIT_SEED)
    begun = time.time()
    umap = UMAP(n_neighbors=NEIGHBOURS, min_dist=0.1, random_state=UMAP_SEED, n_jobs=1)
    planes = [umap.fit_transform(features(fitted.flux))]
    seconds = {"fit": round(time.time() - begun)}
    print(f"UMAP of {len(fitted):,} mocks took {seconds['fit']} s", flush=True)

    fluxes = [features(fitted.flux)]
    for seed in MORE_SEEDS:
        more = choose(make_mocks(seed=seed, continuous_ebv=True), "train", N_MORE, seed)
        fluxes.append(features(more.flux))
        planes.append(umap.transform(fluxes[-1]))
    begun = time.time()
    network, scaling = distil(np.concatenate(fluxes), np.concatenate(planes))
    seconds["distil"] = round(time.time() - begun)

    magnitudes = np.array(MAGNITUDES)
    embedding = Embedding(network, *scaling, magnitudes, np.zeros((len(magnitudes), 1001)), {})
    test = choose(make_mocks(seed=TEST_SEED), "test", N_TEST, TEST_SEED)
    seen, placed = features(test.flux), embedding.place(test.flux)
    begun = time.time()
    by_umap = umap.transform(seen)
    seconds["umap_transform"] = round(time.time() - begun, 2)
    umap.transform_seed = AGAIN_SEED
    again = umap.transform(seen)
    bright = (test.labels["magnitude"] <= 18).to_numpy()
    found = {
        "all": faithfulness(seen, placed, by_umap, again),
        "i <= 18": faithfulness(*(v[bright] for v in (seen, placed, by_umap, again))),
    }
    reference, n_reference = reference_distances(embedding)
    card = {
        "name": "map of SEDs",
        "bands": list(BAND_NAMES),
        "sample": {
            "libraries": list(LIBRARY_NAMES),
            "split": "ssp",
            "n_umap": len(fitted),
            "n_network": sum(map(len, planes)),
            "n_test": len(test),
            "seeds": {"umap": FIT_SEED, "network": list(MORE_SEEDS), "test": TEST_SEED},
            "noise": fitted.meta["noise"]["description"],
        },
        "features": f"asinh(F / ({SOFTENING} median F))",
        "umap": {"n_neighbors": NEIGHBOURS, "min_dist": 0.1, "random_state": UMAP_SEED},
        "network": {
            "widths": list(WIDTHS),
            "activation": "SiLU",
            "epochs": EPOCHS,
            "batch": BATCH,
            "learning_rate": LEARNING_RATE,
            "loss": "mean absolute difference",
            "seed": NETWORK_SEED,
        },
        "faithfulness": found,
        "distance": {
            "measure": "standard deviation over mean of the ratio SED / nearest template",
            "n_held_out_per_magnitude": n_reference,
            "median": dict(
                zip(map(str, MAGNITUDES), reference[:, 500].round(4).tolist(), strict=True)
            ),
            "p99": dict(
                zip(map(str, MAGNITUDES), reference[:, 990].round(4).tolist(), strict=True)
            ),
        },
        "seconds": seconds,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in PACKAGES},
        "make_again": "python scripts/make_embedding.py",
    }
    Embedding(network, *scaling, magnitudes, reference, card).save(data_path("embedding"))
    for name, values in found.items():
        print(name, values)
    print(card["distance"], seconds)


if __name__ == "__main__":
    main()
