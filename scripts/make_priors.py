"""Draw from the priors of the posterior models, for how far an answer is from its prior.

Run it as ``python scripts/make_priors.py``, a minute. It writes prior.safetensors beside the
weights in data/models/NAME.
"""

from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.prior import N_DRAWS, PriorDraws
from sspexplorer.resources import data_path
from sspexplorer.shipped import posterior_names

SEED = 11
PRIORS = {"ssp": SSPPrior, "galaxy": GalaxyPrior}


def main() -> None:
    """Draw and write."""
    for name in posterior_names():
        drawn = PriorDraws.of(PRIORS[name]().draw(N_DRAWS, seed=SEED))
        drawn.save(data_path("models", name))
        print(name, {key: round(value, 3) for key, value in drawn.spread.items()})


if __name__ == "__main__":
    main()
