"""All that threads may share: Ring (one writer, readers copy) and Latest (newest wins)."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class Ring:
    """A mirrored ring of rows: one thread writes, any thread reads copies, nobody waits.

    Every row is stored twice, `capacity` apart, so that any window of up to `capacity` rows is contiguous.
    A reader that was overtaken while copying notices by the writer's counter and copies again.

    Parameters
    ----------
    capacity : int
        Rows kept.
    width : int
        Values per row: channels of sound, or columns of features.
    """

    def __init__(self, capacity: int, width: int, dtype: type = np.float32) -> None:
        if capacity < 1 or width < 1:
            raise ValueError(f"a Ring needs at least one row and one column, not {capacity} x {width}")
        self.capacity = capacity
        self.width = width
        self._rows: np.ndarray = np.zeros((2 * capacity, width), dtype)
        self._begun = 0  # rows whose writing has begun: what they replace is no longer to be trusted
        self._written = 0
        self.stamp = 0.0  # the writer's clock at its newest write, in seconds

    @property
    def written(self) -> int:
        """Rows written since the start."""
        return self._written

    def write(self, rows: np.ndarray, stamp: float = 0.0) -> None:
        """Append rows (n, width); of more than `capacity` only the newest are kept. Writer's thread only."""
        n = len(rows)
        total = self._written + n
        if n > self.capacity:
            rows = rows[n - self.capacity :]
            n = self.capacity
        self._begun = total
        at = (total - n) % self.capacity
        head = min(n, self.capacity - at)
        store = self._rows
        store[at : at + head] = rows[:head]
        store[at + self.capacity : at + self.capacity + head] = rows[:head]
        if head < n:
            store[: n - head] = rows[head:]
            store[self.capacity : self.capacity + n - head] = rows[head:]
        self.stamp = stamp
        self._written = total

    def latest(self, n: int) -> np.ndarray:
        """Copy of the newest n rows (n, width), zeros where fewer were ever written."""
        if n > self.capacity:
            raise ValueError(f"asked for {n} rows of a Ring that keeps {self.capacity}")
        while True:
            end = self._written
            copy = self._window(end, n)
            if self._begun - end <= self.capacity - n:
                return copy

    def since(self, count: int, most: int | None = None) -> tuple[np.ndarray, int]:
        """Rows written after the first `count`, oldest first, and how many were lost to the writer's lead.

        Parameters
        ----------
        most : int, optional
            Take at most this many (the oldest of them).
        """
        while True:
            end = self._written
            first = max(count, end - self.capacity)
            n = end - first if most is None else min(most, end - first)
            copy = self._window(first + n, n)
            if self._begun - first <= self.capacity:
                return copy, first - count

    def _window(self, end: int, n: int) -> np.ndarray:
        at = (end - n) % self.capacity
        return self._rows[at : at + n].copy()


class Latest(Generic[T]):
    """A mailbox that holds one immutable value; a newer one replaces it, and nobody waits to post."""

    def __init__(self) -> None:
        self._slot: tuple[int, T | None] = (0, None)
        self._bell = threading.Condition()

    def post(self, value: T) -> None:
        """Put a value in the place of the last one, and wake who waits."""
        with self._bell:
            self._slot = (self._slot[0] + 1, value)
            self._bell.notify_all()

    def peek(self) -> T | None:
        """The newest value, or None before the first."""
        return self._slot[1]

    @property
    def count(self) -> int:
        """Values posted so far."""
        return self._slot[0]

    def wait(self, count: int, timeout: float) -> tuple[int, T | None]:
        """Wait up to `timeout` seconds for more than `count` values; returns (values posted, newest)."""
        if self._slot[0] <= count:
            with self._bell:
                self._bell.wait_for(lambda: self._slot[0] > count, timeout)
        return self._slot
