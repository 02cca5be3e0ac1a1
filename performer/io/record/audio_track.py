"""The sound beside a recording's pictures: one rate and number of channels, whatever the input has at the moment."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
import soxr

from performer.audio import surround
from performer.system.mailboxes import Ring

TOLERANCE_S = 0.04  # sound further than this from its place on the time line is put right


class Track:
    """Reads sound from rings, one after another as inputs come and go, and makes it all alike.

    Parameters
    ----------
    rate, channels : int
        Of what it gives; sound of another rate is resampled, of more channels mixed, of one repeated.
    """

    def __init__(self, rate: int, channels: int) -> None:
        self.rate = rate
        self.channels = channels
        self._ring: Ring | None = None
        self._from = rate
        self._resampler: soxr.ResampleStream | None = None
        self._start = self._at = 0  # samples of the ring: where this run began, and what is read next
        self._given = 0  # samples, since then
        self._spare = np.zeros((0, channels), np.float32)  # that were made and not wanted yet

    def read(self, ring: Ring, rate: int, t: float, most: int, layout: Sequence[str] = ()) -> np.ndarray:
        """Up to `most` samples (n, channels) float32 of what sounded from time t on, by the ring's stamps.

        Of what the ring no longer has, and before it began, silence; fewer samples where it does not have them yet.

        Parameters
        ----------
        rate : int
            Rate of the ring.
        layout : Sequence[str], optional
            Names of its channels' speakers, as audio.surround has them; empty where they are not known.
        """
        if ring is not self._ring:
            known = self._ring is not None
            self._ring = ring
            self._begin(rate, place(ring, t, rate))
            if known:  # the rate of a new one may be a moment behind
                return self._silence(0)
        ratio, there = rate / self.rate, place(ring, t, rate)
        if rate != self._from or abs(there - self._start - self._given * ratio) > TOLERANCE_S * rate:
            self._begin(rate, there)
        if self._at < 0:  # the movie began before the ring did
            missing = min(ceil(-self._at / ratio), most)
            self._begin(rate, min(0, self._at + ceil(missing * ratio)))
            return self._silence(missing)
        if self._at >= ring.written and not len(self._spare):
            return self._silence(0)
        samples, lost = ring.since(min(self._at, ring.written), ceil(max(most - len(self._spare), 0) * ratio))
        if lost:
            missing = min(round(lost / ratio), most)
            self._begin(rate, self._at + round(missing * ratio))
            return self._silence(missing)
        self._at += len(samples)
        made = surround.fitted(samples, layout, self.channels)
        if self._resampler is None:
            out = made
        else:
            made = np.concatenate([self._spare, self._resampler.resample_chunk(made)]) if len(made) else self._spare
            out = made[:most]
            self._spare = made[most:]
        self._given += len(out)
        return out

    def _begin(self, rate: int, at: int) -> None:
        self._from = rate
        self._start = at
        self._at = at
        self._given = 0
        self._spare = self._silence(0)
        self._resampler = soxr.ResampleStream(rate, self.rate, self.channels, "float32") if rate != self.rate else None

    def _silence(self, count: int) -> np.ndarray:
        return np.zeros((count, self.channels), np.float32)


def place(ring: Ring, t: float, rate: int) -> int:
    """Which sample of the ring belongs to time t, by the stamp of its newest write."""
    while True:
        count = ring.written
        stamp = ring.stamp
        if ring.written == count:
            return round(count - (stamp - t) * rate)
