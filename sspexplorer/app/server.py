"""The app as a server of its own, for ``sspexplorer serve``."""

import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.server.server import Server
from panel.io.application import build_applications
from panel.template import Template
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback
from tornado.web import RedirectHandler

from sspexplorer.app.frame.shell import PRODUCT, Shell, start_warming
from sspexplorer.app.kit.work import n_running
from sspexplorer.app.pages import PAGES
from sspexplorer.app.serving import logs, memory, tables, threads
from sspexplorer.app.serving.headers import with_headers
from sspexplorer.app.serving.health import Health
from sspexplorer.app.serving.passwords import login_page
from sspexplorer.app.serving.sessions import guard
from sspexplorer.app.serving.settings import Settings
from sspexplorer.app.serving.strangers import refuse_strangers
from sspexplorer.app.serving.supervisor import GRACE
from sspexplorer.jobs.queue import QUEUE
from sspexplorer.jobs.reading import READER

_TICK = 0.1  # s between looks at what still runs
_LINGER = 15.0
_TIDY = 30.0  # s between two times that free memory goes back to the system
_PARENT = 2.0  # s between looks at whether the process that started this one is there

logger = logging.getLogger(__name__)


def _session() -> Template:
    return Shell(PAGES).template()


def run_worker(
    settings: Settings, listener: socket.socket, secret: str, tell: Callable[[], None]
) -> None:
    """Answer visitors until SIGTERM or SIGINT; what runs then has 10 s to end.

    Parameters
    ----------
    settings : Settings
    listener : socket
        Bound and listening; workers share it.
    secret : str
        Signs sessions and cookies of all workers, so that each takes those of the others.
    tell : callable
        Called when all is warm.
    """
    if settings.json_logs:
        logs.write_json()
    logs.leave_out_farewells()
    memory.bound_arenas()
    threads.one_for_each()
    warming = start_warming(PAGES)
    threading.Thread(target=lambda: (warming.join(), tell()), daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="sspexplorer-") as folder:
        server = make_server(
            _session, settings, secret, Path(folder), lambda: not warming.is_alive()
        )
        door = HTTPServer(server._tornado, xheaders=settings.proxied)
        door.add_sockets([listener])
        _until_told(server, door)
    READER.close()


def make_server(
    session: Callable[[], Any],
    settings: Settings,
    secret: str,
    folder: Path,
    is_warm: Callable[[], bool],
    linger: float = _LINGER,
) -> Server:
    """Make what answers visitors, at a socket of its own on which nobody calls.

    Parameters
    ----------
    session : callable
        Makes the app of a visitor.
    settings : Settings
    secret : str
        Signs sessions and cookies.
    folder : Path
        For the socket.
    is_warm : callable
        Whether all is made that pages open with.
    linger : float
        How long a session is kept for a visitor who is gone, and may come back (s).
    """
    refuse_strangers()
    applications = build_applications({"app": session}, title=PRODUCT)
    guard(applications["/app"])
    login = folder / "login.html"
    login.write_text(login_page(settings.passwords), encoding="utf-8")
    asked = {"is_warm": is_warm, "n_sessions": lambda: len(server.get_sessions())}
    server = pn.io.server.get_server(
        applications,
        title=PRODUCT,
        unix_socket=str(folder / "socket"),
        websocket_origin=settings.websocket_origins,
        prefix=settings.prefix,
        sign_sessions=True,
        secret_key=secret.encode(),
        cookie_secret=secret,
        basic_auth=dict(settings.passwords) or None,
        login_template=str(login),
        unused_session_lifetime_milliseconds=int(1000 * linger),
        check_unused_sessions_milliseconds=int(1000 * linger),
        extra_patterns=[
            (r"/health", Health, asked),
            *tables.ROUTES,
            # Panel sends whoever is to log in to a place beside the address, here of "/app/".
            (r"/app/login", RedirectHandler, {"url": f"{settings.prefix}/login"}),
        ],
    )
    server._tornado.add_transform(with_headers(settings.headers))
    return server


def _until_told(server: Server, door: HTTPServer) -> None:
    loop = server.io_loop

    def end(number: int, frame: object) -> None:
        # Whoever is impatient ends it at once.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        loop.add_callback_from_signal(partial(_close, server, door))

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    parent = os.getppid()

    def look_after_parent() -> None:
        # One that was killed could tell nobody to end.
        if os.getppid() != parent:
            watch.stop()
            _close(server, door)

    watch = PeriodicCallback(look_after_parent, 1000 * _PARENT)
    watch.start()
    PeriodicCallback(memory.give_back, 1000 * _TIDY).start()
    server.start()
    logger.info("Serving visitors.")
    loop.start()
    server.stop(wait=False)


def _close(server: Server, door: HTTPServer) -> None:
    """Let nobody in any more, stop trainings, and end when all that runs has been answered."""
    door.stop()
    n_trainings = QUEUE.close()
    if n_trainings:
        logger.warning("Stopped, since the server ends: %d trainings.", n_trainings)
    logger.warning("Ending: what runs has %.0f s to be answered.", GRACE)
    given_up = time.monotonic() + GRACE

    def look() -> None:
        if n_running() and time.monotonic() < given_up:
            server.io_loop.call_later(_TICK, look)
        else:
            # What was answered last is sent first.
            server.io_loop.call_later(_TICK, server.io_loop.stop)

    look()
