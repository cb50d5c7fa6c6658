"""The paper's composite populations (Appendix C), as every model answers to them.

    python benchmarks/appendix_c.py

Like the paper's, the SEDs are free of noise, at z = 0, every half Gyr from 0.5 to 14 Gyr; models
that ask for errors are given those of a magnitude. Printed are medians over time and members of
|Δ log age| (dex) and |ΔE(B−V)| (mag); the truth is weighted by light: the mean of log age for
`galaxy`, which predicts that, the log of the mean age for all others. `galaxy` is wanted within
0.2 dex and 0.05 mag.
"""

import numpy as np

from sspexplorer.histories import PAPER_FAMILIES, evolve
from sspexplorer.libraries import load_library
from sspexplorer.models import load_model
from sspexplorer.noise import NoiseModel

LIBRARIES = ("bc03", "popstar")
POINTS = ("paper", "default")
POSTERIORS = ("ssp", "galaxy")
TIMES = np.arange(0.5e9, 14.1e9, 0.5e9)
MAGNITUDES = (16.0, 17.0, 18.0, 19.0, 20.0)


def offsets(model: str, library: str, family: str, magnitude: float = 17.0) -> np.ndarray:
    """Predicted minus true log_age, metallicity and ebv, shape (n, 3)."""
    evolutions = [evolve(load_library(library), m.history, TIMES) for m in PAPER_FAMILIES[family]]
    flux = np.concatenate([e.flux for e in evolutions])
    flux /= np.median(flux, axis=1, keepdims=True)
    age = "log_age" if model == "galaxy" else "log_mean_age"
    truth = np.concatenate([e.truth("light", age) for e in evolutions])
    if model in POINTS:
        return load_model(model).predict(flux) - truth
    error = flux * NoiseModel.default().relative_error(magnitude)
    posterior = load_model(model).model.posterior(flux, error, np.zeros(len(flux)))[0]
    return posterior.quantiles((0.5,))[..., 0] - truth


def main() -> None:
    """Measure and print."""
    asked = [(name, "", {}) for name in POINTS]
    asked += [(n, f", i = {m:.0f}", {"magnitude": m}) for n in POSTERIORS for m in MAGNITUDES]
    places = [(library, family) for library in LIBRARIES for family in PAPER_FAMILIES]
    print(f"{'':16}" + "".join(f"{' '.join(place):>20}" for place in places))
    for name, errors, options in asked:
        cells = []
        for place in places:
            age, _, ebv = np.median(np.abs(offsets(name, *place, **options)), axis=0)
            cells.append(f"{age:.2f} dex {ebv:.3f} mag")
        print(f"{name + errors:16}" + "".join(f"{cell:>20}" for cell in cells))


if __name__ == "__main__":
    main()
