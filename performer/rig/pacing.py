"""When to begin the next picture: an even schedule where the screen gives none."""

from __future__ import annotations

from time import perf_counter, sleep

SPIN_S = 0.0008  # the end of a wait is spun: the system's sleep wakes late by about this
CALM_S = 0.5  # time constant with which a slow picture is forgotten
MARGIN_S = 0.002  # for what a picture may take longer than those before it
SWAPS = 40  # first swaps, by which it is learned whether the screen sets the pace


class Pacer:
    """Absolute times at a fixed interval; after a late frame the schedule goes on from now, it does not catch up.

    Parameters
    ----------
    interval_s : float
        Seconds between two pictures.
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


class Pace:
    """Who sets the pace: a schedule of our own, or the screen, once swapping is seen to wait for it.

    Two schedules would beat against each other. A screen that is gone waits for nobody: then the pace is ours again.

    Parameters
    ----------
    interval_s : float
        Seconds between two pictures when none is late.
    """

    def __init__(self, interval_s: float) -> None:
        self.interval_s = interval_s
        self._pacer: Pacer | None = Pacer(interval_s)
        self._work_s = interval_s  # the longest that a picture took of late
        self._swaps_s: list[float] = []
        self._hasty = 0  # pictures in a row that no screen held up

    @property
    def ours(self) -> bool:
        """Whether no screen sets the pace."""
        return self._pacer is not None

    def rest(self) -> None:
        """Sleep until the next picture must be begun: the later it begins, the newer is the sound in it."""
        if self._pacer is not None:
            self._pacer.rest(self._work_s + MARGIN_S)

    def wait(self, took_s: float, dt: float) -> None:
        """Note what a picture took, dt seconds after the one before; sleep until it is due."""
        self._work_s = max(took_s, self._work_s + (took_s - self._work_s) * min(1.0, dt / CALM_S))
        if self._pacer is not None:
            self._pacer.wait()

    def swapped(self, took_s: float, dt: float) -> None:
        """Note how long swapping took, and find out whether it waits for a screen."""
        if self._pacer is None:
            self._hasty = self._hasty + 1 if dt < 0.5 * self.interval_s else 0
            if self._hasty >= SWAPS:
                self._pacer = Pacer(self.interval_s)
                self._hasty = 0
        elif len(self._swaps_s) < SWAPS:
            self._swaps_s.append(took_s)
            if len(self._swaps_s) == SWAPS and sorted(self._swaps_s)[SWAPS // 2] > 0.25 * self.interval_s:
                self._pacer = None

    def look_again(self) -> None:
        """Another screen: find out anew."""
        self._swaps_s.clear()
