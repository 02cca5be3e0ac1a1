"""MIDI timing clocks as they come in: which port is followed, when one is lost. Pure (MIDI 1.0: 24 pulses a beat)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from performer.types.frame import ControlEvent

PULSES_PER_BEAT = 24
CLOCK_LOST_S = 0.5
JOINED = 0.6  # what confidence is left where nobody knows at which beat the clock is
LEAD = 0.1  # by how much another port's clock must be steadier to be followed instead
MOST_PORTS = 32  # that are kept in mind: one that is plugged in again counts as another


@dataclass(frozen=True, slots=True)
class Reading:
    """What one source says of this moment; beat and bar count from where it likes.

    Attributes
    ----------
    placed : bool
        It knows where the beats are; otherwise only how fast they come.
    """

    bpm: float
    confidence: float
    beat: float
    bar: float
    meter: int = 4
    placed: bool = True


class _PortClock:
    """The clock of one port, with start, stop, continue and song position."""

    def __init__(self) -> None:
        self._ticks: deque[float] = deque(maxlen=PULSES_PER_BEAT * 2 + 1)
        self._count = 0
        self._running: bool | None = None  # None: nobody said so, and it may have begun long ago
        self._placed = False

    @property
    def newest_t(self) -> float:
        """Seconds, of its newest pulse."""
        return self._ticks[-1] if self._ticks else float("-inf")

    def take(self, event: ControlEvent) -> bool:
        """True when the downbeat is now."""
        if event.address == "midi.clock":
            if event.t - self.newest_t > CLOCK_LOST_S:
                if self._ticks and self._running:  # how many were missed?
                    self._placed = False
                self._ticks.clear()
            self._ticks.append(event.t)
            self._count += self._running is not False
        elif event.address == "midi.start":
            # the next clock is the downbeat itself
            self._count = -1
            self._running = True
            self._placed = True
            return True
        elif event.address == "midi.continue":
            self._running = True
        elif event.address == "midi.position":
            self._count = int(event.value * PULSES_PER_BEAT / 4) - 1
            self._placed = True
        elif event.address == "midi.stop":
            self._running = False
        return False

    def read(self, t: float) -> Reading | None:
        """At time t (seconds); None where it stands still."""
        ticks = self._ticks
        if self._running is False or len(ticks) <= 6 or t - ticks[-1] >= CLOCK_LOST_S or ticks[-1] <= ticks[0]:
            return None
        mean = (ticks[-1] - ticks[0]) / (len(ticks) - 1)
        # Jitter of a pulse's length moves the beat little until it nears the pulse itself.
        jitter = max(abs(ticks[i] - ticks[0] - i * mean) for i in range(len(ticks))) / mean
        confidence = min(1.0, max(0.2, 1.25 - 0.125 * jitter)) * (1.0 if self._placed else JOINED)
        beat = max(self._count, 0) / PULSES_PER_BEAT + (t - ticks[-1]) / mean / PULSES_PER_BEAT
        return Reading(60.0 / mean / PULSES_PER_BEAT, confidence, beat, beat / 4, placed=self._placed)


class MidiClocks:
    """The clocks of all ports, of which one is followed: many devices send theirs on each of their ports.

    `leader` is the port that is followed, None when there is none.
    """

    def __init__(self) -> None:
        self.leader: int | None = None
        self._clocks: dict[int, _PortClock] = {}

    def take(self, event: ControlEvent) -> bool:
        """True when the downbeat is now."""
        clock = self._clocks.get(event.port)
        if clock is None:
            if len(self._clocks) >= MOST_PORTS:
                del self._clocks[min(self._clocks, key=lambda port: self._clocks[port].newest_t)]
            clock = self._clocks[event.port] = _PortClock()
        if not clock.take(event):
            return False
        led = self._clocks.get(self.leader) if self.leader is not None else None
        return led is None or led is clock or led.read(event.t) is None

    def read(self, t: float) -> Reading | None:
        """At time t (seconds), of the port that is followed: another one is, when it falls silent or does worse."""
        readings = {port: said for port, clock in self._clocks.items() if (said := clock.read(t)) is not None}
        if not readings:
            self.leader = None
            return None
        best = max(readings, key=lambda port: readings[port].confidence)
        now = readings.get(self.leader) if self.leader is not None else None
        if now is None or readings[best].confidence > now.confidence + LEAD:
            self.leader = best
        assert self.leader is not None
        return readings[self.leader]
