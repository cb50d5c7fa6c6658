"""The frame around the pages, in a document as a server makes them."""

from types import SimpleNamespace

from bokeh.document import Document
from panel.io.state import set_curdoc

from sspexplorer.app.frame.shell import Shell
from sspexplorer.app.pages import PAGES


class Served(Document):
    """A document of a session, before any page was sent for it."""

    request = SimpleNamespace(cookies={}, arguments={}, headers={})
    session_context = SimpleNamespace(request=request, id="x", server_context=None)


def test_a_session_that_a_slow_browser_comes_back_to_asks_no_other_host():
    """A page that arrives late finds its session gone, and gets one that was never sent as HTML."""
    document = Served()
    with set_curdoc(document):
        Shell(PAGES).template().server_doc(document)
    assert document.template_variables["dist_url"] == "static/extensions/panel/"
