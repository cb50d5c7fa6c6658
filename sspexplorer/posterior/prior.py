"""What a posterior model holds to be likely before it has seen a galaxy."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from sspexplorer import artifact
from sspexplorer.galaxies import GalaxyPrior
from sspexplorer.populations import Populations, SSPPrior

FILE = "prior.safetensors"
N_DRAWS = 8192  # the standard deviations are good to 1 %


def prior_of(card: dict) -> SSPPrior | GalaxyPrior:
    """Prior that a model was trained on, by its card."""
    told = card["prior"]
    return SSPPrior.from_dict(told) if told["kind"] == "ssp" else GalaxyPrior.from_dict(told)


def truths_of(card: dict) -> tuple[str, ...]:
    """Names of the true parameters that the first group of a model's card predicts.

    Where a model of galaxies does not tell ⟨log t⟩ and log⟨t⟩ apart, its ``log_age`` is log⟨t⟩.
    """
    first, *others = card["groups"]
    told = {name for group in others for name in group}
    whole = card["prior"]["kind"] == "ssp" or "log_mean_age" in told
    return tuple(n if whole or n != "log_age" else "log_mean_age" for n in first)


@dataclass(frozen=True, eq=False)
class PriorDraws:
    """Draws from the prior of a model.

    Attributes
    ----------
    values : dict of str to ndarray, shape (n,)
        By parameter: ``log_age`` (log10 yr), ``metallicity`` (dex), ``ebv`` (mag) and, of
        composite populations, those of the card's other groups.
    """

    values: dict[str, np.ndarray]

    @classmethod
    def of(cls, populations: Populations) -> "PriorDraws":
        """Keep the parameters of populations that were drawn from the prior."""
        columns = populations.targets.T.astype(np.float32)
        return cls(dict(zip(populations.names, columns, strict=True)))

    @cached_property
    def spread(self) -> dict[str, float]:
        """Standard deviation of each parameter where it is known, in its unit."""
        return {name: float(np.nanstd(v, dtype=float)) for name, v in self.values.items()}

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row for each draw, with ``weight`` 1; not to be changed."""
        return pd.DataFrame(self.values).assign(weight=1.0)

    def shrinkage(self, name: str, spread: np.ndarray) -> np.ndarray:
        """Part of the prior's variance that the data have done away with.

        s = 1 − (σ_posterior / σ_prior)², the posterior shrinkage of Schad, Betancourt & Vasishth
        (2021, Psychological Methods 26, 103): 1 where the data say all, 0 where the answer is the
        prior, below 0 where it is wider than that. Over galaxies drawn from the prior its mean is
        the slope of a calibrated posterior's means against the truths, by the law of total
        variance: 1 − s is how far answers are drawn toward the middle of the prior.

        Parameters
        ----------
        name : str
            A parameter.
        spread : ndarray, shape (n,)
            Standard deviations of its posteriors.
        """
        return 1 - np.square(spread / self.spread[name])

    def save(self, folder: Path) -> None:
        """Write into the folder of a model."""
        artifact.save_arrays(folder / FILE, self.values)

    @classmethod
    def load(cls, folder: Path) -> "PriorDraws":
        """Read what :meth:`save` wrote.

        Raises
        ------
        InputError
            If the folder has no such file that can be read.
        """
        with artifact.readable(folder, "model with error bars"):
            return cls(artifact.load_arrays(folder / FILE))
