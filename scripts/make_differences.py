"""Measure how the libraries that ship differ, and keep it in data/library_differences.

    python scripts/make_differences.py

Takes seconds. Prints the residuals by pair of libraries and by part of the spectrum, how much of
them each component explains, and how far best fits are off in age, metallicity and reddening.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from sspexplorer.bands import BROAD_BANDS, load_bands
from sspexplorer.libraries import SHIPPED_NAMES, load_library
from sspexplorer.libraries.differences import AGE_STEP, SCREEN, Differences, measure
from sspexplorer.libraries.residuals import KINDS, LibraryResiduals, save_differences

EDGES = (3000, 4000, 5000, 6000, 7000, 8000, 9200)  # Å


def rms(values: np.ndarray, weight: np.ndarray) -> float:
    """Weighted root mean square of what is there."""
    there = np.isfinite(values)
    weight = np.broadcast_to(weight[:, None], values.shape)
    return float(np.sqrt(np.average(values[there] ** 2, weights=weight[there])))


def by_band_group(found: Differences) -> pd.DataFrame:
    """Residuals in mag by part of the spectrum, and in the broad bands."""
    bands = load_bands()
    groups = {
        f"{low} to {high} Å": bands.narrow & (bands.pivot >= low) & (bands.pivot < high)
        for low, high in pairwise(EDGES)
    }
    groups |= {name: np.array(bands.names) == name for name in BROAD_BANDS}
    rows = {}
    for name, mask in groups.items():
        rows[name] = {
            "fitted": rms(found.residual[:, mask], found.weight),
            "same": rms(found.same[:, mask], found.weight),
        }
    return pd.DataFrame(rows).T


def by_pair(found: Differences) -> pd.DataFrame:
    """Residuals in mag, and the median and half of the central 68 % of the shifts, by pair."""
    rows = []
    for of, by in LibraryResiduals.of(found).pairs:
        pair = found.rows((found.of == of) & (found.by == by))
        low, middle, high = np.percentile(pair.shift, [16, 50, 84], axis=0)
        row = {"of": of, "by": by, "n": len(pair), "fitted": rms(pair.residual, pair.weight)}
        row["same"] = rms(pair.same, pair.weight)
        for k, name in enumerate(("age", "[M/H]", "E(B-V)")):
            row[name] = f"{middle[k]:+.2f} ± {(high[k] - low[k]) / 2:.2f}"
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    """Measure, print and keep."""
    found = measure([load_library(name) for name in SHIPPED_NAMES])
    card = {
        "made_by": "scripts/make_differences.py",
        "screen": SCREEN,
        "age_step": AGE_STEP,
        "n": len(found),
    }
    save_differences(found, card)
    print(f"{len(found)} differences; rms in mag")
    print(by_band_group(found).to_string(float_format="%.4f"))
    print(by_pair(found).to_string(float_format="%.4f", index=False))
    for kind in KINDS:
        described = LibraryResiduals.of(found, kind)
        shares = " ".join(f"{share:.1%}" for share in described.explained)
        size = np.sqrt((described.sigma**2).mean())
        rest = np.sqrt((described.remainder**2).mean())
        print(f"{kind}: σ {size:.4f} mag, of which {rest:.4f} in no component; shares {shares}")


if __name__ == "__main__":
    main()
