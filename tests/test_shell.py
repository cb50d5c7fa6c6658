"""The frame around the pages, in a document as a server makes them."""

from types import SimpleNamespace
from unittest.mock import patch

import holoviews as hv
import panel as pn
import pytest
from bokeh.document import Document
from bokeh.document.models import DocumentModelManager
from bokeh.models import Column, Div, GlyphRenderer
from panel.io.state import set_curdoc

from sspexplorer.app.frame import shell
from sspexplorer.app.frame.references import look_up_only_changes
from sspexplorer.app.frame.shell import Entry, Shell
from sspexplorer.app.kit.page import Page
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


class Drawing(Page):
    """One curve, of what is sent to it."""

    def make(self):
        self.pipe = hv.streams.Pipe(data=[])

    def picture(self):
        return pn.pane.HoloViews(hv.DynamicMap(hv.Curve, streams=[self.pipe]))


@pytest.fixture
def document():
    found = Served()
    with set_curdoc(found):
        yield found


def drawn(document: Document) -> list[list[float]]:
    return [list(curve.data_source.data["y"]) for curve in document.select({"type": GlyphRenderer})]


def test_a_page_that_is_let_go_of_keeps_what_it_shows(document):
    app = Shell([Entry("drawing", "Drawing", "explore", Drawing)])
    app.template().server_doc(document)
    settled = []
    app.host.draw(app.state, settled.append)
    app.host.page.pipe.send([(0, 1.0), (1, 2.0)])
    assert drawn(document) == [[1.0, 2.0]]
    app.host.let_go()
    assert drawn(document) == []
    app.host.page.pipe.send([(0, 3.0)])
    app.host.draw(app.state, settled.append)
    assert drawn(document) == [[3.0]]
    assert settled == [app.host.page]


class TwoDrawings(Drawing):
    """The same curve twice."""

    def picture(self):
        return pn.Row(super().picture(), super().picture())


def test_the_first_picture_of_a_page_is_there_before_the_others(document):
    app = Shell([Entry("drawings", "Drawings", "explore", TwoDrawings)])
    app.template().server_doc(document)
    app.host.draw(app.state, lambda page: None)
    app.host.page.pipe.send([(0, 1.0)])
    assert drawn(document) == [[1.0]]
    app.host.let_go()
    app.host.draw(app.state, lambda page: None)
    assert drawn(document) == [[1.0]]
    assert not app.host.draw_next()
    assert drawn(document) == [[1.0], [1.0]]


def test_what_a_document_consists_of_is_looked_up_after_changes_only():
    document, column = Document(), Column()
    look_up_only_changes(document)
    document.add_root(column)
    look_up = DocumentModelManager.recompute
    with patch.object(
        DocumentModelManager, "recompute", autospec=True, side_effect=look_up
    ) as seen:
        with document.models.freeze():
            column.width = 7
        assert seen.call_count == 0
        with document.models.freeze():
            column.children = [Div(), Div()]
            assert len(document.models) == 1
        assert (seen.call_count, len(document.models)) == (1, 3)
        column.children = []
        assert (seen.call_count, len(document.models)) == (2, 1)
        document.remove_root(column)
        assert len(document.models) == 0


@pytest.mark.parametrize(
    ("cookies", "dark"),
    [
        ({}, False),
        ({"ssp_system": "dark"}, True),
        ({"ssp_system": "dark", "ssp_theme": "light"}, False),
        ({"ssp_system": "light", "ssp_theme": "dark"}, True),
    ],
)
def test_plots_begin_as_the_visitor_chose_or_else_as_their_system_prefers(
    monkeypatch, cookies, dark
):
    document = SimpleNamespace(session_context=object())
    state = SimpleNamespace(curdoc=document, cookies=cookies)
    monkeypatch.setattr(shell, "pn", SimpleNamespace(state=state))
    assert shell._dark_cookie() is dark
