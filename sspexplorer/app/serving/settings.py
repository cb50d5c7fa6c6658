"""How the app is served, as the command line says; workers are told by the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from sspexplorer.jobs import limits

# Web Profile of SAMP, on the computer that the browser runs on.
SAMP_HUB = "http://localhost:21012"


@dataclass(frozen=True)
class Settings:
    """How the app is served.

    Attributes
    ----------
    port : int
    address : str
        Of the network interface to listen on.
    origins : tuple of str
        Hosts, with ports, that browsers have in their address bar; websockets from pages of others
        are refused. Those of ``address`` are always among them.
    prefix : str
        Path under which a proxy has the app, such as ``/ssp``.
    workers : int
        Processes that answer visitors.
    embedders : tuple of str
        Origins whose pages may show the app in a frame, such as those of notebooks.
    passwords : mapping of str to str
        That visitors have to know, by the name of a user; none where all are let in.
    proxied : bool
        Whether a proxy in front says where requests come from.
    json_logs : bool
        One line of JSON an event, instead of text.
    """

    port: int = 5006
    address: str = "localhost"
    origins: tuple[str, ...] = ()
    prefix: str = ""
    workers: int = 1
    embedders: tuple[str, ...] = ()
    passwords: Mapping[str, str] = field(default_factory=dict)
    proxied: bool = False
    json_logs: bool = False

    @property
    def websocket_origins(self) -> list[str]:
        """Hosts from whose pages websockets are taken."""
        own = {self.address, "localhost", "127.0.0.1"} - {"0.0.0.0", "::", ""}
        return [*(f"{host}:{self.port}" for host in sorted(own)), *self.origins]

    @property
    def headers(self) -> dict[str, str]:
        """Headers of every answer.

        Bokeh compiles templates, and Panel's components are scripts made in the page: both are
        allowed. Nothing comes from another host, and nothing goes there, but for what a visitor
        sends to the SAMP hub on their own computer.
        """
        frames = " ".join(["'self'", *self.embedders])
        policy = (
            "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
            "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
            f"font-src 'self' data:; connect-src 'self' data: blob: {SAMP_HUB}; "
            "worker-src 'self' blob:; "
            f"object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors {frames}"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Referrer-Policy": "same-origin",
            "Server": "sspexplorer",
            "X-Content-Type-Options": "nosniff",
        }
        # There is no word for some origins in the older header, which browsers then leave unread.
        return headers if self.embedders else headers | {"X-Frame-Options": "SAMEORIGIN"}


def set_limits(memory: float, seconds: float, upload: float) -> None:
    """Leave the limits where all processes of this server find them.

    Parameters
    ----------
    memory : float
        MiB that reading a file may take.
    seconds : float
        That it may take.
    upload : float
        MB of a file.

    Raises
    ------
    InputError
        If one cannot be used.
    """
    os.environ[limits.MEMORY] = f"{memory:g}"
    os.environ[limits.SECONDS] = f"{seconds:g}"
    os.environ[limits.UPLOAD] = f"{upload:g}"
    limits.Limits.from_environment()
