"""How fast whole tables are predicted, against the network alone and another version of the code.

    python benchmarks/prediction.py [--rows N] [--model galaxy|ssp] [--other CHECKOUT]

Mocks that the training did not see, of i = 16.5 to 22 with their redshifts, are predicted with all
columns, p-values and flags. Printed are CPU times on one thread, a row: of the network's passes,
once with the redshift and once without, and of the whole. With another checkout of the repository
both versions take turns in processes of their own; printed is also how many times as many rows
this one answers, and how far its answers are from the other's and from the exact computation:
quantiles by halving and moments by quadrature, in 64 bits. The median of three turns is taken.

The last lines are the SED fit beside its matrix product.
"""

import argparse
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

TURNS = 3


def cpu(task: Callable[[], object]) -> float:
    """CPU time of a task in seconds."""
    begun = time.process_time()
    task()
    return time.process_time() - begun


def turn(model: str, mocks: Path, out: Path) -> None:
    """Predict and fit the mocks with the code that is found, and keep answers and times."""
    import numpy as np
    import torch

    from sspexplorer.models import load_model, predict_rows
    from sspexplorer.posterior.model import encode_catalogue
    from sspexplorer.sedfit import fit, make_grid

    torch.set_num_threads(1)
    with mocks.open("rb") as file:
        flux, error, redshift = pickle.load(file)
    estimator, n = load_model(model), len(flux)
    unknown, reach = np.full(n, np.nan), estimator.model.reach
    inputs = encode_catalogue(flux, error, redshift, unknown, reach).split(2048)
    blind = encode_catalogue(flux, error, unknown, unknown, reach).split(2048)

    def passes() -> None:
        with torch.inference_mode():
            for part in (*inputs, *blind):
                estimator.model.network(part)

    found = {}

    def whole() -> None:
        found["table"] = predict_rows(estimator, flux, error, redshift).table

    few = n // 10
    grid = make_grid()

    def fitted() -> None:
        found["fit"] = fit(grid, flux[:few], error[:few], floor=0.02)

    weight, squares = 1 / np.square(error[:few]), grid.flux**2
    weighted = weight * flux[:few]

    def product() -> None:
        for start in range(0, few, 256):
            rows = slice(start, start + 256)
            weighted[rows] @ grid.flux.T, weight[rows] @ squares.T

    predict_rows(estimator, flux[:256], error[:256], redshift[:256])
    passes()
    times = {"passes": cpu(passes) / n, "whole": cpu(whole) / n, "passes again": cpu(passes) / n}
    times |= {"product": cpu(product) / few, "fit": cpu(fitted) / few, "models": len(grid)}
    with out.open("wb") as file:
        pickle.dump((times, found), file)


