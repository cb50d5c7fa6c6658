"""The frame around the pages: header, sidebar, theme, and pages that are built when first seen."""

import logging
import threading
import weakref
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import holoviews as hv
import panel as pn
from panel.io.resources import LOCAL_DIST
from panel.template import Template

from sspexplorer.app import cache
from sspexplorer.app.choices import accept
from sspexplorer.app.frame.address import Address
from sspexplorer.app.frame.help import guides_html, help_html, welcome_html
from sspexplorer.app.frame.references import look_up_only_changes
from sspexplorer.app.frame.sidebar import Sidebar
from sspexplorer.app.kit import parts
from sspexplorer.app.kit.page import Page
from sspexplorer.app.kit.theme import Dark, Light, PageDesign, css, retheme_plots, static_text
from sspexplorer.app.kit.work import sentence_of
from sspexplorer.app.serving import sessions
from sspexplorer.app.state import QUERY, SharedState
from sspexplorer.errors import InputError
from sspexplorer.jobs.reading import READER

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
class Entry:
    """A page of the app, as the header has it.

    Attributes
    ----------
    key : str
        Its name in a link.
    title : str
        Its name in the header.
    group : str
        What it is for, a key of :data:`GROUPS`.
    view : type
        The page itself.
    """

    key: str
    title: str
    group: str
    view: type[Page]


class _Frame(Template):
    """Header and places of the app."""

    def __repr__(self) -> str:
        # Panel writes this down anew for each part that is added; nobody reads it.
        return PRODUCT


# Pages that stay drawn, the one in sight among them: it and those that Back leads to.
_DRAWN = 3


class _Host:
    """Place of one page: empty at first, then the page, or a sentence if it cannot be built.

    A page that was not seen for a while is let go of: it keeps its choices and answers, and is
    drawn anew when it is seen again. What a visitor has seen would else weigh on all that follows.
    """

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.page: Page | None = None
        self.tried = False
        self.drawn = False
        self._waiting: list[tuple[pn.pane.HoloViews, Any]] = []
        self._trouble = pn.Column(sizing_mode="stretch_width", margin=(0, 0, 16, 0), visible=False)
        self._content = pn.Column(sizing_mode="stretch_width", margin=0)
        self.area = pn.Column(sizing_mode="stretch_width", margin=0, visible=False)

    def show(self, in_sight: bool) -> None:
        """Bring the page into sight, where it catches up with the session, or out of it."""
        if in_sight and not len(self.area):
            title = f"<h1>{self.entry.title}</h1>"
            self._content[:] = [_skeleton()]
            self.area[:] = [
                pn.pane.HTML(title, stylesheets=[css("title")], margin=0),
                self._trouble,
                self._content,
            ]
        self.area.visible = in_sight
        if self.page is not None:
            self.page.in_sight = in_sight

    def draw(self, state: SharedState, settle: Callable[[Page], None]) -> None:
        """Draw the page unless it is; at first build it, and have it settled before it is shown."""
        if self.drawn:
            return
        self.drawn = True
        try:
            if not self.tried:
                self.tried = True
                self.page = self.entry.view(state)
                settle(self.page)
            layout = pn.panel(self.page)
            self._hold_back(layout.select(pn.pane.HoloViews)[1:])
            self._content[:] = [layout]
        except Exception:
            logger.exception("The page %r could not be built", self.entry.key)
            self._content[:] = [
                parts.problem(
                    "This page could not be opened; the server's log says why. "
                    "The other pages still work."
                )
            ]

    def _hold_back(self, panes: Iterable[pn.pane.HoloViews]) -> None:
        """Leave pictures out at first: the first is seen, and clicks are heard, before the last."""
        self._waiting = [(pane, pane.object) for pane in panes]
        for pane, _ in self._waiting:
            pane.object = None

    def draw_next(self) -> bool:
        """Draw the next picture that was left out; whether there are more."""
        if self._waiting:
            pane, picture = self._waiting.pop(0)
            # The page may have found another one meanwhile.
            if pane.object is None:
                pane.object = picture
        return bool(self._waiting)

    def let_go(self) -> None:
        """Take what is drawn of the page out of the document."""
        if self.drawn and self.page is not None and self.page.LETS_GO:
            self.drawn = False
            panes = self._content.select(pn.pane.HoloViews)
            self._content[:] = [_skeleton()]
            while self.draw_next():
                pass
            for pane in panes:
                # What a picture keeps is the frame of its first drawing, not the last.
                if pane.object is not None:
                    pane.object.traverse(hv.DynamicMap.reset, [hv.DynamicMap])

    def tell(self, exception: Exception) -> None:
        """Say, above the page, that something in it went wrong."""
        self._trouble[:] = [parts.problem(sentence_of(exception))]
        self._trouble.visible = True

    def clear(self) -> None:
        """Take back what :meth:`tell` said."""
        self._trouble.visible = False


