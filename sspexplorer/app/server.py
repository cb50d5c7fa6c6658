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

import panel as pn
from bokeh.server.server import Server
from panel.io.application import build_applications
from panel.template import Template
from tornado.httpserver import HTTPServer
from tornado.ioloop import PeriodicCallback

from sspexplorer.app.frame.shell import PRODUCT, Shell, start_warming
from sspexplorer.app.kit.work import n_running
from sspexplorer.app.pages import PAGES
from sspexplorer.app.serving import logs
from sspexplorer.app.serving.headers import with_headers
from sspexplorer.app.serving.health import Health
from sspexplorer.app.serving.sessions import guard
from sspexplorer.app.serving.settings import Settings
from sspexplorer.app.serving.supervisor import GRACE
from sspexplorer.jobs.queue import QUEUE
from sspexplorer.jobs.reading import READER

_TICK = 0.1  # s between looks at what still runs
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
    warming = start_warming(PAGES)
    threading.Thread(target=lambda: (warming.join(), tell()), daemon=True).start()
    applications = build_applications({"app": _session}, title=PRODUCT)
    guard(applications["/app"])
    with tempfile.TemporaryDirectory(prefix="sspexplorer-") as folder:
        # Bokeh binds a socket of its own, on which nobody calls.
        server = pn.io.server.get_server(
            applications,
            title=PRODUCT,
            unix_socket=str(Path(folder) / "socket"),
            websocket_origin=settings.websocket_origins,
            prefix=settings.prefix,
            sign_sessions=True,
            secret_key=secret.encode(),
            cookie_secret=secret,
            basic_auth=settings.password or None,
            extra_patterns=[
                (
                    r"/health",
                    Health,
                    {
                        "is_warm": lambda: not warming.is_alive(),
                        "n_sessions": lambda: len(server.get_sessions()),
                    },
                )
            ],
        )
        application = server._tornado
        application.add_transform(with_headers(settings.headers))
        door = HTTPServer(application, xheaders=settings.proxied)
        door.add_sockets([listener])
        _until_told(server, door)
    READER.close()


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
