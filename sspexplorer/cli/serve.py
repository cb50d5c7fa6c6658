"""``sspexplorer serve``: the app for one visitor, or for an institute."""

import os
import secrets
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sspexplorer.cli.console import say
from sspexplorer.errors import InputError

if TYPE_CHECKING:
    from sspexplorer.app.serving.settings import Settings


def serve(
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)] = 5006,
    address: Annotated[
        str, typer.Option(help="Network interface to listen on; 0.0.0.0 is all of them.")
    ] = "localhost",
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="Host, and port unless it is 80 or 443, that visitors have in their address bar, "
            "where it is not this machine's own; may be given several times."
        ),
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="Path under which a proxy has the app, such as /ssp.")
    ] = "",
    workers: Annotated[
        int, typer.Option(help="Processes that answer visitors.", min=1, max=64)
    ] = 1,
    memory: Annotated[
        float, typer.Option(help="MiB that reading one uploaded file may take.", min=64)
    ] = 2048,
    seconds: Annotated[
        float, typer.Option(help="Seconds that reading one uploaded file may take.", min=1)
    ] = 60,
    upload: Annotated[float, typer.Option(help="MB of the largest upload.", min=1)] = 1000,
    password_file: Annotated[
        Path | None,
        typer.Option(help="File with a password that visitors have to know, or JSON of users."),
    ] = None,
    embed: Annotated[
        list[str] | None,
        typer.Option(help="Origin whose pages may show the app in a frame; may be repeated."),
    ] = None,
    catalogues: Annotated[
        Path | None,
        typer.Option(help="Folder whose catalogues visitors may open without an upload."),
    ] = None,
    share_days: Annotated[
        float,
        typer.Option(
            help="Days that a catalogue stays which a visitor shares by a link; 0 for no sharing.",
            min=0,
            max=366,
        ),
    ] = 7,
    proxied: Annotated[
        bool, typer.Option("--proxied", help="A proxy in front says where requests come from.")
    ] = False,
    json_logs: Annotated[
        bool, typer.Option("--json-logs", help="Log one line of JSON an event.")
    ] = False,
) -> None:
    """Serve the app at http://localhost:PORT/app."""
    from sspexplorer.app.serving import logs
    from sspexplorer.app.serving.folder import set_folder
    from sspexplorer.app.serving.passwords import read_passwords, refuse_other_doors
    from sspexplorer.app.serving.settings import Settings, set_limits
    from sspexplorer.app.serving.shares import set_days

    if not hasattr(os, "fork"):
        raise InputError("serve needs Linux or macOS; here, run: panel serve app.py")
    refuse_other_doors()
    set_limits(memory, seconds, upload)
    set_days(share_days)
    if catalogues is not None:
        set_folder(catalogues)
    settings = Settings(
        port,
        address,
        tuple(origin or ()),
        prefix.rstrip("/"),
        workers,
        tuple(embed or ()),
        read_passwords(password_file) if password_file else {},
        proxied,
        json_logs,
    )
    if json_logs:
        logs.write_json()
    with _bound(address, port) as listener:
        say(f"Serving at http://{address}:{port}{settings.prefix}/app (Ctrl-C stops)")
        _run(settings, listener)


def _run(settings: "Settings", listener: socket.socket) -> None:
    from sspexplorer.app.serving.supervisor import supervise
    from sspexplorer.app.serving.tables import share_folder

    secret = secrets.token_urlsafe(32)

    def work(tell: Callable[[], None]) -> None:
        # Each worker imports for itself: what has threads must not be forked.
        from sspexplorer.app.server import run_worker

        run_worker(settings, listener, secret, tell)

    # What workers keep of visitors goes with the server, also what one left that was killed. The
    # name is short, since sockets lie in it, whose addresses have room for 100 letters.
    with tempfile.TemporaryDirectory(prefix="ssp-", ignore_cleanup_errors=True) as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        share_folder()
        supervise(work, settings.workers)


def _bound(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        listener = socket.create_server((address, port), family=family, backlog=128)
    except OSError as error:
        raise InputError(f"Port {port} cannot be served: {error.strerror}.") from None
    listener.setblocking(False)
    return listener
