"""MIDI bytes -> ControlEvents. Pure: no ports, no clock (MIDI 1.0 Detailed Specification, 1996)."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import count

from performer.types.actions import LOST, PRESSED
from performer.types.frame import ControlEvent

log = logging.getLogger(__name__)

_LENGTHS = {0x8: 2, 0x9: 2, 0xA: 2, 0xB: 2, 0xC: 1, 0xD: 1, 0xE: 2}
_SYSTEM_LENGTHS = {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_REALTIME = {0xF8: "midi.clock", 0xFA: "midi.start", 0xFB: "midi.continue", 0xFC: "midi.stop"}

ALL_OFF = (120, 123)  # controllers: all sound off, all notes off
AT_ONCE_S = 0.01  # the two parts of a controller of 14 bits come one after the other within this ...
APART = 4  # ... and the next two not before so many times as long; two knobs that turn at once keep no such time
SMOOTH = 16  # a low part that moves by less while its high part moves too is rather another knob
# for so many points a low part also counts alone; more than that are not kept
PROVEN = 4
SURE = 8

_ports = count(1)


@dataclass(slots=True)
class _Pair:
    """Controllers n and n + 32 of a channel: the high and low part of one, or two of their own.

    high, low   their values, None before the first; high_was, low_was, those before
    t, number   when the newest of them came, and as which message of the port
    open        which it was, while the other may still belong to it
    points      for one controller, up to SURE; against it, below 0
    pair_t      when the newest pair was complete; low_first, its low part came first
    """

    high: int | None = None
    low: int | None = None
    high_was: int | None = None
    low_was: int | None = None
    t: float = float("-inf")
    number: int = 0
    open: str = ""
    points: int = 0
    pair_t: float = float("-inf")
    low_first: bool = False

    def come(self, part: str, value: int, t: float, number: int) -> bool:
        """The "high" or the "low" part has come: whether it makes one number with the other, that came just before."""
        first = self.open
        first_t = self.t
        paired = first not in ("", part) and number == self.number + 1 and t - first_t <= AT_ONCE_S
        if first and not paired:
            self._judge_alone(first)
        if part == "low":
            self.low_was = self.low
            self.low = value
        else:
            self.high_was = self.high
            self.high = value
        self.t = t
        self.number = number
        self.open = "" if paired else part
        if not paired:
            return False
        self._judge(first_t - self.pair_t, t - first_t)
        self.pair_t = t
        self.low_first = part == "high"
        return self.points >= 0

    def _judge_alone(self, part: str) -> None:
        """The other part did not come: of a high part that tells much, a low part alone may be a small move.

        But it does not stay at an end then, nor leap from one to the other.
        """
        if self.low is None:
            return
        leap = abs(self.low - (self.low if self.low_was is None else self.low_was))
        if part == "high":
            self._add(-2)
        elif self.low in (0, 127) or leap > 64:
            self._add(-1)

    def _judge(self, since: float, within: float) -> None:
        """A pair has come: does it look like one number, or like two knobs that are turned at once?

        since, within  seconds from the pair before to this one, and from its first part to its second
        """
        if self.high is None or self.low is None or self.high_was is None or self.low_was is None:
            return
        up = self.high - self.high_was
        low = self.low - self.low_was
        if up == 0:  # a knob that does not move says nothing
            self._add(2)
        elif abs(up * 128 + low) <= 64:  # the low part has gone round
            self._add(PROVEN)
        elif low == 0 or abs(low) > SMOOTH or (self.low == self.high and self.low_was == self.high_was):
            self._add(1)
        elif since <= APART * within:
            self._add(-1)

    def _add(self, points: int) -> None:
        self.points = max(-SURE, min(SURE, self.points + points))


class Decoder:
    """One port's stream of bytes; understands running status, 14-bit controllers, and skips system exclusive.

    Events carry `ch1` .. `ch16` in their text, and the number of their port. A controller 0..31 whose low part
    (controller + 32) comes at once with it is read with 14 bits; where it does not, or where the two move as two knobs
    do, they are controllers of their own, as on many small desks.

    Parameters
    ----------
    name : str, optional
        Name of the port, for messages.
    programs : int, optional
        Channel 1..16 whose program changes select presets; 0: any, None: none.
    """

    def __init__(self, name: str = "midi", programs: int | None = 0) -> None:
        self.name = name
        self.port = next(_ports)
        self._programs = programs
        self._status = 0
        self._data: list[int] = []
        self._exclusive = False
        self._number = 0  # of messages so far
        self._pairs: dict[tuple[int, int], _Pair] = {}  # by channel and number of the high part
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
                    events.append(ControlEvent(t, _REALTIME[byte], port=self.port))
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
        down = sorted(self._down)
        self._down = set()
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
        self._number += 1
        kind = self._status >> 4
        channel = (self._status & 15) + 1
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
            made = [ControlEvent(t, "midi.program", float(first), text)]
            if self._programs in (0, channel):
                made.append(ControlEvent(t, "show.preset", float(first)))
            return made
        if kind == 0xD:
            return [ControlEvent(t, "midi.pressure", first / 127.0, text)]
        if kind == 0xE:
            return [ControlEvent(t, "midi.bend", (first | second << 7) / 16383.0, text)]
        if self._status == 0xF2:
            return [ControlEvent(t, "midi.position", float(first | second << 7), port=self.port)]
        return []

    def _controller(self, number: int, value: int, channel: int, t: float) -> ControlEvent:
        text = f"ch{channel}"
        if number < 64:
            key = channel, number & 31
            pair = self._pairs.get(key)
            if pair is None:
                pair = self._pairs[key] = _Pair()
            low = number >= 32
            whole = pair.come("low" if low else "high", value, t, self._number)
            if pair.high is not None and (whole or pair.points >= PROVEN):
                if not whole and not low and not pair.low_first:  # its low part counts as 0 until it comes
                    return ControlEvent(t, f"midi.cc{number}", (value << 7) / 16383.0, text)
                return ControlEvent(t, f"midi.cc{number & 31}", (pair.high << 7 | (pair.low or 0)) / 16383.0, text)
        return ControlEvent(t, f"midi.cc{number}", value / 127.0, text)

    def _complain(self, byte: int) -> None:
        if not self._told:
            self._told = True
            log.warning("%s sends malformed MIDI (byte %s out of place); such bytes are ignored", self.name, byte)
