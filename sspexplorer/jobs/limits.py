"""How much one visitor's file may take of the server, as the environment says."""

import os
from dataclasses import dataclass, replace

from sspexplorer.bounds import STRICT, Bounds
from sspexplorer.errors import InputError

# What an administrator sets, and what it is by default.
MEMORY, SECONDS, UPLOAD = "SSPEXPLORER_MEMORY", "SSPEXPLORER_SECONDS", "SSPEXPLORER_UPLOAD"


@dataclass(frozen=True)
class Limits:
    """Limits of the process that reads a file.

    Attributes
    ----------
    memory : int
        Bytes it may take beyond what it starts with.
    seconds : float
        From the beginning to the end.
    upload : int
        Bytes of a file that a browser sends.
    bounds : Bounds
        Of the table in it.
    """

    memory: int = 2 << 30
    seconds: float = 60.0
    upload: int = 1000 * 10**6
    bounds: Bounds = STRICT

    @classmethod
    def from_environment(cls) -> "Limits":
        """Limits that the server was started with.

        Raises
        ------
        InputError
            If one is no positive number.
        """
        limits = cls()
        memory = int(_number(MEMORY, limits.memory / (1 << 20)) * (1 << 20))
        return replace(
            limits,
            memory=memory,
            seconds=_number(SECONDS, limits.seconds),
            upload=int(_number(UPLOAD, limits.upload / 10**6) * 10**6),
            bounds=replace(limits.bounds, expanded=memory),
        )


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        value = 0.0
    if not 0 < value < 1e12:
        raise InputError(f"{name} must be a positive number, but is {text!r}.")
    return value
