"""What all that opens sound streams shares: ending them, and leaving a sound system that does not answer."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

log = logging.getLogger(__name__)
_out = 0  # calls into PortAudio that have not returned
_stderr = -1  # a copy of it while calls are out: PortAudio is started with its babble shut off
_lock = threading.Lock()


@contextmanager
def asking() -> Iterator[None]:
    """Around each call that a frozen sound server may keep."""
    global _out, _stderr
    with _lock:
        if _out == 0:
            with suppress(OSError):
                _stderr = os.dup(2)
        _out += 1
    try:
        yield
    finally:
        with _lock:
            _out -= 1
            if _out == 0 and _stderr >= 0:
                os.close(_stderr)
                _stderr = -1


def stuck() -> bool:
    """Whether a call into PortAudio has not returned: then it must not be started anew."""
    return _out > 0


def end(stream: Any, name: str) -> None:
    """Stop and close a stream, however its device is; may hang with a frozen or dying sound server."""
    with asking():
        try:
            stream.abort()
            stream.close()
        except Exception as error:  # a device that is gone cannot be closed properly
            log.debug("closing %s: %s", name, error)


def leave() -> None:
    """Where a call has not returned: have standard error back, and forgo PortAudio's farewell, which would hang."""
    with _lock:
        if _out and _stderr >= 0:
            os.dup2(_stderr, 2)
        stuck = _out > 0
    if stuck:
        without_farewell()


def without_farewell() -> None:
    """Forgo PortAudio's farewell at exit: it hangs, or aborts the process, when its server has frozen or died."""
    farewell = getattr(sys.modules.get("sounddevice"), "_exit_handler", None)  # an import that hangs has none yet
    if farewell is not None:
        atexit.unregister(farewell)
