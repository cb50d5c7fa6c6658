"""Whoever has not logged in is refused a page's script as well, as they are refused its socket.

Panel sends a stranger who asks for the script of a page to the door, and then waits for a session
that was not made: an error in the log for each who tries.
"""

from bokeh.server.urls import per_app_patterns
from panel.io.server import AutoloadJsHandler


class Script(AutoloadJsHandler):
    """The script that brings a page into another page."""

    async def prepare(self) -> None:
        """Refuse strangers before anything is made for them."""
        await super().prepare()
        if self.current_user is None:
            self.set_status(403)
            await self.finish()


def refuse_strangers() -> None:
    """Have all servers of this process refuse them, from now on."""
    per_app_patterns[:] = [
        (path, Script if handler is AutoloadJsHandler else handler)
        for path, handler in per_app_patterns
    ]
