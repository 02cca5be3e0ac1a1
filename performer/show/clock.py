"""The show clock: one monotone beat and bar, merged from Ableton Link, MIDI clock, tapping and the analyser."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, floor

from performer.show.beat_shift import BeatShift
from performer.show.midi_clock import MidiClocks, Reading
from performer.types.actions import handlers
from performer.types.features import Features
from performer.types.frame import ControlEvent
from performer.types.routes import PHRASE_BARS

PULL_S = 0.12  # seconds in which a phase error shrinks to 37 %
TAP_HOLD_S = 16.0  # a tapped beat rules this long after the last tap, then only chooses the octave
TAP_GAP_S = 2.0  # a longer pause starts a new series of taps (30 bpm)
LINK_LOST_S = 2.0
LEAD = 0.1  # by how much another source must be trusted more to take over
#: What a person or a machine says outright counts for more than what was made out by ear, at equal confidence.
WEIGHTS = {"link": 0.3, "midi": 0.3, "tap": 0.2, "audio": 0.0}
STEADY = 0.12  # a source's tempo that changes by more than this undoes doubling and halving
SAME_TEMPO = 0.04  # relative difference up to which a clock and the sound go by the same beat
HEARD = 0.35  # confidence from which on the sound tells where the beats of a clock are that does not
# level below which there is no sound, or none so new
SILENT = 0.02
SILENT_S = 1.0
LATE_S = 0.15  # a downbeat struck so shortly after a beat was meant for it


@dataclass(frozen=True, slots=True)
class Pulse:
    """Where the music stands.

    Attributes
    ----------
    beat, bar : float
        Monotone counts.
    bpm : float
        Beats per minute, 0 when unknown.
    confidence : float
        0..1, trust in them.
    source : str
        Who says so: "link", "midi", "tap", "audio" or "none".
    meter : int
        Beats in a bar.
    factor : float
        By what the source's tempo is multiplied, on request: 1/4 .. 4.
    moved, downbeat_moved : float
        Beats of the source by which a person has moved its beat and its downbeat.
    """

    beat: float = 0.0
    bar: float = 0.0
    bpm: float = 0.0
    confidence: float = 0.0
    source: str = "none"
    meter: int = 4
    factor: float = 1.0
    moved: float = 0.0
    downbeat_moved: float = 0.0


class _Taps:
    """A person's taps: each is a beat, the first of a series a downbeat."""

    def __init__(self) -> None:
        self._taps: deque[float] = deque(maxlen=8)
        self._count = 0  # of the series, of which the newest are kept
        self.bpm = 0.0
        self._scatter = 0.0  # of the last taps, in beats

    def take(self, t: float) -> None:
        taps = self._taps
        if taps and t - taps[-1] > TAP_GAP_S:
            taps.clear()
            self._count = 0
        taps.append(t)
        self._count += 1
        if len(taps) >= 3 and taps[-1] > taps[0]:
            mean = (taps[-1] - taps[0]) / (len(taps) - 1)
            self.bpm = 60.0 / mean
            self._scatter = max(abs(taps[i] - taps[0] - i * mean) for i in range(len(taps))) / mean

    def read(self, t: float) -> Reading | None:
        if not self.bpm or t - self._taps[-1] >= TAP_HOLD_S:
            return None
        beat = (t - self._taps[-1]) * self.bpm / 60.0
        trust = 0.95 * max(0.3, 1.0 - 1.5 * max(0.0, self._scatter - 0.06))
        return Reading(self.bpm, trust, beat, (beat + self._count - 1) / 4)


class _Link:
    """An Ableton Link session: tempo and beat of everybody who plays along; nobody there, nothing to follow."""

    def __init__(self) -> None:
        self._bpm = self._beat = 0.0
        self._t = float("-inf")
        self._peers = 0.0

    def take(self, event: ControlEvent) -> None:
        if event.address == "link.tempo":
            self._bpm = event.value
        elif event.address == "link.peers":
            self._peers = event.value
        elif event.address == "link.beat":
            self._beat = event.value
            self._t = event.t

    def read(self, t: float) -> Reading | None:
        if self._peers < 1.0 or self._bpm <= 0.0 or t - self._t > LINK_LOST_S:
            return None
        beat = self._beat + (t - self._t) * self._bpm / 60.0
        return Reading(self._bpm, 1.0, beat, beat / 4)


