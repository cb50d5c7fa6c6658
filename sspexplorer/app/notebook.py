"""What makes pictures and pages appear in the cells of a notebook, without a network."""

import sys
import threading
import warnings
from functools import wraps
from typing import Any

import holoviews as hv
import panel as pn
from bokeh.core.property import validation
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from panel.io.notebook import replace_inline_css
from panel.reactive import Reactive

from sspexplorer.app.kit.theme import PageDesign, static_text


def notebook() -> None:
    """Make a notebook ready to show pictures and pages: call it once, in the first cell.

    The scripts of Bokeh, HoloViews and Panel go into the output of the cell, about 10 MB in a
    notebook that is saved with its outputs; otherwise the browser would ask two hosts for them, and
    show nothing where there is no network. Outside a notebook it only chooses the backend.
    """
    # What downloads libraries warns in a notebook that its bars need ipywidgets; none is shown.
    warnings.filterwarnings("ignore", message="IProgress not found")
    # HoloViews first: what it has loaded Panel does not load again.
    hv.extension("bokeh", inline=True, logo=False)
    pn.extension(
        "tabulator", "filedropper", design=PageDesign, respect_explicit_sizing=True, inline=True
    )
    _keep_styles_inline()
    _send_no_echo()
    _one_at_a_time()
    _keep_checks_on()


def _keep_styles_inline() -> None:
    """Have Panel put its style sheets inline also where something on a page changes.

    With ``inline`` it does so when a page is first shown; words that change afterwards would have
    the browser ask a host for them.
    """
    linked = Reactive._get_properties
    if hasattr(linked, "__wrapped__"):
        return

    @wraps(linked)
    def inlined(self: Reactive, doc: Document | None) -> dict[str, Any]:
        found = linked(self, doc)
        if "stylesheets" in found:
            found["stylesheets"] = [
                replace_inline_css(sheet) if isinstance(sheet, ImportedStyleSheet) else sheet
                for sheet in found["stylesheets"]
            ]
        return found

    Reactive._get_properties = inlined


def _send_no_echo() -> None:
    """Have pages send to Python what a visitor has changed, and not what Python itself has."""
    # A notebook has brought it; where there is none, it need not be installed.
    if "IPython" in sys.modules:
        from IPython import display, get_ipython

        if hasattr(get_ipython(), "kernel"):
            display.display(display.Javascript(static_text("notebook.js")))


def _one_at_a_time() -> None:
    """Have what a visitor does on a page wait for the cell that runs.

    JupyterLab lets a kernel answer pages in threads beside that of the cells. Bokeh turns its
    checks of values off while it takes a change, for all threads at once: a figure that another
    thread makes in this moment is not the same.
    """
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    shell = get_ipython()
    handlers = getattr(getattr(shell, "kernel", None), "shell_handlers", {})
    take = handlers.get("comm_msg")
    if take is None or hasattr(take, "__wrapped__"):
        return
    running = threading.RLock()

    @wraps(take)
    def in_turn(*message: Any) -> Any:
        with running:
            return take(*message)

    handlers["comm_msg"] = in_turn
    # The cell that this is called in is one that runs.
    running.acquire()
    shell.events.register("pre_run_cell", lambda info: running.acquire())
    shell.events.register("post_run_cell", lambda result: running.release())


class _Unchecked:
    """What Bokeh turns its checks off with, without an effect."""

    def __init__(self, value: bool) -> None: ...

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def _keep_checks_on() -> None:
    """Have Bokeh check values also while it takes a change.

    It turns the checks off for all threads, and a change can come by other ways than the messages
    that wait for their turn.
    """
    validation.validate = _Unchecked


def is_ready() -> bool:
    """Whether :func:`notebook` was called, or a server has made itself ready for pages."""
    return pn.config.design is PageDesign
