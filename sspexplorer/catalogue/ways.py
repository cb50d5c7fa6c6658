"""How to choose otherwise, in the words of whoever reads: of Python, a command line or a page.

Sentences name an argument as Python does, ``unit='flambda'``, or, without a value, ``the argument
columns``. The command line and the pages put them in their own words just before they are shown.
"""

import ast
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

from sspexplorer.catalogue.units import UNITS


@dataclass(frozen=True)
class Way:
    """One choice: its option on the command line, and the label of its control on pages."""

    option: str
    control: str


WAYS = {
    "unit": Way("--unit", "Unit of the bands"),
    "photometry": Way("--photometry", "Photometry"),
    "columns": Way("--columns", "Columns of each band"),
    "galactic": Way("--ebv-galactic", "E(B−V) of the Milky Way"),
    "redshift": Way("--redshift", "Redshifts"),
    "zero_points": Way("--zero-points", "Zero points"),
    "login": Way("--user", "User, if the service asks"),
    "schema": Way("--schema", "Service"),
}

_VALUE = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_NAMED = "|".join(WAYS)
_SAID = re.compile(
    rf"\b(?P<say>say )?(?:the argument (?P<bare>{_NAMED})\b|"
    rf"(?P<name>{_NAMED})=(?P<first>{_VALUE})(?P<more>(?:(?:, | or )(?P=name)={_VALUE})*))"
)


def way(argument: str, *values: str) -> str:
    """Words for an argument of :func:`~sspexplorer.catalogue.read_catalogue` and its values.

    >>> way("unit", "fnu", "flambda")
    "unit='fnu' or unit='flambda'"
    """
    if not values:
        return f"the argument {argument}"
    return listed([f"{argument}={value!r}" for value in values])


def for_command_line(sentence: str) -> str:
    """Put the arguments in a sentence as options of the command line.

    >>> for_command_line("If that is wrong, say unit='flambda'.")
    'If that is wrong, say --unit flambda.'
    """

    def options(argument: str, values: list[str]) -> str:
        option = WAYS[argument].option
        return listed([f"{option} {shlex.quote(value)}" for value in values]) or option

    return _put(sentence, options, "say ")


def for_page(sentence: str) -> str:
    """Put the arguments in a sentence as controls of a page.

    >>> for_page("If that is wrong, say unit='flambda'.")
    'If that is wrong, choose “F_λ” under “Unit of the bands”.'
    """

    def controls(argument: str, values: list[str]) -> str:
        control = f"“{WAYS[argument].control}”"
        shown = listed([f"“{UNITS.get(v, v) if argument == 'unit' else v}”" for v in values])
        return f"{shown} under {control}" if shown else control

    return _put(sentence, controls, "choose ")


def listed(words: list[str]) -> str:
    """Words with commas between, and "or" before the last; "" for none."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _put(sentence: str, words: Callable[[str, list[str]], str], verb: str) -> str:
    def replaced(found: re.Match) -> str:
        said = re.findall(
            rf"={_VALUE}", f"={found['first']}{found['more']}" if found["name"] else ""
        )
        values = [ast.literal_eval(text[1:]) for text in said]
        return (verb if found["say"] else "") + words(found["bare"] or found["name"], values)

    return _SAID.sub(replaced, sentence)
