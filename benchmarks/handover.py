"""How much answers of model ``galaxy`` change where one of its networks takes over from another.

    python benchmarks/handover.py [--mocks 6000]

Held-out composite populations at redshifts from 0.085 to 0.115 and i = 17 to 21 are asked about
twice, as if each were at 0.0999 and at 0.1001, the least that a catalogue's rounding may do.
Printed is what that changes of log age, [M/H] and E(B−V), in units of σ: with a sudden handover at
0.1, with the one that there is, and, for comparison, between 0.0799 and 0.0801, where one network
answers. Then scatter and coverage of those galaxies with either.
"""

import argparse
from dataclasses import replace
from unittest.mock import patch

import numpy as np

from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.models import load_model
from sspexplorer.posterior import model as models
from sspexplorer.posterior.validation.trust import TestMocks, answers, held_out, quality

WHERE, APART = 0.1, 1e-4
RANGE = (0.085, 0.115)
_GRADUAL = models._HANDOVER
HANDOVERS = {"sudden": ((WHERE, WHERE + 1e-9), _GRADUAL[1]), "gradual": _GRADUAL}


def steps(model: models.PosteriorModel, mocks: TestMocks, where: float) -> np.ndarray:
    """Change of the mean across a redshift in units of σ, shape (n, 3)."""
    moments = []
    for z in (where - APART, where + APART):
        told = np.full(len(mocks), z)
        moments.append(model.posterior(mocks.flux, mocks.error, told)[0].moments())
    (one, covariance), (other, _) = moments
    return (other - one) / np.sqrt(np.einsum("nii->ni", covariance))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mocks", type=int, default=6000, help="drawn; a third is in the range")
    n = parser.parse_args().mocks
    model = load_model("galaxy").model
    prior = replace(GalaxyPrior.from_dict(model.card["prior"]), max_redshift=RANGE[1] + 0.01)
    mocks = held_out(model, prior, n, magnitudes=(17.0, 18.0, 19.0, 20.0, 21.0))
    z = mocks.populations.redshift
    mocks = mocks.rows(np.flatnonzero((z > RANGE[0]) & (z < RANGE[1])))
    print(f"{len(mocks)} galaxies; change in σ: median of absolutes, 95 % of them, mean")
    for name, handover in HANDOVERS.items():
        with patch.object(models, "_HANDOVER", handover):
            for where in (WHERE,) if name == "sudden" else (WHERE, 0.08):
                found = steps(model, mocks, where)
                cells = (
                    f"{np.median(np.abs(d)):.3f} {np.quantile(np.abs(d), 0.95):.3f} {d.mean():+.3f}"
                    for d in found.T
                )
                print(f"{name:8} z = {where:.2f}  ", "   ".join(cells))
    for name, handover in HANDOVERS.items():
        with patch.object(models, "_HANDOVER", handover):
            for row in quality(answers(model, mocks), mocks):
                print(
                    name,
                    {key: round(v, 3) if isinstance(v, float) else v for key, v in row.items()},
                )


if __name__ == "__main__":
    main()
