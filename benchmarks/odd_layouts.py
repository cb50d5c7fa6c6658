"""How many of 500 layouts drawn at random are read right, asked about, refused or wrong, by kind.

Right is also that the model of mixed populations answers as it does for the table itself.

python benchmarks/odd_layouts.py [N] [SEED]
"""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer.models import load_model, predict_rows

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from layouts import drawn, outcome


def main() -> None:
    """Draw, read and count."""
    n, seed = (int(word) for word in (*sys.argv[1:], *("500", "0")[len(sys.argv) - 1 :]))
    counts, kinds = Counter(), Counter()
    model = load_model("galaxy")

    def predict(flux: np.ndarray, error: np.ndarray, redshift: np.ndarray) -> pd.DataFrame:
        return predict_rows(model, flux, error, redshift).table

    for layout in drawn(n, seed):
        found = outcome(layout, predict)
        verdict = found.partition(":")[0]
        counts[verdict] += 1
        if verdict != "right":
            print(f"{found}\n    {layout}", flush=True)
            kinds.update((verdict, key, value) for key, value in asdict(layout).items())
    print(dict(counts))
    for (verdict, key, value), count in kinds.most_common():
        if key != "order":
            print(f"{count:4d} {verdict}: {key} = {value}")
    sys.exit(counts["WRONG"] > 0)


if __name__ == "__main__":
    main()
