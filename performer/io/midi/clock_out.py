"""MIDI clock out: 24 pulses a beat from the show clock, with start on a downbeat and stop when the beat is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from performer.io.midi import system
from performer.system.errors import Fault, nearest
from performer.system.mailboxes import Latest
from performer.types.frame import Frame

PULSES_PER_BEAT = 24
PULSE = 0xF8
START = 0xFA
STOP = 0xFC
POSITION = 0xF2
LOOK_S = 0.004  # a new beat may be known after so long
TRUSTED = 0.3  # confidence from which on others are led
LOST_S = 4.0  # and how long it may be missing before they are stopped
LATE_PULSES = 6  # more than so many pulses behind, the count begins anew instead of hurrying after


@dataclass(frozen=True, slots=True)
class Line:
    """A beat that goes on at a tempo from time t, on the show's clock in seconds."""

    t: float
    beat: float
    bpm: float

    def at(self, beat: float) -> float:
        """When this beat is."""
        return self.t + (beat - self.beat) * 60.0 / self.bpm


class MidiClock:
    """Sends the show's beat to a MIDI port.

    Parameters
    ----------
    port : Any
        Sends bytes: `rtmidi.MidiOut` or anything with its `send_message` and `close_port`.
    frames : Latest[Frame]
        The show's newest frame, whose beat is carried on between frames.
    now : callable
        The show's clock.
    """

    def __init__(self, port: Any, frames: Latest[Frame], now: Callable[[], float]) -> None:
        self._port = port
        self._frames = frames
        self._now = now
        self._line: Line | None = None
        self._next = 0  # number of the next pulse, counted like the show's beats
        self._running = False
        self._trusted_t = float("-inf")

    def run(self, stop: threading.Event) -> None:
        """Thread body: pulses until told to stop, then a stop message; the port stays open, for it may be run again."""
        try:
            while not stop.is_set():
                wait = self.step()
                if wait > 0.0:
                    stop.wait(min(wait, LOOK_S))
        finally:
            if self._running:
                self._running = False
                self._port.send_message([STOP])

    def step(self) -> float:
        """Send what is due; returns seconds until the next look."""
        now = self._now()
        frame = self._frames.peek()
        if frame is not None:
            heard = frame.features
            if heard.bpm > 0.0 and heard.confidence >= TRUSTED:
                self._trusted_t = now
            if heard.bpm > 0.0:
                self._line = Line(frame.t, heard.beat, heard.bpm)
        line = self._line
        if line is None or now - self._trusted_t > LOST_S:
            if self._running:
                self._port.send_message([STOP])
                self._running = False
            return LOOK_S
        if not self._running:
            return self._begin(line, frame, now)
        due = line.at(self._next / PULSES_PER_BEAT)
        if now < due:
            return due - now
        if now - due > LATE_PULSES * 60.0 / line.bpm / PULSES_PER_BEAT:
            beat = line.beat + (now - line.t) * line.bpm / 60.0
            self._next = ceil(beat * PULSES_PER_BEAT)
            sixteenths = floor(beat * 4.0) % 16384
            self._port.send_message([POSITION, sixteenths & 0x7F, sixteenths >> 7])
            return 0.0
        self._port.send_message([PULSE])
        self._next += 1
        return 0.0

    def _begin(self, line: Line, frame: Frame | None, now: float) -> float:
        """Wait for the next downbeat; the first pulse after a start is the downbeat itself."""
        assert frame is not None
        meter = frame.features.meter
        bar = frame.features.bar + (now - frame.t) * line.bpm / 60.0 / meter
        beat = line.beat + (now - line.t) * line.bpm / 60.0
        downbeat = round(beat + (ceil(bar) - bar) * meter)
        wait = line.at(downbeat) - now
        if wait > LOOK_S:
            return wait
        self._port.send_message([START])
        self._running = True
        self._next = downbeat * PULSES_PER_BEAT
        return max(0.0, wait)


def open_port(name: str, api: int) -> Any:
    """A port to send to: by part of its name, or `virtual` for one of our own, named performer. Raises Fault."""
    try:
        port = system.client_out(api, "performer clock")
    except Fault as fault:
        raise Fault(f"--midi-clock-out {name!r}: {fault}") from None
    try:
        if name == "virtual":
            port.open_virtual_port("clock")
            return port
        names = port.get_ports()
        found = system.matching(names, name)
        if found:
            port.open_port(names.index(found[0]), "clock")
            return port
    except system.errors() as error:
        port.delete()
        raise Fault(f"--midi-clock-out {name!r}: cannot be opened ({system.one_line(error)})") from None
    port.delete()
    raise Fault(
        f"--midi-clock-out {name!r}: no such port{nearest(name, names)}; there are "
        f"{', '.join(names) or 'none'}, or virtual"
    )
