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

    def slack(self) -> float:
        """Seconds until the next picture is due."""
        return self._next - perf_counter()

    def wait(self) -> None:
        """Sleep until the next picture is due."""
        rest = self._next - perf_counter()
        if rest > SPIN_S:
            sleep(rest - SPIN_S)
        while perf_counter() < self._next:
            sleep(0.0)  # gives the other threads their turn
        now = perf_counter()
        self._next += self.interval_s
        if self._next < now:
            self._next = now + self.interval_s
