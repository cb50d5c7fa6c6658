"""The frame around the pages: header, sidebar, theme, and pages that are built when first seen."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import holoviews as hv
import panel as pn
from panel.template import Template

from sspexplorer.app import cache
from sspexplorer.app.frame.sidebar import Sidebar
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import Dark, Light, PageDesign, retheme_plots, static_text
from sspexplorer.app.state import QUERY, SharedState, accept
from sspexplorer.errors import InputError

PRODUCT = "SSP Explorer"

# What a visitor comes for; pages of one group stand together.
GROUPS = {
    "explore": "See what makes the colours of a stellar population",
    "trust": "See how far the predictions can be trusted, and where they fail",
    "apply": "Predict galaxies of your own",
    "train": "Train networks of your own",
}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Page:
    """A page of the app.

    Attributes
    ----------
    key : str
        Its name in a link.
    title : str
        Its name in the header.
    group : str
        What it is for, a key of :data:`GROUPS`.
    view : type
        Class that takes a :class:`SharedState` and is a ``panel.viewable.Viewer``. If it has a
        ``QUERY``, a dict of its parameters and their names in a link, those are in the address
        while the page is in sight. If it has a static method ``warm``, that is called once per
        server, in a thread, to make what the page opens with.
    """

    key: str
    title: str
    group: str
    view: type[pn.viewable.Viewer]


class _Host:
    """Place of one page: empty at first, then the page, or a sentence if it cannot be built."""

    def __init__(self, page: Page, session: SharedState) -> None:
        self.page = page
        self._session = session
        self._state: SharedState | None = None
        self._view: pn.viewable.Viewer | None = None
        self._linked = False
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=(0, 0, 16, 0), visible=False)
        self._content = pn.Column(_skeleton(), sizing_mode="stretch_width", margin=0)
        self.area = pn.Column(
            pn.pane.HTML(f"<h1>{page.title}</h1>", stylesheets=[_TITLE_CSS], margin=0),
            self._trouble,
            self._content,
            sizing_mode="stretch_width",
            margin=0,
            visible=False,
        )

    def show(self) -> None:
        """Bring the page into sight, with the present state of the session."""
        if self._state is not None:
            self._session.bring_up_to_date(self._state)
        self.area.visible = True
        self._link()

    def hide(self) -> None:
        """Take the page out of sight, and its choices out of the address."""
        self.area.visible = False
        if self._linked:
            pn.state.location.unsync(self._view)
            self._linked = False

    def follow(self) -> None:
        """Pass a change of the session on to the page."""
        if self._state is not None:
            self._session.bring_up_to_date(self._state)

    def build(self) -> None:
        """Build the page unless it has been."""
        if self._state is not None:
            return
        self._state = self._session.follower()
        try:
            # What the document consists of is counted once, not for each figure of the page.
            with pn.io.hold(pn.state.curdoc, freeze=True):
                self._view = self.page.view(self._state)
                self._link()
                self._content[:] = [pn.panel(self._view)]
        except Exception:
            logger.exception("The page %r could not be built", self.page.key)
            self._content[:] = [
                parts.problem(
                    "This page could not be opened; the server's log says why. "
                    "The other pages still work."
                )
            ]

    def _link(self) -> None:
        """Keep the choices of the page in the address while it is in sight."""
        query = getattr(self._view, "QUERY", None)
        if query and self.area.visible and not self._linked and pn.state.location:
            pn.state.location.sync(self._view, query, on_error=partial(accept, self._view))
            self._linked = True

    def tell(self, exception: Exception) -> None:
        """Say, above the page, that something in it went wrong."""
        unforeseen = f"That did not work: {type(exception).__name__}. The server's log says more."
        text = str(exception) if isinstance(exception, InputError) else unforeseen
        self._trouble[:] = [parts.problem(text)]
        self._trouble.visible = True

    def clear(self) -> None:
        """Take back what :meth:`tell` said."""
        self._trouble.visible = False


class Shell:
    """The app of one session.

    Parameters
    ----------
    pages : sequence of Page
        In the order of the header. The first one opens.
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        load_extensions()
        self.pages = {page.key: page for page in pages}
        self.state = SharedState(page=next(iter(self.pages)), dark=_dark_cookie())
        if pn.state.location:
            pn.state.location.sync(self.state, QUERY, on_error=partial(accept, self.state))
        if self.state.page not in self.pages:
            self.state.page = next(iter(self.pages))
        self._hosts = {page.key: _Host(page, self.state) for page in pages}
        self._theme = pn.widgets.Checkbox(value=self.state.dark)
        self._theme.link(self.state, value="dark")
        self.state.param.watch(self._go, "page")
        self.state.param.watch(self._retheme, "dark")
        self.state.param.watch(
            self._follow,
            ["model", "libraries", "magnitude", "dark", "kept", "catalogue", "incoming", "noise"],
        )
        pn.config.exception_handler = self._report
        pn.state.onload(self._open)
        if pn.state.curdoc and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(lambda context: self._forget())

    @property
    def host(self) -> _Host:
        """Place of the page in sight."""
        return self._hosts[self.state.page]

    def template(self) -> Template:
        """Make the document: header, sidebar and the pages."""
        self.host.show()
        template = Template(
            static_text("frame.html"),
            design=PageDesign,
            theme=Dark if self.state.dark else Light,
            location=True,
        )
        areas = [host.area for host in self._hosts.values()]
        template.add_panel("sidebar", Sidebar(self.state).__panel__())
        template.add_panel("main", pn.Column(*areas, sizing_mode="stretch_width", margin=0))
        template.add_panel("theme", self._theme)
        pages = self.pages.values()
        groups = {name: [page for page in pages if page.group == name] for name in GROUPS}
        variables: dict[str, Any] = {
            "product": PRODUCT,
            "groups": {name: members for name, members in groups.items() if members},
            "purposes": GROUPS,
            "current": self.host.page,
            "heading": self.host.page.title,
            "skeleton": static_text("skeleton.html"),
            "frame_css": static_text("frame.css") + static_text("skeleton.css"),
            "frame_js": static_text("frame.js"),
        }
        for name, value in variables.items():
            template.add_variable(name, value)
        return template

    def servable(self) -> "Shell":
        """Serve the app from a script."""
        self.template().servable(title=PRODUCT)
        return self

    def _forget(self) -> None:
        for name in self.state.kept:
            cache.forget_model(name)

    def _open(self) -> None:
        self.host.build()
        start_warming(self.pages.values())

    def _go(self, event: Any) -> None:
        if event.new not in self.pages:
            self.state.page = next(iter(self.pages))
            return
        for host in self._hosts.values():
            if host is not self.host:
                host.hide()
        self.host.show()
        # Before a session is connected, what changes is lost; the page in sight is built then.
        if pn.state.loaded:
            # The place holder is painted first, then the page takes its turn.
            pn.state.curdoc.add_next_tick_callback(self.host.build)

    def _follow(self, *events: Any) -> None:
        self.host.clear()
        self.host.follow()

    def _retheme(self, event: Any) -> None:
        if pn.state.curdoc:
            retheme_plots(pn.state.curdoc, event.new)

    def _report(self, exception: Exception) -> None:
        logger.error("Error in the page %r", self.state.page, exc_info=exception)
        self.host.tell(exception)


