"""What a server writes to its log: one line an event, and no cell of anybody's catalogue."""

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime

from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

_QUERY = re.compile(r"\?\S*")


class JSONLines(logging.Formatter):
    """An event as a line of JSON.

    What an exception says is left out, since it may quote a cell, and so is what other packages
    put into their messages: the type, the place and their words are enough to find a mistake.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "event": self._words(record),
        }
        if record.exc_info and record.exc_info[1]:
            error = record.exc_info[1]
            frames = traceback.extract_tb(error.__traceback__)
            said["error"] = type(error).__name__
            said["at"] = [f"{f.filename}:{f.lineno} {f.name}" for f in frames]
        return json.dumps(said)

    @staticmethod
    def _words(record: logging.LogRecord) -> str:
        if record.name == "tornado.access":
            return _QUERY.sub("", record.getMessage())
        own = record.name.split(".")[0] == "sspexplorer"
        return record.getMessage() if own else str(record.msg)


def is_news(record: logging.LogRecord) -> bool:
    """Whether an event is more than that a visitor left before all was sent: nobody's error."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, WebSocketClosedError | StreamClosedError)


def leave_out_farewells() -> None:
    """Have no line in the log of what could not be sent to visitors who had left."""
    for name in ("asyncio", "tornado.application"):
        logging.getLogger(name).addFilter(is_news)


def write_json() -> None:
    """Have every event of this process written to standard error as a line of JSON."""
    logging.captureWarnings(True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONLines())
    # Panel asks for more of its own: two lines for each move of a slider.
    handler.setLevel(logging.INFO)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Those that have handlers of their own, from when they were imported.
    for name in ("bokeh", "panel", "tornado", "tornado.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
