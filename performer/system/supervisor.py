"""What a machine that runs by itself expects: a clean end on its signals, and signs of life for systemd."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from time import monotonic

from performer.system import interrupts
from performer.system.timeouts import alone

log = logging.getLogger(__name__)
FIRST_REST_S, LONGEST_REST_S = 1.0, 300.0
LAST_S = 0.5  # that calls which have not returned get at the very end


class Service:
    """Tells systemd that the show has begun and that pictures come (sd_notify(3)); elsewhere it does nothing.

    The signs come from the loop that draws, so that a show which stands still is started again.

    environ  the process's; what systemd said there is taken out of it, as no child has a say
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
        self._tell(f"READY=1\nSTATUS={what}")

    def alive(self, now: float) -> None:
        """A picture was shown at time `now` (seconds); may be called for each."""
        if self._every_s and now - self._told_t >= self._every_s:
            self._told_t = now
            self._tell("WATCHDOG=1")

    def ends(self) -> None:
        self._tell("STOPPING=1")

    def _tell(self, words: str) -> None:
        if self._wire is None:
            return
        try:
            self._wire.sendto(words.encode(), self._path)
        except OSError as error:  # nobody listens, or it does not keep up: the show matters more
            log.debug("%s: %s", self._path, error)


@contextmanager
def signals(leave: Callable[[], None]) -> Iterator[None]:
    """While it lasts, SIGINT, SIGTERM and SIGHUP call `leave` instead of ending everything half done.

    However often they come, what is begun then is done to its end. One that was ignored (nohup) stays so. Elsewhere
    than on the main thread it changes nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    ending = interrupts.Ending()

    def asked(number: int, _frame: object) -> None:
        if not ending.again(number):
            leave()

    for number in interrupts.NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, asked)
    try:
        yield
    finally:
        if ending.asked_t is not None:
            interrupts.ending.begin()
        for number, handler in before.items():
            signal.signal(number, handler)


def outlast(name: str, body: Callable[[], None], stop: threading.Event) -> None:
    """Run a thread's body, and again should it fail, ever more seldom, until `stop`: nobody may be there to see it."""
    rest_s = FIRST_REST_S
    while not stop.is_set():
        begun = monotonic()
        try:
            body()
            return
        except Exception:
            if monotonic() - begun > LONGEST_REST_S:  # it had been well
                rest_s = FIRST_REST_S
            log.exception("%s stopped; it begins again in %.0f s", name, rest_s)
        stop.wait(rest_s)
        rest_s = min(2.0 * rest_s, LONGEST_REST_S)


def whole(body: Callable[[], None]) -> None:
    """Run the whole of a program, and end its process as it ended, though calls into libraries have not returned."""
    code: object = 0
    try:
        interrupts.work()
        body()
        interrupts.over()
    except (SystemExit, KeyboardInterrupt) as leaving:
        interrupts.over()
        interrupt = interrupts.behind(leaving)
        if interrupt is not None:
            interrupts.say(str(interrupt) or "interrupted")
        code = leaving.code if isinstance(leaving, SystemExit) else None
        code = interrupts.code_of(interrupt) if interrupt is not None else code
    except BaseException:
        interrupts.over()
        if alone(LAST_S):
            raise
        sys.excepthook(*sys.exc_info())
        code = 1
    if alone(LAST_S):
        sys.exit(code)  # type: ignore[arg-type]
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            stream.flush()
    os._exit(code or 0)
