"""What the pages of one session share: the model, the libraries, the magnitude and the theme."""

from typing import Any

import numpy as np
import param

from sspexplorer.app import cache
from sspexplorer.catalogue import Catalogue
from sspexplorer.libraries import LIBRARY_NAMES, library_names
from sspexplorer.noise import NoiseModel

MAGNITUDE_RANGE = (16.0, 22.0)

# What a link carries, and under which name. The page is left to the history of the browser.
QUERY = {"page": "page", "model": "model", "libraries": "libraries", "magnitude": "i"}


class CommaList(param.ListSelector):
    """A list of choices, never empty, in the order of the choices; ``a,b`` in a link."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if not val:
            raise ValueError(f"{self.name} needs at least one choice.")

    @classmethod
    def serialize(cls, value: list[str]) -> str:
        """Write for a link."""
        return ",".join(value)

    @classmethod
    def deserialize(cls, value: str) -> list[str]:
        """Read from a link."""
        return [name for name in str(value).split(",") if name]


class ModelName(param.String):
    """Name of a model that is shipped, or was trained and kept."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val != self.default and not cache.knows_model(val):
            raise ValueError(f"There is no model {val!r}.")


class LibraryName(param.String):
    """Name of a library that is shipped, or was added."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val not in library_names():
            raise ValueError(f"There is no library {val!r}.")


class SharedState(param.Parameterized):
    """Choices shared by all pages of one session.

    A page gets its own copy: it follows the session's while the page is in sight and catches up
    when it comes back, so a hidden page costs nothing. Setting a parameter of the copy sets it
    for the session.
    """

    page = param.String(default="", doc="Key of the page in sight; set it to go to another page.")
    model = ModelName(default="default", doc="Name of the network in use.")
    kept = param.List(default=[], item_type=str, doc="Names of the networks trained here and kept.")
    libraries = CommaList(
        default=list(LIBRARY_NAMES), objects=list(LIBRARY_NAMES), doc="Libraries in use."
    )
    magnitude = param.Number(
        default=20.0, bounds=MAGNITUDE_RANGE, step=0.1, doc="i magnitude (AB) of the noise."
    )
    dark = param.Boolean(
        default=False, doc="Whether the page is dark; plots are re-themed for you."
    )
    catalogue = param.ClassSelector(
        class_=Catalogue, default=None, doc="Catalogue that was opened last; None without one."
    )
    incoming = param.Parameter(
        default=None, doc="File that one page hands to the page of catalogues; None without one."
    )
    noise = param.ClassSelector(
        class_=NoiseModel, default=None, doc="Noise measured by the visitor; None for the default."
    )

    def __init__(self, libraries: list[str] | None = None, **params: Any) -> None:
        super().__init__(**params)
        # Those that were added since the server was started are choices, too.
        self.param.libraries.objects = list(library_names())
        if libraries is not None:
            self.libraries = libraries

    @property
    def library_choices(self) -> list[str]:
        """Names of all libraries that there were when the session began."""
        return list(self.param.libraries.objects)

    @property
    def noise_model(self) -> NoiseModel:
        """Noise in use."""
        return self.noise or NoiseModel.default()

    @property
    def typical_snr(self) -> float:
        """Median signal-to-noise ratio of the narrow bands at this magnitude."""
        return float(self.noise_model.typical_snr(np.float64(self.magnitude)))

    def follower(self) -> "SharedState":
        """Make a copy whose changes are passed on to this one; see :meth:`bring_up_to_date`."""
        values = self._values()
        copy = SharedState(**values | {"libraries": None})
        copy.param.libraries.objects = self.library_choices
        copy.libraries = values["libraries"]

        def pass_on(*events: param.parameterized.Event) -> None:
            self.param.update(**{event.name: event.new for event in events})

        copy.param.watch(pass_on, list(self._values()))
        return copy

    def bring_up_to_date(self, copy: "SharedState") -> None:
        """Give a copy the present values, in one step."""
        # What is the same already is left alone: setting it would have the page redrawn.
        changed = {k: v for k, v in self._values().items() if not _same(v, getattr(copy, k))}
        copy.param.update(**changed)

    def _values(self) -> dict[str, Any]:
        return {name: value for name, value in self.param.values().items() if name != "name"}


def accept(target: param.Parameterized, values: dict[str, Any]) -> None:
    """Set of ``values`` what is valid; a link that was mistyped is no reason to fail."""
    for name, value in values.items():
        try:
            target.param.update(**{name: value})
        except (TypeError, ValueError):
            continue


def _same(one: Any, other: Any) -> bool:
    plain = isinstance(one, str | float | bool | list)
    return one is other or (plain and one == other)
