"""The C heap, which on Linux keeps what was freed."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int] | None:
    if sys.platform != "linux":
        return None
    try:
        found = ctypes.CDLL(None).malloc_trim  # glibc's own; called so, it lets other threads of Python's run meanwhile
    except AttributeError:  # musl
        return None
    found.argtypes = (ctypes.c_size_t,)
    return found


def give_back() -> None:
    """Give free memory back to the system, some milliseconds long: after something large is gone, on its own thread.

    glibc has a heap for each thread, more or less, and each keeps the most that it ever held: films that come and go
    on threads of their own take hundreds of megabytes, and no other thread can have them.
    """
    trim = _trim()
    if trim is not None:
        trim(0)
