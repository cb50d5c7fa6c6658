"""The app as a server of its own, for ``sspexplorer serve``."""

import panel as pn
from panel.template import Template

from sspexplorer.app import shared
from sspexplorer.app.pages import PAGES
from sspexplorer.app.shell import PRODUCT, Shell
from sspexplorer.errors import InputError

# A catalogue of a million rows is about 500 MB as text; it comes in one message.
MAX_MESSAGE_BYTES = 1024 * 1024**2


def _session() -> Template:
    return Shell(PAGES).template()


def serve(port: int) -> None:
    """Serve at http://localhost:PORT/app until interrupted.

    Raises
    ------
    InputError
        If the port is taken.
    """
    shared.start_warming()
    try:
        pn.serve(
            {"app": _session},
            port=port,
            title=PRODUCT,
            show=False,
            websocket_max_message_size=MAX_MESSAGE_BYTES,
            websocket_origin=[f"localhost:{port}", f"127.0.0.1:{port}"],
        )
    except OSError as error:
        raise InputError(f"Port {port} cannot be served: {error.strerror}.") from None
