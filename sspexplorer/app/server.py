"""The app as a server of its own, for ``sspexplorer serve``."""

import panel as pn
from panel.template import Template

from sspexplorer.app.frame.shell import PRODUCT, Shell, start_warming
from sspexplorer.app.pages import PAGES
from sspexplorer.errors import InputError


def _session() -> Template:
    return Shell(PAGES).template()


def serve(port: int) -> None:
    """Serve at http://localhost:PORT/app until interrupted.

    Raises
    ------
    InputError
        If the port is taken.
    """
    start_warming(PAGES)
    try:
        pn.serve(
            {"app": _session},
            address="localhost",
            port=port,
            title=PRODUCT,
            show=False,
            websocket_origin=[f"localhost:{port}", f"127.0.0.1:{port}"],
        )
    except OSError as error:
        raise InputError(f"Port {port} cannot be served: {error.strerror}.") from None
