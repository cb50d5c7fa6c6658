"""Scatter and coverage of a posterior model under the depths of each field.

    python benchmarks/field_depths.py [--model ssp|galaxy] [--mocks 6000]

Populations of the model's prior that its training did not see, i = 17 to 22, with their redshifts.
Printed for log age, [M/H] and E(B−V): σ_NMAD, and the truths inside the 68 % interval.
"""

import argparse

import numpy as np

from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel, fields
from sspexplorer.posterior.prior import prior_of
from sspexplorer.posterior.validation.trust import SEED, answers, observe_all, quality

MAGNITUDES = (17.0, 19.0, 20.0, 21.0, 22.0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ssp", choices=("ssp", "galaxy"))
    parser.add_argument("--mocks", type=int, default=6000)
    asked = parser.parse_args()
    model = load_model(asked.model).model
    drawn = prior_of(model.card).draw(asked.mocks, seed=SEED, held_out=True)
    magnitude = np.resize(np.asarray(MAGNITUDES), asked.mocks)
    for name in fields():
        noise = NoiseModel.of_field(name)
        mocks = observe_all(drawn, magnitude, noise, SEED).as_told_by(model.card)
        rows = quality(answers(model, mocks), mocks)
        cells = (f"{row['sigma_nmad']:.3f}, {row['coverage_68']:.1%}" for row in rows)
        print(f"{name:9}", "   ".join(cells), flush=True)


if __name__ == "__main__":
    main()
