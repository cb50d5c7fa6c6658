"""Passwords that visitors have to know, and the page that asks for them."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from sspexplorer.errors import InputError

# Who has a password that is for all.
VISITOR = "visitor"

# What `panel serve` takes notice of, and this server does not.
_NOT_OURS = ("PANEL_OAUTH_PROVIDER", "PANEL_BASIC_AUTH")

_NAMELESS = f'<input name="username" type="hidden" value="{VISITOR}">'
_NAMED = '<label>Name <input name="username" autocomplete="username" required></label>'


def read_passwords(path: Path) -> dict[str, str]:
    """Read a password that is for all, or, from ``FILE.json``, those of users by name.

    Raises
    ------
    InputError
        If there is none in the file.
    """
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise InputError(f"{path} cannot be read: {reason}.") from None
    found = _users(text, path) if path.suffix == ".json" else {VISITOR: text}
    if not found or not all(found.values()):
        raise InputError(f"{path} has no password in it, or not for everyone.")
    return found


def _users(text: str, path: Path) -> dict[str, str]:
    try:
        users = json.loads(text)
    except ValueError:
        users = None
    if not isinstance(users, dict) or not all(isinstance(word, str) for word in users.values()):
        raise InputError(f'{path} is not of the form {{"user": "password", …}}.')
    return users


def refuse_other_doors() -> None:
    """Refuse to serve where somebody may think that strangers are kept out, and they are not.

    Raises
    ------
    InputError
        If the environment asks for a login of Panel's.
    """
    for name in _NOT_OURS:
        if os.environ.get(name):
            raise InputError(
                f"{name} is set, but serve would let everybody in all the same: take "
                "--password-file, or a proxy that knows who visitors are, and unset it."
            )


def login_page(passwords: Mapping[str, str]) -> str:
    """HTML of the page that asks for a password, and for a name unless one is for all."""
    text = Path(__file__).with_name("login.html").read_text(encoding="utf-8")
    return text.replace("<!-- name -->", _NAMELESS if set(passwords) == {VISITOR} else _NAMED)
