"""Sample Ring -> feature Ring: the analysis thread's body, and the newest Features on the show's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import perf_counter
from typing import Protocol

import numpy as np

from performer.audio.analyzer import Analyzer
from performer.audio.beat_network import beat_net
from performer.audio.control_features import NAMES, TICK_S, ControlFeatures
from performer.audio.downmix import Mixer
from performer.audio.waveform import SAMPLES, Scope
from performer.rig.latency import window_delay_s
from performer.system.mailboxes import Ring
from performer.types.features import BANDS, HEAD, TIMES, Features, Sound

KEPT_ROWS = 2048
KEPT_TICKS = 1024
MOMENTS = [HEAD.index(name) for name in TIMES]  # columns that the show's clock moves
SLOWEST_DRIFT = 0.002  # part of a late stamp that moves the estimated start of the stream


class Source(Protocol):
    """What the listener needs of a sound input.

    Attributes
    ----------
    delay_s : float
        How old the newest sample was when it came.
    """

    ring: Ring
    rate: int
    delay_s: float

    def pump(self) -> None: ...


class Rhythm:
    """When to look for sound, which comes in blocks: seldom until the next is nearly due, then often.

    So sound is found a twentieth of a hop after it came, by two or three looks a hop.
    """

    # parts of a block's time until the next look; sooner if this block may have lain there
    NEARLY = 0.85
    SOONER = 0.4
    LOOKS = 10  # a hop, once it is nearly due,
    PATIENT = 20  # for so many hops; then two
    SETTLE = 0.1
    LONGEST_S = 0.1  # between two blocks of one stream

    def __init__(self, now: float) -> None:
        self._came = now  # when sound was found last
        self._block = 0.0  # seconds from one block to the next
        self._vain = 0  # looks since

    def rest(self, now: float, found: bool, hop_s: float) -> float:
        """Seconds from this look, at time `now`, to the next. hop_s  seconds per hop"""
        if not found:
            self._vain += 1
            return hop_s / (self.LOOKS if self._vain < self.PATIENT * self.LOOKS else 2)
        since = now - self._came
        if since > self.LONGEST_S:  # a pause, not a block
            self._block = hop_s
        elif self._vain:
            self._block = max(self._block + (since - self._block) * self.SETTLE, hop_s)
        else:
            self._block = 0.5 * (self._block + hop_s)
        part = self.NEARLY if self._vain else self.SOONER
        self._came = now
        self._vain = 0
        return part * self._block


class Listener:
    """Analyses what a source's ring brings, hop by hop, and keeps one feature row a hop.

    Parameters
    ----------
    source : Source
        Whose `ring` and `rate` may be replaced when a device comes back in another shape its ring's stamps are on the
        show's clock.
    follow : callable, optional
        Called every TICK_S of sound with the gist of it, (len(NAMES),).

    Attributes
    ----------
    ticks
        The same, one row a tick: its moment in seconds on the show's clock, then the gist.
    """

    def __init__(self, source: Source, follow: Callable[[np.ndarray], None] | None = None) -> None:
        self._source = source
        self._follow = follow
        self._start: float | None = None  # when the stream's first sample sounded, on the show's clock
        self.ticks = Ring(KEPT_TICKS, 1 + len(NAMES), np.float64)
        self._listen_to(source.ring)
        self.names = self._analyzer.names
        self.rows = Ring(KEPT_ROWS, len(HEAD) + len(self.names) + BANDS, np.float64)
        self.lost = 0  # samples that the analysis was too late for
        self._features = Features()

    def run(self, stop: threading.Event) -> None:
        """Thread body: analyse as sound comes; sleeps when there is none."""
        rhythm = Rhythm(perf_counter())
        while not stop.is_set():
            look = perf_counter()
            rest = rhythm.rest(look, self.hear() > 0, self._analyzer.hop / self._source.rate)
            rest -= perf_counter() - look
            if rest > 0.0:
                stop.wait(rest)

    def hear(self) -> int:
        """Analyse all whole hops that have come; returns how many."""
        self._source.pump()
        ring = self._source.ring
        if ring is not self._ring:
            self._listen_to(ring)
        hop = self._analyzer.hop
        rate = self._rate
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
            while self._heard >= self._ticked * TICK_S * rate:
                self._ticked += 1
                heard = self._gist.look(row)
                self.ticks.write(np.concatenate([row[:1], heard])[None, :])
                if self._follow is not None:
                    self._follow(heard)
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
        # number of the next tick
        self._gist = ControlFeatures(self._analyzer.names)
        self._ticked = 1
        self.window_s = window_delay_s(self._rate)  # see there
        self._start = None
