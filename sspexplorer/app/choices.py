"""Choices that a link can carry: their types, how a link is read, and how it is written."""

import json
import math
from collections.abc import Mapping
from typing import Any

import param
from panel.util import parse_query

from sspexplorer.app import cache
from sspexplorer.libraries import whole_library_names
from sspexplorer.plots import view

# What may answer on a page: a model with error bars, or the session's network, which has none.
NETWORK = "network"
ANSWERED_BY = ("galaxy", "ssp", NETWORK)


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


class OptionalList(CommaList):
    """A list of choices as :class:`CommaList`, but it may be empty."""

    def _validate(self, val: Any) -> None:
        param.ListSelector._validate(self, val)


class ModelName(param.String):
    """Name of a model that is shipped, or was trained and kept."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val != self.default and not cache.knows_model(val):
            raise ValueError(cache.gone(val))


class LibraryName(param.String):
    """Name of a library that covers all bands, shipped or added."""

    def _validate(self, val: Any) -> None:
        super()._validate(val)
        if val not in whole_library_names():
            raise ValueError(f"There is no library {val!r}.")


class Zoom(param.Parameter):
    """What is in view of the axes of pictures; ``8.1..10.2,`` in a link, if of y it is all."""

    def _validate(self, val: view.Zoom) -> None:
        super()._validate(val)
        for ends in val or ():
            if ends is None:
                continue
            low, high = ends
            if not -math.inf < low < high < math.inf:
                raise ValueError("An axis goes from one number to a larger one.")

    @classmethod
    def serialize(cls, value: view.Zoom) -> str | None:
        """Write for a link; None if all is in view."""
        return value and ",".join("..".join(f"{end:.12g}" for end in ends or ()) for ends in value)

    @classmethod
    def deserialize(cls, value: str) -> view.Zoom:
        """Read from a link."""
        axes = [ends.split("..") if ends else None for ends in str(value).split(",")]
        return tuple(ends and tuple(map(float, ends)) for ends in axes)


def accept(target: param.Parameterized, values: Mapping[str, Any]) -> None:
    """Set of ``values`` what is valid; a link that was mistyped is no reason to fail."""
    # All at once for those who watch, so that a page asks once for all of them.
    with param.parameterized.batch_call_watchers(target):
        for name, value in values.items():
            try:
                setattr(target, name, value)
            except (TypeError, ValueError):
                continue


def read_query(target: param.Parameterized, names: Mapping[str, str], query: str) -> dict[str, Any]:
    """Values for parameters in the query of an address, not yet known to be valid.

    Parameters
    ----------
    target : Parameterized
    names : mapping
        Its parameters, and their names in a link.
    query : str
        Such as ``?i=18.5&libraries=bc03``.
    """
    found = parse_query(query)
    values = {}
    for name, in_link in names.items():
        if in_link in found:
            try:
                values[name] = target.param[name].deserialize(found[in_link])
            except (TypeError, ValueError):
                continue
    return values


def write_query(target: param.Parameterized, names: Mapping[str, str]) -> dict[str, str]:
    """Parameters under their names in a link, as text; those that are None are left out."""
    values = {
        in_link: target.param[name].serialize(getattr(target, name))
        for name, in_link in names.items()
    }
    return {
        in_link: value if isinstance(value, str) else json.dumps(value)
        for in_link, value in values.items()
        if value is not None
    }
