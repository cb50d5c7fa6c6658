"""Test models trained without a library on that library.

    python scripts/leave_one_out.py FOLDER [FOLDER ...] [--mocks N] [--out FILE]
    python scripts/leave_one_out.py FOLDER [FOLDER ...] --beside [--mocks N] [--out FILE]
    python scripts/leave_one_out.py FOLDER --on A,B,… [--mocks N] [--out FILE]

Each FOLDER is of a model of scripts/train_posterior.py --without LIBRARY. SSPs and composites of
that library are observed at i = 17, 19 and 21, of a model that reaches far composites alone; with
--on those of other libraries, which the model may have seen. Writes a table as JSON,
libraries.json in data/models/NAME unless told otherwise; with --beside what stands there of other
samples stays.
"""

import argparse
import json
from pathlib import Path

from sspexplorer.artifact import card_text
from sspexplorer.posterior.library_errors import FILE
from sspexplorer.posterior.model import PosteriorModel
from sspexplorer.posterior.validation.left_out import (
    Measured,
    left_out_of,
    libraries_of,
    measure_library,
    tabulated,
)
from sspexplorer.resources import data_path


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--on", type=lambda text: tuple(text.split(",")))
    parser.add_argument("--beside", action="store_true")
    parser.add_argument("--mocks", type=int, default=1500)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    measured: list[Measured] = []
    models = []
    for folder in options.folders:
        model = PosteriorModel.load(folder)
        for library in options.on or (left_out_of(model.card),):
            measured += measure_library(model, library, n_each=options.mocks)
            print(f"{folder}: {library}", flush=True)
        recipe = model.card["recipe"]
        models.append(
            {"libraries": libraries_of(model.card), "max_redshift": model.reach.highest}
            | {name: recipe[name] for name in ("n_populations", "n_steps", "batch_size")}
        )
    table = tabulated(measured)
    content = {
        "model": model.card["name"],
        "trained": models,
        "table": json.loads(table.round(4).to_json(orient="records")),
    }
    out = options.out or data_path("models", model.card["name"], FILE)
    if options.beside:
        there = json.loads(out.read_text(encoding="utf-8"))
        again = set(table["sample"])
        stay = [row for row in there["table"] if row["sample"] not in again]
        content |= {
            "trained": there["trained"] + models,
            "table": stay + content["table"],
        }
    out.write_text(card_text(content), encoding="utf-8")
    print(table.round(3).to_string(index=False))
    inside = table.filter(regex="_68$|_95$")
    print(f"\nleast and most:\n{inside.agg(['min', 'max']).round(3).to_string()}")


if __name__ == "__main__":
    main()
