"""The show clock: one monotone beat and bar, merged from MIDI clock, tapping and the analyser."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp

from performer.frame import ControlEvent, Features

PULSES_PER_BEAT = 24  # MIDI 1.0 timing clock
PULL_S = 0.12  # seconds in which a phase error shrinks to 37 %
TAP_HOLD_S = 16.0  # a tapped beat rules this long after the last tap, then only chooses the octave
TAP_GAP_S = 2.0  # a longer pause starts a new series of taps (30 bpm)
CLOCK_LOST_S = 0.5


@dataclass(frozen=True, slots=True)
class Pulse:
    """Where the music stands: monotone beat and bar, tempo, trust in them, and who says so."""

    beat: float = 0.0
    bar: float = 0.0
    bpm: float = 0.0
    confidence: float = 0.0
    source: str = "none"


class ShowClock:
    """Merges what knows the beat: MIDI clock while it runs, then tapping, then the analyser by its confidence.

    The beat never goes back: towards a new source it is slewed by at most half a beat, over about PULL_S.
    """

    def __init__(self, beats_per_bar: int = 4) -> None:
        self.beats_per_bar = beats_per_bar
        self.pulse = Pulse()
        self._ticks: deque[float] = deque(maxlen=PULSES_PER_BEAT * 2 + 1)
        self._tick_count = 0
        self._running = False
        self._taps: deque[float] = deque(maxlen=8)
        self._tap_bpm = 0.0
        self._octave = 1.0

    def step(self, t: float, dt: float, features: Features, events: Sequence[ControlEvent]) -> Pulse:
        """The pulse at time t, dt seconds after the last step; events are those since then."""
        snap = False
        for event in events:
            if event.address == "midi.clock":
                self._ticks.append(event.t)
                self._tick_count += self._running
            elif event.address in ("midi.start", "midi.continue"):
                if event.address == "midi.start":
                    self._tick_count = -1  # the first clock after a start is the downbeat itself
                    snap = True
                self._running = True
            elif event.address == "midi.position":
                self._tick_count = int(event.value * PULSES_PER_BEAT / 4) - 1
            elif event.address == "midi.stop":
                self._running = False
            elif event.address == "show.tap":
                self._tap(event.t)
        beat, bar = self.pulse.beat, self.pulse.bar
        if snap:
            beat, bar = float(ceil(beat)), float(ceil(bar))
        source, bpm, confidence, beat_now, bar_now = self._lead(t, features)
        per_bar = self.beats_per_bar
        new_beat = _follow(beat, beat_now, bpm / 60.0, dt)
        new_bar = _follow(bar, bar_now, bpm / 60.0 / per_bar, dt)
        self.pulse = Pulse(new_beat, new_bar, bpm, confidence, source)
        return self.pulse

    def _lead(self, t: float, features: Features) -> tuple[str, float, float, float, float]:
        """Source, bpm, confidence, and what beat and bar should be by it."""
        if self._running and len(self._ticks) > 6 and t - self._ticks[-1] < CLOCK_LOST_S:
            bpm = 60.0 * (len(self._ticks) - 1) / (self._ticks[-1] - self._ticks[0]) / PULSES_PER_BEAT
            beat = max(self._tick_count, 0) / PULSES_PER_BEAT + (t - self._ticks[-1]) * bpm / 60.0
            return "midi", bpm, 1.0, beat, beat / self.beats_per_bar
        if self._tap_bpm and t - self._taps[-1] < TAP_HOLD_S:
            beat = (t - self._taps[-1]) * self._tap_bpm / 60.0
            return "tap", self._tap_bpm, 0.9, beat, (beat + len(self._taps) - 1) / self.beats_per_bar
        if features.bpm > 0.0:
            if self._tap_bpm:
                self._octave = min((0.5, 1.0, 2.0), key=lambda o: abs(features.bpm * o - self._tap_bpm))
            beat = features.beat_at(t)
            bar = features.bar + (beat - features.beat) / self.beats_per_bar
            return "audio", features.bpm * self._octave, features.confidence, beat * self._octave, bar
        return "none", 0.0, 0.0, self.pulse.beat, self.pulse.bar

    def _tap(self, t: float) -> None:
        if self._taps and t - self._taps[-1] > TAP_GAP_S:
            self._taps.clear()
        self._taps.append(t)
        if len(self._taps) >= 3 and self._taps[-1] > self._taps[0]:
            self._tap_bpm = 60.0 * (len(self._taps) - 1) / (self._taps[-1] - self._taps[0])


def _follow(now: float, target: float, rate: float, dt: float) -> float:
    """Advance by rate (1/s) for dt seconds, pulled to the target's phase; never back."""
    ahead = now + rate * dt
    error = (target - ahead + 0.5) % 1.0 - 0.5
    return max(now, ahead + error * (1.0 - exp(-dt / PULL_S)))
