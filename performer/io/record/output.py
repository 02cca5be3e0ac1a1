"""What every output of finished frames offers, and the template of one: it counts frames, and keeps nothing.

To write another output, copy `FrameCounter`, let `Rig` start its thread and `Captures.keep` offer it frames.
tests/io/test_adapters.py compares every adapter with what its users call.
"""

from __future__ import annotations

import threading
from typing import Protocol

import numpy as np

from performer.system.mailboxes import Latest


class FrameOutput(Protocol):
    """Takes finished frames to the world on a thread of its own."""

    def offer(self, pixels: np.ndarray) -> bool:
        """Take a frame (H, W, 3) uint8, top row first; False where it is dropped. Main thread: never waits."""

    def run(self, stop: threading.Event) -> None:
        """Thread body: write what was offered until `stop`, then what is left."""


class FrameCounter:
    """Counts the frames that it saw; newest wins, as on a projector that is slower than the show."""

    def __init__(self) -> None:
        self._newest: Latest[np.ndarray] = Latest()
        self.seen = 0

    def offer(self, pixels: np.ndarray) -> bool:
        """Post the frame; one that was not yet looked at is replaced."""
        self._newest.post(pixels)
        return True

    def run(self, stop: threading.Event) -> None:
        """Look at the newest frame, again and again; at one that is left when told to stop, too."""
        count = 0
        while True:
            last = stop.is_set()
            fresh, pixels = self._newest.wait(count, 0.0 if last else 0.1)
            if pixels is not None and fresh > count:
                count = fresh
                self.seen += 1
            elif last:
                return


def create() -> FrameCounter:
    """An output that counts."""
    return FrameCounter()