class Shell:
    """The app of one session.

    Parameters
    ----------
    entries : sequence of Entry
        In the order of the header. The first one opens.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        if pn.state.curdoc:
            look_up_only_changes(pn.state.curdoc)
        load_extensions()
        self._entries = {entry.key: entry for entry in entries}
        self.state = SharedState(page=next(iter(self._entries)), dark=_dark_cookie())
        self._address = Address(self.state, self._entries.keys())
        self._lost = self._address.read()
        if self.state.page not in self._entries:
            self.state.page = next(iter(self._entries))
        # The address that the session begins with is of the page that it begins with.
        self._first = self.state.page
        self._hosts = {entry.key: _Host(entry) for entry in entries}
        self._seen = [self._first]
        self._theme = pn.widgets.Checkbox(value=self.state.dark)
        self._theme.link(self.state, value="dark")
        self.state.param.watch(self._go, "page")
        self.state.param.watch(self._theme_plots, "dark")
        self.state.param.watch(self._changed, [*QUERY, "dark", "kept", "catalogue", "noise"])
        pn.config.exception_handler = _weakly(self._report)
        pn.state.onload(self._open)
        if pn.state.curdoc and pn.state.curdoc.session_context:
            pn.state.on_session_destroyed(lambda context: self._forget())

    @property
    def host(self) -> _Host:
        """Place of the page in sight."""
        return self._hosts[self.state.page]

    def template(self) -> Template:
        """Make the document: header, sidebar and the pages."""
        self.host.show(True)
        template = _Frame(
            static_text("frame.html"),
            design=PageDesign,
            theme=Dark if self.state.dark else Light,
        )
        areas = [host.area for host in self._hosts.values()]
        acting = {entry.key: entry.view.SIDEBAR for entry in self._entries.values()}
        template.add_panel("sidebar", Sidebar(self.state, acting).__panel__())
        template.add_panel("main", pn.Column(*areas, sizing_mode="stretch_width", margin=0))
        template.add_panel("theme", self._theme)
        template.add_panel("heard", self._address.heard)
        template.add_panel("said", self._address.said)
        entries = self._entries.values()
        groups = {name: [entry for entry in entries if entry.group == name] for name in GROUPS}
        variables: dict[str, Any] = {
            "product": PRODUCT,
            "groups": {name: members for name, members in groups.items() if members},
            "purposes": GROUPS,
            "current": self.host.entry,
            "heading": self.host.entry.title,
            "skeleton": static_text("skeleton.html"),
            "frame_css": "".join(map(static_text, ("frame.css", "help.css", "skeleton.css"))),
            "frame_js": "".join(
                map(static_text, ("frame.js", "help.js", "names.js", "grid-keys.js"))
            ),
            "welcome": welcome_html(),
            "guides": guides_html(self.state.page),
            "help": help_html(),
        }
        # Panel says where its style sheets are when it sends the page. A page that takes longer to
        # arrive than its session waits gets a new session, which would ask another host for them.
        if pn.state.curdoc and pn.state.curdoc.session_context:
            variables["dist_url"] = f"{pn.state.rel_path}/{LOCAL_DIST}".lstrip("/")
        for name, value in variables.items():
            template.add_variable(name, value)
        return template

    def servable(self) -> "Shell":
        """Serve the app from a script, to a visitor who has a session of their own."""
        if sessions.let_in(pn.state.curdoc):
            self.template().servable(title=PRODUCT)
        else:
            parts.empty_state(sessions.REFUSED).servable(title=PRODUCT)
        return self

    def _forget(self) -> None:
        for name in self.state.kept:
            cache.forget_model(name)

    def _open(self) -> None:
        self._theme_plots()
        self._build()
        if self._lost:
            self.host.tell(InputError(self._lost))
        start_warming(self._entries.values())

    def _go(self, event: Any) -> None:
        if event.new not in self._entries:
            self.state.page = next(iter(self._entries))
            return
        for host in self._hosts.values():
            if host is not self.host:
                host.show(False)
        self.host.show(True)
        self._seen = [*(key for key in self._seen if key != event.new), event.new]
        # Before a session is connected, what changes is lost; the page in sight is built then.
        if pn.state.loaded:
            # The place holder is painted first, then the page takes its turn.
            drawn, rest = self.host.drawn, partial(self._draw_next, self.host)
            pn.state.curdoc.add_next_tick_callback(rest if drawn else self._build)
        self._arrive()

    def _build(self) -> None:
        """Draw the page in sight: one that was left before its turn is not waited for."""
        # What the document consists of is counted once, not for each figure of the page.
        with pn.io.hold(pn.state.curdoc, freeze=True):
            for key in self._seen[:-_DRAWN]:
                self._hosts[key].let_go()
            self.host.draw(self.state, partial(self._settle, self.host))
        self._arrive()
        self._draw_next(self.host)

    def _draw_next(self, host: _Host) -> None:
        """Draw what was left out of a page for as long as it is in sight, others in between."""
        if host is not self.host:
            return
        with pn.io.hold(pn.state.curdoc, freeze=True):
            more = host.draw_next()
        if more:
            pn.state.curdoc.add_next_tick_callback(partial(self._draw_next, host))

    def _settle(self, host: _Host, page: Page) -> None:
        """Give a new page the choices of the link, and follow those a link would carry."""
        if host.entry.key == self._first:
            self._address.read(page)
        if page.QUERY:
            page.param.watch(partial(self._write_address, host), list(page.QUERY))

    def _arrive(self) -> None:
        """Hand over what is meant for the page in sight, and write its address."""
        if self.host.page is not None:
            accept(self.host.page, self.state.take(self.host.entry.key))
        self._write_address(self.host)

    def _write_address(self, host: _Host, *events: Any) -> None:
        if host is self.host and host.tried:
            self._address.write(host.page)

    def _changed(self, *events: Any) -> None:
        self.host.clear()
        self._write_address(self.host)

    def _theme_plots(self, *events: Any) -> None:
        if pn.state.curdoc:
            retheme_plots(pn.state.curdoc, self.state.dark)

    def _report(self, exception: Exception) -> None:
        logger.error("Error in the page %r", self.state.page, exc_info=exception)
        self.host.tell(exception)


def _weakly(report: Callable[[Exception], None]) -> Callable[[Exception], None]:
    """Call a method for as long as its object is there.

    Panel keeps what a session configures for as long as the session's document lives; what refers
    to the document from there would keep it for ever, and all that the visitor had with it.
    """
    method = weakref.WeakMethod(report)

    def call(exception: Exception) -> None:
        if (alive := method()) is not None:
            alive(exception)

    return call


def _skeleton() -> pn.pane.HTML:
    return pn.pane.HTML(
        static_text("skeleton.html"),
        stylesheets=[css("skeleton")],
        sizing_mode="stretch_width",
        margin=0,
    )


def start_warming(entries: Iterable[Entry]) -> threading.Thread:
    """Make what all pages share, and what each opens with, in the background; once per server.

    Also start the process that reads catalogues, last: who comes first wants a picture.

    Returns
    -------
    Thread
        Ends when all is warm.
    """
    return cache.start_warming(*(entry.view.warm for entry in entries), READER.warm)


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
    # What a visitor chose, or else what their system prefers.
    return cookies.get("ssp_theme", cookies.get("ssp_system")) == "dark"
