"""Catalogues that visitors leave with the server for a while, each behind a name nobody guesses.

A share is a folder of its own: the file as it was uploaded and, in ``about.json``, what its owner
calls it, how it was read and until when it is there. What is past that is gone the next time
anybody shares or opens one.
"""

import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sspexplorer.errors import InputError
from sspexplorer.jobs.limits import Limits
from sspexplorer.resources import user_path

# What an administrator sets: for how many days, 0 where nothing may be left.
DAYS = "SSPEXPLORER_SHARE_DAYS"
_DAYS, _MOST_DAYS = 7.0, 366.0
# All shares together, in uploads of the largest size.
_ROOM = 10
_DAY = 86_400
_TOKEN = re.compile(r"[\w-]{22}", re.ASCII)
_FILE, _ABOUT = "catalogue", "about.json"
_BEGUN = "begun-"  # of a folder that is not yet a share
_GONE = "This link has expired, or was taken back: ask whoever sent it for another."


@dataclass(frozen=True)
class Share:
    """A catalogue that was left.

    Attributes
    ----------
    path : Path
        The file as it came.
    name : str
        What its owner calls it.
    reading : mapping
        How it was read, as :meth:`~sspexplorer.app.apply.reading.Reading.to_dict` says it.
    until : float
        When it goes, in seconds since 1970.
    """

    path: Path
    name: str
    reading: Mapping[str, Any]
    until: float


def days() -> float:
    """For how long a catalogue is kept; 0 where none is.

    Raises
    ------
    InputError
        If the setting is no such number.
    """
    return _as_days(os.environ.get(DAYS, "") or f"{_DAYS:g}")


def set_days(value: float) -> None:
    """Leave the number of days where all processes of this server find it.

    Raises
    ------
    InputError
        If it is no such number.
    """
    _as_days(f"{value:g}")
    os.environ[DAYS] = f"{value:g}"


def _as_days(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= _MOST_DAYS:
        raise InputError(f"{DAYS} must be a number from 0 to {_MOST_DAYS:g}, but is {text!r}.")
    return value


def is_token(text: str) -> bool:
    """Whether a text could be the name of a share."""
    return bool(_TOKEN.fullmatch(text))


def keep(source: Path, name: str, reading: Mapping[str, Any]) -> str:
    """Leave a copy of a file with the server, and answer with the share's name.

    Raises
    ------
    InputError
        If nothing may be left, there is no room, or it cannot be written.
    """
    kept_for = days()
    if not kept_for:
        raise InputError("This server keeps no catalogues.")
    folder = _folder()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        taken = sum(path.stat().st_size for path in _cleared(folder))
        if taken + source.stat().st_size > _ROOM * Limits.from_environment().upload:
            raise InputError("This server has no room for another shared catalogue now.")
        begun = Path(tempfile.mkdtemp(prefix=_BEGUN, dir=folder))
        try:
            shutil.copyfile(source, begun / _FILE)
            until = time.time() + kept_for * _DAY
            about = {"name": name, "reading": dict(reading), "until": until}
            (begun / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
            token = secrets.token_urlsafe(16)
            begun.rename(folder / token)
        except BaseException:
            shutil.rmtree(begun, ignore_errors=True)
            raise
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"The server cannot keep the catalogue: {reason}.") from None
    return token


def find(token: str) -> Share:
    """Look up a share.

    Raises
    ------
    InputError
        If it is not there, or no longer.
    """
    if not is_token(token):
        raise InputError(_GONE)
    folder = _folder()
    with suppress(OSError):
        _cleared(folder)
    try:
        about = _about(folder / token)
    except (OSError, ValueError, KeyError):
        raise InputError(_GONE) from None
    return Share(folder / token / _FILE, about["name"], about["reading"], about["until"])


def forget(token: str) -> None:
    """Take a share back; nothing happens if it is gone already."""
    if is_token(token):
        shutil.rmtree(_folder() / token, ignore_errors=True)


def _folder() -> Path:
    return user_path("shared")


def _about(share: Path) -> dict[str, Any]:
    about = json.loads((share / _ABOUT).read_text(encoding="utf-8"))
    return {"name": str(about["name"]), "reading": about["reading"], "until": float(about["until"])}


def _cleared(folder: Path) -> list[Path]:
    """Files of the shares that are still good; the others are removed."""
    return list(_good(folder)) if folder.is_dir() else []


def _good(folder: Path) -> Iterator[Path]:
    now = time.time()
    for share in folder.iterdir():
        if share.name.startswith(_BEGUN):
            # Of a process that was killed; one that is being written is younger.
            over = share.stat().st_mtime < now - _DAY
        else:
            try:
                over = _about(share)["until"] < now
            except (OSError, ValueError, KeyError):
                over = True
        if over:
            shutil.rmtree(share, ignore_errors=True)
        elif (file := share / _FILE).is_file():
            yield file
