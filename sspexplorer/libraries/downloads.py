"""Downloads that go on where they stopped.

``pooch`` names, checks and moves files; what it does not do is resume. :class:`Resuming` does: it
keeps what has come in a file beside the one to be, and asks the server for the rest of it.
"""

import logging
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pooch
import requests

from sspexplorer.errors import InputError
from sspexplorer.progress import NO_PROGRESS, Progress

CONNECT_SECONDS, STALL_SECONDS = 15.0, 60.0
# A line that breaks is taken up again, but not for ever.
_ATTEMPTS = 8
_CHUNK = 1 << 15  # bytes; fewer than these are lost where a line breaks

_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_PAGE = re.compile(rb"\s*<(!doctype html|html|head|body)", re.IGNORECASE)


@dataclass(frozen=True)
class Resuming:
    """A downloader for ``pooch`` that resumes.

    Attributes
    ----------
    part : Path
        File that holds what has come so far. It is kept when the download stops, for the next.
    progress : Progress
        Told, and asked whether to go on, after each piece.
    stall_seconds : float
        How long to wait for the next piece.
    session : requests.Session, optional
        To ask through; it may be logged in.
    markup : bool
        Whether XML is what is wanted. Otherwise it is taken for a page that says what is wrong.
    kept : bool
        Whether ``part`` is still there for the next time.
    largest : int, optional
        Bytes that the file may have at most.
    fruitless : int
        How often in all the line may break before anything has come over it.
    """

    part: Path
    progress: Progress = NO_PROGRESS
    stall_seconds: float = STALL_SECONDS
    session: requests.Session | None = None
    markup: bool = False
    kept: bool = True
    largest: int | None = None
    fruitless: int = 0

    def __call__(self, url: str, output_file: str | Path, pooch: object = None) -> None:
        """Download ``url`` and move it to ``output_file``, as ``pooch`` asks for.

        Raises
        ------
        InputError
            If the file cannot be had, or is a web page.
        Cancelled
            If ``progress`` said so.
        """
        try:
            self._fetch(url)
            shutil.move(self.part, output_file)
        except requests.RequestException as error:
            raise InputError(f"{url} cannot be downloaded: {_reason(error)}.") from None
        except OSError as error:
            raise InputError(
                f"Cannot write {self.part}: {error.strerror or error}; what has come is kept."
            ) from None
        self._mark.unlink(missing_ok=True)

    @property
    def _mark(self) -> Path:
        """File with what the server said identifies the version that ``part`` is of."""
        return self.part.with_name(f"{self.part.name}.version")

    def _fetch(self, url: str) -> None:
        fruitless = 0
        for _ in range(_ATTEMPTS):
            before = self._arrived()
            try:
                if self._request(url):
                    return
            except (requests.Timeout, TimeoutError):
                raise InputError(self._stopped(url, "no answer")) from None
            except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
                if "timed out" in str(error):
                    raise InputError(self._stopped(url, "the server stalled")) from None
                fruitless += self._arrived() <= before
                if fruitless > self.fruitless:
                    raise InputError(self._stopped(url, _reason(error))) from None
        raise InputError(self._stopped(url, "the connection broke again and again"))

    def _stopped(self, url: str, why: str) -> str:
        arrived = self._arrived()
        words = f"The download of {url} stopped, {why}."
        if not (arrived and self.kept):
            return words
        return f"{words} {arrived / 1e6:.1f} MB are kept: the same command goes on from there."

    def _arrived(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _request(self, url: str) -> bool:
        """Ask for what is missing; whether the file is complete."""
        start = self._arrived()
        # The file as it is: a range of a compressed answer would be of other bytes.
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
            if self._mark.is_file():
                headers["If-Range"] = self._mark.read_text()
        timeout = (CONNECT_SECONDS, self.stall_seconds)
        get = self.session.get if self.session else requests.get
        with get(url, headers=headers, stream=True, timeout=timeout) as answer:
            if answer.status_code == 416:
                return self._is_whole(answer, start)
            _check_answer(url, answer)
            resumed = answer.status_code == 206 and _first_byte(answer) == start
            if answer.status_code == 206 and not resumed:
                raise InputError(f"{url} cannot be downloaded: the server sent another part of it.")
            self._remember_version(answer)
            total = _total(answer, start if resumed else 0)
            self._check_size(url, total or 0)
            self._take(url, answer, resumed, total)
        return total is None or self._arrived() == total

    def _check_size(self, url: str, n_bytes: int) -> None:
        if self.largest is not None and n_bytes > self.largest:
            self._drop()
            raise InputError(
                f"{url} is larger than the {self.largest / 1e6:g} MB that are allowed."
            )

    def _drop(self) -> None:
        self.part.unlink(missing_ok=True)
        self._mark.unlink(missing_ok=True)

    def _is_whole(self, answer: requests.Response, start: int) -> bool:
        """Whether nothing was left to send; if the part is too long instead, it is dropped."""
        whole = answer.headers.get("Content-Range", "").rpartition("/")[2] == str(start)
        if not whole:
            self._drop()
        return whole

    def _remember_version(self, answer: requests.Response) -> None:
        tag = answer.headers.get("ETag", "")
        version = tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")
        if version:
            self._mark.write_text(version)
        else:
            self._mark.unlink(missing_ok=True)

    def _take(self, url: str, answer: requests.Response, resumed: bool, total: int | None) -> None:
        n_bytes = self._arrived() if resumed else 0
        with self.part.open("ab" if resumed else "wb") as file:
            for piece in answer.iter_content(_CHUNK):
                if not n_bytes and (_PAGE if self.markup else _MARKUP).match(piece):
                    file.close()
                    self._drop()
                    raise InputError(_not_data(url))
                file.write(piece)
                n_bytes += len(piece)
                self._check_size(url, n_bytes)
                part = n_bytes / total if total else None
                self.progress.report(part, f"{n_bytes / 1e6:.1f} MB")
                self.progress.check()


def filename(url: str) -> str:
    """Last part of the path of a URL."""
    return unquote(urlsplit(url).path).rpartition("/")[2]


def fetch(
    url: str,
    folder: Path,
    checksum: str | None = None,
    *,
    progress: Progress = NO_PROGRESS,
    stall_seconds: float = STALL_SECONDS,
) -> Path:
    """Download a file into a folder, unless it is there.

    Parameters
    ----------
    url : str
    folder : Path
        Made if need be. What has come of the file is kept there when the download stops.
    checksum : str, optional
        What the file must have, such as ``sha256:b8bee3…`` or ``md5:5ab72b…``.
    progress : Progress, optional
        Told of the fraction that has come, None where the server does not say how much there is.
    stall_seconds : float
        How long to wait for the next piece.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be had, or is another than it should be; then it is deleted.
    Cancelled
        If ``progress`` said so.
    """
    name = filename(url)
    # Its news would be between those of the command line.
    pooch.get_logger().setLevel(logging.WARNING)
    downloader = Resuming(folder / f"{name}.part", progress, stall_seconds)
    try:
        return Path(
            pooch.retrieve(
                url,
                known_hash=checksum,
                fname=name,
                path=folder,
                downloader=downloader,
            )
        )
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"Cannot write into {folder}: {error.strerror or error}.") from None
    except ValueError:
        raise InputError(
            f"{url} is not the file that is expected: its checksum is not {checksum}. "
            "It was deleted."
        ) from None


def _check_answer(url: str, answer: requests.Response) -> None:
    if answer.status_code == 404:
        raise InputError(f"{url} is not there (the server answers 404).")
    if not answer.ok:
        raise InputError(f"{url} cannot be downloaded: the server answers {answer.status_code}.")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise InputError(_not_data(url))


def _not_data(url: str) -> str:
    return f"{url} gives a web page, not data; it may have moved, or ask for a login."


def _first_byte(answer: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _total(answer: requests.Response, start: int) -> int | None:
    length = answer.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _reason(error: Exception) -> str:
    if isinstance(error, requests.TooManyRedirects):
        return "it redirects again and again"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke"
    if isinstance(error, requests.ConnectionError):
        return "the server cannot be reached"
    return str(error)
