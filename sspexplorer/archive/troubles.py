"""Whatever goes wrong between here and a service, in one sentence."""

import contextlib
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import requests
from pyvo.dal import DALAccessError, DALFormatError, DALQueryError, DALServiceError

from sspexplorer.archive.services import Service
from sspexplorer.catalogue.ways import way
from sspexplorer.errors import Cancelled, InputError

_ANSWERS = {
    400: "does not understand the question",
    401: f"asks for a user and a password; give them with {way('login')}",
    403: "does not let you see this; the user may have no access to this release",
    404: "has nothing at this address; check the address of the service",
    405: "has no service of this kind at this address",
    413: "finds the question too long; ask for fewer ids at once",
    429: "has had too many questions; wait a while",
}


@contextlib.contextmanager
def one_sentence(service: Service, doing: str, user: str = "") -> Iterator[None]:
    """Turn what requests and pyvo raise into an InputError.

    Parameters
    ----------
    service : Service
    doing : str
        What was being done, such as "reading its list of tables".
    user : str
        Who is logged in.
    """
    try:
        yield
    except (InputError, Cancelled):
        raise
    except DALQueryError as error:
        raise InputError(
            f"{service.host} refuses the query: {plain(query_message(error))}."
        ) from None
    except (DALServiceError, DALFormatError, DALAccessError, requests.RequestException) as error:
        raise InputError(f"{why(service, error, user)} (while {doing}).") from None
    # What pyvo raises at an answer of another kind, such as a web page, is anything.
    except Exception:
        raise InputError(
            f"{service.host} answers something that is not of this protocol (while {doing}); check "
            "the address of the service, and whether it asks for a login."
        ) from None


def why(service: Service, error: Exception, user: str = "") -> str:
    """Say why a service did not answer as it should, without a full stop."""
    status = _status(error)
    if status in (401, 403) and user:
        return f"{service.host} refuses the user {user!r} or the password ({status})"
    if status in _ANSWERS:
        return f"{service.host} {_ANSWERS[status]} ({status})"
    if status and status >= 500:
        return f"{service.host} is in trouble itself ({status}); try again later"
    if status:
        return f"{service.host} answers {status}"
    causes = list(_causes(error))
    if any(isinstance(cause, ssl.SSLError | requests.exceptions.SSLError) for cause in causes):
        return f"{service.host} does not prove who it is: its certificate is not accepted"
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"There is no machine called {service.host}, or no network to find it by"
    if any(isinstance(cause, requests.Timeout | TimeoutError) for cause in causes):
        return f"{service.host} does not answer"
    if is_dropped(error):
        return f"{service.host} cannot be reached, or the connection to it broke"
    if isinstance(error, DALFormatError):
        return f"{service.host} answers something that is no VOTable"
    return f"{service.host} answers something unexpected: {plain(str(error))}"


def is_dropped(error: Exception) -> bool:
    """Whether only the connection failed, so that the next try may succeed."""
    kinds = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    causes = list(_causes(error))
    lasting = (ssl.SSLError, requests.exceptions.SSLError)
    return any(isinstance(cause, kinds) for cause in causes) and not any(
        isinstance(cause, lasting) for cause in causes
    )


def plain(text: str, most: int = 300) -> str:
    """Message of a service in one line: no markup, no line ends, no full stop, not too long."""
    text = re.sub(r"<[^>]{0,200}>", " ", text)
    text = " ".join(text.split()).rstrip(". ")
    return text if len(text) <= most else f"{text[: most - 1]}…"


def query_message(error: DALQueryError) -> str:
    """What a service says of a query that it could not answer."""
    text = str(error.reason or error)
    return text.removeprefix("Query Error:").strip() or "it does not say why"


def _status(error: Exception) -> int | None:
    for cause in _causes(error):
        response: Any = getattr(cause, "response", None)
        if response is not None and response.status_code >= 400:
            return int(response.status_code)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it came from, and what it carries as its reason."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        carried = [getattr(cause, name, None) for name in ("cause", "reason", "__cause__")]
        waiting += [*carried, cause.__context__, *cause.args]
