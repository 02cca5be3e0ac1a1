"""Short lines for whoever plays: each has a severity and a time it stays, and comes once per cause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from threading import Lock

TIMEOUT_S = 4.0
SEVERITIES = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Notification:
    """One line.

    Attributes
    ----------
    t : float
        Seconds, on the show's clock, when it came last.
    text : str
        In one sentence.
    severity : str
        One of SEVERITIES.
    timeout_s : float
        Seconds that it stays.
    times : int
        How often it has come while it was there.
    """

    t: float
    text: str
    severity: str = "info"
    timeout_s: float = TIMEOUT_S
    times: int = 1


class Notifications:
    """The newest notifications, oldest first; any thread may post, and iterate over a copy.

    Parameters
    ----------
    capacity : int, optional
        How many are kept; 0: none at all, for a show that nobody watches over.
    """

    def __init__(self, capacity: int = 8) -> None:
        self._capacity = capacity
        self._kept: tuple[Notification, ...] = ()
        self._lock = Lock()

    def post(self, t: float, text: str, severity: str = "info", timeout_s: float = TIMEOUT_S) -> None:
        """Add a line; one that is still there is counted and renewed, not repeated."""
        with self._lock:
            alive = [one for one in self._kept if t - one.t < one.timeout_s]
            same = next((one for one in alive if (one.text, one.severity) == (text, severity)), None)
            if same is not None:
                alive.remove(same)
                fresh = replace(same, t=t, times=same.times + 1)
            else:
                fresh = Notification(t, text, severity, timeout_s)
            self._kept = tuple([*alive, fresh][-self._capacity :]) if self._capacity else ()

    def current(self, t: float) -> tuple[Notification, ...]:
        """Those whose time is not over at time t; the others are forgotten."""
        with self._lock:
            self._kept = tuple(one for one in self._kept if t - one.t < one.timeout_s)
            return self._kept

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept = ()

    def __iter__(self) -> Iterator[Notification]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)
