"""What a link carries of a catalogue that the server has: file, galaxy, axes, colour, selection."""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import param

from sspexplorer.analysis.regions import DIGITS, MAX_CORNERS
from sspexplorer.analysis.sky import SKY
from sspexplorer.app.choices import Zoom
from sspexplorer.app.serving import folder, shares
from sspexplorer.labels import AXIS_LABELS
from sspexplorer.plots.catalogue import FLAG
from sspexplorer.resources import data_path

EXAMPLES = {
    "Example: simulated galaxies": "simulated_galaxies.csv",
    "Example: simulated, to z = 1": "simulated_far_galaxies.csv",
    "Example: three real galaxies": "real_galaxies.csv",
}

# Of what is in sight, under the names that a result has for it.
_OF_A_RESULT = ("across", "up", "colour", "outline", "zoom")


def served_files() -> dict[str, Path]:
    """Catalogues that any visitor may open, by name: the examples, and what the server offers."""
    return folder.offered() | {name: data_path("examples", name) for name in EXAMPLES.values()}


class _Name(param.String):
    """Name of a catalogue; in no link if there is none."""

    @classmethod
    def serialize(cls, value: str) -> str | None:
        """Write for a link."""
        return value or None


class ServedFile(_Name):
    """Name of a catalogue that any visitor may open."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val and val not in served_files():
            raise ValueError(f"There is no catalogue {val!r} here.")


class SharedCatalogue(_Name):
    """Name of a catalogue that a visitor left with the server."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val and not shares.is_token(val):
            raise ValueError("That is no name of a shared catalogue.")


class Outline(param.Parameter):
    """Corners of what is drawn around galaxies, a tuple of pairs; in no link if there is none."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val is None:
            return
        corners = np.array(val, dtype=float)
        if corners.ndim != 2 or corners.shape[1] != 2 or not 3 <= len(corners) <= MAX_CORNERS:
            raise ValueError("An outline has three corners or more, each of two numbers.")
        if not np.isfinite(corners).all():
            raise ValueError("A corner of an outline is not known.")

    @classmethod
    def serialize(cls, value: tuple | None) -> str | None:
        """Write for a link."""
        return value and ",".join(f"{number:.{DIGITS}g}" for corner in value for number in corner)

    @classmethod
    def deserialize(cls, value: str) -> tuple:
        """Read from a link."""
        numbers = [float(number) for number in str(value).split(",")]
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))


class Linked(param.Parameterized):
    """Which catalogue of the server is open, and what of it is in sight."""

    QUERY: ClassVar[dict[str, str]] = {
        "file": "file",
        "shared": "shared",
        "galaxy": "row",
        "across": "across",
        "up": "up",
        "colour": "colour",
        "outline": "around",
        "zoom": "zoom",
    }

    file = ServedFile(default="", doc="Catalogue of the server that is open; none if it is yours.")
    shared = SharedCatalogue(default="", doc="Catalogue that was left with the server.")
    galaxy = param.Integer(default=None, bounds=(1, None), doc="Row in sight, counted from 1.")
    across = param.Selector(
        default=None, objects=[None, *AXIS_LABELS, SKY], doc="Lower axis, or the sky."
    )
    up = param.Selector(default=None, objects=[None, *AXIS_LABELS], doc="Left axis.")
    colour = param.Selector(default=None, objects=[None, *AXIS_LABELS, FLAG], doc="Colour.")
    outline = Outline(default=None, doc="What is drawn around galaxies in the picture.")
    zoom = Zoom(default=None, doc="What is in view of the two axes.")

    @property
    def linked(self) -> dict[str, Any]:
        """What a result begins with, as far as a link says it."""
        row = None if self.galaxy is None else self.galaxy - 1
        said = {name: getattr(self, name) for name in _OF_A_RESULT} | {"row": row}
        return {name: value for name, value in said.items() if value is not None}

    def note(self, row: int, **said: Any) -> None:
        """Have the link carry what is in sight of a catalogue that others can open as well.

        Parameters
        ----------
        row : int
            Galaxy, counted from 0.
        **said
            Axes, colour, outline and zoom.
        """
        if self.file or self.shared:
            self.param.update(galaxy=row + 1, **said)

    def unlink(self) -> None:
        """Have the link carry nothing of a catalogue."""
        self.param.update(file="", shared="", galaxy=None, **dict.fromkeys(_OF_A_RESULT))
