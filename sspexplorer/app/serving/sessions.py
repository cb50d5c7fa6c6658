"""Sessions are made by the server alone, so that no link brings two visitors together in one.

Bokeh lets an address choose the session it opens, ``/app?bokeh-session-id=x``, and two visitors
who follow the same link then share one document: each sees the other's catalogue. A signature
does not help, since whoever made the link may have a signed identity of their own.
"""

from bokeh.application import Application
from bokeh.application.handlers import Handler
from bokeh.document import Document
from bokeh.server.contexts import BokehServerContext
from tornado.httputil import HTTPServerRequest
from tornado.web import HTTPError

_IDENTITIES = ("bokeh-session-id", "bokeh-token")
REFUSED = "This link names a session of somebody: open the app by its address alone."


def brings_identity(arguments: dict, headers: dict) -> bool:
    """Whether a request asks for a session by name.

    Parameters
    ----------
    arguments, headers : mapping
        Of the request, by name.
    """
    return any(name in arguments for name in _IDENTITIES) or any(
        name.lower() == _IDENTITIES[0] for name in headers
    )


class OwnSessions(Handler):
    """Refuses each request that names its session, whether for the page or for its script.

    Raises
    ------
    HTTPError
        403, from :meth:`process_request`.
    """

    def modify_document(self, doc: Document) -> None:
        """Leave the document to the other handlers."""

    def process_request(self, request: HTTPServerRequest) -> dict:
        """Let the request pass, or refuse it."""
        if brings_identity(request.arguments, request.headers):
            raise HTTPError(403, reason=REFUSED)
        return {}


def guard(application: Application) -> None:
    """Have an application refuse links to sessions, from now on."""
    if not any(isinstance(handler, OwnSessions) for handler in application.handlers):
        application.add(OwnSessions())


def let_in(document: Document) -> bool:
    """Guard the application of a new document, and say whether the document itself is its own.

    ``panel serve app.py`` makes the application before the app is run for the first time, which
    is for a visitor already, who may have come by such a link.
    """
    context = document.session_context
    if context is None:
        return True
    if isinstance(context.server_context, BokehServerContext):
        guard(context.server_context.application_context.application)
    # Bokeh hides the identity from the arguments of the request that it shows, not from the token.
    said = context.token_payload
    return not brings_identity(said.get("arguments", {}), said.get("headers", {}))
