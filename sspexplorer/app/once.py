"""Answers of slow functions, made once for all who ask."""

import threading
import weakref
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, fields, is_dataclass
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np
import pandas as pd

P = ParamSpec("P")
R = TypeVar("R")

_MOST_BYTES = 500_000_000


class Once(Generic[P, R]):
    """A function whose answers are kept, the ones asked for lately at least.

    Different questions are answered side by side, and what is known waits for none of them. Who
    asks what somebody else is being answered waits for that answer. What failed is tried again.

    An argument that can be hashed is compared by value. Any other, such as a model, is known by
    itself and not kept alive: what was made of it goes with it.

    Parameters
    ----------
    function : callable
        Of positional arguments; may be called in several threads at once.
    most : int
        How many answers are kept.
    most_bytes : int
        How large they may be together, as far as they are arrays and tables. The last one is
        kept in any case.

    Examples
    --------
    >>> square = Once(lambda number: print("working") or number**2)
    >>> square(3), square(3)
    working
    (9, 9)
    """

    def __init__(
        self, function: Callable[P, R], *, most: int = 64, most_bytes: int = _MOST_BYTES
    ) -> None:
        update_wrapper(self, function)
        self._function = function
        self._most, self._most_bytes = most, most_bytes
        # In the order in which they were asked for last.
        self._answers: dict[Hashable, Future[R]] = {}
        self._owners: dict[_Itself, weakref.ref] = {}
        # Held to look something up, never while something is made.
        self._lock = threading.Lock()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Answer, or wait for the answer that somebody else is waiting for."""
        if kwargs:
            raise TypeError("only positional arguments tell which answer is meant")
        key = tuple(map(self._known_by, args))
        with self._lock:
            known = self._answers.pop(key, None)
            answer = self._answers[key] = known or Future()
        if known is None:
            self._make(key, answer, args)
        return answer.result()

    def _make(self, key: Hashable, answer: "Future[R]", args: tuple) -> None:
        try:
            value = self._function(*args)
        except BaseException as error:
            self._answers.pop(key, None)
            answer.set_exception(error)
            return
        answer.set_result(value)
        with self._lock:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        made = [(key, answer) for key, answer in list(self._answers.items()) if answer.done()]
        number = size = 0
        for key, answer in reversed(made):
            number, size = number + 1, size + n_bytes(answer.result())
            if number > 1 and (number > self._most or size > self._most_bytes):
                self._answers.pop(key, None)

    def _known_by(self, argument: Any) -> Hashable:
        try:
            hash(argument)
        except TypeError:
            itself = _Itself(id(argument))
            if itself not in self._owners:
                self._owners[itself] = weakref.ref(argument, lambda dead: self._forget(itself))
            return itself
        return argument

    def _forget(self, owner: "_Itself") -> None:
        # Whoever lets go of the last owner may be anywhere, so no lock is waited for here.
        self._owners.pop(owner, None)
        for key in list(self._answers):
            if owner in key:
                self._answers.pop(key, None)


@dataclass(frozen=True)
class _Itself:
    """An object as a part of a key: equal to itself only, and not kept alive."""

    number: int


def n_bytes(value: Any) -> int:
    """Size of the arrays and tables that something consists of; 0 if there are none."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, pd.DataFrame):
        return int(value.memory_usage(deep=False).sum())
    if isinstance(value, dict):
        return sum(map(n_bytes, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(n_bytes, value))
    if is_dataclass(value):
        return sum(n_bytes(getattr(value, field.name)) for field in fields(value))
    return 0
