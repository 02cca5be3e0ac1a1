"""MIDI bytes -> ControlEvents. Pure: no ports, no clock (MIDI 1.0 Detailed Specification, 1996)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from performer.show.midi_learn import LOST, PRESSED
from performer.types.frame import ControlEvent

log = logging.getLogger(__name__)

_LENGTHS = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_REALTIME = {0xF8: "midi.clock", 0xFA: "midi.start", 0xFB: "midi.continue", 0xFC: "midi.stop"}

ALL_OFF = (120, 123)  # controllers: all sound off, all notes off
AT_ONCE_S = 0.05  # a low part comes this soon after its high part ...
PROVEN = 4  # ... and after so many such pairs also alone


class Decoder:
    """One port's stream of bytes; understands running status, 14-bit controllers, and skips system exclusive.

    Events carry `ch1` .. `ch16` in their text. A controller 0..31 whose low part (controller + 32) follows at once is
    read with 14 bits; where it does not, the two are controllers of their own, as on many small desks.
    """

    def __init__(self, name: str = "midi") -> None:
        self.name = name
        self._status = 0
        self._data: list[int] = []
        self._exclusive = False
        self._high: dict[tuple[int, int], tuple[int, float]] = {}  # value of a high part and when it came
        self._pairs: dict[tuple[int, int], int] = {}  # how often a low part followed it at once
        self._held: set[tuple[int, int]] = set()  # note and channel of keys that are down
        self._down: set[str] = set()  # controllers that are past the half of their way, as Learn calls their buttons
        self._told = False

    def feed(self, data: Iterable[int], t: float) -> list[ControlEvent]:
        """Events of some bytes that came at time t (seconds); what is malformed is dropped, and said once."""
        events: list[ControlEvent] = []
        for byte in data:
            if not 0 <= byte <= 255:
                self._complain(byte)
            elif byte >= 0xF8:
                if byte in _REALTIME:
                    events.append(ControlEvent(t, _REALTIME[byte]))
            elif byte >= 0x80:
                self._begin(byte)
            elif self._exclusive:
                continue
            elif not self._status:
                self._complain(byte)
            else:
                self._data.append(byte)
            if self._status and len(self._data) == self._length():
                events += self._message(t)
                self._data.clear()
                if self._status >= 0xF0:
                    self._status = 0
        return events

    def release(self, t: float) -> list[ControlEvent]:
        """Events that let go of all keys and buttons that are down: nobody else will when the port is gone.

        A fader that is up stays up; only the button that it may be is no longer down.
        """
        down, self._down = sorted(self._down), set()
        return [*self._let_go(t, range(1, 17)), *(ControlEvent(t, LOST, 0.0, button) for button in down)]

    def _let_go(self, t: float, channels: Collection[int]) -> list[ControlEvent]:
        held = sorted(key for key in self._held if key[1] in channels)
        self._held.difference_update(held)
        return [ControlEvent(t, f"midi.note{note}", 0.0, f"ch{channel}") for note, channel in held]

    def _length(self) -> int:
        return _LENGTHS[self._status >> 4] if self._status < 0xF0 else _SYSTEM_LENGTHS[self._status]

    def _begin(self, byte: int) -> None:
        if self._data:
            self._complain(byte)
        self._data.clear()
        self._exclusive = byte == 0xF0
        self._status = byte if byte < 0xF0 or byte in _SYSTEM_LENGTHS else 0

    def _message(self, t: float) -> list[ControlEvent]:
        kind, channel = self._status >> 4, (self._status & 15) + 1
        first = self._data[0] if self._data else 0
        second = self._data[1] if len(self._data) > 1 else 0
        text = f"ch{channel}"
        if kind in (0x8, 0x9):
            (self._held.add if kind == 0x9 and second else self._held.discard)((first, channel))
        if kind == 0x9:
            return [ControlEvent(t, f"midi.note{first}", second / 127.0, text)]
        if kind == 0x8:
            return [ControlEvent(t, f"midi.note{first}", 0.0, text)]
        if kind == 0xA:
            return [ControlEvent(t, f"midi.touch{first}", second / 127.0, text)]
        if kind == 0xB:
            event = self._controller(first, second, channel, t)
            (self._down.add if event.value >= PRESSED else self._down.discard)(f"{event.address[5:]} {text}")
            return [event, *(self._let_go(t, (channel,)) if first in ALL_OFF else ())]
        if kind == 0xC:
            return [ControlEvent(t, "midi.program", float(first), text), ControlEvent(t, "show.preset", float(first))]
        if kind == 0xD:
            return [ControlEvent(t, "midi.pressure", first / 127.0, text)]
        if kind == 0xE:
            return [ControlEvent(t, "midi.bend", (first | second << 7) / 16383.0, text)]
        if self._status == 0xF2:
            return [ControlEvent(t, "midi.position", float(first | second << 7))]
        return []

    def _controller(self, number: int, value: int, channel: int, t: float) -> ControlEvent:
        text = f"ch{channel}"
        if 32 <= number < 64 and self._is_low_part(channel, number - 32, t):
            coarse, _ = self._high[channel, number - 32]
            return ControlEvent(t, f"midi.cc{number - 32}", (coarse << 7 | value) / 16383.0, text)
        if number < 32:
            self._high[channel, number] = value, t
            if self._pairs.get((channel, number), 0) >= PROVEN:  # its low part counts as 0 until it comes
                return ControlEvent(t, f"midi.cc{number}", (value << 7) / 16383.0, text)
        return ControlEvent(t, f"midi.cc{number}", value / 127.0, text)

    def _is_low_part(self, channel: int, number: int, t: float) -> bool:
        key = channel, number
        if key not in self._high:
            return False
        follows = t - self._high[key][1] <= AT_ONCE_S
        if follows:
            self._pairs[key] = self._pairs.get(key, 0) + 1
        return follows or self._pairs.get(key, 0) >= PROVEN

    def _complain(self, byte: int) -> None:
        if not self._told:
            self._told = True
            log.warning("%s sends malformed MIDI (byte %s out of place); such bytes are ignored", self.name, byte)