# The page's place in the header already says its name; this one is for those who do not see it.
_TITLE_CSS = """
h1 { clip-path: inset(50%); height: 1px; margin: 0; overflow: hidden; position: absolute;
     width: 1px; }
"""


def _skeleton() -> pn.pane.HTML:
    return pn.pane.HTML(
        static_text("skeleton.html"),
        stylesheets=[static_text("skeleton.css")],
        sizing_mode="stretch_width",
        margin=0,
    )


def start_warming(pages: Iterable[Page]) -> None:
    """Make what all pages share, and what each opens with, in the background; once per server."""
    cache.start_warming(*(page.view.warm for page in pages if hasattr(page.view, "warm")))


def load_extensions() -> None:
    """Make Panel and HoloViews ready for the pages, on a server or in the cell of a notebook."""
    # A notebook gets all scripts in its cell and fetches none.
    inline = pn.state.curdoc is None
    pn.extension(
        "tabulator", "filedropper", design=PageDesign, respect_explicit_sizing=True, inline=inline
    )
    if hv.Store.current_backend != "bokeh" or "bokeh" not in hv.Store.renderers:
        hv.extension("bokeh", inline=inline)


def _dark_cookie() -> bool:
    cookies = pn.state.cookies if pn.state.curdoc and pn.state.curdoc.session_context else {}
    return cookies.get("ssp_theme") == "dark"
