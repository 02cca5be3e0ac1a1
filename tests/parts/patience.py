"""How long tests wait for what must come. A test that passes waits for the event alone, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds. Used up only where something is broken.
PATIENCE_S = 300.0


def until(true: Callable[[], object], step_s: float = 0.01) -> bool:
    """Whether true() comes true before patience ends; it is asked every `step_s` seconds."""
    ends = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > ends:
            return False
        time.sleep(step_s)
    return True
