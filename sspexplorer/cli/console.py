"""Text for whatever console or pipe there is, also one that knows no Greek."""

import codecs
import io
import json
import sys

from sspexplorer.letters import in_plain_letters

_PLAIN = "sspexplorer.plain"


def _in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return in_plain_letters(error.object[error.start : error.end]), error.end


class _PlainText(io.TextIOWrapper):
    """Text in ASCII, on what says it is UTF-8.

    Typer takes an ASCII console for a mistake of Python's, and writes UTF-8 there.
    """

    def write(self, text: str) -> int:
        return super().write(in_plain_letters(text))


def speak_plainly() -> None:
    """Make standard output and error take any text: letters they lack are put in plain ones.

    ``σ ≤ 5 Å`` is ``sigma <= 5 A`` where there are no such letters.
    """
    codecs.register_error(_PLAIN, _in_plain_letters)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if codecs.lookup(stream.encoding).name == "ascii":
            line_buffering = stream.line_buffering
            plain = _PlainText(stream.detach(), encoding="utf-8", line_buffering=line_buffering)
            setattr(sys, name, plain)
        else:
            stream.reconfigure(errors=_PLAIN)


def say(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr)


def tell(text: str) -> None:
    """Write a line to standard output."""
    print(text)


def print_json(value: object) -> None:
    """Print one JSON object; NaN, which JSON does not know, as null."""
    tell(json.dumps(_without_nan(value)))


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and value != value else value
