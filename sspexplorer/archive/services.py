"""Where the catalogues are: the services of the archive, by name or address."""

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from sspexplorer.catalogue.ways import way
from sspexplorer.errors import InputError

DEFAULT = "minijpas"
SETTING = "SSPEXPLORER_TAP"  # environment variable with a name or an address

_ARCHIVE = "https://archive.cefca.es/catalogues/vo/tap"
_LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Service:
    """A service that answers the Table Access Protocol (TAP, an IVOA recommendation).

    Attributes
    ----------
    name : str
        Short name; the address where it has none.
    url : str
        Address, without ``/sync`` or ``/async``.
    schema : str
        What comes before the point of its tables' names, such as "minijpas"; "" to ask it.
    title : str
    login : bool
        Whether it is known to ask for a user and a password.
    seen : str
        Where the address is documented, or what it was inferred from.
    filters : str
        What comes before ``::`` where an array is addressed by filter, ``flags[jpas::iSDSS]``.
    """

    name: str
    url: str
    schema: str = ""
    title: str = ""
    login: bool = False
    seen: str = ""
    filters: str = "jpas"

    @property
    def host(self) -> str:
        """Name of the machine."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_private(self) -> bool:
        """Whether what is sent cannot be overheard: encrypted, or on this machine."""
        return self.url.startswith("https:") or self.host in _LOCAL


SERVICES = (
    Service(
        "minijpas",
        f"{_ARCHIVE}/minijpas-pdr201912",
        "minijpas",
        "miniJPAS, public release of December 2019",
        seen="in use in public scripts",
    ),
    Service(
        "jpas-idr",
        f"{_ARCHIVE}/jpas-idr202406",
        "jpas",
        "J-PAS, internal release of June 2024",
        login=True,
        seen="in use in public scripts",
    ),
    Service(
        "jpas-edr",
        f"{_ARCHIVE}/jpas-edr",
        "jpas",
        "J-PAS, early data release",
        seen="inferred from the address of its pages, archive.cefca.es/catalogues/jpas-edr",
    ),
    Service(
        "jnep",
        f"{_ARCHIVE}/jnep-pdr202107",
        "jnep",
        "J-NEP, public release of July 2021",
        seen="inferred from the address of its images, …/vo/siap/jnep-pdr202107",
    ),
)


def default_service() -> Service:
    """Service that the environment variable ``SSPEXPLORER_TAP`` names, or miniJPAS."""
    return find_service(os.environ.get(SETTING) or DEFAULT)


def find_service(text: str) -> Service:
    """Service with this name or address.

    Raises
    ------
    InputError
        If it is neither.
    """
    wanted = text.strip()
    for known in SERVICES:
        if wanted.lower() == known.name or wanted.rstrip("/") == known.url:
            return known
    if "://" not in wanted:
        names = ", ".join(known.name for known in SERVICES)
        raise InputError(
            f"There is no service {wanted!r}; give one of {names}, or an address that starts "
            "with https://."
        )
    url = check_url(wanted).rstrip("/")
    if urlsplit(url).query or urlsplit(url).fragment:
        raise InputError(f"The address of a service ends before '?' and '#', unlike {url}.")
    for ending in ("/sync", "/async", "/tables", "/capabilities"):
        url = url.removesuffix(ending)
    return Service(url, url)


def check_url(text: str) -> str:
    """Address of something on the web.

    Raises
    ------
    InputError
        If it is no address, is not http or https, or carries a password.
    """
    url = text.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise InputError(f"{url} is not an address.") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise InputError(f"{url} does not start with http:// or https://; nothing else is opened.")
    if parts.username is not None or parts.password is not None:
        raise InputError(
            f"The address of {host} holds a user name; leave it out and give it with "
            f"{way('login')}, which asks for the password."
        )
    if not host or any(character.isspace() for character in url):
        raise InputError(f"{url} is not an address.")
    return url