def exact(model: str, mocks: tuple) -> dict:
    """Quantiles and moments of age, metallicity and dust without haste, of some rows."""
    import numpy as np
    from scipy.special import ndtr

    from sspexplorer.models import load_model
    from sspexplorer.posterior.density import Mixture

    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()

    def spread_out(mixture: Mixture) -> tuple[np.ndarray, np.ndarray]:
        return mixture.means.astype(float), np.sqrt(
            np.square(mixture.factors.astype(float)).sum(-1)
        )

    found = {}
    for mixture in load_model(model).model.posterior(*mocks)[:1]:
        means, spreads = spread_out(mixture)
        share = mixture.weights.astype(float)
        points = ndtr(means[..., None] + spreads[..., None] * nodes) @ weights
        squares = ndtr(means[..., None] + spreads[..., None] * nodes) ** 2 @ weights
        low, high = np.array(mixture.bounds.low), np.array(mixture.bounds.high)
        first = np.einsum("nk,nki->ni", share, points)
        second = np.einsum("nk,nki->ni", share, squares)
        for k, name in enumerate(mixture.bounds.names):
            scale = high[k] - low[k]
            found[f"pred_{name}"] = low[k] + scale * first[:, k]
            found[f"pred_{name}_err"] = scale * np.sqrt(second[:, k] - first[:, k] ** 2)
        for label, level in {"p16": 0.16, "p50": 0.5, "p84": 0.84}.items():
            below, above = np.full((2, *first.shape), -8.0)
            above += 16
            for _ in range(50):
                middle = (below + above) / 2
                reached = np.einsum("nk,nki->ni", share, ndtr((middle[:, None] - means) / spreads))
                above = np.where(reached > level, middle, above)
                below = np.where(reached > level, below, middle)
            values = mixture.bounds.from_normal(middle)
            for k, name in enumerate(mixture.bounds.names):
                found[f"pred_{name}_{label}"] = values[:, k]
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--model", default="galaxy")
    parser.add_argument("--other", type=Path, help="another checkout of the repository")
    parser.add_argument("--turn", nargs=2, type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        turn(options.model, *options.turn)
        return

    import numpy as np

    from sspexplorer.models import load_model
    from sspexplorer.noise import NoiseModel
    from sspexplorer.posterior.prior import prior_of

    drawn = prior_of(load_model(options.model).card).draw(options.rows, seed=12345, held_out=True)
    rng = np.random.default_rng(5)
    magnitude = rng.uniform(16.5, 22.0, options.rows)
    flux, error = NoiseModel.default().add(drawn.flux.astype(float), magnitude, rng)
    redshift = drawn.redshift.astype(float)

    here = Path(__file__).resolve().parents[1]
    checkouts = {"this": here} | ({"other": options.other} if options.other else {})
    times: dict[str, list] = {name: [] for name in checkouts}
    answers = {}
    with tempfile.TemporaryDirectory() as folder:
        mocks = Path(folder) / "mocks"
        mocks.write_bytes(pickle.dumps((flux, error, redshift)))
        for _ in range(TURNS):
            for name, checkout in checkouts.items():
                out = Path(folder) / name
                command = [sys.executable, __file__, "--model", options.model]
                paths = {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
                subprocess.run(
                    [*command, "--turn", str(mocks), str(out)],
                    check=True,
                    cwd=checkout,
                    env=os.environ | paths,
                )
                measured, answers[name] = pickle.loads(out.read_bytes())
                times[name].append(measured)

    def typical(name: str, of: Callable[[dict], float]) -> float:
        return median(of(one) for one in times[name])

    for name in checkouts:
        passes, whole = (
            typical(name, lambda t: (t["passes"] + t["passes again"]) / 2),
            typical(name, lambda t: t["whole"]),
        )
        ratio = typical(name, lambda t: 2 * t["whole"] / (t["passes"] + t["passes again"]))
        print(
            f"{name}: two passes {1e6 * passes:.0f} µs, whole {1e6 * whole:.0f} µs a row: "
            f"{ratio:.2f} times its passes"
        )
        ratio = typical(name, lambda t: t["fit"] / t["product"])
        print(
            f"{name}: SED fit of {times[name][0]['models']} models {ratio:.2f} times its product, "
            f"{1e6 * typical(name, lambda t: t['fit']):.0f} µs a row"
        )
    some = slice(0, 4000)
    table = answers["this"]["table"][some]
    if options.other:
        pairs = list(zip(times["other"], times["this"], strict=True))
        for what in ("whole", "fit"):
            print(f"{what}: {median(a[what] / b[what] for a, b in pairs):.1f} times as many rows")
        other = answers["other"]["table"][some]
        for column in ("pred_set_aside", "pred_n_bands", "pred_flag"):
            print(f"{column} differs in {(table[column] != other[column]).mean():.2%} of rows")
        for limit in (0.01, 0.02):
            low = [t["pred_p_value"] < limit for t in (table, other)]
            print(f"p < {limit}: {low[0].mean():.2%} and {low[1].mean():.2%} of rows")
    # Of rows with all their bands: what is set aside is another question.
    whole_rows = (table["pred_set_aside"] == "").to_numpy()
    from sspexplorer.posterior.taken import prepared

    used = prepared(flux[some], error[some], 0.02)[0][whole_rows]
    truth = exact(options.model, (flux[some][whole_rows], used, redshift[some][whole_rows]))
    for column, values in truth.items():
        off = np.quantile(np.abs(table[column].to_numpy()[whole_rows] - values), 0.999)
        print(f"{column}: {off:.1e} from the exact computation (99.9th percentile)")


if __name__ == "__main__":
    main()
