"""Keep what ALSA, JACK and PortAudio print by themselves off the terminal; what Python writes there is never touched.

These libraries print to descriptor 2 from C, past every log: a dozen lines at each start without a JACK server. ALSA
and JACK let a program take their printing over, once and for all, in any thread. PortAudio does not, so while it is
called descriptor 2 leads nowhere, and Python's own standard error goes to a copy of it made before.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

#: Start of a library's file name -> its functions that take the one it shall print with.
SETTERS = {
    "libasound": ("snd_lib_error_set_handler",),
    "libjack": ("jack_set_error_function", "jack_set_info_function"),
}
_lock = threading.Lock()
_done: set[str] = set()  # modules whose libraries are quiet
_apart = False  # whether Python writes to another descriptor than 2
_depth = 0
_saved = -1


def keep_stderr() -> None:
    """Let Python's standard error go to a copy of descriptor 2 from now on. Once, by a process of our own."""
    global _apart
    if _apart or not isinstance(sys.stderr, io.TextIOWrapper):
        return
    try:
        if sys.stderr.fileno() != 2:
            return
        copy = os.dup(2)
    except OSError:  # a process without one
        return
    sys.stderr = open(copy, "w", buffering=1, encoding=sys.stderr.encoding, errors=sys.stderr.errors)  # noqa: SIM115
    _apart = True


def hush(module: str) -> None:
    """Have the libraries that came with a module, such as "rtmidi", print nothing; --debug lets them.

    What takes their place is a function of libc that does nothing with its arguments: one of Python's would run in
    their threads, and once more while the interpreter ends.
    """
    if sys.platform != "linux" or module in _done or module not in sys.modules or _wanted():
        return
    _done.add(module)
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
    for path in _loaded():
        with contextlib.suppress(OSError):
            library = ctypes.CDLL(path)
            for prefix, setters in SETTERS.items():
                for name in setters if Path(path).name.startswith(prefix) else ():
                    if hasattr(library, name):
                        setter = getattr(library, name)
                        setter.argtypes = [ctypes.c_void_p]
                        setter.restype = None
                        setter(nothing)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """While this lasts, nothing that is printed from C is seen; only where Python's standard error was kept."""
    global _depth, _saved
    if not _apart or _wanted():
        yield
        return
    with _lock:
        if _depth == 0:
            with contextlib.suppress(OSError):
                _saved = os.dup(2)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 2)
                os.close(nowhere)
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0 and _saved >= 0:
                os.dup2(_saved, 2)
                os.close(_saved)
                _saved = -1


def _wanted() -> bool:
    return logging.getLogger().isEnabledFor(logging.DEBUG)


def _loaded() -> set[str]:
    """Files of the libraries in this process."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        return {line[line.index("/") :] for line in lines if "/" in line and ".so" in line}
    return set()
