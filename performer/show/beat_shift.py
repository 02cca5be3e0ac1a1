"""By how much a person moved the beat of a source, and when that has had its day. Pure."""

from __future__ import annotations

from math import exp

from performer.show.midi_clock import Reading

LOST_S = 2.0  # a source that says nothing for so long may come back with anything
LEAP_S = 15.0  # time constant in which a source's own moves are forgotten: its tempo is never quite its beat's
LEAP = 0.25  # beats that a source moves by itself within that time, from which on it has leapt
LEAP_BAR = 0.5  # and its downbeat, beside its beat
AGREED = 0.7  # share of what a person moved it by, that it makes up for by itself, from which on it agrees
LEAST = 0.1  # beats below which a source's own move is none
OTHER_TEMPO = 0.12  # relative; a source that counts another tempo than it did counts something else


class BeatShift:
    """What a person adds to one source's beat, until the source mends itself or goes on to something else.

    Attributes
    ----------
    beats
        Added to its count of beats; 0 when nothing is.
    downbeat
        Added to its count of bars, in beats of its own.
    """

    def __init__(self) -> None:
        self.beats = self.downbeat = 0.0
        self._bpm = 0.0  # when it was moved
        self._t: float | None = None  # of the reading before, and what it said
        self._beat = self._bar = self._rate = 0.0
        self._drift = self._bar_drift = 0.0  # beats that it has lately moved by itself; the downbeat, beside the beat

    def clear(self) -> None:
        """The source counts as it says."""
        self.beats = self.downbeat = 0.0
        self._drift = self._bar_drift = 0.0

    def place(self, reading: Reading, every: float) -> None:
        """Here is a downbeat, whatever the source says.

        Parameters
        ----------
        every : float
            Beats of the source in one that is counted: more than 1 where its tempo is halved.
        """
        self.clear()
        span = max(every, 1.0)
        self.beats = _around(-reading.beat, span)
        self.downbeat = _around(-reading.bar * reading.meter, span * reading.meter)
        self._bpm = reading.bpm

    def move(self, beats: float, bpm: float) -> None:
        """On by so many beats more."""
        self.beats += beats
        self.downbeat += beats
        self._bpm = bpm

    def follow(self, t: float, reading: Reading | None) -> None:
        """What the source says at time t (seconds), if anything; what it contradicts or makes needless expires."""
        lost = self._t is not None and t - self._t >= LOST_S
        if lost:
            self.clear()
        if reading is None:
            return
        beat = reading.beat
        bar = reading.bar
        meter = reading.meter
        if self._t is not None and not lost:
            dt = t - self._t
            kept = exp(-dt / LEAP_S)
            gone = self._rate * dt
            moved = beat - self._beat - gone
            self._drift = self._drift * kept + moved
            self._bar_drift = self._bar_drift * kept + (bar - self._bar) * meter - gone - moved
        self._t = t
        self._beat = beat
        self._bar = bar
        self._rate = reading.bpm / 60.0
        if self.beats or self.downbeat:
            self._expire(reading.bpm)

    def _expire(self, bpm: float) -> None:
        left = _around(self.beats - self._drift, 1.0)
        agrees = abs(self._drift) >= LEAST and abs(left) <= (1.0 - AGREED) * abs(_around(self.beats, 1.0))
        if abs(self._drift) >= LEAP or agrees or abs(bpm / self._bpm - 1.0) > OTHER_TEMPO:
            self.clear()
        elif abs(self._bar_drift) >= LEAP_BAR:  # its downbeat: the beat stays moved
            self.downbeat = self.beats
            self._bar_drift = 0.0


def _around(value: float, span: float) -> float:
    """The same place on a circle of that span, nearest to 0."""
    return (value + span / 2.0) % span - span / 2.0
