"""Calls that may never return: a sound server that is frozen keeps whoever asks it something."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

T = TypeVar("T")
_aside: set[threading.Thread] = set()  # whose end nobody waits for
_lock = threading.Lock()


class TimedOut(Exception):
    """The call has not returned in time; it goes on aside, and nobody waits for it any more."""


class Call(Generic[T]):
    """A call on a thread of its own, which does not keep the program from ending.

    Parameters
    ----------
    late : callable, optional
        Called with the result when it comes after all, though nobody waits any more.
    """

    def __init__(self, body: Callable[[], T], late: Callable[[T], None] | None = None) -> None:
        self._body = body
        self._late = late
        self._result: list[T] = []
        self._error: BaseException | None = None
        self._given_up = False
        self._lock = threading.Lock()
        self._done = threading.Event()
        thread = threading.Thread(target=self._run, name="aside", daemon=True)
        abandon(thread)
        thread.start()

    @property
    def done(self) -> bool:
        """Whether the call has returned, or raised."""
        return self._done.is_set()

    def give_up(self) -> None:
        """Wait no longer: what it returns goes to `late`, now or when it comes."""
        with self._lock:
            self._given_up = True
            there = self._done.is_set()
        if there and self._result and self._late is not None:
            self._late(self._result[0])

    def wait(self, seconds: float) -> T:
        """The call's result, or its exception. Raises TimedOut after so many seconds."""
        self._done.wait(seconds)
        with self._lock:
            if not self._done.is_set():
                self._given_up = True
                raise TimedOut
        if self._error is not None:
            raise self._error
        return self._result[0]

    def _run(self) -> None:
        try:
            self._result.append(self._body())
        except BaseException as error:
            self._error = error
        with self._lock:
            self._done.set()
        if self._given_up and self._result and self._late is not None:
            self._late(self._result[0])


def abandon(thread: threading.Thread) -> None:
    """Wait no longer for a daemon thread to end; see `alone`."""
    with _lock:
        _aside.difference_update([one for one in _aside if one.ident is not None and not one.is_alive()])
        _aside.add(thread)


def join_abandoned(seconds: float) -> bool:
    """Whether all threads that nobody waits for end within so many seconds.

    Where one does not, it may be inside a library in C++, which aborts the process when Python ends under its feet:
    then the process has to end at once, by os._exit.
    """
    ends = monotonic() + seconds
    with _lock:
        left = [one for one in _aside if one.ident is not None]  # an interrupt may have kept one from being started
    for thread in left:
        thread.join(max(ends - monotonic(), 0.0))
    return not any(thread.is_alive() for thread in left)


def within(seconds: float, body: Callable[[], T], late: Callable[[T], None] | None = None) -> T:
    """Call `body` aside and wait for it so long. Raises what it raises, or TimedOut."""
    return Call(body, late).wait(seconds)
