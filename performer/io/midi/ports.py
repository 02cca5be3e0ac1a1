"""MIDI ports through RtMidi: all or some by name, noticed when plugged in, taken back when they return."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from performer.io.midi import system
from performer.io.midi.codec import Decoder
from performer.io.midi.midi_file import perform
from performer.io.sound.source import Clock
from performer.system.errors import Fault
from performer.types.frame import ControlEvent

log = logging.getLogger(__name__)
LOOK_S = 1.0  # seconds between two looks at the ports
MOST_BYTES = 64 << 20  # of a MIDI file
CLIENT = "performer"


class MidiPorts:
    """Listens to MIDI ports; every message becomes ControlEvents in `events`.

    `note` says in one line what is listened to. Without any MIDI system there are no ports, and `note` says so.

    Parameters
    ----------
    pattern : str
        "all", "off", or a part of the ports' names, any case.
    api : str
        "", "alsa" or "jack".
    now : Clock
        The show's clock.
    programs : int, optional
        Channel 1..16 whose program changes select presets; 0: any, None: none.
    """

    def __init__(self, pattern: str, api: str, now: Clock, programs: int | None = 0) -> None:
        self.events: SimpleQueue[ControlEvent] = SimpleQueue()
        self.note = "off"
        self._pattern = pattern.lower()
        self._now = now
        self._programs = programs
        self._open: dict[str, tuple[Any, Decoder]] = {}  # by the name that the system gives it now
        self._stamp = _plugged()
        self._looked_t = float("-inf")
        self._refused: set[str] = set()  # ports that could not be opened, said once
        self._finder: Any = None
        if pattern != "off":
            self._api = system.api_number(api)
            self._finder = self._client(f"{CLIENT} finder")
        if self._finder is not None:
            self._look()

    def poll(self, now: float) -> None:
        """Notice ports that came and went."""
        if self._finder is not None and now - self._looked_t >= LOOK_S:
            self._looked_t = now
            self._look()

    def close(self) -> None:
        for name in list(self._open):
            self._drop(name)
        if self._finder is not None:
            self._finder.delete()
            self._finder = None

    def _client(self, name: str) -> Any:
        try:
            return system.client_in(self._api, name)
        except Fault as fault:
            self.note = f"none: {fault}"
            return None

    def _look(self) -> None:
        known = {_steady(name) for name in self._open}
        stamp = _plugged()
        if stamp != self._stamp:  # what was pulled out for less than a look has its old name, and is deaf
            self._stamp = stamp
            for name in list(self._open):
                self._drop(name)
        ports = {name: i for i, name in enumerate(self._finder.get_ports()) if CLIENT not in name}
        wanted = set(system.matching(list(ports), self._pattern))
        for name in set(self._open) - set(ports):
            self._drop(name)
        for name in sorted(wanted - set(self._open), key=lambda name: ports[name]):
            self._take(name, ports[name], known)
        names = sorted(map(_steady, self._open))
        for name in known - set(names):
            log.warning("MIDI port gone: %s", name)
        if names:
            self.note = ", ".join(names)
        else:
            self.note = "no port yet" + ("" if self._pattern == "all" else f" with {self._pattern!r} in its name")

    def _take(self, name: str, index: int, known: Collection[str]) -> None:
        """Open a port; those whose steady names are known are not news."""
        port = self._client(CLIENT)
        if port is None:
            return
        decoder = Decoder(_steady(name), self._programs)
        events = self.events
        now = self._now

        def heard(message: tuple[list[int], float], _data: Any) -> None:
            """RtMidi's thread: decode, queue, leave."""
            for event in decoder.feed(message[0], now()):
                events.put(event)

        try:
            port.ignore_types(sysex=True, timing=False, active_sense=True)
            port.set_callback(heard)
            port.open_port(index, "in")
        except system.errors() as error:
            if name not in self._refused:
                self._refused.add(name)
                log.warning(
                    "MIDI port %s cannot be opened: %s; trying again every second",
                    _steady(name),
                    system.one_line(error),
                )
            port.delete()
            return
        self._open[name] = port, decoder
        self._refused.discard(name)
        if _steady(name) not in known:
            log.info("MIDI port: %s", _steady(name))

    def _drop(self, name: str) -> None:
        port, decoder = self._open.pop(name)
        port.cancel_callback()
        port.close_port()
        port.delete()
        for event in decoder.release(self._now()):
            self.events.put(event)


def create(pattern: str, api: str, now: Clock, programs: int | None = 0) -> MidiPorts:
    """The ports that `--midi` names. Raises Fault for an unknown API."""
    return MidiPorts(pattern, api, now, programs)


def ports(api: str = "") -> list[str]:
    """Names of all ports now. Raises Fault for an unknown API, or without any MIDI system."""
    finder = system.client_in(system.api_number(api), f"{CLIENT} finder")
    names = [name for name in finder.get_ports() if CLIENT not in name]
    finder.delete()
    return names


def events(path: str, programs: int | None = None) -> list[ControlEvent]:
    """All events of a MIDI file with their times in seconds, oldest first; what is odd is logged.

    Parameters
    ----------
    programs : int, optional
        Channel 1..16 whose program changes select presets; 0: any; None: none, for a song's are of instruments.

    Raises
    ------
    Fault
        What is wrong, where, and the likely mend, in one line.
    """
    if not Path(path).is_file():
        raise Fault(f"{path}: no such MIDI file")
    try:
        with Path(path).open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise Fault(f"{path}: more than {MOST_BYTES >> 20} MB are no MIDI file")
    try:
        played = perform(data)
    except Fault as fault:
        raise Fault(f"{path}: not a MIDI file that can be read ({fault}); export it again as .mid") from None
    if played.notes:
        log.warning("%s: %s", path, "; ".join(played.notes))
    decoder = Decoder(path, programs)
    found = [event for t, message in played.messages for event in decoder.feed(message, t)]
    held = decoder.release(played.seconds)  # by a file that breaks off
    return found + [event for event in held if event.address.startswith("midi.note")]


def _plugged() -> int:
    """Changes when a controller or a sound card is plugged in or pulled out, as far as files tell it."""
    try:
        return system.SEQUENCER.parent.stat().st_ctime_ns
    except OSError:
        return 0


def _steady(name: str) -> str:
    """A port's name without the numbers that ALSA appends and that change when it is plugged in again."""
    stem, _, last = name.rpartition(" ")
    return stem if stem and ":" in last and last.replace(":", "").isdigit() else name
