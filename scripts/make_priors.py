"""Draw from the priors of the posterior models, for how far an answer is from its prior.

Run it as ``python scripts/make_priors.py``, a minute. It writes prior.safetensors beside the
weights in data/models/NAME.
"""

from sspexplorer.posterior.prior import N_DRAWS, PriorDraws, prior_of
from sspexplorer.resources import data_path
from sspexplorer.shipped import posterior_names, shipped_card

SEED = 11


def main() -> None:
    """Draw and write."""
    for name in posterior_names():
        drawn = PriorDraws.of(prior_of(shipped_card(name)).draw(N_DRAWS, seed=SEED))
        drawn.save(data_path("models", name))
        print(name, {key: round(value, 3) for key, value in drawn.spread.items()})


if __name__ == "__main__":
    main()