class ShowClock:
    """Merges what knows the beat: the most trusted source leads, and another must be clearly better to take over.

    The beat never goes back: towards a new source it is slewed by at most half a beat, over about PULL_S. A person may
    double or halve the tempo, say that the downbeat is now, and nudge the beat. What a person moved holds until its
    source moves by itself, see BeatShift.
    """

    def __init__(self) -> None:
        self.pulse = Pulse()
        self.crossed_bar = self.crossed_beat = self.crossed_phrase = False  # in the last step
        self._midi, self._taps, self._link = MidiClocks(), _Taps(), _Link()
        self._joined: tuple[int, float, float] | None = None  # a port, and where its beat and bar are taken to be
        self._source = "none"
        self._factor = 1.0
        self._factor_bpm = 0.0
        self._shifts = {source: BeatShift() for source in WEIGHTS}
        self._handlers = handlers("clock", self)
        #: What was asked for since the last step, done once it is known which source leads; True: a downbeat is now.
        self._asked: list[tuple[Callable[[float, str, Reading], bool], float]] = []

    def unmove(self) -> None:
        """Take back whatever a person moved."""
        for shift in self._shifts.values():
            shift.clear()

    def step(self, t: float, dt: float, features: Features, events: Sequence[ControlEvent]) -> Pulse:
        """The pulse at time t, dt seconds after the last step; events are those since then."""
        snap = False
        self._asked.clear()
        for event in events:
            if event.address.startswith("midi."):
                snap |= self._midi.take(event)
            elif event.address.startswith("link."):
                self._link.take(event)
            elif (handler := self._handlers.get(event.address)) is not None:
                handler(event, t)
        readings = self._readings(t, dt, features)
        for name, shift in self._shifts.items():
            silent = name == "audio" and (features.values.get("level", 1.0) < SILENT or t - features.t > SILENT_S)
            shift.follow(t, None if silent else readings.get(name))
        source = self._lead(readings)
        reading = readings.get(source) or Reading(0.0, 0.0, self.pulse.beat, self.pulse.bar, self.pulse.meter)
        if self._factor != 1.0 and (source != self._source or abs(reading.bpm / self._factor_bpm - 1.0) > STEADY):
            self._factor = 1.0
        self._source = source
        for ask, value in self._asked:
            snap |= ask(value, source, reading)
        beat = self.pulse.beat
        bar = self.pulse.bar
        bpm = reading.bpm * self._factor
        meter = reading.meter
        factor = self._factor
        if snap:  # a downbeat now: on to the next, or back to the one that has just begun by standing still
            late = bpm > 0.0 and bar % 1.0 * meter * 60.0 / bpm < LATE_S
            beat, bar = (beat, bar) if late else (float(ceil(beat)), float(ceil(bar)))
        ours = self._shifts.get(source)
        moved, downbeat_moved = (ours.beats, ours.downbeat) if ours is not None else (0.0, 0.0)
        new_beat = _follow(beat, (reading.beat + moved) * factor, bpm / 60.0, dt)
        new_bar = _follow(bar, (reading.bar + downbeat_moved / meter) * factor, bpm / 60.0 / meter, dt)
        self.crossed_beat = floor(new_beat) > floor(self.pulse.beat)
        self.crossed_bar = floor(new_bar) > floor(self.pulse.bar)
        self.crossed_phrase = floor(new_bar / PHRASE_BARS) > floor(self.pulse.bar / PHRASE_BARS)
        self.pulse = Pulse(new_beat, new_bar, bpm, reading.confidence, source, meter, factor, moved, downbeat_moved)
        return self.pulse

    def _readings(self, t: float, dt: float, features: Features) -> dict[str, Reading]:
        found = {"link": self._link.read(t), "midi": self._midi.read(t), "tap": self._taps.read(t)}
        if features.bpm > 0.0:
            octave = 1.0
            if self._taps.bpm:
                octave = min((0.5, 1.0, 2.0), key=lambda o: abs(features.bpm * o - self._taps.bpm))
            beat = features.beat_at(t)
            bar = features.bar + (beat - features.beat) / features.meter
            found["audio"] = Reading(features.bpm * octave, features.confidence, beat * octave, bar, features.meter)
        readings = {source: reading for source, reading in found.items() if reading is not None}
        if (clock := readings.get("midi")) is not None:
            readings["midi"] = self._placed(clock, readings.get("audio"), dt)
        return readings

    def _placed(self, clock: Reading, audio: Reading | None, dt: float) -> Reading:
        """A MIDI clock whose start was missed: its beats are where they are heard, or else where the show's are now."""
        if clock.placed:
            self._joined = None
            return clock
        port = self._midi.leader or 0
        if audio is not None and audio.confidence >= HEARD and abs(audio.bpm / clock.bpm - 1.0) <= SAME_TEMPO:
            self._joined = port, audio.beat - clock.beat, audio.bar - clock.beat / audio.meter
            return replace(clock, beat=audio.beat, bar=audio.bar, meter=audio.meter)
        if self._joined is None or self._joined[0] != port:
            meter = self.pulse.meter
            beats = clock.bpm / 60.0 * dt
            self._joined = port, self.pulse.beat + beats - clock.beat, self.pulse.bar + (beats - clock.beat) / meter
        _, beat, bar = self._joined
        return replace(clock, beat=clock.beat + beat, bar=clock.beat / self.pulse.meter + bar, meter=self.pulse.meter)

    def _lead(self, readings: dict[str, Reading]) -> str:
        if not readings:
            return "none"
        trust = {
            source: reading.confidence + (WEIGHTS[source] if reading.placed else 0.0)
            for source, reading in readings.items()
        }
        best = max(trust, key=lambda source: trust[source])
        if self._source in trust and trust[best] < trust[self._source] + LEAD:
            return self._source
        return best

    def tap(self, event: ControlEvent, t: float) -> None:
        """A beat is now."""
        self._taps.take(event.t)
        self._factor = 1.0

    def double(self, event: ControlEvent, t: float) -> None:
        """The tempo is twice as fast."""
        self._asked.append((self._scale, 2.0))

    def halve(self, event: ControlEvent, t: float) -> None:
        """The tempo is half as fast."""
        self._asked.append((self._scale, 0.5))

    def resync(self, event: ControlEvent, t: float) -> None:
        """The downbeat is now."""
        self._asked.append((self._place, 0.0))

    def nudge(self, event: ControlEvent, t: float) -> None:
        """The beat comes so many seconds earlier."""
        self._asked.append((self._nudge, event.value))

    def _scale(self, by: float, source: str, reading: Reading) -> bool:
        wanted = self._factor * by
        if 0.25 <= wanted <= 4.0 and reading.bpm > 0.0:
            self._factor = wanted
            self._factor_bpm = reading.bpm
        return False

    def _place(self, _: float, source: str, reading: Reading) -> bool:
        if source in self._shifts:
            self._shifts[source].place(reading, 1.0 / self._factor)
        return True

    def _nudge(self, seconds: float, source: str, reading: Reading) -> bool:
        if source in self._shifts:
            self._shifts[source].move(seconds * reading.bpm / 60.0, reading.bpm)
        return False


def _follow(now: float, target: float, rate: float, dt: float) -> float:
    """Advance by rate (1/s) for dt seconds, pulled to the target's phase; never back."""
    ahead = now + rate * dt
    error = (target - ahead + 0.5) % 1.0 - 0.5
    return max(now, ahead + error * (1.0 - exp(-dt / PULL_S)))
