"""What systemd is told of a show: that it has begun, that pictures come, that it ends (sd_notify(3))."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import MutableMapping

log = logging.getLogger(__name__)


class SystemdNotifier:
    """Tells systemd that the show has begun and that pictures come (sd_notify(3)); elsewhere it does nothing.

    The signs come from the loop that draws, so that a show which stands still is started again.

    Parameters
    ----------
    environ : MutableMapping[str, str], optional
        The process's; what systemd said there is taken out of it, as no child has a say.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        path = environ.pop("NOTIFY_SOCKET", "")
        wanted, whose = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        self._path = "\0" + path[1:] if path.startswith("@") else path
        self._wire: socket.socket | None = None
        self._every_s = 0.0
        self._told_t = float("-inf")
        if not path or not hasattr(socket, "AF_UNIX"):
            return
        self._wire = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._wire.setblocking(False)
        if wanted.isascii() and wanted.isdigit() and whose in ("", str(os.getpid())):
            self._every_s = int(wanted) * 1e-6 / 4.0

    def begun(self, what: str) -> None:
        """The show is on."""
        self._notify(f"READY=1\nSTATUS={what}")

    def alive(self, now: float) -> None:
        """A picture was shown at time `now` (seconds); may be called for each."""
        if self._every_s and now - self._told_t >= self._every_s:
            self._told_t = now
            self._notify("WATCHDOG=1")

    def ends(self) -> None:
        """Tell systemd that the show ends."""
        self._notify("STOPPING=1")

    def _notify(self, words: str) -> None:
        if self._wire is None:
            return
        try:
            self._wire.sendto(words.encode(), self._path)
        except OSError as error:  # nobody listens, or it does not keep up: the show matters more
            log.debug("%s: %s", self._path, error)
