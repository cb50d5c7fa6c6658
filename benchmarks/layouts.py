"""How many of 500 layouts drawn at random are read right, refused or read wrongly, by kind.

python benchmarks/layouts.py [N] [SEED]
"""

import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from layouts import drawn, outcome


def main() -> None:
    """Draw, read and count."""
    n, seed = (int(word) for word in (*sys.argv[1:], *("500", "0")[len(sys.argv) - 1 :]))
    counts, kinds = Counter(), Counter()
    for layout in drawn(n, seed):
        found = outcome(layout)
        verdict = found.partition(":")[0]
        counts[verdict] += 1
        if verdict != "right":
            print(f"{found}\n    {layout}")
            kinds.update((verdict, key, value) for key, value in asdict(layout).items())
    print(dict(counts))
    for (verdict, key, value), count in kinds.most_common():
        if key != "order":
            print(f"{count:4d} {verdict}: {key} = {value}")
    sys.exit(counts["WRONG"] > 0)


if __name__ == "__main__":
    main()
