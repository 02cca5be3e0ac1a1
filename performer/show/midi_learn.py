"""Buttons of a controller that press keys: which does what, and how they learn it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from performer.system.numbers import whole_number
from performer.types.actions import BY_ADDRESS, LOST, PRESSED, Act, handlers
from performer.types.frame import ControlEvent

BUTTONS = ("midi.note", "midi.cc")


class MidiLearn:
    """Adds to the gestures those of the buttons that were learned.

    `word` is what there is to say after a step, "" if nothing; `changed`, whether `bound` was in that step.

    Parameters
    ----------
    bound : Mapping[str, Act]
        Button -> what it does: "note40 ch10", "cc20 ch1", or "note40" on any channel.
    may : Collection[str]
        Addresses that buttons may have.
    """

    ASK = "MIDI learn: press a key, then the MIDI button to bind (m cancels)"

    def __init__(self, bound: Mapping[str, Act], may: Collection[str]) -> None:
        self.bound = dict(bound)
        self._may = may
        self._handlers = handlers("learn", self)
        self._asked = False
        self._act: Act | None = None  # that waits for a button
        self._down: set[str] = set()  # controllers whose button is down
        self.word = ""
        self.changed = False

    def step(self, events: Iterable[ControlEvent], keys: Iterable[ControlEvent] = ()) -> list[ControlEvent]:
        """All events, and after each press of a learned button what it does.

        Parameters
        ----------
        keys : Iterable[ControlEvent], optional
            What the keyboard said: only that can be taught, and a key that is being taught does nothing.
        """
        self.word = ""
        self.changed = False
        made: list[ControlEvent] = []
        for event, key in (*((event, False) for event in events), *((event, True) for event in keys)):
            if event.address == LOST:
                self._down.discard(f"midi.{event.text}")
            elif (handler := self._handlers.get(event.address)) is not None:
                handler(event, event.t)
            elif key and self._asked and self._act is None and event.address in self._may:
                self._act = Act(event.address, event.value)
                self.word = f"now the MIDI button for {BY_ADDRESS[event.address].help or event.address}"
            else:
                made.append(event)
                if not self._pressed(event):
                    continue
                name = event.address.removeprefix("midi.")
                button = f"{name} {event.text}" if event.text else name
                if self._act is not None:
                    self._bind(button, self._act)
                    continue
                act = self.bound.get(button) or self.bound.get(name)
                if act is not None:
                    made.append(ControlEvent(event.t, act.address, act.value))
        return made

    def ask(self, event: ControlEvent, t: float) -> None:
        """Wait for a key and a button to bind; asked for again, do not."""
        self._asked = not self._asked
        self._act = None
        self.word = self.ASK if self._asked else "MIDI learn cancelled"

    def _pressed(self, event: ControlEvent) -> bool:
        if not event.address.startswith(BUTTONS):
            return False
        if event.address.startswith("midi.note"):
            return whole_number(event.address[9:], 127) is not None and event.value > 0.0
        one = f"{event.address} {event.text}"
        was = one in self._down
        down = event.value >= PRESSED
        (self._down.add if down else self._down.discard)(one)
        return down and not was

    def _bind(self, button: str, act: Act) -> None:
        """The same twice takes it away again."""
        if self.bound.get(button) == act:
            del self.bound[button]
            self.word = f"unbound {button}"
        else:
            self.bound[button] = act
            self.word = f"bound {button}: {BY_ADDRESS[act.address].help or act.address}"
        self._asked = False
        self._act = None
        self.changed = True
