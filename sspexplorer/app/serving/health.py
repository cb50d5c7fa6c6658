"""``/health``: whether a server is alive and warm, for whoever watches it."""

import os
import resource
from collections.abc import Callable
from pathlib import Path

from tornado.web import RequestHandler

from sspexplorer import __version__


def memory_mb() -> float:
    """Memory of this process (MB); where the system does not say, the most that it had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return pages * resource.getpagesize() / 1e6


class Health(RequestHandler):
    """Answers with a JSON object; 200 as soon as visitors are answered."""

    def initialize(self, is_warm: Callable[[], bool], n_sessions: Callable[[], int]) -> None:
        """Take what to ask."""
        self._is_warm, self._n_sessions = is_warm, n_sessions

    def get(self) -> None:
        """Answer."""
        self.set_header("Cache-Control", "no-store")
        self.write(
            {
                "alive": True,
                "warm": self._is_warm(),
                "sessions": self._n_sessions(),
                "memory_mb": round(memory_mb(), 1),
                "version": __version__,
                "process": os.getpid(),
            }
        )
