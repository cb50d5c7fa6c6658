"""What visitors no longer need goes back to the system.

The GNU allocator has an arena for each thread, up to eight a core, and keeps what is freed in
them: a server whose threads work for visitors by turns seems to grow for as long as it runs.
Elsewhere nothing is done.
"""

import ctypes
import threading
from collections.abc import Callable

_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h
_ARENAS = 2


def bound_arenas() -> None:
    """Have all threads of this process share two arenas; to be called before there are any."""
    set_option = _allocator("mallopt")
    if set_option:
        set_option(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give free memory back to the system, in a thread: it takes some hundredths of a second."""
    trim = _allocator("malloc_trim")
    if trim:
        threading.Thread(target=trim, args=(0,), name="memory", daemon=True).start()


def _allocator(name: str) -> Callable[..., int] | None:
    try:
        return getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError, TypeError):
        return None
