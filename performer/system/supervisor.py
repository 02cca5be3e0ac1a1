"""Running to the end: signals end a program cleanly, a thread that fails begins again, a process ends as it should."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from performer.system import interrupts
from performer.system.timeouts import join_abandoned

log = logging.getLogger(__name__)
FIRST_REST_S = 1.0
LONGEST_REST_S = 300.0
LAST_S = 0.5  # that calls which have not returned get at the very end


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


def restart_on_error(name: str, body: Callable[[], None], stop: threading.Event) -> None:
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
            log.exception("%s failed; restarting in %.0f s", name, rest_s)
        stop.wait(rest_s)
        rest_s = min(2.0 * rest_s, LONGEST_REST_S)


def run_to_exit(body: Callable[[], None]) -> None:
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
        if join_abandoned(LAST_S):
            raise
        sys.excepthook(*sys.exc_info())
        code = 1
    if join_abandoned(LAST_S):
        sys.exit(code)  # type: ignore[arg-type]
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            stream.flush()
    os._exit(code or 0)
