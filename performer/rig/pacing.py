"""When to begin the next picture: an even schedule where the screen gives none."""

from __future__ import annotations

from time import perf_counter, sleep

SPIN_S = 0.0008  # the end of a wait is spun: the system's sleep wakes late by about this


class Pacer:
    """Absolute times at a fixed interval; after a late frame the schedule goes on from now, it does not catch up.

    interval_s  seconds between two pictures
    """

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self._next = perf_counter()

    def rest(self, work_s: float) -> None:
        """Sleep until work of so many seconds must begin for the next picture to be in time."""
        rest = self._next - work_s - perf_counter()
        if rest > 0.0:
            sleep(rest)

    def wait(self) -> None:
        """Sleep until the next picture is due; the one after it is due an interval later."""
        rest = self._next - perf_counter()
        if rest > SPIN_S:
            sleep(rest - SPIN_S)
        while perf_counter() < self._next:
            sleep(0.0)  # gives the other threads their turn
        now = perf_counter()
        self._next += self.interval_s
        if self._next < now:
            self._next = now + self.interval_s
