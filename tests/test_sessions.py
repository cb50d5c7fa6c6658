"""One visitor is kept from another's session, and from networks they were not shown."""

import urllib.error
import urllib.request
from types import SimpleNamespace

import panel as pn
import pytest
from bokeh.application import Application
from bokeh.document import Document
from bokeh.server.contexts import ApplicationContext, BokehSessionContext
from bokeh.util.token import generate_jwt_token
from onlooker import Onlooker
from tornado.web import HTTPError

from sspexplorer.app import cache
from sspexplorer.app.choices import accept
from sspexplorer.app.explore.sed import SEDExplorer
from sspexplorer.app.frame.shell import load_extensions
from sspexplorer.app.kit.model_choice import WITHOUT_ERRORS
from sspexplorer.app.serving.sessions import guard, let_in
from sspexplorer.app.state import SharedState
from sspexplorer.errors import InputError
from sspexplorer.labels import model_title
from sspexplorer.models import load_model


def answer_to(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


# The server is that of the browser's tests.
@pytest.mark.browser
def test_no_address_chooses_its_session(server: str):
    script = f"{server}/autoload.js?bokeh-autoload-element=1"
    assert answer_to(server) == answer_to(script) == 200
    for url in (server, server + "/", script):
        for name in ("bokeh-session-id", "bokeh-token"):
            sign = "&" if "?" in url else "?"
            assert answer_to(f"{url}{sign}{name}=x") in (403, 500 if url == script else 403)
    for name in ("Bokeh-Session-Id", "BOKEH-SESSION-ID"):
        assert answer_to(server, **{name: "x"}) == 403


@pytest.mark.parametrize("arguments", [{}, {"bokeh-session-id": ["eA"]}, {"page": ["noise"]}])
def test_the_first_visitor_of_all_comes_by_no_such_link_either(arguments):
    """Before the app has run, nobody guards the application that Panel made for its script."""
    application = Application()
    context = ApplicationContext(application)
    session = BokehSessionContext("x", context.server_context, Document())
    session._token = generate_jwt_token("x", extra_payload={"arguments": arguments, "headers": {}})
    document = SimpleNamespace(session_context=session)
    assert let_in(document) == ("bokeh-session-id" not in arguments)
    guard(application)
    assert len(application.handlers) == 1
    with pytest.raises(HTTPError):
        application.process_request(
            SimpleNamespace(arguments={"bokeh-session-id": [b"x"]}, headers={})
        )


@pytest.fixture
def kept():
    name = cache.keep_model("Network 1", load_model("default"))
    yield name
    cache.forget_model(name)


def test_nobody_guesses_the_name_of_a_network_that_another_visitor_keeps(kept):
    another = cache.keep_model("Network 1", load_model("default"))
    assert len(another) >= 22 + len("Network 1 #")
    assert another[:11] == kept[:11] != another
    assert model_title(kept) == model_title(another) == "Network 1"
    cache.forget_model(another)
    for guess in ("Network 1", "Network 1 #1", "Network 1 #", "data/models/default"):
        with pytest.raises(ValueError, match="or no longer"):
            SharedState(model=guess)
        with pytest.raises(InputError, match="or no longer"):
            cache.model(guess)


def test_a_network_that_was_shared_and_is_gone_is_a_sentence(kept, caplog):
    load_extensions()
    state = SharedState(model=kept)
    explorer = SEDExplorer(state)
    select = Onlooker(explorer).control("Model")
    assert "Network 1 (shared with you)" in select.groups[WITHOUT_ERRORS]
    cache.forget_model(kept)
    explorer = SEDExplorer(state)
    assert any("or no longer" in pane.object for pane in explorer.__panel__().select(pn.pane.HTML))
    select.param.trigger("value")
    assert state.model == kept
    accept(state, {"model": kept})
    assert not [record for record in caplog.records if record.exc_info]
