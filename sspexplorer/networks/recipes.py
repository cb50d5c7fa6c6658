"""How networks are trained: the paper's recipe, the same in less time, and ours."""

from dataclasses import dataclass, replace
from typing import Any

from sspexplorer.errors import InputError
from sspexplorer.networks.model import NETWORKS

LOSSES = ("mse", "huber")


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes
    ----------
    name : str
    network : str
        A key of :data:`sspexplorer.networks.model.NETWORKS`.
    epochs, batch_size : int
    learning_rate : float
        Adam's rate; the peak of it if ``one_cycle``.
    one_cycle : bool
        Raise and anneal the rate over the whole training (Smith & Topin 2018) instead of
        keeping it constant.
    loss : {"mse", "huber"}
        Mean squared error; or Huber's loss on standardised labels, for which far outliers pull
        less and the prediction lies nearer the median of the possible answers.
    standardise : bool
        Give inputs and labels zero mean and unit variance.
    dropout : float
        Fraction of hidden units dropped at each step.
    fresh_noise : bool
        Draw the noise of the training mocks anew at every epoch, so that it cannot be learnt.
    snr_power : float
        Weigh each mock by this power of its median signal-to-noise ratio. Without weights the
        large errors of faint mocks rule the training, and bright ones stay short of what their
        noise allows.

    Raises
    ------
    InputError
        If there is no such network or loss, or a number cannot be trained with.
    """

    name: str
    network: str = "base"
    epochs: int = 100
    batch_size: int = 32
    learning_rate: float = 0.002
    one_cycle: bool = False
    loss: str = "mse"
    standardise: bool = False
    dropout: float = 0.0
    fresh_noise: bool = False
    snr_power: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be trained with."""
        if self.network not in NETWORKS:
            raise InputError(
                f"There is no network {self.network!r}; there are {', '.join(NETWORKS)}."
            )
        if self.loss not in LOSSES:
            raise InputError(f"There is no loss {self.loss!r}; there are {', '.join(LOSSES)}.")
        if self.epochs < 1:
            raise InputError(f"Training needs at least one epoch, not {self.epochs}.")
        if self.batch_size < 1:
            raise InputError(f"A batch has at least one mock, not {self.batch_size}.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"Dropout is a fraction, at least 0 and below 1, not {self.dropout}.")
        if not 0 < self.learning_rate < float("inf"):
            raise InputError(f"A learning rate is greater than 0, not {self.learning_rate}.")


RECIPES = {
    # Domínguez Sánchez et al. (2026), Sect. 3.
    "paper": Recipe("paper"),
    # Its network and its mocks; a twelfth of its time. Its loss would do for bright mocks, but
    # the mean that it looks for scatters more about faint truths than what 100 coarse epochs find.
    "paper-fast": Recipe(
        "paper-fast",
        epochs=14,
        batch_size=256,
        learning_rate=0.004,
        one_cycle=True,
        loss="huber",
        standardise=True,
    ),
    "default": Recipe(
        "default",
        epochs=70,
        batch_size=256,
        learning_rate=0.004,
        one_cycle=True,
        loss="huber",
        standardise=True,
        fresh_noise=True,
        snr_power=0.5,
    ),
}


def get_recipe(
    name: str = "default",
    *,
    network: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    dropout: float | None = None,
    learning_rate: float | None = None,
) -> Recipe:
    """Look up a recipe, with something else in the place of what is given.

    Parameters
    ----------
    name : str
        A key of :data:`RECIPES`: ``default``, or ``paper``.
    network : str, optional
        Its layers, a key of :data:`sspexplorer.networks.model.NETWORKS`.
    epochs, batch_size : int, optional
        How often each mock is seen, and how many at a time.
    dropout : float, optional
        Fraction of hidden units that each step leaves out.
    learning_rate : float, optional
        Adam's rate; the peak of it if the recipe anneals it.

    Raises
    ------
    InputError
        If there is no such recipe or network, or a number cannot be trained with.
    """
    if name not in RECIPES:
        raise InputError(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    changes: dict[str, Any] = {
        "network": network,
        "epochs": epochs,
        "batch_size": batch_size,
        "dropout": dropout,
        "learning_rate": learning_rate,
    }
    return replace(RECIPES[name], **{k: v for k, v in changes.items() if v is not None})
