"""Numbers of a running show: frame intervals, missed frames, age of the sound shown. Filled without allocating."""

from __future__ import annotations

import numpy as np

MISSED = 1.5  # an interval of more than this many is a missed frame
RECENT = 240  # frames that the HUD's figures look back over


class Stats:
    """Intervals and latencies of all pictures shown; of very long shows, of the last hour or so.

    Parameters
    ----------
    interval_s : float
        Seconds between two pictures when none is late.
    """

    def __init__(self, interval_s: float, kept: int = 1 << 18) -> None:
        self.interval_s = interval_s
        self.frames = 0
        self.missed = 0
        self._intervals = np.zeros(kept, np.float32)
        self._latencies = np.full(kept, np.nan, np.float32)
        self._shown_t: float | None = None

    def shown(self, t: float, latency_s: float) -> None:
        """A picture was shown at time t; its sound was latency_s old (NaN: there is none)."""
        at = self.frames % len(self._intervals)
        if self._shown_t is None:
            self._intervals[at] = self.interval_s
        else:
            interval = t - self._shown_t
            self._intervals[at] = interval
            if interval > MISSED * self.interval_s:
                self.missed += round(interval / self.interval_s) - 1
        self._latencies[at] = latency_s
        self._shown_t = t
        self.frames += 1

    def interval_ms(self, part: float, recent: bool = False) -> float:
        """Quantile of the intervals, in milliseconds; `part` 0..1."""
        return _quantile(self._kept(self._intervals, recent), part)

    def latency_ms(self, part: float, recent: bool = False) -> float:
        """Quantile of the age of the sound when its picture was shown, in milliseconds; 0 without sound."""
        return _quantile(self._kept(self._latencies, recent), part)

    def _kept(self, store: np.ndarray, recent: bool) -> np.ndarray:
        if not recent:
            return store[: self.frames]
        end = self.frames % len(store)
        return store[max(end - RECENT, 0) : end] if end else store[-RECENT:][: self.frames]


def _quantile(values: np.ndarray, part: float) -> float:
    values = values[np.isfinite(values)]
    return float(np.quantile(values, part)) * 1000.0 if len(values) else 0.0
