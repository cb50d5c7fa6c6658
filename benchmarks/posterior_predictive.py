"""Whether SEDs of the posterior pass through the bands of real galaxies.

    python benchmarks/posterior_predictive.py CATALOGUE [--floor 0.03]

Parameters are drawn from the posterior of model `galaxy`. Each draw becomes an SED by way of the
prior: of the galaxies of the prior with nearly the same parameters one is drawn, as its likelihood
has it, since the parameters leave the history and the gas open. Printed is the distribution over
galaxies of the median reduced χ² of those SEDs, with free amplitude, and that of the closest of
them. All galaxies are taken as at rest.
"""

import argparse
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from sspexplorer.catalogue import read_catalogue
from sspexplorer.mocks import PARAMETERS
from sspexplorer.models import load_model
from sspexplorer.posterior.one import OneGalaxy
from sspexplorer.posterior.prediction import predict_posterior
from sspexplorer.posterior.prior import prior_of, truths_of
from sspexplorer.posterior.taken import Choices

N_PRIOR = 200_000
N_DRAWS = 200
NEIGHBOURS = 100
QUANTILES = (0.0, 0.16, 0.5, 0.84, 1.0)


def chi_square(galaxy: OneGalaxy, seds: np.ndarray) -> np.ndarray:
    """Reduced χ² of SEDs (n, 57) with their best amplitude; n_bands − 1 degrees of freedom."""
    present = np.isfinite(galaxy.flux)
    flux, sed = galaxy.flux[present], seds[:, present].astype(float)
    weight = galaxy.error[present] ** -2.0
    cross, square = sed @ (weight * flux), np.square(sed) @ weight
    return ((weight * flux**2).sum() - cross**2 / square) / (present.sum() - 1)


def predictive(
    galaxy: OneGalaxy, theta: np.ndarray, spread: np.ndarray, tree: cKDTree, seds: np.ndarray
) -> np.ndarray:
    """Reduced χ² of one SED for each draw of the parameters, shape (n_draws,)."""
    rng = np.random.default_rng(0)
    _, near = tree.query(theta / spread, NEIGHBOURS)
    chi2 = chi_square(galaxy, seds[near.ravel()]).reshape(near.shape)
    dof = np.isfinite(galaxy.flux).sum() - 1
    weight = np.exp(-(chi2 - chi2.min(axis=1, keepdims=True)) * dof / 2)
    chosen = weight.cumsum(axis=1) > rng.uniform(size=(len(chi2), 1)) * weight.sum(1)[:, None]
    return np.take_along_axis(chi2, chosen.argmax(axis=1)[:, None], axis=1)[:, 0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("catalogue")
    parser.add_argument("--floor", type=float, default=0.03)
    options = parser.parse_args()
    estimator, choices = load_model("galaxy"), Choices(options.floor, "rest")
    catalogue = read_catalogue(options.catalogue)
    table = predict_posterior(estimator, catalogue.flux, catalogue.flux_err, choices=choices)
    prior = replace(prior_of(estimator.card), max_redshift=0.0).draw(N_PRIOR, seed=1)
    targets = prior.values(truths_of(estimator.card))
    found = []
    for row in np.flatnonzero(table["pred_log_age"].notna()):
        flux, error = catalogue.flux[row], catalogue.flux_err[row]
        aside = table["pred_set_aside"].iloc[row]
        galaxy = OneGalaxy.of_row(flux, error, 0.0, np.nan, aside, choices)
        theta = galaxy.draws(estimator, N_DRAWS)[list(PARAMETERS)].to_numpy()
        spread = theta.std(axis=0)
        found.append(predictive(galaxy, theta, spread, cKDTree(targets / spread), prior.flux))
    chi2 = np.array(found)
    print(f"{len(chi2)} galaxies; quantiles {QUANTILES} over them")
    for name, values in (("median", np.median(chi2, axis=1)), ("closest", chi2.min(axis=1))):
        words = " ".join(f"{v:.2f}" for v in np.quantile(values, QUANTILES))
        print(f"reduced χ², {name} of {N_DRAWS} draws: {words}")


if __name__ == "__main__":
    main()
