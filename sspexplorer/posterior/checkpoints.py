"""How far a training has come, on disk: one that was stopped goes on as if it had not been."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sspexplorer import artifact
from sspexplorer.errors import InputError
from sspexplorer.populations import Populations

POPULATIONS, STATE = "populations.safetensors", "state.pt"
EVERY = 180.0  # s between two states


@dataclass
class Checkpoints:
    """A folder with the populations and the latest state of one training.

    States are written by ``torch.save`` and read with ``weights_only``: reading one runs nothing.

    Attributes
    ----------
    folder : Path
        Made if missing.
    about : dict
        What the training is, as plain numbers and words: a folder goes on with nothing else.
    every : float
        Seconds between two states.
    """

    folder: Path
    about: dict
    every: float = EVERY
    _written: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Make the folder, or find that it is of this training.

        Raises
        ------
        InputError
            If it holds another training, or cannot be written.
        """
        # As it will be read: tuples become lists.
        self.about = json.loads(json.dumps(self.about))
        if (self.folder / artifact.CARD).is_file():
            if artifact.load_card(self.folder) != self.about:
                raise InputError(
                    f"{self.folder} holds the checkpoints of another training: name another folder."
                )
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = artifact.card_text(self.about)
            (self.folder / artifact.CARD).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError(f"Cannot write to {self.folder}: {error.strerror}.") from None

    def populations(self, draw: Callable[[], Populations]) -> Populations:
        """Populations of the training: as they were kept, else drawn and kept.

        Raises
        ------
        InputError
            If the file cannot be read.
        """
        path = self.folder / POPULATIONS
        if path.is_file():
            with artifact.readable(self.folder, "checkpoint"):
                kept = artifact.load_arrays(path)
                library = np.array(self.about["libraries"])[kept.pop("library")]
                return Populations(**kept, names=tuple(self.about["targets"]), library=library)
        drawn = draw()
        names = {name: k for k, name in enumerate(self.about["libraries"])}
        arrays = {name: getattr(drawn, name) for name in ("flux", "targets", "redshift")}
        library = np.array([names[name] for name in drawn.library], dtype=np.uint8)
        artifact.save_arrays(path, arrays | {"library": library})
        return drawn

    def due(self) -> bool:
        """Whether it is time for another state."""
        return time.monotonic() - self._written >= self.every

    def save(self, state: dict[str, Any]) -> None:
        """Put a state in the place of the last one."""
        fresh = self.folder / f"{STATE}.part"
        torch.save(state, fresh)
        os.replace(fresh, self.folder / STATE)
        self._written = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """Read the latest state; None if there is none.

        Raises
        ------
        InputError
            If it cannot be read.
        """
        path = self.folder / STATE
        if not path.is_file():
            return None
        with artifact.readable(self.folder, "checkpoint"):
            return torch.load(path, weights_only=True)
