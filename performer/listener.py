"""Sample Ring -> feature Ring: the analysis thread's body, and the newest Features on the show's clock."""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from performer.audio.activation import beat_net
from performer.audio.analyzer import Analyzer
from performer.audio.mix import Mixer
from performer.audio.scope import SAMPLES, Scope
from performer.frame import BANDS, HEAD, TIMES, Features, Sound
from performer.latency import window_delay_s
from performer.sync import Ring

KEPT_ROWS = 2048
MOMENTS = [HEAD.index(name) for name in TIMES]  # columns that the show's clock moves
SLOWEST_DRIFT = 0.002  # part of a late stamp that moves the estimated start of the stream


class Source(Protocol):
    """What the listener needs of a sound input.

    delay_s  how old the newest sample was when it came
    """

    ring: Ring
    rate: int
    delay_s: float

    def pump(self) -> None: ...


class Listener:
    """Analyses what a source's ring brings, hop by hop, and keeps one feature row a hop.

    source  whose `ring` and `rate` may be replaced when a device comes back in another shape
            its ring's stamps are on the show's clock
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._listen_to(source.ring)
        self.names = self._analyzer.names
        self.rows = Ring(KEPT_ROWS, len(HEAD) + len(self.names) + BANDS, np.float64)
        self.lost = 0  # samples that the analysis was too late for
        self._features = Features()

    def run(self, stop: threading.Event) -> None:
        """Thread body: analyse as sound comes; sleeps half a hop when there is none."""
        while not stop.is_set():
            if not self.hear():
                stop.wait(0.5 * self._analyzer.hop / self._source.rate)

    def hear(self) -> int:
        """Analyse all whole hops that have come; returns how many."""
        self._source.pump()
        ring = self._source.ring
        if ring is not self._ring:
            self._listen_to(ring)
        hop, rate = self._analyzer.hop, self._rate
        hops = 0
        while ring.written - self._read >= hop:
            frames, lost = ring.since(self._read, hop)
            self._read += lost + len(frames)
            self.lost += lost
            mono = self._mixer.mix(frames)
            self._mono.write(mono[:, None])
            row = self._analyzer.process(mono)
            self._heard += hop
            start = ring.stamp - ring.written / rate
            if self._start is None or start < self._start:
                self._start = start
            else:
                self._start += (start - self._start) * SLOWEST_DRIFT
            shift = self._start + (self._read - self._heard) / rate
            row[MOMENTS] += shift
            self.rows.write(row[None, :])
            hops += 1
        return hops

    def features(self) -> Features:
        """The newest features; the same object while nothing new was heard."""
        if self.rows.written:
            row = self.rows.latest(1)[0]
            if row[0] != self._features.t:
                self._features = Features.from_row(row, self.names)
        return self._features

    @property
    def device_s(self) -> float:
        """Seconds by which sound is old when the source brings it."""
        return self._source.delay_s

    def sound(self, dt: float) -> Sound:
        """Waveform and spectrum of what was heard last, dt seconds after the last look."""
        return self._scope.look(self._mono.latest(SAMPLES)[:, 0], dt)

    def _listen_to(self, ring: Ring) -> None:
        self._ring = ring
        self._rate = self._source.rate
        self._analyzer = Analyzer(self._rate, beat_net())
        self._mixer = Mixer(self._rate, ring.width)
        self._scope = Scope()
        self._mono = Ring(4 * SAMPLES, 1)
        self._read = ring.written
        self._heard = 0
        self.window_s = window_delay_s(self._rate)  # see there
        self._start: float | None = None  # when the stream's first sample sounded, on the show's clock
