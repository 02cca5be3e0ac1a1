"""Ableton Link: tempo and beat shared with other programs on the local network, as events for the show clock.

Link itself is under the GPL, so its binding is an extra of its own (`./run install link`), never needed.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue

from performer.io.sound.source import Clock
from performer.system.errors import Fault
from performer.system.extras import install_line
from performer.types.frame import ControlEvent

LOOK_S = 0.02  # between two looks at the session
QUANTUM = 4.0  # beats of a bar, as peers count them
BPM = 120.0  # offered until somebody else's is heard


class Link:
    """A peer of the Link session that only listens.

    Parameters
    ----------
    now : Clock
        The show's clock.
    events : SimpleQueue[ControlEvent]
        Gets `link.tempo` (beats per minute), `link.peers` (how many others there are), and at every look `link.beat`
        (beats, bars beginning at multiples of four).

    Raises
    ------
    Fault
        When the extra is not installed.
    """

    def __init__(self, events: SimpleQueue[ControlEvent], now: Clock) -> None:
        try:
            import link
        except ImportError:
            raise Fault(f"--link needs the extra `link`: {install_line('link')}") from None
        self._events = events
        self._now = now
        self._link = link.Link(BPM)
        self._link.enabled = True
        self.peers = 0
        self._bpm = 0.0

    @property
    def note(self) -> str:
        """In one line, who is there."""
        return f"{self.peers} other{'s' * (self.peers != 1)}, {self._bpm:.1f} bpm" if self.peers else "nobody else yet"

    def run(self, stop: threading.Event) -> None:
        """Thread body: look at the session until told to stop, then leave it."""
        while not stop.wait(LOOK_S):
            self.look()
        self._link.enabled = False

    def look(self) -> None:
        """Post what the session says now."""
        state = self._link.captureSessionState()
        beat, t = float(state.beatAtTime(self._link.clock().micros(), QUANTUM)), self._now()
        peers, bpm = int(self._link.numPeers()), float(state.tempo())
        if peers != self.peers:
            self.peers = peers
            self._events.put(ControlEvent(t, "link.peers", float(peers)))
        if bpm != self._bpm:
            self._bpm = bpm
            self._events.put(ControlEvent(t, "link.tempo", bpm))
        if peers:
            self._events.put(ControlEvent(t, "link.beat", beat))
