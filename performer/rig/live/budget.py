"""What a frame may cost: governor, the shader that alone is too slow, and when garbage is collected."""

from __future__ import annotations

import gc
import logging

from performer.gl.render.renderer import Renderer
from performer.rig.live.governor import Governor, ShaderThrottle
from performer.system.logging_marks import ASIDE
from performer.types.status import Effort

log = logging.getLogger(__name__)
GC_INTERVAL_S = 10.0  # seconds between two collections of garbage, each in a frame's idle time
GC_LATEST_S = 300.0
IDLE_S = 0.004  # that a frame must leave for one
STEADY = 4  # measurements of a shader before it is held to be slow


class Budget:
    """Keeps frames within their interval.

    Parameters
    ----------
    interval_s : float
        Seconds between two pictures when none is late.
    """

    def __init__(self, interval_s: float, renderer: Renderer) -> None:
        self.governor = Governor(interval_s)
        self._relief = ShaderThrottle(interval_s)
        self._interval_s = interval_s
        self._renderer = renderer
        self._deepest = 0  # level that the governor went down to
        self._collected_t = 0.0

    @property
    def effort(self) -> Effort:
        """What the next picture may cost."""
        return self.governor.effort

    def spent(self, shown: float, took_s: float) -> None:
        """Note a frame that took so long; give up something, or take it back. Says so once for each depth."""
        governor = self.governor
        if governor.step(shown, took_s):
            self.log_effort()
        timer = self._renderer.timer
        if governor.level > 0 and timer is not None and timer.on:
            slow = self._relief.step(shown, self._renderer.costs(STEADY), late=True)
            if slow is not None:
                log.warning("%s", self._renderer.throttle(slow))
                governor.wait(shown)

    def log_effort(self) -> None:
        """Say what is given up, once for each depth, and never on the picture: the panel always shows it."""
        if self.governor.level > self._deepest:
            self._deepest = self.governor.level
            log.info("governor: %s", self.governor.effort, extra=ASIDE)

    def collect_garbage(self, now: float, took_s: float) -> None:
        """Collect garbage when the frame leaves time for it; where none ever does, at long last."""
        idle = self._interval_s - took_s
        since = now - self._collected_t
        if since > GC_INTERVAL_S and (idle > IDLE_S or since > GC_LATEST_S):
            gc.collect()  # what was there at the start is frozen, so there is little to look through
            self._collected_t = now
