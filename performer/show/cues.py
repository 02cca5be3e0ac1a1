"""Changes that wait for the music: quantised cues, and the autopilot that changes presets by itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from performer.show.clock import Pulse, ShowClock
from performer.types.preset import Preset
from performer.types.routes import PHRASE_BARS

QUANTA = ("now", "beat", "bar", "phrase")
TRUSTED = 0.35  # confidence below which nobody waits for a bar that may not come
PATIENT = 3  # times as long as it should take, the autopilot waits for bars that do not come
CALM_BPM = 120.0  # by which time is counted when no tempo can be trusted


def span_beats(quantum: str, meter: int) -> float:
    """Beats in a beat, bar or phrase; 0 for now."""
    return {"now": 0.0, "beat": 1.0, "bar": float(meter), "phrase": float(meter * PHRASE_BARS)}[quantum]


def crossed(clock: ShowClock, quantum: str) -> bool:
    """Whether the clock's last step went over such a boundary; now: always."""
    return {"now": True, "beat": clock.crossed_beat, "bar": clock.crossed_bar, "phrase": clock.crossed_phrase}[quantum]


def wait_beats(pulse: Pulse, quantum: str) -> float:
    """Beats until the next such boundary."""
    if quantum == "now":
        return 0.0
    if quantum == "beat":
        return 1.0 - pulse.beat % 1.0
    bars = PHRASE_BARS if quantum == "phrase" else 1
    return (bars - pulse.bar % bars) * pulse.meter


@dataclass
class Cue:
    """A preset that waits for its moment.

    It comes with the next boundary of its quantum. Where the beat is not trusted, it comes when as much time has gone
    by as the span would take: a cue never hangs.
    """

    preset: Preset
    quantum: str
    asked_t: float

    def due(self, t: float, clock: ShowClock) -> bool:
        """Whether the change comes now: at time t, or where the music has come to."""
        pulse = clock.pulse
        trusted = pulse.confidence >= TRUSTED and pulse.bpm > 0.0
        span_s = span_beats(self.quantum, pulse.meter) * 60.0 / (pulse.bpm if trusted else CALM_BPM)
        return (trusted and crossed(clock, self.quantum)) or t - self.asked_t >= span_s


class Autopilot:
    """Chooses the next preset every so many bars, at the end of a phrase; a drop may bring it forward.

    Parameters
    ----------
    bars : int
        From one change to the next at least; 0 is off.
    seed : int
        Seed of the order, in which no preset comes again before all have been.
    """

    def __init__(self, bars: int, seed: int) -> None:
        self.bars = bars
        self._random = random.Random(seed)
        self._deck: list[str] = []
        self._since_bar = 0.0
        self._since_t = 0.0
        self._drops = 0
        self._drop_waits = False

    def changed(self, t: float, bar: float) -> None:
        """Somebody changed the preset, this one or a person."""
        self._since_bar = bar
        self._since_t = t
        self._drop_waits = False

    def bars_left(self, bar: float) -> float:
        """Bars until the next change is due, at bar number `bar`; a long one still waits for the phrase to end."""
        return max(0.0, self.bars - (bar - self._since_bar))

    def step(self, t: float, clock: ShowClock, drops: int, presets: Sequence[Preset], playing: str) -> Preset | None:
        """What to change to now, if anything."""
        dropped = drops > self._drops
        self._drops = drops
        if self.bars <= 0 or len(presets) < 2:
            return None
        pulse = clock.pulse
        bars = pulse.bar - self._since_bar
        self._drop_waits = (self._drop_waits or dropped) and bars >= self.bars / 2
        if pulse.confidence >= TRUSTED and pulse.bpm > 0.0:
            long = self.bars >= PHRASE_BARS
            due = bars >= self.bars - 0.5 and (clock.crossed_phrase if long else clock.crossed_bar)
            due = due or (self._drop_waits and clock.crossed_bar)
            due = due or t - self._since_t >= PATIENT * self.bars * pulse.meter * 60.0 / pulse.bpm
        else:
            due = t - self._since_t >= self.bars * pulse.meter * 60.0 / CALM_BPM
        return self._draw(presets, playing) if due else None

    def _draw(self, presets: Sequence[Preset], playing: str) -> Preset:
        by_name = {preset.name: preset for preset in presets}
        self._deck = [name for name in self._deck if name in by_name and name != playing]
        if not self._deck:
            self._deck = sorted(name for name in by_name if name != playing)
            self._random.shuffle(self._deck)
        return by_name[self._deck.pop()]
