"""Followers and automatic gain. Every time constant is in seconds, every speed in decibels per second."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np


def smoothing(dt: float, tau: float) -> float:
    """Share of the way gone within dt by a follower with time constant tau (both in seconds)."""
    return 1.0 if tau <= 0.0 else 1.0 - exp(-dt / tau)


class Smoother:
    """Rises with one time constant and falls with another, value by value.

    Parameters
    ----------
    attack : Sequence[float]
        (n,) seconds to rise by 63 %; 0 follows at once.
    release : Sequence[float]
        (n,) seconds to fall by 63 %.
    """

    def __init__(self, dt: float, attack: Sequence[float], release: Sequence[float]) -> None:
        self._down = np.array([smoothing(dt, tau) for tau in release])
        self._faster_up = np.array([smoothing(dt, tau) for tau in attack]) - self._down
        self.values = np.zeros(len(self._down))
        self._nothing = np.zeros(len(self._down))
        self._step = np.zeros(len(self._down))
        self._rise = np.zeros(len(self._down))

    def update(self, raw: np.ndarray) -> np.ndarray:
        """Follow raw (n,); returns `values`, the same array each time."""
        values = self.values
        step = self._step
        rise = self._rise
        np.subtract(raw, values, out=step)
        np.maximum(step, self._nothing, out=rise)
        np.multiply(step, self._down, out=step)
        np.multiply(rise, self._faster_up, out=rise)
        np.add(values, step, out=values)
        np.add(values, rise, out=values)
        return values


class AutoGain:
    """What counts as loud just now, per channel, in decibels.

    A reference rises to louder sound at once and falls slowly, so that a quiet passage stays visibly lower.
    Only when sound stays more than DEEP below it (another song, a fader pulled down) it falls fast, all the way.

    Parameters
    ----------
    floor_db : float
        The first channel, the whole, counts nothing less as loud; the others, its parts, PART_DB less.
    """

    ATTACK_S = 0.03
    HOLD_S = 0.6  # the sound's own peak is that of one to two such spans: gaps between notes don't count as quiet
    SLOW_DB_S = 1.0
    FAST_DB_S = 60.0
    DEEP_DB = 17.0
    SETTLED_DB = 1.0
    PART_DB = 36.0

    def __init__(self, dt: float, channels: int, floor_db: float) -> None:
        self._up = smoothing(dt, self.ATTACK_S)
        self._span = max(1, round(self.HOLD_S / dt))
        self._count = 0
        self._slow = self.SLOW_DB_S * dt
        self._fast = self.FAST_DB_S * dt
        self._floors = [floor_db - self.PART_DB * (i > 0) for i in range(channels)]
        self.reference = list(self._floors)
        self._peak = list(self._floors)  # of this span and the one before
        self._span_peak = list(self._floors)
        self._deep = [False] * channels

    def update(self, levels_db: Sequence[float]) -> list[float]:
        """Levels (channels,) in decibels -> `reference` (channels,), the same list each time."""
        self._count += 1
        turn = self._count >= self._span
        if turn:
            self._count = 0
        reference = self.reference
        peaks = self._peak
        spans = self._span_peak
        deeps = self._deep
        for i, level in enumerate(levels_db):  # a handful of numbers: plain Python beats numpy
            loud = reference[i]
            if turn:
                peaks[i], spans[i] = max(spans[i], level), level
            elif level > spans[i]:
                spans[i] = level
                if level > peaks[i]:
                    peaks[i] = level
            gap = loud - peaks[i]
            deep = gap > self.SETTLED_DB if deeps[i] else gap > self.DEEP_DB
            deeps[i] = deep
            loud -= self._fast if deep else self._slow
            if level > loud:
                loud += (level - loud) * self._up
            reference[i] = loud if loud > self._floors[i] else self._floors[i]
        return reference
