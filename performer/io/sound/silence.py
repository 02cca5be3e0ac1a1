"""Silence as an input, `--input silence`: for shows that MIDI, taps or nobody drives. The template of a sound input.

To write another input, copy this file, keep the members that `source.SoundSource` names, and let `source.create` return
it. tests/io/test_adapters.py compares every adapter with what its users call.
"""

from __future__ import annotations

import numpy as np

from performer.io.sound.source import RING_S, Clock
from performer.system.mailboxes import Ring

RATE = 48000  # samples per second


class Silence:
    """One channel of nothing, in time.

    Parameters
    ----------
    now : Clock
        The show's clock, in seconds.
    """

    key = ""  # no device brings it, so none is ever lost
    layout: tuple[str, ...] = ()
    state = "running"
    overflows = 0
    reported_s = 0.0
    delay_s = 0.0

    def __init__(self, now: Clock) -> None:
        self.ring = Ring(int(RING_S * RATE), 1)
        self.rate = RATE
        self.note = "silence"
        self._now = now
        self._begun = 0.0

    def open(self) -> None:
        """Start the clock."""
        self._begun = self._now()

    def pump(self) -> None:
        """Write the samples that have become due since the last call. A device's callback would write its own."""
        now = self._now()
        due = int((now - self._begun) * self.rate) - self.ring.written
        if due > 0:
            self.ring.write(np.zeros((due, 1), np.float32), now)

    def poll(self, now: float) -> None:
        """Look after what was lost: nothing can be."""

    def prepare(self) -> None:
        """Decode what will be due: nothing is."""

    def close(self) -> None:
        """Let go of the device: there is none."""


def create(now: Clock) -> Silence:
    """The input that `--input silence` names."""
    return Silence(now)
