"""What all that opens sound streams shares: their health, when to look again, leaving one that does not answer."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from performer.system.errors import Fault
from performer.system.native_noise import hush, silenced

log = logging.getLogger(__name__)
RETRY_S = 1.0
EAGER_S = 300.0  # after so long a lost device is looked for more seldom: each look leaves 12 kB behind in PortAudio
SELDOM_S = 60.0 if sys.platform == "linux" else 10.0  # on Linux files tell when something was plugged in
QUIET_S = 1.0  # without anything new for this long it is looked whether the device is still there
LATE_S = 3.0  # and for this long it is lost, though it seems to be there: its server hangs
ATTENDED_S = 0.3  # more of the time between two polls does not count: whoever polls late may be heard late
ASK_S = 0.5
_out = 0  # calls into PortAudio that have not returned
_stderr = -1  # a copy of it while calls are out: PortAudio is started with its babble shut off
_lock = threading.Lock()


@contextmanager
def blocking_call() -> Iterator[None]:
    """Around each call that a frozen sound server may keep; what is printed meanwhile is not seen."""
    global _out, _stderr
    with _lock:
        if _out == 0:
            with suppress(OSError):
                _stderr = os.dup(2)
        _out += 1
    hush("sounddevice")
    try:
        with silenced():
            yield
    finally:
        with _lock:
            _out -= 1
            if _out == 0 and _stderr >= 0:
                os.close(_stderr)
                _stderr = -1


def call_pending() -> bool:
    """Whether a call into PortAudio has not returned: then it must not be started anew."""
    return _out > 0


def end(stream: Any, name: str) -> None:
    """Stop and close a stream, however its device is; may hang with a frozen or dying sound server."""
    with blocking_call():
        try:
            stream.abort()
            stream.close()
        except Exception as error:  # a device that is gone cannot be closed properly
            log.debug("closing %s: %s", name, error)


def detach() -> None:
    """Where a call has not returned: have standard error back, and forgo PortAudio's farewell, which would hang."""
    with _lock:
        if _out and _stderr >= 0:
            os.dup2(_stderr, 2)
        call_pending = _out > 0
    if call_pending:
        skip_exit_handler()


def skip_exit_handler() -> None:
    """Forgo PortAudio's farewell at exit: it hangs, or aborts the process, when its server has frozen or died."""
    farewell = getattr(sys.modules.get("sounddevice"), "_exit_handler", None)  # an import that hangs has none yet
    if farewell is not None:
        atexit.unregister(farewell)


def reinitialise() -> None:
    """Start PortAudio anew, as its list of devices is frozen until then. No stream may be open. Raises Fault.

    Not where it talks to a JACK server: if that has died, PortAudio's own farewell aborts the whole process.
    """
    import sounddevice as sd

    try:
        if any("JACK" in api["name"] for api in sd.query_hostapis()):
            skip_exit_handler()
            return
        with blocking_call():
            sd._terminate()
            sd._initialize()
    except Exception as error:
        raise Fault(f"PortAudio does not start: {line(error)}") from None


def line(error: Exception) -> str:
    """An error of PortAudio's in one line."""
    return " ".join(str(error).split())[:160]


class StreamHealth:
    """Tells a stream that is only late, as on a busy machine, from one whose device is gone. Begun when it is opened.

    Attributes
    ----------
    quiet_s
        Seconds since something came, as far as somebody looked.
    """

    def __init__(self, now: float) -> None:
        self.quiet_s = 0.0
        self._count = 0
        self._polled_t = now
        self._asked_s = 0.0
        self._plugged, self._served, self._gone = plugged(), served(), False

    def only_late(self, now: float, count: int) -> bool:
        """Whether there is hope; to be asked some ten times a second.

        Parameters
        ----------
        count : int
            Count of what has come so far: samples, or calls.
        """
        attended = min(now - self._polled_t, ATTENDED_S)
        self._polled_t = now
        if count != self._count:
            self._count = count
            self.quiet_s = 0.0
            self._asked_s = 0.0
            return True
        self.quiet_s += attended
        if self.quiet_s < QUIET_S or self.quiet_s >= LATE_S:
            return self.quiet_s < QUIET_S
        if self.quiet_s >= self._asked_s + ASK_S:
            self._asked_s = self.quiet_s
            self._gone = plugged() != self._plugged or (self._served and not served())
        return not self._gone


class RetrySchedule:
    """When to look for a device that is not there: every second; after EAGER_S seldom, unless something is plugged in.

    Parameters
    ----------
    now : float
        Seconds, on the clock of the other calls.
    """

    def __init__(self, now: float) -> None:
        self.tries = 0  # since it began
        self._tried_t = float("-inf")
        self.begin(now)

    def begin(self, now: float) -> None:
        """The device has just been lost."""
        self._eager_t, self._plugged, self.tries = now, plugged(), 0

    def due(self, now: float) -> bool:
        """Whether to look now; then it counts as a try."""
        there = plugged()
        if there != self._plugged:
            self._plugged = there
            self._eager_t = now
        if now - self._tried_t < (RETRY_S if now - self._eager_t < EAGER_S else SELDOM_S):
            return False
        self._tried_t = now
        self.tries += 1
        return True


def plugged() -> tuple[str, ...]:
    """Changes when a sound card or a sound server comes or goes, as far as files tell it."""
    seen = []
    for path in (Path("/dev/snd"), *_sockets()):
        with suppress(OSError):
            seen.append(f"{path} {path.stat().st_ctime_ns}")
    return tuple(seen)


def _sockets() -> tuple[Path, Path]:
    """Where sound servers listen."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nowhere")
    return runtime / "pulse" / "native", runtime / "pipewire-0"


def served() -> bool:
    """Whether a sound server listens, busy or not. One that has died leaves a socket at which nobody does."""
    if not hasattr(socket, "AF_UNIX"):
        return False
    for path in _sockets():
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as wire:
            wire.setblocking(False)
            try:
                wire.connect(str(path))
            except BlockingIOError:  # more wait for it than it has taken up
                return True
            except OSError:
                continue
            return True
    return False
