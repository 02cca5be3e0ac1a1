"""Interrupts and the like, from the first import to the last line: each end is one line, and loses nothing.

It imports next to nothing, as it is there before all else: an interrupt while Python reads typing or contextlib would
still be a traceback.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

#: What ends a program: Ctrl-C, a service manager, a terminal that goes. Windows has no SIGHUP.
NUMBERS = tuple(
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
)
PATIENCE_S = 20.0  # that is given to what is being closed; a signal after that ends the process at once
AGAIN_S = 0.02
WORDS = {"SIGINT": "interrupted", "SIGTERM": "ended by SIGTERM", "SIGHUP": "the terminal is gone"}


class Interrupted(KeyboardInterrupt):
    """A signal has ended what was going on; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(WORDS[signal.Signals(number).name])
        self.number = number


def code_of(error: KeyboardInterrupt) -> int:
    """The exit code that shells know for it."""
    return 128 + (error.number if isinstance(error, Interrupted) else signal.SIGINT)


def behind(error: BaseException | None) -> KeyboardInterrupt | None:
    """The interrupt that has led to an error, through whatever others made of it."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def say(line: str) -> None:
    """A line on standard error, even in the middle of another one, or where nobody reads it any more."""
    try:
        where = sys.stderr.fileno()  # not always 2: what libraries print there may be kept off
    except (AttributeError, OSError, ValueError):
        where = 2
    try:
        os.write(where, f"performer: {line}\n".encode())
    except OSError:
        return


class Ending:
    """What was asked for once is being done: signals that come meanwhile change nothing."""

    def __init__(self) -> None:
        self.asked_t: float | None = None
        self._told = False

    def begin(self) -> None:
        """From now on the program ends."""
        if self.asked_t is None:
            self.asked_t = monotonic()

    def again(self, number: int) -> bool:
        """Whether it was asked before; where that was long ago, whoever asks is tired of waiting."""
        if self.asked_t is None:
            self.begin()
            return False
        if monotonic() - self.asked_t > PATIENCE_S:
            _leave_at_once(number)
        if number == signal.SIGINT and not self._told:
            self._told = True
            say("closing files; nothing is lost")
        return True


ending = Ending()  # of this process
_working = _over = False
_process = 0  # that caught; its forks end at once


def catch() -> None:
    """Take over the signals that end a program, but for those that are ignored (nohup). Main thread only.

    The first one raises Interrupted; later ones are heard while what is open is closed, and change nothing. In the
    middle of an import nothing is open yet, and half of what is imported would not bear an exception: there the
    process ends at once.
    """
    global _process
    if _process == os.getpid():
        return
    _process = os.getpid()
    for number in NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)
    sys.unraisablehook = _unraisable
    atexit.register(_deafen)  # the first one is called last


class Withheld:
    """A context manager around what starts processes of its own in passing: an interrupt waits until it is over.

    Ctrl-C goes to all processes at the terminal, and those, which inherit that, would say so in tracebacks.
    """

    def __enter__(self) -> None:
        self._before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS) if hasattr(signal, "pthread_sigmask") else None

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, self._before)


def leave_to_parent() -> None:
    """In a process that works for another one: it just ends, and that one says so."""
    for number in NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def work() -> None:
    """From now on somebody catches what a signal raises; before, the process just ends."""
    global _working
    _working = True


def over() -> None:
    """All is done and written: the exit code is settled, whatever comes."""
    global _over
    _over = True


def _handle(number: int, frame: FrameType | None) -> None:
    if os.getpid() != _process:
        os._exit(128 + number)
    if _over or ending.again(number):
        return
    if not _working or _importing(frame):
        _leave_at_once(number)
    raise Interrupted(number)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _leave_at_once(number: int) -> None:
    say(WORDS[signal.Signals(number).name])
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, RuntimeError):  # closed, or it was being written to
            continue
    os._exit(128 + number)


def _unraisable(unraisable: Any) -> None:
    """An interrupt that fell into a destructor or a callback is lost there: it comes again, a moment later."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    import _thread
    import threading

    ending.asked_t = None
    number = unraisable.exc_value.number if isinstance(unraisable.exc_value, Interrupted) else signal.SIGINT
    timer = threading.Timer(AGAIN_S, _thread.interrupt_main, (number,))
    timer.daemon = True
    timer.start()


def _deafen() -> None:
    """What is left of the interpreter's end knows no handlers."""
    for number in NUMBERS:
        if signal.getsignal(number) is _handle:
            signal.signal(number, signal.SIG_IGN)
